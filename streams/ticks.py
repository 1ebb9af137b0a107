"""Ticks: a partition's clock, as records on the flow topic.

A fold knows no time of day, and a timer must not write rows: what is due is decided by a tick. A
tick names the end of the fact partition at the moment it was written and takes effect when all
facts before it are applied, so a backlog is never judged by a clock that has run ahead of it.
Ticks carry no number; they are idempotent by ``now``, and a lost one is followed by the next.

``Tick.silent_sites`` names gateways, not sites: which site a gateway stands at is reference data,
and that is the fold's (``custody.ticking``). The field's name is frozen with its schema.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

import aiokafka
from aiokafka.errors import KafkaError
from faust.types import TP

from custody.errors import Unavailable
from custody.events import Micros
from custody.heads import Head
from custody.records import Tick
from schemas import topics
from schemas.reader import read_batch
from schemas.registry import Catalog
from streams import batches
from streams.config import Security
from streams.outputs import Frame
from streams.security import client_options
from streams.transport import GuardedConsumer

HEADS_LOOK_BACK_S = 7 * 86_400
"""Heads older than this are not read at start: a gateway without one in a week is unknown, and an
unknown one holds nothing back. With ten gateways a start reads 100,000 heads."""

SILENT_MAX = 2_000
"""Gateways one tick can name; the schema's cap."""

_HEADS_POLL_MS = 200

log = logging.getLogger("streams")


class Silence:
    """Which gateways have stopped to write heads.

    Args:
        after_s: Age of the last head from which a gateway is silent.
    """

    def __init__(self, after_s: float) -> None:
        self._after_us = int(after_s * 1e6)
        self._last: dict[str, int] = {}

    def note(self, head: Head) -> None:
        """Take one head into account."""
        self._last[head.gateway_id] = max(self._last.get(head.gateway_id, 0), head.at)

    def silent(self, now: Micros) -> tuple[str, ...]:
        """Return the gateways whose last head is too old, by name."""
        late = sorted(g for g, at in self._last.items() if now - at > self._after_us)
        return tuple(late[:SILENT_MAX])


class Heads:
    """Follows the head topic with a plain consumer, outside the group."""

    def __init__(
        self,
        bootstrap: str,
        partitions: int,
        catalog: Catalog,
        security: Security | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._security = security or Security()
        self._partitions = partitions
        self._catalog = catalog
        self._consumer: aiokafka.AIOKafkaConsumer | None = None

    async def read(self, now_ms: int) -> Sequence[Head]:
        """Return the heads that are new; the first call looks back an hour.

        Raises:
            KafkaError: The broker cannot be asked; the next call begins again.
        """
        if self._consumer is None:
            self._consumer = await self._start(now_ms)
        heads: list[Head] = []
        while fetched := await self._consumer.getmany(timeout_ms=_HEADS_POLL_MS):
            for tp, records in fetched.items():
                keys, values = [r.key for r in records], [r.value for r in records]
                batch = read_batch(
                    tp.topic, tp.partition, self._partitions, keys, values, self._catalog
                )
                heads.extend(
                    e for group in batch.groups for e in group.events() if isinstance(e, Head)
                )
        return heads

    async def close(self) -> None:
        """Close the consumer."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _start(self, now_ms: int) -> aiokafka.AIOKafkaConsumer:
        consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            group_id=None,
            **client_options(self._security),
        )
        await consumer.start()
        tps = [aiokafka.TopicPartition(topics.HEAD, p) for p in range(self._partitions)]
        consumer.assign(tps)
        since = await consumer.offsets_for_times(
            dict.fromkeys(tps, now_ms - HEADS_LOOK_BACK_S * 1000)
        )
        for tp in tps:
            found = since[tp]
            if found is None:
                await consumer.seek_to_end(tp)
            else:
                consumer.seek(tp, found.offset)
        return consumer


class TickWriter:
    """Writes one tick per owned partition and interval.

    Args:
        consumer: Tells which partitions are owned.
        producer: A running producer.
        frame: Encodes a tick.
        heads: Where heads come from.
        silence: What they say.
        clock_us: Time of day, microseconds since the epoch.
    """

    def __init__(
        self,
        consumer: Callable[[], GuardedConsumer],
        producer: Callable[[], aiokafka.AIOKafkaProducer],
        frame: Frame,
        heads: Heads,
        silence: Silence,
        clock_us: Callable[[], int],
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._frame = frame
        self._heads = heads
        self._silence = silence
        self._clock_us = clock_us

    async def run(self, interval_s: float, is_ready: Callable[[], bool]) -> None:
        """Write ticks until cancelled; an unreachable broker costs a tick, not the process.

        Args:
            interval_s: Between two ticks.
            is_ready: False during a rebalance or restore.
        """
        try:
            while True:
                await asyncio.sleep(interval_s)
                if is_ready():
                    await self._write_if_possible()
        finally:
            await self._heads.close()

    async def _write_if_possible(self) -> None:
        try:
            await self.write()
        except (KafkaError, Unavailable) as error:
            log.warning("tick not written", extra={"why": str(error)})
            await self._heads.close()

    async def write(self) -> None:
        """Write one tick to each owned partition."""
        now = Micros(self._clock_us())
        for head in await self._heads.read(now // 1000):
            self._silence.note(head)
        silent = self._silence.silent(now)
        for partition, end in (await self._fact_ends()).items():
            tick = Tick(partition=partition, now=now, fact_end_offset=end, silent_sites=silent)
            await batches.send(
                self._producer(), topics.FLOW, partition, [[(None, self._frame(tick))]]
            )

    async def _fact_ends(self) -> Mapping[int, int]:
        consumer = self._consumer()
        tps = [tp for tp in consumer.assignment() if tp.topic == topics.FACT]
        ends: Mapping[TP, int] = await consumer.highwaters(*tps) if tps else {}
        return {tp.partition: end for tp, end in ends.items()}


def wall_clock_us() -> int:
    """Return the time of day: ticks are where a worker's clock enters the record."""
    return time.time_ns() // 1000
