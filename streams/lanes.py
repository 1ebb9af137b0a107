"""Chunks of different partitions at once, those of one partition one after the other.

A small chunk costs 14 ms, nearly all of it the wait for Kafka's two acknowledgements, and changes
that go through several owners queued behind each other's waits. A partition's rows are still read
and written by one chunk at a time, so nothing else of the protocol changes.

A chunk that waits for the one before it is in no queue that a rebalance could empty. It is
dropped where the flow was stopped or sought meanwhile: it will be read again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from faust.types import EventT

from streams.section import Section
from streams.transport import GuardedConsumer


class Lanes:
    """One lane per partition; used by one agent.

    Args:
        apply: Takes a chunk through the protocol.
    """

    def __init__(self, apply: Callable[[Section], Awaitable[None]]) -> None:
        self._apply = apply
        self._last: dict[int, asyncio.Task[None]] = {}

    async def take(self, consumer: GuardedConsumer, event: EventT[Any]) -> None:
        """Start a chunk when the one before it in its partition has ended."""
        epoch, partition = consumer.epoch, event.message.tp.partition
        before = self._last.get(partition)
        if before is not None and not before.done():
            await asyncio.wait((before,))
        if consumer.epoch != epoch:
            consumer.guard.counts.dropped_chunks += 1
            return
        # Counted here and not by the task: a revocation may look before the task has begun.
        consumer.running_chunks += 1
        task = self._last[partition] = asyncio.create_task(self._run(consumer, event))
        task.add_done_callback(lambda _: consumer.ended())

    async def _run(self, consumer: GuardedConsumer, event: EventT[Any]) -> None:
        async with Section(consumer, event) as section:
            await self._apply(section)

    def close(self) -> None:
        """Interrupt what runs, as the end of the process would."""
        for task in self._last.values():
            task.cancel()
