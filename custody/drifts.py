"""What a partition has been told of instruments and ways that are off, and since when.

Source:
    docs/detection/charts.md
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from custody.events import Micros
from custody.fold import Row


class Level(NamedTuple):
    """A shift that lasts.

    Attributes:
        since: From which lot on.
        until: The last lot before which it had not ended; None while it lasts.
        mean: Of the residuals; zero where they have returned.
        u: Its standard uncertainty, what lots share included.
        lots: How many it is estimated from.
        ways: Of a composition or a moisture: on how many ways it shows, a power of two.
    """

    since: Micros
    until: Micros | None
    mean: float
    u: float
    lots: int
    ways: int = 1


@dataclass(slots=True)
class DriftRow:
    """What a partition has been told of an instrument or a way: its levels by quantity."""

    levels: dict[str, tuple[Level, ...]] = field(default_factory=dict)


def levels_at(row: Row | None, at: Micros) -> list[tuple[str, Level]]:
    """Return the levels in force at a time, by quantity, those that are off."""
    if not isinstance(row, DriftRow):
        return []
    found = [(quantity, _level(levels, at)) for quantity, levels in sorted(row.levels.items())]
    return [(quantity, level) for quantity, level in found if level is not None]


def _level(levels: Sequence[Level], at: Micros) -> Level | None:
    for level in reversed(levels):
        if level.since <= at:
            return level if level.until is None or at < level.until else None
    return None
