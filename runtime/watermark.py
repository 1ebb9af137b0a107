"""Says in the warehouse, again and again, up to when everything is in: rows of ``watermark``.

The workers' progress stands in Kafka only, so no view could reckon it; beside the sink it is one
question more to the broker. What was complete once stays so, and only what moved is written.
"""

import logging
from collections.abc import Callable, Sequence

from custody.events import Micros
from runtime.asof import Ask
from runtime.complete import Progress, by_site
from runtime.moment import time_of

TABLE = "watermark"
COLUMNS = ("site_id", "complete_to", "said_at")

Said = tuple[str, Micros, Micros]
"""Site, up to when everything is in, when that was found."""

log = logging.getLogger(__name__)


class Watermark:
    """Goes over what is complete, in a thread of its own, until stopped.

    Args:
        ask: Runs SQL.
        say: Stores rows of ``watermark``; blocks until they are in.
        progress: Asks the broker.
        clock: Time of day.
    """

    def __init__(
        self,
        ask: Ask,
        say: Callable[[Sequence[Said]], None],
        progress: Callable[[], Progress],
        clock: Callable[[], Micros],
    ) -> None:
        self._ask = ask
        self._say = say
        self._progress = progress
        self._clock = clock
        self._to: dict[str, Micros] | None = None

    @property
    def complete_to(self) -> Micros | None:
        """Up to when everything is in, of all sites; None where that was never known."""
        return None if self._to is None else self._to.get("")

    def go_over(self) -> None:
        """Make one pass and say what has moved on; blocks.

        Raises:
            Unavailable: Something is away; the next pass goes on.
        """
        if self._to is None:
            self._to = {
                str(row["site_id"]): time_of(f"{row['complete_to']}Z", "the warehouse")
                for row in self._ask("SELECT site_id, complete_to FROM v_watermark", {})
            }
        found = by_site(self._ask, self._progress())
        moved = {s: at for s, at in found.items() if at > self._to.get(s, Micros(-1))}
        if moved:
            now = self._clock()
            self._say([(site, at, now) for site, at in sorted(moved.items())])
            self._to |= moved
