"""One worker on a real broker and a real registry: what it skips, counts, shows and ticks."""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from custody.events import Micros
from custody.heads import Head
from custody.records import Tick
from schemas import topics
from schemas.codec import FRAME_BYTES, decode
from schemas.partition import partition_of
from tests.support import stack
from tests.support.folds import Clock, RelayFold, Sum
from tests.support.streams import (
    PARTITIONS,
    Changelog,
    Follow,
    WorkerProcess,
    ended,
    eventually,
    framed,
    make_topics,
    weighing,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stack.running_kafka(tmp_path_factory.mktemp("kafka")) as bootstrap:
        make_topics(bootstrap)
        yield bootstrap


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        body: bytes = answer.read()
        return body.decode()


def test_worker_applies_skips_counts_and_ticks(broker: str, tmp_path: Path) -> None:
    worker = WorkerProcess(broker, tmp_path / "worker", ticks_s=1.0)
    changelog = Changelog(broker, RelayFold())
    producer = Producer({"bootstrap.servers": broker, "log_level": 0})
    right = partition_of(b"L-1", PARTITIONS)
    now = Micros(time.time_ns() // 1000)
    for gateway_id, age_s in (("GW-SILENT", 3_000), ("GW-LOUD", 0)):
        head = Head(
            gateway_id=gateway_id,
            gateway_epoch=1,
            at=Micros(now - age_s * 1_000_000),
            size=1,
            last_seq=1,
            digest=bytes(32),
            merkle_root=None,
            signature=None,
            key_id=None,
        )
        key = gateway_id.encode()
        producer.produce(topics.HEAD, framed(head), key, partition_of(key, PARTITIONS))
    producer.produce(topics.FACT, b"\x01not ours", b"L-1", right)
    producer.produce(topics.FACT, framed(weighing("L-1", 600, 1)), b"L-1", right)
    producer.produce(topics.FACT, framed(weighing("L-1", 601, 2)), b"L-1", (right + 1) % 4)
    producer.produce(topics.FACT, framed(weighing("L-1", 602, 3)), b"L-1", right)
    producer.flush(30)
    with ended([worker]):
        worker.start()

        def applied() -> bool:
            row = changelog.rows().get("lot/L-1")
            return isinstance(row, Sum) and row.facts == 2

        assert eventually(applied, 60), "the bad records hold nothing up"

        def ticked() -> bool:
            clocks = [row for row in changelog.rows().values() if isinstance(row, Clock)]
            return len(clocks) == PARTITIONS and all(clock.ticks >= 2 for clock in clocks)

        assert eventually(ticked, 30)
        assert worker.is_ready()
        page = get(worker.port, "/metrics")
        assert 'custody_worker_dead_letters_total{reason="undecodable"} 1.0' in page
        assert 'custody_worker_dead_letters_total{reason="wrong_partition"} 1.0' in page
        assert 'custody_applied_records_total{stem="weighing"} 2.0' in page
        assert worker.end() == 0
    ticks = [
        decode("tick", value[FRAME_BYTES:])
        for _, key, value in Follow(broker, topics.FLOW, PARTITIONS).read()
        if not key and value
    ]
    last = ticks[-1]
    assert isinstance(last, Tick)
    assert last.silent_sites == ("GW-SILENT",)
