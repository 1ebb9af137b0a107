"""Consumers of the simulated broker: librdkafka's, as the sink uses it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import SimpleNamespace

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition

from tests.support.sim.broker import Broker, Group, Headers, Member, Place, Record
from tests.support.sim.producing import INVALID, Sent

Listener = Callable[["Consumer", list[TopicPartition]], object]


class Message(Sent):
    """The part of ``confluent_kafka.Message`` that we read."""

    def __init__(self, place: Place, offset: int, record: Record) -> None:
        super().__init__(place, offset)
        self._record = record

    def error(self) -> None:
        """Return no error."""

    def key(self) -> bytes | None:
        """Return its key."""
        return self._record.key

    def value(self) -> bytes | None:
        """Return its value."""
        return self._record.value

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of its time (when it was made), and the time."""
        return 1, self._record.timestamp_ms

    def headers(self) -> Headers | None:
        """Return its headers; None for none, as librdkafka does."""
        return self._record.headers or None

    def __len__(self) -> int:
        return len(self._record.value or b"")


class Consumer:
    """The part of ``confluent_kafka.Consumer`` that the sink uses: a cooperative group member.

    Args:
        broker: Where from.
        options: librdkafka's; ``group.id`` and ``group.instance.id`` count.
    """

    def __init__(self, broker: Broker, options: Mapping[str, object]) -> None:
        self._broker = broker
        self._world = broker.world
        self._name = str(options.get("group.instance.id", ""))
        self._group_id = str(options["group.id"])
        self._group: Group | None = None
        self._member: Member | None = None
        self._next: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._told: tuple[Listener, Listener, Listener]

    def subscribe(
        self, topics: Sequence[str], *, on_assign: Listener, on_revoke: Listener, on_lost: Listener
    ) -> None:
        """Join the group; partitions come inside ``consume``."""
        places = [(t, p) for t in topics for p in range(self._broker.partitions)]
        self._told = on_assign, on_revoke, on_lost
        self._group = self._broker.group(self._group_id, places)
        self._member = Member(self._world.current.process, self._name)
        self._group.join(self._member)

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        """Return some records, each partition's in order, partitions in any; wait for them."""
        self._world.point("consume")
        self._rebalance()
        if not self._readable():
            self._world.wait(lambda: self._has_some() or self._is_news(), timeout)
            self._rebalance()
        found: list[Message] = []
        places = self._readable()
        self._world.rng.shuffle(places)
        for place in places:
            found += self._read(place, num_messages - len(found))
        return found

    def assignment(self) -> list[TopicPartition]:
        """Return what is being read."""
        return [TopicPartition(*place) for place in self._next]

    def incremental_assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Read further partitions, each from its offset on."""
        for one in partitions:
            self._next[one.topic, one.partition] = one.offset

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Read nothing of some partitions."""
        self._paused.update((one.topic, one.partition) for one in partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Read them again."""
        self._paused.difference_update((one.topic, one.partition) for one in partitions)

    def seek(self, partition: TopicPartition) -> None:
        """Read on from an offset."""
        place = partition.topic, partition.partition
        if place not in self._next:
            raise KafkaException(KafkaError(KafkaError._STATE))
        self._next[place] = partition.offset

    def committed(
        self, partitions: Sequence[TopicPartition], timeout: float
    ) -> list[TopicPartition]:
        """Return what stands committed."""
        self._reach(timeout)
        offsets = self._groups_offsets()
        found = []
        for one in partitions:
            offset, metadata = offsets.get((one.topic, one.partition), (INVALID, ""))
            found.append(TopicPartition(one.topic, one.partition, offset, metadata))
        return found

    def commit(
        self, *, offsets: Sequence[TopicPartition], asynchronous: bool
    ) -> list[TopicPartition]:
        """Commit, and wait for the answer, which may be lost."""
        assert not asynchronous
        self._world.point("commit")
        if self._broker.away:
            self._world.wait(lambda: not self._broker.away, 1.0)
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        if self._member is not None and self._member.lost:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID))
        if self._world.chance(0.02):
            raise KafkaException(KafkaError(KafkaError.NOT_COORDINATOR))
        for one in offsets:
            self._groups_offsets()[one.topic, one.partition] = one.offset, one.metadata or ""
        if self._world.chance(0.02):
            raise KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT))
        self._world.point("committed")
        return list(offsets)

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = 0.0, *, cached: bool = False
    ) -> tuple[int, int]:
        """Return the first offset and the one after the last."""
        if not cached:
            self._reach(timeout)
        return 0, len(self._broker.log((partition.topic, partition.partition)))

    def close(self) -> None:
        """Give all partitions back, and leave."""
        if self._member is not None and self._group is not None:
            if not self._member.lost:
                self._tell(1, sorted(self._member.owned))
            self._group.leave(self._member)

    def _reach(self, timeout: float) -> None:
        self._world.point("ask")
        if self._broker.away and not self._world.wait(lambda: not self._broker.away, timeout):
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def _groups_offsets(self) -> dict[Place, tuple[int, str]]:
        return self._broker.group(self._group_id, ()).offsets

    def _has_some(self) -> bool:
        """Tell whether something can be read; asked at every turn of anybody."""
        if self._broker.away:
            return False
        topics, paused = self._broker.topics, self._paused
        for place, offset in self._next.items():
            if offset < len(topics[place[0]][place[1]]) and place not in paused:
                return True
        return False

    def _readable(self) -> list[Place]:
        if self._broker.away:
            return []
        return [
            place
            for place, offset in self._next.items()
            if place not in self._paused and offset < len(self._broker.log(place))
        ]

    def _read(self, place: Place, most: int) -> list[Message]:
        first, log = self._next[place], self._broker.log(place)
        waiting = min(len(log) - first, most)
        count = waiting if self._world.quiet else self._world.rng.randint(0, waiting)
        self._next[place] = first + count
        return [Message(place, first + i, log[first + i]) for i in range(count)]

    def _is_news(self) -> bool:
        if self._member is None or self._group is None or self._broker.away:
            return False
        return self._group.is_news(self._member)

    def _rebalance(self) -> None:
        """Hear what the group has decided, if it can be heard of."""
        if not self._is_news():
            return
        member, group = self._member, self._group
        assert member is not None
        assert group is not None
        if member.lost:
            lost = sorted(self._next)
            self._next.clear()
            self._tell(2, lost)
            self._member = Member(member.process, member.name)
            group.join(self._member)
            return
        revoked = group.to_revoke(member)
        if revoked:
            self._tell(1, revoked)
            group.gave(member, revoked)
            for place in revoked:
                self._next.pop(place, None)
        assigned = group.to_assign(member)
        if assigned:
            group.took(member, assigned)
            self._tell(0, assigned)

    def _tell(self, which: int, places: Sequence[Place]) -> None:
        if places:
            self._told[which](self, [TopicPartition(*place) for place in places])


class AdminClient:
    """The part of ``confluent_kafka.admin.AdminClient`` that the sink uses."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def describe_topics(
        self, wanted: TopicCollection, *, request_timeout: float
    ) -> dict[str, "Future[SimpleNamespace]"]:
        """Return a future of each topic's description."""
        world = self._broker.world
        world.point("describe_topics")
        reached = not self._broker.away or world.wait(
            lambda: not self._broker.away, request_timeout
        )
        found = {}
        for name in wanted.topic_names:
            future: Future[SimpleNamespace] = Future()
            if not reached:
                code = KafkaError._TIMED_OUT
                future.set_exception(KafkaException(KafkaError(code)))
            elif name not in self._broker.topics:
                code = KafkaError.UNKNOWN_TOPIC_OR_PART
                future.set_exception(KafkaException(KafkaError(code)))
            else:
                partitions = self._broker.topics[name]
                future.set_result(SimpleNamespace(topic_id=f"id of {name}", partitions=partitions))
            found[name] = future
        return found
