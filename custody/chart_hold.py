"""A shift at its limit is not taken back for a day: its lots may show it again.

A lot speaks when it has left the mine, and again when others have measured it. So a sum that is at
its limit reaches it with the first word of a lot, falls a little below with the second, and reaches
it again with the next lot; each time all partitions would be told, and whoever reads the alerts.

What was said and still reaches ``KEPT`` of the limit is therefore held until ``HELD_US`` after the
newest lot was measured, and is taken back then, unless it has been found again. What stands in the
end, once the clock has come by, is what the lots show in the order of time, however they came:
keeping it for good would let the order in which they came decide.

Source:
    docs/detection/charts.md
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from custody import deadlines
from custody.deadlines import Due
from custody.detect import drift
from custody.detect.drift import Chart, Point
from custody.drifts import Level
from custody.events import Micros
from custody.fold import Row
from custody.ids import BETWEEN
from custody.records import Sighting

KEPT = 0.75
"""Share of a limit that a shift must still reach."""

HELD_US = 86_400_000_000
"""How long it is held after its newest lot was measured: within a day most lots of a road come."""

HOLD = "held" + BETWEEN
"""What begins the name of what is due; the quantity follows."""


class Held(NamedTuple):
    """What is held: until when by quantity, and the rows that wait for that or do no more."""

    until: dict[str, Micros]
    rows: dict[str, Row | None]


def hold(
    owner: str,
    held: Mapping[str, Micros],
    near: Iterable[str],
    at: Micros,
    cause: str,
    due: Iterable[Sighting],
) -> Held:
    """Return what is held after a step.

    Args:
        owner: Row key of the chart.
        held: What was held before it.
        near: Quantities whose shift was said, is not found, and is near its limit.
        at: When the newest lot was measured.
        cause: Event_id after which it is so.
        due: What has become due.
    """
    over = {(one.text or "").removeprefix(HOLD) for one in due}
    until = {q: held.get(q, Micros(at + HELD_US)) for q in near if q not in over}
    pairs = [
        (_due(q, held.get(q), cause), _due(q, until.get(q), cause))
        for q in sorted({*held, *until} - over)
    ]
    return Held(until, deadlines.changes(owner, pairs))


def _due(quantity: str, at: Micros | None, cause: str) -> Due | None:
    return None if at is None else Due(at, "", HOLD + quantity, cause)


def is_near(told: tuple[Level, ...], chart: Chart, points: Iterable[Point]) -> bool:
    """Tell whether a shift that was told, and is found no more, is still near its limit.

    Args:
        told: Levels that were told.
        chart: Of the quantity now.
        points: Residuals of all lots that are remembered.
    """
    last = told[-1] if told else None
    if last is None or last.until is not None or chart.level is not None:
        return False
    has_ended = bool(chart.levels) and chart.levels[-1].since >= last.since
    return not has_ended and drift.reaches(KEPT, last, points)
