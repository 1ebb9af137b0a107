"""When to ask Kafka again: records gather, unless something handed on is awaited.

Chunks of two or three records cost as much as chunks of a hundred, so without a backlog fetches
keep a distance. What one owner hands on is the next owner's work and would lie that long at every
hop; it is fetched at once. While chunks wait for a turn nothing is fetched at all: the more there
is to do, the larger the chunks and the less a record costs.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

BACKLOG_RECORDS = 200
"""A fetch of so many records means a backlog: the next follows at once."""
HURRY_S = 0.005
"""Shortest time between two fetches while something handed on is awaited."""

BEHIND_S = 1.0
"""After this time it is looked anew whether chunks still wait; their end is told at once."""


class Pace:
    """Distance between two fetches.

    Args:
        poll_s: Shortest time between two fetches without a backlog.
        now: Monotonic clock, seconds.
    """

    def __init__(self, poll_s: float, now: Callable[[], float]) -> None:
        self._poll_s = poll_s
        self._now = now
        self._fetched_at = 0.0
        self._backlog = False
        self._waiting = 0
        self._changed = asyncio.Event()
        self._hurry_until = 0.0

    async def wait(self) -> None:
        """Return when the next fetch is due."""
        while (early_s := self.early_s()) > 0:
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), early_s)

    def early_s(self) -> float:
        """Return in how many seconds the next fetch is due."""
        if self._waiting:
            return BEHIND_S
        if self._backlog:
            return 0.0
        now = self._now()
        pause_s = HURRY_S if now < self._hurry_until else self._poll_s
        return self._fetched_at + min(pause_s, self._poll_s) - now

    def hurry(self) -> None:
        """Fetch without waiting for more: what was just handed on is the next owner's work.

        Ends with the first record of the flow topic, or after a poll's time, for the next owner
        may be another worker's.
        """
        self._hurry_until = self._now() + self._poll_s
        self._changed.set()

    def behind(self, chunks: int) -> None:
        """Say how many chunks wait for a turn: what is fetched now would only queue behind them."""
        if self._waiting and not chunks:
            self._changed.set()
        self._waiting = chunks

    def fetched(self, records: int, *, of_flow: bool) -> None:
        """Note a fetch.

        Args:
            records: How many records it brought.
            of_flow: Whether what was handed on was among them.
        """
        self._fetched_at = self._now()
        self._backlog = records >= BACKLOG_RECORDS
        if of_flow:
            self._hurry_until = 0.0
