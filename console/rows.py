"""Rows of the warehouse for the desk's own questions."""

import json
from collections.abc import Callable, Mapping

from console.parameters import escaped
from console.reader import Ask as Statement
from console.reader import Reader
from console.who import Role

Row = dict[str, object]

Ask = Callable[[str, Mapping[str, str]], list[Row]]
"""Runs one statement with its parameters. Blocks; raises as ``console.reader.Reader.ask``."""


def asked(reader: Reader, statement: str, values: Mapping[str, str], query_id: str) -> list[Row]:
    """Run one statement and return its rows. Blocks; raises as ``Reader.start``.

    Args:
        reader: Runs it.
        statement: One statement.
        values: Its parameters.
        query_id: A name that no other reader of the same engine gives, as a counter would.
    """
    answer = reader.start(
        Statement(
            statement=statement,
            role=Role.OPERATOR,
            query_id=query_id,
            format="JSONEachRow",
            parameters=escaped(values),
        )
    )
    try:
        body = b"".join(iter(answer.next, None))
    finally:
        answer.close()
    return [json.loads(line) for line in body.splitlines() if line.strip()]


def time_of(cell: object) -> str | None:
    """Return a time of a row, ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC, as RFC 3339; None for none."""
    if cell is None:
        return None
    text = str(cell).replace(" ", "T")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "Z"
