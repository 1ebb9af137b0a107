"""One step of a process: take sides and contents, derive what should stand, say the difference.

What a step may say is bounded. Where more is left, the process asks itself to go on: it sends
itself a content that holds nothing, and the step that gets it says the next part. In between its
balance is the sum of what was posted, as always.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody import alerts, deadlines, factset, findings, handing, process_node, rechecking
from custody.balance import Stamp
from custody.batch import Batch
from custody.batch_findings import Lack
from custody.deadlines import Due
from custody.doubts import OF_BATCH, Doubt, Doubts
from custody.events import ActionTaken, Micros
from custody.exact import HOUR_US
from custody.fold import Reader, Step
from custody.held import BEGINNING, Carried, Held
from custody.kinds import UNTOLD, Kind
from custody.ledger import Clock
from custody.lot_step import Arrived
from custody.pages import Pages
from custody.process import Estimates, Standing, balance_of, of_other_kind, standing_side
from custody.process_intake import Change, Intake
from custody.process_rows import ABSENT, Layer, Material, MetalKnown, ProcessRow, Told
from custody.process_settle import Outcome, Settling
from custody.process_store import ProcessStore
from custody.records import Sighting
from custody.reduce import reduced
from custody.reference import References
from custody.rows import Finding
from custody.verdict import Verdict

RULES_BYTES = 8

KEY = f"{alerts.NODE}|"
"""Under which the alert of the test of a node is remembered."""

WHOLE = ""
"""Key of the one doubt of a closed batch."""

LACK = "lack"
"""Name of what is due where an open batch lacks inputs."""

INPUT_WAIT_H = 72
"""What an open batch's inputs have to be written down. A weekend: in many plants outputs are
weighed around the clock, and a clerk enters what was taken in."""

Given = tuple[Mapping[str, Held], Mapping[str, Held]]
"""What lots handed in, and what outputs were measured to be less than handed over."""


class Derived(NamedTuple):
    """What a step knows of a process: what its balance says beside amounts.

    ``done``: nothing is left for a later step.
    """

    done: bool
    known: Estimates
    carried: Carried
    place: str
    status: str


def process_step(
    process_id: str,
    before: ProcessRow,
    arrived: Arrived,
    reader: Reader,
    clock: Clock,
) -> Step:
    """Return the next row of a process and what it says.

    Args:
        process_id: The process.
        before: Its row; never changed.
        arrived: Sides and contents, and whether reference data changed: then all is derived.
        reader: Other rows of the partition.
        clock: This step's records.
    """
    row = before.copy()
    row.known = clock.newest
    step = Step(row)
    doubts = Doubts("process/" + process_id, row.doubts, arrived.due, step.rows)
    process = _Process(process_id, row, reader, clock, step, doubts)
    process.take(arrived)
    is_due = process.hear(arrived.due) or WHOLE in doubts.over
    process.derive(recheck=arrived.recheck or is_due or process.is_asked(arrived.actions))
    process.judge(arrived.actions)
    return step


class _Process:
    """A process during one step; used once."""

    def __init__(
        self,
        process_id: str,
        row: ProcessRow,
        reader: Reader,
        clock: Clock,
        step: Step,
        doubts: Doubts,
    ) -> None:
        self._process_id = process_id
        self._owner = "process/" + process_id
        self._row = row
        self._step = step
        self._clock = clock
        self._store = ProcessStore(process_id, row, reader, step.rows)
        self._references = References(reader)
        self._settling = Settling(process_id, self._store, clock)
        self._changes: list[Change] = []
        self._doubts = doubts
        self._goes_on = False
        self._tested = False
        self._verdict: Verdict | None = None

    def take(self, arrived: Arrived) -> None:
        """Take what arrived into rows."""
        row, step = self._row, self._step
        contents = [c for c in arrived.contents if c.from_owner != self._owner]
        if len(contents) < len(arrived.contents):
            row.called, self._goes_on = False, True
        is_bounded = bool(row.kinds) and not row.rules
        intake = Intake(self._store, step.findings, continuous=not is_bounded)
        intake.take_contents(contents)
        intake.take_sides([reduced(fact) for fact in arrived.facts])
        self._changes = intake.changes()
        for event_id, detail in intake.refused.items():
            self._settling.found["too_many_sides", event_id] = detail
        for key, text in intake.words.items():
            if text is None:
                self._settling.cleared.append(key)
            else:
                self._settling.found[key] = text

    def hear(self, due: Sequence[Sighting]) -> bool:
        """Take by when the facts of a site are in; tell whether anything was due."""
        clocks = self._row.clocks
        over = [one for one in due if one.text == LACK]
        for one in over:
            site = one.site_id or ""
            clocks[site] = max(clocks.get(site, BEGINNING), one.occurred_at)
        return bool(over)

    def _wait(self, lack: Lack | None, outcomes: Mapping[int, Outcome]) -> None:
        """Say that an open process lacks inputs once their time is over, and let it wait till then.

        Its own site is asked for: who takes lots into a process writes down what came out of it.
        """
        row, due = self._row, None
        if lack is not None:
            cause, site = lack.side.cause, lack.side.site
            limit = Micros(lack.asked + INPUT_WAIT_H * HOUR_US)
            if row.clocks.get(site, BEGINNING) >= limit:
                outcomes[lack.side.number].findings["output_exceeds_input"] = lack.detail
            else:
                due = Due(limit, site, LACK, cause.event_id)
        self._step.rows.update(deadlines.changes(self._owner, [(row.due, due)]))
        row.due = due

    def is_asked(self, actions: Sequence[ActionTaken]) -> bool:
        """Tell whether the test's evidence is needed for an answer to what somebody did."""
        return bool(actions) and KEY in self._row.alerts

    def _doubt(self, doubted: Doubt | None, outcomes: Mapping[int, Outcome]) -> None:
        """Say what does not fit once nothing has come for two ticks.

        A process and its inputs are folded in different partitions: outputs are often here first.
        What the test names is not said again by the rule, which knows no size and no cause.
        """
        if doubted is None:
            self._doubts.drop(WHOLE)
            self._verdict = None
        elif not self._doubts.may_say(WHOLE, doubted.event_id, stands=self._is_said()):
            self._verdict = None
        elif not self._is_named():
            outcomes[doubted.number].findings.update(doubted.found)

    def _is_said(self) -> bool:
        """Tell whether it stands that the process does not balance, by the test or by a rule."""
        states = self._row.alerts.values()
        return any(one.rule in OF_BATCH and alerts.stands(one) for one in states)

    def _is_named(self) -> bool:
        """Tell whether the test names what does not fit."""
        if self._tested:
            return self._verdict is not None
        return alerts.stands(self._row.alerts.get(KEY))

    def judge(self, actions: Sequence[ActionTaken]) -> None:
        """Open and retract what was found, do what people did, register uses."""
        row, clock, settling = self._row, self._clock, self._settling
        gone = [Finding(rule, about, "") for rule, about in settling.cleared]
        found = self._doubts.sift(
            gone,
            [Finding(rule, about, text) for (rule, about), text in settling.found.items()],
            row.alerts,
            clock.cause,
            lambda rule, about: self._store.out(about).findings.get(rule),
        )
        row.doubts = self._doubts.held
        self._step.findings.extend(self._doubts.said)
        at = clock.newest if row.last is None else row.last[0]
        judged = findings.judge(row.alerts, gone, found, (self._owner, at), clock)
        balance = {} if self._verdict is None else {KEY: self._verdict}
        rules = {alerts.NODE: None} if self._tested else {}
        tested = findings.tested(judged.states, balance, rules, (self._owner, at), clock, {})
        verdicts = {findings.key_of(one): findings.verdict_of(one) for one in found} | balance
        answer = findings.answer(tested.states, actions, self._owner, verdicts)
        row.alerts = answer.states
        self._step.findings.extend(answer.findings)
        self._step.outputs.extend([*judged.said, *tested.said, *answer.said])
        row.used, uses = rechecking.uses(row.used, self._references, self._owner)
        self._step.rows.update(uses)

    def derive(self, *, recheck: bool) -> None:
        """Derive what should stand and say what leads there."""
        if not self._changes and not self._goes_on and not recheck:
            return
        # A step that only says what is left to say of thousands of sides knows nothing new.
        self._tested = bool(self._changes) or recheck
        kind, settling = self._kind(), self._settling
        found = self._continuous(kind, recheck=recheck) if kind.continuous else self._batch(kind)
        outputs = self._step.outputs
        outputs.extend(settling.outputs)
        row, clock = self._row, self._clock
        at = clock.newest if row.last is None else row.last[0]
        stamp = Stamp(self._owner, None, self._process_id, at, clock.newest)
        where = found.place, found.status
        outputs.append(balance_of(row, found.known, stamp, found.carried, where))
        if not found.done and not row.called:
            row.called = True
            me = Told(self._owner, found.place, 0, clock.newest, b"")
            outputs.append(handing.withdrawing(clock.cause, me, self._owner, clock.newest))
        self._step.findings.extend(settling.names)

    def _kind(self) -> Kind:
        """Return what the process does: the kind that most of its sides name, of equals the first.

        That is a function of the set of sides, and one slip among a hundred changes nothing.
        """
        row = self._row
        if not row.kinds or row.last is None:
            return UNTOLD
        name = min(row.kinds, key=lambda kind: (-row.kinds[kind], kind))
        return self._references.process_kind(self._process_id, name, row.last[0])

    def _continuous(self, kind: Kind, *, recheck: bool) -> Derived:
        row = self._row
        self._wait(None, {})
        pages = Pages(self._process_id, self._store, kind)
        # Layers kept by an earlier release, which said less of each, are derived anew.
        told = repr((kind, Layer._fields, Material._fields, MetalKnown._fields))
        rules = hashlib.blake2b(told.encode(), digest_size=RULES_BYTES).digest()
        if not row.rules:
            # What was a batch has no pages, and rows of what stood are found by its sides.
            row.gone = list(range(row.facts))
            pages.build()
        else:
            pages.change(self._changes)
        pages.gone(self._changes, self._settling)
        if recheck or rules != row.rules:
            pages.derive_all()
        row.rules = rules
        done = pages.run(self._settling, self._references)
        node = pages.end(self._references)
        known = node.known(row.amounts)
        return Derived(done, known, node.carried(), node.state.place, "open")

    def _batch(self, kind: Kind) -> Derived:
        store, row = self._store, self._row
        row.rules, row.pages, row.dirty, row.gone = b"", [], {}, []
        facts = store.sides()
        numbers = {fact.head.event_id: number for number, fact in facts.items()}
        sides = [
            side
            for fact in factset.standing(list(facts.values()))[0]
            if (side := standing_side(numbers[fact.head.event_id], fact)) is not None
        ]
        before = {number: store.out(event_id) for event_id, number in numbers.items()}
        given = self._given()
        batch = Batch(self._process_id, kind, sides, given, self._references)
        batch.derive(before)
        self._doubt(self._test(batch, kind, sides, given), batch.outcomes)
        self._wait(batch.lack, batch.outcomes)
        self._settle_inputs(given[0], kind)
        done = self._settle(numbers, batch.outcomes)
        place = row.site if facts else "unknown"
        status = "closed" if batch.closed else "open"
        return Derived(done, batch.known, batch.carried, place, status)

    def _test(
        self, batch: Batch, kind: Kind, sides: Sequence[Standing], given: Given
    ) -> Doubt | None:
        """Test a closed process; return what does not fit, if anything."""
        closes = [one for one in sides if one.side.part == "close"]
        if not closes:
            return None
        last = closes[-1]
        if not self._tested:
            # What waits to be said waits on; what has been said is taken back by a test alone.
            same = Doubt(last.number, last.cause.event_id)
            return batch.doubted or (same if WHOLE in self._row.doubts else None)
        node = process_node.node_of(batch, kind, sides, given, self._references)
        self._verdict = process_node.judged(node, self._references, last.cause.at)
        if batch.doubted is None and self._verdict is not None:
            return Doubt(last.number, last.cause.event_id)
        return batch.doubted

    def _given(self) -> tuple[dict[str, Held], dict[str, Held]]:
        """Return inputs, and what outputs were measured to be less than handed over, by cause.

        Sums of floats depend on their order; this one does not depend on the order of arrival.
        """
        inputs: dict[str, Held] = {}
        measured: dict[str, Held] = {}
        for cause, ref in sorted(self._store.refs()):
            held = None if ref.given == ABSENT else self._store.given(ref.given)
            if held is not None:
                (inputs if ref.side == ABSENT else measured)[cause] = held
        return inputs, measured

    def _settle_inputs(self, given: Mapping[str, Held], kind: Kind) -> None:
        """Say which inputs name another kind; what they move, their lots say."""
        for cause, ref in self._store.refs():
            if ref.side == ABSENT and ref.given != ABSENT:
                named = given[cause].kind if cause in given else None
                found = of_other_kind(named, kind)
                # Of thousands that name the same kind no row is read.
                if found or ref.out != ABSENT:
                    self._settling.settle(cause, Outcome(findings=found))

    def _settle(self, numbers: Mapping[str, int], outcomes: Mapping[int, Outcome]) -> bool:
        """Settle sides as far as this step may; tell whether none is left."""
        nothing = Outcome()
        for event_id, number in numbers.items():
            if self._settling.is_full:
                return False
            self._settling.settle(event_id, outcomes.get(number, nothing))
        return True
