"""From the bytes of a request's body to parsed JSON, within limits."""

import json
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal

from web.problem import Problem

_GZIP_WBITS = 31


async def read(chunks: AsyncIterator[bytes], encoding: str, bytes_max: int) -> bytes:
    """Return a body, decompressed; never holds more than the limit.

    Args:
        chunks: The body as it arrives.
        encoding: ``Content-Encoding``: empty, ``identity`` or ``gzip``.
        bytes_max: Most bytes, as sent and after decompression.

    Raises:
        Problem: 413 too large, 415 another encoding, 400 broken compression.
    """
    if encoding not in {"", "identity", "gzip"}:
        raise Problem(415, "unknown-encoding", f"Content-Encoding {encoding}; gzip is known")
    parts, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        parts.append(chunk)
    body = b"".join(parts)
    return _gunzip(body, bytes_max) if encoding == "gzip" else body


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
    return plain


def _too_large(bytes_max: int) -> Problem:
    return Problem(413, "too-large", f"at most {bytes_max} bytes; send smaller lists")


def _no_number(text: str) -> object:
    raise ValueError(text)
