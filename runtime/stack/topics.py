"""Create every topic before anything reads or writes it.

A topic that is there is left as it is, if it has the right partition count: the count decides
which partition a key has, so a wrong one can only be refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from custody.errors import Corrupt, Unavailable
from producers.door import Door
from runtime.stack.command import wait_until
from schemas.topics import TOPICS, Topic

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class NewTopics:
    """What is to be there.

    Attributes:
        partitions: Partition count of every topic.
        replication_factor: Copies of every topic.
        changelog: Name of the worker's changelog.
        changelog_compaction_lag_s: Youngest age at which a record of it may be compacted, so that
            a restoring worker finds whole chunks.
        topics: All the others.
    """

    partitions: int
    replication_factor: int
    changelog: str
    changelog_compaction_lag_s: int
    topics: Sequence[Topic] = field(default=TOPICS)


class WrongPartitionCount(Corrupt):
    """A topic is there with another partition count."""

    def __init__(self, topic: str, found: int, expected: int) -> None:
        super().__init__(
            f"topic {topic} has {found} partitions",
            expected=f"{expected}, as CUSTODY_KAFKA__PARTITIONS says",
            next_step="set it to what the topics have; a new count needs new topics",
        )


class NotCreated(Unavailable):
    """The broker did not create a topic."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(
            f"topic {topic} cannot be created: {reason}",
            expected="a broker that may be asked for topics",
            next_step="custody status, and the broker's log",
        )


def ensure(kafka: Mapping[str, str], wanted: NewTopics) -> int:
    """Create the topics that are not there. Blocks, 30 s at most a step; harmless to repeat.

    Args:
        kafka: Client options: the bootstrap address and the security.
        wanted: What is to be there.

    Returns:
        How many were created; every broker answers for all of them by then.

    Raises:
        WrongPartitionCount: A topic is there with another count.
        NotCreated: The broker does not answer or refuses.
        NotLetIn: The broker takes no connection of this account.
        NotReady: The topics were created and are not shown.
    """
    door = Door()
    hears: dict[str, Any] = {"log_level": 6, "error_cb": door.on_error}
    admin = AdminClient({**kafka, **hears}, logger=door)
    new = _plan(wanted)
    absent = _first(admin, new, door)
    created = _create(admin, absent)
    # A topic is shown some moments after it was made, also one that somebody else has just made.
    if absent:
        wait_until(
            lambda: not _absent(admin, new), "the list of topics", _TIMEOUT_S, "custody status"
        )
    return created


def _first(admin: AdminClient, new: list[NewTopic], door: Door) -> list[NewTopic]:
    """Return what is not there; an account or certificate that is refused is found here."""
    try:
        return _absent(admin, new)
    except NotCreated:
        admin.poll(0)
        if (shut := door.why()) is None:
            raise
        raise shut from None


def _absent(admin: AdminClient, new: list[NewTopic]) -> list[NewTopic]:
    try:
        there = admin.list_topics(timeout=_TIMEOUT_S).topics
    except KafkaException as error:
        raise NotCreated(new[0].topic, str(error)) from error
    for topic in new:
        found = len(there[topic.topic].partitions) if topic.topic in there else 0
        if found not in (0, topic.num_partitions):
            raise WrongPartitionCount(topic.topic, found, topic.num_partitions)
    return [topic for topic in new if topic.topic not in there]


def _create(admin: AdminClient, new: list[NewTopic]) -> int:
    if not new:
        return 0
    created = 0
    for name, future in admin.create_topics(new, operation_timeout=_TIMEOUT_S).items():
        try:
            future.result(_TIMEOUT_S)
        except KafkaException as error:
            # Somebody else was quicker, which is just as well.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise NotCreated(name, str(error)) from error
        else:
            created += 1
    return created


def _plan(wanted: NewTopics) -> list[NewTopic]:
    def new(name: str, config: dict[str, str]) -> NewTopic:
        return NewTopic(
            name,
            num_partitions=wanted.partitions,
            replication_factor=wanted.replication_factor,
            config=config,
        )

    changelog = {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(wanted.changelog_compaction_lag_s * 1000),
        # Compaction leaves the active segment alone; a small one keeps a restore short.
        "segment.bytes": str(64 * 1024 * 1024),
    }
    return [
        *(
            new(t.name, {"cleanup.policy": t.cleanup, "retention.ms": str(t.retention_ms)})
            for t in wanted.topics
        ),
        new(wanted.changelog, changelog),
    ]
