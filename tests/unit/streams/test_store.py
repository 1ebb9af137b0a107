"""The local store: rows first, the offset they stand at last, however many writes it takes.

What the protocol asks of it holds for the one in memory that simulations use, too.
"""

from pathlib import Path

import faust
import pytest
from faust.types import TP

from streams.store import WRITE_BYTES, RowStore, RowTable
from tests.support.sim.workers import Store
from tests.support.sim.world import World


@pytest.fixture
def store(tmp_path: Path) -> RowStore:
    app = faust.App("test", store="rocksdb://", datadir=str(tmp_path))
    app.finalize()
    return RowTable(app, name="rows", key_type=bytes, value_type=bytes, partitions=2).rows


@pytest.fixture(params=["rocksdb", "memory"])
def either(request: pytest.FixtureRequest) -> RowStore | Store:
    if request.param == "memory":
        return Store(World(1))
    found: RowStore = request.getfixturevalue("store")
    return found


class Failing:
    """A database whose second write fails, as a full disk would make it."""

    def __init__(self, store: RowStore) -> None:
        self._real = store._db_for_partition(0)
        self.writes = 0

    def write(self, batch: object) -> None:
        self.writes += 1
        if self.writes == 2:
            raise OSError(28, "no space left")
        self._real.write(batch)


def test_a_row_can_be_written_replaced_and_taken_away(either: RowStore | Store) -> None:
    assert either.persisted_offset(TP("changelog", 0)) is None
    either.write(0, [(b"lot/a", b"1"), (b"lot/b", b"2")], 7)
    assert (either.row(0, b"lot/a"), either.persisted_offset(TP("changelog", 0))) == (b"1", 7)
    either.write(0, [(b"lot/a", None), (b"lot/b", b"3")], 9)
    assert (either.row(0, b"lot/a"), either.row(0, b"lot/b")) == (None, b"3")
    assert list(either.keys_from(0, b"lot/")) == [b"lot/b"]
    assert either.persisted_offset(TP("changelog", 0)) == 9


def test_keys_come_in_their_order_and_of_their_partition(either: RowStore | Store) -> None:
    either.write(0, [(b"lot/b", b"2"), (b"lot/a", b"1"), (b"ref/a", b"3"), (b"lot/c", b"4")], 1)
    either.write(1, [(b"lot/d", b"5")], 1)
    assert list(either.keys_from(0, b"lot/")) == [b"lot/a", b"lot/b", b"lot/c"]
    assert list(either.keys_from(0, b"lot/b")) == [b"lot/b"]
    assert list(either.keys_from(0, b"none/")) == []
    assert (either.row(1, b"lot/a"), either.row(1, b"lot/d")) == (None, b"5")


def test_where_kafka_told_no_offset_the_old_one_stays(either: RowStore | Store) -> None:
    either.write(0, [(b"lot/a", b"1")], 7)
    either.write(0, [(b"lot/a", b"2")], None)
    assert (either.row(0, b"lot/a"), either.persisted_offset(TP("changelog", 0))) == (b"2", 7)


def test_the_offset_never_promises_a_row_that_is_not_there(
    store: RowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = bytes(WRITE_BYTES // 2)
    rows: list[tuple[bytes, bytes | None]] = [(b"lot/%d" % n, large) for n in range(5)]
    store.write(0, rows, 4)
    with monkeypatch.context() as patched:
        failing = Failing(store)
        patched.setattr(store, "_db_for_partition", lambda _: failing)
        with pytest.raises(OSError, match="no space"):
            store.write(0, [(key, b"new" + large) for key, _ in rows], 9)
    assert store.row(0, store.offset_key) == b"4"
    assert store.row(0, b"lot/4") == large
