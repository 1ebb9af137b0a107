"""What is at stake of a lot is reckoned of what was sent, whatever came in its place."""

import math
from random import Random

import pytest

from custody import severity
from custody.events import LotFact, ReferenceSet
from custody.records import Alert
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.measured_lots import A_GOOD_ROAD, ANALYTES, haul, lot, measured, suspicions
from tests.support.recomputed import line_of
from tests.support.world import World
from tests.unit.custody.test_recomputed import agrees

PRICE = reference("price", "Cu", {"analyte": "Cu", "amount": 9_650, "currency": "USD", "per": "t"})
DRY_T = 30.0 * 0.92
"""Sent by ``haul``, tonnes."""
ROCK = dict.fromkeys(ANALYTES, 2e-05) | {"Fe": 0.03, "Mn": 5e-4}


def told(*facts: LotFact | ReferenceSet) -> Alert:
    """Return the alert of a lot of which all is known at once, as of a backlog."""
    world = World()
    world.tell(PRICE, *facts, together=True)
    [alert] = suspicions(world)
    agrees(line_of(alert))
    return alert


def dollars(ore: dict[str, float], tonnes: float = DRY_T) -> float:
    return tonnes * ore["Cu"] * 9_650


def whole(alert: Alert) -> float:
    """Return what the whole load is said to be worth."""
    assert alert.stake_amount is not None
    assert alert.stake_share is not None
    return alert.stake_amount / alert.stake_share


@pytest.mark.parametrize("laboratory", ["seller's", "nobody's"])
def test_a_load_exchanged_for_rock_is_priced_by_the_metal_that_was_sent(laboratory: str) -> None:
    """Of rock there are 5 dollars: that is what lies there, not what is at stake."""
    ore = lot(Random(6))
    facts = haul(6, at_origin=ore, at_port=ROCK)
    if laboratory == "nobody's":
        # No certificate of the mine: its fingerprint and shots tell what left it.
        kinds = [(type(one).__name__, getattr(one, "site_id", "")) for one in facts]
        facts.pop(kinds.index(("LotAssayed", "MINE")))
    alert = told(*facts)
    assert alert.family in {"waste", "foreign_material", "omnibus"}
    assert whole(alert) == pytest.approx(dollars(ore), rel=0.15)
    assert alert.stake_amount == pytest.approx(whole(alert), rel=0.15)
    assert alert.severity == severity.HIGH


def test_ore_that_was_another_before_it_was_measured_is_priced_as_its_declared_origins() -> None:
    alert = told(*haul(6, at_origin=ROCK, at_port=ROCK))
    assert whole(alert) == pytest.approx(dollars({"Cu": math.exp(-4.0)}), rel=0.2)
    assert alert.severity in {severity.HIGH, severity.MEDIUM}


def test_what_is_missing_of_a_theft_is_priced_by_the_mass_that_left() -> None:
    """Of 30 t of ore 24 t are gone: what is missing is worth more than all that came."""
    ore = lot(Random(6))
    alert = told(*haul(6, at_origin=ore, at_port=ore, came_kg=21_000))
    assert alert.family == "loss"
    assert whole(alert) == pytest.approx(dollars(ore), rel=0.05)
    assert alert.stake_amount == pytest.approx(0.8 * dollars(ore), rel=0.05)


def test_a_theft_of_one_truck_of_three_is_priced_by_what_that_truck_left_with() -> None:
    rng, maker = Random(6), Maker()
    ore = lot(rng)
    facts: list[LotFact] = [
        maker.lot("MINE", -60, {"Cu": 0.018}), *measured(maker, "MINE", 0, ore, rng)
    ]  # fmt: skip
    for no, came in enumerate((45_000, 42_000, 45_000)):
        way = {"movement_id": f"W-{no}"}
        facts.append(maker.weighing("MINE", 30 + no, "dispatch", 45_000, 15_000, **way))
        facts.append(maker.weighing("PORT", 600 + no, "receipt", came, 15_000, **way))
    alert = told(*A_GOOD_ROAD, *facts)
    assert (alert.family, alert.movement_id) == ("loss", "W-1")
    assert whole(alert) == pytest.approx(dollars(ore), rel=0.05)


def test_a_certificate_that_says_too_much_is_priced_by_what_it_says() -> None:
    """The seller claims twice the copper: what the buyer finds is half of what he paid for."""
    ore = lot(Random(6))
    claimed = ore | {"Cu": 2.0 * ore["Cu"]}
    alert = told(*haul(6, at_origin=claimed, at_port=ore))
    assert whole(alert) == pytest.approx(dollars(claimed), rel=0.15)


def test_a_certificate_that_says_too_little_does_not_make_the_load_cheap() -> None:
    ore = lot(Random(6))
    alert = told(*haul(6, at_origin=ROCK, at_port=ore))
    assert whole(alert) == pytest.approx(dollars(ore), rel=0.15)


def test_a_gain_of_more_than_a_load_puts_no_more_than_the_load_at_stake() -> None:
    ore = lot(Random(6))
    alert = told(*haul(6, at_origin=ore, at_port=ore, came_kg=85_000))
    assert alert.family == "gain"
    assert alert.size == pytest.approx(70 / 30 - 1.0, abs=4 * alert.size_u)
    assert alert.stake_share == pytest.approx(1.0)
    assert whole(alert) == pytest.approx(dollars(ore), rel=0.05)
