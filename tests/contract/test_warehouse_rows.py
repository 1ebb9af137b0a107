"""Every record of every stem, through the reader and Arrow, into the real engine and back."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody.events import Micros
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.routes import BY_STEM, Record
from sinks import migrate, rows, tables
from sinks.client import Warehouse, open_warehouse
from sinks.dedup import Seen
from sinks.slice import Place
from tests.support import strategies
from tests.support.sinks import CATALOG, framed, slice_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_warehouse(f"chdb://{tmp_path_factory.mktemp('rows')}")
    migrate.migrate(opened, Micros(0))
    yield opened
    opened.close()


def _stored(stem: str, records: list[Record]) -> rows.Rows:
    key = b"any"
    place = Place(BY_STEM[stem].topic, partition_of(key, 4))
    slice_ = slice_of(place, [(key, framed(record)) for record in records])
    batch = read_batch(*place, 4, slice_.keys, slice_.values, CATALOG)
    return rows.rows_of(slice_, batch, Seen())


@pytest.mark.parametrize("stem", [route.stem for route in tables.stored()])
@settings(
    max_examples=4,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_row_says_what_the_record_said(
    warehouse: Warehouse, stem: str, data: st.DataObject
) -> None:
    records = data.draw(st.lists(strategies.records_of(stem), min_size=1, max_size=3))
    warehouse.command(f"TRUNCATE TABLE custody.{stem}")
    for table, arrow in _stored(stem, records).tables:
        assert set(arrow.column_names) == {c.name for c in tables.columns(stem)}
        warehouse.insert_arrow(table, arrow, "test")
        for field in arrow.schema:
            assert _from_table(warehouse, stem, field) == _from_arrow(arrow, field), field.name


def _from_table(warehouse: Warehouse, stem: str, field: pa.Field) -> list[object]:
    shown = f"`{field.name}`"
    if pa.types.is_binary(field.type):
        shown = f"hex({shown})"
    elif str(field.type) in {"list<item: binary>", "list<element: binary>"}:
        shown = f"arrayMap(b -> hex(b), {shown})"
    query = f"SELECT {shown} FROM custody.{stem} ORDER BY `offset`"  # noqa: S608  test's own
    return [_plain(row[0]) for row in warehouse.rows(query)]


def _from_arrow(arrow: pa.Table, field: pa.Field) -> list[object]:
    ordered = arrow.sort_by("offset")
    return [_plain(value) for value in ordered[field.name].to_pylist()]


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
