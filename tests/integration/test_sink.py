"""The sink on a real broker and the real engine: what is on the topics becomes rows, once."""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from custody.events import Micros
from runtime.stack import kafka
from runtime.stack.topics import NewTopics, ensure
from schemas import topics
from schemas.partition import partition_of
from sinks.config import SinkConfig
from sinks.consumer import Consumer, SecondSink
from sinks.slice import Place
from tests.support import stack
from tests.support.sinks import (
    PARTITIONS,
    Gateway,
    Running,
    config,
    framed,
    running,
    sighting,
    tick,
    wait_until,
    weighing,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LEDGER = (
    "SELECT sum(rows), sum(duplicates), sum(dead_letters), sum(not_stored), sum(last - first + 1)"
    " FROM custody.ingest_batches WHERE topic = '{}'"
)
COUNTED = "SELECT sum(rows) FROM custody.ingest_batches WHERE topic = '{}'"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A broker of its own, for the topics have fixed names."""
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        make_topics(bootstrap)
        yield bootstrap


def make_topics(bootstrap: str) -> None:
    ensure({"bootstrap.servers": bootstrap}, NewTopics(PARTITIONS, 1, "changelog", 60))


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
        # A batch is counted after its rows are in.
        sink.wait(COUNTED.format(topics.FACT), 1010)
        assert sink.one("SELECT uniqExact(event_id) FROM custody.weighing") == 1010
        assert sink.rows(LEDGER.format(topics.FACT)) == [(1010, 0, 0, 0, 1010)]
        digests = "SELECT count() FROM custody.events_all WHERE length(digest) = 32"
        assert sink.one(digests) == 1010


def test_an_event_through_two_gateways_is_shown_once_over_a_restart(
    broker: str, tmp_path: Path
) -> None:
    settings = config(broker, tmp_path / "warehouse")
    first = Gateway(broker)
    producer = first.producer()
    facts = [weighing(f"L-{no % 5}", no) for no in range(1, 21)]
    for fact in facts:
        first.send(producer, fact, str(fact.lot_id).encode())
    assert producer.flush(30) == 0
    with running(settings) as sink:
        sink.wait("SELECT count() FROM custody.v_weighings", 20)
    second = Gateway(broker, "GW-2")
    for no, fact in enumerate(facts[:12], start=1):
        carried = replace(
            fact, gateway_id="GW-2", gateway_seq=no, recorded_at=Micros(fact.recorded_at + 1)
        )
        second.send(producer, carried, str(fact.lot_id).encode())
    assert producer.flush(30) == 0
    with running(settings) as sink:
        sink.wait(COUNTED.format(topics.FACT), 32)
        assert sink.one("SELECT count() FROM custody.weighing") == 32
        for view in ("v_weighings", "v_events"):
            assert sink.rows(f"SELECT count(), uniqExact(event_id) FROM custody.{view}") == [  # noqa: S608
                (20, 20)
            ]
        assert sink.one("SELECT count() FROM custody.v_weighings WHERE gateway_id = 'GW-2'") == 0


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


class Rival:
    """A listener that reads every partition it gets from its start."""

    def assigned(self, places: Sequence[Place]) -> Mapping[Place, int]:
        return dict.fromkeys(places, 0)

    def revoked(self, places: Sequence[Place]) -> None: ...

    def lost(self, places: Sequence[Place]) -> None: ...


def take_the_place_of(sink: Running, settings: SinkConfig) -> None:
    """Be a member of the sink's name until the sink has taken its place again."""
    rival = Consumer(settings)
    said: set[str] = set()
    try:
        rival.subscribe([topics.FACT], Rival())

        def fenced() -> bool:
            said.add(sink.progress.health().reason)
            try:
                rival.take()
            except SecondSink:
                return True
            return False

        wait_until(fenced, 60)
    finally:
        rival.close()
    assert any("another sink" in reason for reason in said)


def test_a_sink_whose_place_was_taken_once_joins_anew(broker: str, tmp_path: Path) -> None:
    settings = config(broker, tmp_path / "warehouse")
    gateway = Gateway(broker)
    with running(settings) as sink:
        gateway.publish(10)
        sink.wait("SELECT count() FROM custody.weighing", 10)
        take_the_place_of(sink, settings)
        gateway.publish(10)
        sink.wait("SELECT count() FROM custody.weighing", 20, 60)
        assert sink.progress.health().ok


def test_the_history_can_be_asked_while_the_broker_stands_still(tmp_path: Path) -> None:
    node = stack.kafka_node(tmp_path / "kafka")
    command = kafka.command(node)
    with stack.started(command, lambda: kafka.is_ready(node.bootstrap)) as process:
        make_topics(node.bootstrap)
        settings = config(node.bootstrap, tmp_path / "warehouse", broker_timeout_s=5.0)
        gateway = Gateway(node.bootstrap)
        with running(settings) as sink:
            gateway.publish(10)
            sink.wait("SELECT count() FROM custody.weighing", 10)
            thaw = time.monotonic() + 2 * settings.session_timeout_s
            os.kill(process.pid, signal.SIGSTOP)
            try:
                while time.monotonic() < thaw:
                    assert sink.one("SELECT count() FROM custody.weighing") == 10
            finally:
                os.kill(process.pid, signal.SIGCONT)
            gateway.publish(10)
            sink.wait("SELECT count() FROM custody.weighing", 20, 120)
