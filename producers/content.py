"""When two statements say the same: the digest that tells a duplicate from a conflict."""

import hashlib
import json
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import cast

from custody.events import NOT_CONTENT
from producers.outcome import Record

CONTENT_BYTES = 16
"""Kept per event for ever, so half a SHA-256: a chance match among 1e9 events is below 1e-20."""

_SAYS_NOTHING = ("", (), "other")


def canonical(record: Record) -> bytes:
    """Return what a record says as canonical JSON.

    Left out: what the gateway adds, and every value that says nothing (null, empty, false,
    ``other``), so that a field added to the schema later changes no digest.
    """
    return _CANONICAL(_said(record)).encode()


def content_of(text: bytes) -> bytes:
    """Return the digest of canonical JSON."""
    return hashlib.sha256(text).digest()[:CONTENT_BYTES]


def _said(record: object) -> dict[str, object]:
    names, values = _fields(cast(Hashable, type(record)))
    return {
        name: value
        for name, value in zip(names, values(record), strict=True)
        if value is not None and value is not False and value not in _SAYS_NOTHING
    }


_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_said).encode


@cache
def _fields(cls: Hashable) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    assert isinstance(cls, type), cls
    assert is_dataclass(cls), cls
    names = tuple(sorted(f.name for f in fields(cls) if f.name not in NOT_CONTENT))
    values = attrgetter(*names)
    return names, (values if len(names) > 1 else lambda record: (values(record),))
