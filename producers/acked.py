"""Which entries of an outbox Kafka has, in a byte for each.

Partitions are drained each from its own place, so one that stands still leaves what is
acknowledged of the others far above the lowest entry that waits: by a million and more in some
days. A set of numbers would take 60 MB for that million, this takes one.
"""

from collections.abc import Iterable

_TRIM_BYTES = 1 << 16
"""So much below the floor is let go at once: less would move the rest too often."""


class Acked:
    """Numbers that are acknowledged. For one thread.

    Args:
        floor: All numbers below are.
        acked: And these.
    """

    def __init__(self, floor: int, acked: Iterable[int] = ()) -> None:
        self._base = floor
        self._seen = bytearray()
        self.floor = floor
        """All numbers below are acknowledged."""
        self.add(acked)

    def add(self, numbers: Iterable[int]) -> int:
        """Note acknowledged numbers; return how many were not before."""
        fresh = 0
        for no in numbers:
            place = no - self._base
            if no < self.floor:
                continue
            if place >= len(self._seen):
                self._seen.extend(bytes(place + 1 - len(self._seen)))
            fresh += not self._seen[place]
            self._seen[place] = 1
        self._rise()
        return fresh

    def _rise(self) -> None:
        """Let the floor rise to the first number that is not acknowledged."""
        found = self._seen.find(0, self.floor - self._base)
        self.floor = self._base + (len(self._seen) if found < 0 else found)
        if self.floor - self._base >= _TRIM_BYTES:
            del self._seen[: self.floor - self._base]
            self._base = self.floor
