import math

import pytest

from custody import metrology, oiml
from custody.estimate import said, sigma, total
from custody.events import Micros
from custody.lot_rows import Shots
from custody.metrology import Device, Laboratory
from custody.rows import Value, Weighed

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
LAB = Laboratory("LAB", 0.02, 0.005, 0.5)


TICKET = Weighed(
    movement="M",
    vehicle=None,
    purpose="dispatch",
    device="WB-1",
    gross=45_000_000,
    tare=15_000_000,
    net=30_000_000,
    stored_tare=False,
    u_random=None,
    u_systematic=None,
)


@pytest.mark.parametrize(
    ("product_class", "intervals", "mpe_intervals"),
    [
        ("II", 0, 1.0),
        ("II", 5_000, 1.0),
        ("II", 5_001, 2.0),
        ("II", 20_000, 2.0),
        ("II", 20_001, 3.0),
        ("II", 100_000, 3.0),
        ("III", 1, 1.0),
        ("III", 20, 1.0),
        ("III", 500, 1.0),
        ("III", 501, 2.0),
        ("III", 2_000, 2.0),
        ("III", 2_001, 3.0),
        ("III", 10_000, 3.0),
        ("IIII", 50, 1.0),
        ("IIII", 51, 2.0),
        ("IIII", 200, 2.0),
        ("IIII", 201, 3.0),
        ("IIII", 1_000, 3.0),
        ("I", 50_000, 1.0),
        ("I", 10_000_000, 3.0),
        ("no such class", 501, 2.0),
    ],
)
def test_permissible_error_in_service_is_twice_that_of_verification(
    product_class: str, intervals: int, mpe_intervals: float
) -> None:
    device = BRIDGE._replace(product_class=product_class)
    for load in (intervals, -intervals):
        found = metrology.mpe_in_service_g(load * device.interval_g, device)
        assert found == mpe_intervals * device.interval_g


def test_beyond_the_greatest_load_the_error_grows_with_the_load() -> None:
    """An interval typed in tonnes instead of kilograms must not make the best scale on earth."""
    assert metrology.mpe_in_service_g(200_000_000, BRIDGE) == 60_000
    assert metrology.mpe_in_service_g(400_000_000, BRIDGE) == 120_000
    typo = BRIDGE._replace(interval_g=20.0)
    assert metrology.mpe_in_service_g(45_000_000, typo) == pytest.approx(45_000_000 * 3 / 10_000)


@pytest.mark.parametrize(
    ("name", "initial_pct", "in_service_pct"),
    [
        ("0.2", 0.10, 0.20),
        ("0.5", 0.25, 0.50),
        ("1", 0.50, 1.00),
        ("2", 1.00, 2.00),
        ("5", 2.50, 5.00),
        ("10", 5.00, 10.00),
    ],
)
def test_classes_in_motion_and_of_belts_are_percentages(
    name: str, initial_pct: float, in_service_pct: float
) -> None:
    assert oiml.R134[name].initial * 100 == pytest.approx(initial_pct)
    assert oiml.R134[name].in_service * 100 == pytest.approx(in_service_pct)
    assert oiml.R50.get(name) == (None if name in {"5", "10"} else oiml.R134[name])
    for principle, classes in oiml.PERCENT.items():
        if name in classes:
            device = BRIDGE._replace(principle=principle, product_class=name)
            found = metrology.mpe_in_service_g(-45_000_000, device)
            assert found == pytest.approx(45_000_000 * in_service_pct / 100)


def test_in_motion_no_limit_is_below_two_intervals() -> None:
    device = BRIDGE._replace(principle="in_motion", product_class="0.2")
    assert metrology.mpe_in_service_g(15_000_000, device) == 40_000


@pytest.mark.parametrize("principle", ["in_motion", "belt"])
def test_a_percentage_the_norm_does_not_have_counts_as_the_default_class(principle: str) -> None:
    device = BRIDGE._replace(principle=principle, product_class="0.01")
    assert metrology.mpe_in_service_g(1e9, device) == pytest.approx(2e7)


