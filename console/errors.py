"""How a statement fails, with ClickHouse's number for it, which its tools sort errors by."""

from collections.abc import Mapping

from console.engine import EngineError
from console.reach import LISTED_BY
from custody.errors import CustodyError, Refused, Unavailable

ACCESS_DENIED = 497
SYNTAX_ERROR = 62
SETTING_CONSTRAINT_VIOLATION = 452
NOT_IMPLEMENTED = 48
TOO_MANY_QUERIES = 202
AUTHENTICATION_FAILED = 516
SAME_ID_IS_RUNNING = 216
BAD_ARGUMENTS = 36
CANCELLED = 394
NETWORK_ERROR = 210

_AWAY = frozenset({202, 203, 209, 210, 236, 279, 999})


_COLUMNS = "SELECT view, name, meaning FROM v_columns WHERE name LIKE '%lot%'"
_LISTED: Mapping[int, str] = {
    46: f"{LISTED_BY}; functions by: SHOW FUNCTIONS",  # UNKNOWN_FUNCTION, or such a view
    47: f"the columns are listed by: DESCRIBE, or {_COLUMNS}",  # UNKNOWN_IDENTIFIER
    60: LISTED_BY,  # UNKNOWN_TABLE
}
"""What names there are, for who asked for one that is none; the engine says the nearest."""


class Coded(CustodyError):
    """An error that has one of ClickHouse's numbers."""

    code: int = BAD_ARGUMENTS


class Beyond(Coded, Refused):
    """A query ran into one of its bounds."""

    def __init__(self, what: str, bound: str, code: int) -> None:
        self.code = code
        super().__init__(
            f"the query was stopped: {what}",
            expected=bound,
            next_step="ask for less: a lot, a month, a LIMIT",
        )


class Failed(Coded, Refused):
    """The engine did not take the query; the text is the engine's."""

    def __init__(self, detail: str, code: int) -> None:
        self.code = code
        super().__init__(detail, next_step=_LISTED.get(code, ""))


class Cancelled(Coded, Refused):
    """Somebody stopped the query."""

    code = CANCELLED

    def __init__(self, query_id: str) -> None:
        super().__init__(f"the query {query_id} was cancelled", next_step="ask it again")


class Busy(Coded, Unavailable):
    """All turns are taken."""

    code = TOO_MANY_QUERIES

    def __init__(self, at_once: int, why: str) -> None:
        super().__init__(
            f"{at_once} queries are running and {why}",
            expected=f"at most {at_once} at once, the others one after the other",
            next_step="ask again in a moment",
        )


class Away(Coded, Unavailable):
    """The warehouse does not answer."""

    code = NETWORK_ERROR

    def __init__(self, detail: str) -> None:
        super().__init__(f"the warehouse does not answer: {detail}", next_step="custody status")


def sorted_error(error: EngineError, asked: Mapping[str, str], query_id: str) -> CustodyError:
    """Return what an error of the engine means to who asked.

    Args:
        error: Of the engine.
        asked: Settings that the statement ran with, its bounds among them: a request may have asked
            for less than is allowed.
        query_id: Name of the statement.
    """
    code = error.code
    memory = f"at most {int(asked['max_memory_usage']) >> 20} MiB (max_memory_usage)"
    rows, mib = int(asked["max_result_rows"]), int(asked["max_result_bytes"]) >> 20
    match code:
        case 159 | 160:  # TIMEOUT_EXCEEDED, TOO_SLOW
            found = (
                "it took too long",
                f"at most {asked['max_execution_time']} s (max_execution_time)",
            )
        case 241:  # MEMORY_LIMIT_EXCEEDED
            found = (
                "it needs too much memory",
                memory,
            )
        case 396:  # TOO_MANY_ROWS_OR_BYTES
            bound = (
                f"at most {rows:,} rows (max_result_rows) and {mib} MiB (max_result_bytes); more"
                " where they are set higher, with a format that is streamed"
            )
            found = "its answer is too large", bound
        case 394:
            return Cancelled(query_id)
        case _ if code is None or code in _AWAY:
            return Away(error.text.partition("\n")[0][:500])
        case _:
            return Failed(error.text.strip()[:2000], code)
    return Beyond(*found, 159 if code == 160 else code)
