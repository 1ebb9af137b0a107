"""Calibration gives back what lots were drawn from, and a few bad lots or thin histories no more.

Source: docs/detection/calibrate.md.
"""

import json
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bench.detection.calibrated import false_alarms, history
from bench.detection.told import lots_of
from bench.detection.world import Fraud, World, WorldSpec
from custody.detect import calibration_limit
from custody.detect.calibration import calibrate
from custody.detect.calibration_checks import checked
from custody.detect.calibration_fit import Fit, fit
from custody.detect.calibration_limit import LOTS_MIN, greatest_ln_e, last_ln_e, limit_of
from custody.detect.calibration_lots import Lot
from custody.detect.calibration_records import Thoughts
from custody.detect.calibration_report import figures
from custody.detect.calibration_robust import (
    DAY_US,
    Effect,
    Pair,
    alike,
    effects,
    rounding,
    trimmed,
    widened,
)
from custody.detect.calibration_rounding import rounding_of
from custody.detect.calibration_scatter import scatters
from custody.detect.calibration_ways import LegFound, legs
from custody.detect.lot_facts import MASS, Known, Leg, Moisture, Readings, Weighing
from custody.detect.lot_model import Thought, limit
from custody.events import Micros
from tests.support.facts import Maker

SPEC = WorldSpec(sites=6, analytes=6)
LOTS = 600


@cache
def world() -> World:
    return World(SPEC, 1)


@cache
def clean() -> tuple[Lot, ...]:
    return tuple(lots_of(world(), world().draw(LOTS, (3,))))


@cache
def clean_fit() -> Fit:
    return fit(clean(), {})


def test_fingerprints_are_those_the_lots_were_drawn_from() -> None:
    apart, spread = [], []
    for site, found in clean_fit().sites.items():
        number = int(site.rpartition("-")[2])
        true = world().covariance[number]
        # The laboratory where the way begins is the standard: its bias is the site's.
        mean = world().mean[number] + world().assay_bias[0, number]
        apart += ((found.mean - mean) / np.sqrt(np.diag(true) / found.n)).tolist()
        spread += (np.diag(found.covariance) / np.diag(true)).tolist()
        assert np.linalg.eigvalsh(found.covariance)[0] > 0.0
    assert len(apart) == 36
    assert np.std(apart) == pytest.approx(1.0, abs=0.3)
    assert np.abs(apart).max() < 4.0
    # A little wider than true, because a hundred lots do not tell it.
    assert 0.9 < np.mean(spread) < 1.25


def test_mean_errors_of_instruments_are_theirs_within_their_u() -> None:
    z = []
    for one in clean_fit().errors:
        kind, station, site = one.instrument.split("-")
        s, i = int(station), int(site)
        if one.quantity.startswith("a") and (kind, s) != ("lab", 0):
            bias = world().xrf_bias if kind == "xrf" else world().assay_bias
            analyte = int(one.quantity[1:])
            at = world().instrument(s, i)
            true = bias[s, at, analyte] - world().assay_bias[0, i, analyte]
            z.append((one.effect.mean - true) / one.effect.u)
    assert len(z) == 6 * 4 * 6
    assert np.std(z) == pytest.approx(1.0, abs=0.2)


def test_spreads_of_legs_and_shots_are_those_they_were_drawn_from() -> None:
    found = clean_fit()
    legs = [leg for leg in found.legs.values() if leg.loss and leg.drying]
    assert len(legs) == 12
    # A leg's loss and drying together are what a scale at its end sees.
    seen = [leg.loss.u**2 + leg.drying.u**2 for leg in legs if leg.loss and leg.drying]
    assert np.mean(seen) == pytest.approx(SPEC.loss_sd**2 + SPEC.drying_sd**2, rel=0.25)
    drying = [leg.drying.mean for leg in legs if leg.drying]
    # What the laboratories at both ends are off by is half in each of two legs.
    assert np.mean(drying) == pytest.approx(SPEC.drying_mean, abs=0.001)
    ore = [spread.value for spread in found.heterogeneity.values()]
    matrix = [spread.value for spread in found.matrix.values()]
    # A little wider than true, because a hundred pairs do not tell it.
    assert 1.0 < np.mean([x for x in ore if x]) / SPEC.xrf_heterogeneity < 1.1
    assert np.mean([x for x in matrix if x]) == pytest.approx(SPEC.xrf_matrix_u, rel=0.1)


