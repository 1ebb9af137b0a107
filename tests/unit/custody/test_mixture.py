"""The mixture detector against brute force, whatever is missing, and in any order."""

import math
from dataclasses import replace
from random import Random
from typing import TypeVar

import numpy as np
import pytest

from custody.detect import lot_families
from custody.detect.lot_facts import Floats, Known, Leg, Model, Moisture, Readings, Shot, Weighing
from custody.detect.lot_families import OMNIBUS_U, Family
from custody.detect.lot_foreign import ln_lr, materials, seen
from custody.detect.lot_pattern import prepare
from custody.detect.lot_sizes import refined
from custody.detect.lot_suspicion import Suspicion, explain
from custody.detect.mixture import ALPHA, Detector
from custody.detect.pattern_rows import AssayRows, MoistureRow, Pattern, ShotRows, snapped
from custody.detect.shot_gate import Why
from tests.support.dense import Dense
from tests.support.lot_models import ANALYTES, a_model, an_honest_lot, shifted, sites, u

LN_THRESHOLD = -math.log(ALPHA)
NOTHING = Readings()
_T = TypeVar("_T")


def foreign(size: float, onset: int, seed: int = 1, site: int = 1) -> Readings:
    ratio = sites()[site].mean - sites()[0].mean
    shift = lot_families.foreign_shift(ratio, np.array([size]))[0]
    return an_honest_lot(seed, shift.tolist(), onset)


def ln_e(readings: Readings, model: Model | None = None) -> float:
    return Detector(a_model() if model is None else model).judge(readings).ln_e


def brute_force(model: Model, readings: Readings) -> float:
    """Return ln E, each direction at each onset a difference of two log densities."""
    dense = Dense(model, readings)
    d = Detector(model).directions
    rest, terms = 1.0, []
    for station in range(3):
        weights = d.onset_weights((station,), 2)
        for shift, weight in zip(d.shifts, weights, strict=True):
            if weight > 0:
                terms.append(math.log(weight) + dense.ln_lr(station, shift))
                rest -= weight
        free = lot_families.omnibus_weight((station,), 2, alone=False)
        for deviation in OMNIBUS_U:
            weight = free / len(OMNIBUS_U)
            terms.append(math.log(weight) + dense.ln_lr_free(station, deviation))
            rest -= weight
    return float(np.logaddexp.reduce([*terms, math.log(max(rest, 1e-300))]))


CASES = {
    "honest": an_honest_lot(3),
    "loss": shifted(Family.LOSS, 0.02, 1),
    "water": shifted(Family.WATER, 0.03, 2),
    "falsified": shifted(Family.WATER_FALSIFIED, 0.1, 1),
    "waste": shifted(Family.WASTE, 0.04, 2),
    "foreign": foreign(0.2, 1),
    "blend": foreign(0.5, 0),
}


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_e_is_what_whole_densities_give(name: str, described: bool) -> None:  # noqa: FBT001  a case
    model = a_model()
    model = replace(model, legs=tuple(leg._replace(described=described) for leg in model.legs))
    model = replace(model, errors={**model.errors, ("lab", "moisture"): Known(0.001, 1e-5)})
    assert ln_e(CASES[name], model) == pytest.approx(brute_force(model, CASES[name]), abs=2e-3)


def test_e_is_what_whole_densities_give_where_much_is_missing() -> None:
    model = a_model()
    model = replace(model, errors={**model.errors, ("lab", "moisture"): Known(0.001, 1e-5)})
    whole = shifted(Family.WASTE, 0.05, 1)
    assays = (replace(whole.assays[1], fractions={"Cu": whole.assays[1].fractions["Cu"]}),)
    some = replace(whole, weighings=whole.weighings[1:], shots=whole.shots[2:], assays=assays)
    assert ln_e(some, model) == pytest.approx(brute_force(model, some), abs=2e-3)


