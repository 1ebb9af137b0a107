"""The outbox's file: tables and statements, one connection per thread.

SQLite in WAL mode with ``synchronous=FULL``: a commit returns after the write-ahead log is
fsynced, so a committed group survives a power cut. One connection writes (the outbox's thread);
others only read, and never wait for it.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from custody.errors import Corrupt
from custody.events import Micros, ReferenceSet
from custody.ids import uuid_bytes, uuid_text
from producers import folders, refused_number, refused_share
from producers.chain import Entry, Position

FORMAT = 1

CACHE_BYTES_MAX = 8 << 20
"""Pages of the file that one connection keeps in memory. A gateway has four or five, and each keeps
in time as much as it may; what is left out is in the system's own cache."""

_LAST_TIME = "recorded_at"

ENTRY_COLUMNS = (
    "no, seq, event_id, stem, topic, partition, key, fingerprint, body, prev, digest, accepted_at,"
    " part"
)
"""What ``entry_of`` reads, in its order."""

RESENT = """
CREATE TABLE IF NOT EXISTS resent (
  no INTEGER PRIMARY KEY, resent_at INTEGER NOT NULL, result TEXT NOT NULL
)
"""
"""One row per refused request that was sent again: when last, and with what result."""

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- One row per record on its way to Kafka; pruned some days after it got there.
CREATE TABLE IF NOT EXISTS entry (
  no INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  seq INTEGER,
  event_id BLOB,
  stem TEXT NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  key BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  body BLOB NOT NULL,
  prev BLOB,
  digest BLOB,
  accepted_at INTEGER NOT NULL,
  part TEXT NOT NULL,
  published_at INTEGER,
  kafka_offset INTEGER
);
-- What waits, by partition: each is drained from its own place (producers/waiting.py). Partial, so
-- that what is published costs nothing here.
CREATE INDEX IF NOT EXISTS entry_waiting ON entry (topic, partition, no)
  WHERE published_at IS NULL;
