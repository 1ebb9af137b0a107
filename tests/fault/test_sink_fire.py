"""The sink while the engine refuses, records are poison, offsets are moved: all is accounted for.

Real broker, real engine. One broker and its topics for all tests, each with a warehouse and a
consumer group of its own that begin at the first record: so every test also stores whatever the
tests before it have left on the topics, and all of it has to come out exactly, every time.
``test_sink_kills`` kills the sink at random moments, ``test_sink_disk`` fills its disk, and
``test_sink_anew`` makes a topic anew under it.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from runtime.audit.broker import INSERTED, differences
from runtime.stack.topics import NewTopics, ensure
from schemas import topics
from schemas.partition import partition_of
from sinks.client import WarehouseRefused, WarehouseUnavailable, open_warehouse
from sinks.config import SinkConfig
from sinks.consumer import _options
from sinks.recovery import NothingStored, OffsetMovedOn, RowsWithoutIntent
from sinks.rewind import forget
from tests.support import stack
from tests.support.accounted import asked, is_complete, violations
from tests.support.poison import every_kind
from tests.support.sinks import (
    CATALOG,
    PARTITIONS,
    Gateway,
    Running,
    config,
    failure_of,
    framed,
    running,
    sighting,
    wait_until,
)

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300)]

BATCH = 40
WITHIN_S = 60.0
_RUNS = count(1)


@dataclass(slots=True)
class Line:
    """A broker, what was sent to it, and how much of it cannot be read."""

    bootstrap: str
    gateway: Gateway
    said: int = 0
    poison: int = 0

    def publish(self, facts: int = BATCH) -> None:
        """Facts of a gateway, and as many words between workers for another table."""
        producer = self.gateway.producer()
        self.gateway.publish(facts, producer)
        for _ in range(facts):
            self.said += 1
            value = framed(sighting("worker/0", self.said, "seal/A"))
            producer.produce(topics.FLOW, value, b"A", partition_of(b"A", PARTITIONS))
        assert producer.flush(30) == 0


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with stack.running_kafka(tmp_path_factory.mktemp("fire") / "kafka") as bootstrap:
        ensure({"bootstrap.servers": bootstrap}, NewTopics(PARTITIONS, 1, "changelog", 60))
        yield Line(bootstrap, Gateway(bootstrap))


@pytest.fixture
def settings(line: Line, tmp_path: Path) -> SinkConfig:
    """A warehouse and a group of this test's own, and short waits."""
    group = f"sink-{next(_RUNS)}"
    return config(
        line.bootstrap, tmp_path / "warehouse", group=group, batch_age_s=0.05, retry_wait_s=0.05
    )


def exact(sink: Running, line: Line) -> None:
    """Wait until all is sealed; then every record must be accounted for, and each fact be a row."""
    wait_until(lambda: bool(sink.failed) or is_complete(sink.address, line.bootstrap), WITHIN_S)
    if sink.failed:
        raise sink.failed[0]
    assert violations(sink.address, line.bootstrap) == {}
    facts = "SELECT count() AS rows, uniqExact(event_id) AS events FROM custody.events_all"
    sent = len(line.gateway.sent)
    assert asked(sink.address, facts) == [{"rows": sent, "events": sent}]
    assert sink.one("SELECT count() FROM custody.sighting") == line.said
    assert sink.one("SELECT count() FROM custody.v_dead_letters") == line.poison


def refusals(sink: Running, code: int) -> int:
    """How often the engine has refused something with a code, since it was opened."""
    found = sink.rows(f"SELECT value FROM system.errors WHERE code = {code:d}")  # noqa: S608
    return int(str(found[0][0])) if found else 0


NOT_ENOUGH_SPACE, TOO_MANY_PARTS = 243, 252

_WEIGHINGS = "ALTER TABLE custody.weighing"
FOR_NOW = {
    NOT_ENOUGH_SPACE: (
        [f"{_WEIGHINGS} MODIFY SETTING min_free_disk_bytes_to_perform_insert = {10**18}"],
        [f"{_WEIGHINGS} RESET SETTING min_free_disk_bytes_to_perform_insert"],
    ),
    TOO_MANY_PARTS: (
        [
            "SYSTEM STOP MERGES custody.weighing",
            f"{_WEIGHINGS} MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1",
        ],
        [
            f"{_WEIGHINGS} RESET SETTING parts_to_throw_insert, parts_to_delay_insert",
            "SYSTEM START MERGES custody.weighing",
        ],
    ),
}
"""How the engine is brought to refuse with a code, and how it is brought back."""


