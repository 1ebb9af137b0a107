"""Schemas may only change so that readers of any age read writers of any age."""

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from custody.events import Micros, ReferenceSet
from custody.records import Drift, Tick
from schemas import avro, codec
from schemas.arrow import to_arrow
from schemas.compatibility import problems
from schemas.reader import COLUMN_ROWS_MIN, Group, read_batch
from schemas.registry import StaticCatalog
from schemas.routes import BY_STEM, ROUTES, Record
from schemas.topics import FLOW
from tests.support import golden
from tests.support.changes import NEW, incompatible_changes, widened

STEMS = [route.stem for route in ROUTES]
VERSIONS = sorted((Path(__file__).parents[1] / "golden" / "schemas").iterdir())
A_TICK = Tick(partition=0, now=Micros(0), fact_end_offset=0, silent_sites=())

Datum = dict[str, Any]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
@pytest.mark.parametrize("stem", STEMS)
def test_the_schema_is_fully_compatible_with_each_published_version(
    stem: str, version: Path
) -> None:
    published = json.loads((version / f"{stem}.avsc").read_text())

    assert problems(published, avro.schema(stem)) == []


@pytest.mark.parametrize("stem", STEMS)
def test_a_further_field_and_symbol_are_no_problem(stem: str) -> None:
    assert problems(avro.schema(stem), widened(avro.schema(stem))) == []


@pytest.mark.parametrize("stem", STEMS)
def test_an_incompatible_change_is_found_without_a_registry(stem: str) -> None:
    for name, schema in incompatible_changes(avro.schema(stem)).items():
        assert problems(avro.schema(stem), schema), name


@pytest.mark.parametrize("count", [1, COLUMN_ROWS_MIN], ids=["rows", "columns"])
@pytest.mark.parametrize("stem", STEMS)
def test_what_a_newer_writer_adds_is_dropped(stem: str, count: int) -> None:
    newer = widened(avro.schema(stem))
    records = on_partition_0(golden.records(stem))

    group = read(stem, newer, [news(newer, as_datum(record)) for record in records] * count)

    assert group.events() == records * count


@pytest.mark.parametrize("count", [1, COLUMN_ROWS_MIN], ids=["rows", "columns"])
@pytest.mark.parametrize("stem", [s for s in STEMS if "enum" in avro.text(s)])
def test_a_symbol_we_do_not_know_reads_as_other(stem: str, count: int) -> None:
    newer = widened(avro.schema(stem))
    enums = [f["name"] for f in newer["fields"] if is_enum(f["type"])]
    [record, *_] = on_partition_0(golden.records(stem))

    group = read(stem, newer, [news(newer, as_datum(record)) | dict.fromkeys(enums, NEW)] * count)

    for name in enums:
        assert group.column(name) == ["other"] * count
        assert to_arrow(group).column(name).to_pylist() == ["other"] * count


@pytest.mark.parametrize("count", [1, COLUMN_ROWS_MIN], ids=["rows", "columns"])
@pytest.mark.parametrize("stem", STEMS)
def test_what_an_older_writer_did_not_know_has_our_default(stem: str, count: int) -> None:
    older = avro.schema(stem)
    later = {
        f["name"]: () if f["default"] == [] else None for f in older["fields"] if "default" in f
    }
    older["fields"] = [f for f in older["fields"] if "default" not in f]
    [record, *_] = on_partition_0(golden.records(stem))

    group = read(stem, older, [as_datum(record)] * count)

    expected = as_datum(record) | later
    assert [as_datum(event) for event in group.events()] == [expected] * count


def test_two_versions_in_one_batch_are_two_groups() -> None:
    catalog = StaticCatalog()
    newer = widened(avro.schema("tick"))
    old = codec.frame(catalog.schema_id("tick"), codec.encode(A_TICK))
    new = codec.frame(catalog.add(json.dumps(newer)), written(newer, news(newer, as_datum(A_TICK))))

    batch = read_batch(FLOW, 0, 1, [None] * 4, [old, new, new, old], catalog)

    assert [group.index.tolist() for group in batch.groups] == [[0, 3], [1, 2]]
    assert [group.events() for group in batch.groups] == [[A_TICK] * 2] * 2


def test_a_schema_that_breaks_the_rules_is_an_unknown_schema() -> None:
    catalog = StaticCatalog()
    broken = incompatible_changes(avro.schema("tick"))["another type"]
    value = codec.frame(catalog.add(json.dumps(broken)), b"\0" * 8)

    batch = read_batch(FLOW, 0, 1, [None], [value], catalog)

    assert [bad.reason for bad in batch.bad] == ["unknown_schema"]


def read(stem: str, writer: avro.Schema, data: Sequence[Datum]) -> Group:
    """Write data under a schema and read them under ours."""
    catalog = StaticCatalog()
    schema_id = catalog.add(json.dumps(writer))
    values = [codec.frame(schema_id, written(writer, datum)) for datum in data]
    topic = BY_STEM[stem].topic
    batch = read_batch(topic, 0, 1, [b"k"] * len(values), values, catalog)
    assert not batch.bad
    [group] = batch.groups
    return group


def written(schema: avro.Schema, datum: Datum) -> bytes:
    out = BytesIO()
    plain = json.dumps(schema).replace('"logicalType"', '"was"')
    schemaless_writer(out, parse_schema(json.loads(plain)), datum)
    return out.getvalue()


def news(schema: object, datum: Datum) -> Datum:
    """Fill in what ``widened`` has added, in each record of a datum."""
    assert isinstance(schema, dict)
    filled = dict(datum)
    for field in schema["fields"]:
        items = field["type"].get("items") if isinstance(field["type"], dict) else None
        if isinstance(items, dict) and items["type"] == "record":
            filled[field["name"]] = [news(items, item) for item in datum[field["name"]]]
    return filled | {NEW: "news"}


def as_datum(record: object) -> Datum:
    assert is_dataclass(record)
    assert not isinstance(record, type)
    return asdict(record)


def on_partition_0(records: list[Record]) -> list[Record]:
    return [
        replace(record, partition=0) if isinstance(record, ReferenceSet | Tick | Drift) else record
        for record in records
    ][:1]


def is_enum(schema: object) -> bool:
    return isinstance(schema, dict) and schema["type"] == "enum"