def test_whitened_values_have_the_density_of_the_values() -> None:
    detector = Detector(a_model())
    layout = detector.layout(an_honest_lot(5))
    prepared = prepare(detector.model, detector.prior, layout.pattern)
    covariance = np.linalg.inv(prepared.inverse.T @ prepared.inverse)
    r = layout.values - prepared.mean
    z = prepared.inverse @ r
    quadratic = float(r @ np.linalg.solve(covariance, r))
    assert float(z @ z) == pytest.approx(quadratic, rel=1e-9)
    ln_det = -2.0 * float(np.log(np.diag(prepared.inverse)).sum())
    assert ln_det == pytest.approx(float(np.linalg.slogdet(covariance)[1]), rel=1e-9)


def test_weights_add_up_to_one() -> None:
    assert sum(lot_families.IN_TRANSIT.values()) + sum(lot_families.AT_ORIGIN.values()) == (
        pytest.approx(1.0)
    )
    d = Detector(a_model()).directions
    fixed = sum(d.onset_weights((station,), 2).sum() for station in range(3))
    free = sum(lot_families.omnibus_weight((s,), 2, alone=False) for s in range(3))
    assert fixed + free == pytest.approx(1.0)


def _shuffled(rng: Random, items: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(rng.sample([*items, items[0]], len(items) + 1))


@pytest.mark.parametrize("seed", range(5))
def test_order_and_repeats_do_not_matter(seed: int) -> None:
    readings = CASES["foreign"]
    rng = Random(seed)

    mixed = Readings(
        weighings=_shuffled(rng, readings.weighings),
        moistures=_shuffled(rng, readings.moistures),
        shots=_shuffled(rng, readings.shots),
        assays=_shuffled(rng, readings.assays),
    )
    assert ln_e(mixed) == ln_e(readings)


def explained(detector: Detector, readings: Readings) -> Suspicion | None:
    return explain(detector, detector.judge(readings))


@pytest.mark.parametrize(
    ("readings", "family", "size", "station"),
    [
        (shifted(Family.LOSS, 0.03, 1), Family.LOSS, 0.03, "hub"),
        (shifted(Family.GAIN, 0.04, 2), Family.GAIN, 0.04, "port"),
        (shifted(Family.WATER, 0.04, 2), Family.WATER, 0.04, "port"),
        (shifted(Family.WATER_FALSIFIED, 0.25, 1), Family.WATER_FALSIFIED, 0.25, "hub"),
        (shifted(Family.WASTE, 0.08, 2), Family.WASTE, 0.08, "port"),
        (foreign(0.3, 1), Family.FOREIGN, 0.3, "hub"),
        (foreign(0.8, 0), Family.FOREIGN, 0.8, "mine"),
    ],
    ids=lambda value: str(value) if isinstance(value, Family | str) else "",
)
def test_a_fraud_is_named_sized_and_placed(
    readings: Readings, family: Family, size: float, station: str
) -> None:
    found = explained(Detector(a_model()), readings)
    assert found is not None
    assert found.ln_e > LN_THRESHOLD
    assert found.named.family is family
    assert station in found.named.stations
    assert found.families[0][0] is family
    assert abs(found.size - size) <= 3.0 * found.size_u
    assert found.size_u < 0.3 * size
    if family is Family.FOREIGN:
        assert found.named.site == "S1"


def test_contributions_add_up_and_can_be_recomputed() -> None:
    found = explained(Detector(a_model()), CASES["foreign"])
    assert found is not None
    for one in found.contributions:
        assert (one.observed - one.expected) / one.u == pytest.approx(one.z)
        assert one.ln_lr == pytest.approx(one.shift * one.z - one.shift**2 / 2)
    assert math.fsum(c.ln_lr for c in found.contributions) == pytest.approx(found.ln_lr)
    assert math.fsum(ln for _, ln in found.by_quantity) == pytest.approx(found.ln_lr)
    assert math.fsum(p for _, p in found.families) == pytest.approx(1.0)


def test_material_of_no_known_site_is_a_free_change() -> None:
    readings = an_honest_lot(2, (0, 0, 0, 0.5, -0.4, 0.5, -0.4), 1)
    found = explained(Detector(a_model(library=())), readings)
    assert found is not None
    assert found.named.family is Family.OMNIBUS
    assert found.size == pytest.approx(0.45, abs=0.1)


def test_without_a_site_nothing_is_thought_of_the_composition() -> None:
    """Origin unknown: a swap in transit still shows, a blend at the origin cannot."""
    unknown = a_model(origin=None, library=())
    assert ln_e(foreign(0.5, 2), unknown) > LN_THRESHOLD
    assert ln_e(CASES["blend"], unknown) < 1.0


def test_one_truck_of_many_is_named() -> None:
    """Ten trucks at both ends; one lost 3 %."""
    weighings = []
    for truck in range(10):
        left = 30_000.0 + 100.0 * truck
        for station, net in (("mine", left), ("hub", left * (0.97 if truck == 6 else 1.0))):
            weighings.append(
                Weighing(
                    event_id=f"{truck}{station}",
                    station=station,
                    part=f"T{truck}",
                    net=net,
                    u_rel=u(0.001),
                    scale="bridge",
                )
            )
    found = explained(Detector(a_model()), Readings(weighings=tuple(weighings)))
    assert found is not None
    assert found.named.part == "T6"
    assert found.named.family is Family.LOSS
    assert found.ln_e > LN_THRESHOLD
    assert found.size == pytest.approx(0.03, abs=0.01)


def test_a_second_truck_that_lost_nothing_moves_no_weight() -> None:
    """E of the first is a share of E with both, whatever the second shows: 1 + (E1 - 1) stays."""
    detector = Detector(a_model())

    def truck(name: str, station: str, net: float) -> Weighing:
        return Weighing(
            event_id=name + station, station=station, part=name, net=net, u_rel=u(0.001), scale="b"
        )

    first = (truck("T1", "mine", 30_000.0), truck("T1", "hub", 29_000.0))
    second = (truck("T2", "mine", 30_000.0),)
    one = detector.judge(Readings(weighings=first)).ln_e
    assert detector.judge(Readings(weighings=(*first, *second))).ln_e == pytest.approx(one)
    pattern = detector.layout(Readings(weighings=first)).pattern
    weighted = detector.weighted(pattern)
    spent = weighted.rest + np.exp(weighted.constant + _powers(detector, pattern)).sum()
    spent += lot_families.omnibus_weight((1,), 2, alone=False)
    spent += np.exp(weighted.part_constant + _part_powers(detector, pattern)).sum()
    assert spent == pytest.approx(1.0)


def _powers(detector: Detector, pattern: Pattern) -> Floats:
    prepared = prepare(detector.model, detector.prior, pattern)
    d = detector.directions.shifts
    return np.asarray([0.5 * np.einsum("kc,cd,kd->k", d, j, d) for j in prepared.j])


def _part_powers(detector: Detector, pattern: Pattern) -> Floats:
    prepared = prepare(detector.model, detector.prior, pattern)
    mass = detector.directions.shifts[detector.directions.family <= 1, 0]
    return np.asarray(0.5 * (prepared.part_u**2).sum(axis=1)[:, None] * mass**2)


def test_weighings_alone_show_a_theft() -> None:
    readings = Readings(weighings=shifted(Family.LOSS, 0.06, 1).weighings)
    assert ln_e(readings) > LN_THRESHOLD


@pytest.mark.parametrize(
    "readings",
    [
        NOTHING,
        Readings(weighings=CASES["loss"].weighings[:1]),
        Readings(moistures=CASES["loss"].moistures),
        Readings(shots=CASES["loss"].shots[:1]),
        Readings(shots=CASES["loss"].shots[:1] * 3),
        Readings(assays=CASES["loss"].assays[1:]),
    ],
    ids=["nothing", "one_weighing", "moistures", "one_shot", "the_same_shot", "one_assay"],
)
def test_few_readings_of_an_honest_lot_are_no_alarm(readings: Readings) -> None:
    assert -0.5 < ln_e(readings) < 2.0


def test_what_is_not_on_the_way_or_no_measurement_is_left_out() -> None:
    honest = CASES["honest"]
    odd = replace(
        honest,
        weighings=(
            *honest.weighings,
            replace(honest.weighings[0], event_id="e1", net=0.0),
            replace(honest.weighings[0], event_id="e2", net=math.nan),
            replace(honest.weighings[0], event_id="e3", station="elsewhere"),
        ),
        moistures=(
            *honest.moistures,
            Moisture(event_id="e4", station="hub", fraction=1.0, u=0.002, laboratory="lab"),
            Moisture(event_id="e5", station="hub", fraction=math.nan, u=0.002, laboratory="lab"),
        ),
        shots=(
            *honest.shots,
            Shot(event_id="e6", station="hub", device="gun", fractions={"Cu": 0.0, "Au": 1.0}),
        ),
    )
    detector = Detector(a_model())
    judged = detector.judge(odd)
    assert judged.ln_e == detector.judge(honest).ln_e
    assert sorted(judged.layout.left_out) == ["e1", "e2", "e3", "e4", "e5", "e6"]


def test_an_analyte_below_detection_on_one_shot_is_left_out_of_the_series() -> None:
    honest = CASES["honest"]
    first = honest.shots[0]
    blind = replace(first, fractions={**first.fractions, "Ni": 0.0})
    layout = Detector(a_model()).layout(replace(honest, shots=(blind, *honest.shots[1:])))
    series = next(rows for rows in layout.pattern if isinstance(rows, ShotRows))
    assert series.analytes == (0, 1, 2)
    assert np.isfinite(layout.values).all()


@pytest.mark.parametrize(("known", "u"), [(None, 0.01), (0.001, 0.0141), (0.02, 0.01)])
def test_what_a_laboratory_states_beyond_what_is_known_of_it_is_scatter(
    known: float | None, u: float
) -> None:
    """Of 1.41 % half is taken for its own where nothing is known; its own known, all is scatter."""
    errors = (
        {}
        if known is None
        else dict.fromkeys((("lab", "Cu"), ("lab", "moisture")), Known(0.0, known))
    )
    paper = replace(
        CASES["honest"].assays[0], fractions={"Cu": 0.03}, u_rel_default=0.01, laboratory_u_rel=0.01
    )
    oven = Moisture(
        event_id="m", station="mine", fraction=0.0, u=0.01, laboratory="lab", laboratory_u=0.01
    )
    model = a_model(errors=errors)
    of_oven, of_paper = Detector(model).layout(Readings(moistures=(oven,), assays=(paper,))).pattern
    assert isinstance(of_oven, MoistureRow)
    assert isinstance(of_paper, AssayRows)
    assert (of_oven.u, *of_paper.u) == (snapped(u), snapped(u))


def test_zero_moisture_is_a_moisture() -> None:
    dry = Moisture(event_id="m", station="mine", fraction=0.0, u=0.002, laboratory="oven")
    assert Detector(a_model()).layout(Readings(moistures=(dry,))).values.tolist() == [0.0]


def test_an_unknown_instrument_is_believed_less() -> None:
    lot = foreign(0.3, 2)
    strange = replace(lot, assays=(), shots=tuple(replace(s, device="new") for s in lot.shots[5:]))
    known = replace(lot, assays=(), shots=lot.shots[5:])
    assert ln_e(strange) < ln_e(known)


def test_a_bad_shot_is_no_alarm_at_any_moment() -> None:
    """The first shot of a series misreads by half, up and down; the others come one by one."""
    honest = CASES["honest"]
    detector = Detector(a_model())
    before = replace(honest, weighings=(), shots=honest.shots[:3], assays=honest.assays[:1])
    first = honest.shots[3]
    factors = (0.6, 1.6, 0.5, 1.8)
    fractions = {a: first.fractions[a] * by for a, by in zip(ANALYTES, factors, strict=True)}
    bad = replace(first, fractions=fractions)
    alone = detector.judge(replace(before, shots=(*before.shots, bad)))
    both = detector.judge(replace(before, shots=(*before.shots, bad, honest.shots[4])))
    assert alone.ln_e < 2.0
    assert both.ln_e < 2.0
    assert [(g.event_id, g.dropped.why) for g in both.layout.gated] == [("x10", Why.FURTHER)]


def test_the_example_of_the_page_comes_out() -> None:
    """docs/detection/mixture.md, by pocket calculator."""
    model = a_model(stations=("mine", "hub"), legs=(Leg(-0.001, 0.0015, 0.0, 0.0015),), errors={})
    sent = Weighing(event_id="1", station="mine", net=30_000.0, u_rel=0.001, scale="A")
    got = replace(sent, event_id="2", station="hub", net=30_000.0 * 0.985 * 0.999, scale="B")
    found = explained(Detector(model), Readings(weighings=(sent, got)))
    assert found is not None
    assert found.ln_e == pytest.approx(13.6, abs=0.5)
    assert found.ln_lr == pytest.approx(17.4, abs=0.4)
    assert found.size == pytest.approx(0.015, abs=0.001)
    assert found.size_u == pytest.approx(0.00255, abs=0.0002)


def test_the_spread_of_both_sites_is_in_what_names_foreign_material() -> None:
    """By whole densities; s = x b / ((1 - x) a + x b) and Q = s s' (both covariances)."""
    model = a_model()
    model = replace(model, errors={**model.errors, ("lab", "moisture"): Known(0.001, 1e-5)})
    detector, other = Detector(model), sites()[1]
    layout = detector.layout(CASES["foreign"])
    prepared = prepare(model, detector.prior, layout.pattern)
    number = [onset.stations for onset in prepared.onsets].index((1,))
    u = prepared.u[number][:, 3:]
    z = prepared.inverse @ (layout.values - prepared.mean)
    material = materials(detector, at_origin=False).of([0])
    there = 0.2 * np.exp(other.mean - sites()[0].mean)
    part = there / (0.8 + there)
    spread = np.outer(part, part) * (other.covariance + sites()[0].covariance * (1 + 1 / 50))
    change = np.log(0.8 + there)
    expected = Dense(model, CASES["foreign"]).ln_lr_spread(1, change, spread)
    found = ln_lr(material, np.array([[0.2]]), seen(u, z))
    assert found[0, 0] == pytest.approx(expected, abs=2e-3)


def a_swap(seed: int) -> tuple[bool, float]:
    """Judge a swap from one of two mines that resemble each other, of a share that is drawn.

    Returns:
        Whether the right one is named, and the probability said of the one that is.
    """
    rng, own = Random(seed), sites()[0]
    away = 1.5 * (sites()[1].mean - own.mean)
    covariance = 0.05**2 * (0.3 + 0.7 * np.eye(4))
    alike = [
        replace(own, site_id=name, mean=own.mean + by * away, covariance=covariance)
        for name, by in (("A", 1.0), ("B", 1.12))
    ]
    size, true = math.exp(rng.uniform(math.log(0.1), math.log(0.6))), rng.choice(alike)
    drawn = np.linalg.cholesky(covariance) @ [rng.gauss(0, 1) for _ in ANALYTES]
    ratio = true.mean + drawn - own.mean
    shift = lot_families.foreign_shift(ratio, np.array([size]))[0]
    model = replace(a_model(), library=(own, *alike))
    found = explained(Detector(model), an_honest_lot(seed, shift.tolist(), 1))
    assert found is not None
    by_site = found.sites()
    assert found.named.family is Family.FOREIGN
    assert found.named.site is not None
    return found.named.site == true.site_id, by_site[found.named.site]


def test_of_mines_that_resemble_each_other_none_is_named_surer_than_it_is_right() -> None:
    """A grid of twelve sizes named the mine whose share lay nearer to a point of it."""
    said = [a_swap(seed) for seed in range(120)]
    assert all(right for right, p in said if p > 0.9)
    right, expected = sum(one for one, _ in said), sum(p for _, p in said)
    spread = math.sqrt(sum(p * (1.0 - p) for _, p in said))
    assert abs(right - expected) <= 2.5 * spread


def test_sizes_between_the_points_of_the_grid_are_as_likely_as_those_on_it() -> None:
    """Of a size known to 0.2 % of itself: by a grid finer than that, whatever the size."""
    for true in np.geomspace(0.05, 0.5, 7):

        def ln_lr_at(sizes: Floats, about: float = float(true)) -> Floats:
            return np.asarray(-0.5 * (np.log(sizes / about) / 0.002) ** 2)

        sizes = refined(ln_lr_at, 1, 0.6)
        share = sizes.ln_sum(sizes.shares())[0]
        exact = math.log(0.002 * math.sqrt(2.0 * math.pi) / math.log(600.0))
        assert share == pytest.approx(exact, abs=0.03)
        assert sizes.mean()[0] == pytest.approx(true, rel=5e-4)
        assert sizes.shares((0.01, 0.07)).sum() == pytest.approx(1.0)
