"""A scale that weighs lots in and out, days apart, is knocked in between: each reading is judged
by what the scale was when it read."""

from collections.abc import Iterable

import pytest

from custody.alerts import alert_id
from custody.core import CustodyFold
from custody.detect.lot_visits import VISIT_US, VISITS_MAX, First, Visit, number_of, visits
from custody.events import Micros
from custody.fold import Output
from custody.records import Alert, Residual
from runtime.backtest.replay import Replay
from tests.support.fleet import GAP_MIN, Fleet

STAY_MIN = 3 * 24 * 60.0
SINCE = 60
LYING = range(SINCE - int(STAY_MIN / GAP_MIN), SINCE)
"""Lots that lie at the depot when its scale is knocked."""


def told(fleet: Fleet) -> list[Output]:
    return [one for said in Replay(CustodyFold()).run(fleet.records()) for one in said]


def alerts(outputs: Iterable[Output]) -> list[Alert]:
    return [one for one in outputs if isinstance(one, Alert)]


def still_open(outputs: Iterable[Output]) -> set[tuple[str, str]]:
    last = {one.alert_id: one for one in alerts(outputs)}
    return {(one.subject, one.rule) for one in last.values() if one.state == "open"}


def knocked(seed: int, off: float, **more: object) -> Fleet:
    wrong = {"scale": ("WB-DEPOT", off), "stay_min": STAY_MIN, "since": SINCE, **more}
    return Fleet(seed, **{"lots": 200, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(("seed", "off"), [(1, 0.006), (1, 0.012), (2, -0.006), (2, -0.012)])
def test_no_lot_stands_accused_of_what_a_scale_did(seed: int, off: float) -> None:
    outputs = told(knocked(seed, off))
    assert still_open(outputs) == {("instrument/WB-DEPOT", "instrument_bias")}
    [named, *_] = [no for no, one in enumerate(outputs) if _names(one)]
    newest = max(one.lot_id for one in outputs[:named] if isinstance(one, Residual))
    assert int(newest.removeprefix("L-")) < SINCE + 10
    raised = {one.subject for one in alerts(outputs[named:]) if one.version == 1}
    assert raised == {"instrument/WB-DEPOT"}


def _names(one: Output) -> bool:
    return isinstance(one, Alert) and one.rule == "instrument_bias"


def test_what_a_scale_did_is_taken_back_with_its_alert_as_the_cause() -> None:
    outputs = told(knocked(2, 0.012, lots=80))
    cause = alert_id("instrument_bias", "instrument/WB-DEPOT", None, "mass")
    retracted = [one for one in alerts(outputs) if one.state == "retracted"]
    by_rule = {one.rule: one for one in retracted if one.cause == cause}
    assert {*by_rule} == {"lot_eprocess", "overdrawn"}
    for one in by_rule.values():
        assert "WB-DEPOT reads mass +1." in one.reason
        assert f"(alert {cause})" in one.reason


@pytest.mark.parametrize("off", [0.008, -0.008])
def test_a_theft_beyond_the_drift_is_found_on_lots_of_either_side(off: float) -> None:
    before, after = LYING[8], 80
    theft = {before: ("DEPOT>PORT", 0.03), after: ("DEPOT>PORT", 0.03), 55: ("MINE-B>DEPOT", 0.03)}
    outputs = told(knocked(1, off, lots=120, theft=theft))
    thefts = {(f"lot/L-{number:03d}", "lot_eprocess") for number in theft}
    assert still_open(outputs) == {*thefts, ("instrument/WB-DEPOT", "instrument_bias")}
    last = {one.subject: one for one in alerts(outputs) if one.rule == "lot_eprocess"}
    for subject, _ in thefts:
        assert last[subject].family == "loss"
        assert last[subject].size == pytest.approx(-0.03, abs=3 * last[subject].size_u)


@pytest.mark.parametrize("off", [0.008, -0.008])
def test_a_depot_of_one_mine_weighs_on_two_ways(off: float) -> None:
    outputs = told(knocked(3, off, lots=120, mines=("MINE-A",)))
    assert still_open(outputs) == {("instrument/WB-DEPOT", "instrument_bias")}


def test_what_is_taken_from_every_lot_behind_the_depot_is_no_scale() -> None:
    """Then what the scale reads of lots that leave is off, what it reads of those that come not."""
    fleet = Fleet(3, lots=120, since=SINCE, stay_min=STAY_MIN, stolen=("DEPOT>PORT", 0.005))
    assert still_open(told(fleet)) == {("way/DEPOT>PORT", "route_loss")}


def test_lots_tell_of_each_visit_with_its_time_and_ways() -> None:
    outputs = told(Fleet(1, lots=2, stay_min=STAY_MIN))
    words = [one for one in outputs if isinstance(one, Residual) and one.lot_id == "L-000"]
    [*_, word] = [one for one in words if one.thing == "instrument/WB-DEPOT"]
    came, left = word.figures
    assert (came.occurred_at, came.event_id, came.ways) == (None, None, ("MINE-A>DEPOT",))
    assert left.occurred_at == word.occurred_at + int((STAY_MIN + 4) * 60e6)
    assert (left.event_id is not None, left.ways) == (True, ("DEPOT>PORT",))


def reading(at: int, way: str = "A>B") -> tuple[First, str]:
    return First(Micros(at), f"event {at}"), way


def test_a_convoy_is_one_visit() -> None:
    convoy = [reading(at * VISIT_US // 10) for at in range(10)]
    found = visits([*reversed(convoy), reading(5 * VISIT_US, "B>C")])
    assert [one.at for one in found] == [0, 5 * VISIT_US]
    assert [one.ways for one in found] == [("A>B",), ("B>C",)]
    assert [number_of(found, Micros(at)) for at in (0, VISIT_US, 5 * VISIT_US)] == [0, 0, 1]


def test_a_lot_hauled_for_a_month_has_a_few_visits() -> None:
    found = visits([reading(at * 2 * VISIT_US) for at in range(300)])
    assert 1 < len(found) <= VISITS_MAX
    assert isinstance(found[0], Visit)
