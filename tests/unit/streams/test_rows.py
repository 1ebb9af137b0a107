"""Rows: what is stored around a row, and how much of it is kept in memory."""

from collections.abc import Iterator

import msgspec
import pytest

from streams.config import ROW_BYTES_MAX
from streams.rows import (
    FORMAT,
    NOTHING_APPLIED,
    ChunkRecord,
    Held,
    Output,
    PartitionRows,
    RowCodec,
    RowTooLarge,
    UnreadableRow,
)
from tests.support.folds import Sum

CODEC = RowCodec({"lot": Sum}, version=3)
OUTPUT = Output(7, "custody.flow.v1", 2, b"P-1", b"\0\0\0\0\1body")


def held(total_g: int = 5, padding: str = "") -> Held:
    return Held(Sum(total_g=total_g, padding=padding), (4, -1, 9), {"worker/1": 12}, 0)


def test_stored_row_comes_back_with_its_past() -> None:
    data = CODEC.encode("lot/L-1", held(), 8, (OUTPUT,))
    back = CODEC.decode("lot/L-1", data)
    assert back.row == Sum(total_g=5)
    assert back.offsets == (4, -1, 9)
    assert back.heard == {"worker/1": 12}
    assert back.size_bytes == len(data)
    envelope = CODEC.envelope(data)
    assert (envelope.format, envelope.version, envelope.chunk) == (FORMAT, 3, 8)
    assert envelope.outputs == (OUTPUT,)


def test_chunk_record_comes_back() -> None:
    record = ChunkRecord(FORMAT, 4, "custody.fact.v1", 10, 19, ("lot/L-1",), 33)
    assert CODEC.decode_chunk(CODEC.encode_chunk(record)) == record


def test_row_beyond_the_limit_is_refused_by_name() -> None:
    with pytest.raises(RowTooLarge, match=r"lot/L-1 has .* bytes"):
        CODEC.encode("lot/L-1", held(padding="x" * ROW_BYTES_MAX), 1, ())


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode([99, 1])])
def test_damaged_row_is_named_and_not_guessed(data: bytes) -> None:
    with pytest.raises(UnreadableRow):
        CODEC.decode("lot/L-1", data)


def test_row_of_another_format_is_refused() -> None:
    parts = msgspec.msgpack.decode(CODEC.encode("lot/L-1", held(), 1, ()))
    with pytest.raises(UnreadableRow, match="format 1"):
        CODEC.decode("lot/L-1", msgspec.msgpack.encode([1, *parts[1:]]))


def test_row_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnreadableRow, match="mystery"):
        CODEC.decode("mystery/1", CODEC.encode("lot/L-1", held(), 1, ()))


class Reads:
    """A store that counts what is read from it."""

    def __init__(self, rows: int) -> None:
        self.data = {
            b"lot/L-%d" % no: CODEC.encode(f"lot/L-{no}", held(no), 1, ()) for no in range(rows)
        }
        self.count = 0

    def __call__(self, key: bytes) -> bytes | None:
        self.count += 1
        return self.data.get(key)


def test_cached_row_is_decoded_once() -> None:
    reads = Reads(1)
    rows = PartitionRows(CODEC, reads, lambda _prefix: [], bytes_max=10_000)
    assert rows.get("lot/L-0") is rows.get("lot/L-0")
    assert reads.count == 1


def stage(rows: PartitionRows, key: str, row: Held) -> None:
    rows.stage(key, row, CODEC.encode(key, row, 2, ()))


def test_staged_row_is_seen_before_it_is_stored() -> None:
    rows = PartitionRows(CODEC, Reads(1), lambda _prefix: [], bytes_max=10_000)
    for beside in (NOTHING_APPLIED, (1, -1, -1)):
        stage(rows, "lot/L-0", Held(Sum(total_g=77), beside, {}, 0))
        assert rows.get("lot/L-0") == Sum(total_g=77)


