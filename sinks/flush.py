"""One flush: what was taken becomes rows, in an order that survives a kill at any point.

1. Judge all records, and see that their topics are still those we know: what was taken before
   that was theirs, as a topic that is made anew has another id for ever. Nothing has been changed
   yet.
2. Announce: commit each partition's first offset with its intent. This also says that all before
   it is confirmed.
3. Dead letters, acknowledged.
4. One insert per table over all partitions, leaving out what is in already; what is made
   from rows (``derived``) after them, and last which of them stand twice (``repeats``).
5. Seal: one row per partition in ``ingest_batches``.

A kill before 2 costs nothing; after it the next process reads back what is in.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pyarrow as pa

from custody.errors import Unavailable
from custody.events import Micros
from schemas import breaker
from schemas.reader import Batch, read_batch
from schemas.registry import Catalog
from sinks import derived, repeats
from sinks.client import Warehouse
from sinks.config import SinkConfig
from sinks.consumer import Consumer
from sinks.dead_letters import DeadLetters
from sinks.intent import Digest, Intent, Settled
from sinks.prints import without
from sinks.progress import Progress
from sinks.readback import sealed
from sinks.recovery import Partition, check_topic
from sinks.rows import Rows, counts, rows_of
from sinks.slice import Place, Slice
from sinks.writer import Writer, waits

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Part:
    """One partition's part of a flush."""

    partition: Partition
    slice: Slice
    rows: Rows
    digest: str


class Interrupted(Exception):
    """While waiting, a partition of the flush went to another member, or the sink was stopped."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a flush needs of the world.

    Attributes:
        consumer: Commits and waits.
        stop: Once it is set nothing is waited for.
        warehouse: Where rows go.
        catalog: Where schema ids are looked up.
        now: The time written beside a flush.
    """

    consumer: Consumer
    stop: threading.Event
    warehouse: Warehouse
    catalog: Catalog
    now: Callable[[], Micros]


class Flusher:
    """Does flushes; one thread.

    Args:
        config: Limits.
        outside: Clients and clock.
        progress: Told what was stored.
        owns: Whether a partition's state is still the one in use.
    """

    def __init__(
        self,
        config: SinkConfig,
        outside: Outside,
        progress: Progress,
        owns: Callable[[Partition], bool],
    ) -> None:
        self._config = config
        self._outside = outside
        self._progress = progress
        self._owns = owns
        self._writer = Writer(outside.warehouse, config, self._wait)
        self._dead_letters = DeadLetters(config, outside.catalog)
        self._patient = True
        self._parts: Sequence[Partition] = ()

    def flush(self, partitions: Sequence[Partition], *, patient: bool) -> set[Place]:
        """Store all that is pending; blocks until it is confirmed.

        Args:
            partitions: Partitions of ours with records pending.
            patient: Wait for what is away; not inside a rebalance.

        Returns:
            Partitions that turned out not to be ours: nothing of them was stored.

        Raises:
            Interrupted: A partition went away while waiting; nothing of the flush is confirmed.
            Unavailable: Something stayed away; nothing of the flush is confirmed.
            Corrupt: Stop.
        """
        self._patient, self._parts = patient, partitions
        started = time.monotonic()
        parts = [self._judged(partition) for partition in partitions]
        self._check_topics(partitions)
        refused = self._announce(parts)
        parts = [part for part in parts if part.partition.place not in refused]
        for part in parts:
            self._write_dead_letters(part)
        self._insert(parts)
        self._seal(parts)
        for part in parts:
            _confirm(part)
            self._progress.stored(part.slice.place, part.rows)
        self._progress.flushed(time.monotonic() - started, sum(len(p.slice) for p in parts))
        return refused

    def _judged(self, partition: Partition) -> Part:
        slice_ = Slice(partition.place, partition.pending)
        partition.check_announced(slice_)
        batch = self._read(slice_, partition.topic.partitions)
        judged = self._persist(lambda: rows_of(slice_, batch, partition.seen))
        breaker.feed(partition.breaker, len(slice_), judged.bad, partial(_sender, slice_))
        digest = Digest()
        digest.add(slice_.offsets, slice_.values)
        return Part(partition, slice_, judged, digest.text())

    def _read(self, slice_: Slice, partitions: int) -> Batch:
        return self._persist(
            lambda: read_batch(
                *slice_.place, partitions, slice_.keys, slice_.values, self._outside.catalog
            )
        )

    def _check_topics(self, partitions: Sequence[Partition]) -> None:
        """See that no topic was made anew: its records stand at offsets of the old ones."""
        names = {partition.place.topic for partition in partitions}
        found = self._persist(lambda: self._outside.consumer.describe(names))
        for partition in partitions:
            check_topic(partition, found[partition.place.topic])

    def _announce(self, parts: Sequence[Part]) -> set[Place]:
        offsets: dict[Place, tuple[int, str]] = {}
        for part in parts:
            partition = part.partition
            partition.last = max(partition.last, part.slice.last)
            partition.settled = False
            intent = Intent(
                partition.topic.topic_id,
                part.slice.last,
                partition.last,
                len(part.slice),
                part.digest,
            )
            offsets[partition.place] = (partition.done, intent.metadata())
        refused = self._outside.consumer.commit(offsets, patient=self._patient)
        if any(not self._owns(p.partition) for p in parts if p.partition.place not in refused):
            raise Interrupted
        return refused

    def _write_dead_letters(self, part: Part) -> None:
        self._persist(lambda: self._dead_letters.write(part.slice, part.rows.bad))

    def _insert(self, parts: Sequence[Part]) -> None:
        tables: dict[str, list[pa.Table]] = {}
        for part in parts:
            for table, missing in missing_of(part):
                tables.setdefault(table, []).append(missing)
        name = "/".join(f"{p.slice.place.partition}:{p.slice.first}" for p in parts[:1])
        for table, pieces in tables.items():
            rows = pa.concat_tables(pieces).unify_dictionaries()
            self._writer.insert(table, rows, f"{self._config.instance}/{table}/{name}")
        for part in parts:
            self._insert_repeats(part)

    def _insert_repeats(self, part: Part) -> None:
        """Store which facts stand a second time: asked of the rows, so behind their inserts."""
        facts = repeats.suspects(part.rows.tables, part.partition.writers)
        if not facts:
            return
        place = part.slice.place
        found = self._persist(lambda: repeats.repeats_of(self._outside.warehouse, place, facts))
        rows = without(repeats.TABLE, found, part.partition.present)
        if rows.num_rows:
            name = f"{place.partition}:{part.slice.first}"
            self._writer.insert(
                repeats.TABLE, rows, f"{self._config.instance}/{repeats.TABLE}/{name}"
            )

    def _seal(self, parts: Sequence[Part]) -> None:
        """Account for each record once: what an earlier process sealed is left out."""
        fresh = [part for part in parts if part.slice.last >= part.partition.sealed]
        if not fresh:
            return
        now = self._outside.now()
        ledger = ledger_rows(fresh, self._config.instance, now)
        self._writer.insert_unless(
            "ingest_batches", ledger, f"{self._config.instance}/seal/{now}", self._is_sealed
        )

    def _is_sealed(self, ledger: pa.Table) -> bool:
        """Return whether a seal that failed is in after all: its rows are one part."""
        row = ledger.slice(0, 1).to_pylist()[0]
        found = sealed(self._outside.warehouse, row["topic"]).get(row["partition"])
        return found is not None and found.next_offset > row["last"]

    def _persist(self, action: Callable[[], _T]) -> _T:
        """Do it again while something is away, within ``retry_budget_s``."""
        pauses = waits(self._config)
        while True:
            try:
                return action()
            except Unavailable:
                wait_s = next(pauses)
                if wait_s is None:
                    raise
                self._wait(wait_s)

    def _wait(self, seconds: float) -> None:
        if not self._patient or self._outside.stop.is_set():
            raise Interrupted
        self._progress.waiting("something that a flush needs does not answer")
        self._outside.consumer.idle(seconds)
        if not all(self._owns(partition) for partition in self._parts):
            raise Interrupted


