"""What a failed run prints: one figure, both numbers, the facts behind it."""

from dataclasses import replace

from tests.support import agreement
from tests.support.differences import difference
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

WEIGHED = Maker("A").weighing("PLANT", 0, "stock", 25_000, 15_000, movement_id=None)
OTHER = Maker("B").lot("PLANT", 0, {"Cu": 0.02})


def test_equal_books_differ_in_nothing() -> None:
    assert not difference({"lot/A/PLANT": {"wet": 1}}, {"lot/A/PLANT": {"wet": 1}}, [])


def test_the_first_figure_that_differs_is_named_with_its_lots_facts() -> None:
    found = {"lot/A/PLANT": {"wet": 10, "dry": 900}, "lot/B/PLANT": {"wet": 500}}
    expected = {"lot/A/PLANT": {"wet": 10, "dry": 8}, "lot/B/PLANT": {}}
    head, *facts = difference(found, expected, [OTHER, WEIGHED]).splitlines()
    assert head == "lot/A/PLANT dry: 900 but should be 8"
    assert len(facts) == 1
    assert WEIGHED.event_id[:8] in facts[0]
    assert "'net_g': 10000000" in facts[0]


def test_a_hundred_grams_more_and_a_wrong_origin_are_disagreements() -> None:
    world = World()
    world.tell(WEIGHED)
    oracle, said = Oracle([WEIGHED]), agreement.said_in(world)
    assert not agreement.unlike(oracle, said, [WEIGHED], RULES)
    (first,) = said.transfers
    heavier = replace(said, transfers=[replace(first, mass_wet_g=first.mass_wet_g + 100)])
    unlike = agreement.unlike(oracle, heavier, [WEIGHED], RULES)
    assert "lot/A/PLANT wet: 10000100 but should be 10000000" in unlike
    ((account, balance),) = said.balances.items()
    elsewhere = replace(said, balances={account: replace(balance, origins=())})
    assert "origins ('unknown', '')" in agreement.unlike(oracle, elsewhere, [WEIGHED], RULES)
