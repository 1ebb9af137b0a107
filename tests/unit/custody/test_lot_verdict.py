"""What the core says of a lot: one alert and its evidence."""

import math
from random import Random

import pytest

from custody.events import LotAssayed, LotDeclared, LotScanned
from tests.support.facts import Maker
from tests.support.measured_lots import A_GOOD_ROAD, ANALYTES, haul, hauled, lot, mixed, suspicions
from tests.support.recomputed import line_of
from tests.support.world import World
from tests.unit.custody.test_recomputed import agrees


def test_honest_lots_are_silent() -> None:
    alarms = 0
    for seed in range(40):
        ore = lot(Random(seed))
        alarms += len(suspicions(hauled(seed, at_origin=ore, at_port=ore)))
    assert alarms == 0


@pytest.mark.parametrize(
    "moistures", [(0.08, 0.0), (0.0, 0.08), (0.0, 0.0), (0.08, 0.008)], ids=str
)
def test_a_moisture_of_nothing_or_a_slip_towards_dry_is_no_gain_and_no_water(
    moistures: tuple[float, float],
) -> None:
    """The scales agree and the ore is the same: what is off is a figure on a certificate.

    A road of which it is known that loads dry by 0.1 % took a part of 8 % for drying, and the mass
    that was then too great by that for a gain of 0.8 %, E = 10^5.
    """
    for seed in range(3):
        ore = lot(Random(seed))
        world = hauled(seed, at_origin=ore, at_port=ore, moistures=moistures, known=A_GOOD_ROAD)
        assert not suspicions(world)


def test_a_moisture_above_the_one_before_is_water() -> None:
    """Twice what it was, and the truck weighs the same."""
    ore = lot(Random(1))
    [alert] = suspicions(hauled(1, at_origin=ore, at_port=ore, moistures=(0.08, 0.16)))
    assert alert.family == "water"


@pytest.mark.parametrize("moist", [0.3, 0.55, 0.7])
def test_the_first_moisture_of_a_lot_that_nobody_declared_is_no_water(moist: float) -> None:
    """Wet hydroxide, dried at the port alone; water that came on the way is found all the same."""
    ore = lot(Random(2))
    facts = haul(2, at_origin=ore, at_port=ore, moistures=(moist, moist + 0.08))
    papers = [one for one in facts if not isinstance(one, LotDeclared | LotScanned)]
    at_port = [o for o in papers if not (isinstance(o, LotAssayed) and o.site_id == "MINE")]
    world = World()
    world.tell(*at_port)
    assert not suspicions(world)
    world.tell(*[one for one in papers if one not in at_port])
    assert [one.family for one in suspicions(world)] == ["water"]


@pytest.mark.parametrize("share", [0.5, 0.8, 0.97])
def test_ore_exchanged_for_barren_rock_is_waste_whatever_the_share(share: float) -> None:
    ore = lot(Random(1))
    [alert] = suspicions(hauled(1, at_origin=ore, at_port={a: (1 - share) * ore[a] for a in ore}))
    assert (alert.family, alert.movement_id) == ("waste", "M-1")
    assert alert.size == pytest.approx(share, abs=3 * alert.size_u)
    assert alert.size_u < 0.05


def test_what_comes_after_e_is_beyond_a_double_still_changes_the_alert() -> None:
    """After two shots E is 10^460, with the certificate 10^204,792, and the size known better."""
    ore, world, said = lot(Random(6)), World(), []
    for fact in haul(6, at_origin=ore, at_port={a: 0.003 * c for a, c in ore.items()}):
        world.tell(fact)
        said += suspicions(world)
    first, *_, last = said
    assert {one.value for one in said} == {1e300}
    assert last.version > first.version
    assert last.size_u < 0.6 * first.size_u
    assert last.posterior[0].ln_e > 10.0 * first.posterior[0].ln_e
    agrees(line_of(last))


