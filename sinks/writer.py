"""Inserts rows and reads back what is in: the two halves of exactly once.

An insert that failed may have left some of its rows, since each table and each month is a part of
its own. So nothing is ever inserted a second time before the rows that are in have been read.
"""

import time
from collections.abc import Callable, Iterator
from itertools import count
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

from sinks.client import Warehouse, WarehouseUnavailable
from sinks.config import SinkConfig
from sinks.prints import without
from sinks.readback import rows_from


class Writer:
    """Writes to one warehouse from one thread.

    Args:
        warehouse: Where to.
        config: Limits.
        idle: Waits so many seconds without losing the partitions.
    """

    def __init__(
        self, warehouse: Warehouse, config: SinkConfig, idle: Callable[[float], None]
    ) -> None:
        self._warehouse = warehouse
        self._config = config
        self._idle = idle

    def insert(self, table: str, rows: pa.Table, query_id: str) -> None:
        """Insert rows, all of them once; blocks until they are confirmed.

        Tries again while the warehouse says that it cannot now, within ``retry_budget_s``, each
        time with the rows that are not in.

        Args:
            table: Table of our database.
            rows: Rows with the envelope; none of them is in.
            query_id: Name of the insert, different for every batch.

        Raises:
            WarehouseUnavailable: The budget is used up.
            WarehouseRefused: Trying again does not help.
        """
        missing = rows
        for no, wait_s in enumerate(waits(self._config), start=1):
            name = f"{query_id}-{no}"
            try:
                if no > 1:
                    missing = self._missing(table, rows, f"{query_id}-{no - 1}")
                if missing.num_rows:
                    self._warehouse.insert_arrow(table, missing, name)
            except WarehouseUnavailable:
                if wait_s is None:
                    raise
                self._idle(wait_s)
            else:
                return

    def insert_unless(
        self, table: str, rows: pa.Table, query_id: str, is_in: Callable[[pa.Table], bool]
    ) -> None:
        """Insert rows that are one part, all or none; before a second try ask ``is_in``.

        Raises:
            WarehouseUnavailable: The budget is used up.
            WarehouseRefused: Trying again does not help.
        """
        for no, wait_s in enumerate(waits(self._config), start=1):
            try:
                if no == 1 or not is_in(rows):
                    self._warehouse.insert_arrow(table, rows, f"{query_id}-{no}")
            except WarehouseUnavailable:
                if wait_s is None:
                    raise
                self._idle(wait_s)
            else:
                return

    def _missing(self, table: str, rows: pa.Table, last_try: str) -> pa.Table:
        if self._warehouse.running(last_try):
            raise WarehouseUnavailable(None, f"insert {last_try} is still running")
        left = []
        for topic, starts in _places(rows).items():
            found = rows_from(self._warehouse, topic, [table], starts)
            for partition, present in found.items():
                place = pc.and_(
                    pc.equal(rows["topic"].cast(pa.string()), topic),
                    pc.equal(rows["partition"], partition),
                )
                left.append(without(table, rows.filter(place), present))
        return pa.concat_tables(left).unify_dictionaries()


def waits(config: SinkConfig) -> Iterator[float | None]:
    """Yield how long to wait after each failed try; None where it was the last one.

    Doubling, within ``retry_budget_s``; the instance's name spreads several sinks apart, as
    chance would.
    """
    end = time.monotonic() + config.retry_budget_s
    bound = config.retry_wait_s
    for no in count():
        if time.monotonic() >= end:
            break
        spread = crc32(f"{config.instance}/{no}".encode()) / 2**32
        yield bound * (1 + spread) / 2
        bound = min(bound * 2, config.retry_wait_s_max)
    yield None


def _places(rows: pa.Table) -> dict[str, dict[int, int]]:
    """Return the lowest offset of every topic and partition in a table."""
    found: dict[str, dict[int, int]] = {}
    grouped = rows.select(["topic", "partition", "offset"]).group_by(["topic", "partition"])
    for row in grouped.aggregate([("offset", "min")]).to_pylist():
        found.setdefault(row["topic"], {})[row["partition"]] = row["offset_min"]
    return found
