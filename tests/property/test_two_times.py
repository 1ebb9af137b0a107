"""The law of two times: what was so, as known then, is the same whatever is learnt later."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from custody.events import LotFact
from tests.support import histories
from tests.support.asof import Sums, sums
from tests.support.chains import Chain
from tests.support.world import World

MINUTE = 60_000_000


def told(facts: list[LotFact]) -> World:
    """One gateway: facts reach the books in the order they were recorded."""
    world = World()
    world.tell(*sorted(facts, key=lambda f: (f.recorded_at, f.event_id)))
    return world


def answer(facts: list[LotFact], at: int, known: int) -> Sums:
    return sums(told(facts).transfers, at, known)


def holds_for(facts: list[LotFact], data: st.DataObject) -> None:
    known = data.draw(st.sampled_from([fact.recorded_at for fact in facts]), "known")
    at = data.draw(st.sampled_from([fact.occurred_at for fact in facts]), "at")
    then = [fact for fact in facts if fact.recorded_at <= known]
    assert answer(facts, at, known) == answer(then, at, known)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_lots_answer_for_two_times_does_not_change_when_later_facts_come(
    data: st.DataObject,
) -> None:
    holds_for(data.draw(histories.history()), data)


@settings(max_examples=20, deadline=None)
@given(st.data(), st.integers(0, 10_000))
def test_nor_does_that_of_lots_joined_by_processes(data: st.DataObject, seed: int) -> None:
    holds_for(Chain(Random(seed)).draw().facts, data)


def test_a_later_known_certificate_does_change_what_is_known_later() -> None:
    facts = Chain(Random(5)).draw().facts
    last = max(fact.recorded_at for fact in facts)
    middle = sorted(fact.recorded_at for fact in facts)[len(facts) // 2]
    assert answer(facts, last, middle) != answer(facts, last, last)