ROAD = 0.002, 0.0008
"""Deviations of drying and loss of the road below, from lot to lot."""


def wet_road(
    lots: int = 300, own: float = 0.8, ovens: float = 0.003, pairs: int = 0
) -> tuple[Lot, ...]:
    """Return lots of wet material over one road, each moisture stated with u 0.32 %.

    Args:
        lots: How many.
        own: Share of the variance that is called the laboratory's own.
        ovens: What moistures scatter by in truth.
        pairs: Of so many lots a second laboratory measured the moisture where they began.
    """
    rng, stated = np.random.default_rng(12), 0.00316
    made = []
    for no in range(lots):
        left = 22_000.0 * math.exp(rng.normal(0.0, 0.05))
        share = 0.55 + rng.normal(0.0, 0.02)
        dried = math.exp(rng.normal(0.002, ROAD[0]))
        came = left / dried * math.exp(rng.normal(-0.001, ROAD[1]))
        lot = hauled(
            left * math.exp(rng.normal(0.0, 0.0007)), came * math.exp(rng.normal(0.0, 0.0007)), no
        )
        at = [("MINE", "LAB-MINE", share), ("PORT", "LAB-PORT", share * dried)]
        at += [("MINE", "LAB-BUYER", share)] if no < pairs else []
        moistures = tuple(
            Moisture(
                event_id=f"m{n}",
                station=site,
                fraction=1.0 - dry + rng.normal(0.0, ovens),
                u=stated * math.sqrt(1.0 - own),
                laboratory=lab,
                laboratory_u=stated * math.sqrt(own),
            )
            for n, (site, lab, dry) in enumerate(at)
        )
        weighings = tuple(replace(one, u_rel=0.0007) for one in lot.readings.weighings)
        told = replace(lot.readings, weighings=weighings, moistures=moistures)
        made.append(lot._replace(readings=told))
    return tuple(made)


@pytest.mark.parametrize("own", [0.5, 0.8, 0.1])
def test_drying_is_told_from_ovens_whatever_share_they_call_their_own(own: float) -> None:
    drying = the_leg(list(wet_road(own=own))).drying
    assert drying is not None
    # Nor can it be more than the weighings vary by, loss included.
    assert 0.8 * ROAD[0] < drying.u < 1.1 * math.hypot(*ROAD)


@pytest.mark.parametrize("ovens", [0.003, 0.002])
@pytest.mark.parametrize("pairs", [0, 150])
def test_the_scatter_of_ovens_is_what_they_were_drawn_from(pairs: int, ovens: float) -> None:
    lots = wet_road(own=0.8, ovens=ovens, pairs=pairs)
    [found] = scatters(lots, rounding_of(lots)).values()
    true = (ovens**2 / 0.00316**2 - 0.2) / 0.8
    assert found.n >= 140
    assert abs(found.share - true) < 3.0 * found.u
    assert found.u < 0.2
    assert found.least == max(found.share - found.u, 0.0)


def test_of_few_lots_a_leg_is_no_surer_than_their_weighings() -> None:
    drying = the_leg(list(wet_road(12))).drying
    assert drying is not None
    assert drying.u > 0.9 * ROAD[0]
    lots = wet_road(7)
    assert scatters(lots, rounding_of(lots)) == {}


def test_ovens_that_scatter_by_more_than_all_they_state_leave_it_to_the_leg() -> None:
    """The test of a lot counts what they state, and must not call the rest water."""
    drying = the_leg(list(wet_road(ovens=0.006))).drying
    assert drying is not None
    assert drying.u > 1.8 * math.hypot(*ROAD)


