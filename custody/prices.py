"""Prices of contained metals, as reference records say them.

A price is compared with others or multiplied with what is at stake; it never enters a balance.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from custody.bodies import object_of, within
from custody.events import Micros
from custody.rows import RefVersion

GRAMS_PER = {"t": 1e6, "kg": 1e3, "g": 1.0, "lb": 453.59237}
"""Masses a price may be for; the pound is the international one of 1959, exactly."""

PRICE_MAX = 1e12
"""Greatest price that is believed, per any mass."""

QUOTED_MAX = 64
"""Characters of a price's currency or source that an alert repeats."""


class Quote(NamedTuple):
    """Price of a contained metal: per gram, in a currency, since a day, by whom."""

    per_g: float
    currency: str
    day: str
    source: str


@lru_cache(maxsize=1024)
def per_gram(text: str | None) -> float:
    """Return the price a record says, per gram; zero where it says none."""
    body = object_of(text)
    per = body.get("per")
    grams = GRAMS_PER.get(per) if isinstance(per, str) else None
    return 0.0 if grams is None else within(body.get("amount"), 0.0, PRICE_MAX) / grams


def quote_of(version: RefVersion) -> Quote | None:
    """Return what a version of a record says, with its day and source; None without a price."""
    per_g = per_gram(version.body)
    if per_g <= 0.0:
        return None
    body = object_of(version.body)
    return Quote(
        per_g, _legible(body, "currency"), _day(version.valid_from), _legible(body, "source")
    )


def _legible(body: Mapping[str, object], name: str) -> str:
    """Return a text as it can be sent: half a surrogate pair, which JSON can say, cannot."""
    text = body.get(name)
    return (
        text[:QUOTED_MAX].encode("utf-8", "replace").decode("utf-8")
        if isinstance(text, str)
        else ""
    )


def _day(at: Micros) -> str:
    try:
        return str(date(1970, 1, 1) + timedelta(days=at // 86_400_000_000))
    except OverflowError:
        return "an unknown day"
