"""The guards one by one, on a consumer whose aiokafka is a stand-in.

The whole of them together is tried on a real broker in ``tests/fault/test_streams_crashes.py``.
"""

import asyncio
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP, Message
from faust.types.tuples import FutureMessage
from typing_extensions import override

from custody.errors import Unavailable
from schemas import topics
from streams import guard, producer
from streams.chunk import Chunk
from streams.guard import Guard
from streams.lease import Lease
from streams.pacing import BACKLOG_RECORDS, Pace
from streams.transport import GuardedConsumer

FACT = TP(topics.FACT, 0)
FLOW = TP(topics.FLOW, 0)
ROWS = TP("custody-worker-rows-changelog", 0)


def record(offset: int) -> SimpleNamespace:
    return SimpleNamespace(offset=offset, timestamp=0, timestamp_type=0)


class Consumer(GuardedConsumer):
    """A guarded consumer over a list of records in place of the consumer's thread."""

    def __init__(self, chunk_records_max: int = 10, poll_s: float = 0.0) -> None:
        # Faust's own construction wants an app, a transport and a thread.
        self.now_s = 0.0
        lease = Lease(10.0, lambda: self.now_s)
        self.guard = Guard(frozenset(topics.SOURCES), lease, chunk_records_max, poll_s, 1.0)
        self.app: Any = SimpleNamespace(in_recovery=not poll_s, consumer_generation_id=7)
        self.log: Any = SimpleNamespace(warning=lambda *_: None)
        self.running_chunks = 0
        self.expected: dict[TP, int] = {}
        self.progress = {}
        self.committed_at = {}
        self._deferred: set[TP] = set()
        self._epoch = 0
        self._fetching = asyncio.Lock()
        self.pace = Pace(poll_s, lambda: self.now_s)
        self._read_offset: Any = dict.fromkeys((FACT, FLOW, ROWS))
        self._committed_offset: Any = {}
        self._acked: Any = {FACT: [], FLOW: []}
        self._acked_index: Any = {FACT: set(), FLOW: set()}
        self._n_acked = 0
        self._active_partitions: Any = set()
        self._paused_partitions: Any = set()
        self.flow_active = True
        self.can_resume_flow = asyncio.Event()
        self.suspend_flow = asyncio.Event()
        self.seeks: list[tuple[TP, int]] = []
        self._thread: Any = SimpleNamespace(getmany=self._records)
        self.ready: dict[TP, list[Any]] = {}
        self.at_broker: dict[TP, list[Any]] = {}
        self.asked: set[TP] | None = None
        self.during_fetch: Any = None

    async def _records(self, active: set[TP] | None, timeout: float) -> dict[TP, list[Any]]:  # noqa: ARG002, ASYNC109  Faust's signature
        self.asked = active
        if self.during_fetch is not None:
            await self.during_fetch()
        # What is read makes room for what the broker has.
        held, self.ready, self.at_broker = self.ready, self.at_broker, {}
        return held

    @override
    def assignment(self) -> set[TP]:
        return {FACT, FLOW, ROWS}

    @override
    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp == ROWS

    @override
    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        self.seeks.extend(partitions.items())

    @override
    async def seek_to_committed(self) -> Mapping[TP, int]:
        return {FACT: 40}

    @override
    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 3)

    def fetch(self) -> dict[TP, list[Any]]:
        return cast(dict[TP, list[Any]], asyncio.run(self._getmany({FACT}, 0.01)))


def offsets(chunks: Iterable[Chunk]) -> list[list[int]]:
    return [[r.offset for r in chunk.value] for chunk in chunks]


def test_records_of_a_fetch_become_chunks() -> None:
    consumer = Consumer(chunk_records_max=2)
    consumer.ready = {FACT: [record(4), record(5), record(6)]}
    chunks = consumer.fetch()[FACT]
    assert offsets(chunks) == [[4, 5], [6]]
    assert [chunk.offset for chunk in chunks] == [5, 6]


def test_changelog_records_stay_single() -> None:
    consumer = Consumer()
    rows = [record(1), record(2)]
    consumer.ready = {ROWS: rows}
    assert consumer.fetch()[ROWS] == rows


def test_what_was_handed_on_is_delivered_before_new_facts() -> None:
    consumer = Consumer()
    consumer.ready = {FACT: [record(4)], FLOW: [record(9)]}
    assert list(consumer.fetch()) == [FLOW, FACT]