@pytest.mark.slow
def test_three_bad_lots_in_a_hundred_change_nothing_beyond_u() -> None:
    bad = []
    for number, kind in enumerate(("theft", "waste", "foreign")):
        drawn = world().draw(LOTS // 100, (4, number), Fraud(kind, 0.2))
        bad += lots_of(world(), drawn, f"B{number}")
    found, before = fit([*bad, *clean()], {}), clean_fit()
    was = {(e.begins, e.instrument, e.quantity): e.effect for e in before.errors}
    for one in found.errors:
        old = was[one.begins, one.instrument, one.quantity]
        assert abs(one.effect.mean - old.mean) <= max(one.effect.u, old.u)
    for site, new in found.sites.items():
        old_site = before.sites[site]
        u = np.sqrt(np.diag(old_site.covariance) / old_site.n)
        assert (np.abs(new.mean - old_site.mean) <= u).all()
        ratio = np.diag(new.covariance) / np.diag(old_site.covariance)
        assert np.abs(np.log(ratio)).max() < 0.5 * math.sqrt(8.0 / old_site.n) + 0.1
    for name, leg in found.legs.items():
        old_leg = before.legs[name]
        assert leg.loss is not None
        assert old_leg.loss is not None
        assert abs(leg.loss.mean - old_leg.loss.mean) <= old_leg.loss.u / 5.0
        assert leg.loss.u == pytest.approx(old_leg.loss.u, rel=0.3)


def test_lots_in_any_order_give_the_same_records() -> None:
    lots = clean()[:120]
    first, second = calibrate(lots, {}, {}), calibrate(lots[::-1], {}, {})
    assert first.bodies({}, "2026-01-01") == second.bodies({}, "2026-01-01")
    assert figures(first) == figures(second)


@pytest.mark.slow
def test_a_thin_history_raises_few_false_alarms() -> None:
    """The long run is ``python -m bench.detection.calibrated``: 2 in 1,000 at most."""
    small = World(replace(SPEC, sites=8), 7)
    alarms, _, _ = false_alarms(small, history(small, 20 * 8, 0.0, 7), 600, 7)
    assert alarms <= 3


def test_a_body_that_is_there_is_kept_and_added_to() -> None:
    leg: dict[str, object] = {"from": "mine-0", "to": "hub-0", "deadline_h": 12}
    known: dict[tuple[str, str], dict[str, object]] = {
        ("route", "mine-0-hub-0"): {"legs": [leg], "carrier": "any"},
        ("device", "xrf-0-0"): {"class": "xrf", "calibrated_until": "2030-01-01"},
        ("detection", "lot"): {"threshold": 50.0, "kept": 1},
    }
    bodies = calibrate(clean()[:200], {}, known).bodies(known, "2026-01-01")
    route = bodies["route", "mine-0-hub-0"]["legs"]
    assert isinstance(route, list)
    assert (route[0]["deadline_h"], route[0]["loss_n"] > 8) == (12, True)
    assert bodies["route", "mine-0-hub-0"]["carrier"] == "any"
    assert bodies["device", "xrf-0-0"]["calibrated_until"] == "2030-01-01"
    test = bodies["detection", "lot"]
    assert "threshold" not in test
    assert test["kept"] == 1
    assert str(test["basis"]).startswith("proved: ")


def test_a_site_of_few_lots_is_between_sites_where_others_are_known_and_else_left_out() -> None:
    few = [lot for lot in clean() if lot.origin == "mine-5"][:3]
    others = [lot for lot in clean() if lot.origin != "mine-5"]
    found = fit(sorted([*few, *others]), {}).sites["mine-5"]
    assert (found.n, found.between) == (3, True)
    true = world().mean[5] + world().assay_bias[0, 5]
    wide = np.sqrt(np.diag(found.covariance))
    assert (np.abs(found.mean - true) < 3.0 * wide).all()
    assert wide.mean() > np.sqrt(np.diag(clean_fit().sites["mine-5"].covariance)).mean()
    alone = fit(few, {})
    assert alone.sites == {}
    assert alone.thin_sites == {"mine-5": 3}


def test_with_few_lots_the_limit_stays_the_proved_one_and_says_so() -> None:
    found = limit_of(["A", "B"], [0.1, 9.0])
    assert (found.threshold, found.lots, found.doubted) == (None, 1, ("B",))
    assert "too few" in found.basis


def test_the_limit_is_what_one_lot_in_a_thousand_passes() -> None:
    rng = np.random.default_rng(5)
    drawn = np.minimum(rng.exponential(0.6, 2 * LOTS_MIN), 6.8).tolist()
    found = limit_of([str(n) for n in range(len(drawn))], drawn)
    assert found.threshold is not None
    # Exponential with mean 0.6: one in a thousand is beyond 0.6 ln 1000.
    assert math.log(found.threshold) == pytest.approx(0.6 * math.log(1000.0), rel=0.1)
    dirty = [*drawn, *[20.0] * 1000]
    assert limit_of([str(n) for n in range(len(dirty))], dirty).threshold is None


@pytest.mark.slow
def test_lots_enough_are_judged_fact_by_fact_by_what_the_others_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration_limit, "LOTS_MIN", 400)
    found = calibrate(clean()[:402], {}, {})
    assert found.limit.threshold is not None
    assert found.limit.lots + len(found.limit.doubted) == 402
    body = json.dumps(found.bodies({}, "2026-01-01")["detection", "lot"])
    said = limit(body)
    assert 0.0 <= said.ln_e <= math.log(1000.0)
    assert said.basis == f"calibrated on {found.limit.lots} clean lots: one clean lot in 1,000 ever"
    # The last moment of a life is one of its moments.
    lot = clean()[0]
    thought = Thoughts({}, found.bodies({}, "2026-01-01")).of(lot)
    assert greatest_ln_e(lot, thought) >= last_ln_e(lot, thought)


