"""The report: one file that needs nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.outcome import Measured, Raised
from demo.page import Section, as_text, size_text
from demo.report import Point, balance_picture, brought_until, evidence_picture, whole_lot, write

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLE = Section("Totals", ("what", "t"), (("dry <mass>", "9.5"), ("rest", "10.25")), frozenset({1}))


def at(minutes: int, place: str, dry_t: float, u_t: float = 0.1) -> Point:
    return Point(NOON + timedelta(minutes=minutes), place, dry_t, u_t)


def test_a_table_is_aligned_numbers_to_the_right() -> None:
    assert as_text([TABLE]).splitlines()[2:] == [
        "what            t",
        "dry <mass>    9.5",
        "rest        10.25",
    ]


def test_the_whole_lot_is_the_sum_of_its_places_from_the_first_weighing_on() -> None:
    history = [
        at(0, "MINE", 0),
        at(10, "transit", 60.0),
        at(20, "DEPOT", 30.0),
        at(20, "transit", 29.0),
    ]
    found = whole_lot(history)
    assert [point.dry_t for point in found] == [60.0, 59.0]
    assert found[-1].u_t == pytest.approx(0.1 * 2**0.5), "a place that is empty adds no doubt"


def test_what_was_weighed_in_counts_from_its_time_on() -> None:
    brought = [at(0, "", 30.0), at(20, "", 61.0)]
    times = [NOON + timedelta(minutes=minutes) for minutes in (-1, 0, 19, 20, 90)]
    assert [brought_until(brought, time) for time in times] == [0.0, 30.0, 30.0, 61.0, 61.0]


def test_the_report_holds_tables_and_pictures_and_escapes_text(tmp_path: Path) -> None:
    mass = Measured("mass_wet_difference", None, 0.0, -600_000.0, 60_000.0, -10.0, "g", ("WB-1",))
    ratio = Measured("ln_ratio_dry", "Cu", 0.0, -0.2, 0.02, -10.0, "1", ("XRF-1",))
    alert = Raised("A", "open", "loss", "lot/L", "L", None, -0.02, 0.002, "high", "", (mass, ratio))
    assert size_text(alert) == "600 ± 60 kg: 2.0% ± 0.2%"
    pictures = [
        balance_picture("L", [at(0, "MINE", 30.0)], [at(0, "", 30.0)]),
        evidence_picture(alert),
    ]
    path = tmp_path / "deep" / "report.html"
    write(path, "a & b", [TABLE], pictures, ["it did not hold"])
    text = path.read_text("utf-8")
    assert text.count("<svg") == 2
    assert text.count("<figcaption>") == 2
    assert "Cu: ln(received/sent)" in text
    assert "dry &lt;mass&gt;" in text
    assert "it did not hold" in text
