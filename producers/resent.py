"""Refused requests that were sent again: noted beside them, in the outbox's file.

The one writer besides the gateway itself, and while it runs: a note is a transaction of its own,
for which the gateway's next one waits. Notes go when their requests go.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from custody.errors import Unavailable
from custody.events import Micros
from producers import store
from producers.view import FILE


class NotNoted(Unavailable):
    """Requests were sent again, and that cannot be noted."""

    def __init__(self, path: Path, cause: Exception) -> None:
        super().__init__(
            f"sent again, and not noted in {path}: {cause}",
            expected="leave to write the outbox",
            next_step="be the user the gateway runs as, and send it again: it is a duplicate",
        )


def note(directory: Path, results: Sequence[tuple[int, str]], at: Micros) -> None:
    """Note what came of refused requests that were sent again.

    The last time counts, but what was taken once is not undone by a later refusal: that one is kept
    under a number of its own.

    Args:
        directory: Of the outbox.
        results: Number of a refused request, and what the gateway answered to it this time.
        at: When it was sent.

    Raises:
        NotNoted: The file cannot be written.
    """
    path = directory / FILE
    try:
        with closing(store.connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(store.RESENT)
            connection.executemany(
                "INSERT INTO resent VALUES (?, ?, ?) ON CONFLICT (no) DO UPDATE"
                " SET resent_at = excluded.resent_at, result = excluded.result"
                " WHERE result = 'refused' OR excluded.result != 'refused'",
                [(no, at, result) for no, result in results],
            )
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise NotNoted(path, error) from error