def test_net_of_45_t_and_15_t_on_a_20_kg_bridge() -> None:
    """By pocket calculator: 60 and 40 kg permissible, two readings of 5.77 and 5 kg."""
    net = metrology.net_mass(TICKET, BRIDGE)
    limit_var = (60_000**2 + 40_000**2) / 3
    readings_var = 2 * (20_000**2 / 12 + 5_000**2)
    assert net.value == 30_000_000
    assert net.parts["WB-1"] == pytest.approx(math.sqrt(limit_var / 2))
    assert sigma(net) == pytest.approx(math.sqrt(limit_var + readings_var))
    assert sigma(net) == pytest.approx(43_012, abs=1)


def test_stored_tare_adds_its_own_spread_half_of_it_the_trucks() -> None:
    plain, stored = (
        metrology.net_mass(TICKET._replace(stored_tare=s, vehicle="T-7"), BRIDGE)
        for s in (False, True)
    )
    assert sigma(stored) ** 2 == pytest.approx(sigma(plain) ** 2 + 30_000**2)
    assert stored.parts["WB-1/tare/T-7"] == pytest.approx(30_000 / math.sqrt(2))


def test_a_truck_with_a_stored_tare_does_not_average_out_over_its_trips() -> None:
    trips = [TICKET._replace(stored_tare=True, vehicle="T-7")] * 100
    found = total([metrology.net_mass(trip, BRIDGE) for trip in trips])
    assert found.parts["WB-1/tare/T-7"] == pytest.approx(100 * 30_000 / math.sqrt(2))


def test_the_sender_knows_better_part_by_part() -> None:
    plain = metrology.net_mass(TICKET, BRIDGE)
    random, systematic, both = (
        metrology.net_mass(TICKET._replace(u_random=r, u_systematic=s), BRIDGE)
        for r, s in ((9_000, None), (None, 7_000), (9_000, 7_000))
    )
    assert (random.var, random.parts) == (9_000.0**2, plain.parts)
    assert (systematic.var, systematic.parts) == (plain.var, {"WB-1": 7_000.0})
    assert (both.var, both.parts) == (9_000.0**2, {"WB-1": 7_000.0})


def test_who_states_a_random_u_has_thought_of_the_stored_tare() -> None:
    ticket = TICKET._replace(u_random=9_000, stored_tare=True)
    assert metrology.net_mass(ticket, BRIDGE).var == 9_000.0**2


def test_a_stated_zero_is_no_statement() -> None:
    ticket = TICKET._replace(u_random=0, u_systematic=0)
    assert metrology.net_mass(ticket, BRIDGE) == metrology.net_mass(TICKET, BRIDGE)
    assert metrology.dryness(0.08, 0.0, LAB) == metrology.dryness(0.08, None, LAB)
    values = [Value(0.025, u, dry=True) for u in (0.0, None)]
    zero, none = (metrology.assay_grade("Cu", value, LAB) for value in values)
    assert zero == none


def test_nobody_is_believed_to_be_perfect() -> None:
    perfect = BRIDGE._replace(repeatability_g=0.0, interval_g=0.001, systematic_rel=0.0)
    net = metrology.net_mass(TICKET._replace(u_random=1, u_systematic=1), perfect)
    assert (net.var, net.parts) == (300.0**2, {"WB-1": 300.0})
    assert sigma(metrology.dryness(0.5, 1e-9, LAB)) == pytest.approx(0.0003 / 0.5)
    grade = metrology.assay_grade("Cu", Value(0.025, 1e-12, dry=True), LAB._replace(u_rel=0.0))
    assert sigma(grade) == pytest.approx(1e-4)


def test_no_ticket_is_better_than_its_rounding() -> None:
    device = BRIDGE._replace(interval_known=True)
    net = metrology.net_mass(TICKET._replace(u_random=500), device)
    assert math.sqrt(net.var) == pytest.approx(20_000 / math.sqrt(12) * math.sqrt(2))


def test_a_calibrated_span_replaces_the_share() -> None:
    net = metrology.net_mass(TICKET, BRIDGE._replace(systematic_rel=0.0003))
    assert net.parts == {"WB-1": pytest.approx(9_000)}


def test_in_motion_gross_and_tare_have_a_percentage_each() -> None:
    device = BRIDGE._replace(principle="in_motion", product_class="1")
    limit_var = (450_000**2 + 150_000**2) / 3
    readings_var = 2 * (20_000**2 / 12 + 5_000**2)
    found = sigma(metrology.net_mass(TICKET, device))
    assert found == pytest.approx(math.sqrt(limit_var + readings_var))


