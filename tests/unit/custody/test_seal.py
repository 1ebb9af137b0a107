"""A lot of 500 facts is sealed: what then comes last still counts, what comes late is only kept.

Source: docs/ledger.md, "Which facts stand". The lot here is a stock weighed again and again, so
that what it holds is what its last weighing says.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from custody import sealing
from custody.core import CustodyFold
from custody.events import LotFact, LotWeighed, Micros
from custody.factset import unnamed
from custody.ids import BETWEEN
from custody.lot_rows import LotRow
from custody.rechecking import CHANGED
from custody.records import Sighting
from custody.reduce import reduced
from custody.sealing import FACTS_MAX
from tests.support.facts import Maker, Read, corrected, event_id
from tests.support.instruments import reference
from tests.support.world import World

FULL_KG = 10_000 + FACTS_MAX - 1
"""Net of the last weighing of a full lot."""


def stock(maker: Maker, minute: float, net_kg: int) -> LotWeighed:
    return maker.weighing("MINE", minute, "stock", net_kg + 15_000, 15_000, movement_id=None)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def full(maker: Maker) -> tuple[World, list[LotWeighed]]:
    """A lot with as many facts as it takes, one every ten minutes, each a kilogram more."""
    facts = [stock(maker, 10.0 * no, 10_000 + no) for no in range(FACTS_MAX)]
    world = World()
    world.tell(*facts, together=True)
    return world, facts


def head(world: World) -> LotRow:
    row = world.rows["lot/L-1"]
    assert isinstance(row, LotRow)
    return row


def kept(world: World) -> tuple[set[str], set[str]]:
    """Ids of facts that count, and of those that came too late."""
    found = []
    for kind in ("fact", "sealed"):
        prefix = f"{kind}/L-1{BETWEEN}"
        found.append({key[len(prefix) :] for key in world.rows.scan(prefix)})
    return found[0], found[1]


def ids(facts: Sequence[LotFact]) -> set[str]:
    return {fact.event_id for fact in facts}


def wet_kg(world: World) -> float:
    return world.sums()["lot/L-1/MINE"]["wet"] / 1000


def test_a_full_lot_has_nothing_to_say_of_it(full: tuple[World, list[LotWeighed]]) -> None:
    world, facts = full
    assert (head(world).facts, head(world).sealed) == (FACTS_MAX, 0)
    assert kept(world) == (ids(facts), set())
    assert wet_kg(world) == FULL_KG
    assert "beyond_seal" not in world.findings


def test_the_last_place_below_the_seal_is_still_taken_late(maker: Maker) -> None:
    """499 facts and one that comes before all of them: folded anew, and counted as any."""
    facts = [stock(maker, 10.0 * no, 10_000 + no) for no in range(FACTS_MAX - 1)]
    late = stock(maker, -10, 9_000)
    world = World()
    world.tell(*facts, together=True)
    world.tell(late)
    assert kept(world) == (ids([*facts, late]), set())
    assert world.sums()["origin/MINE"]["wet"] == -9_000_000


def test_what_comes_last_counts_beyond_500_facts(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, facts = full
    more = [stock(maker, 10.0 * (FACTS_MAX + no), 20_000 + no) for no in range(2)]
    world.tell(*more)
    assert kept(world) == (ids([*facts, *more]), set())
    assert wet_kg(world) == 20_001
    assert "beyond_seal" not in world.findings


def test_a_late_fact_is_kept_and_counted_and_changes_nothing(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, facts = full
    late = stock(maker, 15, 50_000)
    before, said = world.sums(), len(world.transfers)
    world.tell(late)
    assert kept(world) == (ids(facts), {late.event_id})
    assert world.rows[f"sealed/L-1{BETWEEN}{late.event_id}"] == unnamed(reduced(late))
    assert (world.sums(), len(world.transfers)) == (before, said)
    assert (head(world).facts, head(world).sealed) == (FACTS_MAX, 1)


def open_alerts(world: World) -> list[tuple[str, str]]:
    """Rule and subject of the alerts that are open."""
    return [(a.rule, a.subject) for a in world.alerts.values() if a.state == "open"]


def details(world: World) -> list[str]:
    return [f.detail for f in head(world).findings if f.rule == "beyond_seal"]


SAID = [("beyond_seal", "lot/L-1")]


def test_it_is_said_once_as_an_alert_and_a_finding_that_count_them(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, _ = full
    world.tell(stock(maker, 15, 50_000), stock(maker, 25, 50_000))
    assert world.findings.count("beyond_seal") == 1
    assert open_alerts(world) == SAID
    [detail] = details(world)
    assert detail.startswith("facts came after the lot had 500, and not last, or would have begun")


def test_a_late_fact_said_again_is_counted_once(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, facts = full
    late = stock(maker, 15, 50_000)
    world.tell(late, late, together=True)
    world.tell(late)
    assert kept(world) == (ids(facts), {late.event_id})
    assert head(world).sealed == 1


def test_facts_the_lot_has_are_repeated_and_not_late(
    full: tuple[World, list[LotWeighed]],
) -> None:
    world, facts = full
    world.tell(facts[3], facts[-1])
    assert kept(world) == (ids(facts), set())
    assert "beyond_seal" not in world.findings
    assert world.findings.count("duplicate_event") == 2


def test_a_copy_that_differs_from_a_fact_the_lot_has_is_kept_and_changes_nothing(
    full: tuple[World, list[LotWeighed]],
) -> None:
    """It is the earlier of the two, so in a lot that is not full it would stand."""
    world, facts = full
    copy = replace(facts[-1], recorded_at=Micros(facts[-1].recorded_at - 1), net_g=1_000)
    world.tell(copy)
    world.tell(copy, facts[-1], together=True)
    assert kept(world) == (ids(facts), ids([copy]))
    assert world.rows[f"sealed/L-1{BETWEEN}{copy.event_id}"] == unnamed(reduced(copy))
    assert wet_kg(world) == FULL_KG
    assert (head(world).facts, head(world).sealed) == (FACTS_MAX, 1)
    assert open_alerts(world) == SAID


def test_a_copy_that_would_not_stand_anyway_is_a_repetition(
    full: tuple[World, list[LotWeighed]],
) -> None:
    world, facts = full
    world.tell(replace(facts[-1], recorded_at=Micros(facts[-1].recorded_at + 1)))
    assert kept(world) == (ids(facts), set())
    assert wet_kg(world) == FULL_KG
    assert world.findings.count("duplicate_event") == 1


def test_one_that_says_something_else_is_found_once_and_a_third_is_sealed(
    full: tuple[World, list[LotWeighed]],
) -> None:
    world, facts = full
    second, third = (
        replace(facts[-1], recorded_at=Micros(facts[-1].recorded_at + later), net_g=1_000 + later)
        for later in (2, 1)
    )
    world.tell(second)
    assert open_alerts(world) == [("event_id_conflict", "lot/L-1")]
    assert (kept(world), wet_kg(world)) == ((ids(facts), set()), FULL_KG)
    said = len(world.alerts)
    world.tell(second)
    assert (len(world.alerts), head(world).sealed) == (said, 0)
    world.tell(third)
    assert set(open_alerts(world)) == {("event_id_conflict", "lot/L-1"), *SAID}
    assert (wet_kg(world), head(world).sealed) == (FULL_KG, 1)


def test_late_and_last_facts_of_one_chunk_are_each_taken_as_alone(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    """The last one makes the rows anew; the late one must not be lost with the old ones."""
    world, facts = full
    late, last = stock(maker, 15, 50_000), stock(maker, 10.0 * FACTS_MAX, 20_000)
    world.tell(late, last, together=True)
    assert kept(world) == (ids([*facts, last]), {late.event_id})
    assert wet_kg(world) == 20_000
    world.tell(late)
    assert head(world).sealed == 1


def test_a_late_fact_beside_another_version_of_reference_data_is_kept(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, _ = full
    late = stock(maker, 15, 50_000)
    asked = Sighting(
        sender="",
        n=0,
        cause_event_id=event_id("reference"),
        thing="lot/L-1",
        lot_id="L-1",
        site_id=None,
        occurred_at=late.occurred_at,
        known_at=late.recorded_at,
        quantity=CHANGED,
        value=None,
        u=None,
        text="ref/device/WB-MINE",
    )
    entries = [Read(late), Read(asked)]
    step = CustodyFold().step("lot/L-1", head(world), entries, world.rows)
    assert step.rows[f"sealed/L-1{BETWEEN}{late.event_id}"] == unnamed(reduced(late))


def test_a_correction_of_a_counted_fact_is_kept_and_changes_nothing(
    full: tuple[World, list[LotWeighed]],
) -> None:
    world, facts = full
    fix = corrected(facts[-1], "fix", minutes=1e6, net_g=1_000)
    void = corrected(facts[-1], "void", minutes=1e6, void=True)
    world.tell(fix, void)
    assert kept(world) == (ids(facts), ids([fix, void]))
    assert wet_kg(world) == FULL_KG
    assert open_alerts(world) == SAID


def test_a_correction_of_a_late_fact_is_kept_beside_it_and_changes_nothing(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, facts = full
    late = stock(maker, 15, 50_000)
    fix = corrected(late, "fix", net_g=1_000)
    void = corrected(fix, "void", void=True)
    for fact in (late, fix, void):
        world.tell(fact)
    assert kept(world) == (ids(facts), ids([late, fix, void]))
    assert wet_kg(world) == FULL_KG
    assert head(world).sealed == 3
    assert "correction_target_unseen" not in world.findings


def test_a_correction_before_its_late_target_is_kept_too(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    world, facts = full
    late = stock(maker, 15, 50_000)
    fix = corrected(late, "fix", net_g=1_000)
    world.tell(fix, late)
    assert kept(world) == (ids(facts), ids([fix, late]))
    assert wet_kg(world) == FULL_KG


def test_another_version_of_reference_data_leaves_late_facts_late(
    maker: Maker, full: tuple[World, list[LotWeighed]]
) -> None:
    """The lot is folded anew from the facts that count; what is said of the others stands."""
    world, facts = full
    late = stock(maker, 15, 50_000)
    world.tell(late)
    asked = [key for key in world.rows.scan("use/") if "WB-MINE" in key]
    assert asked
    world.tell(reference("device", "WB-MINE", {"class": "III", "interval_kg": 50}))
    assert kept(world) == (ids(facts), {late.event_id})
    assert head(world).sealed == 1
    assert open_alerts(world) == SAID


def dispatches(maker: Maker, count: int) -> list[LotFact]:
    """One truckload after another."""
    return [
        maker.weighing("MINE", 1 + no, "dispatch", 45_000, 15_000, movement_id=f"M-{no}")
        for no in range(count)
    ]


def test_a_lot_takes_so_many_trips_and_keeps_what_would_begin_more(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """43,000 tickets of one lot once made a step too large for Kafka, and ended every worker."""
    monkeypatch.setattr(sealing, "TRIPS_MAX", 20)
    tickets = dispatches(maker, 50)
    known = maker.move("dispatch", "MINE", 100, ("MINE", "PORT"), movement_id="M-3")
    orders = ([*tickets, known], [tickets[7], *tickets, known, tickets[40]], [*tickets, known] * 2)
    for order in orders:
        for together in (True, False):
            world = World()
            world.tell(*order, together=together)
            assert (head(world).trips, head(world).sealed) == (20, 30)
            assert kept(world) == (ids([*tickets[:20], known]), ids(tickets[20:]))
            assert ("beyond_seal", "lot/L-1") in world.open_rules()
            assert world.sums()["lot/L-1/transit"]["wet"] == 30_000_000


def test_a_late_ticket_folds_a_full_lot_anew_and_loses_none(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "TRIPS_MAX", 20)
    tickets = dispatches(maker, 30)
    late = maker.assay("MINE", 0.5, {"Cu": (0.02, 0.0002)}, (0.1, 0.002))
    world = World()
    world.tell(*tickets[:25], together=True)
    world.tell(late, *tickets[25:], together=True)
    assert (head(world).trips, head(world).sealed) == (20, 10)
    assert kept(world) == (ids([*tickets[:20], late]), ids(tickets[20:]))
