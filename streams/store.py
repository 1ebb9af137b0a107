"""The local copy of the rows: one RocksDB per partition, filled from the changelog.

It is restored after a rebalance (``streams.restore``, then Faust); we write it ourselves, only
after the changelog has acknowledged the rows, and the changelog offset up to which they stand
last. So the store is never ahead of the changelog: a row that exists only here would be skipped as
"already applied" after a restart, never reach the changelog, and be lost at the next move of the
partition. Nor does the offset ever promise a row that is not here: a crash in between restores the
same rows once more.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

import faust
import rocksdict
from faust.stores import rocksdb
from faust.types import TP, EventT
from faust.types.stores import StoreT
from typing_extensions import override
from yarl import URL

from streams import stop

BLOCK_CACHE_BYTES = 32 * 1024 * 1024
"""For all partitions together; Faust's default is 2 GB per partition."""

WRITE_BUFFER_BYTES = 4 * 1024 * 1024
"""Per partition; Faust's default is three times 64 MB."""

WRITE_BYTES = 1024 * 1024
"""Written at once. RocksDB takes a write whole into one buffer, however large: a chunk of large
rows in one write made buffers of 40 MB, two per partition."""


class RowStore(rocksdb.Store):
    """RocksDB through rocksdict, small and atomic."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  passed on
        super().__init__(*args, **kwargs)
        self._cache = rocksdict.Cache(BLOCK_CACHE_BYTES)

    def row(self, partition: int, key: bytes) -> bytes | None:
        """Return a stored row."""
        value: bytes | None = self._db_for_partition(partition).get(key)
        return value

    def keys_from(self, partition: int, prefix: bytes) -> Iterable[bytes]:
        """Yield the keys that begin with a prefix, in order."""
        for key in self._db_for_partition(partition).keys(from_key=prefix):
            if not key.startswith(prefix):
                return
            yield key

    def write(
        self,
        partition: int,
        rows: Iterable[tuple[bytes, bytes | None]],
        last_offset: int | None,
    ) -> None:
        """Write rows, and behind them the changelog offset of the last of them.

        Args:
            partition: Partition of the changelog.
            rows: Key and encoded row, None for a row that is gone.
            last_offset: Offset in the changelog; None where Kafka did not tell it, in which case
                the rows are read once more at the next restore.
        """
        self._put(self._db_for_partition(partition), rows, last_offset)

    def restored(
        self, partition: int, rows: Iterable[tuple[bytes, bytes | None]], last_offset: int | None
    ) -> None:
        """Write rows of the changelog, unless the partition has been taken away; any thread."""
        db = self._dbs.get(partition)
        if db is not None:
            self._put(db, rows, last_offset)

    def stands_at(self, partition: int) -> int:
        """Return the changelog offset up to which a partition stands; -1 for an empty one."""
        value = self.row(partition, self.offset_key)
        return -1 if value is None else int(value)

    def _put(
        self,
        db: rocksdict.Rdict,
        rows: Iterable[tuple[bytes, bytes | None]],
        last_offset: int | None,
    ) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
            if batch.size_in_bytes() >= WRITE_BYTES:
                db.write(batch)
                batch = rocksdict.WriteBatch(raw_mode=True)
        if last_offset is not None:
            batch.put(self.offset_key, b"%d" % last_offset)
        db.write(batch)

    @override
    def apply_changelog_batch(
        self,
        batch: Iterable[EventT[Any]],
        to_key: Callable[[Any], Any],
        to_value: Callable[[Any], Any],
    ) -> None:
        """Restore rows; a failure ends the process, where Faust would log it and go on."""
        by_partition: dict[int, list[EventT[Any]]] = {}
        for event in batch:
            by_partition.setdefault(event.message.partition, []).append(event)
        try:
            for partition, events in by_partition.items():
                rows = ((cast("bytes", e.message.key), e.message.value) for e in events)
                self.write(partition, rows, events[-1].message.offset)
        except Exception as error:  # noqa: BLE001  whatever it is, state would be incomplete
            stop.restart("rows could not be restored", error)

    @override
    def _open_for_partition(self, partition: int) -> Any:
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)  # noqa: FBT003  rocksdict's signature
        options.set_write_buffer_size(WRITE_BUFFER_BYTES)
        options.set_max_write_buffer_number(2)
        options.set_max_log_file_size(1024 * 1024)
        options.set_keep_log_file_num(2)
        table = rocksdict.BlockBasedOptions()
        table.set_block_cache(self._cache)
        table.set_bloom_filter(10, block_based=False)
        options.set_block_based_table_factory(table)
        return rocksdict.Rdict(str(self.partition_path(partition)), options=options)

    @override
    def persisted_offset(self, tp: TP) -> int | None:
        """Return the changelog offset up to which this store stands."""
        at = self.stands_at(tp.partition)
        return None if at < 0 else at


class RowTable(faust.Table[bytes, bytes]):
    """Faust's table over a ``RowStore``; used for its changelog and restore only."""

    @override
    def _new_store_by_url(self, url: str | URL) -> StoreT[Any, Any]:
        return RowStore(
            url,
            self.app,
            self,
            table_name=self.name,
            key_type=self.key_type,
            key_serializer=self.key_serializer,
            value_serializer=self.value_serializer,
            value_type=self.value_type,
            loop=self.loop,
            options=self.options,
        )

    @property
    def rows(self) -> RowStore:
        """The store."""
        store = self.data
        assert isinstance(store, RowStore)
        return store
