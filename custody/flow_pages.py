"""Many weighings in and out of one place, kept in pages: a row of the store has a greatest size.

A lot that is hauled for a year passes a place some thousand times. Its newest weighings are in the
place's own row, earlier ones in pages beside it; whoever works on the place sees them all in one.
Which page a weighing is in follows from the set of them, so it does not depend on which came first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from custody.lot_rows import Flow, FlowsRow, PlaceRow

FLOWS_MAX = 256
"""Weighings of a row: with all sixteen named sources some 130 kB, half of what a row may have."""


def in_order(flows: Mapping[str, Flow]) -> list[tuple[str, Flow]]:
    """Return weighings by time and key, whichever of them came first."""
    return sorted(flows.items(), key=_when)


def split(place: PlaceRow) -> tuple[PlaceRow, list[FlowsRow]]:
    """Return a place as its own row and the pages beside it, earliest first."""
    count = max(0, (len(place.flows) - 1) // FLOWS_MAX)
    if not count:
        return (replace(place, pages=0) if place.pages else place), []
    ordered = in_order(place.flows)
    pages = [
        FlowsRow(dict(ordered[start : start + FLOWS_MAX]))
        for start in range(0, count * FLOWS_MAX, FLOWS_MAX)
    ]
    return replace(place, flows=dict(ordered[count * FLOWS_MAX :]), pages=count), pages


def joined(place: PlaceRow, pages: Iterable[FlowsRow]) -> PlaceRow:
    """Return a place with the weighings of its pages too."""
    flows: dict[str, Flow] = {}
    for page in pages:
        flows.update(page.flows)
    return replace(place, flows=flows | place.flows)


def _when(item: tuple[str, Flow]) -> tuple[int, str]:
    return item[1].at, item[0]
