"""What the console is told: where the warehouse is, and the bounds of a query."""

from dataclasses import dataclass, field
from pathlib import Path

_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """Settings of SQL over HTTP.

    Attributes:
        warehouse: ``chdb:///path`` or ``http(s)://user:password@host:port``, as for the sink; the
            embedded engine has one process per path, so both run in that process.
        token_file: Holds the operator's token; made at the first start with mode 0600.
        analyst_token_file: Holds that of analysts, who read the views; None where there are none.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        queries_at_once: Queries that run at the same time; others wait their turn.
        quick_at_once: Queries beside them that found no turn, for ``quick_s`` each.
        quick_s: How long one of those is tried before it waits for an ordinary turn.
        queries_waiting_max: Queries that wait for a turn; more are refused at once.
        query_wait_s: Longest wait for a turn.
        query_timeout_s: Longest run of one query.
        query_memory_bytes: Memory of one query.
        result_rows_max: Rows of one answer.
        result_bytes_max: Bytes of one answer.
        query_characters_max: Length of one query.
        threads: Threads of one query; one leaves the sink the other core.
    """

    warehouse: str = field(repr=False)
    token_file: Path
    analyst_token_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8420
    queries_at_once: int = 2
    quick_at_once: int = 1
    quick_s: float = 5.0
    queries_waiting_max: int = 16
    query_wait_s: float = 10.0
    query_timeout_s: float = 60.0
    query_memory_bytes: int = 1024 * _MIB
    result_rows_max: int = 1_000_000
    result_bytes_max: int = 256 * _MIB
    query_characters_max: int = 100_000
    threads: int = 1
