"""From the bytes of a request's body to parsed JSON, within limits."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal

from starlette.requests import Request

from web.problem import Problem

_GZIP_WBITS = 31

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
        parsed: object = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "bad-json", f"the body is no JSON: {error}") from None
    return parsed


def _gunzip(body: bytes, bytes_max: int) -> bytes:
    inflate = zlib.decompressobj(_GZIP_WBITS)
    try:
        plain = inflate.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise Problem(400, "bad-gzip", f"the body is no gzip: {error}") from None
    if len(plain) > bytes_max:
        raise _too_large(bytes_max)
    if not inflate.eof:
        raise Problem(400, "bad-gzip", "the compressed body ends early")
    if inflate.unused_data:
        # Read on, it would be a body nobody sees; left out, events would be lost without a word.
        raise Problem(400, "bad-gzip", "something follows the compressed body")
    return plain


def _too_large(bytes_max: int) -> Problem:
    detail = f"at most {bytes_max} bytes; send smaller lists"
    return Problem(413, "too-large", detail, _CLOSE)


def _no_number(text: str) -> object:
    raise ValueError(text)
