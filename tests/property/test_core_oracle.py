"""The core against a second model that shares nothing with it (tests/support/oracle)."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from custody.events import LotAssayed, LotFact, LotMoved, LotWeighed
from tests.support import agreement, histories
from tests.support.differences import difference
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World


def comparable(facts: Sequence[LotFact]) -> list[LotFact]:
    """Leave out what the rules leave open: a trip without movement_id and vehicle."""
    ids = {f.event_id for f in facts}

    def is_open(fact: LotFact) -> bool:
        if isinstance(fact, LotWeighed) and fact.purpose == "stock":
            return False
        return isinstance(fact, LotWeighed | LotMoved) and fact.movement_id is None

    return [f for f in facts if (f.corrects is None or f.corrects in ids) and not is_open(f)]


def settled(facts: Sequence[LotFact]) -> list[LotFact]:
    """Leave out again until nothing more goes: what is left out may be what another corrects."""
    kept = comparable(facts)
    return kept if len(kept) == len(facts) else settled(kept)


def of_one_laboratory(fact: LotFact) -> LotFact:
    """Certificates of several laboratories have a rule of their own."""
    if RULES["several_laboratories"] or not isinstance(fact, LotAssayed):
        return fact
    return replace(fact, lab_id="LAB")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_core_agrees_with_the_oracle_after_every_chunk(data: st.DataObject) -> None:
    facts = [of_one_laboratory(f) for f in settled(data.draw(histories.history()))]
    assume(facts)
    told: list[LotFact] = []
    world = World()
    for chunk in data.draw(histories.arrivals(facts)):
        told.extend(chunk)
        world.tell(*chunk, together=True)
        sums = agreement.sums_of(world.transfers)
        oracle = Oracle(told)
        assert not difference(sums, oracle.accounts(), told)
        conflict = ("event_id_conflict", "lot/L-1")
        assert (conflict in world.open_rules()) == (conflict in oracle.findings()), told
