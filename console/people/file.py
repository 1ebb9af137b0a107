"""The file of users, sessions and deeds: SQLite, open to its owner alone.

SQLite, because the command line and the running console both have it open: each change is whole,
durable when it returns, and counts at the next request, for the other process, too.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console import private_file
from custody.errors import Unavailable

FILE = "people.sqlite3"

_PATIENT_S = 5.0

_TABLES = """
CREATE TABLE IF NOT EXISTS user (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  must_change INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  disabled_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
  digest BLOB PRIMARY KEY,
  user TEXT NOT NULL REFERENCES user (name),
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_user ON session (user);
CREATE TABLE IF NOT EXISTS deed (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  what TEXT NOT NULL,
  about TEXT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS deed_stays BEFORE UPDATE ON deed
  BEGIN SELECT RAISE(ABORT, 'what was done stays'); END;
CREATE TRIGGER IF NOT EXISTS deed_remains BEFORE DELETE ON deed
  BEGIN SELECT RAISE(ABORT, 'what was done stays'); END;
"""


class PeopleUnreadable(Unavailable):
    """The file of users cannot be opened, read or written."""

    def __init__(self, path: Path, cause: Exception) -> None:
        super().__init__(
            f"users {path}: {cause}",
            expected="a file of users that we may read and write",
            next_step="see docs/access.md, lost users",
        )


class PeopleFile:
    """The file. Threads may share it; each call waits for the one before.

    Args:
        directory: The console's; made where it is not there.

    Raises:
        PeopleUnreadable: It cannot be opened or made.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self._lock = threading.RLock()
        try:
            self._connection = private_file.opened(
                self.path, _TABLES, patient_s=_PATIENT_S, one_thread=False
            )
        except (sqlite3.Error, OSError) as error:
            raise PeopleUnreadable(self.path, error) from error

    def rows(self, statement: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows.

        Raises:
            PeopleUnreadable: It cannot be run.
        """
        with self._lock:
            try:
                return self._connection.execute(statement, tuple(values)).fetchall()
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error as error:
                raise PeopleUnreadable(self.path, error) from error

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Make all statements of a block one change, or none of them where it raises."""
        with self._lock:
            self.rows("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.rows("ROLLBACK")
                raise
            self.rows("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
