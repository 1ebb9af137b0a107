"""The breaker: too many unreadable records mean a bad release, not bad plants.

Worker and sink use the same one, so that they stop over the same records.

Without a limit a wrong schema of ours would drain a topic into the dead letters. One sender whose
records are all bad does not stop the others: it is quarantined by name, which is to say its bad
records go on to the dead letters, are shown, and count no longer.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from custody.errors import Corrupt
from schemas import headers
from schemas.reader import Bad

_RUN_SENDERS_MIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is too many.

    Attributes:
        window_records: Records the share is taken over.
        share_max: Beyond this share of the window ...
        count_min: ... and at least this many: stop.
        run_max: As many unreadable records in a row, from two or more gateways: stop.
    """

    window_records: int = 10_000
    share_max: float = 0.01
    count_min: int = 100
    run_max: int = 100


class TooManyDeadLetters(Corrupt):
    """The breaker's verdict."""

    def __init__(self, where: str, bad: int, records: int, reason: str) -> None:
        super().__init__(
            f"{bad} of the last {records} records of {where} cannot be read,"
            f" the last one: {reason}",
            expected="a few bad records, or all of them from one gateway",
            next_step="custody dead-letters list; docs/runbooks/DeadLetters.md",
        )


def sender(named: Mapping[str, bytes | None]) -> str:
    """Return who sent a record, by its headers; all that name no gateway count as one."""
    return (named.get(headers.GATEWAY) or b"").decode(errors="replace")


class Breaker:
    """Counts readable and unreadable records of one partition, in order.

    Args:
        where: Topic and partition, for the message.
        limits: What is too many.
    """

    def __init__(self, where: str, limits: Limits) -> None:
        self._where = where
        self._limits = limits
        self._window: deque[tuple[int, str | None]] = deque()
        self._records = 0
        self._bad = Counter[str]()
        self._run: deque[str] = deque(maxlen=limits.run_max)
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
                raise TooManyDeadLetters(self._where, self._bad.total(), self._records, reason)
            self.quarantined.add(sender)

    def _too_long_a_run(self) -> bool:
        return len(self._run) == self._run.maxlen and len(set(self._run)) >= _RUN_SENDERS_MIN

    def _too_large_a_share(self) -> bool:
        total = self._bad.total()
        return (
            self._records == self._limits.window_records
            and total >= self._limits.count_min
            and total > self._limits.share_max * self._records
        )

    def _count(self, records: int, sender: str | None) -> None:
        self._window.append((records, sender))
        self._records += records
        if sender is not None:
            self._bad[sender] += records
        while self._records > self._limits.window_records:
            self._forget(self._records - self._limits.window_records)

    def _forget(self, records: int) -> None:
        oldest, sender = self._window.popleft()
        gone = min(records, oldest)
        if gone < oldest:
            self._window.appendleft((oldest - gone, sender))
        self._records -= gone
        if sender is not None:
            self._bad[sender] -= gone
            self._bad += Counter()  # drops senders that have none left


def feed(
    breaker: Breaker, records: int, bad: Sequence[Bad], sender_of: Callable[[int], str]
) -> None:
    """Show the breaker all records of a batch in order.

    Args:
        breaker: Of their partition.
        records: How many there are.
        bad: The unreadable ones, by position.
        sender_of: Who sent the record at a position.

    Raises:
        TooManyDeadLetters: A limit is passed; nothing of the batch is to be committed.
    """
    at = 0
    for one in bad:
        breaker.good(one.index - at)
        breaker.bad(sender_of(one.index), one.reason)
        at = one.index + 1
    breaker.good(records - at)
