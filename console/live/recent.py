"""What people did a moment ago, seen on Kafka before it is stored."""

import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from console.rows import Row
from custody.events import ActionTaken

_KEPT_MAX = 2_000
"""Actions; the sink stores them within a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Recent:
    """The last actions by id. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._actions: OrderedDict[str, ActionTaken] = OrderedDict()

    def take(self, action: ActionTaken) -> None:
        """Remember an action."""
        with self._lock:
            self._actions[action.event_id] = action
            while len(self._actions) > _KEPT_MAX:
                self._actions.popitem(last=False)

    def has(self, event_id: str) -> bool:
        """Tell whether an action was seen."""
        with self._lock:
            return event_id in self._actions

    def holds(self, lot_id: str) -> list[Row]:
        """Return holds and releases of a lot as rows of the table of actions."""
        subject = f"lot/{lot_id}"
        with self._lock:
            return [
                {
                    "event_id": one.event_id,
                    "action": one.action,
                    "actor": one.actor,
                    "reason": one.reason,
                    "movement_id": one.movement_id,
                    "hold_id": one.hold_id,
                    "recorded_at": f"{_EPOCH + timedelta(microseconds=one.recorded_at):%F %T.%f}",
                }
                for one in self._actions.values()
                if one.subject == subject and one.action in {"hold", "release"}
            ]
