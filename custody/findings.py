"""Findings: what exact rules have found, said as alerts.

Their family is ``ledger``, ``custody_gap`` or ``integrity``.

A finding holds as long as the facts do: it is opened when a rule finds something, and retracted
with the cause when a late or corrected fact takes its reason away. It is about one thing (a
place, a device, an event), so the same rule about the same thing is the same alert.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from custody import alerts, severity
from custody.audit import RULES
from custody.events import ActionTaken, Micros
from custody.fold import Step
from custody.ledger import Clock
from custody.records import Alert
from custody.rows import AlertState, Finding
from custody.verdict import Verdict

FAMILY = "ledger"
GAP = "custody_gap"
BASIS = "exact rule"

GAPS = frozenset(
    {
        "missing_receipt",
        "double_receipt",
        "seal_changed",
        "impossible_speed",
        "two_places",
        "document_expired",
        "hold_breached",
        "seal_reused",
        "tag_reused",
        "certificate_reused",
        "vehicle_in_two_places",
        "site_silent",
    }
)
"""Rules of family ``custody_gap``: something was out of sight. All others are of the ledger."""

INTEGRITY = "integrity"
"""Family of the auditor's rules: what is stored is not what a gateway has signed."""

QUIET = frozenset({"pair_inferred", "received_late"})
"""Rules that are counted and raise nothing: a pair is marked as inferred, which is no fault, and a
load that came late has come."""

AFTERWARDS = {"missing_receipt": "received_late"}
"""What says why a finding is gone, where something does: then its retraction says it."""


class Judged(NamedTuple):
    """What is remembered of alerts after a step, and what to say."""

    states: dict[str, AlertState]
    said: list[Alert]


class Answer(NamedTuple):
    """The same after what people did; ``findings`` are actions on alerts that are not there."""

    states: dict[str, AlertState]
    said: list[Alert]
    findings: list[str]


def key_of(finding: Finding) -> str:
    """Return the key under which a finding's alert is remembered."""
    return f"{finding.rule}|{finding.about}"


def judge(
    states: Mapping[str, AlertState],
    gone: Iterable[Finding],
    found: Iterable[Finding],
    subject: tuple[str, Micros],
    clock: Clock,
    changed: str | None = None,
) -> Judged:
    """Open what was found, retract what is gone.

    Args:
        states: Alerts remembered.
        gone: Findings that no longer hold.
        found: Findings that hold, old or new.
        subject: Owner they are about, and when its newest fact happened.
        clock: This step's records.
        changed: What may have taken their reason away, in words.
    """
    after = dict(states)
    said: list[Alert] = []
    every = {key_of(finding): finding for finding in found}
    holding = {key: finding for key, finding in every.items() if finding.rule not in QUIET}
    for finding in gone:
        key = key_of(finding)
        before = after.get(key)
        if before is not None and key not in holding:
            word = finding._replace(rule=AFTERWARDS.get(finding.rule, ""))
            why = every.get(key_of(word))
            reason = without(changed) if why is None else why.detail
            keep(after, said, key, alerts.retract(before, subject[0], clock, reason))
    for key, finding in sorted(holding.items()):
        outcome = alerts.raise_or_keep(
            after.get(key), verdict_of(finding), subject[0], subject[1], clock
        )
        keep(after, said, key, outcome)
    return Judged(after, said)


def tested(
    states: Mapping[str, AlertState],
    found: Mapping[str, Verdict],
    asked: Mapping[str, str | None],
    subject: tuple[str, Micros],
    clock: Clock,
    below: Mapping[str, Verdict],
) -> Judged:
    """Raise, keep or change what tests found, retract what they found before and do no more.

    Args:
        states: Alerts remembered.
        found: Verdicts by key.
        asked: Rules that were asked, and what to say where one does not hold any more; None for
            what is said as a rule. Alerts of other rules stay as they are. Under an alert's own key
            what is said of that one.
        subject: Owner they are about, and when its newest fact happened.
        clock: This step's records.
        below: What tests say, by key, where it does not reach their threshold.
    """
    owner, at = subject
    after = dict(states)
    said: list[Alert] = []
    for key, verdict in found.items():
        keep(after, said, key, alerts.raise_or_keep(states.get(key), verdict, owner, at, clock))
    for key, state in states.items():
        if key not in found and state.rule in asked:
            why, now = asked.get(key, asked[state.rule]), below.get(key)
            keep(after, said, key, alerts.retract(state, owner, clock, why, now))
    return Judged(after, said)


def without(changed: str | None) -> str | None:
    """Return what a retraction says of what has changed; None where that is not known."""
    return None if changed is None else f"{alerts.UNSUPPORTED}: {changed}"


def answer(
    states: Mapping[str, AlertState],
    actions: Iterable[ActionTaken],
    subject: str,
    found: Mapping[str, Verdict],
) -> Answer:
    """Do what people did, one after the other.

    Args:
        states: Alerts remembered.
        actions: About alerts of the subject.
        subject: Owner they are about.
        found: What tests and rules say now, for the evidence of the answer.
    """
    after = dict(states)
    said: list[Alert] = []
    findings: list[str] = []
    for action in actions:
        key = _key_of_alert(after, action.alert_id, subject)
        if key is None:
            findings.append("action_without_alert")
        else:
            keep(after, said, key, alerts.act(after[key], action, subject, found.get(key)))
    return Answer(after, said, findings)


def _key_of_alert(
    states: Mapping[str, AlertState], alert_id: str | None, subject: str
) -> str | None:
    for key, state in states.items():
        if alerts.alert_id(state.rule, subject, state.movement, state.about) == alert_id:
            return key
    return None


def verdict_of(finding: Finding) -> Verdict:
    """Return a finding as a verdict: certain, without size."""
    family = GAP if finding.rule in GAPS else INTEGRITY if finding.rule in RULES else FAMILY
    return Verdict(
        finding.rule,
        None,
        family,
        0.0,
        0.0,
        1.0,
        1.0,
        BASIS,
        ((family, 1.0),),
        None,
        (),
        finding.detail,
        severity.of_rule(finding.rule),
        finding.about,
    )


def say(
    step: Step,
    subject: tuple[str, Micros],
    states: dict[str, AlertState],
    found: Sequence[Finding],
    actions: Iterable[ActionTaken],
    clock: Clock,
) -> dict[str, AlertState]:
    """Open and retract what exact rules find of a shared thing, and do what people did.

    Args:
        step: Takes what is said.
        subject: Owner it is about, and when its newest fact happened.
        states: Alerts remembered; what is not found again is gone.
        found: Findings that hold.
        actions: About alerts of the subject.
        clock: This step's records.

    Returns:
        What is remembered of alerts after it.
    """
    held = {key_of(finding) for finding in found}
    gone = [
        Finding(state.rule, state.about or "", "")
        for key, state in states.items()
        if key not in held
    ]
    step.findings.extend(f.rule for f in found if key_of(f) not in states)
    judged = judge(states, gone, found, subject, clock)
    verdicts = {key_of(finding): verdict_of(finding) for finding in found}
    answered = answer(judged.states, actions, subject[0], verdicts)
    step.findings.extend(answered.findings)
    step.outputs.extend([*judged.said, *answered.said])
    return answered.states


def keep(states: dict[str, AlertState], said: list[Alert], key: str, outcome: alerts.Said) -> None:
    """Remember an alert's state; add its new version, where it has one, to what is said."""
    states[key] = outcome.state
    if outcome.alert is not None:
        said.append(outcome.alert)
