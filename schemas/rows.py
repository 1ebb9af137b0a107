"""Reads one record at a time, strictly: any bytes become our record or a ``BadRecord``.

Stricter than a plain Avro reader, because bytes that two readers take differently must not reach
the ledger: varints of at most 64 bits, ``int`` within 32, booleans 0 or 1, sized blocks that hold
what they say, nothing behind the last field. ``columns`` holds to the same rules for many records
at once, and one property test compares the two.

Order of verdicts: what breaks the structure wins over text that is not UTF-8, which wins over a
value out of range. So the verdict does not depend on who reads.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from custody.errors import Refused
from schemas.plan import Choice, Leaf, Many, Maybe, Node, Plan, Struct
from schemas.routes import Record

UNDECODABLE = "undecodable"
TOO_MANY_ITEMS = "too_many_items"
OUT_OF_RANGE = "out_of_range"


class BadRecord(Refused):
    """Bytes that are no valid record.

    Attributes:
        reason: One of the symbols of the Avro enum DeadLetterReason.
        detail: Where in the record, and what.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"record {reason}: {detail}", next_step="custody dead-letters list")


@dataclass(slots=True)
class Faults:
    """What was wrong with a record whose structure is sound; the first of each kind counts."""

    text: list[str] = field(default_factory=list)
    range: list[str] = field(default_factory=list)


Read = Callable[[bytes, int, Faults], tuple[object, int]]
"""Takes the buffer, a position and the faults; returns the value and the next position."""

_double = struct.Struct("<d").unpack_from
_VARINT_BYTES_MAX = 10


def row_reader(plan: Plan) -> Callable[[bytes, int], Record]:
    """Return a function from a buffer and the start of its body to the record in it.

    The function raises ``BadRecord`` for whatever is not exactly one record.
    """
    read = _struct(plan.root)

    def one(data: bytes, start: int) -> Record:
        faults = Faults()
        try:
            record, end = read(data, start, faults)
        except (IndexError, struct.error):
            raise BadRecord(UNDECODABLE, "ends within a field") from None
        if end != len(data):
            raise BadRecord(UNDECODABLE, f"{len(data) - end} bytes behind the record")
        if faults.text:
            raise BadRecord(UNDECODABLE, f"{faults.text[0]}: not UTF-8")
        if faults.range:
            raise BadRecord(OUT_OF_RANGE, faults.range[0])
        return cast(Record, record)

    return one


def _node(node: Node, path: str) -> Read:
    match node:
        case Leaf():
            return _leaf(node, path)
        case Choice():
            return _choice(node, path)
        case Maybe():
            return _maybe(node, path)
        case Many():
            return _many(node, path)
        case Struct():
            return _struct(node)


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    """Read a zigzag varint of at most 64 bits."""
    byte = data[pos]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), pos + 1
    value = byte & 0x7F
    shift = 7
    for at in range(pos + 1, pos + _VARINT_BYTES_MAX):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return (value >> 1) ^ -(value & 1), at + 1
        shift += 7
    raise BadRecord(UNDECODABLE, "a number of more than 64 bits")


def _length(data: bytes, pos: int, path: str) -> tuple[int, int]:
    """Read a length and return where its bytes start and end."""
    length, pos = _varint(data, pos)
    if length < 0 or pos + length > len(data):
        raise BadRecord(UNDECODABLE, f"{path}: length {length} beyond the message")
    return pos, pos + length


def _leaf(leaf: Leaf, path: str) -> Read:
    match leaf.kind:
        case "string":
            return _text(path)
        case "bytes":
            return _bytes(path)
        case "boolean":
            return _boolean(path)
        case "double":
            return _real(leaf, path)
        case _:
            return _whole(leaf, path)


def _text(path: str) -> Read:
    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:
        start, end = _length(data, pos, path)
        try:
            return data[start:end].decode(), end
        except UnicodeDecodeError:
            faults.text.append(path)
            return "", end

    return read


def _bytes(path: str) -> Read:
    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:  # noqa: ARG001  one shape
        start, end = _length(data, pos, path)
        return data[start:end], end

    return read


def _boolean(path: str) -> Read:
    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:  # noqa: ARG001  one shape
        byte = data[pos]
        if byte > 1:
            raise BadRecord(UNDECODABLE, f"{path}: boolean {byte}")
        return byte == 1, pos + 1

    return read


def _real(leaf: Leaf, path: str) -> Read:
    low, high = leaf.low, leaf.high

    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:
        value: float = _double(data, pos)[0]
        # Written so that a NaN, which compares with nothing, is out of range.
        if low is not None and high is not None and not low <= value <= high:
            faults.range.append(f"{path}: {value} is not within {low} to {high}")
        return value, pos + 8

    return read


def _whole(leaf: Leaf, path: str) -> Read:
    narrow = leaf.kind == "int"
    low = leaf.low if leaf.low is not None else -(1 << 63)
    high = leaf.high if leaf.high is not None else (1 << 63) - 1

    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:
        value, pos = _varint(data, pos)
        if narrow and not -0x80000000 <= value <= 0x7FFFFFFF:
            raise BadRecord(UNDECODABLE, f"{path}: {value} is no 32-bit integer")
        if not low <= value <= high:
            faults.range.append(f"{path}: {value} is not within {low} to {high}")
        return value, pos

    return read


def _choice(choice: Choice, path: str) -> Read:
    symbols = choice.symbols

    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:  # noqa: ARG001  one shape
        index, pos = _varint(data, pos)
        if not 0 <= index < len(symbols):
            raise BadRecord(UNDECODABLE, f"{path}: no symbol {index}")
        return symbols[index], pos

    return read


def _maybe(maybe: Maybe, path: str) -> Read:
    null = maybe.null_index
    inner = _node(maybe.inner, path)

    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:
        branch, pos = _varint(data, pos)
        if branch == null:
            return None, pos
        if branch not in (0, 1):
            raise BadRecord(UNDECODABLE, f"{path}: no branch {branch}")
        return inner(data, pos, faults)

    return read


def _many(many: Many, path: str) -> Read:
    cap = many.cap
    item = _node(many.item, path)

    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:
        items: list[object] = []
        count, pos = _varint(data, pos)
        while count:
            size = None
            if count < 0:
                size, pos = _varint(data, pos)
            start = pos
            if len(items) + abs(count) > cap:
                raise BadRecord(TOO_MANY_ITEMS, f"{path}: more than {cap} items")
            for _ in range(abs(count)):
                value, pos = item(data, pos, faults)
                items.append(value)
            if size is not None and pos != start + size:
                raise BadRecord(UNDECODABLE, f"{path}: block is not of the size it says")
            count, pos = _varint(data, pos)
        return tuple(items), pos

    return read


def _struct(node: Struct) -> Read:
    reads = [(m.name, _node(m.node, m.path), m.kept) for m in node.members]
    cls, defaults = node.cls, node.defaults

    def read(data: bytes, pos: int, faults: Faults) -> tuple[object, int]:
        values = dict(defaults)
        for name, one, kept in reads:
            value, pos = one(data, pos, faults)
            if kept:
                values[name] = value
        return (cls(**values) if cls is not None else None), pos

    return read
