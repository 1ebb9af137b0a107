"""The schemas say what the classes say, and document every field."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from custody.events import Micros
from producers.requests import REFERENCE_KINDS
from schemas import avro
from schemas.plan import NESTED
from schemas.routes import ROUTES, Route
from tests.support.changes import named_types

SCALARS = {int: {"int", "long"}, float: {"double"}, bool: {"boolean"}, bytes: {"bytes"}}
EVERY = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.stem)


@EVERY
def test_fields_have_the_names_order_and_types_of_the_class(route: Route) -> None:
    schema = avro.schema(route.stem)

    assert f"{schema['namespace']}.{schema['name']}" == route.record
    compare(route.type, schema, {part["name"]: part for part in named_types(schema)})


def compare(cls: type, schema: avro.Schema, names: dict[str, Any]) -> None:
    assert is_dataclass(cls)
    assert [f.name for f in fields(cls)] == [f["name"] for f in schema["fields"]]
    hints = get_type_hints(cls)
    for field in schema["fields"]:
        compare_type(hints[field["name"]], field["type"], names)


def compare_type(hint: Any, schema: Any, names: dict[str, Any]) -> None:  # noqa: ANN401
    schema = names.get(schema, schema) if isinstance(schema, str) else schema
    if get_origin(hint) in (Union, UnionType):
        assert schema[0] == "null"
        [value] = [part for part in get_args(hint) if part is not type(None)]
        compare_type(value, schema[1], names)
    elif get_origin(hint) is tuple:
        assert schema["type"] == "array"
        compare_type(get_args(hint)[0], schema["items"], names)
    elif hint is Micros:
        assert schema == {"type": "long", "logicalType": "timestamp-micros"}
    elif hint is str:
        assert schema == "string" or schema["type"] == "enum"
    elif is_dataclass(hint):
        assert NESTED[f"custody.{schema['name']}"] is hint
        compare(hint, schema, names)
    else:
        assert schema in SCALARS[hint]


def every_field(route: Route) -> Iterator[dict[str, Any]]:
    for part in named_types(avro.schema(route.stem)):
        yield from part.get("fields", ())


@EVERY
def test_every_field_names_its_unit_and_source(route: Route) -> None:
    for field in every_field(route):
        assert "Unit: " in field["doc"], field["name"]
        assert "Source: " in field["doc"], field["name"]


@EVERY
def test_an_optional_field_is_null_by_default(route: Route) -> None:
    for field in every_field(route):
        if isinstance(field["type"], list):
            assert field["default"] is None, field["name"]


@EVERY
def test_an_enum_has_other_as_its_default(route: Route) -> None:
    for part in named_types(avro.schema(route.stem)):
        if part["type"] == "enum":
            assert part["default"] == "other" == part["symbols"][-1]


def test_every_kind_of_reference_data_that_is_taken_can_be_written() -> None:
    """One that is not in the schema was accepted, and failed when it was to be kept."""
    [kind] = [f for f in avro.schema("reference")["fields"] if f["name"] == "kind"]
    assert (*REFERENCE_KINDS, "other") == tuple(kind["type"]["symbols"])


@EVERY
def test_every_list_has_a_cap_and_every_time_bounds(route: Route) -> None:
    for field in every_field(route):
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        for kind in kinds:
            if isinstance(kind, dict) and kind["type"] == "array":
                assert field["cap"] <= 2_000, field["name"]
            if isinstance(kind, dict) and kind.get("logicalType"):
                assert field["min"] < field["max"], field["name"]


@EVERY
def test_no_logical_type_but_timestamp_micros(route: Route) -> None:
    assert avro.text(route.stem).count("logicalType") == avro.text(route.stem).count(
        '"logicalType":"timestamp-micros"'
    )
