"""What a lot's tests and rules say after a step, and what becomes of its alerts."""

from collections.abc import Iterable, Sequence

from custody import alerts, findings, overdrawn
from custody.detect import lot_asked, lot_drift, lot_verdict
from custody.detect.lot_families import ORIGIN_MISMATCH, Family
from custody.detect.lot_model import Drifted
from custody.events import ActionTaken, Micros
from custody.ledger import Clock
from custody.lot_book import LotBook
from custody.news import News
from custody.records import Alert, GatedShot
from custody.reference import References
from custody.rows import Finding
from custody.verdict import Verdict

_WHOLE = f"{alerts.LOT}|"
"""Key of the alert of the test of the whole lot."""

HOLDS = ("hold", "release")
"""What a person does with a lot, not with an alert."""

DISAGREE = "certificates_disagree"

CONDITIONAL = frozenset({DISAGREE, overdrawn.RULE})
"""Exact rules whose findings something else may explain."""

EXCHANGED = frozenset({Family.WASTE, Family.FOREIGN, Family.OMNIBUS, ORIGIN_MISMATCH})
"""Families of the test that say why laboratories do not agree: it is not the same material."""


class LotAlerts:
    """Judges one lot; used once.

    Args:
        owner: Row key of the lot, the subject of its alerts.
        book: Its rows; the head's ``alerts`` is replaced where one changes.
        references: Reference data.
        clock: This step's records.
        changed: What may take the reason of an alert away, in words; None where nothing may.
    """

    __slots__ = (
        "_book", "_changed", "_clock", "_owner", "_references", "_row", "_short", "_verdicts",
        "findings",
    )  # fmt: skip

    def __init__(
        self,
        owner: str,
        book: LotBook,
        references: References,
        clock: Clock,
        changed: str | None = None,
    ) -> None:
        self._owner = owner
        self._changed = changed
        self._book = book
        self._row = book.row
        self._references = references
        self._clock = clock
        self._verdicts: dict[str, Verdict] = {}
        self._short: set[str] = set()
        self.findings: list[str] = []

    def find(self, gone: Iterable[Finding], found: Iterable[Finding]) -> list[Alert]:
        """Open and retract what exact rules find, and remember it in the row."""
        holding = list(found)
        subject = (self._owner, self._at)
        gone, alone = ([f for f in some if f.rule not in CONDITIONAL] for some in (gone, holding))
        states = self._row.alerts
        judged = findings.judge(states, gone, alone, subject, self._clock, self._changed)
        self._verdicts = {findings.key_of(f): findings.verdict_of(f) for f in holding}
        self._row.alerts = judged.states
        self._short = {one.about for one in holding if one.rule == overdrawn.RULE}
        return judged.said

    def judge(self, news: News, actions: Sequence[ActionTaken]) -> list[Alert]:
        """Return the versions to say, and remember them in the row.

        Args:
            news: What may have changed; an action asks the test, for the evidence of its answer.
            actions: What people did.
        """
        found: dict[str, Verdict] = {}
        below: dict[str, Verdict] = {}
        drifts: Sequence[Drifted] = ()
        asked = bool(actions) or self._measured(news)
        if asked:
            drifts = self._ask(found, below)
        if not found and not self._row.alerts and not actions:
            return []
        # Asked together: the test of a lot, and the shots it could not use.
        why = self._why(drifts, below.get(_WHOLE))
        shots = findings.without(self._changed)
        rules = {alerts.LOT: why, "shot_gated": shots} if asked else {}
        subject = (self._owner, self._at)
        judged = findings.tested(self._row.alerts, found, rules, subject, self._clock, below)
        found.update(self._verdicts)
        about_alerts = [action for action in actions if action.action not in HOLDS]
        answer = findings.answer(judged.states, about_alerts, self._owner, found)
        self._row.alerts = answer.states
        self.findings.extend(answer.findings)
        return [*judged.said, *answer.said]

    def compete(self, *, drifted: bool) -> list[Alert]:
        """Say what exact rules find that nothing else explains, after the test of the lot.

        Args:
            drifted: Something else may be known of scales.
        """
        return [*self._disagreement(), *self._overdrawn(drifted=drifted)]

    def _overdrawn(self, *, drifted: bool) -> list[Alert]:
        """Say of which places more went out than came in, where no scale's drift explains it."""
        after, said = dict(self._row.alerts), list[Alert]()
        known = {one.about or "" for one in after.values() if one.rule == overdrawn.RULE}
        asked = known | self._short | set(self._row.places if drifted else ())
        for name in sorted(asked):
            key = findings.key_of(Finding(overdrawn.RULE, name, ""))
            if key in self._row.doubts:
                continue  # what brought it may be on its way
            place, before = self._book.place(name), after.get(key)
            short = next((one for one in place.findings if one.rule == overdrawn.RULE), None)
            why = None if short is None else overdrawn.explained(place, self._references)
            if short is not None and why is None:
                verdict, at = findings.verdict_of(short), self._at
                outcome = alerts.raise_or_keep(before, verdict, self._owner, at, self._clock)
            elif before is not None:
                why = why or findings.without(self._changed)
                outcome = alerts.retract(before, self._owner, self._clock, why)
            else:
                continue
            findings.keep(after, said, key, outcome)
        self._row.alerts = after
        return said

    def _disagreement(self) -> list[Alert]:
        """Say that laboratories disagree where the test of the lot does not say why.

        One fraud is one alert, and the rule knows neither size nor cause.
        """
        states = self._row.alerts
        found = {
            findings.key_of(one): findings.verdict_of(one)
            for one in self._book.material().findings
            if one.rule == DISAGREE
        }
        if not found and not states:
            return []
        lot = states.get(_WHOLE)
        explained = lot is not None and alerts.stands(lot) and lot.family in EXCHANGED
        why = "it is not the same material: the lot's own alert" if found else None
        subject = (self._owner, self._at)
        judged = findings.tested(
            states, {} if explained else found, {DISAGREE: why}, subject, self._clock, {}
        )
        self._row.alerts = judged.states
        return judged.said

    def _measured(self, news: News) -> bool:
        """Tell whether what the test is told may be other than before.

        A trip says something to it once both its ends are weighed.
        """
        if news.composes:
            return True
        rows = [self._book.trip(name) for name in news.trips]
        return any(row.trip.dispatch and row.trip.receipt for row in rows if row is not None)

    def _why(self, drifts: Sequence[Drifted], now: Verdict | None) -> str | None:
        """Return what takes the reason of the test's alert away, where that is known.

        Args:
            drifts: Of instruments that the test did not hold against the lot.
            now: What it says, below its limit.
        """
        before = self._row.alerts.get(_WHOLE)
        if before is not None and now is not None and now.value >= before.threshold:
            said = f"its limit is E = 10^{now.threshold:.1f} now ({now.basis}), and was"
            said = f"{said} 10^{before.threshold:.1f}; E is 10^{now.value:.1f}"
            return f"{said}; {self._changed}" if self._changed else said
        return findings.without(self._changed) or lot_drift.sentence(drifts)

    def _ask(self, found: dict[str, Verdict], below: dict[str, Verdict]) -> Sequence[Drifted]:
        """Ask the test of the whole lot; what it could not use of the shots is found too.

        Args:
            found: Grows.
            below: Likewise, of what the test says of an alert that stands below its limit.

        Returns:
            Drifts of instruments that it did not hold against the lot.
        """
        asked = lot_asked.asked_of(self._book, self._references)
        if asked is None:
            return ()
        laid = lot_drift.corrected(asked)
        outcome = lot_verdict.outcome(
            laid,
            self._book,
            self._references,
            self._at,
            below=alerts.stands(self._row.alerts.get(_WHOLE)),
        )
        for shot in outcome.gated:
            finding = Finding("shot_gated", shot.event_id, _repeat(shot))
            found[findings.key_of(finding)] = findings.verdict_of(finding)
        if outcome.verdict is not None:
            found[_WHOLE] = outcome.verdict
        if outcome.below is not None:
            below[_WHOLE] = outcome.below
        return laid.asked.thought.drifts

    @property
    def _at(self) -> Micros:
        last = self._row.last
        return self._clock.newest if last is None else Micros(last[0])


def _repeat(shot: GatedShot) -> str:
    told = f"{shot.device_id} at {shot.site_id}: a shot {_WHY[shot.why]}"
    return f"{told} (chi-square {shot.value:.0f}, limit {shot.threshold:.0f}); repeat it"


_WHY = {
    "disagrees": "that the others do not agree with is not used",
    "further": "further from all that is known of the lot than its neighbour is not used",
    "undecided": "that disagrees with its only neighbour is not used, nor is that",
}
