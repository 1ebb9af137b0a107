"""A lot that a process gives back under its own id: the pile that is crushed where it lies."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest

from custody.events import DeclaredOrigin, LotFact
from tests.support.facts import Maker, corrected, last_ticks
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

    def fed(
        self, lot: str, process: str, minute: float, tonnes: int, *, kind: str = "crush"
    ) -> LotFact:
        fed = {"kind": kind, "mass_wet_g": tonnes * TONNE}
        return self.of(lot).side("PLANT", minute, "input", process, **fed)

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


def test_a_withdrawn_input_makes_of_what_came_back_more_of_the_lot() -> None:
    """The pile was surveyed before a process handed 99 t over: they lie beside its own."""
    plant = Plant()
    crushed = plant.step("CRUSH", 100, 100, 99)
    facts: list[LotFact] = [*plant.known(), plant.weighed(100_000, 10), *crushed]
    withdrawn: LotFact = corrected(crushed[0], "void", 10, void=True)
    facts.append(withdrawn)
    world = World()
    world.tell(*facts)
    assert first_weighings(world) == ["origin/PLANT"]
    assert world.sums()["lot/L/PLANT"]["wet"] == 199 * TONNE
    assert "wet" not in world.sums()["unaccounted/L"]
    agrees(world, facts)


def dried(plant: Plant, *, minute: float = 100, wet: int = 91_837_000) -> list[LotFact]:
    """100 t of 10 % moisture go into the dryer and come out an hour later, by a scale there."""
    maker = plant.of("DRY")
    out = {"output_lot_id": "L", "mass_wet_g": wet, "moisture_fraction": 0.02}
    lost = {"loss_kind": "water", "mass_wet_g": 100 * TONNE - wet, "moisture_fraction": 1.0}
    return [
        plant.fed("L", "DRY", minute, 100, kind="repack"),
        maker.side("PLANT", minute + 59, "loss", "DRY", kind="repack", **lost),
        maker.side("PLANT", minute + 60, "output", "DRY", kind="repack", **out),
        maker.side("PLANT", minute + 61, "close", "DRY", kind="repack"),
    ]


def after(plant: Plant, moisture: float, basis: str = "dry") -> LotFact:
    """A certificate of what came back; 2.000 % Cu of the dry mass on either basis."""
    copper = 0.02 * (1 - moisture) if basis == "as_is" else 0.02
    said = plant.of("L").assay("PLANT", 300, {"Cu": (copper, copper / 100)}, (moisture, 0.002))
    return replace(said, results=tuple(replace(one, basis=basis) for one in said.results))


@pytest.mark.parametrize("basis", ["dry", "as_is"])
def test_a_certificate_of_what_was_dried_does_not_say_how_wet_it_went_in(basis: str) -> None:
    """90.0 t of dry mass went in; by the moisture of what came out it was 98, and 8 lost."""
    plant = Plant()
    facts = [*plant.known(), plant.weighed(100_000, 30), *dried(plant), after(plant, 0.02, basis)]
    world = World()
    world.tell(*facts)
    held = world.balances["lot/L/PLANT"]
    assert (held.mass_wet_g, held.mass_dry_g) == (91_837_000, 90_000_260)
    lost = world.sums().get("unaccounted/DRY", {})
    assert abs(lost.get("dry", 0)) < 1_000
    assert abs(lost.get("Cu", 0)) < 50_000
    assert "wet" not in lost
    assert "unaccounted/L" not in world.sums()
    world.tell(*last_ticks())
    assert world.open_rules() == set()
    agrees(world, facts)


@pytest.mark.parametrize("seed", range(6))
def test_what_went_in_and_what_came_back_have_their_moistures_in_any_order(seed: int) -> None:
    plant = Plant()
    facts = [*plant.known(), plant.weighed(100_000, 30), *dried(plant), after(plant, 0.02)]
    facts += [
        *plant.step("REPACK", 500, 91, 91),
        plant.of("L").assay("PLANT", 700, {}, (0.03, 0.002)),
    ]
    Random(seed).shuffle(facts)
    world = World()
    world.tell(*facts)
    agrees(world, facts)
    assert abs(world.sums().get("unaccounted/DRY", {}).get("dry", 0)) < 1_000_000


def test_a_certificate_of_after_alone_speaks_for_what_went_in_as_well() -> None:
    plant = Plant()
    facts = [plant.known()[0], plant.weighed(100_000, 30), *plant.step("CRUSH", 100, 100, 100)]
    facts.append(after(plant, 0.06))
    world = World()
    world.tell(*facts)
    assert world.sums()["lot/L/PLANT"]["dry"] == 94 * TONNE
    assert "unaccounted/CRUSH" not in world.sums()
    agrees(world, facts)


def test_until_it_has_a_certificate_of_its_own_what_was_dried_is_as_wet_as_before() -> None:
    """The dry mass that is missing by that, 7.347 t, is the dryer's."""
    plant = Plant()
    facts = [*plant.known(), plant.weighed(100_000, 30), *dried(plant)]
    world = World()
    world.tell(*facts)
    assert world.sums()["lot/L/PLANT"]["dry"] == 82_653_300
    assert world.sums()["unaccounted/DRY"]["dry"] == 7_346_700
    agrees(world, facts)
