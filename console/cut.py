"""Lists of pages have an end, and say what stands behind it.

The statement of such a list orders it by what is needed most and ends with ``CUT``.
"""

from collections.abc import Mapping, Sequence

from console.answering import asked_rows
from console.rows import Ask, Row

ROWS_MAX = 5_000
"""Rows of a list; a page draws them all."""

CUT = f"LIMIT {ROWS_MAX}"
"""Ends the statement of a list."""


def left_out(
    ask: Ask,
    statement: str,
    values: Mapping[str, str],
    rows: Sequence[Row],
    counted: str = "count() AS n",
) -> Row:
    """Return how many rows stand behind the end of a list. Blocks where it is full.

    Args:
        ask: Reads the warehouse.
        statement: Gave the list; ends with ``CUT``.
        values: Its parameters.
        rows: The list.
        counted: How they are counted: ``countIf(...) AS <name>``, or several.

    Returns:
        Numbers by the names of ``counted``; empty where the list is whole.

    Raises:
        Problem: The warehouse is away.
    """
    if len(rows) < ROWS_MAX:
        return {}
    all_rows = statement.rstrip().removesuffix(CUT)
    behind = f"SELECT {counted} FROM ({all_rows} OFFSET {ROWS_MAX})"  # noqa: S608  constants
    return asked_rows(ask, behind, values)[0]
