"""The distributed ledger in memory: partitions as lists, real reduction, crashes anywhere.

What a worker does with a chunk is here step by step as in ``streams.protocol``, with lists in
Kafka's place, so that thousands of runs take minutes: chunks are cut at random, topics interleave
at random, a crash strikes between any two steps or in the middle of a write, what was sent is sent
again, and a partition moves to a worker without a store. The fold, the rows, the numbering and the
framing are the real ones.
"""

from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from custody.fold import Fold
from schemas import topics
from schemas.partition import partition_of
from schemas.reader import Batch, read_batch
from schemas.routes import Record
from streams.config import SOURCE_INDEX, SOURCES
from streams.outputs import OutputWriter
from streams.reduction import PartitionState, Reducer, SourceEntry
from streams.rows import CHUNK_KEY, Output, PartitionRows, RowCodec
from streams.spill import surviving
from tests.support.streams import CATALOG, framed

CACHE_BYTES = 50_000
"""Small, so that rows are also read back from their bytes."""

Pair = tuple[bytes, bytes]
Change = tuple[bytes, bytes | None]
"""A row as it stands, or that it is gone."""

T = TypeVar("T")


@dataclass
class Log:
    """One partition of a topic: keys and values; the offset is the place in the list."""

    records: list[Pair] = field(default_factory=list)

    def read(self, topic: str, partition: int, partitions: int, start: int = 0) -> Batch:
        """Read records from an offset on; every one of them must be readable."""
        pairs = self.records[start:]
        keys, values = [key for key, _ in pairs], [value for _, value in pairs]
        batch = read_batch(topic, partition, partitions, keys, values, CATALOG)
        assert not batch.bad, batch.bad[0]
        return batch


@dataclass
class Faults:
    """How often what goes wrong; a run without faults is the same code with zeros."""

    crash: float = 0.0
    commit_lost: float = 0.0
    moved: float = 0.0


class Cluster:
    """Kafka's topics and one worker per partition.

    Args:
        fold: The core.
        partitions: Partitions of every topic.
        rng: Decides everything that is left to chance.
        faults: What goes wrong.
    """

    def __init__(self, fold: Fold, partitions: int, rng: Random, faults: Faults) -> None:
        self.fold = fold
        self.partitions = partitions
        self.rng = rng
        self.faults = faults
        self.logs: dict[tuple[str, int], Log] = defaultdict(Log)
        self.crashes = 0
        self.workers = [Worker(self, partition) for partition in range(partitions)]

    def publish(self, topic: str, key: bytes, record: Record) -> None:
        """Append a record where its key belongs."""
        place = topic, partition_of(key, self.partitions)
        self.logs[place].records.append((key, framed(record)))

    def broadcast(self, topic: str, records: Iterable[tuple[bytes, Record]]) -> None:
        """Append one record to each partition, in order of partitions."""
        for partition, (key, record) in enumerate(records):
            self.logs[topic, partition].records.append((key, framed(record)))

    def run(self) -> None:
        """Work until every source is read to its end by workers that do not crash any more."""
        while waiting := [worker for worker in self.workers if worker.has_work()]:
            self.rng.choice(waiting).work()

    def said(self, topic: str) -> Iterator[Record]:
        """Yield what stands on a derived topic, each number of a sender once, as receivers do."""
        for partition in range(self.partitions):
            batch = self.logs[topic, partition].read(topic, partition, self.partitions)
            found = [
                (int(index), record)
                for group in batch.groups
                for index, record in zip(group.index, group.events(), strict=True)
            ]
            last: dict[str, int] = {}
            for _, record in sorted(found, key=lambda pair: pair[0]):
                sender, n = str(getattr(record, "sender", "")), int(getattr(record, "n", 0))
                if n > last.get(sender, 0):
                    last[sender] = n
                    yield record


class Crash(Exception):
    """The worker died here."""


