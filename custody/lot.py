"""A lot's facts, added up in canonical order.

``apply`` takes one fact that comes after all others. A re-fold is the same function over all
facts, from a blank book: so a lot folded fact by fact and a lot folded anew are equal to the last
bit. What a fact may have changed is noted in ``News``, so that only that is derived again.
"""

from collections.abc import Iterable
from dataclasses import replace

from custody import accounts
from custody.ids import series_name
from custody.lot_book import LotBook
from custody.lot_rows import (
    NO_BASIS,
    Certificate,
    FeedRow,
    Mass,
    Papers,
    Shots,
    TakenShot,
    Trip,
    TripRow,
)
from custody.news import News
from custody.reading import Known
from custody.rows import FactHead, FactRow, Fed, Finding, Moved

CERTIFICATES_MAX = 64
"""Certificates kept by a lot; the lowest and oldest go first."""

STOCKS_MAX = 64
"""Stock weighings kept of one place: they stand in its row. The first stays, the oldest go."""

MOVES = ("dispatch", "receipt")
"""Shipment records that move a lot; checkpoints and borders only see it."""

UNKNOWN_SITE = "unknown"
"""Where a trip ends of which neither scale nor papers say where."""

EXPIRED = "document_expired"
DOCUMENTS_MAX = 16
"""Documents out of date that are named of one lot, the first ones in canonical order."""

SHOTS_MAX = 32
"""Shots of a series that the tests look at, the first ones; the series counts them all."""

STRAYS_MAX = 8
"""Sites kept where a lot was seen and no trip had been, the first ones in canonical order."""

CAME_TO_MAX = 4
"""Sites kept that received one load."""

INFERRED = "~"
"""First character of a trip's name where no movement_id joined its ends."""