def test_a_belt_has_a_percentage_of_what_went_over_it() -> None:
    device = BRIDGE._replace(principle="belt", product_class="0.5")
    ticket = TICKET._replace(gross=None, tare=None, net=1_000_000_000)
    assert sigma(metrology.net_mass(ticket, device)) == pytest.approx(5e6 / math.sqrt(3), rel=1e-4)


def test_a_volume_times_a_density_is_known_as_well_as_both() -> None:
    device = BRIDGE._replace(principle="volumetric", volume_u_rel=0.02, density_u_rel=0.04)
    net = metrology.net_mass(TICKET._replace(gross=None, tare=None), device)
    assert sigma(net) / net.value == pytest.approx(math.hypot(0.02, 0.04))
    assert net.parts["WB-1"] / net.value == pytest.approx(math.sqrt(0.02**2 / 2 + 0.04**2))
    known = device._replace(systematic_rel=0.01)
    assert metrology.net_mass(TICKET, known).parts == {"WB-1": pytest.approx(300_000)}


@pytest.mark.parametrize("principle", ["non_automatic", "in_motion", "belt", "volumetric"])
@pytest.mark.parametrize("known", [None, 1e-6, 0.0005, 0.05])
def test_out_of_calibration_every_part_that_was_vouched_for_is_wider(
    principle: str, known: float | None
) -> None:
    device = BRIDGE._replace(principle=principle, systematic_rel=known)
    inside = metrology.net_mass(TICKET, device)
    outside = metrology.net_mass(TICKET, metrology.out_of_calibration(device))
    assert outside.parts["WB-1"] >= 2 * inside.parts["WB-1"] * (1 - 1e-12)
    assert outside.var > inside.var


def test_an_expired_calibration_is_not_believed_beyond_the_class() -> None:
    calibrated = BRIDGE._replace(systematic_rel=1e-6)
    by_class = metrology.net_mass(TICKET, BRIDGE).parts["WB-1"]
    found = metrology.net_mass(TICKET, metrology.out_of_calibration(calibrated))
    assert found.parts["WB-1"] == pytest.approx(2 * by_class)


def test_a_stated_systematic_u_rests_on_the_calibration_too() -> None:
    ticket = TICKET._replace(u_random=9_000, u_systematic=7_000)
    net = metrology.net_mass(ticket, metrology.out_of_calibration(BRIDGE))
    assert (net.var, net.parts) == (9_000.0**2, {"WB-1": 14_000.0})


def test_no_id_makes_a_shared_error_look_like_the_lots_own() -> None:
    """A source that begins with the mark of the lot's own would average out over lots."""
    net = metrology.net_mass(TICKET, BRIDGE._replace(device_id="~WB"))
    dry = metrology.dryness(0.08, None, LAB._replace(lab_id="~LAB"))
    grade = metrology.assay_grade("Cu", Value(0.02, None, dry=True), LAB._replace(lab_id="~LAB"))
    assert [p.source for p in said(net)[1]] == ["id:~WB"]
    assert [p.source for p in said(dry)[1]] == ["id:~LAB/moisture"]
    assert [p.source for p in said(grade)[1]] == ["id:~LAB/Cu"]


def test_dryness_and_grade_split_a_certificate_by_the_share_of_its_laboratory() -> None:
    dry = metrology.dryness(0.08, 0.0025, LAB)
    assert dry.value == pytest.approx(0.92)
    assert sigma(dry) == pytest.approx(0.0025 / 0.92)
    grade = metrology.assay_grade("Cu", Value(0.025, 0.0002, dry=True), LAB)
    assert sigma(grade) == pytest.approx(0.008)
    assert grade.parts == {"LAB/Cu": pytest.approx(0.008 / math.sqrt(2))}


def test_shots_average_counting_and_heterogeneity_but_not_bias() -> None:
    shots = Shots(
        site="S",
        device="X",
        dry=True,
        event_id="e",
        at=Micros(0),
        known=Micros(0),
        taken=4,
        sums={"Cu": (4, 100_000_000, 4 * 500_000.0**2)},
    )
    grade = metrology.scan_grade("Cu", shots, BRIDGE)
    assert grade is not None
    assert grade.value == pytest.approx(0.025)
    assert grade.var == pytest.approx((0.0005 / 0.025) ** 2 / 4 + 0.05**2 / 4)
    assert grade.parts == {"WB-1/Cu": 0.03}