def test_cache_forgets_the_row_used_longest_ago() -> None:
    reads = Reads(3)
    size = len(reads.data[b"lot/L-0"])
    rows = PartitionRows(CODEC, reads, lambda _prefix: [], bytes_max=2 * size)
    for no in (0, 1, 0, 2):
        rows.get(f"lot/L-{no}")
    rows.trim()
    before = reads.count
    rows.get("lot/L-0")
    rows.get("lot/L-2")
    assert reads.count == before
    rows.get("lot/L-1")
    assert reads.count == before + 1


def test_key_without_a_row_is_looked_up_once_until_it_is_written() -> None:
    reads = Reads(0)
    rows = PartitionRows(CODEC, reads, lambda _prefix: [], bytes_max=10_000)
    assert rows.get("lot/L-9") is None
    assert rows.get("lot/L-9") is None
    assert reads.count == 1
    stage(rows, "lot/L-9", held(9))
    rows.commit()
    assert rows.get("lot/L-9") == Sum(total_g=9)


def stored(rows: PartitionRows, reads: Reads, key: str, row: Held) -> None:
    """What a chunk does with a row, from its step to its end."""
    data = CODEC.encode(key, row, 2, ())
    rows.stage(key, row, data)
    reads.data[key.encode()] = data
    rows.commit()


def test_row_beside_an_owner_is_not_kept_until_it_is_read() -> None:
    reads = Reads(1)
    rows = PartitionRows(CODEC, reads, lambda _prefix: [], bytes_max=10_000)
    for total_g in (1, 2):
        stored(rows, reads, "lot/L-0", Held(Sum(total_g=total_g), NOTHING_APPLIED, {}, 0))
        before = reads.count
        assert rows.get("lot/L-0") == rows.get("lot/L-0") == Sum(total_g=total_g)
        assert reads.count == before + 1


def test_rows_beyond_the_bound_of_the_cache_are_read_again_and_never_old() -> None:
    reads = Reads(3)
    rows = PartitionRows(CODEC, reads, lambda _prefix: [], bytes_max=1)
    for total_g in (10, 20):
        for no in range(3):
            key = f"lot/L-{no}"
            assert rows.get(key) is not None
            stage(rows, key, held(total_g + no))
            assert rows.get(key) == Sum(total_g=total_g + no)
            reads.data[key.encode()] = CODEC.encode(key, held(total_g + no), 2, ())
        rows.commit()
        assert [rows.get(f"lot/L-{no}") for no in range(3)] == [
            Sum(total_g=total_g + no) for no in range(3)
        ]


def test_row_that_is_gone_is_gone_at_once_and_stays_gone() -> None:
    reads = Reads(2)
    rows = PartitionRows(CODEC, reads, lambda _prefix: sorted(reads.data), bytes_max=10_000)
    assert rows.get("lot/L-0") is not None
    rows.stage("lot/L-0", None, b"")
    assert rows.get("lot/L-0") is None
    assert rows.scan("lot/") == ["lot/L-1"]
    del reads.data[b"lot/L-0"]
    rows.commit()
    assert rows.get("lot/L-0") is None
    assert rows.scan("lot/") == ["lot/L-1"]
    stage(rows, "lot/L-0", held(7))
    assert rows.get("lot/L-0") == Sum(total_g=7)
    assert rows.scan("lot/") == ["lot/L-0", "lot/L-1"]


def test_scan_ends_before_a_key_stored_or_staged() -> None:
    """The store is not read beyond it: thousands may wait behind."""
    reads, read = Reads(9), list[bytes]()

    def keys(prefix: bytes) -> Iterator[bytes]:
        for key in sorted(key for key in reads.data if key.startswith(prefix)):
            read.append(key)
            yield key

    rows = PartitionRows(CODEC, reads, keys, bytes_max=10_000)
    for name in ("lot/L-10", "lot/L-3"):
        stage(rows, name, held())
    assert rows.scan("lot/", "lot/L-2") == ["lot/L-0", "lot/L-1", "lot/L-10"]
    assert read[-1] == b"lot/L-2"
