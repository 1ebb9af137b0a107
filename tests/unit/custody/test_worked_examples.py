"""Examples with published figures, and those of the documents: each number is computed here.

Sources: OIML R 76-1:2006 table 6; Wills' Mineral Processing Technology, chapter 3, for the
two-product formula; a lead-zinc plant of three products as textbooks have it.
"""

import math
from pathlib import Path

import pytest

from custody import metrology, oiml
from custody.estimate import Estimate, relative, said, sigma, times, total
from custody.metrology import Device, Laboratory
from custody.recovery import Grade, separation
from custody.rows import Value, Weighed
from tests.support import tree

BRIDGE = Device(
    device_id="WB-1",
    principle="non_automatic",
    product_class="III",
    interval_g=20_000.0,
    repeatability_g=5_000.0,
    systematic_share=0.5,
    systematic_rel=None,
    heterogeneity_rel=0.05,
    bias_rel=0.03,
    default=False,
)
TICKET = Weighed(
    movement="M",
    vehicle="T-1",
    purpose="dispatch",
    device="WB-1",
    gross=45_000_000,
    tare=15_000_000,
    net=30_000_000,
    stored_tare=False,
    u_random=None,
    u_systematic=None,
)
LAB = Laboratory("LAB", 0.02, 0.005, 0.5)
KG = 1000.0


@pytest.mark.parametrize(
    ("load_kg", "intervals", "initial_kg", "in_service_kg"),
    [(45_000, 2_250, 30, 60), (15_000, 750, 20, 40)],
)
def test_a_60_t_bridge_of_class_iii_with_20_kg_intervals(
    load_kg: float, intervals: float, initial_kg: float, in_service_kg: float
) -> None:
    assert load_kg * KG / BRIDGE.interval_g == intervals
    in_service = metrology.mpe_in_service_g(load_kg * KG, BRIDGE)
    assert in_service == in_service_kg * KG
    assert in_service / oiml.IN_SERVICE == initial_kg * KG


def test_net_by_permissible_errors_alone_is_known_to_42_kg_of_30_t() -> None:
    """sqrt(60^2 + 40^2) / sqrt 3 = 41.63 kg, 0.14 %: the interval and the display left out."""
    limits = [metrology.mpe_in_service_g(load * KG, BRIDGE) for load in (45_000, 15_000)]
    assert math.hypot(*limits) / math.sqrt(3) == pytest.approx(41_633, abs=1)
    quiet = BRIDGE._replace(repeatability_g=0.0)
    rounding_var = 2 * 20_000**2 / 12
    net = metrology.net_mass(TICKET, quiet)
    by_limits = math.sqrt(sigma(net) ** 2 - rounding_var)
    assert by_limits == pytest.approx(41_633, abs=1)
    assert by_limits / net.value == pytest.approx(0.0014, abs=5e-5)


def test_two_products_by_the_formulas_of_every_plant() -> None:
    """Feed 2.5 %, concentrate 28 %, tailings 0.2 % Cu: C/F = 8.273 %, R = 92.66 %."""
    f, c, t = 2.5, 28.0, 0.2
    found = separation([Grade(f, 0.0)], [[Grade(c, 0.0)], [Grade(t, 0.0)]])
    assert found.yields[0] == pytest.approx((f - t) / (c - t))
    assert 100 * found.recoveries[0][0] == pytest.approx(100 * c * (f - t) / (f * (c - t)))
    assert found.yields[0] == pytest.approx(0.08273, abs=5e-6)
    assert found.recoveries[0][0] == pytest.approx(0.9266, abs=5e-5)


def test_the_uncertainty_of_two_products_by_hand() -> None:
    """dR by f, c and t: R t / (f (f - t)), R t / (c (c - t)), R (c - f) / ((f - t) (c - t))."""
    f, c, t = 2.5, 28.0, 0.2
    u = (0.025, 0.14, 0.006)
    found = separation([Grade(f, u[0])], [[Grade(c, u[1])], [Grade(t, u[2])]])
    r = c * (f - t) / (f * (c - t))
    slopes = (r * t / (f * (f - t)), r * t / (c * (c - t)), r * (c - f) / ((f - t) * (c - t)))
    by_hand = math.hypot(*[slope * one for slope, one in zip(slopes, u, strict=True)])
    assert found.recoveries_u[0][0] == pytest.approx(by_hand)
    assert found.recoveries_u[0][0] == pytest.approx(0.00236, abs=5e-6)


