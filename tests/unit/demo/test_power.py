"""The demo's own sizes, against hand calculation and the exact distributions."""

import math

import pytest
from scipy import special  # type: ignore[import-untyped]

from demo.power import (
    LEVEL,
    Station,
    detectable_share,
    detectable_theft_kg,
    distance,
    mixed,
    needed_for_change,
    needed_for_waste,
    net_u_kg,
    ratio_u,
    scale_limit_kg,
    z_threshold,
)

ORE = {"Cu": 0.004, "Ni": 0.001, "S": 0.009, "Fe": 0.1, "Co": 0.0001, "Zn": 0.0001}


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
    assert needed_for_waste() < needed_for_change(tuple(ORE))
    assert z_threshold(2) == pytest.approx(-special.ndtri(LEVEL / 2))


def test_the_detectable_share_is_where_the_distance_is_reached() -> None:
    u = ratio_u(ORE, 0.05, Station(4, assayed=True), Station(4, assayed=False))
    material = {a: 0.03 * f for a, f in ORE.items()}
    share = detectable_share(ORE, material, u, needed_for_waste())
    assert share is not None
    assert distance(ORE, mixed(ORE, material, share), u) == pytest.approx(needed_for_waste())


def test_an_assay_at_the_receiver_lowers_what_can_be_seen() -> None:
    without = ratio_u(ORE, 0.05, Station(4, assayed=True), Station(4, assayed=False))
    with_one = ratio_u(ORE, 0.05, Station(4, assayed=True), Station(4, assayed=True))
    assert all(with_one[a] < without[a] for a in ORE)


def test_the_same_material_cannot_be_seen_at_all() -> None:
    u = ratio_u(ORE, 0.05, Station(4, assayed=True), Station(4, assayed=True))
    assert detectable_share(ORE, ORE, u, needed_for_waste()) is None
