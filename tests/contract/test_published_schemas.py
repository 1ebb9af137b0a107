"""Published JSON: alerts, balances and bodies of reference records under their frozen names."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from custody import geography, reference
from custody.events import Micros
from custody.records import Alert, Balance
from schemas import avro, present
from tests.support import golden

FOLDER = Path(__file__).parents[2] / "schemas" / "json"
KINDS = next(f for f in avro.schema("reference")["fields"] if f["name"] == "kind")["type"]
PUBLISHED = ["alert", "balance", *(f"reference-{k}" for k in KINDS["symbols"] if k != "other")]

ALERT_NAMES = [
    "alert_id",
    "version",
    "state",
    "rule",
    "family",
    "subject",
    "lot_id",
    "movement_id",
    "onset_event_id",
    "raised_by_event_id",
    "raised_at",
    "occurred_at",
    "size",
    "size_u",
    "unit",
    "statistic",
    "value",
    "threshold",
    "threshold_basis",
    "severity",
    "posterior",
    "onset_at",
    "onset_u_s",
    "evidence",
    "reason",
    "cause",
    "actor",
    "action_id",
    "ln_e",
    "gated",
    "unobserved",
    "detectable",
    "calibrated_until",
    "assignee",
    "until",
    "resolution",
    "causes",
    "way",
    "shifts",
    "onsets",
    "trips",
    "other_sites",
    "own_spread",
    "stake_share",
    "stake_amount",
    "stake_currency",
    "stake_analytes",
    "stake_priced_on",
    "stake_price_source",
    "stoppable",
]
BALANCE_NAMES = [
    "owner",
    "lot_id",
    "process_id",
    "place",
    "at",
    "known_at",
    "mass_wet_g",
    "moisture",
    "mass_dry_g",
    "metal_mg",
    "origins",
    "metal_origins",
    "shares",
    "attributes",
    "complete_to",
]


def published(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def check(name: str, value: object) -> None:
    schema = published(name)
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(value)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_example_satisfies_its_schema(name: str) -> None:
    for example in published(name)["examples"]:
        check(name, example)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_name_is_described(name: str) -> None:
    for key, value in published(name)["properties"].items():
        assert value.get("description"), key


def names_in(value: object) -> Iterator[str]:
    """Names of all properties of a schema, at any depth."""
    if isinstance(value, dict):
        yield from value.get("properties", {})
        for inner in value.values():
            yield from names_in(inner)
    if isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


def names_read() -> set[str]:
    """Names that the core takes from bodies: literal arguments of its reading functions."""
    calls = [
        node
        for module in (reference, geography)
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text()))
        if isinstance(node, ast.Call)
    ]
    of_bodies = [c.args[1] for c in calls if getattr(c.func, "id", "") in {"_number", "_text"}]
    of_bodies += [c.args[0] for c in calls if getattr(c.func, "attr", "") == "get" and c.args]
    return {a.value for a in of_bodies if isinstance(a, ast.Constant) and isinstance(a.value, str)}


def test_every_name_the_core_reads_of_a_body_is_published() -> None:
    read = names_read()
    assert {"interval_kg", "moisture_u", "legs", "expected_loss", "recovery"} <= read
    published_names = {n for kind in PUBLISHED for n in names_in(published(kind))}
    assert read <= published_names


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("contract", {"seller": "A", "buyer": "B", "umpire_rule": "nearest"}),
        ("process", {"mixing": "lifo"}),
        ("process", {"allocation": "volume"}),
        ("process", {"continuous": "yes"}),
    ],
)
def test_a_body_beyond_a_closed_list_does_not_satisfy_its_schema(kind: str, body: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(f"reference-{kind}", body)


def test_an_alert_line_has_the_frozen_names() -> None:
    [alert] = golden.records("alert")
    assert isinstance(alert, Alert)

    line = present.alert_line(alert)

    assert list(line) == ALERT_NAMES
    check("alert", line)
    assert line == published("alert")["examples"][0]


def test_a_balance_line_has_the_frozen_names() -> None:
    [balance] = golden.records("balance")
    assert isinstance(balance, Balance)

    line = present.balance_line(balance, Micros(1_793_862_720_000_000))

    assert list(line) == BALANCE_NAMES
    check("balance", line)
    assert line == published("balance")["examples"][0]


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_793_680_930_000_000, "2026-11-03T04:42:10Z"),
        (1_793_680_930_250_000, "2026-11-03T04:42:10.250000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_times_are_rfc_3339_in_utc(micros: int, text: str) -> None:
    assert present.rfc3339(Micros(micros)) == text
