"""Keeps archives that unpack to more than a spreadsheet can be from whoever opens them.

The directory of an archive is checked first, which costs nothing; then every member is unpacked
once without being kept, because a directory may lie.
"""

import struct
import zipfile
import zlib
from io import BytesIO

from producers.mapping.bounds import (
    MEMBERS_MAX,
    RATIO_FROM_BYTES,
    UNPACKED_BYTES_MAX,
    UNPACKED_RATIO_MAX,
)
from producers.mapping.faults import BadTable

MAGIC = b"PK\x03\x04"

_PIECE = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_RAW_DEFLATE = -15
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    OverflowError,
    NotImplementedError,
)


def check(data: bytes) -> None:
    """Refuse an archive that is too much to unpack.

    Raises:
        BadTable: Beyond a bound, or no archive.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
    except _BROKEN as error:
        raise _broken(error) from None
    if len(members) > MEMBERS_MAX:
        raise _too_many(len(members))
    _check_size(sum(m.file_size for m in members), len(data))
    unpacked = 0
    try:
        for member in members:
            unpacked += _unpacked(data, member, UNPACKED_BYTES_MAX - unpacked)
            _check_size(unpacked, len(data))
    except _BROKEN as error:
        raise _broken(error) from None


def _check_size(unpacked: int, packed: int) -> None:
    too_dense = unpacked > RATIO_FROM_BYTES and unpacked > packed * UNPACKED_RATIO_MAX
    if unpacked > UNPACKED_BYTES_MAX or too_dense:
        raise _too_large(packed, unpacked)


def _unpacked(data: bytes, member: zipfile.ZipInfo, most: int) -> int:
    """Return how many bytes a member really has, counted up to one more than ``most``."""
    at = member.header_offset
    header = _LOCAL_HEADER.unpack_from(data, at)
    if header[0] != MAGIC:
        raise zipfile.BadZipFile(member.filename)
    start = at + _LOCAL_HEADER.size + header[9] + header[10]
    packed = data[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        return len(packed)
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise NotImplementedError(member.filename)
    return _inflated(packed, most)


def _inflated(packed: bytes, most: int) -> int:
    inflate = zlib.decompressobj(_RAW_DEFLATE)
    count, rest = 0, packed
    while rest and not inflate.eof and count <= most:
        count += len(inflate.decompress(rest, _PIECE))
        rest = inflate.unconsumed_tail
    return count


def _broken(error: Exception) -> BadTable:
    return BadTable(
        f"a broken archive: {str(error)[:80]}",
        next_step="open it in a spreadsheet program and save it anew",
    )


def _too_many(members: int) -> BadTable:
    return BadTable(f"an archive of {members} members, at most {MEMBERS_MAX}")


def _too_large(packed: int, unpacked: int) -> BadTable:
    return BadTable(
        f"an archive of {packed} bytes that unpacks to {unpacked} or more",
        expected=f"at most {UNPACKED_BYTES_MAX} bytes and {UNPACKED_RATIO_MAX} times its size",
        next_step="save the sheet as CSV, or in parts",
    )
