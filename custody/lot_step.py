"""One step of a lot: take what arrived, derive what should stand, say the difference.

A fact that comes last in canonical order is added to the book; any other (late, corrected,
correcting, perhaps repeated) makes the book anew from the lot's fact rows. Either way the book is
the one that perfect order gives, and postings, balances and alerts are derived from it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from custody import balance, factset, handing, ledger, lot, news
from custody.balance import Stamp
from custody.estimate import absolute, relative, times
from custody.events import ActionTaken, LotFact, Micros
from custody.fold import Reader, Step
from custody.held import Carried, Held
from custody.knowledge import Cause, Knowledge, carried_of, known
from custody.lot_alerts import LotAlerts
from custody.metrology import dryness
from custody.news import News
from custody.place import Place
from custody.postings import Postings, Wanted
from custody.records import Balance, Content
from custody.reduce import reduced
from custody.reference import References
from custody.rows import FactRow, LotRow


@dataclass(slots=True)
class Arrived:
    """What reached an owner in one step, by kind, in order of arrival."""

    facts: list[LotFact]
    contents: list[Content]
    actions: list[ActionTaken]


class LotStep:
    """One step of one lot; used once.

    Args:
        lot_id: The lot.
        row: Its row; never changed.
        reader: Other rows of the partition.
        clock: This step's records.
    """

    __slots__ = (
        "_clock",
        "_fact_prefix",
        "_lot_id",
        "_owner",
        "_reader",
        "_references",
        "_row",
        "_step",
    )

    def __init__(self, lot_id: str, row: LotRow, reader: Reader, clock: ledger.Clock) -> None:
        self._lot_id = lot_id
        self._owner = "lot/" + lot_id
        self._fact_prefix = f"fact/{lot_id}/"
        self._row = row.copy()
        self._reader = reader
        self._references = References(reader)
        self._clock = clock
        self._step = Step(self._row)

    def run(self, arrived: Arrived) -> Step:
        """Return the next row, fact rows, outputs and findings."""
        row = self._row
        found = News()
        if arrived.facts:
            found = self._take([reduced(fact) for fact in arrived.facts])
        places: set[str] = set()
        if arrived.contents:
            places = {held.place for held in row.given.values()}
            row.given = merge_given(row.given, arrived.contents)
            places.update(held.place for held in row.given.values())
            found = news.everything()
        if found.postings:
            self._derive(found, places)
        if found.tests or arrived.actions:
            # An action needs what the tests say now, for its evidence.
            alerts = LotAlerts(self._owner, row, self._references, self._clock)
            self._step.outputs.extend(alerts.judge(found, arrived.actions, self._standing))
            self._step.findings.extend(alerts.findings)
        return self._step

    def _take(self, facts: list[FactRow]) -> News:
        """Take facts into the book."""
        row = self._row
        number = row.facts
        fresh = self._fresh(facts)
        if fresh is None:
            return self._refold(facts)
        if not fresh:
            return News()
        before = row.book
        book = row.book = before.copy()
        marks = [row.seen]
        for fact in fresh:
            lot.apply(book, fact)
            marks.append(factset.mark(fact.head.event_id))
            self._step.rows[f"{self._fact_prefix}{number}"] = fact
            number += 1
        row.facts = number
        row.seen = "".join(marks)
        row.last = fresh[-1].order
        return news.of_facts(fresh, before, book)

    def _fresh(self, facts: list[FactRow]) -> list[FactRow] | None:
        """Return new facts in canonical order where all of them come last, else None."""
        row = self._row
        last, seen = row.last, row.seen
        if len(facts) > 1:
            facts = sorted(facts, key=lambda fact: fact.order)
        new: set[str] = set()
        fresh: list[FactRow] = []
        for fact in facts:
            head = fact.head
            if head.event_id in new:
                self._step.findings.append("duplicate_event")
                continue
            if head.corrects is not None or head.event_id in row.targets:
                return None
            if (last is not None and fact.order <= last) or factset.mark(head.event_id) in seen:
                return None
            new.add(head.event_id)
            fresh.append(fact)
        return fresh

    def _refold(self, facts: list[FactRow]) -> News:
        row = self._row
        known_facts = [self._fact(number) for number in range(row.facts)]
        every, changed = factset.merged(known_facts, facts)
        self._step.findings.extend(["duplicate_event"] * (len(facts) - len(changed)))
        if not changed:
            return News()
        for number in changed:
            self._step.rows[f"{self._fact_prefix}{number}"] = every[number]
        stand, row.targets, findings = factset.standing(every)
        self._step.findings.extend(findings)
        row.book = lot.refold(stand)
        row.facts = len(every)
        row.seen = "".join([factset.mark(fact.head.event_id) for fact in every])
        row.last = max(fact.order for fact in every)
        return news.everything()

    def _fact(self, number: int) -> FactRow:
        found = self._reader.get(f"{self._fact_prefix}{number}")
        assert isinstance(found, FactRow), f"{self._fact_prefix}{number} is missing"
        return found

    def _standing(self) -> Sequence[FactRow]:
        """Return the facts that stand, those of this step included."""
        rows = self._step.rows
        every: list[FactRow] = []
        for number in range(self._row.facts):
            mine = rows.get(f"{self._fact_prefix}{number}")
            every.append(mine if isinstance(mine, FactRow) else self._fact(number))
        return factset.standing(every)[0]

    def _derive(self, found: News, places: set[str]) -> None:
        """Derive postings; say transfers, contents and balances.

        Args:
            found: What may have changed.
            places: Places whose balance changed by what processes handed over.
        """
        row, clock = self._row, self._clock
        knowledge = known(row.book, row.given, self._references)
        wanted = Postings(self._lot_id, row, knowledge, self._references).derive()
        carried = carried_of(row.book, row.given)
        row.posted, transfers, touched = ledger.difference(
            row.posted, wanted.postings, (self._lot_id, None), carried, clock
        )
        outputs = self._step.outputs
        outputs.extend(transfers)
        if transfers:
            self._step.findings.extend(wanted.findings)
        if wanted.inputs or row.handed:
            handed = self._handed(wanted, knowledge, carried)
            outputs.extend(handing.contents(row.handed, handed, self._owner, clock.newest))
            row.handed = handed
        prefix = self._owner + "/"
        places = places | {a[len(prefix) :] for a in touched if a.startswith(prefix)}
        if found.restated:
            places |= {name for name, place in wanted.places.items() if place.wet}
        outputs.extend(self._balances(sorted(places), wanted, knowledge, carried))
        if found.declared and not wanted.places and not places:
            outputs.append(self._declared(carried))

    def _balances(
        self,
        places: Sequence[str],
        wanted: Wanted,
        knowledge: Knowledge,
        carried: Carried,
    ) -> list[Balance]:
        stamp = self._stamp()
        return [
            balance.of_place(name, wanted.places.get(name) or Place(), knowledge, stamp, carried)
            for name in places
        ]

    def _declared(self, carried: Carried) -> Balance:
        head = self._row.book.declared_by or self._row.book.first
        site = "unknown" if head is None else head.site
        return balance.declared(site, self._stamp(), carried)

    def _stamp(self) -> Stamp:
        last = self._row.last
        at = self._clock.newest if last is None else Micros(last[0])
        return Stamp(self._owner, self._lot_id, None, at, self._clock.newest)

    def _handed(self, wanted: Wanted, knowledge: Knowledge, carried: Carried) -> dict[str, Held]:
        """Return what the lot's process inputs hand over."""
        handed: dict[str, Held] = {}
        generation = handing.generation_after(self._row.given)
        if generation > handing.GENERATIONS_MAX:
            return {e: held for e, held in self._row.handed.items() if e in wanted.inputs}
        for event_id, (fed, amount, wet) in wanted.inputs.items():
            share = knowledge.dryness
            if fed.side.moisture is not None:
                laboratory = self._references.laboratory(fed.site, fed.at)
                share = dryness(fed.side.moisture, None, laboratory)
            dry = times(relative(wet), share)
            metals = {
                analyte: absolute(balance.milligrams(times(dry, grade)))
                for analyte, grade in knowledge.grades.items()
            }
            ends = ("process/" + fed.side.process, fed.site)
            cause = Cause(fed.at, fed.known, fed.event_id)
            estimates = (wet, absolute(dry), metals)
            handed[event_id] = handing.held(cause, ends, generation, amount, estimates, carried)
        return handed


def merge_given(before: dict[str, Held], contents: Sequence[Content]) -> dict[str, Held]:
    """Return what processes and lots handed over, the newest word of each cause."""
    given = dict(before)
    for content in contents:
        if content.void:
            given.pop(content.cause_event_id, None)
        else:
            given[content.cause_event_id] = handing.received(content)
    # Sums of floats depend on their order; this one does not depend on the order of arrival.
    return dict(sorted(given.items()))
