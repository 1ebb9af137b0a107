"""The tables in examples/ with their mappings, and what is proposed for them."""

import json
from pathlib import Path

import jsonschema
import pytest

from producers.json_schemas import request_schema
from producers.judge import accept
from producers.mapping.draft_text import text
from producers.mapping.load import load, parse
from producers.mapping.read import read
from producers.mapping.suggest import suggest
from producers.outcome import Accepted
from tests.support.gateway import NOW, terms
from tests.support.tables import requests
from tests.support.tree import ROOT

EXAMPLES = ROOT / "examples"


@pytest.mark.parametrize("name", ["pont-bascule", "lims"])
def test_an_example_gives_requests_as_published_and_accepted(name: str) -> None:
    mapped = requests(list(read(EXAMPLES / f"{name}.csv", load(EXAMPLES / f"{name}.toml")).made))
    assert mapped
    for request in mapped:
        jsonschema.validate(request, request_schema(str(request["type"])))
        assert isinstance(accept(json.loads(json.dumps(request)), NOW, terms()), Accepted)


def test_the_weighbridge_is_read_with_its_comma_its_blanks_and_without_its_totals() -> None:
    reading = read(EXAMPLES / "pont-bascule.csv", load(EXAMPLES / "pont-bascule.toml"))
    mapped = requests(list(reading.made))
    assert [m["ticket_no"] for m in mapped] == ["PB-88121", "PB-88122", "PB-88123", "PB-88124"]
    assert mapped[3]["gross_kg"] == "46180.5"
    assert mapped[3]["net_kg"] == {"value": "31.08", "unit": "t"}
    assert mapped[3]["occurred_at"] == "2026-11-03T09:30:00+02:00"
    assert [m["purpose"] for m in mapped] == ["dispatch", "dispatch", "receipt", "dispatch"]


def test_the_laboratory_is_read_with_its_units_limits_and_certificate() -> None:
    reading = read(EXAMPLES / "lims.csv", load(EXAMPLES / "lims.toml"))
    first, second, third = requests(list(reading.made))
    assert first["certificate_no"] == "KL26114477"
    assert first["moisture"] == {"value": "8.02", "unit": "pct"}
    assert "moisture" not in third
    by_analyte = {
        r["analyte"]: r
        for r in second["results"]  # type: ignore[attr-defined]  # a request is JSON
    }
    assert by_analyte["Au"] == {
        "analyte": "Au", "unit": "g_per_t", "basis": "dry",
        "value": None, "qualifier": ">", "detection_limit": "10",
    }  # fmt: skip
    assert by_analyte["Li2O"]["qualifier"] == "<"
    assert by_analyte["Cu"]["value"] == "31.2"


def _filled_in(draft: str, **answers: str) -> str:
    for name, answer in answers.items():
        draft = draft.replace(f'{name} = "?"', f'{name} = "{answer}"')
    return draft


def test_the_proposal_for_the_weighbridge_filled_in_gives_what_its_mapping_gives() -> None:
    path = EXAMPLES / "pont-bascule.csv"
    draft = text(suggest(path), path.name)
    filled = _filled_in(
        draft,
        site_id="MINE-KOV",
        device_id="WB-KOV-1",
        format="dd/MM/yyyy HH:mm",
        zone="Africa/Lubumbashi",
    )
    proposed = requests(list(read(path, parse(filled)).made))
    mapped = requests(list(read(path, load(EXAMPLES / "pont-bascule.toml")).made))
    assert proposed == [{k: v for k, v in m.items() if k != "tare_kind"} for m in mapped]


def test_the_proposal_for_the_laboratory_filled_in_gives_what_its_mapping_gives() -> None:
    path = EXAMPLES / "lims.csv"
    draft = text(suggest(path), path.name)
    filled = _filled_in(
        draft,
        site_id="MINE-KOV",
        lab_id="LAB-KOV",
        stage="provisional",
        party="seller",
        basis="dry",
        time_of_day="12:00",
        zone="Africa/Lubumbashi",
    ).replace('{ column = "?" }', '{ cell = "A1", until = " - " }')
    proposed = requests(list(read(path, parse(filled)).made))
    assert proposed == requests(list(read(path, load(EXAMPLES / "lims.toml")).made))


def test_every_request_keeps_the_digits_of_its_table() -> None:
    """30,02 t is 30.02, and never 30.019999999999996."""
    reading = read(Path(EXAMPLES / "pont-bascule.csv"), load(EXAMPLES / "pont-bascule.toml"))
    assert '"30.02"' in json.dumps(requests(list(reading.made)))