@pytest.mark.parametrize("code", FOR_NOW)
def test_what_the_engine_refuses_for_now_is_stored_later(
    line: Line, settings: SinkConfig, code: int
) -> None:
    refuse, take = FOR_NOW[code]
    with running(settings) as sink:
        line.publish()
        exact(sink, line)
        alter(settings, refuse)
        before = refusals(sink, code)
        line.publish()
        wait_until(lambda: refusals(sink, code) > before + 2, WITHIN_S)
        assert refusals(sink, code) > before + 2, "it is tried again"
        assert not is_complete(sink.address, line.bootstrap)
        alter(settings, take)
        exact(sink, line)


def test_an_engine_that_refuses_for_too_long_ends_the_sink_and_loses_nothing(
    line: Line, settings: SinkConfig
) -> None:
    refuse, take = FOR_NOW[NOT_ENOUGH_SPACE]
    with running(settings) as sink:
        exact(sink, line)
    alter(settings, refuse)
    line.publish()
    error = failure_of(replace(settings, retry_budget_s=0.5))
    assert isinstance(error, WarehouseUnavailable)
    assert error.code == NOT_ENOUGH_SPACE
    alter(settings, take)
    with running(settings) as sink:
        exact(sink, line)


NEVER = {
    16: (
        "ALTER TABLE custody.weighing RENAME COLUMN net_g TO net_grams",
        "ALTER TABLE custody.weighing RENAME COLUMN net_grams TO net_g",
    ),
    469: (
        "ALTER TABLE custody.weighing ADD CONSTRAINT light CHECK net_g < 0",
        "ALTER TABLE custody.weighing DROP CONSTRAINT light",
    ),
}
"""Of the schema: no such column. Of the data: a constraint that rows violate."""


@pytest.mark.parametrize("code", NEVER)
def test_what_the_engine_never_takes_stops_the_sink_and_is_stored_once_mended(
    line: Line, settings: SinkConfig, code: int
) -> None:
    refuse, take = NEVER[code]
    with running(settings) as sink:
        line.publish()
        exact(sink, line)
    alter(settings, [refuse])
    line.publish()
    error = failure_of(settings)
    assert isinstance(error, WarehouseRefused)
    assert error.code == code
    alter(settings, [take])
    with running(settings) as sink:
        exact(sink, line)


def test_poison_of_every_kind_is_a_dead_letter_by_either_decoder(
    line: Line, settings: SinkConfig, tmp_path: Path
) -> None:
    kinds = every_kind()
    producer = line.gateway.producer()
    for one in kinds:
        line.gateway.publish(3, producer)
        producer.produce(one.topic, one.value, one.key, one.partition, headers=[("a", b"1")])
    assert producer.flush(30) == 0
    line.poison += len(kinds)
    expected = sorted((p.topic, (p.value or b"").hex().upper(), p.reason) for p in kinds)
    # A few records at a time are read one by one, many by column: both see the same.
    few = config(
        line.bootstrap, tmp_path / "few", group="sink-few", batch_rows_max=1, batch_age_s=0.0
    )
    for one_way in (settings, few):
        with running(one_way) as sink:
            exact(sink, line)
            rows = sink.rows(
                "SELECT topic, hex(ifNull(value, '')), reason FROM custody.v_dead_letters"
            )
            assert sorted(tuple(map(str, row)) for row in rows) == expected
            kept = "SELECT countIf(header_names = ['a']) FROM custody.v_dead_letters"
            assert sink.one(kept) == len(kinds)
            assert sink.progress.health().ok


def committed(settings: SinkConfig, partition: int, moved_to: int | None = None) -> int:
    """The offset committed for a partition of the fact topic, or the one that is from now on.

    Moved by a member of the sink's own name: the broker keeps a static member for a whole session,
    and lets nobody else commit while it has one.
    """
    group = Consumer(_options(settings))
    place = TopicPartition(topics.FACT, partition)
    try:
        if moved_to is not None:
            group.subscribe([topics.FACT])
            wait_until(lambda: group.poll(0.1) is None and bool(group.assignment()), WITHIN_S)
            moved = TopicPartition(topics.FACT, partition, moved_to)
            group.commit(offsets=[moved], asynchronous=False)
        [found] = group.committed([place], timeout=30)
    finally:
        group.close()
    return found.offset


PARTITION = partition_of(b"L-1", PARTITIONS)
NEXT = "SELECT max(last) + 1 FROM custody.ingest_batches"
LAST_BATCH = "SELECT max(first) FROM custody.ingest_batches"
OUT_OF = "DELETE FROM custody.{}"
OF_PARTITION = f"WHERE topic = '{topics.FACT}' AND partition = {PARTITION:d}"


