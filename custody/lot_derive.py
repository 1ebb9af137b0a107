"""From what may have changed to what a lot's rows should hold: postings, flows, places.

A trip, a stock weighing, a process input and what a process handed over are *sources*: each has a
row with its postings and flows, and every place is the sum of those that concern it. A source
that may have changed is taken out of the places, derived anew, and put in again; then the places
that moved are measured (``place.of_place``). All sums are integers and flows are kept one by one,
so taking out and putting in leaves no trace.
"""

from dataclasses import replace

from custody import accounts, beyond_one, elsewhere, exact, handing, own, returns, turns
from custody.carried import NOTHING_CARRIED
from custody.estimate import NOTHING, Estimate
from custody.events import Micros
from custody.feeding import Inputs, handed
from custody.held import BEGINNING, DRY, Held, Posted
from custody.ids import BETWEEN
from custody.knowledge import Amount, Knowledge
from custody.lot_book import LotBook, Source
from custody.lot_rows import FeedRow, GivenRow, PlaceRow, TripRow
from custody.measured import given_back
from custody.news import News
from custody.place import Settled, doubts, is_empty, of_place, settled, total
from custody.place import put as put_in
from custody.place import withdraw as take_out
from custody.postings import (
    Context,
    Made,
    Supplied,
    of_feed,
    of_given,
    of_stock,
    of_trip,
)
from custody.provenance import carried_of
from custody.reading import Known
from custody.reference import References
from custody.rows import Fed, Finding

STOCK = BETWEEN
"""First character of the trip row that holds a stock weighing's posting: no movement has it."""


