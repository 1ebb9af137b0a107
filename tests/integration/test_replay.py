"""Dead letters sent again, on a real broker and the real engine: taken once, however often sent."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from runtime import replay
from runtime.ends import ends
from runtime.replay import READABLE, SENT, STORED, UNREADABLE, Verdict, judged
from runtime.stack.topics import NewTopics, ensure
from schemas import topics
from schemas.partition import partition_of
from tests.support import stack
from tests.support.accounted import asked
from tests.support.sinks import (
    CATALOG,
    PARTITIONS,
    Gateway,
    config,
    framed,
    running,
    weighing,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RECORDS = "SELECT sum(last - first + 1) FROM custody.ingest_batches WHERE topic LIKE '%.fact.%'"
LEDGER = RECORDS.replace("SELECT ", "SELECT sum(rows), sum(duplicates), sum(dead_letters), ")
ROWS = "SELECT count() FROM custody.weighing"
KEY = b"L-1"
MOVED = weighing("L-1", 900)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A broker of its own, for the topics have fixed names."""
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        ensure({"bootstrap.servers": bootstrap}, NewTopics(PARTITIONS, 1, "changelog", 60))
        yield bootstrap


def _published(bootstrap: str) -> None:
    """Five facts, one on the wrong partition, and bytes that are no record."""
    gateway = Gateway(bootstrap)
    producer = gateway.producer()
    gateway.publish(5, producer)
    right = partition_of(KEY, PARTITIONS)
    headers: list[tuple[str, str | bytes | None]] = [("prev", bytes(32)), ("digest", b"d" * 32)]
    wrong = (right + 1) % PARTITIONS
    producer.produce(topics.FACT, framed(MOVED), KEY, wrong, headers=headers)
    producer.produce(topics.FACT, b"\xff no record", KEY, right)
    assert producer.flush(10) == 0


def test_a_dead_letter_sent_again_twice_is_one_row(broker: str, tmp_path: Path) -> None:
    _published(broker)
    kafka = {"bootstrap.servers": broker}
    counts = {topic: len(found) for topic, found in ends(kafka, [topics.FACT]).items()}
    with running(config(broker, tmp_path / "warehouse")) as sink:

        def ask(query: str, params: Mapping[str, str]) -> Sequence[Mapping[str, object]]:
            return asked(sink.address, query, params)

        def now() -> list[Verdict]:
            return [v for some in replay.letters(ask) for v in judged(some, counts, CATALOG, ask)]

        sink.wait("SELECT count() FROM custody.v_dead_letters", 2)
        sink.wait(ROWS, 5)
        first = now()
        assert sorted(v.result for v in first) == [READABLE, UNREADABLE]

        resender = replay.Resender(kafka)
        assert sorted(v.result for v in resender.send(first)) == [SENT, UNREADABLE]
        sink.wait(ROWS, 6)
        assert sorted(v.result for v in now()) == [STORED, UNREADABLE]

        # Whoever judged before the row was there sends it once more, and twice in one batch.
        resender.send([*first, *first])
        sink.wait(RECORDS, 10)
        assert sink.rows(LEDGER) == [(6, 2, 2, 10)]
        kept = "SELECT countIf(digest = repeat('d', 32)), uniqExact(event_id) FROM custody.weighing"
        assert sink.rows(kept) == [(1, 6)]
    with running(config(broker, tmp_path / "warehouse")) as sink:
        # Its number stands above those of its gateway: a restart drops it by that, too.
        resender.send(first)
        sink.wait(RECORDS, 11)
        assert sink.rows(LEDGER) == [(6, 3, 2, 11)]
