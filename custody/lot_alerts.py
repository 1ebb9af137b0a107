"""What a lot's tests and rules say after a step, and what becomes of its alerts."""

from collections.abc import Callable, Iterable, Sequence

from custody import alerts, findings
from custody.alerts import Verdict
from custody.detect import composition, mass, station
from custody.detect.composition import Compared
from custody.events import ActionTaken, Micros
from custody.ledger import Clock
from custody.lot_book import LotBook
from custody.lot_rows import Shots
from custody.news import News
from custody.records import Alert, Evidence
from custody.reference import References
from custody.rows import FactRow, Finding

EVENTS_MAX = 64
"""Events named by one row of evidence, as the schema allows."""

HOLDS = ("hold", "release")
"""What a person does with a lot, not with an alert."""

Standing = Callable[[], Sequence[FactRow]]
"""Reads the facts that stand: dear, and needed only where an alert is said."""


class LotAlerts:
    """Judges one lot; used once.

    Args:
        owner: Row key of the lot, the subject of its alerts.
        book: Its rows; the head's ``alerts`` is replaced where one changes.
        references: Reference data.
        clock: This step's records.
    """

    __slots__ = ("_book", "_clock", "_owner", "_references", "_row", "_verdicts", "findings")

    def __init__(self, owner: str, book: LotBook, references: References, clock: Clock) -> None:
        self._owner = owner
        self._book = book
        self._row = book.row
        self._references = references
        self._clock = clock
        self._verdicts: dict[str, Verdict] = {}
        self.findings: list[str] = []

    def find(self, gone: Iterable[Finding], found: Iterable[Finding]) -> list[Alert]:
        """Open and retract what exact rules find, and remember it in the row."""
        last = self._row.last
        at = self._clock.newest if last is None else Micros(last[0])
        holding = list(found)
        judged = findings.judge(self._row.alerts, gone, holding, (self._owner, at), self._clock)
        self._verdicts = {findings.key_of(f): findings.verdict_of(f) for f in holding}
        self._row.alerts = judged.states
        return judged.said

    def judge(self, news: News, actions: Sequence[ActionTaken], standing: Standing) -> list[Alert]:
        """Return the versions to say, and remember them in the row.

        Args:
            news: What may have changed; an action asks every test, for the evidence of its answer.
            actions: What people did.
            standing: The lot's facts.
        """
        found: dict[str, Verdict] = {}
        asked: set[str] = set()
        everything = news.tests or bool(actions)
        if everything or news.trips:
            asked.add(mass.RULE)
            self._ask_mass(found, None if everything else news.trips)
        if everything or news.sites is None or news.sites:
            asked.add(composition.RULE)
            self._ask_composition(found, None if everything else news.sites, standing)
        if not found and not self._row.alerts:
            if actions:
                self.findings.append("action_without_alert")
            return []
        said = self._apply(found, asked)
        found.update(self._verdicts)
        for action in actions:
            said.extend(self._act(action, found))
        return said

    def _is_live(self, rule: str) -> bool:
        states = self._row.alerts.values()
        return any(s.rule == rule and s.state != alerts.RETRACTED for s in states)

    def _ask_mass(self, found: dict[str, Verdict], names: set[str] | None) -> None:
        """Ask for the trips weighed now, or for all where an alert may have to go."""
        book = self._book
        if names is None or self._is_live(mass.RULE):
            trips = {name: row.trip for name, row in book.trips()}
        else:
            rows = {name: book.trip(name) for name in sorted(names)}
            trips = {name: row.trip for name, row in rows.items() if row is not None}
        declared = book.material().declared
        route = None if declared is None else declared.route
        verdicts = mass.verdicts(trips, self._row.weighed, route, self._references)
        for movement, verdict in verdicts.items():
            found[_key(verdict.rule, movement)] = verdict

    def _ask_composition(
        self, found: dict[str, Verdict], sites: set[str] | None, standing: Standing
    ) -> None:
        """Ask for the sites measured now, or for all where an alert may have to go."""
        only = None if self._is_live(composition.RULE) else sites
        outcome = composition.verdict(self._book, self._references, only)
        if outcome is None:
            return
        test, verdict = outcome
        evidence = composition_evidence(test, self._book, standing())
        found[_key(verdict.rule, None)] = verdict._replace(evidence=evidence)

    def _apply(self, found: dict[str, Verdict], asked: set[str]) -> list[Alert]:
        last = self._row.last
        at = self._clock.newest if last is None else Micros(last[0])
        states = dict(self._row.alerts)
        said: list[Alert] = []
        for key, verdict in found.items():
            outcome = alerts.raise_or_keep(states.get(key), verdict, self._owner, at, self._clock)
            findings.keep(states, said, key, outcome)
        for key, state in self._row.alerts.items():
            if key not in found and state.rule in asked:
                findings.keep(states, said, key, alerts.retract(state, self._owner, self._clock))
        self._row.alerts = states
        return said

    def _act(self, action: ActionTaken, found: dict[str, Verdict]) -> list[Alert]:
        if action.action in HOLDS:
            return []
        judged = findings.act(self._row.alerts, action, self._owner, found)
        if judged is None:
            self.findings.append("action_without_alert")
            return []
        self._row.alerts = judged.states
        return judged.said


def _key(rule: str, movement: str | None) -> str:
    return f"{rule}|{movement or ''}"


def composition_evidence(
    test: Compared, book: LotBook, facts: Sequence[FactRow]
) -> tuple[Evidence, ...]:
    """Return one row per analyte: ln(receiving / sending) on dry basis, its u, all events."""
    rows: list[Evidence] = []
    for analyte, d, v, a in zip(test.analytes, test.d, test.v, test.a, strict=True):
        events: list[str] = []
        instruments: list[str] = []
        for site in (test.source, test.target):
            certificates, series = station.sources(book, site, analyte)
            events.extend(certificate.event_id for certificate in certificates)
            instruments.extend(certificate.assayed.lab for certificate in certificates)
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