-- One row per event id, for ever: how duplicates are known.
CREATE TABLE IF NOT EXISTS identity (
  event_id BLOB PRIMARY KEY,
  content BLOB NOT NULL,
  no INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL
) WITHOUT ROWID;
-- One row per correction, for ever: what was corrected before, and what is a void.
CREATE TABLE IF NOT EXISTS correction (
  no INTEGER PRIMARY KEY,
  event_id BLOB NOT NULL,
  target BLOB NOT NULL,
  void INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS correction_event_id ON correction (event_id);
CREATE INDEX IF NOT EXISTS correction_target ON correction (target);
-- One row per lot, for ever: the event that last declared it.
CREATE TABLE IF NOT EXISTS declared (
  lot_id TEXT PRIMARY KEY,
  event_id BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
  no INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  sender TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS refused_at ON refused (at);
CREATE TABLE IF NOT EXISTS position (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  digest BLOB NOT NULL,
  frontier BLOB NOT NULL,
  head_minute INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS reference_seen (
  kind TEXT, id TEXT, valid_from INTEGER, record TEXT NOT NULL,
  PRIMARY KEY (kind, id, valid_from)
) WITHOUT ROWID;
"""


class OutboxUnreadable(Corrupt):
    """The file is no outbox of ours, or of another format or gateway."""

    def __init__(self, path: Path, found: str, expected: str) -> None:
        super().__init__(
            f"outbox {path}: {found}",
            expected=expected,
            next_step="see docs/gateway.md, restoring an outbox",
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of an event id: content digest, first entry, number of entries, when."""

    content: bytes
    no: int
    entries: int
    accepted_at: Micros


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused request as it is kept: when, whose, why, and its body."""

    at: Micros
    sender: str
    code: str
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """Kafka's acknowledgement of an entry."""

    no: int
    offset: int
    published_at: Micros


@dataclass(frozen=True, slots=True)
class Stage:
    """An entry and how far it got; ``published_at`` and ``offset`` are None while it waits."""

    event_id: str
    epoch: int
    seq: int | None
    stem: str
    part: str
    topic: str
    partition: int
    accepted_at: Micros
    published_at: Micros | None
    offset: int | None
    digest: bytes | None


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file for the calling thread.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=30,
        check_same_thread=False,
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_BYTES_MAX >> 10}")
    return connection


def create(path: Path) -> sqlite3.Connection:
    """Open the file for writing and make what is missing in it; it is its owner's alone.

    Raises:
        OutboxUnreadable: It has another format.
        OSError: It cannot be made.
        sqlite3.Error: It cannot be opened or written, or is no SQLite file.
    """
    folders.own(path)
    # Closed where it fails: half a transaction would lock the file for whoever tries next.
    with ExitStack() as undo:
        connection = undo.enter_context(closing(connect(path)))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)
        connection.execute(RESENT)
        if (found := get_meta(connection, "format")) is None:
            put_meta(connection, {"format": FORMAT})
        elif found != FORMAT:
            raise OutboxUnreadable(path, f"format {found}", f"format {FORMAT}")
        refused_number.begin(connection)
        refused_share.begin(connection)
        undo.pop_all()
    return connection


def get_meta(connection: sqlite3.Connection, name: str) -> object:
    """Return a stored value, or None."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else cast(object, row[0])


def put_meta(connection: sqlite3.Connection, values: dict[str, object]) -> None:
    """Store values under their names."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))


def last_time(connection: sqlite3.Connection) -> Micros:
    """Return the last time that was given to a record or head; 0 in a new outbox."""
    found = get_meta(connection, _LAST_TIME)
    if isinstance(found, int):
        return Micros(found)
    # Written by a version that did not keep it yet.
    row = connection.execute("SELECT accepted_at FROM entry ORDER BY no DESC LIMIT 1").fetchone()
    return Micros(0 if row is None else row[0])


def put_last_time(connection: sqlite3.Connection, at: Micros) -> None:
    """Store the last time that was given."""
    put_meta(connection, {_LAST_TIME: at})


def get_position(connection: sqlite3.Connection) -> Position | None:
    """Return where the chain stood at the last commit; None in a new outbox."""
    columns = "epoch, no, seq, digest, frontier, head_minute"
    row = connection.execute(f"SELECT {columns} FROM position").fetchone()  # noqa: S608  constants
    return None if row is None else Position(*row)


def put_position(connection: sqlite3.Connection, at: Position) -> None:
    """Store where the chain stands."""
    connection.execute(
        "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?, ?, ?)",
        (at.epoch, at.no, at.seq, at.digest, at.frontier, at.head_minute),
    )


def put_entries(connection: sqlite3.Connection, epoch: int, entries: Iterable[Entry]) -> None:
    """Store new entries."""
    connection.executemany(
        "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
        [
            (
                entry.no,
                epoch,
                entry.seq,
                None if entry.event_id is None else uuid_bytes(entry.event_id),
                entry.stem,
                entry.topic,
                entry.partition,
                entry.key,
                entry.fingerprint,
                entry.body,
                entry.prev,
                entry.digest,
                entry.accepted_at,
                entry.part,
            )
            for entry in entries
        ],
    )


def get_identity(connection: sqlite3.Connection, event_id: str) -> Identity | None:
    """Return what is known of an event id, or None."""
    row = connection.execute(
        "SELECT content, no, entries, accepted_at FROM identity WHERE event_id = ?",
        (uuid_bytes(event_id),),
    ).fetchone()
    return None if row is None else Identity(*row)


def put_identities(connection: sqlite3.Connection, identities: dict[str, Identity]) -> None:
    """Store new event ids."""
    connection.executemany(
        "INSERT INTO identity VALUES (?, ?, ?, ?, ?)",
        [
            (uuid_bytes(event_id), known.content, known.no, known.entries, known.accepted_at)
            for event_id, known in identities.items()
        ],
    )


def put_refused(connection: sqlite3.Connection, refused: Iterable[Refused]) -> None:
    """Store refused requests."""
    connection.executemany(
        refused_number.INSERT,
        # One after the other: bodies that are made as they are asked for are never held together.
        ((row.at, row.sender, row.code, row.reason, row.body) for row in refused),
    )


def get_refused(connection: sqlite3.Connection, since: Micros, limit: int) -> list[Refused]:
    """Return refused requests from a time on, oldest first."""
    rows = connection.execute(
        "SELECT at, sender, code, reason, body FROM refused WHERE at >= ? ORDER BY at LIMIT ?",
        (since, limit),
    )
    return [Refused(*row) for row in rows]


def put_reference(connection: sqlite3.Connection, record: ReferenceSet) -> None:
    """Store a version of a reference record, for warnings after a restart."""
    connection.execute(
        "INSERT OR REPLACE INTO reference_seen VALUES (?, ?, ?, ?)",
        (record.kind, record.id, record.valid_from, json.dumps(asdict(record))),
    )


def get_references(connection: sqlite3.Connection) -> list[ReferenceSet]:
    """Return the reference records that went through this gateway."""
    rows = connection.execute("SELECT record FROM reference_seen")
    return [ReferenceSet(**json.loads(text)) for (text,) in rows]


def put_acks(connection: sqlite3.Connection, acks: Iterable[Ack]) -> None:
    """Mark entries as published."""
    connection.executemany(
        "UPDATE entry SET published_at = ?, kafka_offset = ? WHERE no = ?",
        [(ack.published_at, ack.offset, ack.no) for ack in acks],
    )


def read_entries(connection: sqlite3.Connection, after: int, limit: int) -> list[Entry]:
    """Return entries behind a number in order, published or not."""
    rows = connection.execute(
        f"SELECT {ENTRY_COLUMNS} FROM entry WHERE no > ? ORDER BY no LIMIT ?",  # noqa: S608  ours
        (after, limit),
    )
    return [entry_of(row) for row in rows]


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry of a row of ``ENTRY_COLUMNS``."""
    return Entry(row[0], row[1], _uuid(row[2]), *row[3:])


def get_ways(connection: sqlite3.Connection, known: Identity) -> list[Stage]:
    """Return the entries of an event id; none where they were pruned."""
    rows = connection.execute(
        "SELECT event_id, epoch, seq, stem, part, topic, partition, accepted_at, published_at,"
        " kafka_offset, digest FROM entry WHERE no >= ? AND no < ? AND event_id IS NOT NULL"
        " ORDER BY no",
        (known.no, known.no + known.entries),
    )
    return [Stage(_uuid(row[0]) or "", *row[1:]) for row in rows]


def prune(connection: sqlite3.Connection, published_before: Micros, floor: int, limit: int) -> int:
    """Delete published entries of before a time, oldest first; return how many.

    Args:
        connection: The writing one.
        published_before: Younger ones stay.
        floor: No entry from here on is deleted.
        limit: Most to delete at once.
    """
    return connection.execute(
        "DELETE FROM entry WHERE no IN (SELECT no FROM entry WHERE no < ? AND published_at < ?"
        " ORDER BY no LIMIT ?)",
        (floor, published_before, limit),
    ).rowcount


def forget_refused(connection: sqlite3.Connection, before: Micros) -> int:
    """Delete refused requests of before a time, notes on them first; return how many."""
    gone = "SELECT no FROM refused WHERE at < ?"
    connection.execute(f"DELETE FROM resent WHERE no IN ({gone})", (before,))  # noqa: S608  ours
    return connection.execute("DELETE FROM refused WHERE at < ?", (before,)).rowcount


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return what the file holds, without pages that are free again."""
    sql = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count"
    with_others = f"{sql}, pragma_freelist_count, pragma_page_size"
    return int(connection.execute(with_others).fetchone()[0])


def _uuid(raw: bytes | None) -> str | None:
    return None if raw is None else uuid_text(raw)
