"""What the broker has of each topic: the offsets ``custody verify`` compares the warehouse with."""

from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from custody.errors import Unavailable

_TIMEOUT_S = 30.0


class NoOffsets(Unavailable):
    """The broker does not say what it has."""

    def __init__(self, cause: str = "no answer in time") -> None:
        super().__init__(
            f"the broker does not say what it has: {cause}", next_step="custody status; custody up"
        )


def ends(kafka: Mapping[str, str], topics: Iterable[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """Return for every partition the first offset the broker has and the one after the last.

    Args:
        kafka: Client options: the bootstrap address and the security.
        topics: Names; one that is not there has no partitions.

    Raises:
        NoOffsets: The broker does not answer within 30 s.
    """
    options = {**kafka, "group.id": "custody-verify", "enable.auto.commit": False, "log_level": 0}
    consumer = Consumer(options)
    try:
        known = consumer.list_topics(timeout=_TIMEOUT_S).topics
        return {
            topic: {p: _bounds(consumer, topic, p) for p in known[topic].partitions}
            for topic in sorted(set(topics) & known.keys())
        }
    except KafkaException as error:
        raise NoOffsets(str(error)) from error
    finally:
        consumer.close()


def _bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    found = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_S)
    if found is None:
        raise NoOffsets
    return found
