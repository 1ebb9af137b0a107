"""Shelved alerts, and the end of their time.

Whoever shelves an alert says until when. The owner of the alert then waits for that time as it
waits for anything else that is due (``custody.deadlines``), and opens the alert again. Any owner
with alerts is treated alike, so this stands around its step and not in it.

Source:
    docs/alert-lifecycle.md; docs/adr/0018-let-ticks-say-what-is-due.md
"""

from collections.abc import Iterable, Iterator, Mapping

from custody import alerts, deadlines
from custody.deadlines import Due
from custody.events import ActionTaken, Micros
from custody.fold import Row, Step
from custody.records import Sighting
from custody.rows import AlertState
from custody.ticking import SILENT_US

SHELF = "shelf "
"""What begins the name of what is due; the key of the alert follows."""


def is_over(due: Sighting) -> bool:
    """Tell whether what is due is the end of shelving."""
    return due.text is not None and due.text.startswith(SHELF)


def actions(
    owner: str, held: Mapping[str, AlertState], over: Iterable[Sighting]
) -> Iterator[ActionTaken]:
    """Yield what the clock does with alerts whose time on the shelf is over.

    Args:
        owner: Row key of the owner.
        held: Its alerts by key.
        over: What has become due.
    """
    for due in over:
        state = held.get((due.text or "").removeprefix(SHELF))
        if state is None or state.until is None:
            continue
        yield ActionTaken(
            event_id=due.cause_event_id,
            gateway_id="",
            gateway_epoch=0,
            gateway_seq=0,
            action=alerts.UNSHELVE,
            alert_id=alerts.alert_id(state.rule, owner, state.movement, state.about),
            version=None,
            subject=owner,
            actor="",
            reason=alerts.SHELVING_OVER,
            recorded_at=due.known_at,
            until=state.until if state.until <= due.known_at else None,
        )


def wait(owner: str, before: Mapping[str, AlertState], step: Step) -> None:
    """Let an owner wait for the end of what was shelved in a step, and for nothing else.

    Args:
        owner: Row key of the owner.
        before: Its alerts before the step.
        step: Its step; takes the rows that wait.
    """
    after = alerts_of(step.row)
    if after is before or not (after or before):
        return
    pairs = [(_due(key, before), _due(key, after)) for key in {**before, **after}]
    step.rows.update(deadlines.changes(owner, pairs))


def alerts_of(row: Row | None) -> Mapping[str, AlertState]:
    """Return the alerts of an owner's row."""
    found: Mapping[str, AlertState] = getattr(row, "alerts", {})
    return found


def _due(key: str, states: Mapping[str, AlertState]) -> Due | None:
    """Return what an alert waits for.

    What is due is told when no fact of before it can still come; this waits for no fact, so it
    asks to be told so much earlier.
    """
    state = states.get(key)
    if state is None or state.until is None:
        return None
    return Due(Micros(state.until - SILENT_US), "", SHELF + key, state.action_id or "")
