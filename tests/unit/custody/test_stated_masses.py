"""What a process's output is when it states its dry mass, or that it is water."""

import pytest

from custody.events import LotFact
from custody.records import Balance
from tests.support.agreement import said_in, unlike
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

TONNE = 1_000_000


def books(*facts: LotFact) -> World:
    """A world that was told facts, and agrees with the second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    return world


def fed(tonnes: int, moisture: float, kind: str, **declared: object) -> list[LotFact]:
    """Ore of 2.5 % Cu, weighed and certified at the plant, that goes into P-1 as a whole."""
    maker = Maker("IN")
    gross = tonnes * 1_000 + 15_000
    return [
        maker.lot("PLANT", 0, {"Cu": 0.025}, **declared),
        maker.weighing("PLANT", 10, "stock", gross, 15_000, movement_id=None),
        maker.assay("PLANT", 20, {"Cu": (0.025, 0.0002)}, (moisture, 0.0025)),
        maker.side("PLANT", 30, "input", "P-1", kind=kind, mass_wet_g=tonnes * TONNE),
    ]


def of_lot(world: World, lot: str = "OUT", place: str = "PLANT") -> Balance:
    return world.balances[f"lot/{lot}/{place}"]


def given(kind: str, **out: object) -> LotFact:
    """What P-1 gives: lot OUT."""
    maker = Maker("sides")
    return maker.side("PLANT", 100, "output", "P-1", kind=kind, output_lot_id="OUT", **out)


@pytest.mark.parametrize("kind", ["blend", "stockpile", "smelt"])
def test_an_output_of_water_has_no_dry_mass(kind: str) -> None:
    """0.4 t of filtrate: the lot was given the 5 % of an ore nobody knows, 0.38 t of dry mass."""
    out = {"mass_wet_g": 400_000, "moisture_fraction": 1.0}
    world = books(*fed(10, 0.1, kind), given(kind, **out))
    water = of_lot(world)
    assert (water.mass_wet_g, water.mass_dry_g, water.moisture_fraction) == (400_000, 0, 1.0)
    assert not any(metal.value_mg for metal in water.metals)
    assert world.sums().get("unaccounted/OUT") is None


def test_what_is_said_of_water_makes_no_metal_of_it() -> None:
    """A grade as is would be of the wet mass, an attribute per tonne of dry mass or of metal."""
    water = Maker("OUT")
    out = {"mass_wet_g": 400_000, "moisture_fraction": 1.0}
    world = books(
        *fed(10, 0.1, "blend"),
        given("blend", **out),
        water.lot("PLANT", 120, {"Cu": 0.01}, declared_mass_dry_g=TONNE),
        water.shot("PLANT", 130, {"Cu": 0.02, "Co": 0.01}),
        water.weighing("PLANT", 140, "dispatch", 15_400, 15_000),
        water.move("dispatch", "PLANT", 141, ("PLANT", "PORT")),
    )
    assert of_lot(world, place="transit").mass_dry_g == 0
    assert not any(metal.value_mg for metal in of_lot(world, place="transit").metals)


def test_a_loss_of_water_takes_wet_mass_alone() -> None:
    maker = Maker("loss")
    lost = {"loss_kind": "evaporation", "mass_wet_g": 500_000, "moisture_fraction": 1.0}
    world = books(*fed(10, 0.1, "blend"), maker.side("PLANT", 90, "loss", "P-1", **lost))
    assert world.sums()["loss/P-1/evaporation"] == {"wet": 500_000}
