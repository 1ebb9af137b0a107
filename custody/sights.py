"""What a lot says of things it shares with others: seals, tags, vehicles, certificates.

What is said follows from its rows alone, so what was said follows from the rows as they stood: the
difference is said, and nothing of it is kept. A fact that is corrected takes back what it said.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from custody.events import Micros
from custody.fold import Row
from custody.lot import INFERRED, ends_of
from custody.lot_book import LotBook
from custody.lot_rows import NO_TRIP, Mass, MaterialRow, Papers, Trip, TripRow
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


Said = dict[tuple[str, str], Sight]
"""What is said, by thing and fact."""


def news(lot_id: str, book: LotBook, known_at: Micros) -> list[Sighting]:
    """Return what leads from what was said to what is to be said, what is gone first.

    Args:
        lot_id: The lot.
        book: Its rows, with those of this step.
        known_at: When it became known, microseconds.
    """
    was: Said = {}
    now: Said = {}
    for name, old, new in book.named_pairs("trip"):
        if isinstance(new, TripRow):
            before = old.trip if isinstance(old, TripRow) else NO_TRIP
            label = lot_id + name if name.startswith(INFERRED) else name
            _compare(label, before, new.trip, was, now)
    for _, old, new in book.named_pairs("material"):
        for row, said, other in ((old, was, new), (new, now, old)):
            _note(said, _of_material(row, other))
    if not was and not now:
        return []
    gone = [(sight, GONE) for key, sight in was.items() if key not in now]
    seen = [(sight, SEEN) for key, sight in now.items() if sight != was.get(key)]
    return [_sighting(lot_id, sight, quantity, known_at) for sight, quantity in gone + seen]


def _note(said: Said, sights: Iterable[Sight]) -> None:
    for sight in sights:
        said[sight.thing, sight.event_id] = sight


def _compare(movement: str, old: Trip, new: Trip, was: Said, now: Said) -> None:
    """Note what both states of a trip say; what rests on the very same facts is left out."""
    if old is new:
        return
    (old_source, old_target), (source, target) = ends_of(old), ends_of(new)
    ends = (
        ((old.dispatch, old.left, old_source), (new.dispatch, new.left, source)),
        ((old.receipt, old.arrived, old_target), (new.receipt, new.arrived, target)),
    )
    for before, after in ends:
        if before[0] is not after[0] or before[1] is not after[1] or before[2] != after[2]:
            _note(was, _vehicle(movement, *before))
            _note(now, _vehicle(movement, *after))
    sealed, sealed_now = _sealed(old), _sealed(new)
    if sealed is not sealed_now or old_source != source:
        _note(was, _seals(movement, sealed, old_source))
        _note(now, _seals(movement, sealed_now, source))


def _sealed(trip: Trip) -> Papers | None:
    """Return the papers that say which seals a load has: those it left with, else came with."""
    for papers in (trip.left, trip.arrived):
        if papers is not None and papers.seals:
            return papers
    return None


def _seals(movement: str, papers: Papers | None, source: str | None) -> Iterator[Sight]:
    if papers is not None:
        for seal in papers.seals:
            yield Sight("seal/" + seal, papers.event_id, source, papers.at, movement)


def _vehicle(
    movement: str, mass: Mass | None, papers: Papers | None, site: str | None
) -> Iterator[Sight]:
    """Yield the vehicle of one end of a trip, by the first fact that names it."""
    known: list[tuple[Micros, str, str]] = []
    if mass is not None and mass.weighed.vehicle:
        known.append((mass.at, mass.event_id, mass.weighed.vehicle))
    if papers is not None and papers.vehicle:
        known.append((papers.at, papers.event_id, papers.vehicle))
    if known:
        at, event_id, vehicle = min(known)
        yield Sight("vehicle/" + vehicle, event_id, site, at, movement)


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
