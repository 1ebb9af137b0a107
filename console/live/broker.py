"""Reading topics of ours with plain consumers that belong to no group and keep no place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from console.live.places import TOPICS, Place, Places
from custody.errors import Unavailable

GROUP = "custody-console"
"""A name a consumer has to have; nothing is kept under it."""

Taken = tuple[Place, list[KafkaMessage]]
"""What came of one partition, in order."""

_TIMEOUT_S = 5.0


class BrokerAway(Unavailable):
    """The broker does not answer, or does not have our topics."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Kafka cannot be read now: {why}",
            expected="a broker with the topics of custody prepare",
            next_step="custody status",
        )


@contextmanager
def reader(kafka: Mapping[str, str]) -> Iterator[Consumer]:
    """Open a consumer for the length of the block.

    Args:
        kafka: Client options: address and account.

    Raises:
        BrokerAway: It failed in the block.
    """
    consumer = Consumer(
        {
            **kafka,
            "group.id": GROUP,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # Where an offset is gone there is a gap, and a gap is said, not jumped over.
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 100,
            # Some hundred KiB each are enough for a tail; the default is 64 MiB.
            "queued.max.messages.kbytes": 8_192,
            "log_level": 0,
        }
    )
    try:
        yield consumer
    except KafkaException as error:
        raise BrokerAway(str(error)) from error
    finally:
        consumer.close()


def bounds(consumer: Consumer, topics: Sequence[str] = TOPICS) -> dict[Place, tuple[int, int]]:
    """Return first and next offset of every partition of some topics.

    Raises:
        BrokerAway, KafkaException: They are not there, or the broker does not answer.
    """
    known = consumer.list_topics(timeout=_TIMEOUT_S).topics
    missing = [topic for topic in topics if topic not in known]
    if missing:
        raise BrokerAway(", ".join(missing))
    found: dict[Place, tuple[int, int]] = {}
    for topic in topics:
        for number in known[topic].partitions:
            place = TopicPartition(topic, number)
            marks = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
            if marks is None:
                raise BrokerAway(topic)
            found[topic, number] = marks
    return found


def assign(consumer: Consumer, places: Places) -> None:
    """Have a consumer read on from places."""
    consumer.assign([TopicPartition(topic, number, at) for (topic, number), at in places.items()])


def take(consumer: Consumer, most: int, timeout_s: float) -> list[Taken]:
    """Return what has come, partition by partition, each in order; blocks for at most so long.

    Raises:
        KafkaException: An error that does not go away by itself.
    """
    found: list[KafkaMessage] = []
    for message in consumer.consume(most, timeout_s):
        error = message.error()
        if error is None:
            found.append(message)
        elif not error.retriable():
            raise KafkaException(error)
    found.sort(key=_place)
    return [(place, list(some)) for place, some in groupby(found, key=_place)]


def next_of(taken: Iterable[Taken]) -> dict[Place, int]:
    """Return the next offset of each partition after what was taken."""
    return {place: (some[-1].offset() or 0) + 1 for place, some in taken}


def _place(message: KafkaMessage) -> Place:
    return message.topic() or "", message.partition() or 0
