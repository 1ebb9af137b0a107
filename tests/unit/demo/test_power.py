"""The demo's own sizes, against hand calculation and the exact distributions."""

import math
from collections.abc import Mapping

import pytest
from scipy import special  # type: ignore[import-untyped]

from demo.fingerprints import fingerprints
from demo.plant import MINE_DUN
from demo.power import (
    LEVEL,
    Doubt,
    Station,
    detectable_share,
    detectable_theft_kg,
    detectable_water,
    difference_u,
    distance,
    mixed,
    needed_for_change,
    needed_for_direction,
    net_u_kg,
    scale_limit_kg,
    standing_out,
    station_u,
    z_threshold,
)

ORE = {"Cu": 0.004, "Ni": 0.001, "S": 0.009, "Fe": 0.1, "Co": 0.0001, "Zn": 0.0001}
BARREN = {a: 0.03 * f for a, f in ORE.items()}
SHOTS, ASSAYED = Station(4, assayed=False), Station(4, assayed=True)


def test_a_bridge_of_class_three_may_err_sixty_kilograms_at_forty_five_tonnes() -> None:
    assert scale_limit_kg(45_000) == 60.0
    assert scale_limit_kg(15_000) == 40.0


def test_net_of_thirty_tonnes_is_known_to_forty_two_kilograms() -> None:
    expected = math.hypot(60 / math.sqrt(3), 40 / math.sqrt(3), *[20 / math.sqrt(12)] * 2)
    assert net_u_kg(45_000, 15_000, stored_tare=False) == pytest.approx(expected)
    assert net_u_kg(45_000, 15_000, stored_tare=True) > expected


def test_the_more_trucks_a_lot_has_the_more_must_be_stolen_from_one() -> None:
    few = detectable_theft_kg(45_000, 15_000, stored_tare=False, trucks=1)
    many = detectable_theft_kg(45_000, 15_000, stored_tare=False, trucks=33)
    assert 250 < few < many < 400


@pytest.mark.parametrize("count", [3, 4, 6, 12])
def test_the_distance_for_any_change_is_near_the_exact_one(count: int) -> None:
    quantile = special.chdtri(count, LEVEL / 2)
    exact = math.sqrt(special.chndtrinc(quantile, count, 0.1))
    assert needed_for_change("x" * count) == pytest.approx(exact, rel=0.03)


def test_knowing_the_direction_needs_less() -> None:
    assert needed_for_direction() < needed_for_change(ORE)
    assert z_threshold(2) == pytest.approx(-special.ndtri(LEVEL / 2))


def test_water_is_known_by_two_ovens() -> None:
    """Each knows a dry share of 0.95 to 0.002: 4.76 x 0.00298 = 1.41 %."""
    u = math.hypot(0.002 / 0.95, 0.002 / 0.95, 0.00015)
    assert detectable_water(0.05) == pytest.approx(1 - math.exp(-needed_for_direction() * u))
    assert 0.0135 < detectable_water(0.05) < 0.0145


def test_the_detectable_share_is_where_the_distance_is_reached() -> None:
    doubt = difference_u(ORE, 0.05, ASSAYED, SHOTS)

    def seen(before: Mapping[str, float], after: Mapping[str, float]) -> float:
        return distance(before, after, doubt)

    share = detectable_share(ORE, BARREN, seen, needed_for_direction())
    assert share is not None
    reached = distance(ORE, mixed(ORE, BARREN, share), doubt)
    assert reached == pytest.approx(needed_for_direction())
    assert detectable_share(ORE, ORE, seen, needed_for_direction()) is None


def test_an_assay_at_the_receiver_lowers_what_can_be_seen() -> None:
    without, with_one = (difference_u(ORE, 0.05, ASSAYED, end) for end in (SHOTS, ASSAYED))
    assert all(with_one.u[a] < without.u[a] for a in ORE)
    assert with_one.common < without.common


def test_what_a_series_shares_hides_a_fall_of_all_and_not_a_fall_of_one() -> None:
    """Of n analytes falling alike the mean is known to sqrt(u^2 / n + common^2)."""
    apart, alike = Doubt(dict.fromkeys(ORE, 0.02), 0.0), Doubt(dict.fromkeys(ORE, 0.02), 0.03)
    fallen = {a: f * 0.9 for a, f in ORE.items()}
    seen = -math.log(0.9) / math.hypot(0.02 / math.sqrt(len(ORE)), 0.03)
    assert distance(ORE, fallen, alike) == pytest.approx(seen)
    assert distance(ORE, fallen, apart) > 3 * seen
    assert distance(ORE, fallen, alike.of_differences()) == pytest.approx(0.0, abs=1e-6)
    one = {**ORE, "Zn": ORE["Zn"] * 0.9}
    assert distance(ORE, one, alike) > 0.9 * distance(ORE, one, apart)


def test_a_blend_stands_out_of_its_mine_by_what_its_lots_do_not_do() -> None:
    own = fingerprints()[MINE_DUN]
    doubt = station_u(ORE, 0.05, ASSAYED)
    zinc = own.analytes.index("Zn")
    deviation = math.sqrt(own.covariance[zinc, zinc])
    more = {**ORE, "Zn": ORE["Zn"] * math.exp(deviation)}
    # One deviation of zinc alone; its correlations with the others are weak.
    assert standing_out(ORE, more, own, doubt) == pytest.approx(1.0, abs=0.05)
    assert standing_out(ORE, ORE, own, doubt) == 0.0
