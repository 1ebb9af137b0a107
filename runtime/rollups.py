"""What is stored beside its base: held against it, and made anew from it.

``edge`` (from transfers), ``event``, ``correction`` and ``repeated`` (from facts) are rows of the
sink; ``daily`` is two projections in the parts of the transfers. They differ from their base only
after an edit by hand, or where a disk does not give back what was written.
"""

from collections.abc import Callable
from dataclasses import replace

from runtime.verify import VIOLATIONS_MAX, Check, Violation
from runtime.verify_facts import Ask
from sinks.migrate import load

ROLLUPS = ("edge", "event", "correction", "repeated", "daily")
"""In the order in which they are made anew."""

_BACKFILLS = {
    table: statement
    for migration in load()
    for statement in migration.statements
    for table in ROLLUPS
    if statement.startswith(f"INSERT INTO custody.{table} ")
}
"""How a migration filled a table from its base: the one place that says it in SQL."""

_DAILY = """
SELECT day, {side} AS side, sum(mass_wet_g) AS wet_g, sum(mass_dry_g) AS dry_g,
    sumMap(`metals.analyte`, `metals.value_mg`) AS metals, count() AS moves
FROM (SELECT *, {side}, toDate32(effective_at) AS day FROM custody.transfer {where})
GROUP BY day, side
"""
_PROJECTIONS = {"arriving": "arrives", "leaving": "leaves"}
"""Projection of the transfers -> the column it sums by."""
_BY_SCAN = "WHERE offset >= 0"
"""Of a column that the projections have not, so that the engine reads the rows."""


def check(ask: Ask) -> list[Check]:
    """Hold each rollup against its base. Blocks; changes nothing; reads all of both.

    Args:
        ask: Runs SQL.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    stored = {table: f"SELECT {_columns(table)} FROM custody.{table}" for table in _BACKFILLS}  # noqa: S608
    sides = {table: (stored[table], _base(table)) for table in stored}
    sides["daily"] = (_daily(""), _daily(_BY_SCAN))
    return [_held(ask, name, *sides[name]) for name in ROLLUPS]


def lasting(ask: Ask) -> list[Check]:
    """Hold each rollup against its base beside a sink that stores; likewise.

    A flush under way is seen in part: what differs is looked for again, and has to stay.
    """
    first = check(ask)
    if all(one.clean for one in first):
        return first
    stood = {(one.name, violation) for one in first for violation in one.violations}
    return [
        replace(one, violations=tuple(v for v in one.violations if (one.name, v) in stood))
        for one in check(ask)
    ]


def rebuild(command: Callable[[str], None]) -> None:
    """Make each rollup anew from its base. Blocks for as long as all of them take.

    The tables are made beside the old ones and change places with them in one step. Nothing may
    be stored meanwhile: what the sink stored after the copy would be missing in it.

    Args:
        command: Runs a statement that changes something, and waits for it.
    """
    for table, filled in _BACKFILLS.items():
        fresh = f"custody.{table}_rebuilt"
        command(f"DROP TABLE IF EXISTS {fresh} SYNC")
        command(f"CREATE TABLE {fresh} AS custody.{table}")
        command(filled.replace(f"custody.{table}", fresh))
        command(f"EXCHANGE TABLES {fresh} AND custody.{table}")
        command(f"DROP TABLE {fresh} SYNC")
    for name in _PROJECTIONS:
        for step in ("CLEAR", "MATERIALIZE"):
            command(f"ALTER TABLE custody.transfer {step} PROJECTION {name} {_WAITED_FOR}")


_WAITED_FOR = "SETTINGS mutations_sync = 2"


def _daily(where: str) -> str:
    return " UNION ALL ".join(
        _DAILY.format(side=side, where=where) for side in _PROJECTIONS.values()
    )


def _columns(table: str) -> str:
    """Return the columns a backfill fills, as it names them."""
    return _BACKFILLS[table].partition("(")[2].partition(")")[0]


def _base(table: str) -> str:
    """Return the rows a table should have: the backfill's SELECT, leaving nothing out."""
    select = "SELECT" + _BACKFILLS[table].partition("\nSELECT")[2]
    cut = select.rindex("(topic, partition, offset) NOT IN")
    return select[:cut].rstrip().removesuffix("AND").removesuffix("WHERE")


def _held(ask: Ask, name: str, stored: str, base: str) -> Check:
    """Compare counts and sums of hashes, and row by row only where they differ."""
    [ours], [theirs] = ask(_SUM.format(rows=stored)), ask(_SUM.format(rows=base))
    examined = int(str(theirs["n"]))
    if ours == theirs:
        return Check(name, examined, ())
    found = ask(_DIFFERENT.format(stored=stored, base=base))
    violations = tuple(Violation(str(row["line"]), str(row["what"])) for row in found)
    return Check(name, examined, violations)


_SUM = "SELECT count() AS n, toString(sum(cityHash64(tuple(*)::String))) AS rows FROM ({rows})"
_DIFFERENT = f"""
SELECT substring(line, 1, 200) AS line, if(sum(side) > 0, 'is too much', 'is missing') AS what
FROM
(
    SELECT tuple(*)::String AS line, 1 AS side FROM ({{stored}})
    UNION ALL
    SELECT tuple(*)::String, -1 FROM ({{base}})
)
GROUP BY line HAVING sum(side) != 0 LIMIT {VIOLATIONS_MAX}
"""  # noqa: S608  put together from constants of this module
