"""Identity: event ids are the sender's, or follow from what the event is about. Never random.

The recipe, for whoever wants the same id elsewhere: take the JSON array
``["custody/1", stem, part, part, ...]`` without blanks, non-ASCII characters as they are, text in
Unicode normal form C, absent parts ``null``, times as integer microseconds UTC, in UTF-8; take the
first 16 bytes of its SHA-256; set the version bits to 8 and the variant bits to RFC 9562's; write
it as lower-case UUID text. The parts per stem are the natural keys, in the order of the functions
in ``producers/gateway.py``.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence

SCHEME = "custody/1"
"""First element of the hashed array. Another recipe would get another name."""

DERIVED_VERSION = 8
"""Version of every derived id (RFC 9562: what an application makes by a rule of its own)."""

BETWEEN = "\x1f"
"""Between the parts of a key: the unit separator of ASCII, which nobody types and no id has."""

_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def derived_id(stem: str, parts: Sequence[str | int | None]) -> str:
    """Return the id of an event by its natural key: the same key gives the same id for ever.

    Args:
        stem: Stem of the event type.
        parts: Natural key in its fixed order; absent parts are None, never left out.
    """
    canonical = _CANONICAL([SCHEME, stem, *[_normal(part) for part in parts]])
    raw = bytearray(hashlib.sha256(canonical.encode()).digest()[:16])
    raw[6] = raw[6] & 0x0F | DERIVED_VERSION << 4
    raw[8] = raw[8] & 0x3F | 0x80
    return uuid_text(bytes(raw))


def mark_of(text: str) -> int:
    """Return 56 bits that stand for a text, where a row need only tell whether it is another."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())


def parse_event_id(text: str) -> str | None:
    """Return a UUID of any version in canonical form, or None where the text is none."""
    return text.lower() if _UUID.fullmatch(text) else None


def version_of(event_id: str) -> int:
    """Return the version of canonical UUID text, 0 to 15."""
    return int(event_id[14], 16)


def uuid_bytes(text: str) -> bytes:
    """Return the 16 bytes of canonical UUID text."""
    return bytes.fromhex(text.replace("-", ""))


def uuid_text(raw: bytes) -> str:
    """Return canonical UUID text of 16 bytes."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _normal(part: str | int | None) -> str | int | None:
    if isinstance(part, str) and not part.isascii():
        return unicodedata.normalize("NFC", part)
    return part


def series_name(site: str, device: str, *, dry: bool) -> str:
    """Return the name of a series of shots: site, device and basis."""
    return BETWEEN.join((site, device, "d" if dry else "w"))


def series_site(series: str) -> str:
    """Return the site of a series of shots."""
    return series.partition(BETWEEN)[0]