def test_a_fetch_brings_what_the_broker_has_beside_what_is_held() -> None:
    consumer = Consumer(chunk_records_max=9)
    consumer.ready = {FACT: [record(4)]}
    consumer.at_broker = {FACT: [record(5), record(6)], FLOW: [record(9)]}
    fetched = consumer.fetch()
    assert offsets(fetched[FACT]) == [[4, 5, 6]]
    assert offsets(fetched[FLOW]) == [[9]]


def test_a_backlog_is_not_asked_for_twice() -> None:
    consumer = Consumer(chunk_records_max=BACKLOG_RECORDS)
    consumer.ready = {FACT: [record(n) for n in range(BACKLOG_RECORDS)]}
    consumer.at_broker = {FACT: [record(BACKLOG_RECORDS)]}
    assert len(consumer.fetch()[FACT]) == 1


def test_a_paced_fetch_begins_when_something_is_handed_on() -> None:
    consumer = Consumer(poll_s=3600.0)
    consumer.ready = {FACT: [record(4)]}

    async def hand_on() -> None:
        paced = asyncio.create_task(consumer._getmany({FACT, FLOW}, 0.01))
        await asyncio.sleep(0)
        assert consumer.asked is None
        consumer.now_s = 1.0
        consumer.pace.hurry()
        assert list(await asyncio.wait_for(paced, 60)) == [FACT]

    asyncio.run(hand_on())


def test_fetch_in_flight_across_a_stop_is_dropped_and_read_again() -> None:
    consumer = Consumer()
    consumer.expected = {FACT: 4}
    consumer.ready = {FACT: [record(4)], ROWS: [record(9)]}

    async def rebalance() -> None:
        consumer.stop_flow()
        consumer.flow_active = True

    consumer.during_fetch = rebalance
    assert list(consumer.fetch()) == [ROWS]
    assert consumer.seeks == [(FACT, 4)]
    assert consumer.guard.counts.stale_fetch_records == 1


def test_fetch_gets_a_copy_of_the_active_partitions() -> None:
    consumer = Consumer()
    active = {FACT}
    asyncio.run(consumer._getmany(active, 0.01))
    assert consumer.asked == active
    assert consumer.asked is not active


def test_seek_ends_with_no_fetch_in_flight() -> None:
    consumer = Consumer()
    log: list[str] = []

    async def race() -> None:
        async def slow() -> None:
            log.append("fetch begins")
            await asyncio.sleep(0.02)
            log.append("fetch ends")

        consumer.during_fetch = slow
        fetch = asyncio.create_task(consumer._getmany({FACT}, 0.01))
        await asyncio.sleep(0.005)
        await consumer.perform_seek()
        log.append("seek ends")
        await fetch

    asyncio.run(race())
    assert log == [*["fetch begins", "fetch ends"] * 2, "seek ends"]


def test_partition_without_a_commit_is_rewound_to_its_start() -> None:
    consumer = Consumer()
    asyncio.run(consumer.perform_seek())
    assert consumer.expected == {FACT: 40, FLOW: 3}
    assert dict(consumer.seeks) == {FACT: 40, FLOW: 3}


def test_sources_resume_only_with_the_flow() -> None:
    consumer = Consumer()
    consumer.resume_partitions({FACT, ROWS})
    assert consumer._active_partitions == {ROWS}
    consumer.resume_flow()
    assert consumer._active_partitions == {FACT, ROWS}


def test_paused_source_does_not_resume_with_the_flow() -> None:
    consumer = Consumer()
    consumer.resume_partitions({FACT})
    consumer.pause_partitions({FACT})
    consumer.resume_flow()
    assert FACT not in consumer._active_partitions


def message(offset: int, generation: int = 7) -> Message:
    found = SimpleNamespace(tp=FACT, offset=offset, generation_id=generation, acked=False)
    return cast(Message, found)


def test_only_finished_chunks_are_committed() -> None:
    consumer = Consumer()
    assert consumer.ack(message(9)) is False
    assert consumer._new_offset(FACT) is None
    consumer.finish(message(9))
    assert consumer._new_offset(FACT) == 10


def test_chunk_of_an_old_generation_is_not_committed() -> None:
    consumer = Consumer()
    consumer.finish(message(9, generation=6))
    assert consumer._new_offset(FACT) is None
    assert consumer.guard.counts.stale_acks == 1


def test_producer_buffer_is_closed() -> None:
    with pytest.raises(RuntimeError, match="guard E"):
        producer._closed_buffer(cast(FutureMessage, None))


def test_other_library_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    guard.check_versions()
    monkeypatch.setattr(guard, "version", lambda _: "9.9.9")
    with pytest.raises(Unavailable, match=r"9\.9\.9"):
        guard.check_versions()