def test_ore_of_elsewhere_mixed_in_on_the_way_is_named_sized_and_dated() -> None:
    ore = lot(Random(1))
    [alert] = suspicions(hauled(1, at_origin=ore, at_port=mixed(ore, 0.25)))
    assert (alert.family, alert.movement_id) == ("foreign_material", "M-1")
    assert abs(alert.size - 0.25) < 3 * alert.size_u
    assert "between MINE and PORT" in alert.reason
    assert "ELSEWHERE" in alert.reason
    assert alert.onset_at is not None
    assert {row.analyte for row in alert.evidence} >= set(ANALYTES)
    assert sum(row.ln_ratio for row in alert.evidence) > math.log(alert.threshold)


def test_ore_of_elsewhere_from_the_first_measurement_on_is_a_mismatch_of_origin() -> None:
    ore = lot(Random(2))
    other = mixed(ore, 0.8)
    [alert] = suspicions(hauled(2, at_origin=other, at_port=other))
    assert alert.family == "origin_mismatch"
    assert alert.movement_id is None
    assert "before MINE measured it" in alert.reason


def test_a_shot_that_its_neighbours_contradict_is_found_and_says_nothing_of_the_lot() -> None:
    ore, maker = lot(Random(3)), Maker("L-1", count=1_000)
    world = hauled(3, at_origin=ore, at_port=ore)
    bad = maker.shot("PORT", 670, {a: 3.0 * c for a, c in ore.items()})
    world.tell(bad)
    [found] = [a for a in world.alerts.values() if a.rule == "shot_gated"]
    assert found.state == "open"
    assert found.reason.endswith("repeat it")
    assert suspicions(world) == []


def test_an_alert_names_shots_not_used_and_what_its_lot_would_show() -> None:
    ore = lot(Random(4))
    world = hauled(4, at_origin=ore, at_port=mixed(ore, 0.3))
    world.tell(Maker("L-1", count=1_000).shot("PORT", 670, {a: 5.0 * c for a, c in ore.items()}))
    [alert] = suspicions(world)
    sizes = {one.family: one.size for one in alert.detectable}
    assert 0.001 < sizes["loss"] < 0.05
    assert {"waste", "foreign_material"} <= sizes.keys()
    assert {one.device_id for one in alert.calibrations} >= {"WB-MINE", "WB-PORT"}
    assert alert.unobserved == ()


@pytest.mark.parametrize("left", [0.3, 0.2, 0.05, 0.005])
def test_a_loss_of_nearly_all_is_said_as_the_masses_say_it(left: float) -> None:
    """The grid of sizes ends at 60 %; the scales tell what is beyond."""
    ore = lot(Random(6))
    came = 15_000 + round(30_000 * left / 10) * 10
    world = hauled(6, at_origin=ore, at_port=ore, came_kg=came, known=A_GOOD_ROAD)
    [alert] = suspicions(world)
    agrees(line_of(alert))
    assert alert.family == "loss"
    # The road takes a thousandth, and dries the load by another.
    true = 1.0 - (came - 15_000) / 30_000 * math.exp(0.002)
    assert -alert.size == pytest.approx(true, abs=5e-4 * left)
    # Two scales of 5 kg and a road known to 0.05 % of what came.
    assert 0.0004 * left < alert.size_u < 0.01 * left + 5e-4
    assert "(sigma 0.0%)" not in alert.reason


@pytest.mark.parametrize("factor", [3.0, 30.0])
def test_no_free_change_is_more_than_the_load(factor: float) -> None:
    ore = lot(Random(6))
    odd = {a: c * (factor if no % 2 else 1.0 / factor) for no, (a, c) in enumerate(ore.items())}
    [alert] = suspicions(hauled(6, at_origin=ore, at_port=odd))
    agrees(line_of(alert))
    assert alert.family == "omnibus"
    assert alert.size == pytest.approx(1.0 - 1.0 / factor, abs=0.1)
    assert alert.size < 1.0
    assert alert.stake_share is not None
    assert alert.stake_share <= 1.0
