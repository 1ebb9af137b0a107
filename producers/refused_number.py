"""Numbers of refused requests: one that was given never names another request.

SQLite gives a table's highest number plus one, and so gives it anew once the newest rows have gone.
Somebody who has noted 17 would then show, send again or drop a request he has never seen. So the
file keeps the highest number that has gone, by a trigger: it holds whoever drops requests. What is
there still says its own number, so that adding one writes nothing more.
"""

import sqlite3

_TRIGGER = """
CREATE TRIGGER IF NOT EXISTS refused_gone AFTER DELETE ON refused BEGIN
  INSERT OR REPLACE INTO meta SELECT 'refused_no_gone', max(OLD.no, coalesce(
    (SELECT value FROM meta WHERE name = 'refused_no_gone'), 0));
END
"""

INSERT = """
INSERT INTO refused (no, at, sender, code, reason, body) VALUES (
  1 + max(coalesce((SELECT max(no) FROM refused), 0),
          coalesce((SELECT value FROM meta WHERE name = 'refused_no_gone'), 0)),
  ?, ?, ?, ?, ?)
"""
"""Adds a request under the next number."""


def begin(connection: sqlite3.Connection) -> None:
    """Have numbers that go kept from now on; writes only where an older version made the file.

    Args:
        connection: Writes; ``refused`` and ``meta`` are there.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    connection.execute(_TRIGGER)
