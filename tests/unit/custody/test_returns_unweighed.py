"""An input that states no mass, of a lot that processes give back: what lay there for it."""

from collections.abc import Iterable, Sequence
from random import Random

import pytest
from typing_extensions import override

from custody.events import LotFact
from custody.fold import Input
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.world import World

SITE = "PLANT"
TONNE = 1_000_000


class Bounded(World):
    """A world that says so where a lot and a process never cease to tell each other."""

    @override
    def _apply(self, chunk: Iterable[Input]) -> list[Input]:
        assert self.steps < 1_000, "a ring without an end"
        return super()._apply(chunk)


class Plant:
    """Facts of one plant, numbered one after another; lot L is dry."""

    def __init__(self) -> None:
        self._makers: dict[str, Maker] = {}

    def of(self, name: str) -> Maker:
        return self._makers.setdefault(name, Maker(name))

    def moist(self, lot: str, fraction: float) -> LotFact:
        return self.of(lot).assay(SITE, -100, {"Cu": (0.02, None)}, (fraction, 0.001))

    def weighed(self, minute: float, kg: int) -> LotFact:
        more = {"movement_id": None}
        return self.of("L").weighing(SITE, minute, "stock", kg + 15_000, 15_000, **more)

    def arrived(self, minute: float, kg: int) -> LotFact:
        more = {"movement_id": "M-1"}
        return self.of("L").weighing(SITE, minute, "receipt", kg + 15_000, 15_000, **more)

    def fed(self, process: str, minute: float, lot: str = "L", wet: int | None = None) -> LotFact:
        return self.of(lot).side(SITE, minute, "input", process, mass_wet_g=wet)

    def given(self, process: str, minute: float, dry: int) -> LotFact:
        more = {"output_lot_id": "L", "mass_dry_g": dry}
        return self.of(process).side(SITE, minute, "output", process, kind="crush", **more)


def books(facts: Sequence[LotFact]) -> dict[str, int]:
    """Return the dry mass of each account, alike for any order, any chunks and the second model."""
    expected = Oracle(facts).accounts()
    for seed in range(24):
        order, world = list(facts), Bounded()
        Random(seed).shuffle(order)
        world.tell(*order, together=seed % 2 == 0)
        assert world.sums() == expected
    return {account: held.get("dry", 0) for account, held in expected.items()}


def test_an_input_does_not_take_what_its_process_gives_back_at_the_same_moment() -> None:
    plant = Plant()
    facts = [plant.moist("L", 0.0), plant.weighed(10, 100_000)]
    facts += [plant.fed("CRUSH", 100), plant.given("CRUSH", 100, 99 * TONNE)]
    held = books(facts)
    assert held["lot/L/PLANT"] == 99 * TONNE
    assert held["process/CRUSH"] == 1 * TONNE


def test_of_nothing_but_what_its_process_gives_back_an_input_takes_nothing() -> None:
    for minute in (0, 10):
        plant = Plant()
        held = books([plant.fed("CRUSH", minute), plant.given("CRUSH", 0, TONNE)])
        assert held == {"lot/L/PLANT": TONNE, "process/CRUSH": -TONNE}


@pytest.mark.parametrize("dry", range(900_000, 900_012))
def test_an_input_and_the_output_it_would_take_are_no_ring(dry: int) -> None:
    """The wet mass of the output follows from the inputs' moisture, so from what the input took."""
    plant = Plant()
    facts = [plant.moist("L", 0.0), plant.moist("M", 0.3)]
    facts += [plant.fed("CRUSH", 5, "M", TONNE), plant.fed("CRUSH", 10)]
    facts.append(plant.given("CRUSH", 0, dry))
    held = books(facts)
    assert held["lot/L/PLANT"] + held["process/CRUSH"] == 700_000


def test_what_another_process_gives_back_at_the_same_moment_came_after() -> None:
    plant = Plant()
    facts = [plant.moist("L", 0.0), plant.fed("CRUSH", 0), plant.given("DRY", 0, 10 * TONNE)]
    facts.append(plant.fed("DRY", 5, wet=TONNE))
    assert books(facts) == {"lot/L/PLANT": 9 * TONNE, "process/DRY": -9 * TONNE}


def test_an_input_leaves_what_one_before_it_could_not_take() -> None:
    """The first rests on less than the second, so the second finds what the first really left."""
    plant = Plant()
    facts = [plant.moist("L", 0.0), plant.weighed(-10, 100_000)]
    facts += [plant.given("CRUSH", 0, 10 * TONNE), plant.fed("CRUSH", 5), plant.fed("DRY", 20)]
    held = books(facts)
    assert (held["process/CRUSH"], held["process/DRY"]) == (90 * TONNE, 10 * TONNE)
    assert held.get("lot/L/PLANT", 0) == 0


def test_an_input_before_it_took_without_what_an_input_does_not_rest_on() -> None:
    """The first took what the second's process gives: of the rest it took all, and 15 t came."""
    plant = Plant()
    facts = [plant.moist("L", 0.0), plant.weighed(-10, 20_000)]
    facts += [plant.given("CRUSH", 0, 10 * TONNE), plant.fed("DRY", 5)]
    facts += [plant.arrived(7, 15_000), plant.fed("CRUSH", 10)]
    held = books(facts)
    assert (held["process/DRY"], held["process/CRUSH"]) == (30 * TONNE, 5 * TONNE)
    assert held.get("lot/L/PLANT", 0) == 0
