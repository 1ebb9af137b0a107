"""A side that names another kind than its process has, whoever writes it down."""

from collections.abc import Sequence

import pytest

from custody.events import LotFact, MaterialProcessed
from tests.support.agreement import said_in, unlike
from tests.support.facts import Maker, corrected
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

RULE = ("side_of_other_kind", "process/P-1")


def books(facts: Sequence[LotFact]) -> World:
    """A world that was told facts, and agrees with the second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    return world


def facts(named: str, kind: str) -> list[LotFact]:
    """10 t of ore go into P-1 as one kind, and come out of it as another."""
    maker, sides = Maker("IN"), Maker("sides")
    return [
        maker.lot("PLANT", 0, {"Cu": 0.02}),
        maker.weighing("PLANT", 10, "stock", 25_000, 15_000, movement_id=None),
        maker.side("PLANT", 30, "input", "P-1", kind=named, mass_wet_g=10_000_000),
        sides.side(
            "PLANT", 40, "output", "P-1", kind=kind, output_lot_id="OUT", mass_wet_g=9_000_000
        ),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 3, 2)])
@pytest.mark.parametrize("kind", ["crush", "stockpile", "leach"])
def test_an_input_of_another_kind_is_found(kind: str, order: tuple[int, ...]) -> None:
    """A blend went into it, and nobody said so: a leach conserves no dry mass."""
    every = facts("blend", kind)
    world = books([every[at] for at in order])
    assert world.open_rules() == {RULE}
    (alert,) = [one for one in world.alerts.values() if one.state == "open"]
    assert alert.reason == f"It names blend; most sides of the process name {kind}."
    right = corrected(every[2], "the kind", kind=kind)
    world.tell(right)
    assert world.open_rules() == set()


@pytest.mark.parametrize("kind", ["crush", "stockpile"])
def test_of_an_input_that_is_withdrawn_nothing_is_left(kind: str) -> None:
    every = facts("blend", kind)
    world = books(every)
    world.tell(corrected(every[2], "gone", void=True))
    assert RULE not in world.open_rules()


@pytest.mark.parametrize("kind", ["crush", "stockpile"])
def test_what_most_sides_name_may_change(kind: str) -> None:
    every = facts("blend", kind)
    world = books(every)
    more: list[MaterialProcessed] = [
        Maker(f"more {no}").side(
            "PLANT", 50 + no, "loss", "P-1", kind="blend", loss_kind="dust", mass_wet_g=1_000
        )
        for no in range(2)
    ]
    world.tell(*more)
    found = [one for one in world.alerts.values() if one.state == "open"]
    assert [(one.rule, one.reason) for one in found] == [
        (RULE[0], f"It names {kind}; most sides of the process name blend.")
    ]


def test_inputs_of_the_same_kind_or_of_no_process_yet_are_silent() -> None:
    assert books(facts("crush", "crush")).open_rules() == set()
    assert RULE not in books(facts("crush", "crush")[:3]).open_rules()
