"""What a lot says of things it shares with others: seals, tags, vehicles, certificates.

What is said follows from its rows alone, so what was said follows from the rows as they stood: the
difference is said, and nothing of it is kept. A fact that is corrected takes back what it said.
"""

from collections.abc import Iterator
from typing import NamedTuple

from custody.events import Micros
from custody.fold import Row
from custody.lot import INFERRED, ends_of
from custody.lot_book import LotBook
from custody.lot_rows import Mass, MaterialRow, Papers, Trip, TripRow
from custody.records import Sighting
from custody.rows import FactHead

SEEN = "seen"
GONE = "gone"
"""Quantities of what is said: it stands, or it does no more."""


class Sight(NamedTuple):
    """One thing seen by one fact.

    ``text`` is what tells whether two uses are one: a movement, a sample.
    """

    thing: str
    event_id: str
    site: str | None
    at: Micros
    text: str


def news(lot_id: str, book: LotBook, known_at: Micros) -> list[Sighting]:
    """Return what leads from what was said to what is to be said, what is gone first.

    Args:
        lot_id: The lot.
        book: Its rows, with those of this step.
        known_at: When it became known, microseconds.
    """
    was: dict[tuple[str, str], Sight] = {}
    now: dict[tuple[str, str], Sight] = {}
    for name, old, new in book.named_pairs("trip"):
        if isinstance(new, TripRow) and (not isinstance(old, TripRow) or old.trip != new.trip):
            label = lot_id + name if name.startswith(INFERRED) else name
            for row, sights in ((old, was), (new, now)):
                if isinstance(row, TripRow):
                    sights.update({(s.thing, s.event_id): s for s in _of_trip(label, row.trip)})
    for _, old, new in book.named_pairs("material"):
        for row, sights, other in ((old, was, new), (new, now, old)):
            sights.update({(s.thing, s.event_id): s for s in _of_material(row, other)})
    gone = [(sight, GONE) for key, sight in was.items() if key not in now]
    seen = [(sight, SEEN) for key, sight in now.items() if sight != was.get(key)]
    return [_sighting(lot_id, sight, quantity, known_at) for sight, quantity in gone + seen]


def _of_trip(movement: str, trip: Trip) -> Iterator[Sight]:
    source, target = ends_of(trip)
    # Seals are put on where a load leaves; where nobody said which, those it came with.
    papers = trip.left if trip.left is not None and trip.left.seals else trip.arrived
    if papers is not None:
        for seal in papers.seals:
            yield Sight("seal/" + seal, papers.event_id, source, papers.at, movement)
    for mass, paper, site in (
        (trip.dispatch, trip.left, source),
        (trip.receipt, trip.arrived, target),
    ):
        known = [one for one in (_vehicle(mass), _vehicle(paper)) if one is not None]
        if known:
            at, event_id, vehicle = min(known)
            yield Sight("vehicle/" + vehicle, event_id, site, at, movement)


def _vehicle(of: Mass | Papers | None) -> tuple[Micros, str, str] | None:
    """Return the vehicle of one end of a trip, and the fact that names it."""
    if of is None:
        return None
    vehicle = of.weighed.vehicle if isinstance(of, Mass) else of.vehicle
    return (of.at, of.event_id, vehicle) if vehicle else None


def _of_material(row: Row | None, other: Row | None) -> Iterator[Sight]:
    """Yield tags and certificates; what another row says alike is left out where that is cheap."""
    if not isinstance(row, MaterialRow):
        return
    declared, head = row.declared, row.declared_by
    same = isinstance(other, MaterialRow) and other.declared is declared
    if declared is not None and head is not None and not (same and _by(other) == head):
        for tag in declared.tags:
            yield Sight("tag/" + tag, head.event_id, head.site, head.at, "")
    if isinstance(other, MaterialRow) and other.certificates is row.certificates:
        return
    for one in row.certificates:
        if one.assayed.number:
            name = f"certificate/{one.assayed.lab}|{one.assayed.number}"
            yield Sight(name, one.event_id, one.site, one.at, one.assayed.sample)


def _by(row: Row | None) -> FactHead | None:
    return row.declared_by if isinstance(row, MaterialRow) else None


def _sighting(lot_id: str, sight: Sight, quantity: str, known_at: Micros) -> Sighting:
    return Sighting(
        sender="",
        n=0,
        cause_event_id=sight.event_id,
        thing=sight.thing,
        lot_id=lot_id,
        site_id=sight.site,
        occurred_at=sight.at,
        known_at=known_at,
        quantity=quantity,
        value=None,
        u=None,
        text=sight.text,
    )
