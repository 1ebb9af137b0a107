"""What a body takes in memory once it is inflated and parsed, reckoned before either is done.

A few kilobytes of gzip inflate to a thousand times as many, and a byte of JSON makes up to fifty of
objects. So a body is weighed piece by piece, nothing of it kept, and refused or made to wait by its
weight.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

VALUE_BYTES = 360
"""Of objects to a value, at most: a name that no other object has with a decimal as its value. Its
text, its pair, its places in a table that has just grown, and the number."""

ASCII_WIDTH = 1
WIDE_WIDTH = 6
"""Bytes to a character in memory, of a text with a single character beyond the first plane: four,
and what a heap keeps of such large pieces once they are let go."""

SIGNS = (b",", b"[", b"{")
"""What each begins a value, or may."""

PER_BODY = 4
"""A body of the largest size may weigh so many times its bytes, and all that are held together."""

ROOM_BYTES_MIN = 1 << 22
"""However small a largest body is: some ten thousand values."""


class TooHeavy(Exception):
    """A body takes more bytes or more memory than one may."""


class Weight:
    """Adds up what the pieces of a body will take.

    Args:
        bytes_max: Most bytes, inflated.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.size = 0
        """Bytes so far."""
        self._values = 1
        self._width = ASCII_WIDTH

    @property
    def total(self) -> int:
        """What it takes, bytes: as bytes, as text, as texts of its values, and as objects."""
        return self.size * (1 + 2 * self._width) + self._values * VALUE_BYTES

    def add(self, piece: bytes) -> None:
        """Count a piece.

        Raises:
            TooHeavy: It is too large, or what it makes would be.
        """
        self.size += len(piece)
        # Signs within texts count as well: what is reckoned is a bound.
        self._values += sum(map(piece.count, SIGNS))
        if self._width == ASCII_WIDTH and not piece.isascii():
            self._width = WIDE_WIDTH
        if self.size > self._bytes_max or self.total > room_bytes(self._bytes_max):
            raise TooHeavy


def room_bytes(bytes_max: int) -> int:
    """Return how much memory bodies may take together, by the size that one may have."""
    return max(ROOM_BYTES_MIN, PER_BODY * bytes_max)


def weighed(pieces: Iterable[bytes], bytes_max: int) -> int:
    """Return what a body takes that comes in pieces; none of them is kept.

    Raises:
        TooHeavy: It is too large, or what it makes would be.
    """
    weight = Weight(bytes_max)
    for piece in pieces:
        weight.add(piece)
    return weight.total


class Room:
    """Lets bodies in as long as they have room together; the others wait in their order.

    Args:
        bytes_max: Of all that are in.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.held_bytes = 0
        """Of all that are in now."""
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def held(self, weight: int) -> AsyncIterator[None]:
        """Hold a body's weight for the length of a block; waits for its turn.

        Args:
            weight: Of the body, at most ``bytes_max``.
        """
        await self._enter(weight)
        try:
            yield
        finally:
            self.held_bytes -= weight
            self._let_in()

    async def _enter(self, weight: int) -> None:
        if not self._waiting and self.held_bytes + weight <= self.bytes_max:
            self.held_bytes += weight
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((weight, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.held_bytes -= weight
            self._let_in()
            raise

    def _let_in(self) -> None:
        while self._waiting:
            weight, turn = self._waiting[0]
            if not turn.cancelled() and self.held_bytes + weight > self.bytes_max:
                return
            self._waiting.popleft()
            if not turn.cancelled():
                self.held_bytes += weight
                turn.set_result(None)
