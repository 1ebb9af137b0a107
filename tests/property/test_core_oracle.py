"""The core against a second model that shares nothing with it (tests/support/oracle)."""

from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from custody.events import LotFact, LotMoved, LotWeighed
from tests.support import agreement, histories
from tests.support.differences import difference
from tests.support.oracle.books import Oracle
from tests.support.world import World


def comparable(facts: Sequence[LotFact]) -> list[LotFact]:
    """Leave out what the rules leave open.

    A trip without movement_id and vehicle, and a stock weighing at a site that the lot also leaves:
    the rules take what was weighed there twice.
    """
    ids = {f.event_id for f in facts}
    left = {f.site_id for f in facts if isinstance(f, LotWeighed) and f.purpose == "dispatch"}
    return [
        f
        for f in facts
        if (f.corrects is None or f.corrects in ids)
        and not (isinstance(f, LotWeighed | LotMoved) and _open(f, left))
    ]


def _open(fact: LotWeighed | LotMoved, left: set[str]) -> bool:
    if isinstance(fact, LotWeighed) and fact.purpose == "stock":
        return fact.site_id in left
    return fact.movement_id is None


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_core_agrees_with_the_oracle_after_every_chunk(data: st.DataObject) -> None:
    facts = comparable(comparable(data.draw(histories.history())))
    assume(facts)
    told: list[LotFact] = []
    world = World()
    for chunk in data.draw(histories.arrivals(facts)):
        told.extend(chunk)
        world.tell(*chunk, together=True)
        sums = agreement.sums_of(world.transfers)
        assert not difference(sums, Oracle(told).accounts(), told)
