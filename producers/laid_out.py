"""What waits lies on as many partitions as are set now, whatever was set when it was taken.

An entry's partition is worked out when it is taken, also while nobody can say how many there are.
The publisher sends nothing while the topics have another count, so what was taken under a wrong one
still waits when the operator corrects it, and is laid out anew at the start that follows.

Only the partition changes, which no digest covers: numbers, bodies and order stay. A broadcast
reference says in its body whose copy it is: where there are fewer partitions now, a copy of one
that is not there goes to another (``schemas.reader`` takes it, and it counts once); where there
are more, copies are added.
"""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

from custody.events import Micros, ReferenceSet
from producers import store
from producers.chain import Chain, Entry
from producers.outcome import Draft
from schemas import avro
from schemas.codec import decode
from schemas.partition import partition_of

_COUNT = "partitions"
_BROADCAST = "reference"

log = logging.getLogger(__name__)


def lay_out(connection: sqlite3.Connection, chain: Chain, partitions: int, now: Micros) -> None:
    """Give what waits its partition anew where another count was set at the last start.

    One transaction. Its cost is that of all that waits, once for each change.

    Args:
        connection: The writing one.
        chain: Where it stands; copies of references are appended to it.
        partitions: Partitions of every topic as set now.
        now: Time of day.

    Raises:
        sqlite3.Error: It cannot be written; nothing was changed.
    """
    before = store.get_meta(connection, _COUNT)
    if before == partitions:
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        moved = _move(connection, partitions)
        added = [chain.append(draft, now) for draft in _missing(connection, partitions)]
        position = chain.position()
        store.put_meta(connection, {_COUNT: partitions})
        store.put_entries(connection, position.epoch, added)
        store.put_position(connection, position)
        if added:
            store.put_last_time(connection, added[-1].accepted_at)
    if moved or added:
        facts = {"before": before, "partitions": partitions, "moved": moved, "added": len(added)}
        log.info("what waits is laid out anew", extra=facts)


def _move(connection: sqlite3.Connection, partitions: int) -> int:
    moved = [
        (right, no)
        for no, partition, right in _places(connection, partitions)
        if partition != right
    ]
    connection.executemany("UPDATE entry SET partition = ? WHERE no = ?", moved)
    return len(moved)


def _places(connection: sqlite3.Connection, partitions: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, partition and right partition of what waits."""
    rows = connection.execute(
        "SELECT no, stem, partition, key FROM entry INDEXED BY entry_waiting"
        " WHERE published_at IS NULL"
    )
    for no, stem, partition, key in rows:
        if stem != _BROADCAST:
            yield no, partition, partition_of(key, partitions)
    for entry in _waiting(connection):
        yield entry.no, entry.partition, _whose(entry) % partitions


def _waiting(connection: sqlite3.Connection) -> list[Entry]:
    """Return the copies of references that wait."""
    rows = connection.execute(
        f"SELECT {store.ENTRY_COLUMNS} FROM entry INDEXED BY entry_waiting"  # noqa: S608  constants
        " WHERE published_at IS NULL AND stem = ? ORDER BY no",
        (_BROADCAST,),
    )
    return [store.entry_of(row) for row in rows]


def _missing(connection: sqlite3.Connection, partitions: int) -> Iterator[Draft]:
    """Yield a copy of each reference that waits for each partition that has none."""
    copies: dict[str, list[Entry]] = {}
    for entry in _waiting(connection):
        assert entry.event_id is not None, "only heads have no id"
        copies.setdefault(entry.event_id, []).append(entry)
    for event_id, entries in copies.items():
        known = store.get_identity(connection, event_id)
        ways = [] if known is None else store.get_ways(connection, known)
        there = {way.partition for way in ways if way.published_at is not None}
        there |= {_whose(entry) for entry in entries}
        if (record := _record(entries[0])) is None:
            continue
        for partition in sorted(set(range(partitions)) - there):
            # Its content is known already: it is a copy.
            yield Draft(_BROADCAST, replace(record, partition=partition), b"")


def _whose(entry: Entry) -> int:
    """Return the partition that a copy of a reference is for; by its row where it cannot be read.

    So it is of one that waits since before an update which changed the schema.
    """
    record = _record(entry)
    return entry.partition if record is None else record.partition


def _record(entry: Entry) -> ReferenceSet | None:
    if entry.fingerprint != avro.fingerprint(_BROADCAST):
        return None
    record = decode(entry.stem, entry.body)
    assert isinstance(record, ReferenceSet)
    return record
