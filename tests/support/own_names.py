"""Facts of one test again under names that nobody else in a shared stack has."""

import json
from collections.abc import Iterable, Mapping

_NAMED = ("CLI", "KOV", "LUB", "TRK-7", "CGO 4417 AB")
"""Parts of every lot, site, scale, laboratory, carrier and truck of the command line's tests."""


def owned(facts: Iterable[Mapping[str, object]], name: str) -> list[dict[str, object]]:
    """Return the same facts of a lot, sites, instruments and a truck of ``name``'s own.

    Instruments too: three lots that lose the same on one pair of scales are a scale that is off,
    and the alerts of the lots are then taken back.
    """
    text = json.dumps(list(facts))
    for part in _NAMED:
        text = text.replace(part, name if part == "CLI" else f"{part}-{name}")
    found: list[dict[str, object]] = json.loads(text)
    return found
