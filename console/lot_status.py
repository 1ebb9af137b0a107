"""Whether a lot may go: who holds it, what is open, and up to when that is known.

The gate asks this. It says ``CLEAR`` only where it knows: the lot has facts, and what people do
reaches the warehouse.

Source:
    docs/alert-lifecycle.md; ``custody.exact``, which finds a held lot that left, goes by the same
    order of holds and releases.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from console.rows import Ask, Row, time_of
from custody.errors import CustodyError

HOLDS = """
SELECT event_id, action, actor, reason, movement_id, hold_id, recorded_at FROM action
WHERE subject = {subject:String} AND action IN ('hold', 'release')
ORDER BY recorded_at, event_id
"""

OPEN_ALERTS = """
SELECT alert_id, version, state, rule, family, statistic, severity, movement_id, raised_at
FROM (
    SELECT * FROM alert WHERE lot_id = {lot:String}
    ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id
)
WHERE state IN ('open', 'acknowledged', 'shelved')
ORDER BY raised_at, alert_id
"""

KNOWN = """
SELECT 1 AS known FROM events_all WHERE lot_id = {lot:String} LIMIT 1
UNION ALL SELECT 1 FROM edge WHERE child = concat('lot/', {lot:String}) LIMIT 1
"""
"""A fact of the lot, or what a process has made of it: its sides stand under the process."""

LOAD_KNOWN = """
SELECT 1 AS known FROM
(
    SELECT movement_id FROM weighing WHERE lot_id = {lot:String} AND movement_id = {load:String}
    UNION ALL
    SELECT movement_id FROM shipment WHERE lot_id = {lot:String} AND movement_id = {load:String}
)
LIMIT 1
"""

COMPLETE_TO = """
SELECT if(countIf(complete_to IS NULL) = 0, minOrNull(complete_to), NULL) AS complete_to
FROM v_complete_to WHERE standing = 'known'
"""

UNNAMED = "no lot is named: its id is empty"
"""Why nothing is known. Facts and alerts about no lot have an empty id, no lot's."""

_FRESH_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LotStatus:
    """What is known of a lot for the gate.

    Attributes:
        status: ``HOLD``, ``CLEAR`` or ``UNKNOWN``.
        why: Why it is unknown; empty where it is not.
        holds: What people hold now: the lot (no movement) and loads of it.
        open_alerts: Alerts about it that nobody has settled.
    """

    status: str
    why: str
    holds: Sequence[Row]
    open_alerts: Sequence[Row]


def standing(rows: Iterable[Row]) -> list[Row]:
    """Return what is held, of holds and releases in any order.

    Each hold stands until it is released. A release that names none ends all of the lot, or of the
    load, before it; one that names a hold and another load ends nothing.
    """
    held: dict[object, Row] = {}
    named: set[tuple[object, object]] = set()
    for row in sorted(rows, key=lambda row: (str(row["recorded_at"]), str(row["event_id"]))):
        if row["action"] == "hold":
            held[row["event_id"]] = row
        elif row["hold_id"] is not None:
            # The clock of its gateway may be behind that of the hold's.
            named.add((row["hold_id"], row["movement_id"]))
        else:
            load = row["movement_id"]
            held = {name: one for name, one in held.items() if one["movement_id"] != load}
    return [
        {
            "hold_id": name,
            "movement_id": row["movement_id"],
            "actor": row["actor"],
            "reason": row["reason"],
            "since": time_of(row["recorded_at"]),
        }
        for name, row in held.items()
        if named.isdisjoint({(name, None), (name, row["movement_id"])})
    ]


def deeds_of(ask: Ask, recent: Callable[[str], list[Row]], lot_id: str) -> list[Row]:
    """Return holds and releases of a lot, each once. Blocks; raises as ``ask``.

    Args:
        ask: Reads the warehouse.
        recent: Those that were seen on Kafka and may not be stored yet.
        lot_id: The lot.
    """
    # In this order, or a release between the two would leave nothing of either.
    seen = recent(lot_id)
    stored = ask(HOLDS, {"subject": f"lot/{lot_id}"})
    return list({str(row["event_id"]): row for row in [*seen, *stored]}.values())


def status_of(
    holds: Sequence[Row], alerts: Sequence[Row], movement: str | None, unknown: str
) -> LotStatus:
    """Return what is known of a lot.

    Args:
        holds: What is held now.
        alerts: What is open.
        movement: Load it is asked for; None for all of the lot: then any load counts.
        unknown: Why nothing is known; empty where something is.
    """
    counts = [hold for hold in holds if movement is None or hold["movement_id"] in (None, movement)]
    if counts:
        return LotStatus(status="HOLD", why="", holds=holds, open_alerts=alerts)
    status = "UNKNOWN" if unknown else "CLEAR"
    return LotStatus(status=status, why=unknown, holds=holds, open_alerts=alerts)


class CompleteTo:
    """Up to when the warehouse knows all facts; asked every ten seconds at most.

    The question goes over all facts, and a gate is asked at every truck.

    Args:
        ask: Reads the warehouse.
        monotonic: Seconds that never go back.
    """

    def __init__(self, ask: Ask, monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._asking = threading.Lock()
        self._known: str | None = None
        self._asked_s: float | None = None

    def get(self) -> str | None:
        """Return the time as RFC 3339; None where it is not known. Blocks where it is asked."""
        fresh = self._asked_s is not None and self._monotonic() - self._asked_s < _FRESH_S
        if not fresh and self._asking.acquire(blocking=self._asked_s is None):
            try:
                found = self._ask(COMPLETE_TO, {})
                self._known = time_of(found[0]["complete_to"]) if found else None
                self._asked_s = self._monotonic()
            except CustodyError:
                self._known = None
            finally:
                self._asking.release()
        return self._known
