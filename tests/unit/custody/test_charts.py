"""Charts: a scale, an instrument or a road that is off is named as that, and nothing else is."""

import math
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from typing_extensions import override

from custody.chart_lots import LOTS_MAX
from custody.core import CustodyFold
from custody.detect import drift
from custody.detect.cusum import BANK
from custody.events import LotWeighed, Micros
from custody.fold import Input, Output, Row
from custody.records import Alert, Drift, Residual, ResidualFigure
from runtime.backtest.replay import Replay
from schemas.limits import violation
from tests.support.facts import MINUTE, T0, Read, Rows, event_id
from tests.support.fleet import Fleet
from tests.support.instruments import reference

DAY = 24 * 60 * MINUTE


def said(records: Iterable[Input]) -> list[Output]:
    """What is said, the last lots of all included: they tell two hours after their last fact."""
    told = list(records)
    later = Micros(max(getattr(one, "recorded_at", 0) for one in told) + DAY)
    told.append(replace(reference("site", "ELSEWHERE", {}), recorded_at=later))
    return [one for step in Replay(CustodyFold()).run(told) for one in step]


def last(outputs: Iterable[Output]) -> dict[str, Alert]:
    return {one.alert_id: one for one in outputs if isinstance(one, Alert)}


def open_alerts(outputs: Iterable[Output]) -> dict[tuple[str, str], Alert]:
    found = last(outputs).values()
    return {(one.subject, one.rule): one for one in found if one.state == "open"}


def lots_until(outputs: Iterable[Output], rule: str, since: int) -> int:
    """How many lots the alert needed, by the newest lot that was told before it."""
    newest = 0
    for one in outputs:
        if isinstance(one, Residual):
            newest = max(newest, int(one.lot_id.removeprefix("L-")))
        if isinstance(one, Alert) and one.rule == rule:
            return newest - since + 1
    raise AssertionError(f"no {rule}")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_instruments_in_order_are_left_alone(seed: int) -> None:
    outputs = said(Fleet(seed, lots=60).records())
    assert not open_alerts(outputs)
    assert not [one for one in outputs if isinstance(one, Drift)]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("road", [(0.003, 0.0023), (0.0, 0.0005), (0.0002, 0.0001)])
def test_roads_that_nobody_described_accuse_nobody(road: tuple[float, float], seed: int) -> None:
    """Those of ore, 0.1 % lost and 0.2 % dried, and such as lose nothing."""
    outputs = said(Fleet(seed, lots=60, road=road, described=False).records())
    assert not last(outputs)


def test_a_theft_on_a_road_that_nobody_described_is_one_of_its_lot() -> None:
    fleet = Fleet(1, lots=30, road=(0.003, 0.0023), described=False)
    fleet.theft = {20: ("MINE-C>DEPOT", 0.05)}
    [(key, alert)] = open_alerts(said(fleet.records())).items()
    assert (key, alert.family) == (("lot/L-020", "lot_eprocess"), "loss")


@pytest.mark.parametrize("off", [0.003, -0.003])
def test_a_scale_that_is_off_on_all_its_ways_is_an_instrument_finding(off: float) -> None:
    outputs = said(Fleet(2, lots=50, since=20, scale=("WB-DEPOT", off)).records())
    [(key, alert)] = open_alerts(outputs).items()
    assert key == ("instrument/WB-DEPOT", "instrument_bias")
    assert lots_until(outputs, "instrument_bias", 20) <= 20
    assert alert.size == pytest.approx(off, abs=3 * alert.size_u)
    assert (alert.family, alert.statistic, alert.severity) == ("instrument_bias", "cusum", "high")
    assert ("high" if off > 0 else "low") in alert.reason
    assert alert.onset_at is not None


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("off", [0.012, -0.012])
def test_a_scale_that_jumps_is_named_before_a_fourth_lot_is_an_alert(off: float, seed: int) -> None:
    outputs = said(Fleet(seed, lots=40, since=20, scale=("WB-DEPOT", off)).records())
    assert [*open_alerts(outputs)] == [("instrument/WB-DEPOT", "instrument_bias")]
    assert lots_until(outputs, "instrument_bias", 20) <= 3
    lots = {o.subject for o in outputs if isinstance(o, Alert) and o.subject.startswith("lot/")}
    assert len(lots) <= 3