def test_an_offset_that_was_moved_stops_the_sink_and_nothing_is_doubled_or_left_out(
    line: Line, settings: SinkConfig
) -> None:
    with running(settings) as sink:
        line.publish()
        exact(sink, line)
    line.publish()
    end = committed(settings, PARTITION)
    for moved_to, error in ((end - 5, RowsWithoutIntent), (end + 1, OffsetMovedOn)):
        committed(settings, PARTITION, moved_to)
        assert isinstance(failure_of(settings), error)
    rewound(line, settings)
    with running(settings) as sink:
        exact(sink, line)


def rewound(line: Line, settings: SinkConfig) -> None:
    waited: list[str] = []
    kafka = {"bootstrap.servers": line.bootstrap}
    patience_s = settings.session_timeout_s + 20.0
    assert forget(kafka, settings.group, patience_s, lambda: waited.append("once"))
    assert len(waited) <= 1
    assert not forget(kafka, settings.group, patience_s, waited.clear)


def test_a_warehouse_that_was_lost_is_said_and_stored_again(
    line: Line, settings: SinkConfig, tmp_path: Path
) -> None:
    """Its offsets would begin an empty one behind all that is on the topics, without a word."""
    with running(settings) as sink:
        line.publish()
        exact(sink, line)
    lost = replace(settings, warehouse=f"chdb://{tmp_path / 'another'}")
    assert isinstance(failure_of(lost), NothingStored)
    rewound(line, lost)
    with running(lost) as sink:
        exact(sink, line)


FORGED = f"""
INSERT INTO custody.weighing
SELECT * REPLACE(offset + {{further}} AS offset, concat(value, 'x') AS value, 'forged' AS event_id)
FROM (
    SELECT * FROM custody.weighing {OF_PARTITION} AND event_id != 'forged'
    ORDER BY offset DESC LIMIT 1
)
"""  # noqa: S608  names of this module


def test_rows_that_somebody_put_in_beyond_the_last_record_keep_nothing_back_and_are_named(
    line: Line, settings: SinkConfig, caplog: pytest.LogCaptureFixture
) -> None:
    """One where the next record comes, twice, and one where none comes."""
    with running(settings) as sink:
        line.publish()
        exact(sink, line)
        end = int(str(sink.one(f"{NEXT} {OF_PARTITION}")))
    alter(settings, [FORGED.format(further=further) for further in (1, 1, 100_000)])
    line.publish()
    places = [f"{topics.FACT}/{PARTITION}@{end - 1 + further}" for further in (1, 1, 100_000)]
    with running(settings) as sink:
        wait_until(lambda: bool(sink.failed) or is_complete(sink.address, line.bootstrap), WITHIN_S)
        assert sink.failed == []
        facts = "SELECT count(), uniqExact(event_id) FROM custody.events_all WHERE event_id != {}"
        assert sink.rows(facts.format("'forged'")) == [(len(line.gateway.sent),) * 2]
        found = differences(
            {"bootstrap.servers": line.bootstrap},
            partial(asked, sink.address),
            CATALOG,
            lambda _: None,
        )
        named = sorted((one.kind, one.place) for one in found if not one.harmless)
        assert named == sorted((INSERTED, place) for place in places)
        assert list(violations(sink.address, line.bootstrap)) == ["events", "kafka"]
        said = [r for r in caplog.records if "somebody else" in r.message]
        assert [vars(r)["offsets"] for r in said] == [[end, end + 99_999]]


def test_rows_taken_out_behind_an_offset_set_back_are_stored_again(
    line: Line, settings: SinkConfig
) -> None:
    """What the runbook of a row that was edited says: out with the rows, back with the offset."""
    with running(settings) as sink:
        line.publish()
        exact(sink, line)
        first = int(str(sink.one(f"{LAST_BATCH} {OF_PARTITION}")))
    alter(
        settings,
        [
            f"{OUT_OF.format('weighing')} {OF_PARTITION} AND offset >= {first:d}",
            f"{OUT_OF.format('ingest_batches')} {OF_PARTITION} AND last >= {first:d}",
        ],
    )
    committed(settings, PARTITION, moved_to=first)
    with running(settings) as sink:
        exact(sink, line)


def alter(settings: SinkConfig, statements: list[str]) -> None:
    """Change the warehouse as its owner could, beside the sink or without it."""
    with closing(open_warehouse(settings.warehouse)) as warehouse:
        for statement in statements:
            warehouse.command(statement)
