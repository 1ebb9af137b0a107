"""One chunk from its arrival to its acknowledgement: guards B, G, H and I."""

from types import TracebackType
from typing import Any, Self

from faust.types import TP, EventT, Message

from schemas import topics
from streams import stop
from streams.transport import GuardedConsumer

RUNBOOK_GAP = "docs/runbooks/WorkerOrderGap.md"


class Section:
    """What a chunk runs in.

    Revocation waits for it; any exception in it ends the process; only a chunk marked ``done`` in
    the generation it was read in is acknowledged.

    Args:
        consumer: The worker's consumer.
        event: The chunk as Faust delivers it.
    """

    def __init__(self, consumer: GuardedConsumer, event: EventT[Any]) -> None:
        self.message: Message = event.message
        self.done = False
        self._consumer = consumer

    @property
    def tp(self) -> TP:
        """Topic and partition of the chunk."""
        return self.message.tp

    def position(self, topic: str) -> int:
        """Return the next offset of a source topic to apply in this partition."""
        return self._consumer.expected.get(TP(topic, self.tp.partition), 0)

    def writable(self) -> bool:
        """Tell whether what this chunk leads to may be written; call after the last await (I)."""
        self._consumer.guard.lease.check()
        current = self._consumer.is_current(self.message)
        if not current:
            self._consumer.guard.counts.dropped_chunks += 1
        return current

    def handed_on(self) -> None:
        """Say that this chunk handed something to another owner."""
        self._consumer.pace.hurry()

    async def __aenter__(self) -> Self:
        try:
            if self._consumer.is_current(self.message):
                await self._check_order()
        except Exception as error:  # noqa: BLE001  H
            stop.restart("order check failed", error, tp=str(self.tp))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            stop.on_error(error, tp=str(self.tp), last_offset=self.message.offset)
        if self.done:
            self._consumer.finish(self.message)

    async def _check_order(self) -> None:
        consumer, tp = self._consumer, self.tp
        expected = consumer.expected.get(tp)
        records: Any = self.message.value
        first: int = records[0].offset
        if expected is not None and first > expected:
            await self._judge_gap(expected, first)
        consumer.expected[tp] = max(expected or 0, self.message.offset + 1)

    async def _judge_gap(self, expected: int, first: int) -> None:
        """A gap is legal only where the flow topic's retention has cut its beginning off."""
        log_start = (await self._consumer.earliest_offsets(self.tp))[self.tp]
        facts = {"tp": str(self.tp), "expected": expected, "found": first, "log_start": log_start}
        cut_off = expected < log_start and first == log_start
        if not cut_off:
            stop.restart("chunk begins beyond the next expected offset", **facts)
        if self.tp.topic != topics.FLOW:
            stop.stop("records are gone from a topic kept for ever", see=RUNBOOK_GAP, **facts)
