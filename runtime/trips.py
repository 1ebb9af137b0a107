"""The trips of lots: which dispatch and which receipt belong together, by the core's own pairing.

Weighings and papers of one movement_id are a trip; those without one are paired by vehicle and
order. Transfers would not do: papers that no scale confirms post nothing, and a trip weighed only
where it ended is posted as a first weighing.

Source:
    docs/ledger.md, "Postings of a lot"; custody/lot.py
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from custody.coverage import Movement
from custody.events import Micros
from custody.factset import standing
from custody.fold import Row as Stored
from custody.lot import INFERRED, Folding, ends_of, sold_to
from custody.lot_book import LotBook
from custody.lot_rows import LotRow, Mass, Papers, Trip
from custody.news import News
from custody.reading import Known
from custody.reference import References
from custody.rows import FactHead, FactRow, Moved, Weighed
from runtime.lineage import Ask, Moment, Row, chunks, listed, whole
from runtime.moment import time_of


def trips_of(ask: Ask, lots: Iterable[str], moment: Moment) -> dict[str, tuple[Movement, ...]]:
    """Return the trips of lots that had left or arrived; blocks.

    Args:
        ask: Runs SQL.
        lots: Lot ids.
        moment: When, and as known when.

    Returns:
        By lot id, in the order in which they began; a lot without facts of trips is missing.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    facts: dict[str, list[FactRow]] = defaultdict(list)
    for names in chunks(lots):
        for row in ask(_facts(names), moment._asdict()):
            facts[str(row["lot"])].append(_fact(row))
    until = time_of(f"{moment.at}Z", "--at")
    return {lot: _trips(lot, some, until) for lot, some in facts.items()}


def _trips(lot_id: str, facts: Sequence[FactRow], until: Micros) -> tuple[Movement, ...]:
    """Pair what stands, as a step of the lot does with all its facts."""
    book = LotBook(lot_id, LotRow(), _Nothing())
    folding = Folding(book, Known(book, References(_Nothing())), News())
    for fact in standing(facts)[0]:
        if fact.head.at <= until:
            folding.apply(fact)
    sites = {fact.head.event_id: fact.head.site for fact in facts}
    found = (_movement(lot_id, name, row.trip, sites) for name, row in book.trips())
    return tuple(one for one in found if one is not None)


def _movement(lot_id: str, name: str, trip: Trip, sites: Mapping[str, str]) -> Movement | None:
    """Return a trip by the facts that state its ends; None for a load that has not left."""
    left, arrived = (
        frozenset(end.event_id for end in ends if end is not None)
        for ends in ((trip.dispatch, trip.left), (trip.receipt, trip.arrived))
    )
    if trip.left is None and not arrived:
        return None
    if trip.inferred:
        vehicle, _, number = name.removeprefix(INFERRED).rpartition("/")
        name = f"{number} of lot {lot_id}{f' by {vehicle}' if vehicle else ''}"
    start, end = ends_of(trip)
    return Movement(
        name, left, arrived, start, _witness(trip, start, sites), end,
        _first(trip.left or trip.dispatch), _first(trip.receipt, trip.arrived),
        sold_to(trip) is not None,
    )  # fmt: skip


def _first(*ends: Mass | Papers | None) -> Micros | None:
    return min((end.at for end in ends if end is not None), default=None)


def _witness(trip: Trip, start: str | None, sites: Mapping[str, str]) -> str | None:
    """Return the site whose receipt names the start; a site does not bear itself out."""
    papers = trip.arrived
    if papers is None or start is None or papers.from_site != start:
        return None
    site = sites[papers.event_id]
    return site if site != start else None


def _facts(lots: Sequence[str]) -> str:
    """Return the statement for weighings and papers of lots, as far as pairing looks at them."""
    head = (
        "lot_id AS lot, toUnixTimestamp64Micro(occurred_at) AS at, site_id AS site, event_id,"
        " toUnixTimestamp64Micro(recorded_at) AS known, corrects, void, movement_id AS movement,"
        " vehicle_id AS vehicle"
    )
    known = f"lot_id IN {listed(lots)} AND recorded_at <= {{known:DateTime64(6, 'UTC')}}"
    return (
        f"SELECT {head}, purpose AS does, true AS weighed, NULL AS start, NULL AS end,"  # noqa: S608
        f" NULL AS party FROM weighing WHERE {known} UNION ALL"
        f" SELECT {head}, kind, false, from_site, to_site, counterparty FROM shipment WHERE {known}"
    )


def _fact(row: Row) -> FactRow:
    times = Micros(whole(row["at"])), Micros(whole(row["known"]))
    head = FactHead(
        str(row["event_id"]), *times, str(row["site"]), _text(row["corrects"]), bool(row["void"])
    )
    trip = _text(row["movement"]), _text(row["vehicle"])
    does = str(row["does"])
    if row["weighed"]:
        return FactRow(
            head, weighed=_UNREAD._replace(movement=trip[0], vehicle=trip[1], purpose=does)
        )
    ends = _text(row["start"]), _text(row["end"])
    return FactRow(head, moved=Moved(does, *trip, *ends, _text(row["party"])))


_UNREAD = Weighed(
    movement=None, vehicle=None, purpose="", device="", gross=None, tare=None, net=0,
    stored_tare=False, u_random=None, u_systematic=None,
)  # fmt: skip
"""Pairing reads no mass and no instrument."""


def _text(cell: object) -> str | None:
    """Return a text of an answer; the warehouse has nothing as null or as empty."""
    return str(cell) if cell else None


class _Nothing:
    """Rows of a lot that is folded from nothing, without reference data."""

    def get(self, key: str) -> Stored | None:  # noqa: ARG002  the signature of a reader
        """Return nothing."""
        return None

    def scan(self, prefix: str, before: str | None = None) -> list[str]:  # noqa: ARG002
        """Return nothing."""
        return []
