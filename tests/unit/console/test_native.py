"""Native blocks of a newer revision, made of those of the oldest."""

import pytest

from console.native import NotInNative, framed

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


def block(rows: int, *columns: tuple[str, bytes]) -> bytes:
    """Write a block of the oldest revision."""
    parts = [bytes([len(columns), rows])]
    for type_name, data in columns:
        parts += [b"\x01c", bytes([len(type_name)]), type_name.encode(), data]
    return b"".join(parts)


def newer(rows: int, *columns: tuple[str, bytes]) -> bytes:
    return INFO + block(rows, *((name, b"\x00" + data) for name, data in columns))


@pytest.mark.parametrize(
    ("type_name", "rows", "data"),
    [
        ("UInt8", 3, b"abc"),
        ("DateTime64(6, 'UTC')", 1, bytes(8)),
        ("Enum8('a,(' = 1)", 2, b"\x01\x01"),
        ("Decimal(38, 2)", 1, bytes(16)),
        ("FixedString(3)", 2, b"abcdef"),
        ("String", 2, b"\x01a\x81\x01" + b"b" * 129),
        ("Nullable(Int32)", 2, b"\x00\x01" + bytes(8)),
        ("Array(String)", 2, (1).to_bytes(8, "little") + (2).to_bytes(8, "little") + b"\x00\x01x"),
        ("Array(String)", 1, bytes(8)),
        ("Map(String, UInt8)", 1, (1).to_bytes(8, "little") + b"\x01k\x07"),
        ("Tuple(a String, b Nullable(UInt8))", 1, b"\x01x\x00\x05"),
        ("Tuple(String, Array(UInt8))", 1, b"\x00" + (1).to_bytes(8, "little") + b"\x09"),
        ("SimpleAggregateFunction(sum, Int64)", 1, bytes(8)),
        (
            "LowCardinality(Nullable(String))",
            2,
            (1).to_bytes(8, "little")
            + (0x600).to_bytes(8, "little")
            + (2).to_bytes(8, "little")
            + b"\x00\x01z"
            + (2).to_bytes(8, "little")
            + b"\x01\x01",
        ),
    ],
)
def test_a_column_ends_where_its_type_says(type_name: str, rows: int, data: bytes) -> None:
    after = ("UInt16", b"\x01\x02" * rows)
    old = block(rows, (type_name, data), after)
    new = newer(rows, (type_name, data), after)
    assert framed(old + old) == new + new


def test_a_block_without_rows_has_its_columns() -> None:
    assert framed(block(0, ("String", b""))) == newer(0, ("String", b""))
    assert framed(b"") == b""


def test_a_type_of_unknown_length_is_refused() -> None:
    with pytest.raises(NotInNative, match="JSON"):
        framed(block(1, ("JSON", b"x")))
