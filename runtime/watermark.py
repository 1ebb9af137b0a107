"""Says in the warehouse, again and again, up to when everything is in: rows of ``watermark``.

The workers' progress stands in Kafka only, so no view could reckon it; beside the sink it is one
question more to the broker. Only what moved is written: on, as a rule, and back where a row that
was there is gone. A site of which nothing is known at the moment keeps what was said of it,
unless one of its gateways lacks a row from before that.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

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
        self._said_at = Micros(0)

    @property
    def complete_to(self) -> Micros | None:
        """Up to when everything is in, of all sites; None where that was never known."""
        return None if self._to is None else self._to.get("")

    @property
    def sites(self) -> Mapping[str, Micros]:
        """Up to when everything is in, by site; empty where that was never known."""
        return {site: to for site, to in (self._to or {}).items() if site}

    def go_over(self) -> None:
        """Make one pass and say what has moved on; blocks.

        Raises:
            Unavailable: Something is away; the next pass goes on.
        """
        if self._to is None:
            self._to = self._recalled()
        found = by_site(self._ask, self._progress(), self._to)
        moved = {s: at for s, at in found.items() if at != self._to.get(s)}
        if moved:
            # The last word counts, also where the clock was set back since the one before.
            self._said_at = max(self._clock(), Micros(self._said_at + 1))
            self._say([(site, at, self._said_at) for site, at in sorted(moved.items())])
            for site in [site for site, at in moved.items() if at < self._to.get(site, at)]:
                log.warning("complete up to is taken back", extra={"site": site or "all"})
            # Another one, as whoever answers reads it meanwhile.
            self._to = self._to | moved

    def _recalled(self) -> dict[str, Micros]:
        """Return what was said before this start."""
        rows = self._ask("SELECT site_id, complete_to, said_at FROM v_watermark", {})
        for row in rows:
            self._said_at = max(self._said_at, time_of(f"{row['said_at']}Z", "the warehouse"))
        return {
            str(row["site_id"]): time_of(f"{row['complete_to']}Z", "the warehouse") for row in rows
        }
