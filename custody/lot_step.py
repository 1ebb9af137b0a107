"""One step of a lot: take what arrived, derive what should stand, say the difference.

A fact that comes last in canonical order is added to the rows it touches; any other (late,
corrected, correcting, perhaps repeated) makes the rows anew from the lot's facts. Either way they
are what perfect order gives, and postings, balances and alerts are derived from them alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from custody import (
    accounts,
    charting,
    deadlines,
    exact,
    factset,
    handing,
    ledger,
    lot_findings,
    reasons,
    rechecking,
    sealing,
    sights,
)
from custody.balance import Balances, Here, Stamp
from custody.carried import Said, mark_of, said
from custody.detect.lot_asked import asked_of
from custody.doubts import Doubts, is_doubt
from custody.events import ActionTaken, LotFact, Micros
from custody.fold import Reader, Step
from custody.held import BEGINNING, Held, Posted
from custody.lot import Folding
from custody.lot_alerts import HOLDS, LotAlerts
from custody.lot_book import SOURCES, LotBook
from custody.lot_derive import LotDerivation
from custody.lot_rows import (
    FeedRow,
    GivenRow,
    LotRow,
    MaterialRow,
    PlaceRow,
    StationRow,
    TripRow,
)
from custody.news import News
from custody.reading import Known
from custody.records import Content, Residual, Sighting
from custody.reduce import reduced
from custody.reference import References
from custody.rows import FactRow

_EMPTY = {"trip": TripRow, "place": PlaceRow, "feed": FeedRow, "station": StationRow}


@dataclass(slots=True)
class Arrived:
    """What reached an owner in one step, by kind, in order of arrival.

    Attributes:
        facts: Facts of the owner.
        contents: What others handed over.
        actions: What people did.
        recheck: A reference record it used has another version.
        records: Key of each such record, and the event that says so.
        due: What it waited for is due.
        seen: What others say of a thing they share, or a partition of a gateway.
        drifted: When what it was measured by began to drift, or no more.
        residuals: What lots say of an instrument or a way.
    """

    facts: list[LotFact]
    contents: list[Content]
    actions: list[ActionTaken]
    recheck: bool = False
    due: list[Sighting] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)
    drifted: list[Micros] = field(default_factory=list)
    residuals: list[Residual] = field(default_factory=list)
    records: list[tuple[str, str]] = field(default_factory=list)


class LotStep:
    """One step of one lot; used once.

    Args:
        lot_id: The lot.
        row: Its head; never changed.
        reader: Other rows of the partition.
        clock: This step's records.
    """

    __slots__ = (
        "_book",
        "_clock",
        "_derivation",
        "_folding",
        "_known",
        "_lot_id",
        "_owner",
        "_reader",
        "_references",
        "_row",
        "_sealed",
        "_step",
    )

    def __init__(self, lot_id: str, row: LotRow, reader: Reader, clock: ledger.Clock) -> None:
        self._lot_id = lot_id
        self._owner = "lot/" + lot_id
        self._row = row.copy()
        self._row.known = clock.newest
        self._reader = reader
        self._references = References(reader)
        self._clock = clock
        self._step = Step(self._row)
        self._sealed: list[FactRow] = []
        self._begin(LotBook(lot_id, self._row, reader), News())

    def _begin(self, book: LotBook, news: News) -> None:
        self._book = book
        self._known = Known(book, self._references)
        self._folding = Folding(book, self._known, news)
        self._derivation = LotDerivation(self._lot_id, book, self._known, self._references, news)

    def run(self, arrived: Arrived) -> Step:
        """Return the next head, further rows, outputs and findings."""
        before = list(self._row.findings)
        if arrived.contents:
            self._receive(arrived.contents)
        if arrived.due or arrived.actions or arrived.drifted:
            self._hear(arrived)
        facts = self._bounded([reduced(fact) for fact in arrived.facts])
        if arrived.recheck or not self._add(facts):
            self._refold(facts, again=arrived.recheck)
        news = self._folding.news
        if news.derives:
            self._derive(news)
            pairs = exact.dues(self._book.pairs(("trip",)))
            self._step.rows.update(deadlines.changes(self._owner, pairs))
            self._step.outputs.extend(sights.news(self._lot_id, self._book, self._clock.newest))
        why = reasons.changed(arrived.facts, arrived.records)
        alerts = LotAlerts(self._owner, self._book, self._references, self._clock, why)
        doubts = Doubts(self._owner, self._row.doubts, arrived.due, self._step.rows)
        if news.derives or self._row.findings != before or doubts.over:
            gone, found, new = lot_findings.sifted(self._book, before, doubts, self._clock.cause)
            self._step.findings.extend(new)
            if gone or found:
                self._step.outputs.extend(alerts.find(gone, found))
        if news.asks or arrived.actions:
            # An action needs what the tests say now, for its evidence.
            self._step.outputs.extend(alerts.judge(news, arrived.actions))
            self._step.findings.extend(alerts.findings)
        self._step.outputs.extend(alerts.compete(drifted=bool(arrived.drifted)))
        self._chart(news, told=any(due.text == charting.CHARTS for due in arrived.due))
        self._row.used, uses = rechecking.uses(self._row.used, self._references, self._owner)
        self._step.rows.update(uses)
        self._step.rows.update(self._book.changes())
        self._step.row = self._row
        return self._step

    def _hear(self, arrived: Arrived) -> None:
        """Take what is due, and what people hold and release."""
        row, news = self._row, self._folding.news
        if row.last is not None and any(at <= row.last[0] for at in arrived.drifted):
            news.tests = True
        for due in arrived.due:
            if due.text == charting.CHARTS or is_doubt(due):
                continue
            site = due.site_id or ""
            row.clocks = {**row.clocks, site: max(row.clocks.get(site, BEGINNING), due.occurred_at)}
            news.trips.add(due.text or "")
            news.postings = True
        if holds := [action for action in arrived.actions if action.action in HOLDS]:
            row.holds, beyond = exact.with_holds(row.holds, holds)
            self._step.findings.extend(beyond)
            news.postings = news.all_trips = bool(row.facts) or news.all_trips

    def _chart(self, news: News, *, told: bool) -> None:
        """Ask the clock to be told when facts have settled; then tell charts what has changed."""
        row = self._row
        if told:
            row.tells = False
            asked = asked_of(self._book, self._references)
            before = self._reader.get("charted/" + self._lot_id)
            said, rows = charting.news(self._lot_id, asked, before, self._clock)
            self._step.outputs.extend(said)
            self._step.rows.update(rows)
        # Of a lot that a process spoke of before its first fact nothing is measured yet.
        if news.asks and row.last is not None and not row.tells:
            row.tells = True
            self._step.rows.update(charting.waits(self._owner, row.last[0], self._clock))

    # -- taking ---------------------------------------------------------------------------------

    def _receive(self, contents: Sequence[Content]) -> None:
        """Take what processes handed over; the newest word of each counts."""
        book, row = self._book, self._row
        for content in contents:
            cause = content.cause_event_id
            old = book.given(cause)
            if old is not None:
                self._derivation.withdraw(old)
            else:
                row.givens += 1
            held = None if content.void else handing.received(content)
            book.put_given(cause, GivenRow(held))
        self._known.forget()
        self._folding.news.everything()

    def _bounded(self, facts: list[FactRow]) -> list[FactRow]:
        """Return what the lot takes; what would begin a trip too many is kept and counted."""
        taken, beyond = sealing.within(facts, self._book)
        for fact in beyond:
            self._seal(fact)
        if self._sealed:
            sealing.say(self._row)
        return taken

    def _seal(self, fact: FactRow) -> None:
        """Keep and count a fact that changes nothing, once."""
        if not self._book.is_sealed(fact.head.event_id):
            self._book.put_sealed(fact)
            self._sealed.append(fact)
            self._row.sealed += 1

    def _add(self, facts: list[FactRow]) -> bool:
        """Add facts that all come last; tell whether they do."""
        fresh = self._fresh(facts)
        if fresh is None:
            return False
        for fact in fresh:
            self._book.put_fact(fact)
            self._folding.apply(fact)
        if fresh:
            self._row.facts += len(fresh)
            self._row.last = fresh[-1].order
        return True

    def _fresh(self, facts: list[FactRow]) -> list[FactRow] | None:
        """Return new facts in canonical order where all of them come last, else None."""
        row = self._row
        if len(facts) > 1:
            facts = sorted(facts, key=lambda fact: fact.order)
        new: dict[str, FactRow] = {}
        fresh: list[FactRow] = []
        for fact in facts:
            head = fact.head
            same = new.get(head.event_id)
            if same is not None and factset.joined(same, fact) is same:
                self._step.findings.append("duplicate_event")
                continue
            if same is not None or head.corrects is not None or head.event_id in row.targets:
                return None
            if fact.declared is not None and self._redeclares(fact, fresh):
                return None
            if row.last is not None and fact.order <= row.last:
                return None
            # A sender who says the same id twice with other times is folded anew.
            if row.facts and self._book.has_fact(head.event_id):
                return None
            new[head.event_id] = fact
            fresh.append(fact)
        return fresh

    def _redeclares(self, fact: FactRow, before: Sequence[FactRow]) -> bool:
        """A second declaration is a finding, and those are looked for among all facts.

        One that counts as a correction does not say what the others do.
        """
        material = self._book.material()
        if material.declared_by is not None and material.declared_by.corrects is not None:
            return True
        said = [material.declared, *[one.declared for one in before]]
        return any(one is not None and one != fact.declared for one in said)

    def _refold(self, facts: list[FactRow], *, again: bool) -> None:
        """Make the rows anew from all facts."""
        facts = self._unsealed(facts)
        every, changed = factset.merged(list(self._book.facts()), facts)
        self._step.findings.extend(["duplicate_event"] * (len(facts) - len(changed)))
        if not changed and not again:
            return
        old = self._book
        self._row = head = self._row.anew()
        book = LotBook(self._lot_id, head, self._reader, blank=True)
        book.put_material(MaterialRow())
        for name, row in old.every_given():
            book.put_given(name, GivenRow(row.held))
        for fact in self._sealed:
            book.put_sealed(fact)
        news = News()
        news.everything()
        self._begin(book, news)
        for number in changed:
            book.put_fact(every[number])
        stand, head.targets, found = factset.standing(every)
        head.findings = found
        sealing.say(head)
        for fact in stand:
            self._folding.apply(fact)
        head.facts = len(every)
        head.last = max((fact.order for fact in every), default=None)

    def _unsealed(self, facts: list[FactRow]) -> list[FactRow]:
        """Return the facts a sealed lot still takes; the others are kept and counted only."""
        row = self._row
        if row.facts < sealing.FACTS_MAX or row.last is None:
            return facts
        taken: list[FactRow] = []
        for fact in facts:
            if sealing.takes(fact, self._book.fact(fact.head.event_id), row.last):
                taken.append(fact)
            else:
                self._seal(fact)
        sealing.say(row)
        return taken

    # -- deriving -------------------------------------------------------------------------------

    def _derive(self, news: News) -> None:
        """Derive postings; say transfers, contents and balances."""
        knowledge = self._derivation.run()
        shares = said(self._derivation.carried)
        if self._book.is_blank:
            self._book.empty_the_rest(_EMPTY)
        outputs, clock = self._step.outputs, self._clock
        posted, wanted = self._postings()
        transfers, touched = ledger.difference(posted, wanted, (self._lot_id, None), shares, clock)
        outputs.extend(transfers)
        outputs.extend(self._contents())
        prefix = self._owner + "/"
        names = {accounts.place(a) for a in touched if a.startswith(prefix)}
        names |= self._given_places()
        if news.restated:
            names |= {n for n, there in self._derivation.settled.items() if there.wet}
        balances = Balances(knowledge, self._stamp(), shares)
        if self._shares_changed(shares):
            # Also where nothing is left: whoever asks for its origins must find the newest word.
            names.update(self._row.places)
        outputs.extend([balances.of_place(self._here(name)) for name in sorted(names)])
        if news.declared and not names and not any(self._derivation.settled.values()):
            outputs.append(balances.declared(self._declared_at()))

    def _postings(self) -> tuple[dict[str, Posted], dict[str, Posted]]:
        """Return what stood and what should stand, of the rows this step put."""
        stood: dict[str, Posted] = {}
        wanted: dict[str, Posted] = {}
        for old, new in self._book.pairs((*SOURCES, "place")):
            stood.update(getattr(old, "posted", {}))
            wanted.update(getattr(new, "posted", {}))
        return stood, wanted

    def _contents(self) -> list[Content]:
        """Return what processes must be told."""
        before: dict[str, Held] = {}
        now: dict[str, Held] = {}
        for old, new in self._book.pairs(("feed", "given")):
            for row, handed in ((old, before), (new, now)):
                if isinstance(row, FeedRow | GivenRow) and row.handed is not None:
                    handed[row.handed.cause] = row.handed
        return handing.contents(before, now, self._owner, self._clock.newest)

    def _given_places(self) -> set[str]:
        """Return the places whose balance changed by what processes handed over."""
        names: set[str] = set()
        for old, new in self._book.pairs(("given",)):
            for one, other in ((old, new), (new, old)):
                held = one.held if isinstance(one, GivenRow) else None
                if held is not None and (not isinstance(other, GivenRow) or held != other.held):
                    names.add(held.place)
        return names

    def _shares_changed(self, shares: Said) -> bool:
        """Tell whether other shares were said of the lot last, and note those said now.

        A lot that has been nowhere has no balance that could say them.
        """
        mark, material = mark_of(shares) if self._row.places else 0, self._book.material()
        if material.shares != mark:
            self._book.put_material(replace(material, shares=mark))
        return mark != self._book.shares_said()

    def _here(self, name: str) -> Here:
        return Here(name, self._derivation.total(name), self._derivation.lies_at(name))

    def _declared_at(self) -> str:
        material = self._book.material()
        head = material.declared_by or material.first
        return "unknown" if head is None else head.site

    def _stamp(self) -> Stamp:
        last = self._row.last
        at = self._clock.newest if last is None else Micros(last[0])
        return Stamp(self._owner, self._lot_id, None, at, self._clock.newest)