def missing_of(part: Part) -> list[tuple[str, pa.Table]]:
    """Return the rows of a part that are not in, by table; rows made from others have own places.

    A kill between two inserts leaves one table complete and another without, so each table's rows
    are held against what stands in it.
    """
    partition = part.partition
    found: list[tuple[str, pa.Table]] = []
    for table, rows in part.rows.tables:
        found.append((table, rows))
        found += derived.derived(table, rows)
    missing = [(table, without(table, rows, partition.present)) for table, rows in found]
    return [(table, rows) for table, rows in missing if rows.num_rows]


def ledger_rows(parts: Sequence[Part], writer: str, now: Micros) -> pa.Table:
    """Return the rows of ``ingest_batches`` of a flush, for what no earlier flush has sealed."""
    rows: list[dict[str, object]] = []
    for part in parts:
        first = max(part.partition.sealed, part.slice.first)
        fresh = part.rows.fates[part.slice.offsets >= first]
        stored, duplicates, dead, not_stored = counts(fresh)
        rows.append(
            {
                "topic": part.slice.place.topic,
                "topic_id": part.partition.topic.topic_id,
                "partition": part.slice.place.partition,
                "first": first,
                "last": part.slice.last,
                "rows": stored,
                "duplicates": duplicates,
                "dead_letters": dead,
                "not_stored": not_stored,
                "digest": part.digest,
                "inserted_at": now,
                "writer": writer,
            }
        )
    return pa.Table.from_pylist(rows, schema=LEDGER)


LEDGER = pa.schema(
    [
        ("topic", pa.string()),
        ("topic_id", pa.string()),
        ("partition", pa.int32()),
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("rows", pa.int64()),
        ("duplicates", pa.int64()),
        ("dead_letters", pa.int64()),
        ("not_stored", pa.int64()),
        ("digest", pa.string()),
        ("inserted_at", pa.timestamp("us", "UTC")),
        ("writer", pa.string()),
    ]
)
"""Columns of ``ingest_batches``."""


def settlement(partition: Partition) -> tuple[int, str]:
    """Return what to commit when nothing is under way."""
    return partition.done, Settled(partition.topic.topic_id).metadata()


def _sender(slice_: Slice, index: int) -> str:
    return breaker.sender(dict(slice_.headers[index] or ()))


def _confirm(part: Part) -> None:
    partition, last = part.partition, part.slice.last
    partition.done = last + 1
    partition.sealed = max(partition.sealed, last + 1)
    partition.present = {at: found for at, found in partition.present.items() if at > last}
    partition.pending = []
    partition.bytes = 0
