import math

import pytest

from custody import metrology
from custody.estimate import sigma
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
        ("III", 500, 1.0),
        ("III", 501, 2.0),
        ("III", 2_000, 2.0),
        ("III", 2_001, 3.0),
        ("III", 20_000, 3.0),
        ("II", 5_000, 1.0),
        ("II", 20_001, 3.0),
        ("IIII", 50, 1.0),
        ("IIII", 51, 2.0),
        ("IIII", 201, 3.0),
    ],
)
def test_permissible_error_in_service_is_twice_that_of_verification(
    product_class: str, intervals: int, mpe_intervals: float
) -> None:
    device = BRIDGE._replace(product_class=product_class)
    found = metrology.mpe_in_service_g(intervals * device.interval_g, device)
    assert found == mpe_intervals * device.interval_g


def test_net_of_45_t_and_15_t_on_a_20_kg_bridge() -> None:
    """By pocket calculator: 60 and 40 kg permissible, two readings of 5.77 and 5 kg."""
    net = metrology.net_mass(TICKET, BRIDGE)
    limit_var = (60_000**2 + 40_000**2) / 3
    readings_var = 2 * (20_000**2 / 12 + 5_000**2)
    assert net.value == 30_000_000
    assert net.parts["WB-1"] == pytest.approx(math.sqrt(limit_var / 2))
    assert sigma(net) == pytest.approx(math.sqrt(limit_var + readings_var))
    assert sigma(net) == pytest.approx(43_012, abs=1)


def test_stored_tare_adds_its_own_spread() -> None:
    plain, stored = (
        metrology.net_mass(TICKET._replace(stored_tare=s), BRIDGE) for s in (False, True)
    )
    assert stored.var == pytest.approx(plain.var + 30_000**2)


def test_the_sender_knows_better() -> None:
    net = metrology.net_mass(TICKET._replace(u_random=10, u_systematic=20), BRIDGE)
    assert (net.var, net.parts) == (100.0, {"WB-1": 20.0})


def test_a_calibrated_span_replaces_the_share() -> None:
    net = metrology.net_mass(TICKET, BRIDGE._replace(systematic_rel=0.0003))
    assert net.parts == {"WB-1": pytest.approx(9_000)}


def test_in_motion_scale_has_a_percentage() -> None:
    device = BRIDGE._replace(principle="in_motion", product_class="1")
    assert sigma(metrology.net_mass(TICKET, device)) == pytest.approx(300_000 / math.sqrt(3))


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
