"""One process per outbox: a lock that ends with its process, however it ends.

The lock is SQLite's own, on an empty database. SQLite locks files on every system a gateway runs
on, while each of those systems has a call of its own for it; and what is tested on one of them is
what runs on the others.
"""

import sqlite3
from pathlib import Path

from custody.errors import Unavailable


class OutboxInUse(Unavailable):
    """Another process has the outbox open."""

    def __init__(self, directory: object) -> None:
        super().__init__(
            f"outbox in {directory} is in use by another process",
            expected="one gateway per outbox",
            next_step="custody status, then custody down; or stop the service that runs it",
        )


def locked(directory: Path) -> sqlite3.Connection:
    """Return a connection that holds the outbox's lock until it is closed.

    Nothing is ever written through it: the file stays empty.

    Raises:
        OutboxInUse: Another process holds it, or another connection of this one.
        sqlite3.Error: The file cannot be opened.
    """
    connection = sqlite3.connect(
        directory / "lock", isolation_level=None, timeout=0, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # a journal of nothing is a file too many
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise OutboxInUse(directory) from None
        raise
    return connection
