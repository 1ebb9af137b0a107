"""The broker and the registry keep what they acknowledged over a kill, on other ports after it."""

from pathlib import Path

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from runtime.stack import kafka, registry
from tests.support import stack

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_SCHEMA = (
    '{"type":"record","name":"Kept","namespace":"custody",'
    '"fields":[{"name":"tonnes","type":"long"}]}'
)
_BREAKING = _SCHEMA.replace('"long"', '"string"')


def test_acknowledged_record_survives_kill_and_another_port(tmp_path: Path) -> None:
    node = stack.kafka_node(tmp_path)
    with stack.started(kafka.command(node), lambda: kafka.is_ready(node.bootstrap)) as process:
        stack.create_topics(node.bootstrap, ["custody.kept"], partitions=3)
        _produce(node.bootstrap, 7)
        process.kill()
    with stack.running_kafka(tmp_path) as bootstrap:
        assert bootstrap != node.bootstrap
        assert _stored(bootstrap) == 7


def test_registered_schema_and_its_rule_survive_kill_and_another_port(tmp_path: Path) -> None:
    versions = "subjects/custody.kept-custody.Kept/versions"
    node = stack.registry_node(tmp_path)
    with stack.started(registry.command(node), lambda: registry.is_ready(node.url)) as process:
        registry.require_full_transitive(node.url)
        answer = httpx.post(f"{node.url}/{versions}", json={"schema": _SCHEMA}, timeout=30)
        process.kill()
    node = stack.registry_node(tmp_path)
    with stack.started(registry.command(node), lambda: registry.is_ready(node.url)):
        kept = httpx.get(f"{node.url}/schemas/ids/{answer.json()['id']}", timeout=30).json()
        refused = httpx.post(f"{node.url}/{versions}", json={"schema": _BREAKING}, timeout=30)
    assert "tonnes" in kept["schema"]
    assert refused.status_code == 409


def _produce(bootstrap: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for _ in range(count):
        producer.produce("custody.kept", b"ore", partition=1)
    assert producer.flush(30) == 0


def _stored(bootstrap: str) -> int:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "looks"})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition("custody.kept", 1), timeout=30)
    finally:
        consumer.close()
    return high - low
