"""The breaker: too many unreadable records mean a bad deploy, not bad plants.

Without a limit a wrong schema on our side would move a whole topic into the dead letters.
"""

from collections import deque

from custody.errors import Corrupt

WINDOW_RECORDS = 10_000
SHARE_MAX = 0.01
BAD_MIN = 100
RUN_MAX = 100
SENDERS_MIN = 2


class TooManyDeadLetters(Corrupt):
    """The breaker's verdict."""

    def __init__(self, bad: int, of: int, reason: str, where: str) -> None:
        super().__init__(
            f"{bad} of the last {of} records of {where} could not be read, last as {reason}",
            expected=f"at most {SHARE_MAX:.0%} of {WINDOW_RECORDS:,} and no run of {RUN_MAX}",
            next_step="custody dead-letters list; docs/runbooks/DeadLetters.md",
        )


class Breaker:
    """Counts readable and unreadable records of one source, in order.

    Args:
        where: Topic and partition, for the message.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._window: deque[tuple[int, int]] = deque()
        self._records = 0
        self._bad = 0
        self._run = 0
        self._run_senders: set[str] = set()

    def good(self, records: int) -> None:
        """Count readable records; any of them ends a run."""
        if records:
            self._run = 0
            self._run_senders.clear()
            self._count(records, 0)

    def bad(self, sender: str, reason: str) -> None:
        """Count an unreadable record.

        Args:
            sender: Who seems to have sent it: its key, as what cannot be read names no gateway.
            reason: Why it is unreadable.

        Raises:
            TooManyDeadLetters: The limit is passed.
        """
        self._run += 1
        self._run_senders.add(sender)
        self._count(1, 1)
        many = self._bad >= BAD_MIN and self._bad > SHARE_MAX * self._records
        run = self._run >= RUN_MAX and len(self._run_senders) >= SENDERS_MIN
        if run or many:
            raise TooManyDeadLetters(self._bad, self._records, reason, self._where)

    def _count(self, records: int, bad: int) -> None:
        self._window.append((records, bad))
        self._records += records
        self._bad += bad
        while self._window and self._records - self._window[0][0] >= WINDOW_RECORDS:
            old, old_bad = self._window.popleft()
            self._records -= old
            self._bad -= old_bad
