"""The sink on a real broker and the real engine: what is on the topics becomes rows, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.stack.topics import NewTopics, ensure
from schemas import topics
from schemas.partition import partition_of
from tests.support import stack
from tests.support.sinks import PARTITIONS, Gateway, config, framed, running, sighting, tick

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LEDGER = (
    "SELECT sum(rows), sum(duplicates), sum(dead_letters), sum(not_stored), sum(last - first + 1)"
    " FROM custody.ingest_batches WHERE topic = '{}'"
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A broker of its own, for the topics have fixed names."""
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        new = NewTopics(PARTITIONS, 1, "changelog", 60)
        ensure({"bootstrap.servers": bootstrap}, new)
        yield bootstrap


def test_facts_become_rows_once_over_restarts(broker: str, tmp_path: Path) -> None:
    settings = config(broker, tmp_path / "warehouse")
    gateway = Gateway(broker)
    gateway.publish(500)
    with running(settings) as sink:
        sink.wait("SELECT count() FROM custody.weighing", 500)
        gateway.publish(500)
        sink.wait("SELECT count() FROM custody.weighing", 1000)
        assert sink.progress.health().ok
    with running(settings) as sink:
        gateway.publish(10)
        sink.wait("SELECT count() FROM custody.weighing", 1010)
        assert sink.one("SELECT uniqExact(event_id) FROM custody.weighing") == 1010
        assert sink.rows(LEDGER.format(topics.FACT)) == [(1010, 0, 0, 0, 1010)]
        digests = "SELECT count() FROM custody.events_all WHERE length(digest) = 32"
        assert sink.one(digests) == 1010


def test_a_record_sent_again_is_dropped_and_counted(broker: str, tmp_path: Path) -> None:
    gateway = Gateway(broker)
    gateway.publish(40)
    again = Gateway(broker)
    again.publish(45)
    producer = gateway.producer()
    key = b"SL-1"
    for n in (1, 2, 2, 1, 3):
        value = framed(sighting("worker/0", n, "seal/SL-1"))
        producer.produce(topics.FLOW, value, key, partition_of(key, PARTITIONS))
    producer.produce(topics.FLOW, framed(tick(1)), None, 1)
    producer.flush(10)
    with running(config(broker, tmp_path / "warehouse")) as sink:
        sink.wait("SELECT count() FROM custody.weighing", 45)
        sink.wait("SELECT count() FROM custody.sighting", 3)
        sink.wait("SELECT sum(not_stored) FROM custody.ingest_batches", 1)
        assert sink.rows(LEDGER.format(topics.FACT)) == [(45, 40, 0, 0, 85)]
        assert sink.rows(LEDGER.format(topics.FLOW)) == [(3, 2, 0, 1, 6)]
