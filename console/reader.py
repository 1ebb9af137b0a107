"""Runs statements that the guard let through, on clients that cannot write and have bounds."""

import queue
import re
from collections.abc import Mapping
from typing import Protocol, cast

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from console import guard
from console.config import ConsoleConfig
from custody.errors import Refused, Unavailable

_AWAY = frozenset({202, 203, 209, 210, 236, 279, 999})
_PARAMETER = re.compile(r"\{\s*(\w+)\s*:")


class Beyond(Refused):
    """A query ran into one of its bounds."""

    def __init__(self, what: str, bound: str) -> None:
        super().__init__(
            f"the query was stopped: {what}",
            expected=bound,
            next_step="ask for less: a lot, a month, a LIMIT",
        )


class Failed(Refused):
    """The engine did not take the query; the text is the engine's."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)


class Busy(Unavailable):
    """All turns are taken."""

    def __init__(self, at_once: int, waited_s: float) -> None:
        super().__init__(
            f"{at_once} queries are running and none ended within {waited_s:g} s",
            next_step="ask again in a moment",
        )


class Away(Unavailable):
    """The warehouse does not answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the warehouse does not answer: {detail}", next_step="custody status")


class _Client(Protocol):
    def raw_query(
        self, query: str, parameters: Mapping[str, str] | None = None, *, fmt: str
    ) -> bytes: ...
    def close(self) -> None: ...


class Reader:
    """Answers queries from any thread, a few at a time.

    Args:
        config: Address and bounds.
    """

    def __init__(self, config: ConsoleConfig) -> None:
        self._config = config
        self._idle: queue.Queue[_Client | None] = queue.Queue()
        for _ in range(config.queries_at_once):
            self._idle.put(None)

    def ask(self, statement: str, format_name: str, parameters: Mapping[str, str]) -> bytes:
        """Run one statement that reads and return the answer in a format of ClickHouse.

        Blocks at most ``query_wait_s`` for its turn and ``query_timeout_s`` for the answer.

        Args:
            statement: One statement; ``{name:Type}`` marks a parameter.
            format_name: One of ``guard.FORMATS``.
            parameters: Values by name; more than the statement names are left out.

        Raises:
            Refused: The guard or the engine does not take it, or a bound was passed.
            Unavailable: No turn in time, or no warehouse.
        """
        query, fmt = guard.check(statement), guard.check_format(format_name)
        named = set(_PARAMETER.findall(query))
        values = {name: value for name, value in parameters.items() if name in named}
        try:
            client = self._idle.get(timeout=self._config.query_wait_s)
        except queue.Empty as error:
            raise Busy(self._config.queries_at_once, self._config.query_wait_s) from error
        try:
            client = client or self._open()
            # Without values the driver must not touch the query: a % in it is no placeholder.
            return client.raw_query(query, values or None, fmt=fmt)
        except (ClickHouseError, OSError) as error:
            raise self._sorted(error) from error
        finally:
            self._idle.put(client)

    def close(self) -> None:
        """Close the clients that are idle."""
        while not self._idle.empty():
            client = self._idle.get_nowait()
            if client is not None:
                client.close()

    def _open(self) -> _Client:
        config = self._config
        settings = {
            "max_threads": config.threads,
            "max_execution_time": config.query_timeout_s,
            "max_memory_usage": config.query_memory_bytes,
            "max_result_rows": config.result_rows_max,
            "max_result_bytes": config.result_bytes_max,
            "result_overflow_mode": "throw",
            "output_format_json_quote_64bit_integers": 0,
            # Threads that only write rows out cost a small answer a sixth of its time.
            "output_format_parallel_formatting": 0,
            "readonly": 1,  # the last one: nothing can be set after it
        }
        client = clickhouse_connect.get_client(
            dsn=config.warehouse, database="custody", settings=settings
        )
        return cast("_Client", client)

    def _sorted(self, error: Exception) -> Refused | Unavailable:
        config, code = self._config, cast("int | None", getattr(error, "code", None))
        match code:
            case 159:  # TIMEOUT_EXCEEDED
                return Beyond("it took too long", f"at most {config.query_timeout_s:g} s")
            case 241:  # MEMORY_LIMIT_EXCEEDED
                mib = config.query_memory_bytes >> 20
                return Beyond("it needs too much memory", f"at most {mib} MiB")
            case 396:  # TOO_MANY_ROWS_OR_BYTES
                return Beyond(
                    "its answer is too large",
                    f"at most {config.result_rows_max:,} rows"
                    f" and {config.result_bytes_max >> 20} MiB",
                )
            case None:
                return Away(str(error).partition("\n")[0][:500])
            case _ if code in _AWAY:
                return Away(str(error).partition("\n")[0][:500])
            case _:
                return Failed(str(error).strip()[:2000])
