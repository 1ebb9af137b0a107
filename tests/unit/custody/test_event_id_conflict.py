"""Two events under one id: which counts, who is named, and what settles it."""

from dataclasses import replace
from itertools import permutations

import pytest

from custody.events import LotFact, LotWeighed, Micros
from custody.factset import CONFLICTS_MAX, standing
from custody.reduce import reduced
from custody.rows import FactRow
from tests.support.facts import MINUTE, Maker, corrected
from tests.support.oracle.books import Oracle
from tests.support.world import World

RULE = "event_id_conflict"
LOT = "lot/L-1"
LEG = ("MINE", "SMELTER")


@pytest.fixture
def told() -> tuple[list[LotFact], LotWeighed, LotWeighed]:
    """A load, its receipt of 25 t, and what a cheat at the mine sent before it under its id."""
    maker = Maker()
    way: list[LotFact] = [
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.move("dispatch", "MINE", 2, LEG),
        maker.move("receipt", "SMELTER", 590, LEG),
    ]
    receipt = maker.weighing("SMELTER", 600, "receipt", 40_000, 15_000)
    cheat = replace(
        maker.weighing("MINE", -10, "check", 45_000, 15_000),
        event_id=receipt.event_id,
        gateway_id="GW-DROP",
    )
    return way, receipt, cheat


def of_conflict(world: World) -> list[tuple[str, str, str]]:
    """Severity, state and reason of what the world was told of the conflict."""
    return [(a.severity, a.state, a.reason) for a in world.alerts.values() if a.rule == RULE]


def test_a_taken_id_is_a_critical_alert_that_names_both_in_any_order(
    told: tuple[list[LotFact], LotWeighed, LotWeighed],
) -> None:
    way, receipt, cheat = told
    sums = set()
    for together in (True, False):
        for order in permutations([receipt, cheat, *way[1:]]):
            world = World()
            world.tell(way[0], *order, together=together)
            [(severity, state, reason)] = of_conflict(world)
            assert (severity, state) == ("critical", "open")
            assert reason == (
                "two events have one id; the earlier counts, by gateway GW-DROP of site MINE;"
                " the later does not, by gateway GW-1 of site SMELTER; they differ in"
                " occurred_at, site, purpose, device, gross, net"
            )
            sums.add(str(sorted(world.sums().items())))
    assert len(sums) == 1
    assert (RULE, LOT) in Oracle([*way, receipt, cheat]).findings()


def test_a_repeat_by_another_gateway_is_silent(
    told: tuple[list[LotFact], LotWeighed, LotWeighed],
) -> None:
    way, receipt, _ = told
    again = replace(
        receipt,
        gateway_id="GW-2",
        gateway_seq=77,
        recorded_at=Micros(receipt.recorded_at - MINUTE),
        source_ref="carried",
    )
    world = World()
    world.tell(*way, receipt, again)
    world.tell(again)
    assert not of_conflict(world)
    assert not Oracle([*way, receipt, again]).findings()