def lead_zinc(u_rel: float) -> tuple[list[Grade], list[list[Grade]]]:
    """Lead and zinc, percent: feed; lead concentrate, zinc concentrate, tailings."""
    rows = ((3.0, 6.0), (50.0, 8.0), (2.0, 55.0), (0.2, 0.5))
    feed, *products = [[Grade(value, u_rel * value) for value in row] for row in rows]
    return feed, products


def test_three_products_of_a_lead_zinc_plant() -> None:
    found = separation(*lead_zinc(0.0))
    assert found.yields == pytest.approx((0.05284, 0.09365, 0.85351), abs=5e-6)
    assert found.recoveries[0][0] == pytest.approx(0.8807, abs=5e-5)
    assert found.recoveries[1][1] == pytest.approx(0.8584, abs=5e-5)


def document() -> str:
    return " ".join(tree.text(Path("docs/uncertainty.md")).split())


def is_written(*figures: str) -> None:
    missing = [figure for figure in figures if figure not in document()]
    assert not missing


def test_the_lot_of_the_document_is_computed_as_it_says() -> None:
    wet = metrology.net_mass(TICKET, BRIDGE)
    dry = times(relative(wet), metrology.dryness(0.08, 0.0025, LAB))
    metal = times(dry, metrology.assay_grade("Cu", Value(0.025, 0.0002, dry=True), LAB))
    metal_kg = metal.value / KG
    is_written(
        f"u(wet) = {sigma(wet) / KG:.1f} kg",
        f"{wet.parts['WB-1'] / KG:.1f} kg is the bridge's own",
        f"u(dry) = {sigma(dry) * dry.value / KG:.1f} kg",
        f"u(Cu) = {sigma(metal) * metal_kg:.2f} kg",
        f"{metal_kg:.1f} kg Cu",
    )


def test_the_hundred_lots_of_the_document_are_computed_as_it_says() -> None:
    wet = metrology.net_mass(TICKET, BRIDGE)
    hundred = total([wet] * 100)
    u_random, parts = said(hundred)
    assert [part.source for part in parts] == ["WB-1"]
    averaged = sigma(wet) * math.sqrt(100)
    is_written(
        f"random part {u_random / KG:,.0f} kg",
        f"bridge {parts[0].u / KG:,.0f} kg",
        f"u = {sigma(hundred) / KG:,.0f} kg",
        f"not {averaged / KG:,.0f} kg",
    )


def test_the_other_scales_of_the_document_are_computed_as_it_says() -> None:
    scales = {
        "in motion, class 1": (BRIDGE._replace(principle="in_motion", product_class="1"), TICKET),
        "stored tare": (BRIDGE, TICKET._replace(stored_tare=True)),
        "out of calibration": (metrology.out_of_calibration(BRIDGE), TICKET),
        "belt, class 0.5": (BRIDGE._replace(principle="belt", product_class="0.5"), TICKET),
        "volume times density": (BRIDGE._replace(principle="volumetric"), TICKET),
        "class III, e = 20 kg": (BRIDGE, TICKET),
    }
    for name, (device, ticket) in scales.items():
        net = metrology.net_mass(ticket, device)
        shared = Estimate(0.0, 0.0, net.parts)
        row = f"| {name} | {sigma(net) / KG:,.1f} kg | {sigma(shared) / KG:,.1f} kg |"
        is_written(row)


def test_the_recoveries_of_the_document_are_computed_as_it_says() -> None:
    found = separation(*lead_zinc(0.01))
    names = ("lead concentrate", "zinc concentrate", "tailings")
    for no, name in enumerate(names):
        cells = [(found.yields[no], found.yields_u[no])]
        cells += zip(found.recoveries[no], found.recoveries_u[no], strict=True)
        row = " | ".join(f"{100 * value:.2f} ± {100 * u:.2f}" for value, u in cells)
        is_written(f"| {name} | {row} |")


def test_the_tables_of_the_document_are_those_of_the_code() -> None:
    for name, limit in oiml.R134.items():
        belt = "yes" if name in oiml.R50 else "-"
        is_written(
            f"| {name} | {100 * limit.initial:.2f} | {100 * limit.in_service:.2f} | {belt} |"
        )
    for column in range(3):
        loads = [oiml.R76[c][column][0] for c in ("II", "III", "IIII")]
        error = oiml.R76["III"][column][1]
        cells = " | ".join(f"{load:,.0f}" for load in loads)
        is_written(f"| {cells} | {error:g} e | {oiml.IN_SERVICE * error:g} e |")
