"""kill -9 of the sink at seeded moments under load: each record becomes a row once, and Kafka
accounts for every row.

``CUSTODY_SINK_KILLS`` and ``CUSTODY_SINK_SEED`` ask for more, or for a run that failed before.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from confluent_kafka import Consumer, TopicPartition

from custody.events import Micros
from custody.records import Transfer
from runtime.stack.topics import NewTopics, ensure
from schemas import topics
from schemas.partition import partition_of
from sinks.intent import Intent, read
from tests.support import stack
from tests.support.accounted import violations
from tests.support.sinks import (
    PARTITIONS,
    Gateway,
    Running,
    config,
    framed,
    running,
    sighting,
    weighing,
)

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("CUSTODY_SINK_KILLS", "5"))
SEED = int(os.environ.get("CUSTODY_SINK_SEED", "20261123"))
EVENTS_PER_S = 500


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        ensure({"bootstrap.servers": bootstrap}, NewTopics(PARTITIONS, 1, "changelog", 60))
        yield bootstrap


class Load:
    """Facts, outputs, records sent again and poison, in a thread, at a steady rate."""

    def __init__(self, bootstrap: str, seed: int) -> None:
        self.gateway = Gateway(bootstrap)
        self.rng = random.Random(seed)
        self.again = 0
        self.poison = 0
        self.sightings = 0
        self._producer = self.gateway.producer()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.gateway.publish(EVENTS_PER_S // 10, self._producer)
            for _ in range(5):
                self.sightings += 1
                value = framed(sighting("worker/0", self.sightings, "seal/A"))
                self._send(topics.FLOW, value, b"A")
                self._send(topics.TRANSFER, framed(_handed(self.sightings)), b"P")
            if self.rng.random() < 0.5:
                self.again += 1
                lot = f"L-{self.gateway.seq % 50}"
                self._send(topics.FACT, framed(weighing(lot, self.gateway.seq)), lot.encode())
            if self.rng.random() < 0.3:
                self.poison += 1
                self._send(topics.FACT, self.rng.randbytes(20), b"L-1")
        assert self._producer.flush(30) == 0

    def _send(self, topic: str, value: bytes, key: bytes) -> None:
        self._producer.produce(topic, value, key, partition_of(key, PARTITIONS))


def _handed(n: int) -> Transfer:
    """A transfer of nothing to a process: an edge, and no balance speaks against it."""
    return Transfer(
        sender="worker/1", n=n, kind="process_input", cause_event_id=f"e{n}",
        debit=f"lot/L-{n}/S", credit="process/P", mass_wet_g=0, mass_dry_g=0, metals=(),
        effective_at=Micros(n), known_at=Micros(n), replaces_event_id=None, replaces_kind=None,
        lot_id=f"L-{n}", process_id="P", movement_id=None, origins=(),
    )  # fmt: skip


def test_killed_sinks_store_each_record_once(broker: str, tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    rng = random.Random(SEED)
    warehouse = tmp_path / "warehouse"
    announced = 0
    with Load(broker, SEED) as load:
        for _ in range(KILLS):
            _run_and_kill(broker, warehouse, rng.uniform(0.0, 4.0))
            announced += _announced(broker)
    print(f"{announced} kills left a batch announced and not confirmed")
    with running(config(broker, warehouse)) as sink:
        facts = "SELECT count() FROM custody.events_all"
        sink.wait(facts, len(load.gateway.sent), 120)
        sink.wait("SELECT count() FROM custody.v_dead_letters", load.poison, 60)
        sink.wait("SELECT count() FROM custody.sighting", load.sightings, 60)
        sink.wait("SELECT count() FROM custody.edge", load.sightings, 60)
        sink.wait("SELECT sum(dead_letters) FROM custody.ingest_batches", load.poison, 60)
        _all_is_accounted_for(sink, broker, load)


def _run_and_kill(broker: str, warehouse: Path, after_s: float) -> None:
    """Start a sink, let it work for a while from its readiness on, and kill it."""
    command = [sys.executable, "-m", "tests.support.sink_process", broker, str(warehouse)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after_s)
        assert process.poll() is None, "the sink ended by itself"
        process.kill()


def _announced(broker: str) -> bool:
    """Whether the killed sink was between announcing a batch and confirming it."""
    settings = config(broker, Path())
    asking = Consumer({"bootstrap.servers": broker, "group.id": settings.group})
    places = [TopicPartition(topics.FACT, p) for p in range(PARTITIONS)]
    try:
        found = asking.committed(places, timeout=30)
    finally:
        asking.close()
    return any(isinstance(read(p.metadata), Intent) for p in found)


def _all_is_accounted_for(sink: Running, broker: str, load: Load) -> None:
    assert violations(sink.address, broker) == {}
    stored = sink.one("SELECT uniqExact(event_id) FROM custody.events_all")
    assert stored == len(load.gateway.sent)
    assert sink.one("SELECT count() FROM custody.dead_letter") == load.poison
    duplicates = "SELECT topic, sum(duplicates) AS d FROM custody.ingest_batches GROUP BY topic"
    assert (topics.FACT, load.again) in sink.rows(duplicates)
