"""The core over records in memory: what workers do with them, without Kafka.

Round after round in the order of recording, and whatever owners hand each other before the next.
The clock is the time of the records. Two runs say the same to the byte, and so do one process and
several: what is said depends on the pace and on how many partitions there are, on nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from custody.events import Micros
from custody.fold import Fold, Handed, Input, Output
from custody.held import BEGINNING
from custody.ticking import SILENT_US
from runtime.backtest.partition import Partition
from runtime.backtest.rounds import ONE_BY_ONE, Pace, Round, rounds_of
from runtime.backtest.rows import Rows

TICK_US = 10_000_000
"""How often a worker writes a tick."""

LAST_TICKS = 3
"""Ticks after the last record: a doubt is told by the second tick from the next one on."""

Letters = dict[int, list[Handed]]
"""What is to be told, by the partition that is to hear it."""


class News(NamedTuple):
    """What partitions say to each other between two steps.

    Attributes:
        letters: What each is to be told, in the order of the senders.
        moves: Something is to be told, here or elsewhere.
        due: The first time that something waits for the clock, here or elsewhere.
    """

    letters: Letters
    moves: bool
    due: Micros | None


class Line(Protocol):
    """A line to the partitions that are told elsewhere."""

    def exchange(self, mine: News) -> News:
        """Return what those here are to be told, and what holds of all; blocks."""
        ...


class Alone:
    """A line to nobody: all partitions are here."""

    def exchange(self, mine: News) -> News:
        """Return it as it is."""
        return mine


class Replay:
    """Tells a fold records and hands on what its owners tell each other.

    Args:
        fold: The core.
        pace: How much is told together.
        partitions: How many there are.
        here: Those that are told here; without them all.
        line: To the others.
    """

    def __init__(
        self,
        fold: Fold,
        pace: Pace = ONE_BY_ONE,
        partitions: int = 1,
        here: Sequence[int] | None = None,
        line: Line | None = None,
    ) -> None:
        self._pace = pace
        self._count = partitions
        self._ticks = "tick" in fold.row_types
        self._line = Alone() if line is None else line
        self._tick_us = max(pace.round_us, TICK_US)
        self._now = BEGINNING
        self._due: Micros | None = None
        self._here = {
            index: Partition(fold, index, partitions, pace)
            for index in (range(partitions) if here is None else here)
        }

    @property
    def rows(self) -> Rows:
        """Rows of the first partition, as the records told so far have left them."""
        return next(iter(self._here.values())).rows

    def run(self, records: Iterable[Input]) -> Iterator[list[Output]]:
        """Yield what is said with each round, in order.

        Args:
            records: Facts, reference records and actions, in the order they were recorded.

        Yields:
            What each round led to, with what the clock said before it; and what it says after the
            last one.
        """
        yield from self.told(rounds_of(records, self._pace, self._count))

    def told(self, rounds: Iterable[Round]) -> Iterator[list[Output]]:
        """Yield what is said with each of some rounds, as ``run`` does; blocks on the line."""
        for one in rounds:
            self._until(one.begin, self._tick_us)
            self._now = max(self._now, one.end)
            for partition in self._here.values():
                partition.release(one.begin if one.facts else None)
                partition.tell(one.shares.get(partition.index, ()), one.begin)
            self._settle(one.begin)
            yield self._said()
        for partition in self._here.values():
            partition.release()
        self._settle(self._now)
        # What was doubted at the last records has its time; no deadline ends in it.
        self._until(Micros(self._now + LAST_TICKS * TICK_US), TICK_US)
        yield self._said()

    def _until(self, now: Micros, tick_us: int) -> None:
        """Let the clock tick as far as anything waits for it."""
        while self._ticks and self._due is not None:
            # Whoever waits for the next ticks, or for a time that is over, gets the next one.
            at = max(-(-(self._due + SILENT_US) // tick_us), self._now // tick_us + 1) * tick_us
            if at > now:
                break
            self._now = Micros(at)
            for partition in self._here.values():
                partition.tick(self._now)
            self._settle(self._now)

    def _settle(self, begin: Micros) -> None:
        """Deliver what owners tell each other until none is left."""
        while True:
            news = self._line.exchange(self._news())
            if not news.moves:
                self._due = news.due
                return
            for index, letters in news.letters.items():
                self._here[index].tell(letters, begin)

    def _news(self) -> News:
        letters: Letters = {}
        for partition in self._here.values():
            for receiver, some in partition.letters().items():
                letters.setdefault(receiver, []).extend(some)
        dues = [partition.rows.first_due() for partition in self._here.values()]
        due = min((one for one in dues if one is not None), default=None)
        return News(letters, bool(letters), due)

    def _said(self) -> list[Output]:
        return [one for partition in self._here.values() for one in partition.said()]
