"""A heap at a mine that is surveyed while trucks leave it: nothing is counted twice."""

import itertools
from dataclasses import replace

import pytest

from custody.events import LotFact, Micros
from tests.support.facts import MINUTE, Maker
from tests.support.oracle.books import Oracle
from tests.support.world import World


def truck(maker: Maker, no: int, minute: float, tonnes: int) -> list[LotFact]:
    gross, name = 15_000 + tonnes * 1_000, f"M-{no}"
    return [
        maker.weighing("MINE", minute, "dispatch", gross, 15_000, movement_id=name),
        maker.move("dispatch", "MINE", minute + 1, ("MINE", "PLANT"), movement_id=name),
        maker.weighing("PLANT", minute + 30, "receipt", gross, 15_000, movement_id=name),
    ]


def recorded(fact: LotFact, delay: float) -> LotFact:
    """The fact, recorded so many minutes after it happened."""
    return replace(fact, recorded_at=Micros(fact.occurred_at + round(delay * MINUTE)))


def wet(world: World, account: str) -> int:
    return world.sums().get(account, {}).get("wet", 0)


def test_a_truck_before_the_survey_came_out_of_the_ground_and_one_after_it_out_of_the_heap() -> (
    None
):
    maker = Maker()
    facts = [
        maker.lot("MINE", 0, {"Cu": 0.02}),
        *truck(maker, 1, 10, 30),
        maker.weighing("MINE", 100, "stock", 90_000, 0, movement_id=None),
        *truck(maker, 2, 200, 20),
    ]
    worlds = [World() for _ in range(3)]
    worlds[0].tell(*facts)
    worlds[1].tell(*facts, together=True)
    worlds[2].tell(*reversed(facts))
    for world in worlds:
        assert wet(world, "origin/MINE") == -120_000_000
        assert wet(world, "lot/L-1/MINE") == 70_000_000
        assert wet(world, "lot/L-1/PLANT") == 50_000_000
        assert world.balances["lot/L-1/MINE"].mass_wet_g == 70_000_000
        assert wet(world, "unaccounted/L-1") == 0


def test_a_truck_weighed_before_the_survey_is_not_in_the_heap_though_its_papers_came_after() -> (
    None
):
    maker = Maker()
    world = World()
    world.tell(
        maker.weighing("MINE", 95, "dispatch", 45_000, 15_000),
        maker.weighing("MINE", 100, "stock", 90_000, 0, movement_id=None),
        maker.move("dispatch", "MINE", 105, ("MINE", "PLANT")),
    )
    assert world.balances["lot/L-1/MINE"].mass_wet_g == 90_000_000
    assert wet(world, "unaccounted/L-1") == 0


def test_one_weighed_after_it_is_in_the_heap_though_its_papers_came_before() -> None:
    maker = Maker()
    world = World()
    world.tell(
        maker.move("dispatch", "MINE", 90, ("MINE", "PLANT")),
        maker.weighing("MINE", 100, "stock", 90_000, 0, movement_id=None),
        maker.weighing("MINE", 110, "dispatch", 45_000, 15_000),
    )
    assert world.balances["lot/L-1/MINE"].mass_wet_g == 60_000_000
    assert wet(world, "unaccounted/L-1") == 0


def test_the_day_of_the_survey_decides_and_not_when_it_became_known() -> None:
    maker = Maker()
    first, second = truck(maker, 1, 10, 30), truck(maker, 2, 200, 20)
    survey: list[LotFact] = [maker.weighing("MINE", 100, "stock", 90_000, 0, movement_id=None)]
    for order in itertools.permutations([first, second, survey]):
        world = World()
        world.tell(*itertools.chain.from_iterable(order))
        assert wet(world, "origin/MINE") == -120_000_000
        assert wet(world, "lot/L-1/MINE") == 70_000_000


