"""sqlglot's ClickHouse with its gaps filled, as far as which tables are read goes.

sqlglot 30.30 reads ``a ? b : c`` everywhere but as a lambda's body, takes ``LIMIT 1 BY x`` with
``LIMIT 10`` behind it for a repeat, and holds functions against the number of arguments that they
have elsewhere: ``arraySum(f, a, b)``. The parser's methods and tables that this overrides are not
its public interface, so its version is pinned exactly and ``tests/unit/console/test_guard.py``
reads one of each.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.parsers.clickhouse import ClickHouseParser
from sqlglot.tokenizer_core import TokenType


def _lambda(parser: ClickHouseParser, names: list[exp.Expr | None]) -> exp.Expr:
    return parser.expression(exp.Lambda(this=parser._parse_assignment(), expressions=names))  # noqa: SLF001


def _limit(parser: ClickHouseParser) -> tuple[str, exp.Expr | None]:
    found = parser._parse_limit()  # noqa: SLF001
    return "limit_by" if found is not None and found.expressions else "limit", found


class _Parser(ClickHouseParser):
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    LAMBDAS: ClassVar = {**ClickHouseParser.LAMBDAS, TokenType.ARROW: _lambda}
    QUERY_MODIFIER_PARSERS: ClassVar = {
        **ClickHouseParser.QUERY_MODIFIER_PARSERS,
        TokenType.LIMIT: _limit,
    }


class CustodyClickHouse(ClickHouse):
    """What statements at the SQL door are read as."""

    Parser = _Parser  # type: ignore[mutable-override]
