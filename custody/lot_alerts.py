"""The alerts of one lot in one step: what the tests say, and what people did."""

from collections.abc import Callable, Sequence

from custody import alerts
from custody.alerts import Said, Verdict
from custody.detect import composition, mass, station
from custody.detect.composition import Compared
from custody.events import ActionTaken, Micros
from custody.ledger import Clock
from custody.records import Alert, Evidence
from custody.reference import References
from custody.rows import AlertState, Book, FactRow, LotRow, Shots

EVENTS_MAX = 64
"""Events named per row of evidence; the cap of the alert's schema."""

Standing = Callable[[], Sequence[FactRow]]
"""Reads the lot's standing facts; asked only for the evidence of an alert that is said."""


class LotAlerts:
    """Judges one lot; used once.

    Args:
        owner: Row key of the lot, the subject of its alerts.
        row: Its row, whose ``alerts`` is replaced where one changes.
        references: Reference data.
        clock: This step's records.
    """

    __slots__ = ("_clock", "_owner", "_references", "_row", "findings")

    def __init__(self, owner: str, row: LotRow, references: References, clock: Clock) -> None:
        self._owner = owner
        self._row = row
        self._references = references
        self._clock = clock
        self.findings: list[str] = []

    def judge(self, actions: Sequence[ActionTaken], standing: Standing) -> list[Alert]:
        """Return the versions to say, and remember them in the row."""
        book, before = self._row.book, self._row.alerts
        found: dict[str, Verdict] = {}
        declared = book.declared
        route = None if declared is None else declared.route
        for movement, verdict in mass.verdicts(book.trips, route, self._references).items():
            found[_key(verdict.rule, movement)] = verdict
        mixed = composition.verdicts(book, self._references)
        if mixed is not None:
            found[_key(mixed[1].rule, None)] = mixed[1]
        if not found and not before and not actions:
            return []
        if mixed is not None and self._needs_evidence(mixed[1], actions):
            evidence = composition_evidence(mixed[0], book, standing())
            found[_key(mixed[1].rule, None)] = mixed[1]._replace(evidence=evidence)
        said = self._apply(found)
        for action in actions:
            said.extend(self._act(action, found))
        return said

    def _needs_evidence(self, verdict: Verdict, actions: Sequence[ActionTaken]) -> bool:
        """Tell whether a version will be said; reading all facts for nothing would be dear."""
        old = self._row.alerts.get(_key(verdict.rule, None))
        said = alerts.raise_or_keep(old, verdict, self._owner, Micros(0), self._clock)
        return bool(actions) or said.alert is not None

    def _apply(self, found: dict[str, Verdict]) -> list[Alert]:
        last = self._row.last
        at = self._clock.newest if last is None else Micros(last[0])
        states = dict(self._row.alerts)
        said: list[Alert] = []
        for key, verdict in found.items():
            outcome = alerts.raise_or_keep(states.get(key), verdict, self._owner, at, self._clock)
            _note(states, said, key, outcome)
        for key, state in self._row.alerts.items():
            if key not in found:
                _note(states, said, key, alerts.retract(state, self._owner, self._clock))
        self._row.alerts = states
        return said

    def _act(self, action: ActionTaken, found: dict[str, Verdict]) -> list[Alert]:
        if action.action in ("hold", "release"):
            self.findings.append("hold_without_effect")
            return []
        states = dict(self._row.alerts)
        said: list[Alert] = []
        for key, state in self._row.alerts.items():
            if alerts.alert_id(state.rule, self._owner, state.movement) == action.alert_id:
                outcome = alerts.act(state, action, self._owner, found.get(key))
                _note(states, said, key, outcome)
                self._row.alerts = states
                return said
        self.findings.append("action_without_alert")
        return said


def _key(rule: str, movement: str | None) -> str:
    return f"{rule}|{movement or ''}"


def _note(states: dict[str, AlertState], said: list[Alert], key: str, outcome: Said) -> None:
    states[key] = outcome.state
    if outcome.alert is not None:
        said.append(outcome.alert)


def composition_evidence(
    test: Compared, book: Book, facts: Sequence[FactRow]
) -> tuple[Evidence, ...]:
    """Return one row per analyte: ln(receiving / sending) on dry basis, its u, all events."""
    rows: list[Evidence] = []
    for analyte, d, v, a in zip(test.analytes, test.d, test.v, test.a, strict=True):
        events: list[str] = []
        instruments: list[str] = []
        for site in (test.source, test.target):
            certificates, series = station.sources(book, site, analyte)
            events.extend(certificates)
            instruments.extend(
                c.assayed.lab for c in book.certificates if c.event_id in certificates
            )
            for shots in series:
                events.extend(_shot_events(shots, facts))
                instruments.append(shots.device)
        u = (v + a * a) ** 0.5
        rows.append(
            Evidence(
                quantity="ln_ratio_dry",
                analyte=analyte,
                expected=0.0,
                observed=d,
                u=u,
                z=d / u,
                unit="1",
                event_ids=tuple(events[:EVENTS_MAX]),
                instruments=tuple(dict.fromkeys(instruments)),
            )
        )
    return tuple(rows)


def _shot_events(shots: Shots, facts: Sequence[FactRow]) -> list[str]:
    return [
        fact.head.event_id
        for fact in facts
        if fact.scanned is not None
        and fact.head.site == shots.site
        and fact.scanned.device == shots.device
        and fact.scanned.dry == shots.dry
    ]
