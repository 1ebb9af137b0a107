"""When two statements say the same: the digest that tells a duplicate from a conflict."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter

from producers.outcome import Record

CONTENT_BYTES = 16
"""Kept per event for ever, so half a SHA-256: a chance match among 1e9 events is below 1e-20."""

_NOT_CONTENT = frozenset(
    {
        "event_id",
        "gateway_id",
        "gateway_epoch",
        "gateway_seq",
        "recorded_at",
        # The same instant and the same side, whatever offset or place in a list it came with.
        "time_zone_offset_min",
        "part_no",
        "partition",
        # Measured anew at every sending.
        "clock_skew_ms",
    }
)


def canonical(record: Record) -> bytes:
    """Return what a record says as canonical JSON.

    Left out: what the gateway adds, and every value that says nothing (null, empty, false,
    ``other``), so that a field added to the schema later changes no digest.
    """
    names, values = _said(type(record))
    said = {
        name: value
        for name, value in zip(names, values(record), strict=True)
        if _says_something(value)
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=_item).encode()


def content_of(text: bytes) -> bytes:
    """Return the digest of canonical JSON."""
    return hashlib.sha256(text).digest()[:CONTENT_BYTES]


@cache
def _said(cls: type) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    names = tuple(sorted(f.name for f in fields(cls) if f.name not in _NOT_CONTENT))
    values = attrgetter(*names)
    return names, (values if len(names) > 1 else lambda record: (values(record),))


def _item(item: object) -> dict[str, object]:
    names, values = _said(type(item))
    pairs = zip(names, values(item), strict=True)
    return {name: value for name, value in pairs if _says_something(value)}


def _says_something(value: object) -> bool:
    return value is not None and value is not False and value not in ("", (), "other")
