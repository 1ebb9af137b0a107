"""The breaker: too many unreadable records mean a bad release, not bad plants.

Without a limit a wrong schema of ours would drain a topic into the dead letters. One sender whose
records are all bad does not stop the others: it is quarantined by name, which is to say its bad
records go on to the dead letters, are shown, and count no longer.
"""

from collections import Counter, deque

from custody.errors import Corrupt
from sinks.config import SinkConfig
from sinks.slice import Place

_RUN_SENDERS_MIN = 2


class TooManyDeadLetters(Corrupt):
    """The breaker's verdict."""

    def __init__(self, place: Place, bad: int, records: int, reason: str) -> None:
        super().__init__(
            f"{bad} of the last {records} records of {place.topic}/{place.partition}"
            f" cannot be read, the last one: {reason}",
            expected="a few bad records, or all of them from one gateway",
            next_step="custody dead-letters list; see that this release knows the writer's schemas",
        )


class Breaker:
    """Counts readable and unreadable records of one partition, in order."""

    def __init__(self, place: Place, config: SinkConfig) -> None:
        self._place = place
        self._config = config
        self._window: deque[tuple[int, str | None]] = deque()
        self._records = 0
        self._bad = Counter[str]()
        self._run: deque[str] = deque(maxlen=config.dead_letter_run_max)
        self.quarantined: set[str] = set()

    def good(self, records: int) -> None:
        """Count readable records; any of them ends a run."""
        if records:
            self._run.clear()
            self._count(records, None)

    def bad(self, sender: str, reason: str) -> None:
        """Count an unreadable record.

        Args:
            sender: Who seems to have sent it.
            reason: Why it cannot be read.

        Raises:
            TooManyDeadLetters: A limit is passed; the batch is not to be committed.
        """
        if sender in self.quarantined:
            return
        self._run.append(sender)
        self._count(1, sender)
        if self._too_long_a_run() or self._too_large_a_share():
            if len(self._bad) >= _RUN_SENDERS_MIN:
                raise TooManyDeadLetters(self._place, self._bad.total(), self._records, reason)
            self.quarantined.add(sender)

    def _too_long_a_run(self) -> bool:
        return len(self._run) == self._run.maxlen and len(set(self._run)) >= _RUN_SENDERS_MIN

    def _too_large_a_share(self) -> bool:
        total = self._bad.total()
        return (
            self._records == self._config.dead_letter_window
            and total >= self._config.dead_letter_count_min
            and total > self._config.dead_letter_share_max * self._records
        )

    def _count(self, records: int, sender: str | None) -> None:
        self._window.append((records, sender))
        self._records += records
        if sender is not None:
            self._bad[sender] += records
        while self._records > self._config.dead_letter_window:
            self._forget(self._records - self._config.dead_letter_window)

    def _forget(self, records: int) -> None:
        oldest, sender = self._window.popleft()
        gone = min(records, oldest)
        if gone < oldest:
            self._window.appendleft((oldest - gone, sender))
        self._records -= gone
        if sender is not None:
            self._bad[sender] -= gone
            self._bad += Counter()  # drops senders that have none left