@pytest.mark.parametrize("void", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_correction_or_void_of_the_id_settles_it(
    told: tuple[list[LotFact], LotWeighed, LotWeighed], *, void: bool, is_first: bool
) -> None:
    way, receipt, cheat = told
    word = corrected(receipt, "word", void=void)
    world = World()
    if is_first:
        world.tell(*way, word, receipt, cheat)
    else:
        world.tell(*way, receipt, cheat)
        assert RULE in {rule for rule, _ in world.open_rules()}
        world.tell(word)
        [(_, state, reason)] = of_conflict(world)
        assert state == "retracted"
        assert f"event {word.event_id}" in reason
    assert RULE not in {rule for rule, _ in world.open_rules()}
    assert (RULE, LOT) not in Oracle([*way, receipt, cheat, word]).findings()
    came = world.sums().get("lot/L-1/SMELTER", {"wet": 0})["wet"]
    assert came == (30_000_000 if void else 25_000_000)


def test_of_three_the_first_two_that_differ_are_named_and_two_rows_are_kept(
    told: tuple[list[LotFact], LotWeighed, LotWeighed],
) -> None:
    way, receipt, cheat = told
    others = [
        replace(receipt, net_g=24_000_000 - no, recorded_at=Micros(receipt.recorded_at + no))
        for no in range(1, 4)
    ]
    reasons = set()
    for order in permutations([*others, cheat]):
        world = World()
        world.tell(*way, *order)
        reasons.add(of_conflict(world)[0][2])
        rows = [row for row in world.rows.values() if isinstance(row, FactRow) and row.rival]
        assert [row.rival.weighed.net for row in rows if row.rival and row.rival.weighed] == [
            23_999_999
        ]
    assert len(reasons) == 1


def test_two_sides_of_a_process_under_one_id_are_found_and_settled() -> None:
    maker = Maker()
    world = World()
    whole = maker.side("PLANT", 0, "input", "P-1", mass_wet_g=1_000_000)
    out = replace(
        maker.side("PLANT", 5, "output", "P-1", mass_wet_g=900_000),
        lot_id=None,
        output_lot_id="L-2",
    )
    other = replace(out, gateway_id="GW-DROP", mass_wet_g=500_000, part_no=3)
    world.tell(whole, out, replace(out, part_no=2, gateway_id="GW-2"))
    assert not of_conflict(world)
    world.tell(other)
    assert (RULE, "process/P-1") in world.open_rules()
    assert (RULE, "process/P-1") in Oracle([whole, out, other]).findings()
    world.tell(corrected(out, "word", mass_wet_g=900_000))
    assert (RULE, "process/P-1") not in world.open_rules()


def test_each_id_with_two_events_is_said_where_corrections_join_several() -> None:
    """Two corrections of one output, each under an id that has another event: two alerts."""
    maker, world = Maker(), World()
    out = replace(
        maker.side("PLANT", 5, "output", "P-1", mass_wet_g=900_000),
        lot_id=None,
        output_lot_id="L-2",
    )
    words = [corrected(out, name, mass_wet_g=800_000) for name in ("one", "two")]
    others = [replace(word, gateway_id="GW-DROP", mass_wet_g=500_000) for word in words]
    world.tell(out, *words, *others)
    alerts = [a for a in world.alerts.values() if a.rule == RULE]
    assert [(a.subject, a.state) for a in alerts] == [("process/P-1", "open")] * 2
    assert world.findings.count(RULE) == 2
    world.tell(corrected(words[0], "last", mass_wet_g=700_000))
    states = sorted(a.state for a in world.alerts.values() if a.rule == RULE)
    assert states == ["open", "retracted"]


def test_which_side_of_a_process_counts_is_the_same_in_any_order_and_rivals_take_no_rows() -> None:
    maker = Maker()
    out = replace(
        maker.side("PLANT", 5, "output", "P-1", mass_wet_g=900_000),
        lot_id=None,
        output_lot_id="L-2",
    )
    rivals = [
        replace(out, mass_wet_g=500_000 + no, recorded_at=Micros(out.recorded_at + no))
        for no in (3, 2, 1)
    ]
    said = set()
    for order in permutations([out, *rivals]):
        world = World()
        world.tell(*order)
        said.add(of_conflict(world)[0][2] + str(sorted(world.sums().items())))
        if order[0] is out:
            assert sum(key.startswith("side/") for key in world.rows) == 1
    assert len(said) == 1


def test_more_conflicts_than_are_named_are_counted() -> None:
    maker = Maker()
    facts = []
    for no in range(CONFLICTS_MAX + 2):
        fact = reduced(maker.weighing("MINE", no, "stock", 20_000, 15_000))
        facts.append(replace(fact, rival=replace(fact, head=fact.head._replace(at=Micros(1)))))
    findings = [one for one in standing(facts)[2] if one.rule == RULE]
    assert len(findings) == CONFLICTS_MAX + 1
    assert findings[-1].about == "more"
    assert findings[-1].detail.startswith("2 more ids")
