"""What stands in an outbox, read from its file: beside a running gateway, or without one.

Every question sees one state of the file: a writer goes on meanwhile and is not waited for. Nothing
here takes the outbox's lock or writes a byte of what it holds.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from custody.errors import Unavailable
from custody.events import Micros
from custody.ids import uuid_text
from producers import refused_share, store
from producers.chain import Entry
from producers.room import shares

READ_ENTRIES = 1_000
FILE = "outbox.sqlite3"
_KEPT = "no, at, sender, code, reason, body, resent_at, result"
"""Columns of ``Kept``."""


class NoOutbox(Unavailable):
    """There is no outbox to read, or we may not read it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"outbox {path}: {why}",
            expected="the outbox of a gateway that was started here, and leave to read it",
            next_step="set CUSTODY_DATA_DIR to the gateway's, and be the user it runs as",
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one partition.

    Attributes:
        topic: Kafka topic.
        partition: Kafka partition.
        count: Records that wait.
        first_no: Number of the first.
        oldest_at: When the first was taken.
    """

    topic: str
    partition: int
    count: int
    first_no: int
    oldest_at: Micros


@dataclass(frozen=True, slots=True)
class State:
    """How an outbox is.

    Attributes:
        gateway_id: Whose it is; empty where no gateway has begun it.
        epoch: Its epoch; 0 in one that was never used.
        seq: Highest ``gateway_seq`` of the epoch.
        digest: Of the record with that number.
        recorded_at: Last time given to a record or head.
        waiting: What waits, by topic and partition.
        kept: Records that Kafka has and the outbox still holds.
        refused: Refused requests that are kept.
        head_at: Time of the last head; None without one.
        heads_waiting: Heads that Kafka does not have yet.
        used_bytes: What counts against the limit of records.
        refused_bytes: What the refused requests take of their share.
        refused_unkept: How many were refused and not kept since the outbox was made.
        file_bytes: What lies on the disk, write-ahead log included.
    """

    gateway_id: str
    epoch: int
    seq: int
    digest: bytes
    recorded_at: Micros
    waiting: tuple[Waiting, ...]
    kept: int
    refused: int
    head_at: Micros | None
    heads_waiting: int
    used_bytes: int
    refused_bytes: int
    refused_unkept: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Line:
    """One record in a list.

    Attributes:
        no: Place in the outbox.
        epoch: Epoch it was numbered in.
        seq: ``gateway_seq``; None for a head.
        event_id: None for a head.
        stem: Its stem.
        topic: Kafka topic.
        partition: Kafka partition.
        accepted_at: When it was taken.
        published_at: When Kafka had it; None while it waits.
        offset: Where it has it.
        bytes: Length of the body.
    """

    no: int
    epoch: int
    seq: int | None
    event_id: str | None
    stem: str
    topic: str
    partition: int
    accepted_at: Micros
    published_at: Micros | None
    offset: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A refused request as it is kept, with its number.

    ``resent_at`` and ``resent_result`` are of the last time it was sent again from here; None where
    it was not.
    """

    no: int
    at: Micros
    sender: str
    code: str
    reason: str
    body: bytes
    resent_at: Micros | None = None
    resent_result: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One state of an outbox's file.

    Attributes:
        path: The file.
        connection: Within a transaction that reads.
    """

    path: Path
    connection: sqlite3.Connection

    def state(self) -> State:
        """Return how the outbox is; reads all of it, about a second per gigabyte."""
        ask = self.connection.execute
        at = store.get_position(self.connection)
        rows = ask(
            "SELECT topic, partition, count(*), min(no), min(accepted_at), count(*) - count(seq)"
            " FROM entry WHERE published_at IS NULL GROUP BY topic, partition"
            " ORDER BY topic, partition"
        ).fetchall()
        (kept,) = ask("SELECT count(*) FROM entry WHERE published_at IS NOT NULL").fetchone()
        (refused,) = ask("SELECT count(*) FROM refused").fetchone()
        held = shares(self.connection)
        head = ask(
            "SELECT accepted_at FROM entry WHERE seq IS NULL ORDER BY no DESC LIMIT 1"
        ).fetchone()
        return State(
            gateway_id=str(store.get_meta(self.connection, "gateway_id") or ""),
            epoch=0 if at is None else at.epoch,
            seq=0 if at is None else at.seq,
            digest=b"" if at is None else at.digest,
            recorded_at=store.last_time(self.connection),
            waiting=tuple(Waiting(*row[:5]) for row in rows),
            kept=kept,
            refused=refused,
            head_at=None if head is None else head[0],
            heads_waiting=sum(row[5] for row in rows),
            used_bytes=held.records,
            refused_bytes=held.refused,
            refused_unkept=refused_share.unkept_count(self.connection),
            file_bytes=_on_disk(self.path),
        )

    def lines(self, *, waiting: bool | None, since: Micros, limit: int) -> list[Line]:
        """Return records, the latest first.

        Args:
            waiting: Only those that wait, or only those that do not; None for all.
            since: Only those taken from then on.
            limit: At most so many.
        """
        which = {
            None: "",
            True: " AND published_at IS NULL",
            False: " AND published_at IS NOT NULL",
        }[waiting]
        rows = self.connection.execute(
            "SELECT no, epoch, seq, event_id, stem, topic, partition, accepted_at, published_at,"  # noqa: S608  ours
            f" kafka_offset, length(body) FROM entry WHERE accepted_at >= ?{which}"
            " ORDER BY no DESC LIMIT ?",
            (since, limit),
        )
        found = []
        for no, epoch, seq, raw, *rest in rows:
            found.append(Line(no, epoch, seq, _uuid(raw), *rest))
        return found

    def entries(self, *, every: bool) -> Iterator[tuple[int, Entry]]:
        """Yield records in order, each with its epoch: those that wait, or every one there is."""
        after = 0
        while True:
            entries = store.read_entries(self.connection, after, READ_ENTRIES)
            if not entries:
                return
            last = entries[-1].no
            rows = self.connection.execute(
                "SELECT no, epoch, published_at IS NULL FROM entry WHERE no > ? AND no <= ?",
                (after, last),
            )
            found = {no: (epoch, waits) for no, epoch, waits in rows}
            for entry in entries:
                epoch, waits = found[entry.no]
                if every or waits:
                    yield epoch, entry
            after = last

    def refused(
        self,
        *,
        codes: tuple[str, ...],
        sender: str,
        since: Micros,
        limit: int,
        only_open: bool = False,
    ) -> list[Kept]:
        """Return refused requests, the latest first.

        Args:
            codes: Only with one of these codes; none for all.
            sender: Only of senders with this in their name; empty for all.
            since: Only those from then on.
            limit: At most so many.
            only_open: Only those that were not sent again.
        """
        marks = ", ".join("?" for _ in codes)
        which = f" AND code IN ({marks})" if codes else ""
        which += " AND resent_at IS NULL" if only_open else ""
        rows = self.connection.execute(
            f"SELECT {_KEPT} FROM {self._refused()}"  # noqa: S608  ours, and marks only
            f" WHERE at >= ? AND instr(sender, ?) > 0{which} ORDER BY no DESC LIMIT ?",
            (since, sender, *codes, limit),
        )
        return [Kept(*row) for row in rows]

    def refused_one(self, no: int) -> Kept | None:
        """Return the refused request with a number, or None."""
        row = self.connection.execute(
            f"SELECT {_KEPT} FROM {self._refused()} WHERE no = ?",  # noqa: S608  ours
            (no,),
        ).fetchone()
        return None if row is None else Kept(*row)

    def _refused(self) -> str:
        """Return where refused requests stand with what came of them when they were sent again."""
        noted = self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'resent'")
        if noted.fetchone():
            return "refused LEFT JOIN resent USING (no)"
        # Of a gateway that has not been started since there are notes.
        return "refused, (SELECT NULL AS resent_at, NULL AS result)"


@contextmanager
def opened(directory: Path) -> Iterator[View]:
    """Open the outbox of a directory for reading; closed at the end of the block.

    Raises:
        NoOutbox: There is none, or it may not be read.
        OutboxUnreadable: It is of another format.
    """
    path = directory / FILE
    if not path.exists():
        raise NoOutbox(path, "is not there")
    try:
        with closing(_connected(path)) as connection:
            connection.execute("BEGIN")
            found = store.get_meta(connection, "format")
            if found != store.FORMAT:
                raise store.OutboxUnreadable(path, f"format {found}", f"format {store.FORMAT}")
            yield View(path, connection)
    except sqlite3.Error as error:
        raise NoOutbox(path, str(error)) from error


def _connected(path: Path) -> sqlite3.Connection:
    """Open an outbox for reading, also where there is no room for what SQLite makes beside it.

    Of a gateway that was stopped in good order all is in the file itself.
    """
    try:
        connection = store.connect(path, read_only=True)
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        # Nobody writes it: nothing has to be made beside it then.
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return sqlite3.connect(uri, uri=True, isolation_level=None)
    return connection


def _on_disk(path: Path) -> int:
    beside = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in beside if file.exists())


def _uuid(raw: bytes | None) -> str | None:
    return None if raw is None else uuid_text(raw)
