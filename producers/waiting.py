"""What waits in an outbox for Kafka, partition by partition. Statements only; any thread."""

import sqlite3

from custody.events import Micros
from producers import store
from producers.chain import Entry

Place = tuple[str, int]
"""Topic and partition."""

_OF_A_PLACE = (
    f"SELECT {store.ENTRY_COLUMNS} FROM entry INDEXED BY entry_waiting"  # noqa: S608  constants
    " WHERE topic = ? AND partition = ? AND no > ? AND no <= ? AND published_at IS NULL"
    " ORDER BY no LIMIT ?"
)


def count(connection: sqlite3.Connection) -> int:
    """Return how many entries wait."""
    sql = "SELECT count(*) FROM entry INDEXED BY entry_waiting WHERE published_at IS NULL"
    return int(connection.execute(sql).fetchone()[0])


def newest(connection: sqlite3.Connection) -> dict[Place, int]:
    """Return the highest number that waits, of each partition where any does."""
    rows = connection.execute(
        "SELECT topic, partition, max(no) FROM entry INDEXED BY entry_waiting"
        " WHERE published_at IS NULL GROUP BY topic, partition"
    )
    return {(topic, partition): no for topic, partition, no in rows}


def lowest(connection: sqlite3.Connection) -> int | None:
    """Return the lowest number that waits; None where nothing does."""
    rows = connection.execute(
        "SELECT min(no) FROM entry INDEXED BY entry_waiting WHERE published_at IS NULL"
        " GROUP BY topic, partition"
    )
    return min((no for (no,) in rows), default=None)


def since(connection: sqlite3.Connection, floor: int) -> Micros | None:
    """Return when the first entry was taken that waits, or None.

    Args:
        connection: Any.
        floor: All entries below are published, so that none of them is looked at.
    """
    row = connection.execute(
        "SELECT accepted_at FROM entry WHERE no >= ? AND published_at IS NULL ORDER BY no LIMIT 1",
        (floor,),
    ).fetchone()
    return None if row is None else Micros(row[0])


def published_from(connection: sqlite3.Connection, floor: int) -> set[int]:
    """Return the published entries from a number on."""
    rows = connection.execute(
        "SELECT no FROM entry WHERE no >= ? AND published_at IS NOT NULL", (floor,)
    )
    return {no for (no,) in rows}


def read(
    connection: sqlite3.Connection, place: Place, after: int, upto: int, limit: int
) -> list[Entry]:
    """Return what waits of one partition, in order.

    Its cost is that of the entries it returns, however many of other partitions lie between them.

    Args:
        connection: Any.
        place: Topic and partition.
        after: Entries behind this number.
        upto: And not behind this one.
        limit: Most entries.
    """
    rows = connection.execute(_OF_A_PLACE, (*place, after, upto, limit))
    return [store.entry_of(row) for row in rows]
