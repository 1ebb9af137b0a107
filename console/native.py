"""ClickHouse's Native format as its newer clients ask for it over HTTP.

The embedded engine writes blocks of the oldest revision: columns only. clickhouse-go, and with it
Grafana's data source, sends ``client_protocol_version`` and expects what that revision has more: a
block's info before its columns, and a byte behind each column's type that says how it is laid out.
Both are put in here, for which the end of each column has to be found; types whose length cannot be
told from their bytes alone are refused.
"""

import struct
from dataclasses import dataclass

from custody.errors import Refused

CUSTOM_SERIALISATION = 54_454
"""First revision with a byte per column that says whether it is laid out in the usual way."""

_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""Field 1: no overflow row. Field 2: bucket number -1. 0: the end."""

_USUAL_LAYOUT = b"\x00"

_VERSION_BYTES = 8
"""Before the values of a dictionary: the version of its layout."""

_INDEX_WIDTH = 0xFF
"""Of a dictionary's flags: how often one byte is doubled for the number of a value."""

_WIDTHS = {
    "Bool": 1,
    "Int8": 1,
    "UInt8": 1,
    "Enum8": 1,
    "Nothing": 1,
    "Int16": 2,
    "UInt16": 2,
    "Date": 2,
    "Enum16": 2,
    "BFloat16": 2,
    "Int32": 4,
    "UInt32": 4,
    "Float32": 4,
    "DateTime": 4,
    "Date32": 4,
    "Time": 4,
    "IPv4": 4,
    "Decimal32": 4,
    "Int64": 8,
    "UInt64": 8,
    "Float64": 8,
    "DateTime64": 8,
    "Time64": 8,
    "Decimal64": 8,
    "Int128": 16,
    "UInt128": 16,
    "UUID": 16,
    "IPv6": 16,
    "Decimal128": 16,
    "Int256": 32,
    "UInt256": 32,
    "Decimal256": 32,
}
"""Bytes of a value, by the name of its type."""

_DECIMAL_WIDTHS = ((9, 4), (18, 8), (38, 16), (76, 32))
"""Digits up to which a decimal has so many bytes."""


class NotInNative(Refused):
    """A column whose type this door cannot hand on to such a client."""

    def __init__(self, type_name: str) -> None:
        super().__init__(
            f"the type {type_name[:80]} cannot be sent in Native to this client",
            expected="numbers, times, strings, UUIDs, and arrays, maps and tuples of them",
            next_step="write toString(column) or toJSONString(column)",
        )


def framed(blocks: bytes) -> bytes:
    """Return blocks of the oldest revision as ``CUSTOM_SERIALISATION`` and later have them.

    Args:
        blocks: Whole blocks, one after the other.

    Raises:
        NotInNative: A column's type is none whose end can be found.
    """
    reader, parts = _Reader(blocks), list[bytes]()
    while reader.at < len(blocks):
        begin = reader.at
        columns, rows = reader.varint(), reader.varint()
        parts += [_BLOCK_INFO, blocks[begin : reader.at]]
        for _ in range(columns):
            begin = reader.at
            reader.string()
            type_name = reader.string().decode()
            parts += [blocks[begin : reader.at], _USUAL_LAYOUT]
            begin = reader.at
            if rows:
                reader.column(type_name, rows)
            parts.append(blocks[begin : reader.at])
    return b"".join(parts)


@dataclass(slots=True)
class _Reader:
    """Goes over blocks; ``at`` is the next byte."""

    data: bytes
    at: int = 0

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def string(self) -> bytes:
        length = self.varint()
        begin = self.at
        self.at += length
        return self.data[begin : self.at]

    def column(self, type_name: str, rows: int) -> None:
        """Go over one column: what its parts say of themselves first, then its values."""
        self.at += _VERSION_BYTES * type_name.count("LowCardinality(")
        self._values(type_name, rows)

    def _values(self, type_name: str, rows: int) -> None:
        name, _, inside = type_name.partition("(")
        arguments = _arguments(inside[:-1]) if inside else []
        if name == "String":
            self._strings(rows)
        elif name in _WIDTHS or name.startswith("Interval"):
            self.at += rows * _WIDTHS.get(name, 8)
        elif name in {"Map", "Nested", "Array"}:
            self._array(rows, arguments)
        else:
            self._parametric(name, arguments, rows, type_name)

    def _parametric(self, name: str, arguments: list[str], rows: int, type_name: str) -> None:
        match name:
            case "FixedString":
                self.at += rows * int(arguments[0])
            case "Decimal":
                self.at += rows * _decimal_width(int(arguments[0]))
            case "Nullable":
                self.at += rows
                self._values(arguments[0], rows)
            case "LowCardinality":
                self._dictionary(arguments[0], rows)
            case "SimpleAggregateFunction":
                self._values(arguments[1], rows)
            case "Tuple":
                self._tuple(arguments, rows)
            case _:
                raise NotInNative(type_name)

    def _dictionary(self, type_name: str, rows: int) -> None:
        """Distinct values, and for each row the number of its own."""
        if not rows:
            return
        flags, keys = self._integer(), self._integer()
        is_nullable = type_name.startswith("Nullable(")
        self._values(type_name[len("Nullable(") : -1] if is_nullable else type_name, keys)
        self._integer()
        self.at += rows << (flags & _INDEX_WIDTH)

    def _integer(self) -> int:
        (value,) = struct.unpack_from("<Q", self.data, self.at)
        self.at += 8
        return int(value)

    def _strings(self, rows: int) -> None:
        data, at = self.data, self.at
        for _ in range(rows):
            length = data[at]
            at += 1
            if length >= 0x80:
                self.at = at - 1
                length = self.varint()
                at = self.at
            at += length
        self.at = at

    def _array(self, rows: int, arguments: list[str]) -> None:
        """Where each row ends, then the values of all rows; the last end is their number."""
        if not rows:
            return
        self.at += (rows - 1) * 8
        self._tuple(arguments, self._integer())

    def _tuple(self, arguments: list[str], rows: int) -> None:
        for argument in arguments:
            self._values(_without_name(argument), rows)


def _arguments(text: str) -> list[str]:
    """Cut ``String, Array(Tuple(a Int8, b Int8))`` at its outer commas."""
    found, depth, begin, quoted = list[str](), 0, 0, False
    for at, character in enumerate(text):
        if character == "'" and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif character == ",":
            if depth == 0:
                found.append(text[begin:at].strip())
                begin = at + 1
        else:
            depth += (character == "(") - (character == ")")
    return [*found, text[begin:].strip()]


def _without_name(argument: str) -> str:
    """``a Array(Int8)`` of a tuple is of type ``Array(Int8)``."""
    if argument.startswith("`"):
        return argument[argument.index("`", 1) + 1 :].strip()
    head, space, rest = argument.partition(" ")
    return rest if space and "(" not in head and "," not in head else argument


def _decimal_width(digits: int) -> int:
    return next(width for most, width in _DECIMAL_WIDTHS if digits <= most)
