"""Records that cannot be read, one of each kind, beside good ones as they would be written.

What each of them did to a reader that was not exact stands in its name: a message with a second
record hid the one behind it, a length beyond 32 bits wrapped, a claim of a million items took
seconds. The bytes are made from good records, each by the one change that spoils it.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from custody.events import Micros
from schemas import topics
from schemas.codec import FRAME_BYTES
from schemas.partition import partition_of
from tests.support.facts import Maker
from tests.support.sinks import PARTITIONS, framed, sighting, weighing
from tests.support.streams import reference

LOT = "L-1"
KEY = LOT.encode()
_FACT = weighing(LOT, 1)
_UNKNOWN_ID = b"\x00\x00\x0f\x42\x40"


class Poison(NamedTuple):
    """A record nobody can read.

    Attributes:
        name: What is wrong with it.
        reason: What the reader calls it.
        value: Its bytes.
        topic: Where it stands.
        key: Its key.
        partition: Where it stands.
    """

    name: str
    reason: str
    value: bytes | None
    topic: str = topics.FACT
    key: bytes | None = KEY
    partition: int = partition_of(KEY, PARTITIONS)


def every_kind() -> list[Poison]:
    """Return one record of each kind that cannot be read."""
    return [*_framing(), *_bodies(), *_bounds(), *_places()]


def _framing() -> Iterator[Poison]:
    good = framed(_FACT)
    yield Poison("no bytes at all", "undecodable", None)
    yield Poison("empty", "undecodable", b"")
    yield Poison("a frame without a body", "undecodable", good[:FRAME_BYTES])
    yield Poison("another magic byte", "undecodable", b"\x01" + good[1:])
    yield Poison("text", "undecodable", b"weighbridge 4, ticket 17")
    yield Poison("an id of no schema", "unknown_schema", _UNKNOWN_ID + good[FRAME_BYTES:])


def _bodies() -> Iterator[Poison]:
    good = framed(_FACT)
    yield Poison("cut short", "undecodable", good[:-3])
    yield Poison("a byte behind it", "undecodable", good + b"\x00")
    yield Poison("a second record behind it", "undecodable", good + good[FRAME_BYTES:])
    named = framed(replace(_FACT, source_ref="QQQQ"))
    yield Poison("text not UTF-8", "undecodable", named.replace(b"QQQQ", b"\xff\xfe\xfd\xfc"))
    length = good.index(_FACT.event_id.encode()) - 1
    yield Poison("a length below nothing", "undecodable", _with(good, length, b"\x01"))
    yield Poison("a length beyond its bytes", "undecodable", _with(good, length, _varint(1 << 40)))
    void = _differs(good, framed(replace(_FACT, void=True)))
    yield Poison("neither true nor false", "undecodable", _with(good, void, b"\x07"))
    symbol = _differs(good, framed(replace(_FACT, purpose="receipt")))
    yield Poison("no such symbol", "undecodable", _with(good, symbol, b"\x7e"))


def _bounds() -> Iterator[Poison]:
    yield Poison("mass below nothing", "out_of_range", framed(replace(_FACT, net_g=-1)))
    far = replace(_FACT, occurred_at=Micros(1 << 62))
    yield Poison("a time beyond its column", "out_of_range", framed(far))
    here = framed(replace(_FACT, time_zone_offset_min=60))
    place = _differs(here, framed(replace(_FACT, time_zone_offset_min=61)))
    yield Poison("beyond 32 bits", "undecodable", _with(here, place, _varint(1 << 40)))
    known = framed(replace(_FACT, volume_m3=1.5))
    nan = known.replace(struct.pack("<d", 1.5), struct.pack("<d", math.nan))
    yield Poison("not a number", "out_of_range", nan)
    yield Poison("too long", "too_large", framed(replace(_FACT, source_ref="x" * 70_000)))
    assay = Maker(LOT).assay("S", 1, {"Cu": (0.1, 0.01)}, certificate_no="C-1")
    one, two = framed(assay), framed(replace(assay, results=assay.results * 2))
    yield Poison(
        "more items than are allowed",
        "too_many_items",
        framed(replace(assay, results=assay.results * 200)),
    )
    claimed = _with(one, _differs(one, two), _varint(1_000_000))
    yield Poison("a claim of a million items", "too_many_items", claimed)


def _places() -> Iterator[Poison]:
    here = partition_of(KEY, PARTITIONS)
    there = (here + 1) % PARTITIONS
    good = framed(weighing(LOT, 9_001))
    yield Poison("on another partition", "wrong_partition", good, partition=there)
    yield Poison("without a key", "wrong_partition", good, key=None)
    said = framed(sighting("worker/0", 1, "seal/A"))
    yield Poison("of another topic", "wrong_topic", said)
    copy = framed(reference("WB-1", there, 9_002))
    control, name = topics.CONTROL, b"device/WB-1"
    yield Poison("another partition's copy", "wrong_partition", copy, control, name, here)
    for topic in (topics.FLOW, topics.TRANSFER, topics.BALANCE, topics.ALERT, topics.HEAD):
        yield Poison(f"no record on {topic}", "undecodable", b"\x00\x00", topic)
    yield Poison("no dead letter", "undecodable", b"\xff", topics.DEAD_LETTER)


def _differs(one: bytes, other: bytes) -> int:
    """Return where two records first differ: the place of the field in which they do."""
    return next(i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)


def _with(value: bytes, place: int, byte: bytes) -> bytes:
    return value[:place] + byte + value[place + 1 :]


def _varint(number: int) -> bytes:
    """Return a number above zero as Avro writes it."""
    left, out = number * 2, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])
