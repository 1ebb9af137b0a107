"""Chunks of one partition one after the other, of different partitions at once."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest
from faust.types import TP, EventT

from streams import lanes as lanes_module
from streams import stop
from streams.guard import Counts
from streams.lanes import RECORDS_MAX, WAITING_MAX, Lanes
from streams.pacing import Pace
from streams.transport import GuardedConsumer


class Consumer:
    """What lanes ask of the consumer."""

    def __init__(self) -> None:
        self.epoch = 0
        self.flow_active = True
        self.running_chunks = 0
        self.guard = SimpleNamespace(counts=Counts())
        self.pace = Pace(0.0, lambda: 0.0)


class Section:
    """A section that lets everything pass."""

    def __init__(self, _consumer: Consumer, event: Any) -> None:  # noqa: ANN401  as Faust has it
        self.tp: TP = event.message.tp
        self.name: str = event.message.value[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def _plain_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "Section", Section)


def chunk(name: str, partition: int, topic: str = "facts", records: int = 3) -> Any:  # noqa: ANN401  as above
    return SimpleNamespace(message=SimpleNamespace(tp=TP(topic, partition), value=[name] * records))


class Work:
    """Chunks that run until they are let go."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def apply(self, section: Any) -> None:  # noqa: ANN401  as above
        self.began.append(section.name)
        gate = self.gates.setdefault(section.name, asyncio.Event())
        await gate.wait()
        self.ended.append(section.name)

    def let_go(self, name: str) -> None:
        self.gates.setdefault(name, asyncio.Event()).set()


def run(body: Callable[[Lanes, Work, GuardedConsumer], Awaitable[None]]) -> Work:
    work = Work()
    asyncio.run(cast(Any, body(Lanes(work.apply), work, cast(GuardedConsumer, Consumer()))))
    return work


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_partitions_do_not_wait_for_each_other() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, chunk("a", 0))
        await lanes.take(consumer, chunk("b", 1))
        await turns()
        assert work.began == ["a", "b"]
        assert consumer.running_chunks == 2
        work.let_go("a")
        work.let_go("b")
        await turns()
        assert consumer.running_chunks == 0

    assert run(body).ended == ["a", "b"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(chunk("a", 0), chunk("b", 0, "flow"), id="one partition, whatever the topic"),
        pytest.param(
            chunk("a", 0, records=RECORDS_MAX), chunk("b", 1, records=1), id="large first"
        ),
        pytest.param(chunk("a", 0, records=1), chunk("b", 1, records=RECORDS_MAX), id="large next"),
    ],
)
def test_these_run_one_after_the_other(first: EventT[Any], second: EventT[Any]) -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, first)
        await lanes.take(consumer, second)
        await turns()
        assert work.began == ["a"]
        work.let_go("a")
        await turns()
        assert work.began == ["a", "b"]
        work.let_go("b")
        await turns()

    assert run(body).ended == ["a", "b"]


def test_a_busy_partition_holds_up_no_other() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        for name, partition in (("a", 0), ("b", 0), ("c", 1), ("d", 0)):
            await lanes.take(consumer, chunk(name, partition))
        await turns()
        assert work.began == ["a", "c"]
        assert consumer.pace.early_s() > 0
        for name in "acbd":
            work.let_go(name)
        await turns(20)
        assert consumer.pace.early_s() <= 0

    assert run(body).began == ["a", "c", "b", "d"]


def test_nothing_overtakes_a_chunk_that_needs_all_the_room() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        for name, partition, records in (("a", 0, 1), ("b", 1, RECORDS_MAX), ("c", 2, 1)):
            await lanes.take(consumer, chunk(name, partition, records=records))
        await turns()
        assert work.began == ["a"]
        for name in "abc":
            work.let_go(name)
        await turns(20)

    assert run(body).began == ["a", "b", "c"]


def test_no_more_is_taken_while_too_many_wait() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        for n in range(WAITING_MAX):
            await lanes.take(consumer, chunk(str(n), 0))
        last = asyncio.create_task(lanes.take(consumer, chunk("last", 0)))
        await turns()
        assert not last.done()
        work.let_go("0")
        await asyncio.wait_for(last, 60)
        lanes.close()
        await turns()

    run(body)


def test_a_chunk_larger_than_all_together_runs_once_it_is_alone() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, chunk("a", 0, records=RECORDS_MAX + 1))
        work.let_go("a")
        await turns()
        assert consumer.running_chunks == 0

    assert run(body).ended == ["a"]


def test_a_chunk_counts_as_running_before_it_begins() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, chunk("a", 0))
        assert consumer.running_chunks == 1
        assert work.began == []
        work.let_go("a")
        await turns()
        assert consumer.running_chunks == 0

    run(body)


def test_a_chunk_that_waited_while_the_flow_stopped_is_dropped() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, chunk("a", 0))
        await lanes.take(consumer, chunk("b", 0))
        cast(Any, consumer).epoch += 1
        work.let_go("a")
        await turns()
        assert consumer.running_chunks == 0
        assert consumer.guard.counts.dropped_chunks == 1

    assert run(body).began == ["a"]


def test_small_chunks_run_at_once_up_to_the_limit_of_records() -> None:
    async def body(lanes: Lanes, work: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, chunk("a", 0, records=RECORDS_MAX - 1))
        await lanes.take(consumer, chunk("b", 1, records=1))
        await turns()
        assert work.began == ["a", "b"]
        lanes.close()
        await turns()

    run(body)


def test_a_chunk_that_left_its_queue_as_the_flow_stopped_is_dropped() -> None:
    async def body(lanes: Lanes, _: Work, consumer: GuardedConsumer) -> None:
        cast(Any, consumer).flow_active = False
        await lanes.take(consumer, chunk("a", 0))
        assert consumer.running_chunks == 0
        assert consumer.guard.counts.dropped_chunks == 1

    assert run(body).began == []


def test_an_error_that_no_section_catches_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped: list[Exception] = []
    monkeypatch.setattr(stop, "on_error", lambda error, **_: stopped.append(error))

    async def fail(_: object) -> None:
        raise ZeroDivisionError

    async def body() -> None:
        lanes = Lanes(fail)
        await lanes.take(cast(GuardedConsumer, Consumer()), chunk("a", 0))
        await turns()

    asyncio.run(body())
    assert [type(error) for error in stopped] == [ZeroDivisionError]


def test_the_end_of_the_agent_interrupts_what_runs() -> None:
    async def body(lanes: Lanes, _: Work, consumer: GuardedConsumer) -> None:
        await lanes.take(consumer, chunk("a", 0))
        await lanes.take(consumer, chunk("b", 1))
        await turns()
        lanes.close()
        await turns()
        assert consumer.running_chunks == 0

    work = run(body)
    assert (work.began, work.ended) == (["a", "b"], [])