def test_thefts_on_one_of_its_roads_do_not_take_a_scale_s_drift_back() -> None:
    """Each lets it seem in order beside its busiest way, till other lots outweigh it."""
    fleet = Fleet(1, lots=60, since=20, scale=("WB-DEPOT", 0.003))
    fleet.theft = dict.fromkeys(range(10, 60, 8), ("MINE-B>DEPOT", 0.05))
    outputs = said(fleet.records())
    of_charts = [o for o in outputs if isinstance(o, Alert) and not o.subject.startswith("lot/")]
    assert {(o.subject, o.state) for o in of_charts} == {("instrument/WB-DEPOT", "open")}


def test_the_size_is_the_weighted_mean_of_the_evidence() -> None:
    outputs = said(Fleet(2, lots=50, since=20, scale=("WB-DEPOT", 0.003)).records())
    [alert] = open_alerts(outputs).values()
    weights = [1.0 / one.u**2 for one in alert.evidence]
    left = [one.observed - one.expected for one in alert.evidence]
    mean = sum(w * x for w, x in zip(weights, left, strict=True)) / sum(weights)
    assert alert.size == pytest.approx(mean)


def test_a_drift_seen_slowly_in_one_chunk_names_no_more_lots_than_an_alert_may() -> None:
    """A small drift takes more lots to be seen than an alert may name, and a row remembers."""
    k, h = BANK[0]
    lots = round(h / 0.02) + 2
    assert lots > 2 * LOTS_MAX
    figure = ResidualFigure(
        quantity="Cu", value=(k + 0.02) * 0.01, u=0.01, u_shared=0.0, explained=0.0
    )
    told = [
        Residual(
            sender="worker/0", n=no, cause_event_id=event_id(f"lot/{no}"), lot_id=f"L-{no:04}",
            thing="instrument/LAB", ways=("MINE>DEPOT",), occurred_at=Micros(T0 + no * MINUTE),
            known_at=Micros(T0 + no * MINUTE), figures=(figure,),
        )
        for no in range(1, lots)
    ]  # fmt: skip
    step = CustodyFold().step("instrument/LAB", None, [Read(one) for one in told], Rows())
    alerts = [one for one in step.outputs if isinstance(one, Alert)]
    assert [(one.rule, len(one.evidence)) for one in alerts] == [("instrument_bias", LOTS_MAX)]
    assert [violation(one) for one in step.outputs] == [None] * len(step.outputs)


def test_a_further_lot_is_one_step_of_a_chart_whose_other_lots_are_known() -> None:
    """Else each word of a lot reads all lots of whatever is off again."""
    rng = Random(3)
    points = [drift.Point(Micros(T0 + no), rng.gauss(0.02, 0.01), 0.01, 0.0) for no in range(60)]
    chart = drift.read(points[:-1])
    assert chart.level is not None
    steps = drift.step.cache_info().misses
    assert drift.read(points) == drift.read(points[1:], drift.read(points[:1]))
    assert drift.step.cache_info().misses == steps + 1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_little_from_every_lot_of_a_road_is_a_loss_on_that_road(seed: int) -> None:
    fleet = Fleet(seed, lots=110, since=20, stolen=("MINE-B>DEPOT", 0.0025))
    outputs = said(fleet.records())
    [(key, alert)] = open_alerts(outputs).items()
    assert key == ("way/MINE-B>DEPOT", "route_loss")
    # A third of the lots go that way.
    assert lots_until(outputs, "route_loss", 20) <= 3 * 25
    assert alert.size == pytest.approx(-0.0025, abs=3 * alert.size_u)
    assert "check weight at MINE-B and at DEPOT" in alert.reason