@pytest.mark.parametrize("recorded_first", ["stock", "movement"])
def test_at_the_moment_of_the_survey_what_comes_in_is_in_it_and_what_goes_out_leaves_it(
    recorded_first: str,
) -> None:
    """90 t surveyed with the 10 t that came that minute; 30 t and 20 t leave of them."""
    maker, late = Maker(), 2.0 if recorded_first == "stock" else 0.5
    survey = maker.weighing("YARD", 100, "stock", 90_000, 0, movement_id=None)
    facts: list[LotFact] = [
        maker.weighing("YARD", 100, "receipt", 25_000, 15_000, movement_id="IN"),
        maker.weighing("YARD", 100, "dispatch", 45_000, 15_000, movement_id="OUT"),
        maker.move("dispatch", "YARD", 101, ("YARD", "PLANT"), movement_id="OUT"),
        maker.side("YARD", 100, "input", "P-1", mass_wet_g=20_000_000),
    ]
    facts = [recorded(fact, late) for fact in facts]
    orders: list[list[LotFact]] = [[survey, *facts], [*facts, survey]]
    for order in orders:
        world = World()
        world.tell(*order)
        assert wet(world, "lot/L-1/YARD") == 40_000_000
        assert wet(world, "lot/L-1/transit") == 30_000_000
        assert world.sums() == Oracle(order).accounts()


@pytest.mark.parametrize("recorded_first", ["stock", "truck"])
def test_a_truck_weighed_at_the_moment_of_the_survey_leaves_out_of_the_heap(
    recorded_first: str,
) -> None:
    maker, late = Maker(), 2.0 if recorded_first == "stock" else 0.5
    survey = maker.weighing("MINE", 100, "stock", 90_000, 0, movement_id=None)
    facts = [survey, *(recorded(fact, late) for fact in truck(maker, 1, 100, 30))]
    world = World()
    world.tell(*facts)
    assert wet(world, "origin/MINE") == -90_000_000
    assert wet(world, "lot/L-1/MINE") == 60_000_000
    assert world.sums() == Oracle(facts).accounts()


def test_a_truck_weighed_only_where_it_arrived_is_of_the_heap_if_it_left_after_the_survey() -> None:
    maker = Maker()
    survey = maker.weighing("MINE", 100, "stock", 90_000, 0, movement_id=None)
    for minute, heap, ground in ((90, 90, 120), (110, 60, 90)):
        trip: list[LotFact] = [
            survey,
            maker.move("dispatch", "MINE", minute, ("MINE", "PLANT")),
            maker.weighing("PLANT", 200, "receipt", 45_000, 15_000),
        ]
        world = World()
        world.tell(*trip)
        assert wet(world, "lot/L-1/MINE") == heap * 1_000_000
        assert wet(world, "lot/L-1/PLANT") == 30_000_000
        assert wet(world, "origin/MINE") == -ground * 1_000_000
        assert world.sums() == Oracle(trip).accounts()


def weighed_in(maker: Maker, minute: float, tonnes: int) -> LotFact:
    name = f"IN-{minute}"
    return maker.weighing(
        "YARD", minute, "receipt", 15_000 + tonnes * 1000, 15_000, movement_id=name
    )


@pytest.mark.parametrize("arrives", ["in order", "last first", "together"])
def test_an_input_without_a_mass_takes_what_lay_there_and_not_what_came_later(
    arrives: str,
) -> None:
    """30 t came and went in, 20 t came and were found to be 25 t, of which 24 t went in."""
    maker = Maker()
    facts = [
        weighed_in(maker, 0, 30),
        maker.side("YARD", 100, "input", "P-1"),
        weighed_in(maker, 200, 20),
        maker.weighing("YARD", 250, "stock", 25_000, 0, movement_id=None),
        maker.weighing("YARD", 300, "dispatch", 16_000, 15_000, movement_id="OUT"),
        maker.move("dispatch", "YARD", 300, ("YARD", "PLANT"), movement_id="OUT"),
        maker.side("YARD", 300, "input", "P-2"),
        maker.weighing("YARD", 400, "stock", 50_000, 0, movement_id=None),
    ]
    world = World()
    world.tell(*(facts[::-1] if arrives == "last first" else facts), together=arrives == "together")
    assert wet(world, "process/P-1") == 30_000_000
    assert wet(world, "process/P-2") == 24_000_000
    assert wet(world, "lot/L-1/YARD") == 50_000_000
    assert world.sums() == Oracle(facts).accounts()


def test_an_input_without_a_mass_takes_nothing_of_a_rest_that_is_a_difference_of_weighings() -> (
    None
):
    maker = Maker()
    facts = [
        weighed_in(maker, 0, 30),
        maker.weighing("YARD", 50, "dispatch", 44_980, 15_000, movement_id="OUT"),
        maker.move("dispatch", "YARD", 50, ("YARD", "PLANT"), movement_id="OUT"),
        maker.side("YARD", 100, "input", "P-1"),
    ]
    world = World()
    world.tell(*facts)
    assert wet(world, "process/P-1") == 0
    assert world.sums() == Oracle(facts).accounts()
