"""What our clients ask of a broker, on Kafka and on the one in memory that simulations use.

The same calls to the same clients: librdkafka's where a gateway or a sink uses them, aiokafka's
where a worker does. Whatever holds here may be relied on; the rest may be otherwise in either.
"""

import asyncio
import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import (
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from streams import batches
from tests.support.sim import consuming, producing
from tests.support.sim.broker import Broker
from tests.support.sim.world import World

PARTITIONS = 3
WAIT_S = 30.0
POLL_S = 0.2

Place = tuple[str, int]


@dataclass
class Clients:
    """How one broker is talked to; ``topic`` is new and empty."""

    topic: str
    producer: Callable[[dict[str, object]], Producer]
    consumer: Callable[[dict[str, object]], KafkaConsumer]
    admin: Callable[[], AdminClient]
    aio: Callable[[], AIOKafkaProducer]
    open: list[KafkaConsumer] = field(default_factory=list)

    def member(self, group: str, name: str) -> "Member":
        """A member of a group, as the sink is one."""
        options: dict[str, object] = {"group.id": group, "group.instance.id": name}
        made = self.consumer(options)
        self.open.append(made)
        return Member(self.topic, made)


class Member:
    """A consumer that keeps what it is told and given."""

    def __init__(self, topic: str, consumer: KafkaConsumer) -> None:
        self.topic = topic
        self.consumer = consumer
        self.told: list[tuple[str, list[int]]] = []
        self.owned: set[int] = set()
        self.starts: dict[int, int] = {}

    def join(self) -> "Member":
        self.consumer.subscribe(
            [self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        return self

    def take(self) -> list[Message]:
        """One look; each record has no error."""
        found = self.consumer.consume(100, POLL_S)
        assert not [one for one in found if one.error() is not None]
        return found

    def take_until(self, enough: Callable[[list[Message]], bool]) -> list[Message]:
        found: list[Message] = []
        for _ in range(round(WAIT_S / POLL_S)):
            if enough(found):
                return found
            found += self.take()
        raise AssertionError(f"only {len(found)} records, told {self.told}")

    def _assigned(self, _: object, given: list[TopicPartition]) -> None:
        self.told.append(("assigned", sorted(one.partition for one in given)))
        self.owned.update(one.partition for one in given)
        starts = [
            TopicPartition(o.topic, o.partition, self.starts.get(o.partition, 0)) for o in given
        ]
        self.consumer.incremental_assign(starts)

    def _revoked(self, _: object, given: list[TopicPartition]) -> None:
        self.told.append(("revoked", sorted(one.partition for one in given)))
        self.owned.difference_update(one.partition for one in given)

    def _lost(self, _: object, given: list[TopicPartition]) -> None:
        self.told.append(("lost", sorted(one.partition for one in given)))
        self.owned.difference_update(one.partition for one in given)


def _in_memory() -> Clients:
    world = World(1)
    world.quiet = True
    topic = "topic"
    broker = Broker(world, [topic], PARTITIONS)
    return Clients(
        topic,
        lambda options: cast(Any, producing.Producer(broker, options)),
        lambda options: cast(Any, consuming.Consumer(broker, options)),
        lambda: cast(Any, consuming.AdminClient(broker)),
        lambda: cast(Any, producing.AioProducer(broker, world.current.process)),
    )


def _on_kafka(bootstrap: str, topic: str) -> Clients:
    common: dict[str, object] = {"bootstrap.servers": bootstrap}
    reading: dict[str, object] = {
        **common,
        "group.protocol": "classic",
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 500,
        "fetch.wait.max.ms": 20,
    }
    writing: dict[str, object] = {
        **common,
        "acks": "all",
        "enable.idempotence": True,
        "enable.gapless.guarantee": True,
    }
    return Clients(
        topic,
        lambda options: Producer({**writing, **options}),
        lambda options: KafkaConsumer({**reading, **options}),
        lambda: AdminClient(dict(common)),  # type: ignore[arg-type]  # the stub wants a union
        lambda: AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all"),
    )


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
def clients(request: pytest.FixtureRequest) -> Iterator[Clients]:
    if request.param == "memory":
        yield _in_memory()
        return
    bootstrap = request.getfixturevalue("kafka")
    [topic] = request.getfixturevalue("topics")("broker", partitions=PARTITIONS)
    made = _on_kafka(bootstrap, topic)
    try:
        yield made
    finally:
        for consumer in made.open:
            consumer.close()


@dataclass
class Reports:
    """What a producer said of its records, in the order it said so."""

    found: list[tuple[str, KafkaError | None, int]] = field(default_factory=list)

    def of(self, name: str) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            self.found.append((name, error, message.offset() or 0))

        return report


def fill(clients: Clients, counts: Sequence[int]) -> list[tuple[str, KafkaError | None, int]]:
    """Write so many records to each partition; return the reports."""
    producer, reports = clients.producer({"linger.ms": 1}), Reports()
    for partition, count in enumerate(counts):
        for number in range(count):
            value = f"{partition}/{number}"
            producer.produce(
                clients.topic, value.encode(), b"key", partition,
                on_delivery=reports.of(value), timestamp=1_700_000_000_000 + number,
                headers=[("a", b"1"), ("b", b"2")],
            )  # fmt: skip
    assert producer.flush(WAIT_S) == 0
    return reports.found


def group() -> str:
    return f"group-{uuid.uuid4().hex[:8]}"


def test_records_of_a_partition_come_back_in_order_and_whole(clients: Clients) -> None:
    reports = fill(clients, [5, 0, 3])
    member = clients.member(group(), "m-1").join()
    found = member.take_until(lambda found: len(found) == 8)
    assert {(name, at) for name, _, at in reports} == {
        ((one.value() or b"").decode(), one.offset()) for one in found
    }
    assert [error for _, error, _ in reports] == [None] * 8
    for partition, count in ((0, 5), (2, 3)):
        mine = [one for one in found if one.partition() == partition]
        assert [one.offset() for one in mine] == list(range(count))
        assert [one.value() for one in mine] == [b"%d/%d" % (partition, n) for n in range(count)]
    one = found[0]
    assert (one.topic(), one.key(), one.timestamp()[1] // 1000) == (
        clients.topic, b"key", 1_700_000_000,
    )  # fmt: skip
    assert one.headers() == [("a", b"1"), ("b", b"2")]
    assert len(one) >= 3


def test_reports_of_a_partition_come_in_its_order(clients: Clients) -> None:
    reports = fill(clients, [20, 20, 20])
    for partition in range(PARTITIONS):
        offsets = [at for name, _, at in reports if name.startswith(f"{partition}/")]
        assert offsets == list(range(20))


def test_a_record_that_is_given_up_is_reported_as_failed(clients: Clients) -> None:
    producer, reports = clients.producer({"linger.ms": 10_000}), Reports()
    for number in range(3):
        producer.produce(clients.topic, b"%d" % number, None, 0, on_delivery=reports.of("x"))
    assert len(producer) == 3
    producer.purge()
    producer.poll(0)
    codes = {error.code() for _, error, _ in reports.found if error is not None}
    assert len(reports.found) == 3
    assert codes <= {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}
    assert codes
    assert len(producer) == 0


def test_a_record_without_headers_has_none(clients: Clients) -> None:
    producer = clients.producer({})
    producer.produce(clients.topic, b"v", b"k", 1)
    assert producer.flush(WAIT_S) == 0
    [one] = clients.member(group(), "m-1").join().take_until(bool)
    assert one.headers() is None


def test_topics_are_listed_and_described(clients: Clients) -> None:
    listed = clients.producer({}).list_topics(timeout=WAIT_S).topics
    assert len(listed[clients.topic].partitions) == PARTITIONS
    wanted = TopicCollection([clients.topic, "nowhere"])
    admin = clients.admin()
    asked = [admin.describe_topics(wanted, request_timeout=WAIT_S) for _ in range(2)]
    found = [one[clients.topic].result() for one in asked]
    assert [len(one.partitions) for one in found] == [PARTITIONS] * 2
    assert len({str(one.topic_id) for one in found}) == 1
    error = asked[0]["nowhere"].exception()
    assert isinstance(error, KafkaException)
    assert error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_nothing_committed_is_a_negative_offset(clients: Clients) -> None:
    member = clients.member(group(), "m-1")
    [found] = member.consumer.committed([TopicPartition(clients.topic, 0)], timeout=WAIT_S)
    assert found.offset < 0
    assert not found.metadata


def test_a_commit_keeps_its_metadata_over_the_life_of_a_member(clients: Clients) -> None:
    fill(clients, [4, 0, 0])
    name = group()
    first = clients.member(name, "m-1").join()
    first.take_until(lambda found: len(found) == 4)
    wanted = [TopicPartition(clients.topic, 0, 3, '{"v":1}')]
    assert not [
        one for one in first.consumer.commit(offsets=wanted, asynchronous=False) if one.error
    ]
    first.consumer.close()
    clients.open.remove(first.consumer)
    [found] = clients.member(name, "m-1").consumer.committed(
        [TopicPartition(clients.topic, 0)], timeout=WAIT_S
    )
    assert (found.offset, found.metadata) == (3, '{"v":1}')


def test_a_member_reads_from_where_it_says(clients: Clients) -> None:
    fill(clients, [5, 5, 5])
    member = clients.member(group(), "m-1")
    member.starts = {0: 3, 1: 5, 2: 0}
    found = member.join().take_until(lambda found: len(found) == 7)
    places = sorted((one.partition() or 0, one.offset() or 0) for one in found)
    assert places == [(0, 3), (0, 4), *((2, n) for n in range(5))]
    assert member.told == [("assigned", [0, 1, 2])]
    ends = [
        member.consumer.get_watermark_offsets(TopicPartition(clients.topic, p), timeout=WAIT_S)
        for p in range(PARTITIONS)
    ]
    assert ends == [(0, 5)] * 3


def test_what_is_paused_is_read_when_it_is_resumed(clients: Clients) -> None:
    member = clients.member(group(), "m-1").join()
    member.take_until(lambda _: bool(member.owned))
    assigned = member.consumer.assignment()
    assert sorted(one.partition for one in assigned) == [0, 1, 2]
    member.consumer.pause(assigned)
    fill(clients, [2, 0, 0])
    assert [member.take() for _ in range(3)] == [[], [], []]
    member.consumer.resume(assigned)
    found = member.take_until(lambda found: len(found) == 2)
    assert [one.offset() for one in found] == [0, 1]


def test_a_member_may_read_again_what_it_owns_and_nothing_else(clients: Clients) -> None:
    fill(clients, [4, 0, 0])
    member = clients.member(group(), "m-1").join()
    member.take_until(lambda found: len(found) == 4)
    member.consumer.seek(TopicPartition(clients.topic, 0, 2))
    again = member.take_until(lambda found: len(found) == 2)
    assert [one.offset() for one in again] == [2, 3]
    with pytest.raises(KafkaException):
        clients.member(group(), "m-1").consumer.seek(TopicPartition(clients.topic, 0, 2))


def test_what_moves_is_given_back_before_another_has_it(clients: Clients) -> None:
    name = group()
    first = clients.member(name, "m-1").join()
    first.take_until(lambda _: len(first.owned) == PARTITIONS)
    second = clients.member(name, "m-2").join()
    both = itertools.cycle((first, second))
    for member in itertools.islice(both, round(2 * WAIT_S / POLL_S)):
        member.take()
        assert not first.owned & second.owned
        if second.owned and len(first.owned | second.owned) == PARTITIONS:
            break
    assert first.owned | second.owned == {0, 1, 2}
    assert second.owned
    assert first.told[0] == ("assigned", [0, 1, 2])
    assert first.told[1][0] == "revoked"
    second.consumer.close()
    clients.open.remove(second.consumer)
    first.take_until(lambda _: len(first.owned) == PARTITIONS)
    assert second.told[-1][0] == "revoked"
    assert not second.owned


def test_batches_stand_whole_and_in_order(clients: Clients) -> None:
    groups: list[list[batches.Record]] = [[(b"a", b"1"), (b"b", None)], [(b"c", b"3")]]
    large: list[list[batches.Record]] = [[(b"x", bytes(600_000))], [(b"y", bytes(600_000))]]

    async def send() -> list[int | None]:
        producer = clients.aio()
        async with _started(producer):
            return [
                await batches.send(producer, clients.topic, 1, groups),
                await batches.send(producer, clients.topic, 1, large),
                await batches.send(producer, clients.topic, 2, []),
            ]

    assert asyncio.run(send()) == [2, 4, None]
    found = clients.member(group(), "m-1").join().take_until(lambda found: len(found) == 5)
    assert [one.key() for one in found] == [b"a", b"b", b"c", b"x", b"y"]
    assert [one.value() for one in found[:3]] == [b"1", None, b"3"]


class _started:  # noqa: N801  read as a verb
    """Start a real producer for the length of a block; one in memory needs no start."""

    def __init__(self, producer: object) -> None:
        self._real: Any = producer if hasattr(producer, "start") else SimpleNamespace()

    async def __aenter__(self) -> None:
        if hasattr(self._real, "start"):
            await self._real.start()

    async def __aexit__(self, *_: object) -> None:
        if hasattr(self._real, "stop"):
            await self._real.stop()
