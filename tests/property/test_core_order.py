"""The core's first law: the state is a function of the set of facts."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from custody import flow_pages
from custody.events import ActionTaken, LotFact
from custody.fold import Row
from custody.lot_rows import FeedRow, FlowsRow, MaterialRow, PlaceRow, StationRow, TripRow
from custody.records import Alert, Balance
from tests.support import histories
from tests.support.facts import last_ticks, tick
from tests.support.world import World, amounts

ANY_ORDER = settings(max_examples=50, deadline=None)


def perfect(facts: list[LotFact], held: Sequence[ActionTaken] = ()) -> World:
    """The world that was told everything in order, and then that all time is over."""
    world = World()
    world.tell(*histories.references(), *held)
    world.tell(*sorted(facts, key=lambda f: (f.occurred_at, f.recorded_at, f.event_id)))
    world.tell(*last_ticks())
    return world


def books(world: World) -> dict[str, Row]:
    """The rows that the facts add up to; one that holds nothing may be there or not."""
    kinds = ("material/", "station/", "trip/", "place/", "flows/", "feed/")
    empty = (TripRow(), PlaceRow(), FlowsRow(), FeedRow(), StationRow(), MaterialRow())
    return {k: row for k, row in world.rows.items() if k.startswith(kinds) and row not in empty}


def timeless(balances: dict[str, Balance]) -> dict[str, Balance]:
    """Balances that hold something, without when and under which number they were said."""
    return {
        account: replace(b, n=0, at=0, known_at=0)  # type: ignore[arg-type]
        for account, b in balances.items()
        if amounts(b)
    }


def alarms(alerts: dict[str, Alert]) -> dict[str, str]:
    """Open alerts and what they suspect; sizes are said again only when evidence grows tenfold."""
    return {i: a.family for i, a in alerts.items() if a.state == "open"}


@ANY_ORDER
@given(st.data())
def test_any_order_repetition_and_cut_ends_where_perfect_order_ends(data: st.DataObject) -> None:
    """Also where a place is kept in several rows."""
    with patch.object(flow_pages, "FLOWS_MAX", data.draw(st.sampled_from((1, 2, 256)))):
        _ends_where_perfect_order_ends(data)


def _ends_where_perfect_order_ends(data: st.DataObject) -> None:
    facts, held = data.draw(histories.history()), data.draw(histories.holds())
    expected = perfect(facts, held)
    world = World()
    world.tell(*histories.references())
    chunks = data.draw(histories.arrivals(facts))
    acted = data.draw(st.integers(0, len(chunks)))
    for number, chunk in enumerate(chunks):
        if number == acted:
            world.tell(*held)
        world.tell(*chunk, together=True)
        ticked = data.draw(st.none() | st.integers(0, 120))
        if ticked is not None:
            silent = ("GW-9",) if data.draw(st.booleans()) else ()
            world.tell(tick(float(ticked), *silent))
    if acted == len(chunks):
        world.tell(*held)
    world.tell(*last_ticks())
    assert books(world) == books(expected)
    assert world.sums() == expected.sums()
    assert timeless(world.balances) == timeless(expected.balances)
    assert alarms(world.alerts) == alarms(expected.alerts)


@ANY_ORDER
@given(histories.history())
def test_every_balance_is_the_sum_of_its_transfers_after_every_step(facts: list[LotFact]) -> None:
    world = World()
    for fact in facts:
        world.tell(fact)
        sums = world.sums()
        for account, balance in world.balances.items():
            assert sums.get(account, {}) == amounts(balance)
        assert not [a for a in sums if a.startswith("lot/") and a not in world.balances]


@ANY_ORDER
@given(histories.history())
def test_replaying_everything_changes_nothing(facts: list[LotFact]) -> None:
    world = perfect(facts)
    rows, said = dict(world.rows), len(world.outputs)
    world.tell(*facts)
    assert world.rows == rows
    assert len(world.outputs) == said


@ANY_ORDER
@given(st.data())
def test_a_fact_and_its_correction_equal_the_corrected_fact_alone(data: st.DataObject) -> None:
    facts = data.draw(histories.history())
    targets = {f.corrects for f in facts}
    voided = {f.event_id for f in facts if f.void}
    if any(f.corrects in voided and not f.void for f in facts):
        return  # a correction of a withdrawal states anew: it has no fact it equals
    alone = [
        replace(f, corrects=None)
        for f in facts
        if f.event_id not in targets and not f.void and f.corrects not in voided
    ]
    competing = [f.corrects for f in facts if f.corrects is not None]
    if len(set(competing)) < len(competing):
        return  # of several corrections of one fact only the greatest speaks: another test
    if not alone:
        return
    assert perfect(facts).sums() == perfect(alone).sums()


@ANY_ORDER
@given(histories.history())
def test_compensations_negate_what_they_name(facts: list[LotFact]) -> None:
    world = World()
    world.tell(*facts)
    standing: dict[tuple[str, str, str, str], tuple[int, ...]] = {}
    for t in world.transfers:
        values = (t.mass_wet_g, t.mass_dry_g, *(m.value_mg for m in t.metals))
        if t.replaces_event_id is None or t.replaces_kind is None:
            standing[t.kind, t.cause_event_id, t.debit, t.credit] = values
        else:
            key = (t.replaces_kind, t.replaces_event_id, t.debit, t.credit)
            assert tuple(-v for v in values) == standing.pop(key)


@settings(max_examples=10, deadline=None)
@given(histories.history())
def test_the_books_know_no_number_of_a_gateway(facts: list[LotFact]) -> None:
    """Facts of two gateways under one number count both, as they have a row each."""
    world = perfect([replace(f, gateway_epoch=1, gateway_seq=1) for f in facts])
    expected = perfect(facts)
    assert world.sums() == expected.sums()
    assert timeless(world.balances) == timeless(expected.balances)
