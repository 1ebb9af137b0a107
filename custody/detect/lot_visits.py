"""When a lot came to a scale: its readings, apart by time.

A lot may lie at a depot for days between the scale's word of what came and that of what leaves. If
the scale was knocked in between, it reads the one right and the other wrong. So a lot's readings
of one scale are told apart by visits: charts hear of each with its time, and a drift is taken off
those after its onset alone.

Source:
    docs/detection/charts.md, "What a lot tells"
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from custody.events import Micros

VISIT_US = 7_200_000_000
"""How long after its first reading a visit takes others in: a convoy is one visit."""

VISITS_MAX = 4
"""Visits of a lot to a scale that are told apart; where there are more, longer ones are taken."""


class First(NamedTuple):
    """The first word of an instrument about a lot, or its first coming by a way."""

    at: Micros
    event_id: str


class Visit(NamedTuple):
    """The first reading of a visit to a scale, and the ways that all readings of it are ends of."""

    at: Micros
    event_id: str
    ways: tuple[str, ...]


def visits(readings: Iterable[tuple[First, str]]) -> tuple[Visit, ...]:
    """Return a lot's visits to a scale, in order.

    Args:
        readings: All that the scale has read of the lot, in any order, each with its way; at least
            one.
    """
    ordered = sorted(readings)
    within, found = VISIT_US, _begun(ordered, VISIT_US)
    while len(found) > VISITS_MAX:
        within *= 2
        found = _begun(ordered, within)
    return tuple([Visit(*begun, tuple(sorted(set(ways)))) for begun, ways in found])


def _begun(ordered: Sequence[tuple[First, str]], within: int) -> list[tuple[First, list[str]]]:
    found: list[tuple[First, list[str]]] = []
    for one, way in ordered:
        if not found or one.at > found[-1][0].at + within:
            found.append((one, []))
        found[-1][1].append(way)
    return found


def number_of(began: Sequence[Visit], at: Micros) -> int:
    """Return the number of the visit in which a reading was made, from 0."""
    return max(bisect_right(began, at, key=lambda one: one.at) - 1, 0)
