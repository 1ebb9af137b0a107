"""Alerts: what is remembered, what may happen to them, and each version as a record.

A statistical alert is open exactly when the evidence of the lot's current facts passes its
threshold. What people do with it is the other half of its life; the table below, in the manner of
ISA-18.2, says which step leads where. A step that is not in the table changes nothing.

A person acts on the version he saw. Where the alert has changed since, the action is answered
with a version whose state is unchanged and whose reason begins with ``conflict``: nobody's work is
overwritten and nobody waits for an answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

from custody.events import ActionTaken, Micros
from custody.ids import derived_id
from custody.ledger import Clock
from custody.records import Alert, Posterior
from custody.rows import AlertState
from custody.severity import is_worse
from custody.verdict import NO_DETAILS, Details, Verdict

OPEN, ACKNOWLEDGED, SHELVED = "open", "acknowledged", "shelved"
RESOLVED, RETRACTED = "resolved", "retracted"

UNSHELVE = "unshelve"
"""What the clock does when the time of a shelved alert is over; nobody's action, so no version."""

SHELVING_OVER = "the time of shelving is over"
"""The reason of the version that follows. Stored for ever, and told from what the evidence says by
these words (``console/alert_rows.py``): they do not change."""

CONFLICT = "conflict:"
"""Begins the reason of a version that answers an action which was not taken, and no other: what a
person says that begins so stands in quotes."""

COMMENT = "comment"
"""A word about an alert. It changes nothing, so it is no version, and disturbs nobody's action."""

LIFECYCLE: Mapping[tuple[str | None, str], str] = {
    (None, "evidence"): OPEN,
    (RETRACTED, "evidence"): OPEN,
    (RESOLVED, "new_evidence"): OPEN,
    (OPEN, "no_evidence"): RETRACTED,
    (ACKNOWLEDGED, "no_evidence"): RETRACTED,
    (SHELVED, "no_evidence"): RETRACTED,
    (RESOLVED, "no_evidence"): RETRACTED,
    (OPEN, "acknowledge"): ACKNOWLEDGED,
    (OPEN, "assign"): OPEN,
    (OPEN, "shelve"): SHELVED,
    (OPEN, "resolve"): RESOLVED,
    (ACKNOWLEDGED, "assign"): ACKNOWLEDGED,
    (ACKNOWLEDGED, "shelve"): SHELVED,
    (ACKNOWLEDGED, "resolve"): RESOLVED,
    (ACKNOWLEDGED, "reopen"): OPEN,
    (SHELVED, "acknowledge"): ACKNOWLEDGED,
    (SHELVED, "assign"): SHELVED,
    (SHELVED, "shelve"): SHELVED,
    (SHELVED, UNSHELVE): OPEN,
    (SHELVED, "resolve"): RESOLVED,
    (SHELVED, "reopen"): OPEN,
    (RESOLVED, "reopen"): OPEN,
}
"""(state, step) -> next state. ``new_evidence``: another family leads, or tenfold evidence."""

LOT = "lot_eprocess"
"""Rule of the test of a whole lot: its families compete within one alert."""

NODE = "node_balance"
"""Rule of the test of a closed process: what may be wrong competes within one alert."""

INSTRUMENT_BIAS, ROUTE_LOSS = "instrument_bias", "route_loss"
CHARTS = frozenset({INSTRUMENT_BIAS, ROUTE_LOSS})
"""Rules, and families, of what charts over many lots find (``custody.charts``)."""

LOG10_E_MAX = 300.0
"""Beyond it an e-value is greater than a double can tell; what is remembered has no such limit."""

TENFOLD = 1.0
"""Change of the statistic (a decimal logarithm) that makes a new version."""


class Said(NamedTuple):
    """What remains of an alert after a step, and the version to say, if any."""

    state: AlertState
    alert: Alert | None


def alert_id(rule: str, subject: str, movement: str | None, about: str | None = None) -> str:
    """Return the id of an alert: the same reason about the same thing is the same alert."""
    parts = [rule, subject, movement]
    return derived_id("alert", parts if about is None else [*parts, about])


