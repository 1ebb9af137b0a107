"""How far the webhook is, and what it said last of each alert: SQLite, one change at a time."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from console import private_file
from console.live.places import Place
from console.webhook.notice import Stands
from custody.errors import Unavailable

FILE = "webhook.sqlite3"

_TABLES = """
CREATE TABLE IF NOT EXISTS place (
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  next INTEGER NOT NULL,
  silent_until INTEGER NOT NULL,
  PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert (
  alert_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  severity TEXT NOT NULL
) WITHOUT ROWID;
"""


class CursorUnreadable(Unavailable):
    """The file cannot be opened, read or written."""

    def __init__(self, path: Path, cause: Exception) -> None:
        super().__init__(
            f"webhook's place {path}: {cause}",
            expected="a file that we may read and write",
            next_step="free the disk; if it is damaged, move it away: see docs/live.md",
        )


class Cursor:
    """The file; for one thread.

    Args:
        directory: The console's; made where it is not there.

    Raises:
        CursorUnreadable: It cannot be opened or made.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        try:
            self._connection = private_file.opened(self._path, _TABLES)
        except (sqlite3.Error, OSError) as error:
            raise CursorUnreadable(self._path, error) from error

    def begin(self, bounds: Mapping[Place, tuple[int, int]]) -> dict[Place, int]:
        """Return the next offset of each partition.

        At the first start, and where the topic was made anew, that is its beginning: what stands
        there already is read for what it says of each alert, and not posted.

        Args:
            bounds: First and next offset of each partition.

        Raises:
            CursorUnreadable: It cannot be read or written.
        """
        known = self._places()
        if known.keys() == bounds.keys() and all(
            low <= known[place] <= high for place, (low, high) in bounds.items()
        ):
            return known
        rows = [(topic, number, low, high) for (topic, number), (low, high) in bounds.items()]
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("DELETE FROM place")
                self._connection.execute("DELETE FROM alert")
                self._connection.executemany("INSERT INTO place VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise CursorUnreadable(self._path, error) from error
        return self._places()

    def is_silent(self, place: Place, offset: int) -> bool:
        """Tell whether a record stood there before the webhook began."""
        found = self._connection.execute(
            "SELECT silent_until FROM place WHERE topic = ? AND partition = ?", place
        ).fetchone()
        return found is not None and offset < int(found[0])

    def stands(self, alert_id: str) -> Stands | None:
        """Return what was said last of an alert."""
        found = self._connection.execute(
            "SELECT version, state, severity FROM alert WHERE alert_id = ?", (alert_id,)
        ).fetchone()
        return None if found is None else Stands(*found)

    def keep(self, places: Mapping[Place, int], said: Mapping[str, Stands]) -> None:
        """Keep the next offsets and what was said; durable when it returns.

        Raises:
            CursorUnreadable: It cannot be written.
        """
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "UPDATE place SET next = ? WHERE topic = ? AND partition = ?",
                    [(at, topic, number) for (topic, number), at in places.items()],
                )
                self._connection.executemany(
                    "INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?)",
                    [(alert_id, *one) for alert_id, one in said.items()],
                )
        except sqlite3.Error as error:
            raise CursorUnreadable(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _places(self) -> dict[Place, int]:
        rows = self._connection.execute("SELECT topic, partition, next FROM place").fetchall()
        return {(topic, number): at for topic, number, at in rows}
