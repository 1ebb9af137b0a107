"""From the bytes of a request's body to parsed JSON, within limits."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from producers import strict_json
from web.problem import Problem

_GZIP_WBITS = 31
_PIECE_BYTES = 1 << 16

GZIP_MEMBERS_MAX = 1_000
"""As many as a list may have requests: nobody packs smaller."""

BYTES_PER_S_MIN = 500
"""A body may be as slow as this for as long as it takes: a sixteenth of a line of 64 kbit/s."""

_CLOSE = {"Connection": "close"}
"""Where the rest of a body is not wanted: without it the server would read it to its end."""


async def read(request: Request, bytes_max: int, timeout_s: float) -> bytes:
    """Return a request's body, decompressed; never holds more than the limit.

    Args:
        request: Whose body is not read yet.
        bytes_max: Most bytes, as sent and after decompression.
        timeout_s: How long it may take, and a second more for every ``BYTES_PER_S_MIN`` of it.

    Raises:
        Problem: 413 too large, 415 another encoding, 400 broken compression, 408 too slow.
    """
    encoding = request.headers.get("content-encoding", "").lower()
    if encoding not in {"", "identity", "gzip"}:
        raise Problem(415, "unknown-encoding", f"Content-Encoding {encoding}; gzip is known")
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > bytes_max:
        raise _too_large(bytes_max)
    try:
        body = await _whole(request.stream(), bytes_max, timeout_s)
    except TimeoutError:
        detail = f"the body did not come within {timeout_s:g} s, nor at {BYTES_PER_S_MIN} bytes/s"
        raise Problem(408, "body-too-slow", detail, _CLOSE) from None
    return _gunzip(body, bytes_max) if encoding == "gzip" else body


async def _whole(chunks: AsyncIterator[bytes], bytes_max: int, timeout_s: float) -> bytes:
    parts, size = [], 0
    began_s = asyncio.get_running_loop().time()
    async with asyncio.timeout(timeout_s) as limit:
        async for chunk in chunks:
            size += len(chunk)
            if size > bytes_max:
                raise _too_large(bytes_max)
            parts.append(chunk)
            limit.reschedule(began_s + timeout_s + size / BYTES_PER_S_MIN)
    return b"".join(parts)


def parse(body: bytes) -> object:
    """Return parsed JSON, numbers with a point as Decimal.

    Raises:
        Problem: 400 where it is no JSON.
    """
    try:
        return strict_json.parsed(body)
    except strict_json.BadJson as error:
        raise Problem(400, "bad-json", f"{error.text}; nothing of it was taken") from None


def _gunzip(body: bytes, bytes_max: int) -> bytes:
    """Return what all members of a gzip file hold together (RFC 1952, 2.2)."""
    plain, rest, members = bytearray(), memoryview(body), 0
    while rest or not members:
        members += 1
        if members > GZIP_MEMBERS_MAX:
            raise Problem(
                400, "bad-gzip", f"more than {GZIP_MEMBERS_MAX} members; send smaller lists"
            )
        try:
            rest = _member(rest, plain, bytes_max)
        except zlib.error:
            at = len(body) - len(rest)
            what = f"what follows byte {at}" if at else "the body"
            raise Problem(
                400, "bad-gzip", f"{what} is no gzip, or damaged; nothing was taken"
            ) from None
    return bytes(plain)


def _member(rest: memoryview, plain: bytearray, bytes_max: int) -> memoryview:
    """Add what one member holds; return what follows it.

    In pieces, because what follows is copied at the end of each member: of a thousand small ones
    the whole body otherwise, each time.
    """
    inflate, used = zlib.decompressobj(_GZIP_WBITS), 0
    while not inflate.eof:
        piece = rest[used : used + _PIECE_BYTES]
        if not piece:
            raise Problem(400, "bad-gzip", "the compressed body ends early; nothing was taken")
        plain += inflate.decompress(piece, bytes_max + 1 - len(plain))
        if len(plain) > bytes_max:
            raise _too_large(bytes_max)
        used += len(piece) - len(inflate.unused_data)
    return rest[used:]


def _too_large(bytes_max: int) -> Problem:
    detail = f"at most {bytes_max} bytes; send smaller lists"
    return Problem(413, "too-large", detail, _CLOSE)
