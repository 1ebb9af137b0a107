"""Kafka's records in blocks of a partition each, up to where its partitions ended.

To begin with a partition costs the client up to half a second, however little there is in it. So
partitions of few records are read together, and only long ones alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from custody.errors import Unavailable

BLOCK = 10_000
"""Records read at once, of however many partitions."""

POLL_S = 1.0
SILENT_S = 30.0
"""A broker that gives nothing for so long, while it has something, is away."""

WAIT_MS = 50
"""How long the broker may keep a question that it has nothing for, and with it the next one."""


class Away(Unavailable):
    """The broker has records and does not give them."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the broker gives nothing of {place} for {SILENT_S:.0f} s", next_step="custody status"
        )


class Block(NamedTuple):
    """Records of one partition in a row: from one offset to before another."""

    topic: str
    partition: int
    first: int
    end: int
    messages: Sequence[Message]

    @property
    def params(self) -> dict[str, str]:
        """Parameters of a question about its rows."""
        return {
            "topic": self.topic,
            "partition": str(self.partition),
            "first": str(self.first),
            "end": str(self.end),
        }

    def place(self, offset: int) -> str:
        """Topic, partition and offset as people write them."""
        return f"{self.topic}/{self.partition}@{offset}"


class Span(NamedTuple):
    """What is to be read of a partition: from one offset to before another."""

    topic: str
    partition: int
    first: int
    end: int


def blocks(
    kafka: Mapping[str, str], bounds: Mapping[str, Mapping[int, tuple[int, int]]]
) -> Iterator[Block]:
    """Yield all records within bounds, in order of topic, partition and offset; blocks.

    Args:
        kafka: Client options, address and security.
        bounds: By topic and partition the first offset and the one after the last.

    Raises:
        Away: The broker does not give what it has.
    """
    options = {**kafka, "group.id": "custody-audit", "enable.auto.commit": False, "log_level": 0}
    options |= {"auto.offset.reset": "error", "fetch.wait.max.ms": WAIT_MS}
    consumer = Consumer(options)
    try:
        for pack in packs(bounds):
            consumer.assign([TopicPartition(one.topic, one.partition, one.first) for one in pack])
            waiting = pack
            while waiting:
                read = _read(consumer, waiting)
                yield from read
                pairs = zip(waiting, read, strict=True)
                waiting = [one._replace(first=b.end) for one, b in pairs if b.end < one.end]
    except KafkaException as error:
        raise Away(str(error)) from error
    finally:
        consumer.close()


def packs(bounds: Mapping[str, Mapping[int, tuple[int, int]]]) -> Iterator[list[Span]]:
    """Yield partitions that have records, together as long as one block holds them all."""
    pack: list[Span] = []
    room = BLOCK
    for topic, partitions in bounds.items():
        for partition, (first, end) in partitions.items():
            if first >= end:
                continue
            if pack and end - first > room:
                yield pack
                pack, room = [], BLOCK
            pack.append(Span(topic, partition, first, end))
            room -= end - first
    if pack:
        yield pack


def _read(consumer: Consumer, spans: Sequence[Span]) -> list[Block]:
    """Return the next records of partitions that the consumer reads, a block of each."""
    read: dict[tuple[str, int], list[Message]] = {one[:2]: [] for one in spans}
    ends = {one[:2]: one.end for one in spans}
    last = {one[:2]: min(one.end, one.first + BLOCK) for one in spans}
    done = {one[:2]: one.first for one in spans}
    while behind := {place: last[place] - at for place, at in done.items() if at < last[place]}:
        topic, partition = next(iter(behind))
        # Never more than there is: the client waits for the number it was asked for.
        for message in _taken(consumer, f"{topic}/{partition}", sum(behind.values())):
            place = str(message.topic()), message.partition() or 0
            offset = message.offset() or 0
            # While others are read, more may come than there was.
            if offset < ends[place]:
                read[place].append(message)
            done[place] = min(offset + 1, ends[place])
    return [
        Block(one.topic, one.partition, one.first, done[one[:2]], read[one[:2]]) for one in spans
    ]


def _taken(consumer: Consumer, place: str, count: int) -> list[Message]:
    waited_s = 0.0
    while not (taken := consumer.consume(count, POLL_S)) and waited_s < SILENT_S:
        waited_s += POLL_S
    if not taken:
        raise Away(place)
    for message in taken:
        error: KafkaError | None = message.error()
        if error is not None:
            raise KafkaException(error)
    return taken
