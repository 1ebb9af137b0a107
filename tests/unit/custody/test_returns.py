"""A lot that a process gives back under its own id: the pile that is crushed where it lies."""

from collections.abc import Sequence
from itertools import permutations
from random import Random

import pytest

from custody.events import DeclaredOrigin, LotFact
from tests.support.facts import Maker, corrected
from tests.support.oracle.books import Oracle
from tests.support.world import World

TONNE = 1_000_000


class Plant:
    """Facts of one plant, numbered one after another."""

    def __init__(self) -> None:
        self._makers: dict[str, Maker] = {}

    def of(self, name: str) -> Maker:
        return self._makers.setdefault(name, Maker(name))

    def weighed(self, kg: int, minute: float) -> LotFact:
        more = {"movement_id": None}
        return self.of("L").weighing("PLANT", minute, "stock", kg + 15_000, 15_000, **more)

    def known(self, lot: str = "L", origin: str = "MINE") -> list[LotFact]:
        """A declaration and a certificate."""
        stated = (DeclaredOrigin(level="site", id=origin, share=1.0),)
        return [
            self.of(lot).lot("PLANT", 0, {"Cu": 0.02}, declared_origins=stated),
            self.of(lot).assay("PLANT", 20, {"Cu": (0.02, 0.0002)}, (0.10, 0.002)),
        ]

    def fed(self, lot: str, process: str, minute: float, tonnes: int) -> LotFact:
        return self.of(lot).side("PLANT", minute, "input", process, mass_wet_g=tonnes * TONNE)

    def step(self, process: str, minute: float, taken: int, given: int) -> list[LotFact]:
        """A lot goes in and comes out, an hour later; tonnes."""
        out = {"output_lot_id": "L", "mass_wet_g": given * TONNE}
        maker = self.of(process)
        return [
            self.fed("L", process, minute, taken),
            maker.side("PLANT", minute + 60, "output", process, kind="crush", **out),
            maker.side("PLANT", minute + 61, "close", process, kind="crush"),
        ]


def first_weighings(world: World) -> list[str]:
    """Where what came into the books came from, of the first weighings that stand."""
    origins = {a: s for a, s in world.sums().items() if a.startswith("origin/")}
    return sorted(origins)


def agrees(world: World, facts: Sequence[LotFact]) -> None:
    oracle = Oracle(facts)
    assert world.sums() == oracle.accounts()
    for account, balance in world.balances.items():
        if account.startswith("lot/") and balance.mass_wet_g:
            shares = {(o.level, o.id): o.share for o in balance.origins}
            assert shares == pytest.approx(oracle.carried()[f"lot/{balance.lot_id}"].origins)


def test_a_pile_crushed_in_place_was_weighed_in_at_its_origin() -> None:
    plant = Plant()
    facts = [*plant.known(), plant.weighed(100_000, 10), *plant.step("CRUSH", 100, 100, 99)]
    world = World()
    world.tell(*facts)
    sums = world.sums()
    assert sums["origin/PLANT"]["wet"] == -100 * TONNE
    assert sums["lot/L/PLANT"]["wet"] == 99 * TONNE
    assert sums["unaccounted/CRUSH"]["wet"] == 1 * TONNE
    assert "unaccounted/L" not in sums
    assert world.open_rules() == set()
    [origin] = world.balances["lot/L/PLANT"].origins
    assert (origin.level, origin.id, origin.share) == ("site", "MINE", 1.0)
    agrees(world, facts)


def test_any_order_ends_in_the_same_books() -> None:
    plant = Plant()
    facts = [plant.known()[1], plant.weighed(100_000, 10), *plant.step("CRUSH", 100, 100, 99)]
    for order in permutations(facts):
        world = World()
        world.tell(*order)
        agrees(world, facts)


def test_steps_in_a_row_are_no_ring() -> None:
    plant = Plant()
    facts = [*plant.known(), plant.weighed(100_000, 10), *plant.step("CRUSH", 100, 100, 99)]
    facts += [*plant.step("DRY", 300, 99, 95), *plant.step("REPACK", 500, 95, 95)]
    for seed in range(20):
        world, order = World(), list(facts)
        Random(seed).shuffle(order)
        world.tell(*order)
        assert world.open_rules() == set()
        agrees(world, facts)


def test_what_another_lot_brought_in_is_in_the_shares_of_what_came_back() -> None:
    plant = Plant()
    facts = [*plant.known(), plant.weighed(60_000, 10), *plant.step("CRUSH", 100, 60, 80)]
    facts += [*plant.known("M", "ELSEWHERE"), plant.fed("M", "CRUSH", 90, 20)]
    world = World()
    world.tell(*facts)
    shares = {o.id: o.share for o in world.balances["lot/L/PLANT"].origins}
    assert shares == pytest.approx({"MINE": 0.75, "ELSEWHERE": 0.25})
    agrees(world, facts)


def test_a_pile_first_weighed_after_it_came_back_came_from_the_process() -> None:
    plant = Plant()
    facts = [*plant.known(), *plant.step("CRUSH", 100, 100, 99), plant.weighed(99_000, 300)]
    world = World()
    world.tell(*facts)
    assert first_weighings(world) == []
    agrees(world, facts)


def test_a_truck_that_left_before_the_pile_was_fed_came_out_of_the_ground() -> None:
    plant, more = Plant(), {"movement_id": "M-1"}
    maker = plant.of("L")
    truck: list[LotFact] = [
        maker.weighing("PLANT", 50, "dispatch", 45_000, 15_000, **more),
        maker.move("dispatch", "PLANT", 51, ("PLANT", "PORT"), **more),
    ]
    facts = [*plant.known(), *truck, *plant.step("CRUSH", 100, 60, 59)]
    world = World()
    world.tell(*facts)
    assert world.sums()["origin/PLANT"]["wet"] == -30 * TONNE
    agrees(world, facts)


def test_a_withdrawn_input_makes_of_what_came_back_what_a_process_supplies() -> None:
    plant = Plant()
    crushed = plant.step("CRUSH", 100, 100, 99)
    facts: list[LotFact] = [*plant.known(), plant.weighed(100_000, 10), *crushed]
    withdrawn: LotFact = corrected(crushed[0], "void", 10, void=True)
    facts.append(withdrawn)
    world = World()
    world.tell(*facts)
    assert first_weighings(world) == []
    agrees(world, facts)
