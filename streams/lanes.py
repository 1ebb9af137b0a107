"""Small chunks of different partitions at once, those of one partition one after the other.

A small chunk costs 14 ms, nearly all of it the wait for Kafka's two acknowledgements, and changes
that go through several owners queued behind each other's waits. A partition's rows are still read
and written by one chunk at a time, so nothing else of the protocol changes. Large chunks cost
computing, which does not overlap: together they would only make a revocation wait for all.

A chunk whose partition is busy waits without holding up those of other partitions: behind each
other all waited 25 ms on average, at a third of the worker's load.

A chunk that waits for others is in no queue that a rebalance could empty. It is dropped where the
flow was stopped or sought meanwhile: it will be read again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sized
from typing import Any, NamedTuple, cast

from faust.types import EventT

from streams import stop
from streams.section import Section
from streams.transport import GuardedConsumer

RECORDS_MAX = 500
"""Records of all chunks that run at once; a larger chunk runs alone."""
WAITING_MAX = 64
"""Chunks that wait here; the rest wait in Faust's queue, which a rebalance empties."""


class _Waiting(NamedTuple):
    consumer: GuardedConsumer
    epoch: int
    event: EventT[Any]

    @property
    def partition(self) -> int:
        return self.event.message.tp.partition

    @property
    def records(self) -> int:
        return len(cast(Sized, self.event.message.value))

    def void(self) -> bool:
        """Tell whether the flow stopped since: its epoch may be the new one already."""
        return self.consumer.epoch != self.epoch or not self.consumer.flow_active


class Lanes:
    """One lane per partition; used by one agent.

    Args:
        apply: Takes a chunk through the protocol.
    """

    def __init__(self, apply: Callable[[Section], Awaitable[None]]) -> None:
        self._apply = apply
        self._running: dict[int, tuple[asyncio.Task[None], int]] = {}
        self._waiting: deque[_Waiting] = deque()

    async def take(self, consumer: GuardedConsumer, event: EventT[Any]) -> None:
        """Start a chunk as soon as it may run; wait only where too many wait already."""
        self._waiting.append(_Waiting(consumer, consumer.epoch, event))
        self._start(consumer)
        while len(self._waiting) >= WAITING_MAX:
            running = [task for task, _ in self._running.values()]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    def close(self) -> None:
        """Interrupt what runs, as the end of the process would."""
        self._waiting.clear()
        for task, _ in self._running.values():
            task.cancel()

    def _start(self, consumer: GuardedConsumer) -> None:
        """Start what may run, in the order of arrival within a partition.

        A chunk too large for what runs holds up all behind it: it would never run otherwise.
        """
        still: deque[_Waiting] = deque()
        busy = set(self._running)
        full = False
        for waiting in self._waiting:
            if waiting.void():
                waiting.consumer.guard.counts.dropped_chunks += 1
                continue
            if waiting.partition not in busy and not full:
                full = self._is_full(waiting.records)
                if not full:
                    self._begin(waiting)
                    busy.add(waiting.partition)
                    continue
            busy.add(waiting.partition)
            still.append(waiting)
        self._waiting = still
        consumer.pace.behind(len(still))

    def _is_full(self, records: int) -> bool:
        under_way = sum(count for _, count in self._running.values())
        return under_way > 0 and under_way + records > RECORDS_MAX

    def _begin(self, waiting: _Waiting) -> None:
        consumer, partition = waiting.consumer, waiting.partition
        # Counted here and not by the task: a revocation may look before the task has begun.
        consumer.running_chunks += 1
        task = asyncio.create_task(self._run(consumer, waiting.event))
        self._running[partition] = task, waiting.records
        task.add_done_callback(lambda task: self._ended(consumer, partition, task))

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
        self._start(consumer)
