"""Topics are there once, with one partition count, or there is one clear error."""

import uuid
from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from runtime.stack.topics import NewTopics, NotCreated, WrongPartitionCount, ensure
from schemas.topics import FOREVER_MS, Topic
from tests.support import stack

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def wanted() -> NewTopics:
    name = uuid.uuid4().hex[:8]
    return NewTopics(
        partitions=3,
        replication_factor=1,
        changelog=f"{name}-rows-changelog",
        changelog_compaction_lag_s=600,
        topics=(Topic(f"{name}.fact", FOREVER_MS), Topic(f"{name}.flow", 1000)),
    )


def test_all_are_created_once_with_their_settings(kafka: str, wanted: NewTopics) -> None:
    options = {"bootstrap.servers": kafka}
    assert ensure(options, wanted) == 3
    assert ensure(options, wanted) == 0
    fact, flow = (topic.name for topic in wanted.topics)
    assert _config(kafka, fact, "retention.ms") == "-1"
    assert _config(kafka, flow, "retention.ms") == "1000"
    assert _config(kafka, wanted.changelog, "cleanup.policy") == "compact"
    assert _config(kafka, wanted.changelog, "min.compaction.lag.ms") == "600000"
    stack.delete_topics(kafka, [fact, flow, wanted.changelog])


def test_another_partition_count_is_refused_by_name(kafka: str, wanted: NewTopics) -> None:
    options = {"bootstrap.servers": kafka}
    flow = wanted.topics[1].name
    stack.create_topics(kafka, [flow], partitions=2)
    with pytest.raises(WrongPartitionCount, match=f"topic {flow} has 2 partitions"):
        ensure(options, wanted)


def test_broker_that_refuses_is_named(kafka: str, wanted: NewTopics) -> None:
    with pytest.raises(NotCreated, match="replication factor"):
        ensure({"bootstrap.servers": kafka}, replace(wanted, replication_factor=3))


def _config(kafka: str, topic: str, name: str) -> str | None:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": kafka})
    value = admin.describe_configs([resource])[resource].result(10)[name].value
    return None if value is None else str(value)
