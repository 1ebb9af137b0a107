"""The core against a second model that shares nothing with it (tests/support/oracle.py)."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from custody.events import LotFact, LotWeighed, MaterialProcessed
from tests.support import histories, oracle
from tests.support.world import World


def known_to_oracle(fact: LotFact) -> bool:
    if isinstance(fact, MaterialProcessed):
        return False
    if isinstance(fact, LotWeighed) and fact.purpose == "stock":
        return False
    return getattr(fact, "movement_id", "M") is not None


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_core_agrees_with_the_oracle_after_every_chunk(data: st.DataObject) -> None:
    facts = [f for f in data.draw(histories.history()) if known_to_oracle(f)]
    ids = {f.event_id for f in facts}
    facts = [f for f in facts if f.corrects is None or f.corrects in ids]
    assume(facts)
    told: list[LotFact] = []
    world = World()
    for chunk in data.draw(histories.arrivals(facts)):
        told.extend(chunk)
        world.tell(*chunk, together=True)
        assert world.sums() == oracle.Model(told, "L-1").accounts()
