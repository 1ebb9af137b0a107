"""What the page says of what was put in."""

import re
from collections.abc import Sequence
from dataclasses import replace

from demo import instrument
from demo.correction import ANALYTE
from demo.day import make_day
from demo.follow import Verdict
from demo.outcome import Measured, Raised, judge
from demo.page import Findings, as_text, failures, sections, size_text
from demo.publish import Answers
from demo.restated import Level, Restated

LEVELS = (Level("into the blend", 146_498_000, 157_652_400),)
RESTATED = Restated("2026-03-02 18:00:00", LEVELS, ("B-1", "C-1"), 87, 88, {"P-1": (0, 0)})


def findings(ghg_kg_per_t: float | None = None, alerts: Sequence[Raised] = ()) -> Findings:
    day = make_day(1)
    return Findings(
        day=day,
        answers=Answers(),
        stored=frozenset(),
        alerts=(),
        judged=tuple(judge(day.frauds, alerts)),
        clean=(),
        totals=(),
        rows={},
        delays=(0, 0.0, 0.0),
        verdict=Verdict(0, ""),
        restated=RESTATED,
        ghg_kg_per_t=ghg_kg_per_t,
    )


def test_the_page_counts_clean_lots_and_tells_the_dirt() -> None:
    found = findings()
    lines = as_text(sections(found)).splitlines()
    assert any(line.startswith("clean lots with an alert") and "0 of 294" in line for line in lines)
    for lot_id in found.day.dirt.lots.values():
        assert any(line.endswith(lot_id) for line in lines)


def test_the_page_tells_what_was_corrected_and_what_that_moved() -> None:
    found = findings()
    text = as_text(sections(found))
    wrong = found.day.corrected
    assert f"{ANALYTE} on {wrong.certificate_no} of {wrong.lab_id}, % dry" in text
    assert re.search(r"into the blend +146\.498 +157\.652 +11\.154$", text, re.MULTILINE)
    assert re.search(r"rest of P-1: in less out +0\.000 +0\.000 +0\.000$", text, re.MULTILINE)
    assert re.search(r"made anew +87 and 88$", text, re.MULTILINE)


def test_emissions_are_a_line_only_where_the_books_carry_them() -> None:
    assert "CO2e" not in as_text(sections(findings()))
    text = as_text(sections(findings(640.2)))
    assert re.search(r"^emissions of C-1-0001 +640\.2 +- +kg CO2e per t dry$", text, re.MULTILINE)


def test_each_fraud_is_named_on_the_page_and_failed_where_it_is_called_otherwise() -> None:
    fraud = next(f for f in make_day(1).frauds if f.kind == "water")
    seen = (Measured("ln_dry_share", None, -0.05, -0.08, 0.003, -10.0, "1", ("LAB-HOY",)),)
    said = [
        Raised(
            "A-1", "open", family, f"lot/{fraud.lot_id}", fraud.lot_id, fraud.movement_id,
            fraud.size, 0.003, "high", "", seen,
        )
        for family in ("water", "loss")
    ]  # fmt: skip
    for alert, ends in zip(said, ("found, named", "called loss, not water"), strict=True):
        found = findings(alerts=[alert])
        (line,) = [x for x in as_text(sections(found)).splitlines() if fraud.lot_id in x]
        assert line.startswith("water, dry share falls")
        assert line.endswith(ends)
        failed = f"water on {fraud.lot_id}: {ends}"
        assert (failed in failures(found)) == (ends != "found, named")


def test_a_scale_that_drifts_has_a_table_of_its_own_and_fails_the_page_where_it_is_not_named() -> (
    None
):
    day = make_day(1)
    assert day.drift is not None
    lacks = instrument.judge(day, day.drift, instrument.Said(()), [])
    found = replace(findings(), charted=lacks)
    text = as_text(sections(found))
    assert f"which is no fraud: instrument/{day.drift.device_id}, mass (51 lots" in text
    assert f"drift of {day.drift.device_id}: {lacks.lacks}" in failures(found)
    in_doubt = replace(lacks, lacks="", doubted=("L-1-0002",))
    said = failures(replace(found, charted=in_doubt))
    assert f"drift of {day.drift.device_id}: it leaves in doubt L-1-0002" in said


def test_a_rule_without_a_size_has_a_dash_for_one() -> None:
    rule = Raised("A", "open", "custody_gap", "lot/L", "L", None, 0.0, 0.0, "high", "", ())
    assert size_text(rule) == "-"
    assert size_text(replace(rule, size=0.1, size_u=0.02)) == "10.0% ± 2.0%"