def test_a_scale_of_a_single_road_is_not_excused() -> None:
    """Its drift and a loss on the road look alike; the lots are judged as they were."""
    outputs = said(Fleet(4, lots=110, since=20, scale=("WB-MINE-A", 0.003)).records())
    assert [*open_alerts(outputs)] == [("way/MINE-A>DEPOT", "route_loss")]
    told = [one for one in outputs if isinstance(one, Drift)]
    assert {one.thing for one in told} == {"way/MINE-A>DEPOT"}


def test_an_instrument_that_sees_too_much_of_an_element_is_named() -> None:
    fleet = Fleet(5, lots=40, since=12, xrf=("XRF-DEPOT", "Co", 0.10), composition=True)
    outputs = said(fleet.records())
    still = open_alerts(outputs)
    assert [*still] == [("instrument/XRF-DEPOT", "instrument_bias")]
    [alert] = still.values()
    assert {one.analyte for one in alert.evidence} == {"Co"}
    assert lots_until(outputs, "instrument_bias", 12) <= 25
    assert len([one for one in last(outputs).values() if one.subject.startswith("lot/")]) <= 3


def named(outputs: Iterable[Output]) -> set[str]:
    """Instruments that were ever named, for however short a time."""
    return {o.subject for o in outputs if isinstance(o, Alert) and o.rule == "instrument_bias"}


@pytest.mark.parametrize("seed", [1, 8])
def test_the_only_laboratory_beside_a_gun_that_is_off_is_never_named(seed: int) -> None:
    """By what it alone is compared with it looks off, too, and by chance sooner than the gun."""
    fleet = Fleet(
        seed, lots=50, since=20, xrf=("XRF-MINE-A", "Co", 0.10), composition=True,
        mines=("MINE-A",), at_port=False,
    )  # fmt: skip
    outputs = said(fleet.records())
    assert named(outputs) == {"instrument/XRF-MINE-A"}
    assert [*open_alerts(outputs)] == [("instrument/XRF-MINE-A", "instrument_bias")]
    assert lots_until(outputs, "instrument_bias", 20) <= 60


def test_a_laboratory_that_is_off_is_named_and_the_guns_it_made_suspicious_are_not() -> None:
    fleet = Fleet(1, lots=30, since=0, composition=True, mines=("MINE-A",), at_port=False)
    fleet.bias["LAB-MINE-A", "Co"] = -0.10
    outputs = said(fleet.records())
    assert [*open_alerts(outputs)] == [("instrument/LAB-MINE-A", "instrument_bias")]


def test_the_laboratory_of_all_ways_that_is_off_is_named_and_no_mine_s_that_it_disagrees_with() -> (
    None
):
    """Of each mine's lots its own laboratory explains as much; of all of them one explains all."""
    fleet = Fleet(
        3, lots=220, since=0, composition=True, guns=False,
        mines=("MINE-A", "MINE-B", "MINE-C", "MINE-D"),
    )  # fmt: skip
    fleet.bias["LAB-PORT", "moisture"] = -0.007
    outputs = said(fleet.records())
    assert [*open_alerts(outputs)] == [("instrument/LAB-PORT", "instrument_bias")]
    assert named(outputs) == {"instrument/LAB-PORT"}


def test_what_a_drift_had_raised_is_taken_back_with_the_drift_as_its_cause() -> None:
    fleet = Fleet(5, lots=26, since=12, xrf=("XRF-DEPOT", "Co", 0.22), composition=True)
    outputs = said(fleet.records())
    [(_, named)] = open_alerts(outputs).items()
    [child] = [one for one in last(outputs).values() if one.cause == named.alert_id]
    assert (child.state, child.subject) == ("retracted", "lot/L-015")
    first, drift = next((n, one) for n, one in enumerate(outputs) if isinstance(one, Drift))
    [level] = drift.levels
    assert level.mean == pytest.approx(math.log(1.22), abs=0.1)
    assert f"XRF-DEPOT reads Co {level.mean:+.2%}" in child.reason
    assert named.alert_id in child.reason
    after = [one for one in outputs[first:] if isinstance(one, Alert) and one.state == "open"]
    assert {one.subject for one in after} <= {named.subject}


