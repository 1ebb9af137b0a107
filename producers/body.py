"""From the bytes of a request's body to parsed JSON, within limits."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from producers import strict_json
from producers.weight import Room, TooHeavy, room_bytes, weighed
from web.problem import Problem

_GZIP_WBITS = 31
_PIECE_BYTES = 1 << 16

GZIP_MEMBERS_MAX = 1_000
"""As many as a list may have requests: nobody packs smaller."""

BYTES_PER_S_MIN = 500
"""A body may be as slow as this for as long as it takes: a sixteenth of a line of 64 kbit/s."""

TOGETHER = 2
"""What has come of all bodies, as sent, by the size of a largest one."""

RETRY_AFTER_S = 5
"""What a sender is asked to wait when there is no room."""

_CLOSE = {"Connection": "close"}
"""Where the rest of a body is not wanted: without it the server would read it to its end."""


class Bodies:
    """Reads requests' bodies, as many at once as there is memory for.

    Three things bound it: what has come of all bodies, as sent, is at most twice a largest body;
    each is weighed before anything of it is inflated or parsed; and those that are parsed hold
    their weight until they are answered, while the next wait.

    Args:
        bytes_max: Most bytes of a body, as sent and after decompression.
        timeout_s: How long it may take, and a second more for every ``BYTES_PER_S_MIN`` of it.
    """

    def __init__(self, bytes_max: int, timeout_s: float) -> None:
        self._bytes_max = bytes_max
        self._timeout_s = timeout_s
        self.room = Room(room_bytes(bytes_max))
        self._come_bytes = 0

    @asynccontextmanager
    async def parsed(self, request: Request) -> AsyncIterator[object]:
        """Hold a request's body, parsed, for the length of a block.

        Args:
            request: Whose body is not read yet.

        Raises:
            Problem: 413 too large, 415 another encoding, 400 broken compression or no JSON, 408 too
                slow, 503 too much at once.
        """
        encoding = request.headers.get("content-encoding", "").lower()
        if encoding not in {"", "identity", "gzip"}:
            raise Problem(415, "unknown-encoding", f"Content-Encoding {encoding}; gzip is known")
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said[:20]) > self._bytes_max:
            raise _too_large(self._bytes_max)
        parts: list[bytes] = []
        try:
            await self._come(request.stream(), parts)
            packed = encoding == "gzip"
            async with self.room.held(self._weight(parts, packed=packed)):
                plain = b"".join(_inflated(parts) if packed else parts)
                self._let_go(parts)
                yield parse(plain)
        finally:
            self._let_go(parts)

    def _let_go(self, parts: list[bytes]) -> None:
        self._come_bytes -= sum(map(len, parts))
        parts.clear()

    async def _come(self, chunks: AsyncIterator[bytes], parts: list[bytes]) -> None:
        """Add what comes to ``parts``."""
        size = 0
        began_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self._bytes_max:
                        raise _too_large(self._bytes_max)
                    if self._come_bytes + len(chunk) > TOGETHER * self._bytes_max:
                        raise _too_many()
                    parts.append(chunk)
                    self._come_bytes += len(chunk)
                    limit.reschedule(began_s + self._timeout_s + size / BYTES_PER_S_MIN)
        except TimeoutError:
            within = f"within {self._timeout_s:g} s, nor at {BYTES_PER_S_MIN} bytes/s"
            raise Problem(408, "body-too-slow", f"the body did not come {within}", _CLOSE) from None

    def _weight(self, parts: list[bytes], *, packed: bool) -> int:
        try:
            return weighed(_inflated(parts) if packed else parts, self._bytes_max)
        except TooHeavy:
            raise _too_large(self._bytes_max) from None


def parse(body: bytes) -> object:
    """Return parsed JSON, numbers with a point as Decimal.

    Raises:
        Problem: 400 where it is no JSON.
    """
    try:
        return strict_json.parsed(body)
    except strict_json.BadJson as error:
        raise Problem(400, "bad-json", f"{error.text}; nothing of it was taken") from None


def _inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what all members of a gzip file hold (RFC 1952, 2.2), a bounded piece at a time.

    Raises:
        Problem: 400, it is no gzip, damaged, ends early or has too many members.
    """
    inflate, members, begins, at = zlib.decompressobj(_GZIP_WBITS), 1, 0, 0
    for piece in _pieces(parts):
        rest = piece
        while rest:
            if inflate.eof:
                inflate, members, begins = zlib.decompressobj(_GZIP_WBITS), members + 1, at
            if members > GZIP_MEMBERS_MAX:
                detail = f"more than {GZIP_MEMBERS_MAX} members; send smaller lists"
                raise Problem(400, "bad-gzip", detail)
            yield _plain(inflate, rest, begins)
            left = len(inflate.unconsumed_tail) + len(inflate.unused_data)
            at += len(rest) - left
            rest = rest[len(rest) - left :]
    while not inflate.eof:
        # Of the last bytes there may be more than one piece.
        more = _plain(inflate, b"", begins)
        if not more:
            raise Problem(400, "bad-gzip", "the compressed body ends early; nothing was taken")
        yield more


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield parts in short pieces: what is left of one is copied each time."""
    for part in parts:
        for at in range(0, len(part), _PIECE_BYTES):
            yield part[at : at + _PIECE_BYTES]


def _plain(inflate: "zlib._Decompress", piece: bytes, begins: int) -> bytes:
    try:
        return inflate.decompress(piece, _PIECE_BYTES)
    except zlib.error:
        what = f"what follows byte {begins}" if begins else "the body"
        detail = f"{what} is no gzip, or damaged; nothing was taken"
        raise Problem(400, "bad-gzip", detail) from None


def _too_large(bytes_max: int) -> Problem:
    detail = f"at most {bytes_max} bytes, or less of many short values; send smaller lists"
    return Problem(413, "too-large", detail, _CLOSE)


def _too_many() -> Problem:
    headers = {**_CLOSE, "Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, "too-much-at-once", "other large bodies are coming; send it again", headers)
