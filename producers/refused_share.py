"""The share of an outbox that refused requests have to themselves, and how full it is.

Anybody with a token can have requests refused, so they must not take the room of records. What is
kept is summed up by triggers in the file itself: so the sum holds whoever adds or drops requests.

A row is reckoned at its bytes and once more up to a page of them, the most that SQLite leaves empty
beside it. So the rows never take more than they are reckoned at, whatever a sender makes of their
sizes.
"""

import sqlite3

SHARE = 0.1
"""Of the outbox's limit; the rest is for records alone."""

PAGE_BYTES = 4_096
ROW_BYTES = 64
"""Of a row's own: number, time, code, lengths, index, a note of when it was sent again."""

BODY_BYTES_MAX = 65_536
"""A refused request is kept up to this length."""

ROW_BYTES_MAX = BODY_BYTES_MAX + 2 * PAGE_BYTES
"""What a long one is reckoned at, with the answer it got."""

_KEPT, _UNKEPT = "refused_bytes", "refused_unkept"
_PAYLOAD = "(length(CAST({0}sender AS BLOB)) + length({0}reason) + length({0}body))"
_RECKONED = f"({_PAYLOAD} + min({_PAYLOAD}, {PAGE_BYTES}) + {ROW_BYTES})"
_TRIGGER = (
    "CREATE TRIGGER IF NOT EXISTS refused_{0} AFTER {0} ON refused BEGIN"
    " UPDATE meta SET value = value {1} {2} WHERE name = 'refused_bytes'; END"
)


def limit_bytes(bytes_max: int) -> int:
    """Return how much refused requests may take, by the outbox's limit."""
    return int(SHARE * bytes_max)


def records_limit_bytes(bytes_max: int) -> int:
    """Return how much all else may take."""
    return bytes_max - limit_bytes(bytes_max)


def is_full(kept: int, bytes_max: int) -> bool:
    """Return whether a long request that is refused now would not be kept."""
    return kept + ROW_BYTES_MAX > limit_bytes(bytes_max)


def reckoned_bytes(sender: str, reason: str, body: bytes) -> int:
    """Return what a row takes; ``reckoned_sql`` is the same for rows that are there."""
    payload = len(sender.encode(errors="replace")) + len(reason) + len(body)
    return payload + min(payload, PAGE_BYTES) + ROW_BYTES


def reckoned_sql(row: str = "") -> str:
    """Return an SQL expression of what a row of ``refused`` takes.

    Args:
        row: Name of the row with a point behind it, or nothing.
    """
    return _RECKONED.format(row)


def begin(connection: sqlite3.Connection) -> None:
    """Have the sum kept from now on; counts what an older version left.

    Args:
        connection: Writes; ``refused`` and ``meta`` are there.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    if _meta(connection, _KEPT) is not None:
        # Nothing to write: a gateway opens again on a disk that is full.
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (_KEPT, kept_bytes(connection)))
    connection.execute("INSERT OR IGNORE INTO meta VALUES (?, 0)", (_UNKEPT,))
    connection.execute(_TRIGGER.format("insert", "+", reckoned_sql("NEW.")))
    connection.execute(_TRIGGER.format("delete", "-", reckoned_sql("OLD.")))
    connection.execute("COMMIT")


def kept_bytes(connection: sqlite3.Connection) -> int:
    """Return what the requests that are kept take."""
    found = _meta(connection, _KEPT)
    if found is None:
        # Of a gateway that has not been started since there is a sum.
        sql = f"SELECT coalesce(sum({reckoned_sql()}), 0) FROM refused"  # noqa: S608  ours
        (found,) = connection.execute(sql).fetchone()
    return int(found)


def unkept_count(connection: sqlite3.Connection) -> int:
    """Return how many requests were refused and not kept since the outbox was made."""
    return _meta(connection, _UNKEPT) or 0


def add_unkept(connection: sqlite3.Connection, count: int) -> None:
    """Count requests that were refused and not kept."""
    connection.execute("UPDATE meta SET value = value + ? WHERE name = ?", (count, _UNKEPT))


def _meta(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])