class Folding:
    """Adds facts to a book.

    Args:
        book: The lot's rows.
        known: What is known of the material, by the book as it stands.
        news: Told what a fact may have changed.
    """

    __slots__ = ("_book", "_is_first", "_known", "_mine", "news")

    def __init__(self, book: LotBook, known: Known, news: News) -> None:
        self._book = book
        self._known = known
        self._is_first = book.material().first is None
        self._mine: set[str] = set()
        self.news = news

    def apply(self, fact: FactRow) -> None:
        """Add a standing fact that comes after all others in canonical order."""
        if self._is_first:
            self._is_first = False
            self._book.put_material(replace(self._book.material(), first=fact.head))
        if fact.scanned is not None:
            self._scan(fact)
        elif fact.weighed is not None:
            self._weigh(fact)
        elif fact.moved is not None:
            self._move(fact)
        elif fact.assayed is not None:
            self._assay(fact)
        elif fact.side is not None:
            self._feed(fact)
        elif fact.declared is not None:
            self._declare(fact)

    def _scan(self, fact: FactRow) -> None:
        head, scanned, book = fact.head, fact.scanned, self._book
        assert scanned is not None
        self._stray(head)
        name = series_name(head.site, scanned.device, dry=scanned.dry)
        station = book.own_station(head.site)
        series = station.series
        shots = series.get(name)
        if shots is None:
            book.row.series = [*book.row.series, name]
            sums = {a: (1, ppb, float(u * u)) for a, (ppb, u) in scanned.results.items()}
            taken = 1
        else:
            # Sums that stood before this step are read by others; those of this step are ours.
            sums = shots.sums if name in self._mine else dict(shots.sums)
            taken = shots.taken + 1
            for analyte, (ppb, u) in scanned.results.items():
                count, total, var = sums.get(analyte, (0, 0, 0.0))
                sums[analyte] = (count + 1, total + ppb, var + u * u)
        self._mine.add(name)
        series[name] = Shots(
            head.site, scanned.device, scanned.dry, head.event_id, head.at, head.known, taken, sums
        )
        if taken <= SHOTS_MAX:
            station.shots[head.event_id] = TakenShot(name, scanned.results, scanned.below)
        self.news.measured(head.site)
        # Where nothing has been posted yet there is nothing to state anew.
        if self._known.rests_on_shots(name) and book.row.places:
            self.news.restated = True

    def _assay(self, fact: FactRow) -> None:
        head, assayed, book = fact.head, fact.assayed, self._book
        assert assayed is not None
        material = book.material()
        certificate = Certificate(head.event_id, head.at, head.known, head.site, assayed)
        certificates = [*material.certificates, certificate]
        if len(certificates) > CERTIFICATES_MAX:
            # Canonical order is kept; the first of the lowest stage is the least of all.
            certificates.remove(min(certificates, key=lambda c: c.assayed.stage))
        left_out = material.left_out + len(material.certificates) + 1 - len(certificates)
        book.put_material(replace(material, certificates=certificates, left_out=left_out))
        self._known.forget()
        self._note_basis(certificate)
        self.news.restated = True
        # Moisture may convert the shots of sites that have no certificate of their own.
        self.news.measured(None if assayed.moisture is not None else head.site)

    def _note_basis(self, certificate: Certificate) -> None:
        """Keep with a certificate what is known since it."""
        book = self._book
        material = book.material()
        last = len(material.certificates) - 1
        if last < 0 or material.certificates[last] != certificate:
            return  # there was no room for it
        noted = certificate._replace(basis=self._known.now().basis)
        certificates = [*material.certificates[:last], noted]
        book.put_material(replace(material, certificates=certificates))

    def _declare(self, fact: FactRow) -> None:
        book = self._book
        material = book.material()
        book.put_material(replace(material, declared=fact.declared, declared_by=fact.head))
        self._known.forget()
        self.news.declared = True
        self.news.everything()

    def _feed(self, fact: FactRow) -> None:
        head, side, book = fact.head, fact.side, self._book
        assert side is not None
        fed = Fed(head.event_id, head.at, head.known, head.site, side)
        book.row.feeds += 1
        book.put_feed(head.event_id, FeedRow(fed))
        self.news.postings = True
        if accounts.process(side.process) in {held.owner for held in book.handed()}:
            # What went in is no more the lot's own: it is in what came back.
            self._known.forget()
            self.news.everything()
        if side.wet is None and side.dry is None:
            book.own_place(head.site).asked = head.at

    def _weigh(self, fact: FactRow) -> None:
        head, weighed, book = fact.head, fact.weighed, self._book
        assert weighed is not None
        if weighed.purpose not in (*MOVES, "stock"):
            return
        basis = self._known.now().basis
        mass = Mass(head.event_id, head.at, head.known, head.site, basis, weighed)
        self.news.postings = True
        if weighed.purpose == "stock":
            self._stray(head)
            self._weigh_stock(mass)
            return
        departs = weighed.purpose == "dispatch"
        name = weighed.movement or self._inferred(weighed.vehicle, departs=departs, weighing=True)
        row = book.trip(name) or self._new_trip(inferred=weighed.movement is None)
        trip = row.trip
        if departs:
            trip = trip._replace(dispatch=mass, dispatched_again=trip.dispatch is not None)
        else:
            before = trip.receipt
            # At another site it is a double receipt, and that is one finding, not two.
            again = trip.received_again or (before is not None and before.site == mass.site)
            trip = trip._replace(receipt=mass, received_again=again)
            trip = _received(trip, head.site)
        self._put_trip(name, row, trip)

    def _weigh_stock(self, mass: Mass) -> None:
        """Keep a weighing of all that lies at a site, the first and the newest on their basis."""
        book = self._book
        place = book.own_place(mass.site)
        stocks = [*place.stocks, mass]
        if len(stocks) > 2:
            stocks[-2] = stocks[-2]._replace(basis=NO_BASIS)
        # Only an input without a mass asks for a stock weighing that is not the newest any more.
        if len(stocks) > 2 and (place.asked is None or place.asked < stocks[-2].at):
            del stocks[-2]
        if len(stocks) > STOCKS_MAX:
            del stocks[1]
            place.stocks_left_out = True
        place.stocks = stocks
        self.news.stocks.add(mass.site)
        if mass.site not in book.row.stocks:
            book.row.stocks = [*book.row.stocks, mass.site]

    def _stray(self, head: FactHead) -> None:
        """Note a lot that is seen where no trip of it has begun or ended, once it travels."""
        row, site = self._book.row, head.site
        if not row.trips or site in row.strays or len(row.strays) >= STRAYS_MAX:
            return
        if site not in row.sources and site not in row.arrived and site not in row.stocks:
            row.strays = {**row.strays, site: head.at}
            self.news.postings = True

    def _move(self, fact: FactRow) -> None:
        head, moved, book = fact.head, fact.moved, self._book
        assert moved is not None
        if moved.expired:
            self._doubt_documents(moved.expired)
        if moved.kind not in MOVES:
            self._pass(moved)
            return
        departs = moved.kind == "dispatch"
        name = moved.movement or self._inferred(moved.vehicle, departs=departs, weighing=False)
        row = book.trip(name) or self._new_trip(inferred=moved.movement is None)
        source, target = moved.from_site, moved.to_site
        if departs:
            source = source or head.site
        else:
            target = target or head.site
        more = moved.party, moved.vehicle, moved.seals, moved.position
        papers = Papers(head.event_id, head.at, head.known, source, target, *more)
        if departs:
            trip = row.trip._replace(left=papers)
        else:
            trip = _received(row.trip._replace(arrived=papers), _came_to(head.site, papers))
        self.news.postings = True
        self._put_trip(name, row, trip)

    def _pass(self, moved: Moved) -> None:
        """Keep the seals that a record on the way states, where they are not those it left with."""
        name = moved.movement
        row = self._book.trip(name) if name and moved.seals else None
        if name is None or row is None or row.trip.left is None:
            return
        seals = () if moved.seals == row.trip.left.seals else moved.seals
        if seals != row.trip.resealed:
            self.news.postings = True
            self._put_trip(name, row, row.trip._replace(resealed=seals))

    def _doubt_documents(self, expired: Iterable[tuple[str, str]]) -> None:
        """Note documents that were out of date; each is said once, of its first use."""
        found = self._book.row.findings
        known = {finding.about for finding in found if finding.rule == EXPIRED}
        for name, day in expired:
            if name not in known and len(known) < DOCUMENTS_MAX:
                known.add(name)
                detail = f"{name} travelled with the lot after its last day, {day}"
                found.append(Finding("document_expired", name, detail))

    def _new_trip(self, *, inferred: bool) -> TripRow:
        row = self._book.row
        row.trips += 1
        return TripRow(row.trips, Trip(inferred=inferred))

    def _put_trip(self, name: str, row: TripRow, trip: Trip) -> None:
        """Keep a trip, and what the head says of all trips."""
        head, before = self._book.row, row.trip
        self._book.put_trip(name, replace(row, trip=trip))
        self.news.trips.add(name)
        source, new = ends_of(trip)
        arrived = dict(head.arrived)
        if _came(before):
            arrived[ends_of(before)[1] or UNKNOWN_SITE] -= 1
        if _came(trip):
            there = new or UNKNOWN_SITE
            arrived[there] = arrived.get(there, 0) + 1
        head.arrived = {site: trips for site, trips in arrived.items() if trips}
        if (source or UNKNOWN_SITE) not in head.sources:
            head.sources = [*head.sources, source or UNKNOWN_SITE]
        if source is not None and new is not None:
            first, way = head.ways.get(new), (row.no, source)
            if first is None or (row.no <= first[0] and way != first):
                head.ways = {**head.ways, new: way}
                self.news.measured(None)

    def _inferred(self, vehicle: str | None, *, departs: bool, weighing: bool) -> str:
        """Return the trip that a record without movement_id belongs to, by vehicle and order.

        It joins the vehicle's oldest trip that lacks this record and has nothing later; where
        there is none it begins a trip.
        """
        stem = f"{INFERRED}{vehicle or ''}/"
        number = 1
        while (row := self._book.trip(f"{stem}{number}")) is not None:
            trip = row.trip
            arrived = trip.receipt is not None or trip.arrived is not None
            if departs:
                taken = arrived or (trip.dispatch if weighing else trip.left) is not None
            else:
                taken = (trip.receipt if weighing else trip.arrived) is not None
            if not taken:
                break
            number += 1
        return f"{stem}{number}"


