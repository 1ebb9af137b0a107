"""The lot everyone can check with a pocket calculator."""

import math

import pytest

from custody.records import Part
from tests.support.facts import Maker
from tests.support.world import World, amounts


def told() -> World:
    maker, world = Maker(), World()
    world.tell(
        maker.lot("MINE", 0, {"Cu": 0.024}),
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.assay("MINE", 600, {"Cu": (0.025, 0.0002)}, (0.08, 0.0025)),
    )
    return world


def combined(u_random: float, parts: tuple[Part, ...]) -> float:
    return math.sqrt(u_random**2 + sum(part.u**2 for part in parts))


def test_27_600_t_dry_and_690_kg_copper() -> None:
    """45.00 - 15.00 = 30.00 t; x (1 - 0.08) = 27.600 t; x 2.5 % = 690.0 kg."""
    balance = told().balances["lot/L-1/MINE"]
    assert balance.mass_wet_g == 30_000_000
    assert balance.mass_dry_g == 27_600_000
    assert [(m.analyte, m.value_mg) for m in balance.metals] == [("Cu", 690_000_000)]


def test_sigma_of_a_pocket_calculator() -> None:
    """Wet: 60 and 40 kg permissible in service, /sqrt 3; two readings 20/sqrt 12 and 5 kg.

    u(wet) = sqrt((60^2 + 40^2)/3 + 2 (5.774^2 + 5^2)) = sqrt(1733.3 + 116.7) = 43.01 kg
    u(dry)/dry = sqrt((43.01/30000)^2 + (0.25/92)^2) = 0.3073 %  ->  84.8 kg
    u(Cu)/Cu = sqrt(0.3073 %^2 + (0.02/2.5)^2) = 0.8570 %  ->  5.913 kg
    """
    balance = told().balances["lot/L-1/MINE"]
    wet = combined(balance.mass_wet_u_random_g, balance.mass_wet_u_systematic_g)
    dry = combined(balance.mass_dry_u_random_g, balance.mass_dry_u_systematic_g)
    metal = balance.metals[0]
    copper = combined(metal.u_random_mg, metal.u_systematic_mg)
    assert wet == pytest.approx(43_012, rel=1e-4)
    assert dry == pytest.approx(84_799, rel=1e-4)
    assert copper == pytest.approx(5_913_200, rel=1e-4)


def test_the_systematic_parts_are_those_of_the_bridge_and_the_laboratory() -> None:
    """Half of 1733.3 kg2 is the bridge's; half of each certificate variance the laboratory's."""
    balance = told().balances["lot/L-1/MINE"]
    parts = {part.source: part.u for part in balance.metals[0].u_systematic_mg}
    assert parts == {
        "WB-MINE": pytest.approx(690e6 * math.sqrt(1733.33 / 2) / 30_000, rel=1e-4),
        "LAB-MINE/moisture": pytest.approx(690e6 * 0.0025 / 0.92 / math.sqrt(2), rel=1e-9),
        "LAB-MINE/Cu": pytest.approx(690e6 * 0.008 / math.sqrt(2), rel=1e-9),
    }


def test_the_balance_is_the_sum_of_its_transfers() -> None:
    world = told()
    assert world.sums()["lot/L-1/MINE"] == amounts(world.balances["lot/L-1/MINE"])


def test_the_certificate_is_a_measurement_against_unaccounted() -> None:
    """First 30 t at the default moisture of ore (5 %) and the declared 2.4 % copper."""
    first, second = told().transfers
    assert (first.kind, first.debit, first.mass_dry_g) == (
        "first_weighing",
        "origin/MINE",
        28_500_000,
    )
    assert (second.kind, second.debit) == ("measurement", "unaccounted/L-1")
    assert second.mass_wet_g == 0
    assert second.mass_dry_g == -900_000
    assert second.metals[0].value_mg == 690_000_000 - 684_000_000


def test_a_lot_nobody_weighed_holds_nothing() -> None:
    world = World()
    world.tell(Maker().lot("MINE", 0, {"Cu": 0.024}))
    balance = world.balances["lot/L-1/MINE"]
    assert (balance.status, balance.mass_wet_g, world.transfers) == ("declared", 0, [])
