"""How well a mass is known does not depend on what was said of another place."""

import math
from collections.abc import Mapping
from itertools import permutations

import pytest

from custody.estimate import Estimate, sigma, total
from custody.events import LotFact
from custody.records import Balance
from tests.support.facts import Maker
from tests.support.world import World


def test_an_input_at_a_place_where_nothing_lies_takes_no_u_from_where_it_does() -> None:
    ore, metal = Maker("ORE"), Maker("METAL", count=100)
    facts: list[LotFact] = [
        ore.weighing("PLANT", 10, "stock", 65_000, 15_000),
        ore.side("PLANT", 20, "input", "P-1", mass_wet_g=50_000_000),
        ore.side("PLANT", 20, "output", "P-1", output_lot_id="METAL", mass_dry_g=2_000_000),
        metal.side("SMELTER", 60, "input", "P-2", mass_dry_g=2_000_000),
    ]
    ends = set()
    for order in permutations(facts):
        world = World()
        world.tell(*order)
        left = world.balances["lot/METAL/PLANT"]
        ends.add((left.mass_dry_g, left.mass_dry_u_random_g, left.moisture_fraction))
    [(dry, u, moisture)] = ends
    # Half a percent is what a side without a u of its own has.
    assert (dry, round(u)) == (2_000_000, 10_000)
    assert moisture is not None


def wet_of(balance: Balance) -> Estimate:
    parts = {part.source: part.u for part in balance.mass_wet_u_systematic_g}
    return Estimate(float(balance.mass_wet_g), balance.mass_wet_u_random_g**2, parts)


def left_and_gone() -> Mapping[str, Balance]:
    """100 t by W-1, of which 60 t leave over W-2, which weighs them where they come, too."""
    ore, over = Maker("ORE"), {"device_id": "W-2", "movement_id": "M-1"}
    world = World()
    world.tell(
        ore.weighing("MINE", 10, "stock", 115_000, 15_000, device_id="W-1", movement_id=None),
        ore.weighing("MINE", 20, "dispatch", 75_000, 15_000, **over),
        ore.weighing("PORT", 30, "receipt", 75_000, 15_000, **over),
    )
    return world.balances


def test_what_is_left_is_less_of_the_scale_that_the_rest_left_over() -> None:
    balances = left_and_gone()
    left, gone = wet_of(balances["lot/ORE/MINE"]), wet_of(balances["lot/ORE/PORT"])
    assert left.parts["W-1"] > 0
    assert gone.parts.keys() == {"W-2"}
    assert left.parts == {"W-1": left.parts["W-1"], "W-2": -gone.parts["W-2"]}


def test_what_is_left_and_what_left_are_known_as_what_there_was() -> None:
    balances = left_and_gone()
    left, gone = wet_of(balances["lot/ORE/MINE"]), wet_of(balances["lot/ORE/PORT"])
    whole = total([left, gone])
    assert sigma(whole) == pytest.approx(math.hypot(left.parts["W-1"], math.sqrt(whole.var)))
