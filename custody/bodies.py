"""Bodies of reference records: JSON typed by people, of which nothing can be relied on.

What is not of the expected kind, or beyond its range, is not said: None, for the reader to take its
default.
"""

import json
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=4096)
def object_of(text: str | None) -> Mapping[str, object]:
    """Return a body as a JSON object, empty where it is none."""
    try:
        parsed: object = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def number(value: object, least: float, most: float) -> float | None:
    """Return a number within bounds, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Written so that a NaN is none; an integer too long for a float never gets there.
    return float(value) if least <= value <= most else None


def within(value: object, default: float, most: float) -> float:
    """Return a number from 0 to ``most``, or the default."""
    found = number(value, 0.0, most)
    return default if found is None else found