class LotDerivation:
    """Derives what a lot's rows should hold; used once.

    Args:
        lot_id: The lot.
        book: Its rows, with the step's facts added.
        known: What is known of its material.
        references: Reference data.
        news: What may have changed.
    """

    __slots__ = (
        "_book",
        "_came_to",
        "_context",
        "_known",
        "_lot_id",
        "_marked",
        "_marks_from",
        "_news",
        "_prefix",
        "_references",
        "carried",
        "moved",
        "settled",
    )

    def __init__(
        self, lot_id: str, book: LotBook, known: Known, references: References, news: News
    ) -> None:
        self._lot_id = lot_id
        self._prefix = f"lot/{lot_id}/"
        self._book = book
        self._known = known
        self._references = references
        self._news = news
        self._marks_from: Micros | None = None
        self._marked: set[str] = set()
        self._came_to: set[str] = set()
        self.carried = NOTHING_CARRIED
        self.moved: set[str] = set()
        self.settled: dict[str, Settled] = {}

    def run(self) -> Knowledge:
        """Bring the rows to what should stand.

        Returns:
            What is known. ``carried`` is what the lot's material carries, ``moved`` are the places
            whose sums were touched, ``settled`` what lies at those that were measured.
        """
        row, news = self._book.row, self._news
        row_givens = self._book.givens()
        given = [one.held for _, one in row_givens if one.held is not None]
        feeds = self._book.feeds()
        supplied = self._supplied(feeds, given)
        if supplied != row.supplied:
            # Only a trip that left from such a site was, or will be, its first weighing there.
            changed = {site for site, _ in supplied.items() ^ row.supplied.items()}
            news.all_trips = news.all_trips or not changed.isdisjoint(row.sources)
            row.supplied = supplied
        if news.restated and self._rates_follow_knowledge():
            news.all_trips = True
        self._context = self._context_now()
        self._marks_from = self._posted_until(row_givens)
        self._trips()
        self._stocks()
        self._weigh_own()
        self.carried = carried_of(self._book, self._references, self._known.parts(given))
        if row_givens and (news.restated or news.all_trips):
            self._givens(row_givens)
        if row.feeds:
            self._feeds(feeds, given)
        self._places()
        self._note_findings()
        return self._context.knowledge

    # -- sources --------------------------------------------------------------------------------

    def _context_now(self) -> Context:
        declared = self._book.material().declared
        route = declared.route if declared is not None and declared.route else None
        knowledge, row = self._known.now(), self._book.row
        changed = turns.of_lot(self._book.material(), knowledge)
        given = [] if knowledge.moist else self._book.handed()
        unwatered = frozenset([held.cause for held in given if held.stated == DRY])
        more = row.supplied, row.clocks, row.holds, changed, unwatered
        return Context(self._lot_id, knowledge, self._references, route, *more)

    def _posted_until(self, givens: list[tuple[str, GivenRow]]) -> Micros:
        """Return a time after which nothing was that stood posted before this step."""
        book = self._book
        if book.is_blank:
            return BEGINNING
        return max([book.until, *[given.held.at for _, given in givens if given.held is not None]])

    def _supplied(self, feeds: list[tuple[str, FeedRow]], given: list[Held]) -> Supplied:
        """Return the sites that get the lot otherwise than by being weighed out of them.

        What lay there when all of it was weighed leaves out of that; what had left before was
        weighed out of the ground. Noted is where some of it had come from elsewhere by then.
        """
        row = self._book.row
        sites: Supplied = {site: self._book.place(site).stocks[0].at for site in row.stocks}
        fed = _fed(feeds)
        for site, since in returns.supplied_by(fed, given).items():
            first = sites.get(site, since)
            sites[site] = None if since is None or first is None else min(since, first)
        sites.update(dict.fromkeys(row.arrived))
        self._came_to = {
            site
            for site in row.stocks
            if site in row.arrived
            or returns.came_by(self._book.place(site).stocks[0].at, site, fed, given)
        }
        return dict(sorted(sites.items()))

    def _trips(self) -> None:
        book = self._book
        if self._news.all_trips:
            rows = book.trips()
        else:
            rows = [(n, r) for n in sorted(self._news.trips) if (r := book.trip(n)) is not None]
        for name, row in rows:
            made = of_trip(name, row.trip, self._context)
            found, due = exact.of_trip(name, row.trip, self._context)
            made.findings.extend(found)
            self._replace(row, new := TripRow(row.no, row.trip, due=due), made)
            book.put_trip(name, new)

    def _stocks(self) -> None:
        """Post the first weighing of a lot that lay at its origin, whole."""
        row, book = self._book.row, self._book
        for site in row.stocks:
            first = book.place(site).stocks[0]
            made = Made() if site in self._came_to else of_stock(site, first, self._context)
            self._replace(book.opening(STOCK + site), new := TripRow(), made)
            book.put_trip(STOCK + site, new)
            self.moved.add(site)

    def _weigh_own(self) -> None:
        """Count what was weighed in: totals are spread over it, what is handed over joins it."""
        row, material = self._book.row, self._book.material()
        entered, mine = own.weighed_in(self._book)
        if (entered, mine) == (row.entered_wet, row.own_wet):
            return
        row.entered_wet, row.own_wet = entered, mine
        declared = material.declared
        totals = declared is not None and any(a[3] == "total" for a in declared.attributes)
        if not (totals or row.givens):
            return
        self._known.forget()
        if self._known.now() == self._context.knowledge:
            return  # less has come than was declared
        self._news.all_trips = self._news.restated = True
        self._context = self._context_now()
        self._trips()
        self._stocks()

    def _rates_follow_knowledge(self) -> bool:
        """Some attribute is declared per wet mass or metal, or is of an output of unknown water.

        And what is known of a mixture of its own and of what was handed over is in all movements.
        """
        if self._known.now().own is not None:
            return True
        declared = self._book.material().declared
        attributes = () if declared is None else declared.attributes
        if any(per not in ("t_dry", "total") for _, _, _, per, _ in attributes):
            return True
        given = self._book.handed()
        stated = any(held.stated == DRY for held in given)
        return stated and any(held.carried.attributes for held in given)

    def _givens(self, givens: list[tuple[str, GivenRow]]) -> None:
        owners = {given.held.owner for _, given in givens if given.held is not None}
        alone = len(owners) == 1 and self._context.knowledge.own is None
        for name, row in givens:
            assert row.held is not None
            made = of_given(row.held, self._context)
            handed = given_back(made, row.held, self._context, alone=alone)
            self._replace(row, new := GivenRow(row.held, handed=handed), made)
            self._book.put_given(name, new)

    def _feeds(self, rows: list[tuple[str, FeedRow]], given: list[Held]) -> None:
        """Post process inputs in order; one without a mass takes what those before it left."""
        for _, row in rows:
            self.withdraw(row)
        fed_to = returns.processes_of(_fed(rows))
        inputs = Inputs(self._book, self._known, self._context, self.carried, given, fed_to)
        earlier: list[Fed] = []
        for name, row in rows:
            fed = row.fed
            assert fed is not None
            known = inputs.known_of(fed)
            too_deep = known.generation > handing.GENERATIONS_MAX
            last = next(iter(row.posted.values()), None) if too_deep else None
            new = FeedRow(fed)
            if too_deep:
                detail = f"process {fed.side.process}: more than {handing.GENERATIONS_MAX} handings"
                new.findings = [Finding("cycle_or_too_deep", fed.event_id, detail)]
            if last is not None or not too_deep:
                made, amount, wet = of_feed(
                    fed, inputs.wet_there(fed, earlier), last, known.context
                )
                new.handed = row.handed if too_deep else handed(fed, amount, wet, known)
                made.findings.extend([*new.findings, *exact.of_feed(fed, self._context)])
                self._add(new, made)
            self._book.put_feed(name, new)
            earlier.append(fed)

    # -- places ---------------------------------------------------------------------------------

    def _places(self) -> None:
        """Measure the places that moved, or all where what is known of the material is new."""
        book = self._book
        names = set(self.moved) | self._news.stocks
        if self._news.restated or self._news.all_trips:
            names.update(book.row.places)
        for name in sorted(names):
            place = self._own(name)
            made, there = of_place(name, place, self._context)
            place.posted = made.posted
            place.findings = [*made.findings, *doubts(name, place, self._context)]
            self.settled[name] = there
            if not (place.postings or place.stocks):
                place.marks = {}  # as of a place where it has never been

    def lies_at(self, name: str) -> Estimate:
        """Return the wet mass at a place and how well it is known, measured in this step or not."""
        there = self.settled.get(name)
        if there is None:
            place = self._book.place(name)
            there = Settled(0, NOTHING) if is_empty(place) else settled(place, self._context)
        return there.estimate

    def total(self, name: str) -> Amount:
        """Return what lies at a place by all postings."""
        return total(self._book.place(name), accounts.lot(self._lot_id, name))

    def _note_findings(self) -> None:
        """Keep what is found of the lot as a whole: its grades, and where it cannot be."""
        findings = [
            *self._context.knowledge.findings,
            *beyond_one.of_lot(self._book, self._context),
        ]
        if self._book.row.strays:
            findings = [*findings, *elsewhere.of_lot(self._book, self._context)]
        material = self._book.material()
        if material.findings != findings:
            self._book.put_material(replace(material, findings=findings))

    # -- in and out of the places ---------------------------------------------------------------

    def _replace(self, old: Source, new: Source, made: Made) -> None:
        self.withdraw(old)
        self._add(new, made)

    def withdraw(self, row: Source) -> None:
        """Take a source out of the places: what it posted and what was weighed."""
        for posted in self._moves(row):
            self._move(posted, put_in_again=False)
        for name, key in row.flows:
            place = self._book.own_place(name)
            place.flows.pop(key, None)
            self.moved.add(name)

    def _add(self, row: Source, made: Made) -> None:
        row.posted = made.posted
        row.findings = made.findings
        row.flows = [(name, key) for name, key, _ in made.flows]
        for posted in self._moves(row):
            self._move(posted, put_in_again=True)
        for name, key, flow in made.flows:
            self._book.own_place(name).flows[key] = flow
            self.moved.add(name)

    def _move(self, posted: Posted, *, put_in_again: bool) -> None:
        prefix = self._prefix
        act = put_in if put_in_again else take_out
        for account, sign in ((posted.debit, -1), (posted.credit, 1)):
            if account.startswith(prefix):
                name = accounts.place(account)
                act(self._own(name), posted, sign)
                self.moved.add(name)

    def _own(self, name: str) -> PlaceRow:
        """Return a place to change, with marks at all turns of what is known there."""
        place = self._book.own_place(name)
        if self._marks_from is not None and name not in self._marked:
            self._marked.add(name)
            self._mark(name, place, self._marks_from)
        return place

    def _mark(self, name: str, place: PlaceRow, since: Micros) -> None:
        """Keep the sums of a place by each turn, before this step changes them.

        Nothing posted before the step is of a time after ``since``: as a rule a turn is not before
        that, and what was posted by then is all. Else it is added up from the sources.
        """
        ats = [turn.cause.at for turn in turns.of_place(name, place, self._context.turns)]
        old = place.marks
        if ats == list(old):
            return
        moves: list[tuple[Posted, int]] | None = None
        place.marks = {}
        for at in ats:
            if at in old:
                place.marks[at] = old[at]
            elif at >= since or not place.postings:
                place.marks[at] = turns.sums_of(place)
            else:
                moves = self._moves_of(name) if moves is None else moves
                place.marks[at] = turns.by(at, moves)

    def _moves_of(self, name: str) -> list[tuple[Posted, int]]:
        """Return all that stands posted to (1) and from (-1) a place by its sources."""
        book, here = self._book, accounts.lot(self._lot_id, name)
        rows: list[Source] = [*book.every_trip(), *[row for _, row in book.feeds()]]
        rows.extend([row for _, row in book.every_given()])
        return [
            (posted, sign)
            for row in rows
            for posted in self._moves(row)
            for account, sign in ((posted.debit, -1), (posted.credit, 1))
            if account == here
        ]

    def _moves(self, row: Source) -> list[Posted]:
        """Return what a source moves: its postings, and what the process posted to the lot."""
        moves = list(row.posted.values())
        if isinstance(row, GivenRow) and row.held is not None and row.flows:
            held = row.held
            amounts = {analyte: value for analyte, (value, _, _) in held.metals.items()}
            amounts.update(held.carried.attributes)
            here = accounts.lot(self._lot_id, held.place)
            moves.append(Posted("", here, held.wet, held.dry, amounts, held.at, None, None))
        return moves


def _fed(rows: list[tuple[str, FeedRow]]) -> list[Fed]:
    return [row.fed for _, row in rows if row.fed is not None]
