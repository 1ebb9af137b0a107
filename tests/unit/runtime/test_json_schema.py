"""Our small validator against a complete one, over the published schemas of reference bodies."""

import copy
import json
from collections.abc import Iterator

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.json_schema import ANNOTATIONS, WORDS, Fault, faults
from tests.support import tree

FILES = sorted((tree.ROOT / "schemas/json").glob("reference-*.json"))
SCHEMAS = {path.stem: json.loads(path.read_text("utf-8")) for path in FILES}
ODD = st.sampled_from(
    [None, True, 0, -1, 1, 2, 0.5, -0.5, 1.5, 1e9, "", "x", "US", "2026-11-03", "2026-13-01", [],
     ["Cu"], [[1.0]], {}, {"Cu": 0.5}, {"Cu": 7}, {"Cu": "x"}]
)  # fmt: skip


def words(schema: object) -> Iterator[str]:
    """Every word of a schema that asks for something, the names of its fields left out."""
    if not isinstance(schema, dict):
        return
    yield from schema.keys() - ANNOTATIONS
    inner = [schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", [])]
    for one in [*inner, *schema.get("properties", {}).values()]:
        yield from words(one)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_word_of_a_published_schema_is_read(name: str) -> None:
    assert set(words(SCHEMAS[name])) <= WORDS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_examples_of_a_schema_are_good(name: str) -> None:
    for body in SCHEMAS[name]["examples"]:
        assert list(faults(SCHEMAS[name], body)) == []


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, object]:
    """An example with some fields changed, removed or added."""
    name = draw(st.sampled_from(sorted(SCHEMAS)))
    body = copy.deepcopy(SCHEMAS[name]["examples"][0])
    known = [*SCHEMAS[name]["properties"], "further"]
    for field in draw(st.lists(st.sampled_from(known), max_size=3)):
        if draw(st.booleans()):
            body.pop(field, None)
        else:
            body[field] = draw(ODD)
    return name, draw(st.sampled_from([body, body, body, draw(ODD)]))


@settings(max_examples=400, deadline=None)
@given(bodies())
def test_the_verdict_is_that_of_a_complete_validator(case: tuple[str, object]) -> None:
    name, body = case
    full = jsonschema.Draft202012Validator(
        SCHEMAS[name], format_checker=jsonschema.FormatChecker(["date"])
    )
    ours, theirs = list(faults(SCHEMAS[name], body)), list(full.iter_errors(body))
    assert bool(ours) == bool(theirs)
    plain = {".".join(map(str, e.absolute_path)) for e in theirs if e.validator in WORDS}
    named = {fault.field.rpartition(".")[0] for fault in ours} | {fault.field for fault in ours}
    assert plain <= named | {""}


def test_a_fault_names_the_field_and_the_bound() -> None:
    body = {"class": "III", "interval_kg": 0, "u_systematic_rel": 5}
    assert list(faults(SCHEMAS["reference-device"], body)) == [
        Fault("interval_kg", 0, "more than 0"),
        Fault("u_systematic_rel", 5, "at most 1"),
    ]
    [missing] = faults(SCHEMAS["reference-device"], {})
    assert missing == Fault("class", None, "it is required")


def test_a_fault_of_an_alternative_is_the_one_that_got_furthest() -> None:
    body = {"recovery": {"Cu": 1.5}}
    [fault] = faults(SCHEMAS["reference-process"], body)
    assert fault == Fault("recovery.Cu", 1.5, "at most 1")
