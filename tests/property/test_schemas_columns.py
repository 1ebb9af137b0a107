"""Laws of the two forms of a group: events and columns and Arrow tables hold the same values."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody.events import ReferenceSet
from custody.records import Drift, Tick
from schemas import codec
from schemas.arrow import arrow_schema, to_arrow
from schemas.reader import COLUMN_ROWS_MIN, Group, read_batch
from schemas.registry import StaticCatalog
from schemas.routes import BY_STEM, ROUTES, Record
from tests.support import strategies

STEMS = [route.stem for route in ROUTES]


def group_of(records: Sequence[Record]) -> Group:
    """Read records that all stand on the one partition of a topic."""
    stem = next(r.stem for r in ROUTES if r.type is type(records[0]))
    catalog = StaticCatalog()
    values = [codec.frame(catalog.schema_id(stem), codec.encode(r)) for r in records]
    batch = read_batch(BY_STEM[stem].topic, 0, 1, [b"k"] * len(values), values, catalog)
    assert not batch.bad
    [group] = batch.groups
    return group


def on_partition_0(record: Record) -> Record:
    if isinstance(record, ReferenceSet | Tick | Drift):
        return replace(record, partition=0)
    return record


def by_column(record: Record) -> dict[str, object]:
    """Return what a row of the Arrow table holds for a record."""
    row: dict[str, object] = {}
    for f in fields(record):
        value = getattr(record, f.name)
        item = f.type.__args__[0] if isinstance(value, tuple) else None  # type: ignore[union-attr]
        if item is not None and is_dataclass(item):
            for part in fields(item):
                row[f"{f.name}.{part.name}"] = [plain(getattr(v, part.name)) for v in value]
        else:
            row[f.name] = plain(value)
    return row


def plain(value: object) -> object:
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


def without_time_zones(table: pa.Table) -> pa.Table:
    """Timestamps as integers, so that they compare with ours."""
    types = [_whole(f.type) for f in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def _whole(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_whole(kind.value_type)))
    return pa.int64() if pa.types.is_timestamp(kind) else kind


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_few_and_many_records_read_alike_in_every_form(stem: str, data: st.DataObject) -> None:
    one = strategies.records_of(stem).map(on_partition_0)
    few = data.draw(st.lists(one, min_size=1, max_size=5))
    many = few * COLUMN_ROWS_MIN

    for records in (few, many):
        group = group_of(records)
        assert group.events() == records
        assert group.event(len(records) - 1) == records[-1]
        table = to_arrow(group)
        table.validate(full=True)
        assert table.schema.equals(arrow_schema(stem))
        expected = [by_column(r) for r in records]
        assert without_time_zones(table).to_pylist() == expected
        for f in fields(type(records[0])):
            values = list(group.column(f.name))
            assert values == [getattr(r, f.name) for r in records], f.name
