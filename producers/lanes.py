"""What is sent next: the partitions in turn, each in order and from its own place.

A *lane* is one partition of one topic. Every lane with something to send gets an equal share of
what may be on its way; a lane whose share is used up waits for its answers while the others go on.
So neither a million records of one partition nor a partition without a leader keeps the others.

A head speaks of all that stands before it in the outbox: it goes only when all of that is
answered. Memory only: what is on disk is read by a function that is handed in.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from producers.chain import Entry
from producers.window import Window

Place = tuple[str, int]
"""Topic and partition."""

Read = Callable[[Place, int, int, int], list[Entry]]
"""Reads what waits of a place: behind a number, up to a number, at most so many."""

TURN_ENTRIES = 64
"""Most entries that a lane sends before the next has its turn."""

READ_ENTRIES = 1_024
"""Most entries in memory that are read and not sent, over all lanes."""

READ_ENTRIES_LEAST = 16

RECORD_EXTRA_BYTES = 120
"""Digests, names of headers and lengths around a record's body and key."""

_NONE = float("inf")


@dataclass(slots=True)
class _Lane:
    place: Place
    newest: int = 0
    """Highest number known to be on disk."""
    after: int = 0
    """Highest number read."""
    read: deque[Entry] = field(default_factory=deque)
    """Read, not sent."""
    sent: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Sent, not answered: size in bytes and time, in order of numbers."""
    sent_bytes: int = 0

    @property
    def waits(self) -> bool:
        return bool(self.read) or self.after < self.newest

    def lowest(self) -> float:
        """A number below which everything of the lane is answered."""
        if self.sent:
            return next(iter(self.sent))
        if self.read:
            return self.read[0].no
        return self.after + 1 if self.after < self.newest else _NONE


class Lanes:
    """The turns of one session. For one thread.

    Args:
        read: Reads what waits.
        window: How much may be on its way.
        records_max: Most records on their way.
        heads: Topic of the heads.
    """

    def __init__(self, read: Read, window: Window, records_max: int, heads: str) -> None:
        self._read = read
        self._window = window
        self._records_max = records_max
        self._heads = heads
        self._lanes: dict[Place, _Lane] = {}
        self._turn = 0
        self._answered_bytes = 0
        self._oldest_s = _NONE
        self.records = 0
        """Sent and not answered."""
        self.bytes = 0
        """The same in bytes."""

    @property
    def waits(self) -> bool:
        """Whether anything is known that is not sent yet."""
        return any(lane.waits for lane in self._lanes.values())

    def know(self, newest: Mapping[Place, int]) -> None:
        """Take note of what is on disk: of each place the highest number."""
        for place, no in newest.items():
            lane = self._lanes.get(place)
            if lane is None:
                lane = self._lanes[place] = _Lane(place)
            lane.newest = max(lane.newest, no)

    def next(self, now_s: float) -> list[Entry]:
        """Return what is to be sent now, in this order: a turn of every lane; empty for nothing.

        What is returned counts as sent.
        """
        active = [lane for lane in self._lanes.values() if lane.waits or lane.sent]
        if not active:
            return []
        share = self._window.limit_bytes // len(active), self._records_max // len(active)
        rows = max(READ_ENTRIES_LEAST, READ_ENTRIES // len(active))
        # Each turn begins with another: the first of a turn is not always the same.
        self._turn += 1
        first = self._turn % len(active)
        chosen: list[Entry] = []
        for lane in active[first:] + active[:first]:
            if lane.place[0] == self._heads:
                chosen += self._heads_due(lane, share, rows, now_s)
            else:
                chosen += self._take(lane, share, rows, now_s)
        return chosen

    def answered(self, entry: Entry) -> None:
        """Take note that an entry is answered; see ``settle``."""
        lane = self._lanes[entry.topic, entry.partition]
        size, sent_s = lane.sent.pop(entry.no)
        lane.sent_bytes -= size
        self.records -= 1
        self.bytes -= size
        self._answered_bytes += size
        self._oldest_s = min(self._oldest_s, sent_s)

    def settle(self, now_s: float) -> float | None:
        """Learn from what was answered since the last call; return how long the slowest took."""
        if not self._answered_bytes:
            return None
        delay_s = now_s - self._oldest_s
        size, self._answered_bytes, self._oldest_s = self._answered_bytes, 0, _NONE
        self._window.answered(size, self.bytes + size, delay_s, now_s)
        return delay_s

    def _take(self, lane: _Lane, share: tuple[int, int], rows: int, now_s: float) -> list[Entry]:
        """Move what a lane may send now from read to sent."""
        taken: list[Entry] = []
        while len(taken) < TURN_ENTRIES and self._may_send(lane, share) and self._look(lane, rows):
            taken.append(self._send(lane, now_s))
        return taken

    def _heads_due(
        self, lane: _Lane, share: tuple[int, int], rows: int, now_s: float
    ) -> list[Entry]:
        """The same of heads: those before which everything is answered."""
        taken: list[Entry] = []
        lowest = min(
            (one.lowest() for one in self._lanes.values() if one.place[0] != self._heads),
            default=_NONE,
        )
        while self._may_send(lane, share) and self._look(lane, rows) and lane.read[0].no < lowest:
            taken.append(self._send(lane, now_s))
        return taken

    def _may_send(self, lane: _Lane, share: tuple[int, int]) -> bool:
        # However small its share, a lane may always have one record on its way.
        return not lane.sent or (lane.sent_bytes < share[0] and len(lane.sent) < share[1])

    def _look(self, lane: _Lane, rows: int) -> bool:
        """Read on where nothing that was read is left; tell whether there is anything."""
        if not lane.read and lane.after < lane.newest:
            # Not beyond what is known: of what came later, not all lanes know their part yet.
            lane.read.extend(self._read(lane.place, lane.after, lane.newest, rows))
            lane.after = lane.read[-1].no if lane.read else lane.newest
        return bool(lane.read)

    def _send(self, lane: _Lane, now_s: float) -> Entry:
        entry = lane.read.popleft()
        size = len(entry.body) + len(entry.key) + RECORD_EXTRA_BYTES
        lane.sent[entry.no] = size, now_s
        lane.sent_bytes += size
        self.records += 1
        self.bytes += size
        return entry