class Worker:
    """The worker of one partition: what is durable outlives a crash, the rest does not."""

    def __init__(self, cluster: Cluster, partition: int) -> None:
        self._cluster = cluster
        self._partition = partition
        self._codec = RowCodec(cluster.fold.row_types, cluster.fold.version)
        self._changelog: list[Change] = []
        self._committed = dict.fromkeys(SOURCES, 0)
        self._store: dict[bytes, bytes] = {}
        self._store_stands_at = 0
        self._begin()

    def has_work(self) -> bool:
        """Tell whether any source goes on beyond what was read, or is not committed."""
        return any(self._waiting(topic) for topic in SOURCES)

    def work(self) -> None:
        """Take one chunk of a random source; maybe crash on the way, then begin anew."""
        rng = self._cluster.rng
        topic = rng.choice([topic for topic in SOURCES if self._waiting(topic)])
        count = min(self._waiting(topic), rng.choice((1, 2, 5, 20)))
        try:
            self._chunk(topic, count)
        except Crash:
            self._cluster.crashes += 1
            if rng.random() < self._cluster.faults.moved:
                self._store, self._store_stands_at = {}, 0
            self._begin()

    def row(self, key: str) -> object:
        """Return the row under a key, from the changelog alone."""
        data = dict(self._changelog).get(key.encode())
        return None if data is None else self._codec.decode(key, data).row

    def _put(self, changes: Iterable[Change]) -> None:
        for key, value in changes:
            if value is None:
                self._store.pop(key, None)
            else:
                self._store[key] = value

    def _keys_from(self, prefix: bytes) -> list[bytes]:
        return sorted(key for key in self._store if key.startswith(prefix))

    def _waiting(self, topic: str) -> int:
        log = self._cluster.logs[topic, self._partition]
        return len(log.records) - self._position[topic]

    def _chance(self, probability: float) -> bool:
        return self._cluster.rng.random() < probability

    def _maybe_crash(self) -> None:
        if self._chance(self._cluster.faults.crash):
            raise Crash

    def _begin(self) -> None:
        """Restore the store, send the last chunk's outputs again, read on from the commit."""
        self._put(self._changelog[self._store_stands_at :])
        self._store_stands_at = len(self._changelog)
        self._position = dict(self._committed)
        data = self._store.get(CHUNK_KEY)
        chunk, last_n = 0, 0
        if data is not None:
            record = self._codec.decode_chunk(data)
            outputs, last_n = surviving(self._codec, record, self._store.get)
            chunk = record.chunk
            self._send(outputs)
        self._reducer = Reducer(self._cluster.fold, self._codec)
        self._state = PartitionState(
            self._partition,
            PartitionRows(
                self._codec,
                lambda key: self._store.get(key),  # noqa: PLW0108  the store is replaced
                self._keys_from,
                CACHE_BYTES,
            ),
            OutputWriter(self._partition, self._cluster.partitions, framed, last_n),
            chunk,
        )

    def _chunk(self, topic: str, count: int) -> None:
        start = self._position[topic]
        log = Log(self._cluster.logs[topic, self._partition].records[start : start + count])
        self._position[topic] += count
        owned = self._reducer.group(
            self._state, self._entries(topic, log, start), self._position[topics.FACT]
        )
        source = topic, start, start + count - 1
        reduction = finished(self._reducer.reduce(self._state, source, owned))
        self._maybe_crash()
        if reduction.groups:
            self._write(
                [[(key or b"", value) for key, value in group] for group in reduction.groups]
            )
            self._send_some(reduction.outputs)
        self._maybe_crash()
        if not self._chance(self._cluster.faults.commit_lost):
            self._committed[topic] = self._position[topic]

    def _entries(self, topic: str, log: Log, start: int) -> list[tuple[SourceEntry, str]]:
        batch = log.read(topic, self._partition, self._cluster.partitions)
        entries = [
            (int(index), SourceEntry(group, at, start + int(index), SOURCE_INDEX[topic]))
            for group in batch.groups
            for at, index in enumerate(group.index)
        ]
        entries.sort(key=lambda pair: pair[0])
        return [(entry, log.records[index][0].decode()) for index, entry in entries]

    def _write(self, groups: list[list[Change]]) -> None:
        """Changelog first, then the store; what a crash leaves of either is a prefix.

        The rows of one step stand in one batch of the changelog, and a batch is all or nothing.
        """
        pairs = [pair for group in groups for pair in group]
        if self._chance(self._cluster.faults.crash):
            whole = groups[: self._cluster.rng.randint(0, len(groups))]
            self._changelog += [pair for group in whole for pair in group]
            raise Crash
        self._changelog += pairs
        self._maybe_crash()
        if self._chance(self._cluster.faults.crash):
            self._put(pairs[: self._cluster.rng.randint(0, len(pairs))])
            raise Crash
        self._put(pairs)
        self._store_stands_at = len(self._changelog)
        self._state.rows.commit()

    def _send_some(self, outputs: list[Output]) -> None:
        """Send; each target is a log of its own and gets a prefix where a crash strikes."""
        if not self._chance(self._cluster.faults.crash):
            self._send(outputs)
            return
        targets: dict[tuple[str, int], list[Output]] = defaultdict(list)
        for output in outputs:
            targets[output.topic, output.partition].append(output)
        for some in targets.values():
            self._send(some[: self._cluster.rng.randint(0, len(some))])
        raise Crash

    def _send(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            log = self._cluster.logs[output.topic, output.partition]
            log.records.append((output.key, output.value))


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing and yields to be polite."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
