"""What pages are answered from."""

from collections.abc import Callable
from dataclasses import dataclass

from console.rows import Ask, Row
from custody.events import Micros


@dataclass(frozen=True, slots=True)
class Watched:
    """What pages read.

    Attributes:
        ask: Reads the warehouse.
        complete_to: Gives up to when each site is complete; blocks, raises ``Unavailable``.
        now: Time of day.
    """

    ask: Ask
    complete_to: Callable[[], list[Row]]
    now: Callable[[], Micros]
