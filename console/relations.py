"""Which tables a query reads, by a parser; and whether its role may.

sqlglot reads ClickHouse's dialect. Known gaps of it do not matter here or are refused: SHOW and
EXPLAIN are read as opaque commands (``console/statements.py`` reads those), a function may get
another name (tokens judge functions), and what it cannot parse is refused with its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from console import reach
from console.asked import changeable_sql
from console.dialect import CustodyClickHouse
from console.rules import NotAllowed, Rule, place
from console.who import Role

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEAR_MAX = 3
_WRITES = (exp.Command, exp.DDL, exp.DML, exp.Into, exp.Set, exp.Use, exp.Kill, exp.Pragma)
_SOURCES = (exp.Table, exp.Query, exp.Values)
_SETTINGS = "SELECT * REPLACE (toUInt8(NOT ({})) AS readonly) FROM system.settings"


@dataclass(frozen=True, slots=True)
class Readable:
    """What a role may read.

    Attributes:
        role: Whose.
        tables: Names in the database custody.
    """

    role: Role
    tables: frozenset[str]

    def check(self, database: str, name: str, found: str, where: str = "") -> None:
        """Refuse a table that the role may not read.

        Raises:
            NotAllowed: It may not.
        """
        if not _NAME.fullmatch(name):
            raise NotAllowed(Rule.TABLE, found, where)
        if self.role is Role.OPERATOR:
            if database and database not in reach.DATABASES:
                raise NotAllowed(Rule.TABLE, found, where)
            return
        if database == "system":
            if name not in reach.SYSTEM_TABLES:
                raise NotAllowed(Rule.SYSTEM, found, where)
            return
        if database not in {"", "custody"}:
            raise NotAllowed(Rule.TABLE, found, where)
        if not (name.startswith(reach.VIEW_PREFIX) or name in reach.SHARED_TABLES):
            raise NotAllowed(Rule.VIEW, found, where, self._near(name))

    def _near(self, name: str) -> list[str]:
        """Return the views that may be meant by the name of a table, or nearly of a view."""
        prefix = reach.VIEW_PREFIX
        views = {one.removeprefix(prefix): one for one in self.tables if one.startswith(prefix)}
        return [views[one] for one in get_close_matches(name.lower(), views, _NEAR_MAX, 0.7)]


def checked(text: str, readable: Readable) -> str:
    """Return a query as the engine is to be asked it.

    Args:
        text: A statement without comments that begins with SELECT, WITH or a bracket.
        readable: What may be read.

    Raises:
        NotAllowed: It reads something else, does something else, or cannot be parsed.
    """
    tree = parsed(text)
    names = _names(text, tree, readable)
    _check_sources(text, tree)
    _check_in(text, tree, readable, names)
    spans = list(_check_tables(text, tree, readable, names))
    for start, end, instead in sorted(spans, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def parsed(text: str) -> exp.Query:
    """Return the tree of one query.

    Raises:
        NotAllowed: It cannot be parsed, or is no query.
    """
    try:
        trees = sqlglot.parse(text, dialect=CustodyClickHouse)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        where = f"line {first['line']}, column {first['col']}" if first.get("line") else ""
        raise NotAllowed(Rule.PARSE, str(first.get("highlight") or text[:40]), where) from error
    except RecursionError as error:
        raise NotAllowed(Rule.DEPTH, text[:40]) from error
    except (SqlglotError, ValueError, TypeError, AttributeError) as error:
        # The parser meets the unexpected with whatever its tree's constructor says.
        raise NotAllowed(Rule.PARSE, text[:40]) from error
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Query):
        raise NotAllowed(Rule.STATEMENT, text[:40])
    for node in tree.find_all(*_WRITES):
        raise NotAllowed(Rule.READS, node.key.upper())
    return tree


def _names(text: str, tree: exp.Query, readable: Readable) -> frozenset[str]:
    """Return the names that WITH gives; one that a table has could stand for either."""
    found = set[str]()
    for node in tree.find_all(exp.CTE):
        name = node.alias
        if readable.role is Role.ANALYST and name in readable.tables:
            raise NotAllowed(Rule.NAME, name, _place(text, node.args["alias"]))
        found.add(name)
    return frozenset(found)


def _check_sources(text: str, tree: exp.Query) -> None:
    for node in tree.find_all(exp.From, exp.Join, exp.Exists, exp.Lateral):
        source = node.this
        while isinstance(source, exp.Final):
            source = source.this
        is_array = isinstance(node, exp.Join) and "ARRAY" in str(node.args.get("kind") or "")
        if not is_array and not isinstance(source, _SOURCES):
            raise NotAllowed(Rule.TABLE, node.sql("clickhouse"), _place(text, node))
    for name in tree.find_all(exp.Identifier):
        # IN(a, t) as a function names a table where a value stands.
        if not name.args.get("quoted") and name.name.upper() == "IN":
            raise NotAllowed(Rule.FUNCTION, "IN", _place(text, name))


def _check_in(text: str, tree: exp.Query, readable: Readable, names: frozenset[str]) -> None:
    """What stands alone after IN is a table where there is one of that name."""
    for node in tree.find_all(exp.In):
        right = node.args.get("field")
        if right is None and len(node.expressions) == 1:
            right = node.expressions[0]
        while isinstance(right, exp.Paren):
            right = right.this
        if isinstance(right, exp.Anonymous) and right.name.lower() in reach.TABLE_FUNCTIONS:
            continue
        if not isinstance(right, exp.Column | exp.Dot):
            continue
        parts = [part.name for part in right.parts]
        *databases, name = parts
        is_column = databases and databases[0] not in reach.DATABASES | {"default"}
        if is_column or (not databases and (name in names or name not in readable.tables)):
            continue
        found, where = ".".join(parts), _place(text, right)
        readable.check(databases[0] if databases else "", name, found, where)
        if databases[:1] == ["system"] and name in reach.SUBSTITUTES:
            raise NotAllowed(Rule.SYSTEM, found, where)


def _check_tables(
    text: str, tree: exp.Query, readable: Readable, names: frozenset[str]
) -> Iterator[tuple[int, int, str]]:
    """Check each table; yield start, end and what is asked instead, for those shown in part."""
    for table in tree.find_all(exp.Table):
        found, where = table.sql("clickhouse"), _place(text, table)
        if table.catalog or not isinstance(table.this, exp.Identifier | exp.Anonymous):
            raise NotAllowed(Rule.TABLE, found, where)
        if isinstance(table.this, exp.Anonymous):
            _check_function(table, found, where)
        elif table.db or table.name not in names:
            readable.check(table.db, table.name, found, where)
            instead = _instead(table, readable.role)
            if instead:
                start, end = table.args["db"].meta["start"], table.this.meta["end"] + 1
                yield start, end, instead


def _check_function(table: exp.Table, found: str, where: str) -> None:
    name = table.this.name
    if table.db not in {"", "custody"}:
        raise NotAllowed(Rule.TABLE, found, where)
    is_view = name.startswith(reach.VIEW_PREFIX)
    if not is_view and (table.db or name.lower() not in reach.TABLE_FUNCTIONS):
        raise NotAllowed(Rule.TABLE, found, where)


def _instead(table: exp.Table, role: Role) -> str:
    if table.db != "system":
        return ""
    if table.name == "settings":
        query = _SETTINGS.format(changeable_sql())
    elif role is Role.ANALYST and table.name in reach.SUBSTITUTES:
        query = reach.SUBSTITUTES[table.name]
    else:
        return ""
    return f"({query})" if table.alias else f"({query}) AS {table.name}"


def _place(text: str, node: exp.Expression) -> str:
    for found in node.find_all(exp.Identifier):
        if "start" in found.meta:
            return place(text, found.meta["start"])
    return ""
