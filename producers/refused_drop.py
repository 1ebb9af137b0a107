"""Dropping refused requests, beside a gateway that runs or without one."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from custody.errors import Unavailable
from custody.events import Micros
from producers import refused_number, refused_share, store
from producers.view import FILE, View

PIECE_ROWS = 500
"""Rows of one transaction: the gateway's next one waits for it."""

_EVER = (1 << 63) - 1


class NotDropped(Unavailable):
    """Refused requests cannot be dropped."""

    def __init__(self, path: Path, cause: Exception) -> None:
        super().__init__(
            f"not all were dropped from {path}: {cause}",
            expected="leave to write the outbox",
            next_step="be the user the gateway runs as, and drop them again",
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """Which requests.

    Attributes:
        numbers: These; all where there are none.
        before: Only those refused before then; None for any time.
    """

    numbers: Sequence[int] = ()
    before: Micros | None = None

    def pieces(self) -> list[tuple[str, list[int]]]:
        """Return conditions that choose them together, each with its values."""
        before = _EVER if self.before is None else self.before
        if not self.numbers:
            return [("at < ?", [before])]
        numbers = list(dict.fromkeys(self.numbers))
        return [
            (f"at < ? AND no IN ({', '.join('?' * len(some))})", [before, *some])
            for at in range(0, len(numbers), PIECE_ROWS)
            if (some := numbers[at : at + PIECE_ROWS])
        ]


def chosen(opened: View, choice: Choice) -> tuple[int, int]:
    """Return how many requests are chosen, and what they take, bytes."""
    count = size = 0
    for which, values in choice.pieces():
        found, taken = opened.connection.execute(
            f"SELECT count(*), coalesce(sum({refused_share.reckoned_sql()}), 0)"  # noqa: S608  ours
            f" FROM refused WHERE {which}",
            values,
        ).fetchone()
        count, size = count + found, size + taken
    return count, size


def drop(directory: Path, choice: Choice) -> int:
    """Drop requests with what is noted of them; return how many.

    Args:
        directory: Of the outbox.
        choice: Which.

    Raises:
        NotDropped: The file cannot be written; some may be gone.
    """
    path, dropped = directory / FILE, 0
    try:
        with closing(store.connect(path)) as connection:
            connection.execute(store.RESENT)
            # Of a gateway that has not been started since numbers are kept.
            refused_number.begin(connection)
            for which, values in choice.pieces():
                while count := _drop_some(connection, which, values):
                    dropped += count
    except sqlite3.Error as error:
        raise NotDropped(path, error) from error
    return dropped


def _drop_some(connection: sqlite3.Connection, which: str, values: list[int]) -> int:
    some = f"SELECT no FROM refused WHERE {which} ORDER BY no LIMIT {PIECE_ROWS}"  # noqa: S608  ours
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"DELETE FROM resent WHERE no IN ({some})", values)  # noqa: S608  ours
    gone = connection.execute(f"DELETE FROM refused WHERE no IN ({some})", values)  # noqa: S608  ours
    connection.execute("COMMIT")
    return gone.rowcount