def raise_or_keep(
    before: AlertState | None, verdict: Verdict, subject: str, at: Micros, clock: Clock
) -> Said:
    """Apply a verdict: open, open again, say a new version, or nothing new.

    A test says a new version when its family or its evidence changed much, where it names another
    trip or asks for another measurement, and where it has become worse; an exact rule when its
    sentence did, in whatever state the alert is. What became less bad is not said for that alone:
    most lots go on into a process, and nobody has to act on it.

    Args:
        before: What is remembered; None for a new alert.
        verdict: A test above its threshold.
        subject: What the alert is about, ``lot/<id>``.
        at: When the newest fact behind it happened.
        clock: This step's records.
    """
    sentence = crc32(_lasting(verdict).encode())
    step = "evidence" if before is None or not _is_news(before, verdict) else "new_evidence"
    old = None if before is None else before.state
    state = LIFECYCLE.get((old, "evidence")) or LIFECYCLE.get((old, step))
    # What an exact rule has found may have other figures by now, and they are all it says.
    same = (
        before is not None
        and sentence == before.sentence
        and not is_worse(verdict.severity, before.severity)
        and not _is_resized(before, verdict)
    )
    if before is not None and state is None and step == "evidence" and same:
        return Said(before, None)
    raised = before is None or state is not None
    state = state or (OPEN if before is None else before.state)
    after = AlertState(
        1 if before is None else before.version + 1,
        state,
        verdict.rule,
        verdict.family,
        verdict.movement,
        verdict.value,
        verdict.size,
        verdict.size_u,
        verdict.threshold,
        clock.cause if raised or before is None else before.raised_by,
        clock.newest if raised or before is None else before.raised_at,
        at,
        None if before is None else before.action_id,
        verdict.about,
        sentence,
        verdict.severity,
    )
    after = after if before is None else _kept(after, before)
    return Said(after, record(after, subject, verdict, cause=clock.cause))


def _kept(after: AlertState, before: AlertState) -> AlertState:
    """Return the next state of an alert with what people have said of it that is still so."""
    return after._replace(
        unchanged=0,
        assignee=before.assignee,
        until=before.until if after.state == SHELVED else None,
        resolution=before.resolution if after.state == RESOLVED else None,
    )


def _lasting(verdict: Verdict) -> str:
    """Return of what a verdict says the part that a new version is said for, if another."""
    if verdict.rule in CHARTS:
        # Each lot moves the last digits of a size: see ``_is_resized``. Those that the alert names
        # are other ones with each, too, and a lot that is declared late the first of them.
        return f"{verdict.size > 0.0} {verdict.lots.bit_length()}"
    if verdict.about is not None:
        return verdict.reason
    # One of several trucks may be named only when the others have come; once something has been
    # measured that was asked for, something else is.
    details = verdict.details or NO_DETAILS
    return (details.movement or "") + details.lacks


def stands(state: AlertState | None) -> bool:
    """Tell whether an alert was raised and not taken back, whatever people did with it."""
    return state is not None and state.state != RETRACTED


UNSUPPORTED = "the facts as now known do not support it"


def retract(
    before: AlertState,
    subject: str,
    clock: Clock,
    reason: str | None = None,
    now: Verdict | None = None,
) -> Said:
    """Withdraw an alert whose reason is gone; one already withdrawn stays as it is.

    It stays what it was an alert of, and of what size. What its test says now is said with it.

    Args:
        before: What is remembered.
        subject: What the alert is about.
        clock: This step's records.
        reason: What took its reason away, where more is known than that something did.
        now: What its test says, below its threshold; None where that is nothing.
    """
    state = LIFECYCLE.get((before.state, "no_evidence"))
    if state is None:
        return Said(before, None)
    value, threshold = (0.0, before.threshold) if now is None else (now.value, now.threshold)
    gone = before._replace(
        version=before.version + 1, state=state, value=value, threshold=threshold
    )
    after = _kept(gone, before)
    return Said(after, record(after, subject, now, cause=clock.cause, reason=reason or UNSUPPORTED))


def act(before: AlertState, action: ActionTaken, subject: str, verdict: Verdict | None) -> Said:
    """Apply what a person did; a stale or impossible step is answered with a conflict.

    A comment is kept where actions are, and is no version. The end of shelving is nobody's action.

    Args:
        before: What is remembered.
        action: The action; the same one again changes nothing.
        subject: What the alert is about.
        verdict: What the test says now, for the evidence.
    """
    state = LIFECYCLE.get((before.state, action.action))
    by_clock = action.action == UNSHELVE
    if by_clock:
        nothing = state is None or action.until != before.until
    else:
        nothing = action.event_id == before.action_id or action.action == COMMENT
    if nothing:
        return Said(before, None)
    reason = action.reason or action.action
    if reason.startswith(CONFLICT):
        reason = f'"{reason}"'
    if not by_clock and not _is_fresh(before, action.version):
        reason = f"{CONFLICT} made on version {action.version}, the alert has {before.version}"
        state = None
    elif state is None:
        reason = f"{CONFLICT} {action.action} does not apply to an alert that is {before.state}"
    after = before._replace(
        version=before.version + 1,
        state=state or before.state,
        action_id=action.event_id,
    )
    if verdict is not None:
        after = _measured(after, verdict)
    after = _kept(after, before)
    if state is None:
        after = after._replace(unchanged=before.unchanged + 1)
    else:
        after = _told(after, action)
    alert = record(
        after, subject, verdict, cause=action.event_id, reason=reason, actor=action.actor or None
    )
    return Said(after, alert)


