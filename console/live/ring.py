"""The last events, once for all who watch: who is too slow loses his place, never our memory."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from console.live.places import Place, Places, text_of


@dataclass(frozen=True, slots=True)
class Told:
    """One event.

    Attributes:
        place: Partition of its record.
        offset: Offset of its record.
        body: The event without its id, as it is sent.
    """

    place: Place
    offset: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and the number it has in the ring.

    Attributes:
        place: Partition of its record.
        offset: Offset of its record.
        frame: As it is sent to whoever has seen all before it, its id included.
    """

    place: Place
    offset: int
    frame: bytes

    @property
    def told(self) -> Told:
        """The event, for whoever gets another id with it; kept once, in the frame."""
        return Told(self.place, self.offset, self.frame[self.frame.index(b"\n") + 1 : -1])


@dataclass(frozen=True, slots=True)
class Standing:
    """The ring at one moment.

    Attributes:
        entries: What is in it, the oldest first.
        next_no: Number that the next entry will have.
        start: From where on it holds all of each partition.
        end: Up to where.
    """

    entries: tuple[Entry, ...]
    next_no: int
    start: Places
    end: Places


def framed(told: Told, event_id: str) -> bytes:
    """Return an event as it is sent."""
    return b"id: %b\n%b\n" % (event_id.encode(), told.body)


class Ring:
    """The last events. Threads may share it.

    Args:
        start: Places where reading begins.
        entries_max: Most entries.
        bytes_max: Most bytes of them.
    """

    def __init__(self, start: Places, entries_max: int, bytes_max: int) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._next_no = 0
        self._start = dict(start)
        self._end = dict(start)

    def add(self, told: Iterable[Told], read: Places) -> None:
        """Take events, and how far has been read: not every record is an event.

        Args:
            told: In the order in which they are told.
            read: The next offset of the partitions that were read.
        """
        with self._lock:
            for one in told:
                self._end[one.place] = one.offset + 1
                frame = framed(one, text_of(self._end))
                self._entries.append(Entry(one.place, one.offset, frame))
                self._bytes += len(frame)
                self._next_no += 1
            self._end.update(read)
            while len(self._entries) > self._entries_max or self._bytes > self._bytes_max:
                gone = self._entries.popleft()
                self._bytes -= len(gone.frame)
                self._start[gone.place] = gone.offset + 1

    def after(self, no: int, most: int) -> list[Entry] | None:
        """Return entries from a number on, at most so many; None where some of them are gone."""
        with self._lock:
            first = self._next_no - len(self._entries)
            if no < first:
                return None
            count = min(most, self._next_no - no)
            return [self._entries[no - first + i] for i in range(count)]

    def standing(self) -> Standing:
        """Return all of it as it is."""
        with self._lock:
            return Standing(tuple(self._entries), self._next_no, dict(self._start), dict(self._end))
