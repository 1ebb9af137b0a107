"""The output protocol: state first with its outputs inside, then the outputs.

Outputs depend on state, and after a crash the source topics of a partition interleave
differently, so "send outputs, then write state" says other things under the same number: tried,
the sums sent and received differed in 2 of 10 crash runs. Instead, per chunk and partition:

1. decode, reduce in memory, check that the partition is still ours;
2. send to the changelog one chunk record, then each row with the outputs made for it; the
   changelog of a partition is ordered and has one writer, so what survives a crash is a prefix;
3. await the acknowledgement, and only then write the local store, with the changelog offset;
4. send the outputs in order of n, await them, and mark the chunk done.

Only the last chunk can have unsent outputs. ``restore`` sends them again byte for byte before the
flow resumes; receivers keep the highest n per sender and drop what is not above it. Rows of that
chunk that did not survive are reduced again: nothing of theirs had been sent.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from custody.errors import Unavailable
from custody.fold import Fold
from schemas import breaker, topics
from schemas.reader import Batch, read_batch
from schemas.registry import Catalog
from streams import batches, stop
from streams.config import CHANGELOG, SOURCE_INDEX, Stage, WorkerConfig
from streams.outputs import Frame, OutputWriter
from streams.reduction import PartitionState, Reducer, Reduction, SourceEntry
from streams.rows import CHUNK_KEY, Output, PartitionRows, RowCodec
from streams.section import Section
from streams.spill import surviving
from streams.store import RowStore
from telemetry import metrics
from telemetry.metrics import Metrics

REGISTRY_RETRIES = 3
REGISTRY_RETRY_S = 1.0


class Protocol:
    """Applies chunks and restores partitions.

    Args:
        config: The worker's settings.
        fold: The core.
        catalog: Schema ids.
        frame: Encodes an output under its registered schema.
        metrics: Where it counts.
        partitions: Partitions of every topic.
    """

    def __init__(
        self,
        config: WorkerConfig,
        fold: Fold,
        catalog: Catalog,
        frame: Frame,
        metrics: Metrics,
        partitions: int,
    ) -> None:
        self._config = config
        self._catalog = catalog
        self._frame = frame
        self._metrics = metrics
        self._partitions = partitions
        self._codec = RowCodec(fold.row_types, fold.version)
        self._reducer = Reducer(fold, self._codec)
        self._states: dict[int, PartitionState] = {}
        self._done: dict[int, int] = {}
        self._breakers: dict[tuple[str, int], breaker.Breaker] = {}
        self._restoring = asyncio.Lock()
        self._store: Callable[[], RowStore]
        self._producer: Callable[[], AIOKafkaProducer]

    def connect(
        self, store: Callable[[], RowStore], producer: Callable[[], AIOKafkaProducer]
    ) -> None:
        """Give the parts that exist only once Faust runs."""
        self._store = store
        self._producer = producer

    # -- a chunk ------------------------------------------------------------------------------

    async def apply(self, section: Section) -> None:
        """Take one chunk through all steps; ``section.done`` says that it went to the end."""
        if not section.writable():
            return
        began = time.monotonic()
        state = self._states.get(section.tp.partition)
        if state is None:
            stop.restart("a chunk came before its partition was restored", tp=str(section.tp))
        reduction = await self._reduce(section, state)
        self._metrics.observe(metrics.APPLY_SECONDS, time.monotonic() - began)
        if reduction.groups and not await self._write(section, state, reduction):
            # Another worker may own the partition: what we hold of it is worth nothing.
            self._states.pop(state.partition, None)
            return
        state.rows.trim()
        section.done = True
        self._count(section, reduction, time.monotonic() - began)

    async def _reduce(self, section: Section, state: PartitionState) -> Reduction:
        records: Sequence[ConsumerRecord] = section.message.value  # type: ignore[assignment]  # a chunk
        topic, partition = section.tp
        batch = await self._read(topic, partition, records)
        self._judge(topic, partition, records, batch)
        owned = self._reducer.group(
            state, _in_order(topic, records, batch), section.position(topics.FACT)
        )
        source = (topic, records[0].offset, records[-1].offset)
        return await self._reducer.reduce(state, source, owned)

    async def _read(self, topic: str, partition: int, records: Sequence[ConsumerRecord]) -> Batch:
        keys = [record.key for record in records]
        values = [record.value for record in records]
        for retries_left in reversed(range(REGISTRY_RETRIES)):
            try:
                return read_batch(topic, partition, self._partitions, keys, values, self._catalog)
            except Unavailable:
                if not retries_left:
                    raise
                await asyncio.sleep(REGISTRY_RETRY_S)
        raise AssertionError

    def _judge(
        self, topic: str, partition: int, records: Sequence[ConsumerRecord], batch: Batch
    ) -> None:
        for bad in batch.bad:
            self._metrics.add(metrics.WORKER_DEAD_LETTERS, bad.reason)
        counted = self._breakers.get((topic, partition))
        if counted is None:
            counted = breaker.Breaker(f"{topic}/{partition}", breaker.Limits())
            self._breakers[topic, partition] = counted
        breaker.feed(
            counted, len(records), batch.bad, lambda at: breaker.sender(dict(records[at].headers))
        )

    async def _write(self, section: Section, state: PartitionState, reduction: Reduction) -> bool:
        partition = state.partition
        await self._pause(Stage.WRITING, partition)
        if not section.writable():
            return False
        last = await batches.send(self._producer(), CHANGELOG, partition, reduction.groups)
        await self._pause(Stage.LOGGED, partition)
        if not section.writable():
            return False
        rows = ((key or b"", value) for group in reduction.groups for key, value in group)
        self._store().write(partition, rows, last)
        state.rows.commit()
        await self._pause(Stage.STORED, partition)
        await self._send(reduction.outputs)
        if any(output.topic == topics.FLOW for output in reduction.outputs):
            section.handed_on()
        await self._pause(Stage.SENT, partition)
        self._done[partition] = reduction.record.chunk
        return True

    async def _send(self, outputs: Iterable[Output]) -> None:
        """Send records, per topic and partition in order of n, and await them all."""
        by_target = sorted(outputs, key=attrgetter("topic", "partition", "n"))
        await asyncio.gather(
            *(
                batches.send(
                    self._producer(), topic, partition, [[(o.key, o.value)] for o in targeted]
                )
                for (topic, partition), targeted in groupby(
                    by_target, attrgetter("topic", "partition")
                )
            )
        )

    async def _pause(self, stage: Stage, partition: int) -> None:
        if self._config.pause is not None:
            await self._config.pause(stage, partition)

    def _count(self, section: Section, reduction: Reduction, seconds: float) -> None:
        add, topic = self._metrics.add, section.tp.topic
        add(metrics.CHUNKS)
        add(metrics.CHUNK_RECORDS, topic, len(section.message.value))  # type: ignore[arg-type]  # a chunk
        self._metrics.observe(metrics.CHUNK_SECONDS, seconds)
        for stem, records in reduction.applied.items():
            add(metrics.WORKER_APPLIED, stem, records)
        for stem, records in reduction.said.items():
            add(metrics.OUTPUTS, stem, records)
        for family, versions in reduction.families.items():
            add(metrics.ALERTS, family, versions)
        if reduction.duplicates:
            add(metrics.WORKER_DUPLICATE, topic, reduction.duplicates)
        if reduction.findings:
            add(metrics.FINDINGS, amount=reduction.findings)

    # -- after a rebalance --------------------------------------------------------------------

    async def restore(self, partitions: set[int]) -> None:
        """Begin an assignment: send the last chunk's outputs again, then allow chunks.

        Faust calls this when the local store has caught up with the changelog and before the
        source topics resume. A failure ends the process.
        """
        try:
            async with self._restoring:
                self._states.clear()
                for partition in sorted(partitions):
                    self._states[partition] = await self._restore(partition)
        except Exception as error:  # noqa: BLE001  Faust would swallow it and resume the flow
            stop.on_error(error, partitions=sorted(partitions))

    async def _restore(self, partition: int) -> PartitionState:
        store = self._store()
        rows = PartitionRows(
            self._codec,
            lambda key: self._store().row(partition, key),
            lambda prefix: self._store().keys_from(partition, prefix),
            self._config.cache_bytes_max,
        )
        data = store.row(partition, CHUNK_KEY)
        chunk, last_n = 0, 0
        if data is not None:
            record = self._codec.decode_chunk(data)
            chunk = record.chunk
            outputs, last_n = surviving(self._codec, record, lambda key: store.row(partition, key))
            # A partition we kept through a rebalance has sent its last chunk already.
            if self._done.get(partition) != chunk:
                await self._send(outputs)
                self._metrics.add(metrics.RESENT, amount=len(outputs))
                self._done[partition] = chunk
        self._metrics.add(metrics.RESTORES)
        writer = OutputWriter(partition, self._partitions, self._frame, last_n)
        return PartitionState(partition, rows, writer, chunk)


def _in_order(
    topic: str, records: Sequence[ConsumerRecord], batch: Batch
) -> list[tuple[SourceEntry, str]]:
    """Return the readable records in offset order, with their keys."""
    source = SOURCE_INDEX[topic]
    entries: list[tuple[int, SourceEntry, str]] = []
    for group in batch.groups:
        for at, index in enumerate(group.index.tolist()):
            record = records[index]
            key = "" if record.key is None else record.key.decode(errors="replace")
            entries.append((index, SourceEntry(group, at, record.offset, source), key))
    entries.sort(key=_first)
    return [(entry, key) for _, entry, key in entries]


def _first(item: tuple[int, SourceEntry, str]) -> int:
    return item[0]