def test_the_order_in_which_lots_become_known_does_not_matter() -> None:
    records = Fleet(2, lots=40, since=15, scale=("WB-DEPOT", 0.003)).records()
    [expected] = open_alerts(said(records)).values()
    for seed in (1, 2):
        rng = Random(seed)
        delays = {f"L-{number:03d}": rng.randrange(0, 20) * DAY for number in range(40)}
        late = [
            replace(one, recorded_at=Micros(one.recorded_at + delays[one.lot_id]))
            if isinstance(one, LotWeighed) and one.lot_id
            else one
            for one in records
        ]
        late.sort(key=lambda one: getattr(one, "recorded_at", 0))
        [alert] = open_alerts(said(late)).values()
        # A version is said when lots have doubled or its size moved by its u: within that it is
        # the size of then.
        assert (alert.subject, alert.onset_at, len(alert.evidence)) == (
            expected.subject,
            expected.onset_at,
            len(expected.evidence),
        )
        assert alert.size == pytest.approx(expected.size, abs=expected.size_u)


def test_weighings_that_are_put_right_take_the_finding_back() -> None:
    wrong = Fleet(2, lots=40, since=15, scale=("WB-DEPOT", 0.003)).records()
    right = {
        one.event_id: one for one in Fleet(2, lots=40).records() if isinstance(one, LotWeighed)
    }
    end = Micros(max(one.recorded_at for one in wrong if isinstance(one, LotWeighed)) + DAY)
    mended = [
        replace(
            right[one.event_id],
            event_id=event_id("mended" + one.event_id),
            corrects=one.event_id,
            recorded_at=end,
        )
        for one in wrong
        if isinstance(one, LotWeighed) and one.net_g != getattr(right[one.event_id], "net_g", 0)
    ]
    assert len(mended) >= 40
    outputs = said([*wrong, *mended])
    assert not open_alerts(outputs)
    [alert] = last(outputs).values()
    assert (alert.rule, alert.state) == ("instrument_bias", "retracted")
    assert [one.levels for one in outputs if isinstance(one, Drift)][-1] == ()


class Asked(Rows):
    """Rows that remember which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_asked: list[str] = []

    @override
    def get(self, key: str, default: Row | None = None) -> Row | None:
        self.keys_asked.append(key)
        return super().get(key, default)


@pytest.mark.parametrize(("thing", "asks"), [("instrument/LAB", True), ("way/A>B", False)])
def test_only_an_instrument_may_be_a_laboratory_in_reference_data(thing: str, asks: bool) -> None:  # noqa: FBT001  a case
    figure = ResidualFigure(quantity="Cu", value=0.0, u=0.01, u_shared=0.0, explained=0.0)
    told = Residual(
        sender="worker/0", n=1, cause_event_id=event_id("lot/1"), lot_id="L-1", thing=thing,
        ways=("A>B",), occurred_at=Micros(T0), known_at=Micros(T0), figures=(figure,),
    )  # fmt: skip
    rows = Asked()
    CustodyFold().step(thing, None, [Read(told)], rows)
    assert [key for key in rows.keys_asked if key.startswith("ref/laboratory/")] == (
        ["ref/laboratory/LAB"] if asks else []
    )


def test_a_depot_scale_that_is_off_is_a_rival_of_the_scales_it_is_compared_with() -> None:
    """The parts of what others explain add up to what is said to be explained."""
    outputs = said(Fleet(2, lots=40, since=12, scale=("WB-DEPOT", 0.012)).records())
    words = [
        one for one in outputs if isinstance(one, Residual) and one.thing != "instrument/WB-DEPOT"
    ]
    figures = [f for one in words for f in one.figures if f.rivals]
    assert {rival for f in figures for rival in f.rivals} == {"instrument/WB-DEPOT|mass"}
    for figure in figures:
        assert sum(figure.rival_parts) == pytest.approx(figure.explained, abs=2e-6)
    told = {one.thing for one in words if any(f.rivals for f in one.figures)}
    assert "instrument/WB-PORT" in told
    own = [
        one for one in outputs if isinstance(one, Residual) and one.thing == "instrument/WB-DEPOT"
    ]
    assert not [f for one in own for f in one.figures if f.rivals]
