"""What became of alerts, and how two runs differ."""

from dataclasses import replace

import pytest

from custody.events import Micros
from custody.records import Alert
from runtime.backtest import courses
from schemas import present
from tests.support import golden

S = 1_000_000


def alert(alert_id: str, version: int = 1, **changes: object) -> Alert:
    [first, *_] = golden.records("alert")
    assert isinstance(first, Alert)
    said = {"alert_id": alert_id, "version": version, "state": "open", "subject": f"lot/{alert_id}"}
    return replace(first, **(said | changes))  # type: ignore[arg-type]


def test_an_alert_is_as_old_as_its_onset_when_it_is_first_raised() -> None:
    raised = alert("A", onset_at=Micros(10 * S), raised_at=Micros(40 * S))
    again = alert("A", 2, onset_at=Micros(10 * S), raised_at=Micros(90 * S), family="waste")
    [course] = courses.courses([raised, again]).values()
    assert (course.delay_s, course.family, course.stands) == (30.0, "waste", True)
    without = alert("A", onset_at=None, occurred_at=Micros(35 * S), raised_at=Micros(40 * S))
    assert courses.courses([without])["A"].delay_s == 5.0


def test_families_are_counted_with_their_delays() -> None:
    told = [
        alert(name, family="loss", rule="r", onset_at=Micros(0), raised_at=Micros(delay * S))
        for name, delay in (("A", 1), ("B", 2), ("C", 3))
    ]
    gone = alert("C", 2, family="loss", rule="r", state="retracted")
    [row] = courses.by_family(courses.courses([*told, gone]).values())
    assert row == {
        "family": "loss",
        "rule": "r",
        "standing": 2,
        "taken_back": 1,
        "delay_p50_s": 2.0,
        "delay_p90_s": pytest.approx(2.8),
    }


def test_runs_differ_in_what_stands_and_in_what_it_is_said_to_be() -> None:
    here = courses.courses([alert("A"), alert("B"), alert("C", family="waste")])
    lines = [
        present.alert_line(one)
        for one in (
            alert("B", 2, state="retracted"),
            alert("B"),
            alert("C", family="loss"),
            alert("D"),
            alert("E", state="retracted"),
        )
    ]
    found = courses.differences(here, courses.of_lines(lines))
    assert [(row["difference"], row["alert_id"], row["other_family"]) for row in found] == [
        ("only here", "A", None),
        ("only there", "D", None),
        ("other family", "C", "loss"),
        ("taken back there", "B", None),
    ]
    assert [row["difference"] for row in courses.differences(courses.of_lines(lines), here)] == [
        "only here",
        "only there",
        "other family",
        "taken back here",
    ]
    assert courses.differences(here, here) == []