def test_an_instrument_that_changes_is_known_no_better_than_it_varies() -> None:
    rng = np.random.default_rng(6)
    days = rng.normal(0.0, 0.03, 30)
    pairs = [
        Pair("gun", "lab", float(days[day] + rng.normal(0.0, 0.02)), day * DAY_US + n)
        for day in range(30)
        for n in range(20)
    ]
    steady = [replace_value(pair, float(rng.normal(0.01, 0.02))) for pair in pairs]
    prior = {"gun": Known(0.0, 0.1), "lab": Known(0.0, 0.01)}
    assert effects(pairs, prior, ["lab"])["gun"].u == pytest.approx(0.03, rel=0.4)
    found = effects(steady, prior, ["lab"])
    assert found["gun"].u == pytest.approx(0.02 / math.sqrt(600), rel=0.2)
    assert found["gun"].mean == pytest.approx(0.01, abs=4 * found["gun"].u)
    assert found["lab"] == Effect(0.0, 1e-5, 600)


def replace_value(pair: Pair, value: float) -> Pair:
    return pair._replace(value=value)


def test_an_error_that_few_lots_tell_stays_near_zero() -> None:
    pairs = [Pair("gun", "lab", 0.05, 0), Pair("gun", "lab", -0.01, 1), Pair("gun", "lab", 0.1, 2)]
    prior = {"gun": Known(0.0, 0.01), "lab": Known(0.0, 0.0)}
    found = effects(pairs, prior, ["lab"])["gun"]
    assert 0.0 < found.mean < 0.005
    assert found.u == pytest.approx(0.01)


def test_far_values_are_not_used_and_few_values_are() -> None:
    values = np.array([*np.linspace(-1.0, 1.0, 21), 50.0])
    assert trimmed(values).n == 21
    assert trimmed(np.array([1.0, 1.0, 50.0])).n == 3
    assert widened(19) == pytest.approx((3.883 / 3.291) ** 2, rel=1e-3)


STEP_KG = 20.0


