"""What is known of dropped files: by the digest of their content, in the outbox's own file.

In the same file, because both have to be restored together: an older copy of the outbox does not
know events that came later, and must not believe that their files are taken. A part is written
after the outbox has its requests on disk, so what stands here is never ahead of the outbox.

A file is *open* while it is read, *settled* once each request has its answer, and *moved* when it
and its result are where they belong. Answers are kept until then, so that a result is the same
whatever crash came between.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from custody.events import Micros
from producers import store

Item = dict[str, object]

_TABLES = """
-- One row per content, for ever: how a file is known again.
CREATE TABLE IF NOT EXISTS drop_file (
  digest BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  settled_at INTEGER,
  moved INTEGER NOT NULL DEFAULT 0,
  reached INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  duplicate INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- The answers of a file that is not moved yet.
CREATE TABLE IF NOT EXISTS drop_part (
  digest BLOB NOT NULL,
  reached INTEGER NOT NULL,
  items TEXT NOT NULL,
  PRIMARY KEY (digest, reached)
);
"""

_COLUMNS = "name, begun_at, settled_at, moved, reached, accepted, duplicate, refused"

_COUNT = """
UPDATE drop_file SET reached = ?, accepted = accepted + ?, duplicate = duplicate + ?,
  refused = refused + ? WHERE digest = ?
"""
_DROP_SETTLED = """
DELETE FROM drop_part WHERE digest IN (SELECT digest FROM drop_file WHERE settled_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a content.

    Attributes:
        name: The file's name when it first came.
        begun_at: When reading began.
        settled_at: When each of its requests had its answer; None while it is open.
        moved: Whether it is where it belongs.
        reached: How many requests of it have their answer, from the first on.
        accepted: Requests accepted.
        duplicate: Requests that were known.
        refused: Requests refused.
    """

    name: str
    begun_at: Micros
    settled_at: Micros | None
    moved: bool
    reached: int
    accepted: int
    duplicate: int
    refused: int


class DropState:
    """The two tables. For one thread.

    Args:
        database: The outbox's file.

    Raises:
        sqlite3.Error: It cannot be written now. So do all methods.
    """

    def __init__(self, database: Path) -> None:
        self._connection = store.connect(database)
        self._connection.executescript(_TABLES)

    def get(self, digest: bytes) -> Known | None:
        """Return what is known of a content, or None."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM drop_file WHERE digest = ?",  # noqa: S608  a constant
            (digest,),
        ).fetchone()
        if row is None:
            return None
        name, begun_at, settled_at, moved, *counts = row
        return Known(name, begun_at, settled_at, moved == 1, *counts)

    def begin(self, digest: bytes, name: str, at: Micros) -> Known:
        """Note that a content is being read from its beginning; return that."""
        self._write(
            ("DELETE FROM drop_part WHERE digest = ?", (digest,)),
            (
                "INSERT OR REPLACE INTO drop_file (digest, name, begun_at) VALUES (?, ?, ?)",
                (digest, name, at),
            ),
        )
        return Known(name, at, None, moved=False, reached=0, accepted=0, duplicate=0, refused=0)

    def add(self, digest: bytes, items: Sequence[Item], reached: int) -> None:
        """Keep the answers of the next requests.

        Args:
            digest: Of the content.
            items: The answers.
            reached: How many requests have theirs now.
        """
        counts = [
            sum(item["result"] == result for item in items)
            for result in ("accepted", "duplicate", "refused")
        ]
        kept = json.dumps(items)
        self._write(
            ("INSERT INTO drop_part VALUES (?, ?, ?)", (digest, reached, kept)),
            (_COUNT, (reached, *counts, digest)),
        )

    def items(self, digest: bytes) -> Iterator[Item]:
        """Yield the kept answers in order."""
        rows = self._connection.execute(
            "SELECT items FROM drop_part WHERE digest = ? ORDER BY reached", (digest,)
        )
        for (text,) in rows:
            yield from cast(list[Item], json.loads(text))

    def settle(self, digest: bytes, at: Micros) -> None:
        """Note that each request has its answer."""
        self._write(("UPDATE drop_file SET settled_at = ? WHERE digest = ?", (at, digest)))

    def close_moved(self, digest: bytes) -> None:
        """Note that the file is where it belongs; its answers are in its result."""
        self._write(
            ("UPDATE drop_file SET moved = 1 WHERE digest = ?", (digest,)),
            ("DELETE FROM drop_part WHERE digest = ?", (digest,)),
        )

    def close_all_moved(self) -> None:
        """Note the same of all that are settled: for when no file is being taken."""
        self._write(
            (_DROP_SETTLED, ()),
            ("UPDATE drop_file SET moved = 1 WHERE settled_at IS NOT NULL AND moved = 0", ()),
        )

    def forget(self, digest: bytes) -> None:
        """Forget a content, so that it is read from its beginning when it comes again."""
        self._write(
            ("DELETE FROM drop_part WHERE digest = ?", (digest,)),
            ("DELETE FROM drop_file WHERE digest = ?", (digest,)),
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _write(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in statements:
                self._connection.execute(statement, values)
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
