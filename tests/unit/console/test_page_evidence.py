"""What pages show of evidence: each row by what a person can look at again, and the limit."""

import json
from typing import Any

import pytest

from console.alert_rows import located
from custody import charts
from custody.detect import lot_model, node_verdict
from custody.detect.calibration_limit import limit_of
from custody.detect.cusum import RUN_LENGTH
from schemas.present import alert_line
from tests.support.alerts import alert
from tests.support.page_engine import Pages

LOTS = 12
CLEAN = 4000
_FOUND = limit_of(["L"] * CLEAN, [at / CLEAN for at in range(CLEAN)])
CALIBRATED = {"threshold": _FOUND.threshold, "lots": CLEAN, "basis": _FOUND.basis}


def _row(at: int) -> dict[str, Any]:
    return {
        "quantity": "ln_residual", "analyte": None, "expected": 0.001, "observed": 0.004 + at / 1e4,
        "u": 0.001, "z": 3.0 + at / 10, "unit": "1", "event_ids": [f"event-{at}"],
        "instruments": ["WB-HOY-1"], "shift": 0.0, "ln_ratio": 0.0,
    }  # fmt: skip


def _fact(at: int) -> dict[str, Any]:
    return {
        "event_id": f"event-{at}", "lot_id": f"L-{at}", "event_type": "weighing",
        "kind": "receipt", "site_id": "CONC-HOY", "occurred_at": f"2026-11-03T{at:02}:30:00Z",
        "document_no": f"T-{at}", "recorded_at": f"2026-11-03T{at:02}:31:00Z", "mass_kg": 30_000,
    }  # fmt: skip


def _charted(at: int) -> dict[str, Any]:
    return {
        "thing": "instrument/WB-HOY-1", "quantity": "mass", "lot_id": f"L-{at}",
        "occurred_at": f"2026-11-03T{at:02}:30:00Z", "residual": 0.005, "residual_u": 0.001,
        "residual_u_shared": 0.0, "explained": 0.001, "sum_of_limit": at / 10, "off_by": None,
        "off_by_u": None,
    }  # fmt: skip


def _drift() -> dict[str, Any]:
    made = alert_line(
        alert(
            "WB", rule="instrument_bias", family="instrument_bias", statistic="cusum",
            subject="instrument/WB-HOY-1", lot_id=None, movement_id=None, size=0.0058,
            size_u=0.0014, value=1.4, threshold=1.0, threshold_basis=charts.BASIS, causes=(),
            onset_event_id="event-0", raised_by_event_id=f"event-{LOTS - 1}",
        )
    )  # fmt: skip
    said = {
        name: made[name]
        for name in (
            "version", "state", "family", "severity", "size", "size_u", "unit", "value",
            "threshold", "raised_by_event_id", "raised_at", "reason", "cause", "actor", "assignee",
            "until", "resolution",
        )
    }  # fmt: skip
    facts = [_fact(at) for at in range(LOTS)]
    lists: dict[str, Any] = {
        name: [] for name in ("posterior", "gated", "detectable", "calibrations", "causes")
    }
    return lists | {
        "alert": made, "rested": None, "facts": facts, "comments": [], "retracted_by": [],
        "evidence": located([_row(at) for at in range(LOTS)], facts),
        "versions": [said | {"said_at": "2026-11-03T12:00:00Z"}],
    }  # fmt: skip


def _console(method: str, path: str, body: str | None) -> tuple[int, dict[str, str], str]:
    del method, body
    told = {
        "/api/alerts/A": _drift(),
        "/api/charts/instrument%2FWB-HOY-1": {"chart": [_charted(at) for at in range(LOTS)]},
    }
    return 200, {}, json.dumps(told[path])


TABLE = (
    '[...shown.querySelectorAll("table")].map((one) => [one.parent.getAttribute("aria-label"),'
    ' one.querySelectorAll("tr").map((row) => row.children.map((cell) => cell.textContent))])'
)


@pytest.fixture(scope="module")
def page() -> Pages:
    made = Pages("fr", _console)
    made.show("alert", "A")
    return made


def test_each_lot_that_speaks_of_an_instrument_has_name_time_site_and_figure(page: Pages) -> None:
    tables = dict(page.run(TABLE))
    head, *rows = tables["Les lots qui en parlent"]
    assert head[:3] == ["Lot", "Quand (UTC)", "Site"]
    assert len(rows) == LOTS
    assert rows[0] == [
        "L-11", "3 nov. 11:30:00", "CONC-HOY", "0,51\u00a0±\u00a00,10\u00a0%", "0,1001\u00a0%",
        "4,10",
    ]  # fmt: skip
    assert len({tuple(row[:2]) for row in rows}) == LOTS
    happened = tables["Ce qui s'est passé"]
    assert len(happened) == 1 + 2 + 1, "the first lot, the last one and the version"


def test_its_chart_shows_how_the_sum_grew_and_the_limit(page: Pages) -> None:
    [chart] = page.run("drawn")
    by_name = {trace["name"]: trace for trace in chart["traces"]}
    assert by_name["limite"]["y"] == [1, 1]
    assert by_name["limite"]["yaxis"] == by_name["Somme sur sa limite"]["yaxis"] == "y2"
    assert by_name["Somme sur sa limite"]["y"] == [at / 10 for at in range(LOTS)]
    assert by_name["Résidu ± u"]["text"] == [f"L-{at}" for at in range(LOTS)]
    told = page.run("toldTexts()")
    lots = f"{RUN_LENGTH:,}".replace(",", "\u202f")
    assert any(f"une fois en {lots} lots" in text for text in told), told


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        (charts.BASIS, "Plusieurs sommes cumulées"),
        (lot_model.limit(None).basis, "Prouvé : 0,1\u00a0% des lots sains au plus"),
        (
            lot_model.limit(json.dumps(CALIBRATED)).basis,
            "sur 4000 lots sains : un lot sain sur 1000",
        ),
        (node_verdict.basis_of(7), "sur 7 tests (Šidák)"),
        ("exact rule", "Une règle est certaine."),
    ],
)
def test_what_a_limit_rests_on_is_said_in_the_readers_language(
    page: Pages, basis: str, said: str
) -> None:
    told = page.run('moduleOf("worded.js").basisOf(basis)', basis=basis)
    assert isinstance(told, str), "an element is what the worker wrote, as it wrote it"
    assert said in told


def test_a_row_is_told_by_its_first_fact_where_that_is_known() -> None:
    rows = located([_row(0), _row(1) | {"event_ids": []}, _row(2)], [_fact(0)])
    assert [row["lot_id"] for row in rows] == ["L-0", None, None]