def hauled(left_kg: float, came_kg: float, at: int, moist: tuple[float, ...] = ()) -> Lot:
    """Return a lot of one truck over one leg, as its scales and laboratories display it."""
    weighings = tuple(
        Weighing(event_id=f"w{no}", station=site, net=net, u_rel=0.002, scale=f"WB-{site}")
        for no, (site, net) in enumerate((("MINE", left_kg), ("PORT", came_kg)))
    )
    moistures = tuple(
        Moisture(event_id=f"m{no}", station=site, fraction=f, u=0.002, laboratory=f"LAB-{site}")
        for no, (site, f) in enumerate(zip(("MINE", "PORT"), moist, strict=False))
    )
    thought = Thought((), ("MINE", "PORT"), (Leg(),), None, (), (-0.08, 0.05), (), None)
    told = Readings(weighings=weighings, moistures=moistures)
    return Lot(f"L-{at:03d}", "MINE", None, thought, told, ("w0", "w1"), Micros(at))


def one_step_road() -> list[Lot]:
    """Return 60 trucks that lose about one step of the scales: most of them just one."""
    rng = np.random.default_rng(3)
    left = STEP_KG * rng.integers(1_350, 1_550, 60)
    lost = STEP_KG * np.rint(1.0 + rng.normal(0.0, 0.6, 60))
    assert (lost == STEP_KG).mean() > 0.55
    return [hauled(a, a - b, no) for no, (a, b) in enumerate(zip(left, lost, strict=True))]


def the_leg(lots: list[Lot]) -> LegFound:
    [leg] = legs(lots, {}, scatters(lots, rounding_of(lots))).values()
    return leg


def test_a_road_where_most_trips_show_the_same_step_of_the_scales_keeps_the_others() -> None:
    road = one_step_road()
    leg, thefts = the_leg(road), [hauled(28_000.0, 27_400.0, 100 + n) for n in range(6)]
    ln = [math.log(b.net / a.net) for a, b in (lot.readings.weighings for lot in road)]
    assert leg.loss is not None
    assert leg.loss_n == 60
    assert leg.loss.mean == pytest.approx(-math.expm1(np.mean(ln)))
    # Tons that are missing are no step of a scale.
    assert the_leg([*road, *thefts]) == leg


def test_where_most_trips_show_no_loss_a_theft_is_left_out_all_the_same() -> None:
    road = [hauled(28_000.0 + STEP_KG * n, 28_000.0 + STEP_KG * n, n) for n in range(40)]
    thefts = [hauled(28_000.0, 27_400.0, 100 + n) for n in range(4)]
    assert the_leg([*road, *thefts]) == the_leg(road)


def test_moistures_that_mostly_differ_by_one_digit_keep_those_that_differ_by_two() -> None:
    rng = np.random.default_rng(4)
    here = 0.08 + 0.001 * rng.integers(0, 9, 60)
    dried = 0.001 * np.rint(1.0 + rng.normal(0.0, 0.6, 60))
    rows = enumerate(zip(here, here - dried, strict=True))
    lots = [hauled(28_000.0, 28_000.0, n, (round(a, 3), round(b, 3))) for n, (a, b) in rows]
    assert the_leg(lots).drying_n == 60


def test_a_scale_off_by_one_step_is_known_from_all_its_trips() -> None:
    found = fit(one_step_road(), {})
    [there] = [e for e in found.errors if (e.instrument, e.quantity) == ("WB-PORT", MASS)]
    assert there.effect.n == 60


