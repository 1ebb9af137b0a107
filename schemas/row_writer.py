"""Writes one record as an Avro body: the counterpart of ``rows``, over the same plan.

About twice as quick as a dictionary handed to fastavro, which looks for the right branch of every
union and walks the schema anew for each record; a property holds the two to the same bytes.
"""

import struct
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import cast

from schemas.plan import Choice, Leaf, Many, Maybe, Node, Plan, Struct

Write = Callable[[bytearray, object], None]
"""Appends a value to the buffer."""

_double = struct.Struct("<d").pack
_BITS = {"int": 31, "long": 63}
_SHORT = 64
"""A length below it takes one byte."""


def row_writer(plan: Plan) -> Callable[[object, Mapping[str, object]], bytes]:
    """Return a function from a record, and fields in place of its own, to its body.

    The function raises one of TypeError, ValueError, KeyError, AttributeError and struct.error
    for a record that does not fit its schema.

    Args:
        plan: Resolution of our own schema.
    """
    values, writes = _members(plan.root)
    place = {name: at for at, name in enumerate(plan.root.names)}

    def one(record: object, instead: Mapping[str, object]) -> bytes:
        out = bytearray()
        given = list(values(record))
        for name, value in instead.items():
            given[place[name]] = value
        for write, value in zip(writes, given, strict=True):
            write(out, value)
        return bytes(out)

    return one


def _node(node: Node) -> Write:
    match node:
        case Leaf():
            return _leaf(node)
        case Choice():
            return _choice(node)
        case Maybe():
            return _maybe(node)
        case Many():
            return _many(node)
        case Struct():
            return _struct(node)


def _leaf(leaf: Leaf) -> Write:
    match leaf.kind:
        case "string":
            return _text
        case "bytes":
            return _bytes
        case "boolean":
            return _boolean
        case "double":
            return _real
        case kind:
            return _whole(_BITS[kind])


def _varint(out: bytearray, value: int) -> None:
    """Append a zigzag varint; the value must fit into 64 bits."""
    zigzag = (value << 1) ^ (value >> 63)
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)


def _text(out: bytearray, value: object) -> None:
    raw = cast(str, value).encode()
    if len(raw) < _SHORT:
        out.append(len(raw) << 1)
    else:
        _varint(out, len(raw))
    out += raw


def _bytes(out: bytearray, value: object) -> None:
    raw = cast(bytes, value)
    _varint(out, len(raw))
    out += raw


def _boolean(out: bytearray, value: object) -> None:
    if value is not True and value is not False:
        raise TypeError(value)
    out.append(value)


def _real(out: bytearray, value: object) -> None:
    out += _double(value)


def _whole(bits: int) -> Write:
    low, high = -(1 << bits), (1 << bits) - 1

    def write(out: bytearray, value: object) -> None:
        number = cast(int, value)
        if not low <= number <= high:
            raise ValueError(number)
        _varint(out, number)

    return write


def _choice(choice: Choice) -> Write:
    codes = {}
    for code, symbol in enumerate(choice.symbols):
        raw = bytearray()
        _varint(raw, code)
        codes[symbol] = bytes(raw)

    def write(out: bytearray, value: object) -> None:
        out += codes[cast(str, value)]

    return write


def _maybe(maybe: Maybe) -> Write:
    null = maybe.null_index << 1
    there = (1 - maybe.null_index) << 1
    inner = _node(maybe.inner)

    def write(out: bytearray, value: object) -> None:
        if value is None:
            out.append(null)
        else:
            out.append(there)
            inner(out, value)

    return write


def _many(many: Many) -> Write:
    item = _node(many.item)

    def write(out: bytearray, value: object) -> None:
        items = cast(tuple[object, ...], value)
        if items:
            _varint(out, len(items))
            for one in items:
                item(out, one)
        out.append(0)

    return write


def _struct(node: Struct) -> Write:
    values, writes = _members(node)

    def write(out: bytearray, record: object) -> None:
        for one, value in zip(writes, values(record), strict=True):
            one(out, value)

    return write


def _members(node: Struct) -> tuple[Callable[[object], tuple[object, ...]], list[Write]]:
    """What reads a record's fields, and what writes each."""
    return attrgetter(*node.names), [_node(member.node) for member in node.members]
