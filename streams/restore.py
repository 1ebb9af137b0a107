"""Fills the local store from the changelog in bulk, before Faust reads on from there.

Faust restores event by event, at some 95 us of CPU each, and a lot of one fact leaves seven rows:
100,000 lots took 139 s. The C client hands over a thousand records at once, and they go into the
store as they are: the same write, and the same offset behind it, as for Faust's own batches. So
Faust finds a store that stands at the highwater it has just asked for and has nothing left to do.

What ends this early (another rebalance, a stop) leaves a store that is a prefix of the changelog
with its offset, like any other restore that was interrupted.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from faust.types.transports import ConsumerT
from typing_extensions import override

from streams import stop
from streams.config import APP_ID
from streams.store import RowTable

RECORDS = 1_000
"""Records taken at once; with rows of up to 256 kB."""

QUEUE_KB = 16 * 1024
"""Fetched and not yet taken."""

POLL_S = 0.2
"""How long a taker waits, and how soon it notices that it is to end."""


class Stored(Protocol):
    """What a restore needs of a store."""

    def stands_at(self, partition: int) -> int:
        """Return the changelog offset up to which a partition stands; -1 for an empty one."""
        ...

    def restored(
        self, partition: int, rows: Iterable[tuple[bytes, bytes | None]], last_offset: int | None
    ) -> None:
        """Write rows, None for one that is gone, and the offset of the last of them."""
        ...


class Bulk:
    """One restore of some partitions; blocks in a thread of its own.

    Args:
        options: librdkafka's options for reaching the broker.
        store: Where rows go.
        wanted: Of each partition the last offset to read.
    """

    def __init__(self, options: Mapping[str, str], store: Stored, wanted: Mapping[TP, int]) -> None:
        self._options = options
        self._store = store
        self._wanted = {tp.partition: last for tp, last in wanted.items()}
        self._topic = next((tp.topic for tp in wanted), "")
        self.ended = threading.Event()

    def run(self) -> None:
        """Restore until every partition stands at its last offset, or ``ended`` is set.

        Raises:
            KafkaException: The broker does not give what it has.
        """
        starts = {
            partition: stands + 1
            for partition, last in self._wanted.items()
            if (stands := self._store.stands_at(partition)) < last
        }
        if not starts:
            return
        consumer = Consumer(
            {
                **self._options,
                "group.id": APP_ID,  # asked for by the client; nothing joins or commits
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                # Rows are compacted away from the front, so the first one may be further on.
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": QUEUE_KB,
                "log_level": 3,
            }
        )
        try:
            consumer.assign([TopicPartition(self._topic, p, at) for p, at in starts.items()])
            self._take(consumer, set(starts))
        finally:
            consumer.close()

    def _take(self, consumer: Consumer, due: set[int]) -> None:
        while due and not self.ended.is_set():
            by_partition: dict[int, list[Message]] = {}
            for message in consumer.consume(RECORDS, POLL_S):
                partition = int(message.partition() or 0)
                error = message.error()
                if error is None:
                    by_partition.setdefault(partition, []).append(message)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                    due.discard(partition)
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
            for partition, messages in by_partition.items():
                self._write(partition, messages, due)

    def _write(self, partition: int, messages: list[Message], due: set[int]) -> None:
        last = self._wanted[partition]
        upto = [message for message in messages if (message.offset() or 0) <= last]
        if upto:
            rows = [(_key(message), message.value()) for message in upto]
            self._store.restored(partition, rows, upto[-1].offset())
        if (messages[-1].offset() or 0) >= last:
            due.discard(partition)


def _key(message: Message) -> bytes:
    key = message.key()
    assert isinstance(key, bytes)
    return key


class BulkRecovery(Recovery):
    """Faust's recovery, which finds most of its work done."""

    _unhurried = False

    @cached_property
    def _one(self) -> asyncio.Lock:
        return asyncio.Lock()

    @override
    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        # Faust gives each step the time of a request, and goes on without it when that is over.
        # A restore takes as long as the changelog is.
        unhurried, self._unhurried = self._unhurried, False
        await super()._wait(coro, None if unhurried else timeout)

    @override
    async def _build_highwaters(
        self, consumer: ConsumerT, tps: set[TP], destination: Counter[TP], title: str
    ) -> None:
        await super()._build_highwaters(consumer, tps, destination, title)
        self._unhurried = title == "active"

    @override
    async def _build_offsets(
        self, consumer: ConsumerT, tps: set[TP], destination: Counter[TP], title: str
    ) -> None:
        if title == "active" and tps:
            async with self._one:
                await self._restore({tp: self.active_highwaters[tp] for tp in tps})
            for tp in tps:
                offset = self.tp_to_table[tp].persisted_offset(tp)
                if offset is not None:
                    destination[tp] = offset
        timeout = self.app.conf.broker_request_timeout
        await asyncio.wait_for(super()._build_offsets(consumer, tps, destination, title), timeout)

    async def _restore(self, wanted: Mapping[TP, int]) -> None:
        table = cast("RowTable", self.tp_to_table[next(iter(wanted))])
        options = cast("BulkTables", self.tables).options
        bulk = Bulk(options, table.rows, wanted)
        running = asyncio.get_running_loop().run_in_executor(None, bulk.run)
        try:
            await asyncio.shield(running)
        except KafkaException as error:
            stop.restart("rows could not be restored", error)
        finally:
            # Nobody else may write these partitions before this one has stopped.
            bulk.ended.set()
            await asyncio.wait([running])


class BulkTables(TableManager):
    """Faust's tables with our recovery."""

    options: Mapping[str, str]

    @property
    @override
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
