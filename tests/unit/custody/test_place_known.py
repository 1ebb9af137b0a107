"""How well a mass is known does not depend on what was said of another place."""

from itertools import permutations

from custody.events import LotFact
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
