"""Findings: what exact rules of the books have found, said as alerts of family ``ledger``.

A finding holds as long as the facts do: it is opened when a rule finds something, and retracted
with the cause when a late or corrected fact takes its reason away. It is about one thing (a
place, a device, an event), so the same rule about the same thing is the same alert.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from custody import alerts
from custody.alerts import Verdict
from custody.events import ActionTaken, Micros
from custody.ledger import Clock
from custody.records import Alert
from custody.rows import AlertState, Finding

FAMILY = "ledger"
BASIS = "exact rule"

QUIET = frozenset({"pair_inferred"})
"""Rules that are counted and raise nothing: a pair is marked as inferred, which is no fault."""


class Judged(NamedTuple):
    """What is remembered of alerts after a step, and what to say."""

    states: dict[str, AlertState]
    said: list[Alert]


def key_of(finding: Finding) -> str:
    """Return the key under which a finding's alert is remembered."""
    return f"{finding.rule}|{finding.about}"


def judge(
    states: Mapping[str, AlertState],
    gone: Iterable[Finding],
    found: Iterable[Finding],
    subject: tuple[str, Micros],
    clock: Clock,
) -> Judged:
    """Open what was found, retract what is gone.

    Args:
        states: Alerts remembered.
        gone: Findings that no longer hold.
        found: Findings that hold, old or new.
        subject: Owner they are about, and when its newest fact happened.
        clock: This step's records.
    """
    after = dict(states)
    said: list[Alert] = []
    holding = {key_of(finding): finding for finding in found if finding.rule not in QUIET}
    for finding in gone:
        key = key_of(finding)
        before = after.get(key)
        if before is not None and key not in holding:
            keep(after, said, key, alerts.retract(before, subject[0], clock))
    for key, finding in sorted(holding.items()):
        outcome = alerts.raise_or_keep(
            after.get(key), verdict_of(finding), subject[0], subject[1], clock
        )
        keep(after, said, key, outcome)
    return Judged(after, said)


def act(
    states: Mapping[str, AlertState],
    action: ActionTaken,
    subject: str,
    found: Mapping[str, Verdict],
) -> Judged | None:
    """Do what a person did; None where there is no such alert.

    Args:
        states: Alerts remembered.
        action: The action.
        subject: Owner they are about.
        found: What tests and rules say now, for the evidence of the answer.
    """
    for key, state in states.items():
        if alerts.alert_id(state.rule, subject, state.movement, state.about) == action.alert_id:
            after, said = dict(states), list[Alert]()
            keep(after, said, key, alerts.act(state, action, subject, found.get(key)))
            return Judged(after, said)
    return None


def verdict_of(finding: Finding) -> Verdict:
    """Return a finding as a verdict: certain, without size."""
    return Verdict(
        finding.rule,
        None,
        FAMILY,
        0.0,
        0.0,
        1.0,
        1.0,
        BASIS,
        ((FAMILY, 1.0),),
        None,
        (),
        finding.detail,
        finding.about,
    )


def keep(states: dict[str, AlertState], said: list[Alert], key: str, outcome: alerts.Said) -> None:
    """Remember an alert's state; add its new version, where it has one, to what is said."""
    states[key] = outcome.state
    if outcome.alert is not None:
        said.append(outcome.alert)