def test_check_weights_that_mostly_show_one_step_are_all_used() -> None:
    m = Maker()
    shown = [(20_000, 20)] * 5 + [(19_600, 20)] * 4 + [(20_000, 40), (20_000, 0)]
    checks = [
        replace(
            m.weighing("MINE", n, "dispatch", mass + d, 0),
            lot_id=None,
            purpose="check",
            device_id="WB",
            net_g=(mass + d) * 1000,
        )
        for n, (mass, d) in enumerate(shown)
    ]
    body = {"class": "III", "interval_kg": 20, "check_kg": [19_600, 20_000]}
    assert checked(checks, {("device", "WB"): body})["WB", MASS].n == 11


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([20.0 * n for n in (1_371, 1_402, 1_424, 1_450, 1_463, 1_501)], 20.0),
        ([0.081, 0.079, 0.084, 0.0912, 0.092, 0.087, 0.083, 0.08, 0.09, 0.088], 0.001),
        ([27_431.7, 28_090.2, 26_998.9, 28_533.3, 28_111.6], 0.1),
        # One weight that is in all of them is no interval, nor is a twentieth of the mass.
        ([1_000.0] * 20, 0.0),
        ([1_000.0 * n for n in range(1, 9)], 200.0),
        ([27_431.71828, 28_090.31415, 26_998.57721, 28_533.14142, 28_111.73205], 0.0),
        ([], 0.0),
    ],
)
def test_the_interval_of_an_instrument_is_seen_in_what_it_displays(
    values: list[float], step: float
) -> None:
    assert rounding(values) == pytest.approx(step / math.sqrt(12.0))


def test_variances_are_drawn_together_only_as_far_as_they_are_alike() -> None:
    rng = np.random.default_rng(8)
    n = np.full(40, 20.0)
    same = rng.chisquare(19, 40) / 19
    drawn, degrees = alike(same, n)
    assert np.abs(np.log(drawn)).max() < 0.25 * np.abs(np.log(same)).max() + 0.2
    assert degrees.min() > 40
    apart = same * np.exp(rng.normal(0.0, 3.0, 40))
    assert np.allclose(np.log(alike(apart, n)[0]), np.log(apart), atol=0.2)


def test_check_weights_give_the_span_of_a_scale() -> None:
    m = Maker()
    checks = [
        replace(
            m.weighing("MINE", n, "dispatch", 20_000 + d, 0),
            lot_id=None,
            purpose="check",
            device_id="WB",
            net_g=(20_000 + d) * 1000,
        )
        for n, d in enumerate((20, 40, 30, 20, 40))
    ]
    bodies = {("device", "WB"): {"class": "III", "check_kg": [5000, 20_000], "check_u_rel": 1e-4}}
    found = checked(checks, bodies)
    assert set(found) == {("WB", MASS)}
    assert found["WB", MASS].mean == pytest.approx(0.0015, abs=2e-5)
    assert 1e-4 < found["WB", MASS].u < 1e-3
    assert checked(checks[:2], bodies) == {}
    assert checked(checks, {}) == {}


def test_reference_materials_give_the_bias_of_an_instrument() -> None:
    m = Maker()
    shots = [replace(m.shot("MINE", n, {"Cu": 0.0206}), lot_id=None) for n in range(4)]
    papers = [
        replace(m.assay("MINE", n, {"Cu": (0.0202, None)}, lab_id="LAB"), lot_id=None)
        for n in range(4)
    ]
    known = {"check_fractions": {"Cu": 0.02}}
    bodies = {("device", shots[0].device_id): known, ("laboratory", "LAB"): known}
    found = checked([*shots, *papers, m.weighing("MINE", 9, "dispatch", 9, 1)], bodies)
    assert found[shots[0].device_id, "Cu"].mean == pytest.approx(math.log(1.03), rel=1e-3)
    assert found["LAB", "Cu"].mean == pytest.approx(math.log(1.01), rel=1e-3)


def test_a_check_is_where_a_scales_error_is_thought_to_be() -> None:
    lots = [lot._replace(at=Micros(n)) for n, lot in enumerate(clean()[:200])]
    checks = {("scale-0-0", MASS): Effect(0.002, 1e-4, 9)}
    found = calibrate(lots, checks, {("device", "scale-0-0"): {"class": "III"}})
    [one] = [e for e in found.fit.errors if (e.instrument, e.quantity) == ("scale-0-0", MASS)]
    assert one.effect.mean == pytest.approx(0.002)
    bodies = found.bodies({("device", "scale-0-0"): {"class": "III"}}, "2026-01-01")
    assert bodies["device", "scale-0-0"]["span_rel"] == 0.002
    listed = bodies["detection", "lot"]["errors"]
    assert isinstance(listed, list)
    assert (listed[0]["instrument"], listed[0]["n"]) == ("scale-0-0", 9)