def _is_fresh(state: AlertState, version: int | None) -> bool:
    """Tell whether a version is the last one that changed something, or a conflict since.

    Who loses a race makes a version, too: it must not make a conflict for who won.
    """
    changed = state.version - state.unchanged
    return version is not None and changed <= version <= state.version


def _measured(after: AlertState, verdict: Verdict) -> AlertState:
    """Return a state with the figures of the evidence that its version shows."""
    return after._replace(
        value=verdict.value,
        size=verdict.size,
        size_u=verdict.size_u,
        threshold=verdict.threshold,
        severity=verdict.severity,
    )


def _told(after: AlertState, action: ActionTaken) -> AlertState:
    """Return the state an action led to with what it says beside its step."""
    match action.action:
        case "assign":
            return after._replace(assignee=action.assignee)
        case "shelve":
            return after._replace(until=action.until)
        case "resolve":
            return after._replace(resolution=action.resolution)
        case _:
            return after


def record(
    state: AlertState,
    subject: str,
    verdict: Verdict | None,
    *,
    cause: str,
    reason: str | None = None,
    actor: str | None = None,
) -> Alert:
    """Return a version of an alert as it is said."""
    onset = None if verdict is None else verdict.onset
    details = NO_DETAILS if verdict is None else verdict.details or NO_DETAILS
    kind, _, name = subject.partition("/")
    statistic, value, threshold = _figures(state)
    alert = Alert(
        sender="",
        n=0,
        alert_id=alert_id(state.rule, subject, state.movement, state.about),
        version=state.version,
        state=state.state,
        rule=state.rule,
        family=state.family,
        subject=subject,
        lot_id=name if kind == "lot" else None,
        process_id=name if kind == "process" else None,
        movement_id=state.movement or details.movement,
        onset_event_id=None if onset is None else onset[0],
        raised_by_event_id=state.raised_by,
        raised_at=state.raised_at,
        occurred_at=state.at,
        size=state.size,
        size_u=state.size_u,
        unit="fraction",
        statistic=statistic,
        value=value,
        threshold=threshold,
        threshold_basis="" if verdict is None else verdict.basis,
        severity=state.severity,
        posterior=()
        if verdict is None
        else tuple(
            Posterior(family=f, probability=p, ln_e=details.ln_e.get(f, 0.0))
            for f, p in verdict.posterior
        ),
        # Between two times nothing says when: the middle, with the deviation of a rectangle.
        # A wrong clock, or a truck not heard of yet, may put the later of them first.
        onset_at=None if onset is None else _middle(onset[1], onset[2]),
        onset_u_s=None if onset is None else abs(onset[2] - onset[1]) / 1e6 / 12**0.5,
        evidence=() if verdict is None else tuple(verdict.evidence),
        reason=reason or ("" if verdict is None else verdict.reason),
        cause=cause,
        actor=actor,
        action_id=None if actor is None else state.action_id,
        assignee=state.assignee,
        until=state.until,
        resolution=state.resolution,
    )
    return alert if details is NO_DETAILS else _detailed(alert, details)


def _detailed(alert: Alert, details: Details) -> Alert:
    """Return an alert with what a test says beside its verdict."""
    return replace(
        alert,
        gated=details.gated,
        unobserved=details.unobserved,
        detectable=details.detectable,
        calibrations=details.calibrations,
        **details.information._asdict(),
        **details.stake._asdict(),
    )


def _figures(state: AlertState) -> tuple[str, float, float]:
    """Return the statistic, its value and limit as they are said; states keep logarithms of E."""
    if state.rule in CHARTS:
        return "cusum", state.value, state.threshold
    if state.about is not None:
        return "rule", state.value, state.threshold
    if state.rule == LOT:
        return "e_value", 10.0 ** min(state.value, LOG10_E_MAX), 10.0**state.threshold
    return "minus_log10_p", state.value, state.threshold


def _middle(first: Micros, last: Micros) -> Micros:
    return Micros((first + last) // 2)


def _is_resized(before: AlertState, verdict: Verdict) -> bool:
    """Tell whether a chart's size has moved by more than it was known to."""
    return verdict.rule in CHARTS and abs(verdict.size - before.size) > before.size_u


def _is_news(before: AlertState, verdict: Verdict) -> bool:
    return before.family != verdict.family or abs(verdict.value - before.value) >= TENFOLD
