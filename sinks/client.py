"""One client of the warehouse, embedded or server, with errors sorted by what to do about them.

The same calls work on chDB (``chdb:///path``, one process per path) and on a ClickHouse server
(``http(s)://user:password@host:port``). Not for several threads at once: each opens its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Protocol, cast

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from custody.errors import Corrupt, Unavailable

DATABASE = "custody"

RETRYABLE = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY
        198,  # DNS_ERROR
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        236,  # ABORTED
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        999,  # KEEPER_EXCEPTION
    }
)
"""ClickHouse codes that may go away by themselves; anything else is ours to repair."""

_INSERT_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "async_insert": "0",  # 1 by default since 26; batching is ours
        "insert_deduplicate": "0",  # tokens are not crash-safe on plain MergeTree
        "throw_on_max_partitions_per_insert_block": "0",  # a hostile clock must not stop the sink
        "max_insert_block_size": "1048576",
        "min_insert_block_size_rows": "1048576",
        "min_insert_block_size_bytes": "268435456",
        "input_format_null_as_default": "1",
        "distributed_foreground_insert": "1",  # a cluster's answer means stored, not spooled
        "max_execution_time": "240",  # below the poll interval of the consumer
    }
)


_LOOK = "see that it runs and has disk and memory; `custody status` shows it"


class WarehouseUnavailable(Unavailable):
    """The warehouse did not answer, or says that it cannot now; trying again may help."""

    def __init__(
        self, code: int | None, detail: str, expected: str = "", next_step: str = _LOOK
    ) -> None:
        self.code = code
        super().__init__(
            f"the warehouse cannot be used now: {detail}", expected=expected, next_step=next_step
        )


class WarehouseNotOpened(WarehouseUnavailable):
    """The embedded engine did not begin: as a rule another process has its directory open."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            None,
            detail,
            expected="a directory that may be written and that no other process has open",
            next_step="stop the warehouse first: custody down",
        )


class WarehouseRefused(Corrupt):
    """The warehouse refuses a statement of ours: program and tables do not fit together."""

    def __init__(self, code: int | None, detail: str) -> None:
        self.code = code
        super().__init__(
            f"the warehouse refused a statement: {detail}",
            expected="tables as after all migrations of this release",
            next_step="compare `custody sql 'SELECT * FROM schema_migrations'` with the release",
        )


class _Client(Protocol):
    """The part of clickhouse_connect's client we use, typed."""

    def command(self, cmd: str, parameters: Mapping[str, object] | None = None) -> object: ...
    def query(self, query: str, parameters: Mapping[str, object] | None = None) -> "_Rows": ...
    def insert(
        self,
        table: str,
        data: Sequence[Sequence[object]],
        column_names: Sequence[str],
        *,
        database: str,
        settings: Mapping[str, str],
    ) -> object: ...
    def insert_arrow(
        self, table: str, arrow_table: pa.Table, *, database: str, settings: Mapping[str, str]
    ) -> object: ...
    def close(self) -> None: ...


class _Rows(Protocol):
    result_rows: Sequence[Sequence[object]]


class Warehouse:
    """An open client; ``close`` it, or use it in a ``with``."""

    def __init__(self, client: _Client, *, embedded: bool) -> None:
        self._client = client
        self.embedded = embedded

    def command(self, statement: str) -> None:
        """Run a statement that changes something; blocks until it is done.

        Raises:
            WarehouseUnavailable: Trying again may help.
            WarehouseRefused: It will not.
        """
        with _sorted_errors():
            self._client.command(statement)

    def rows(
        self, query: str, parameters: Mapping[str, object] | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows of a query; errors as ``command``."""
        with _sorted_errors():
            return self._client.query(query, parameters=parameters).result_rows

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Insert a few rows of plain values in one insert; errors as ``command``."""
        with _sorted_errors():
            self._client.insert(
                table, rows, columns, database=DATABASE, settings=dict(_INSERT_SETTINGS)
            )

    def insert_arrow(self, table: str, rows: pa.Table, query_id: str) -> None:
        """Insert an Arrow table in one insert; a failed one may have left some of its rows.

        Args:
            table: Table of our database; it has every column of ``rows``.
            rows: What to insert.
            query_id: Name of the insert, so that ``running`` can find it on a server.

        Raises:
            WarehouseUnavailable: Read back what is in before trying again.
            WarehouseRefused: Trying again does not help.
        """
        settings = dict(_INSERT_SETTINGS)
        if not self.embedded:
            settings["query_id"] = query_id
        with _sorted_errors():
            self._client.insert_arrow(table, rows, database=DATABASE, settings=settings)

    def running(self, query_id: str) -> bool:
        """Return whether a server still works on an insert that we have given up waiting for."""
        if self.embedded:
            return False
        found = self.rows(
            "SELECT count() FROM system.processes WHERE query_id = {id:String}", {"id": query_id}
        )
        return found[0][0] != 0

    def close(self) -> None:
        """Close the client. The embedded engine ends with its last client."""
        self._client.close()


def open_warehouse(address: str) -> Warehouse:
    """Open a client.

    Args:
        address: ``chdb:///path`` or ``http(s)://user:password@host:port``.

    Raises:
        WarehouseUnavailable: It does not answer.
        WarehouseNotOpened: As a rule another process holds the path.
    """
    embedded = address.startswith("chdb:")
    try:
        client = clickhouse_connect.get_client(dsn=address)
    except (ClickHouseError, OSError) as error:
        if embedded:
            raise WarehouseNotOpened(_first_line(error)) from error
        raise WarehouseUnavailable(getattr(error, "code", None), _first_line(error)) from error
    return Warehouse(cast("_Client", client), embedded=embedded)


@contextmanager
def _sorted_errors() -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        code = cast("int | None", getattr(error, "code", None))
        if code is None or code in RETRYABLE:
            raise WarehouseUnavailable(code, _first_line(error)) from error
        raise WarehouseRefused(code, _first_line(error)) from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:500]
