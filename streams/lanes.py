"""Small chunks of different partitions at once, those of one partition one after the other.

A small chunk costs 14 ms, nearly all of it the wait for Kafka's two acknowledgements, and changes
that go through several owners queued behind each other's waits. A partition's rows are still read
and written by one chunk at a time, so nothing else of the protocol changes. Large chunks cost
computing, which does not overlap: together they would only make a revocation wait for all.

A chunk that waits for others is in no queue that a rebalance could empty. It is dropped where the
flow was stopped or sought meanwhile: it will be read again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sized
from typing import Any, cast

from faust.types import EventT

from streams import stop
from streams.section import Section
from streams.transport import GuardedConsumer

RECORDS_MAX = 500
"""Records of all chunks that run at once; a larger chunk runs alone."""


class Lanes:
    """One lane per partition; used by one agent.

    Args:
        apply: Takes a chunk through the protocol.
    """

    def __init__(self, apply: Callable[[Section], Awaitable[None]]) -> None:
        self._apply = apply
        self._running: dict[int, tuple[asyncio.Task[None], int]] = {}

    async def take(self, consumer: GuardedConsumer, event: EventT[Any]) -> None:
        """Start a chunk as soon as it may run."""
        epoch, partition = consumer.epoch, event.message.tp.partition
        records = len(cast(Sized, event.message.value))
        while self._is_full(partition, records):
            running = [task for task, _ in self._running.values()]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        # The flow may have stopped between the queue and here, too: its epoch is then the new one.
        if consumer.epoch != epoch or not consumer.flow_active:
            consumer.guard.counts.dropped_chunks += 1
            return
        # Counted here and not by the task: a revocation may look before the task has begun.
        consumer.running_chunks += 1
        task = asyncio.create_task(self._run(consumer, event))
        self._running[partition] = task, records
        task.add_done_callback(lambda task: self._ended(consumer, partition, task))

    def close(self) -> None:
        """Interrupt what runs, as the end of the process would."""
        for task, _ in self._running.values():
            task.cancel()

    def _is_full(self, partition: int, records: int) -> bool:
        if partition in self._running:
            return True
        under_way = sum(count for _, count in self._running.values())
        return under_way > 0 and under_way + records > RECORDS_MAX

    async def _run(self, consumer: GuardedConsumer, event: EventT[Any]) -> None:
        async with Section(consumer, event) as section:
            await self._apply(section)

    def _ended(self, consumer: GuardedConsumer, partition: int, task: asyncio.Task[None]) -> None:
        del self._running[partition]
        consumer.running_chunks -= 1
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            # H: what a section does not catch would be lost in the task, and its chunk passed over.
            stop.on_error(error, partition=partition)
