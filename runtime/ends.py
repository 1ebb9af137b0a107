"""What the broker has of each topic, and how far a group is: what ``custody verify`` compares."""

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


def committed(
    kafka: Mapping[str, str], group: str, topics: Iterable[str]
) -> dict[str, dict[int, int]]:
    """Return for every partition the offset up to which a consumer group is done; 0 for nothing.

    Asks only: the group does not notice.

    Args:
        kafka: Client options: the bootstrap address and the security.
        group: Its name.
        topics: Names; one that is not there has no partitions.

    Raises:
        NoOffsets: The broker does not answer within 30 s.
    """
    options = {**kafka, "group.id": group, "enable.auto.commit": False, "log_level": 0}
    consumer = Consumer(options)
    try:
        known = consumer.list_topics(timeout=_TIMEOUT_S).topics
        asked = [
            TopicPartition(topic, partition)
            for topic in sorted(set(topics) & known.keys())
            for partition in known[topic].partitions
        ]
        found: dict[str, dict[int, int]] = {}
        for place in consumer.committed(asked, timeout=_TIMEOUT_S):
            found.setdefault(place.topic, {})[place.partition] = max(0, place.offset)
    except KafkaException as error:
        raise NoOffsets(str(error)) from error
    else:
        return found
    finally:
        consumer.close()
