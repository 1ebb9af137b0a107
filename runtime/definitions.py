"""What each view, table and function of the warehouse is, against what the migrations make.

Whoever may write to the engine can change what a view says and touch no row: no digest, head or
number speaks of a view. So all migrations are applied in an engine of our own that is empty, and
what that one says of itself is what the other has to say, to the letter.
"""

import tempfile
from collections.abc import Callable
from contextlib import closing

from custody.events import Micros
from runtime.verify import Check, Violation
from runtime.verify_facts import Ask
from sinks.client import open_warehouse
from sinks.migrate import load, migrate

NAME = "definitions"
"""Name of the check."""

Definitions = dict[str, str]
"""Name of a table, view or function -> the statement that makes it, as an engine says it."""

_ALL = """
SELECT name, create_table_query AS made FROM system.tables WHERE database = 'custody'
UNION ALL
SELECT concat('function ', name), create_query FROM system.functions
WHERE origin = 'SQLUserDefined'
"""
_HOLDS_NO_ROWS = ("CREATE VIEW ", "CREATE FUNCTION ")
_AGAIN = (
    "CREATE OR REPLACE VIEW custody.",
    "CREATE OR REPLACE FUNCTION ",
    "ALTER TABLE custody.v_",
)
"""How the statements of views and functions begin."""


def made() -> Definitions:
    """Return what the migrations make, by an embedded engine in a directory that is removed.

    Blocks for some 2 s of CPU. A process has one embedded engine: none may be open here.

    Raises:
        WarehouseNotOpened: One is.
    """
    with (
        tempfile.TemporaryDirectory(prefix="custody-definitions-") as directory,
        closing(open_warehouse(f"chdb://{directory}")) as empty,
    ):
        migrate(empty, Micros(0))
        return {str(name): str(text) for name, text in empty.rows(_ALL)}


def check(ask: Ask, expected: Definitions) -> Check:
    """Hold the warehouse's definitions against those that migrations make. Blocks; changes nothing.

    What stands there and is of no migration is left alone: it may be somebody's own.

    Args:
        ask: Runs SQL.
        expected: From ``made``.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    found = {str(row["name"]): str(row["made"]) for row in ask(_ALL)}
    wrong = [
        Violation(name, f"{_apart(text, found.get(name))}{_remedy(text)}")
        for name, text in sorted(expected.items())
        if found.get(name) != text
    ]
    return Check(NAME, len(expected), tuple(wrong))


def _apart(expected: str, found: str | None) -> str:
    """Say in a sentence where a definition begins to differ."""
    if found is None:
        return "is not there"
    at = next(
        (i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b),
        min(len(expected), len(found)),
    )
    return (
        f"is not what the migrations make: it has {_around(found, at)!r}"
        f" where {_around(expected, at)!r} belongs"
    )


def _remedy(expected: str) -> str:
    if not expected.startswith(_HOLDS_NO_ROWS):
        return ""
    return "; put back by custody warehouse rebuild, with the warehouse stopped"


def _around(text: str, at: int) -> str:
    return text[max(0, at - 40) : at + 60]


def put_back(command: Callable[[str], None]) -> None:
    """Make every view and function anew, as the migrations do, in their order. Blocks.

    Tables keep what they are: they hold rows.

    Args:
        command: Runs a statement that changes something, and waits for it.
    """
    for migration in load():
        for statement in migration.statements:
            if statement.startswith(_AGAIN):
                command(statement)