def _received(trip: Trip, site: str | None) -> Trip:
    """Note a site that received a load, once; the third and later ones are no news."""
    if site is None or site in trip.came_to or len(trip.came_to) >= CAME_TO_MAX:
        return trip
    return trip._replace(came_to=(*trip.came_to, site))


def _came_to(site: str, papers: Papers) -> str | None:
    """Return which site a receipt is of: the one that wrote it.

    Who receives a load a second time copies ``to_site`` from the papers it travels with. Only the
    sender, who may write down on behalf of the other end, means where it was to go.
    """
    return papers.to_site if site == papers.from_site else site


def ends_of(trip: Trip) -> tuple[str | None, str | None]:
    """Return where a trip begins and ends, by the scale, else by the papers."""
    source = trip.dispatch.site if trip.dispatch is not None else None
    target = trip.receipt.site if trip.receipt is not None else None
    for papers in (trip.left, trip.arrived):
        if papers is not None:
            source = source or papers.from_site
            target = target or papers.to_site
    return source, target


def sold_to(trip: Trip) -> str | None:
    """Return the party that takes the load away to no site of the chain: the trip ends there."""
    left = trip.left
    return None if left is None or left.to_site is not None else left.party


def _came(trip: Trip) -> bool:
    return sold_to(trip) is None and (trip.receipt is not None or trip.arrived is not None)
