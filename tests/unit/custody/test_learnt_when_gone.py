"""What is learnt of material that has gone into a process leaves no less than nothing behind."""

import pytest

from custody.events import LotFact, Micros
from tests.support.asof import sums
from tests.support.facts import MINUTE, T0, Maker
from tests.support.world import World

HERE = "lot/L-1/PLANT"


def held(world: World, minute: float) -> dict[str, int]:
    """What lay at the plant at a minute, by all that is known now."""
    at = Micros(T0 + round(minute * MINUTE))
    found = sums(world.transfers, at, Micros(T0 + 10**6 * MINUTE))
    return {name: value for (account, name), value in found.items() if account == HERE and value}


def story(*fed: float, later: float = 0.03) -> World:
    """20 t at 10 % and 2 % copper; fed at minutes 100, 200, ...; a final certificate at 1,000."""
    maker, world = Maker(), World()
    facts: list[LotFact] = [
        maker.assay("PLANT", 1, {"Cu": (0.02, 0.0002)}, (0.1, 0.0025)),
        maker.weighing("PLANT", 2, "stock", 35_000, 15_000),
    ]
    for no, tonnes in enumerate(fed, start=1):
        grams = round(tonnes * 1e6)
        facts.append(maker.side("PLANT", 100 * no, "input", f"P-{no}", mass_wet_g=grams))
    facts.append(maker.assay("PLANT", 1_000, {"Cu": (later, 0.0001)}, (0.1, 0.0025), stage="final"))
    world.tell(*facts)
    return world


@pytest.mark.parametrize("later", [0.03, 0.01])
def test_a_final_certificate_of_a_lot_that_was_used_up_counts_from_then(later: float) -> None:
    world = story(20.0, later=later)
    assert held(world, 50)["Cu"] == 360_000_000
    for minute in (100, 500, 1_000, 2_000):
        assert held(world, minute) == {}


def test_of_several_inputs_it_counts_from_the_last() -> None:
    world = story(8.0, 12.0)
    assert held(world, 100)["Cu"] == 360_000_000 - 216_000_000
    assert held(world, 200) == {}


def test_what_is_left_is_known_by_the_certificate_from_its_own_time() -> None:
    world = story(5.0)
    before, after = held(world, 999), held(world, 1_000)
    assert (before["wet"], after["wet"]) == (15_000_000, 15_000_000)
    assert before["Cu"] == 360_000_000 - 135_000_000
    assert after["Cu"] == 405_000_000


def test_what_was_known_then_stays_known_then() -> None:
    world = story(20.0)
    at, known = Micros(T0 + 500 * MINUTE), Micros(T0 + 900 * MINUTE)
    assert not any(sums(world.transfers, at, known).get((HERE, name), 0) for name in ("wet", "Cu"))
