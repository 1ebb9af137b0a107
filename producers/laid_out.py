"""What waits lies on as many partitions as are set now, whatever was set when it was taken.

An entry's partition is worked out when it is taken, also while nobody can say how many there are.
The publisher sends nothing while the topics have another count, so what was taken under a wrong one
still waits when the operator corrects it, and is laid out anew at the start that follows.

Only the partition changes, which no digest covers: numbers, bodies and order stay. A broadcast
reference says in its body whose copy it is: where there are fewer partitions now, a copy of one
that is not there goes to another (``schemas.reader`` takes it, and it counts once); where there
are more, copies are added. An added copy bears the time at which it is added, not its original's:
who audits takes a record for forged that is older than a head which does not count it, and heads
may have been signed since (``runtime.audit.beyond``).
"""

import logging
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import replace

from custody.events import Micros, ReferenceSet
from custody.ids import uuid_text
from producers import store, waiting
from producers.chain import Chain, Entry
from producers.outcome import Draft
from schemas import avro
from schemas.codec import decode
from schemas.partition import partition_of

MOVED_AT_ONCE = 10_000
"""Entries that are held in memory at a time: of the millions that may wait, nearly all move."""

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
    moved = 0
    for places in _places(connection, partitions):
        wrong = [(right, no) for no, partition, right in places if partition != right]
        connection.executemany("UPDATE entry SET partition = ? WHERE no = ?", wrong)
        moved += len(wrong)
    return moved


def _places(
    connection: sqlite3.Connection, partitions: int
) -> Iterator[list[tuple[int, int, int]]]:
    """Yield number, partition and right partition of what waits, so many numbers at a time."""
    yield [(e.no, e.partition, _whose(e) % partitions) for e in _waiting(connection)]
    low, high = _ends(connection)
    for first in range(low, high + 1, MOVED_AT_ONCE):
        rows = connection.execute(
            # By number: the index of what waits is by the partition, which changes here.
            "SELECT no, partition, key FROM entry NOT INDEXED"
            " WHERE no >= ? AND no < ? AND published_at IS NULL AND stem <> ?",
            (first, first + MOVED_AT_ONCE, _BROADCAST),
        )
        yield [(no, partition, partition_of(key, partitions)) for no, partition, key in rows]


def _ends(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the lowest and the highest number that waits; an empty range where nothing does."""
    low = waiting.lowest(connection)
    return (1, 0) if low is None else (low, max(waiting.newest(connection).values()))


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
    published = _published(connection, copies)
    for event_id, entries in copies.items():
        there = published[event_id] | {_whose(entry) for entry in entries}
        if (record := _record(entries[0])) is None:
            continue
        for partition in sorted(set(range(partitions)) - there):
            # Its content is known already: it is a copy.
            yield Draft(_BROADCAST, replace(record, partition=partition), b"")


def _published(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, set[int]]:
    """Return the partitions that have a copy of a reference, by event id.

    Copies that were added at an earlier change stand far behind the others: so all of the outbox
    is looked through, once, where any reference waits.
    """
    there: dict[str, set[int]] = {event_id: set() for event_id in ids}
    if not there:
        return there
    rows = connection.execute(
        "SELECT event_id, partition FROM entry WHERE stem = ? AND published_at IS NOT NULL",
        (_BROADCAST,),
    )
    for raw, partition in rows:
        if (event_id := uuid_text(raw)) in there:
            there[event_id].add(partition)
    return there


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
