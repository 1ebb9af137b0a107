"""The two mistakes of the day: what is wrong, and that the correction is what the plant had."""

import json
from decimal import Decimal
from typing import cast

import pytest

from custody.events import Micros
from demo.day import Day, make_day
from demo.frauds import Fraud
from demo.requests import Request
from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Accepted

NOW = Micros(1_800_000_000_000_000)


@pytest.fixture(scope="module", params=[1, 2, 3])
def day(request: pytest.FixtureRequest) -> Day:
    return make_day(request.param)


def wrong_ones(day: Day) -> list[Request]:
    """The day's certificate and process that are corrected, in the order of the corrections."""
    paper = next(r for r in day.requests if r.get("event_id") == certificate(day)["corrects"])
    process = day.processes[0].process_id
    return [paper, next(r for r in day.requests if r.get("process_id") == process)]


def certificate(day: Day) -> Request:
    return day.corrected.requests[0]


def test_the_certificate_differs_in_copper_and_in_nothing_else(day: Day) -> None:
    first, right = wrong_ones(day)[0], certificate(day)
    changed = {name for name in right if right[name] != first.get(name)}
    assert changed == {"event_id", "corrects", "results"}
    pairs = zip(*(cast("list[Request]", r["results"]) for r in (first, right)), strict=True)
    (pair,) = [(a, b) for a, b in pairs if a != b]
    assert [one["analyte"] for one in pair] == ["Cu", "Cu"]
    assert (pair[0]["value"], pair[1]["value"]) == day.corrected.grade_pct
    assert 0.04 < 1 - day.corrected.grade_pct[0] / day.corrected.grade_pct[1] < 0.07


def test_the_input_names_the_side_the_gateway_made_of_it(day: Day) -> None:
    first, right = wrong_ones(day)[1], day.corrected.requests[1]
    sides = cast("list[Request]", first["inputs"])
    (side,) = cast("list[Request]", right["inputs"])
    no = next(n for n, one in enumerate(sides) if one["lot_id"] == side["lot_id"])
    terms = Terms(("GW-TEST", 1), 4, Known(), backfill=True)
    outcome = accept(json.loads(json.dumps(first), parse_float=Decimal), NOW, terms)
    assert isinstance(outcome, Accepted)
    assert right["corrects"] == outcome.drafts[no].record.event_id
    assert (sides[no]["mass_wet_kg"], side["mass_wet_kg"]) == day.corrected.input_kg
    assert 300 < day.corrected.input_kg[1] - day.corrected.input_kg[0] < 450


def test_the_lot_is_clean_blended_and_known_by_one_certificate(day: Day) -> None:
    lot_id = day.corrected.lot_id
    assert lot_id in {lot.lot_id for lot in day.processes[0].inputs}
    frauds: tuple[Fraud, ...] = day.frauds
    assert lot_id not in {fraud.lot_id for fraud in frauds} | set(day.dirt.lots.values())
    papers = [r for r in day.requests if r.get("method") == "ICP-OES" and r["lot_id"] == lot_id]
    assert len(papers) == 1


def test_corrections_are_sent_after_all_they_correct(day: Day) -> None:
    assert day.sent[-2:] == day.corrected.requests
    assert day.sent[:-2] == day.requests
