"""Inserts that fail half-way: what is in is read back, the rest is inserted.

On the real engine, and on the warehouse in memory that simulations use.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from custody.events import Micros
from custody.records import Transfer
from schemas import topics
from schemas.arrow import to_arrow
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.routes import BY_STEM
from sinks import derived, edges, flush, migrate, prints, readback
from sinks.client import Warehouse, WarehouseRefused, WarehouseUnavailable, open_warehouse
from sinks.config import SinkConfig
from sinks.dedup import Known, Seen
from sinks.rows import numbers_of, rows_of
from sinks.slice import Place
from sinks.tables import stored
from sinks.writer import Writer
from tests.support.facts import Maker, corrected
from tests.support.sim.warehouse import MemoryWarehouse, Tables
from tests.support.sinks import CATALOG, PARTITIONS, config, framed, slice_of, weighing
from tests.support.strategies import records_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PLACE = Place(topics.FACT, partition_of(b"L-1", PARTITIONS))
SETTINGS = replace(config("none", Path("none")), retry_budget_s=60, retry_wait_s=0.01)


@pytest.fixture(scope="module", params=["engine", "memory"])
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    if request.param == "memory":
        yield MemoryWarehouse(Tables())
        return
    opened = open_warehouse(f"chdb://{tmp_path_factory.mktemp('writer')}")
    migrate.migrate(opened, Micros(0))
    yield opened
    opened.close()


@pytest.fixture
def rows(warehouse: Warehouse) -> pa.Table:
    warehouse.command("TRUNCATE TABLE custody.weighing")
    slice_ = slice_of(PLACE, [(b"L-1", framed(weighing("L-1", seq))) for seq in range(1, 21)], 100)
    batch = read_batch(*PLACE, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    return rows_of(slice_, batch, Seen()).tables[0][1]


class Failing(Warehouse):
    """A warehouse with inserts that fail after some of their rows, or after all."""

    def __init__(self, whole: Warehouse, after_rows: list[int]) -> None:
        self._whole = whole
        self._after_rows = after_rows
        self.embedded = True

    @override
    def insert_arrow(self, table: str, rows: pa.Table, query_id: str) -> None:
        if not self._after_rows:
            self._whole.insert_arrow(table, rows, query_id)
            return
        kept = self._after_rows.pop(0)
        if kept:
            self._whole.insert_arrow(table, rows.slice(0, kept), query_id)
        raise WarehouseUnavailable(210, "connection lost")

    @override
    def rows(
        self, query: str, parameters: Mapping[str, object] | None = None
    ) -> Sequence[Sequence[object]]:
        return self._whole.rows(query, parameters)


def _offsets(warehouse: Warehouse) -> list[int]:
    """Offsets of the weighings, each of which stands once."""
    place = {PLACE.partition: 0}
    found = readback.rows_from(warehouse, topics.FACT, ["weighing"], place)
    assert all(len(stand) == 1 for stand in found[PLACE.partition].values())
    return sorted(found[PLACE.partition])


@pytest.mark.parametrize("after_rows", [[0], [7], [20], [3, 4, 0, 13], []])
def test_each_row_is_in_once_whatever_failed(
    warehouse: Warehouse, rows: pa.Table, after_rows: list[int]
) -> None:
    waited: list[float] = []
    writer = Writer(Failing(warehouse, list(after_rows)), SETTINGS, waited.append)
    writer.insert("weighing", rows, "test")
    assert _offsets(warehouse) == list(range(100, 120))
    assert len(waited) == len(after_rows)


def test_the_budget_ends_in_an_error(warehouse: Warehouse, rows: pa.Table) -> None:
    none: SinkConfig = replace(SETTINGS, retry_budget_s=0)
    with pytest.raises(WarehouseUnavailable, match="connection lost"):
        Writer(Failing(warehouse, [0]), none, lambda _: None).insert("weighing", rows, "test")


def test_a_column_the_table_lacks_is_refused_at_once(warehouse: Warehouse, rows: pa.Table) -> None:
    wrong = rows.append_column("nonsense", pa.array([1] * rows.num_rows))
    with pytest.raises(WarehouseRefused, match="nonsense"):
        Writer(warehouse, SETTINGS, lambda _: None).insert("weighing", wrong, "test")


def test_a_row_of_somebody_else_does_not_stand_for_a_record(
    warehouse: Warehouse, rows: pa.Table
) -> None:
    """Also where it is there before an insert is tried again."""
    forged = rows.slice(5, 1)
    at = forged.column_names.index("value")
    warehouse.insert_arrow("weighing", forged.set_column(at, "value", pa.array([b"?"])), "test")
    Writer(Failing(warehouse, [3]), SETTINGS, lambda _: None).insert("weighing", rows, "test")
    found = readback.rows_from(warehouse, topics.FACT, ["weighing"], {PLACE.partition: 0})
    mine = zip(range(100, 120), prints.prints_of("weighing", rows), strict=True)
    assert all(one in found[PLACE.partition][offset] for offset, one in mine)
    assert len(found[PLACE.partition][105]) == 2


def test_last_numbers_are_those_below_the_start(warehouse: Warehouse, rows: pa.Table) -> None:
    warehouse.insert_arrow("weighing", rows, "test")
    before = readback.numbers_before(warehouse, topics.FACT, {PLACE.partition: 110})
    assert before == {PLACE.partition: {"GW-1": (1, 10)}}


def test_only_what_is_asked_for_is_found(warehouse: Warehouse, rows: pa.Table) -> None:
    warehouse.insert_arrow("weighing", rows, "test")
    other = (PLACE.partition + 1) % PARTITIONS
    ask = partial(readback.rows_from, warehouse, topics.FACT, ["weighing"])
    expected = prints.prints_of("weighing", rows.slice(18))
    assert ask({PLACE.partition: 118, other: 0}) == {
        PLACE.partition: {118: [expected[0]], 119: [expected[1]]},
        other: {},
    }
    assert ask({PLACE.partition: 120}) == {PLACE.partition: {}}
    elsewhere = readback.rows_from(warehouse, topics.FLOW, ["weighing"], {PLACE.partition: 0})
    assert elsewhere == {PLACE.partition: {}}


def test_the_last_seal_of_each_partition_says_where_to_go_on(warehouse: Warehouse) -> None:
    warehouse.command("TRUNCATE TABLE custody.ingest_batches")
    assert readback.sealed(warehouse, topics.FACT) == {}
    for partition, first, last in ((0, 0, 9), (1, 0, 4), (0, 10, 12)):
        warehouse.insert_arrow("ingest_batches", _seal(topics.FACT, partition, first, last), "test")
    warehouse.insert_arrow("ingest_batches", _seal(topics.FLOW, 0, 0, 99), "test")
    assert readback.sealed(warehouse, topics.FACT) == {0: ("id", 13), 1: ("id", 5)}
    warehouse.command("TRUNCATE TABLE custody.ingest_batches")


def _seal(topic: str, partition: int, first: int, last: int) -> pa.Table:
    row = dict.fromkeys(flush.LEDGER.names, 0) | {
        "topic": topic, "topic_id": "id", "partition": partition, "first": first, "last": last,
        "digest": "d", "writer": "w",
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=flush.LEDGER)


def test_engine_and_arrow_make_the_same_prints_of_an_edge(warehouse: Warehouse) -> None:
    moved = Transfer(
        sender="worker/0", n=1, kind="measured", cause_event_id="e", debit="lot/L-1/SITE",
        credit="process/P", mass_wet_g=20, mass_dry_g=10, metals=(), effective_at=Micros(1),
        known_at=Micros(2), replaces_event_id=None, replaces_kind=None, lot_id="L-1",
        process_id="P", movement_id=None, origins=(),
    )  # fmt: skip
    place = Place(topics.TRANSFER, PLACE.partition)
    slice_ = slice_of(place, [(b"L-1", framed(moved)), (b"L-1", framed(replace(moved, n=2)))])
    batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    [(table, transfers)] = rows_of(slice_, batch, Seen()).tables
    [(_, made)] = derived.derived(table, transfers)
    warehouse.insert_arrow(edges.TABLE, made, "test")
    found = readback.rows_from(warehouse, place.topic, [edges.TABLE], {place.partition: 0})
    expected = prints.prints_of(edges.TABLE, made)
    assert found == {place.partition: {0: [expected[0]], 1: [expected[1]]}}
    warehouse.command(f"TRUNCATE TABLE custody.{edges.TABLE}")


def test_engine_and_arrow_make_the_same_prints_of_what_a_fact_leads_to(
    warehouse: Warehouse,
) -> None:
    ticket = Maker("L-1").weighing("MINE", 10, "stock", 45_000, 15_000)
    place = Place(topics.FACT, PLACE.partition)
    slice_ = slice_of(place, [(b"L-1", framed(corrected(ticket, "less", void=True)))])
    batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    [(table, facts)] = rows_of(slice_, batch, Seen()).tables
    tables = derived.derived(table, facts)
    assert [into for into, _ in tables] == ["event", "correction"]
    for into, made in tables:
        warehouse.insert_arrow(into, made, "test")
        found = readback.rows_from(warehouse, place.topic, [into], {place.partition: 0})
        assert found == {place.partition: {0: prints.prints_of(into, made)}}
        warehouse.command(f"TRUNCATE TABLE custody.{into}")


@pytest.mark.parametrize("stem", [route.stem for route in stored()])
@settings(
    max_examples=2,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_sql_and_arrow_agree_on_who_numbered_a_row(
    warehouse: Warehouse, stem: str, data: st.DataObject
) -> None:
    record = data.draw(records_of(stem))
    place = Place(BY_STEM[stem].topic, PLACE.partition)
    slice_ = slice_of(place, [(b"L-1", framed(record))])
    batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    expected = [
        {(str(sender), int(major), int(minor))}
        for group in batch.groups
        for sender, major, minor in [[one[0] for one in numbers_of(stem, to_arrow(group))]]
    ]
    warehouse.command(f"TRUNCATE TABLE custody.{stem}")
    for table, arrow in rows_of(slice_, batch, Seen()).tables:
        warehouse.insert_arrow(table, arrow, "test")
    found = readback.numbers_before(warehouse, place.topic, {place.partition: 1})
    said = {(who, *number) for who, number in found[place.partition].items()}
    assert [said] == expected or not (said or expected)
    event = record.event_id if BY_STEM[stem].chained else ""  # type: ignore[union-attr]  # events have one
    known: list[Known] = [(*number, event) for number in said]
    other: list[Known] = [(*number, "another") for number in said]
    assert readback.standing(warehouse, place, [*known, *other], 1) == set(known)
    assert readback.standing(warehouse, place, known, 0) == set()
    warehouse.command(f"TRUNCATE TABLE custody.{stem}")


def test_a_directory_that_another_process_has_open_is_said_so(tmp_path: Path) -> None:
    address = f"chdb://{tmp_path / 'held'}"
    second = f"from sinks.client import open_warehouse; open_warehouse({address!r})"
    with closing(open_warehouse(address)):
        ended = subprocess.run(
            [sys.executable, "-c", second], capture_output=True, text=True, check=False, timeout=120
        )
    assert "WarehouseNotOpened" in ended.stderr
    assert "stop the warehouse first: custody down" in ended.stderr
