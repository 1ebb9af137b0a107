"""What a lot's travels post: first weighing, dispatch, receipt, the difference, what is left."""

from itertools import permutations

import pytest

from custody.events import LotFact, LotWeighed
from tests.support.asof import sums
from tests.support.facts import Maker, corrected, tick
from tests.support.oracle.books import Oracle
from tests.support.world import World, amounts

LEG = ("MINE", "DEPOT")


def trip(maker: Maker, minute: float, name: str, sent_kg: int, got_kg: int) -> list[LotFact]:
    out = {"movement_id": name, "device_id": "WB-1"}
    back = {"movement_id": name, "device_id": "WB-2"}
    return [
        maker.weighing("MINE", minute, "dispatch", sent_kg + 15_000, 15_000, **out),
        maker.move("dispatch", "MINE", minute + 5, LEG, movement_id=name),
        maker.move("receipt", "DEPOT", minute + 60, LEG, movement_id=name),
        maker.weighing("DEPOT", minute + 65, "receipt", got_kg + 15_000, 15_000, **back),
    ]


def assayed(maker: Maker) -> list[LotFact]:
    return [maker.assay("MINE", -60, {"Cu": (0.02, 0.0002)}, (0.10, 0.002))]


def test_a_trip_in_four_steps() -> None:
    maker, world = Maker(), World()
    world.tell(*assayed(maker))
    weighed, left, came, received = trip(maker, 0, "M-1", 30_000, 29_950)
    world.tell(weighed)
    assert world.sums()["lot/L-1/MINE"]["wet"] == 30_000_000
    world.tell(left)
    assert "lot/L-1/MINE" not in world.sums()
    assert world.balances["lot/L-1/MINE"].status == "empty"
    assert world.sums()["lot/L-1/transit"] == {
        "wet": 30_000_000,
        "dry": 27_000_000,
        "Cu": 540_000_000,
    }
    world.tell(came)
    assert world.sums()["lot/L-1/DEPOT"]["wet"] == 30_000_000
    world.tell(received)
    assert world.sums()["lot/L-1/DEPOT"] == {
        "wet": 29_950_000,
        "dry": 26_955_000,
        "Cu": 539_100_000,
    }
    assert world.sums()["unaccounted/MINE-DEPOT"] == {"wet": 50_000, "dry": 45_000, "Cu": 900_000}
    assert world.balances["lot/L-1/transit"].status == "empty"


def test_33_trucks_add_up_and_share_the_systematic_error_of_one_bridge() -> None:
    maker, world = Maker(), World()
    facts = assayed(maker)
    for truck in range(33):
        facts += trip(maker, truck * 10.0, f"M-{truck}", 30_000, 30_000)
    world.tell(*facts)
    balance = world.balances["lot/L-1/DEPOT"]
    assert balance.mass_wet_g == 33 * 30_000_000
    one = World()
    single = Maker("L-1")
    one.tell(*assayed(single), *trip(single, 0, "M-0", 30_000, 30_000))
    alone = one.balances["lot/L-1/DEPOT"]
    assert balance.mass_wet_u_random_g == pytest.approx(33**0.5 * alone.mass_wet_u_random_g)
    assert balance.mass_wet_u_systematic_g[0].u == pytest.approx(
        33 * alone.mass_wet_u_systematic_g[0].u
    )


def test_a_receipt_alone_comes_from_where_the_papers_say() -> None:
    maker, world = Maker(), World()
    world.tell(*trip(maker, 0, "M-1", 30_000, 29_950)[1:])
    assert world.sums()["origin/MINE"]["wet"] == -29_950_000
    assert world.sums()["lot/L-1/DEPOT"]["wet"] == 29_950_000


def test_onward_dispatch_empties_the_depot_and_the_rest_of_two_weighings_is_unaccounted() -> None:
    maker, world = Maker(), World()
    world.tell(*trip(maker, 0, "M-1", 30_000, 30_020))
    onward = {"movement_id": "M-2", "device_id": "WB-3"}
    world.tell(
        maker.weighing("DEPOT", 200, "dispatch", 44_960, 15_000, **onward),
        maker.move("dispatch", "DEPOT", 205, ("DEPOT", "PORT"), movement_id="M-2"),
    )
    assert world.balances["lot/L-1/DEPOT"].status == "empty"
    assert world.sums()["unaccounted/L-1"]["wet"] == 60_000
    assert world.sums()["lot/L-1/transit"]["wet"] == 29_960_000


def test_a_depot_that_still_holds_a_truckload_keeps_it() -> None:
    maker, world = Maker(), World()
    world.tell(*trip(maker, 0, "M-1", 30_000, 30_000), *trip(maker, 10, "M-2", 30_000, 30_000))
    world.tell(
        maker.weighing("DEPOT", 200, "dispatch", 45_000, 15_000, movement_id="M-3"),
        maker.move("dispatch", "DEPOT", 205, ("DEPOT", "PORT"), movement_id="M-3"),
    )
    assert world.balances["lot/L-1/DEPOT"].mass_wet_g == 30_000_000


def test_an_overdrawn_place_is_topped_up_with_a_finding() -> None:
    maker, world = Maker(), World()
    world.tell(*trip(maker, 0, "M-1", 30_000, 30_000))
    world.tell(
        maker.weighing("DEPOT", 200, "dispatch", 55_000, 15_000, movement_id="M-3"),
        maker.move("dispatch", "DEPOT", 205, ("DEPOT", "PORT"), movement_id="M-3"),
    )
    world.tell(tick(210), tick(211))
    assert world.findings == ["overdrawn"]
    assert [t.mass_wet_g for t in world.transfers if t.kind == "topped_up"] == [10_000_000]
    assert world.balances["lot/L-1/DEPOT"].status == "empty"


def test_stock_weighings_at_a_site_are_measurements_of_what_is_there() -> None:
    maker, world = Maker(), World()
    more = {"movement_id": None, "device_id": "WB-1"}
    world.tell(maker.weighing("MINE", 0, "stock", 45_000, 15_000, **more))
    world.tell(maker.weighing("MINE", 50, "stock", 44_900, 15_000, **more))
    assert world.sums()["origin/MINE"]["wet"] == -30_000_000
    assert world.sums()["lot/L-1/MINE"]["wet"] == 29_900_000
    assert world.sums()["unaccounted/L-1"]["wet"] == 100_000


def test_without_movement_ids_vehicle_and_order_pair_a_trip() -> None:
    maker, world = Maker(), World()
    facts = trip(maker, 0, "M-1", 30_000, 29_950)
    for fact in facts:
        object.__setattr__(fact, "movement_id", None)
        object.__setattr__(fact, "vehicle_id", "CGO 4417 AB")
    world.tell(*facts)
    assert world.sums()["lot/L-1/DEPOT"]["wet"] == 29_950_000
    assert world.sums()["unaccounted/MINE-DEPOT"]["wet"] == 50_000
    assert "pair_inferred" in world.findings


def test_a_corrected_weighing_restates_the_trip_and_names_what_it_replaces() -> None:
    maker, world = Maker(), World()
    facts = trip(maker, 0, "M-1", 30_000, 29_950)
    world.tell(*facts)
    before = len(world.transfers)
    world.tell(corrected(facts[3], "fix", net_g=30_010_000))
    undone = world.transfers[before:]
    named = [(t.replaces_kind, t.replaces_event_id) for t in undone if t.replaces_kind]
    assert named == [("receipt", facts[3].event_id), ("unaccounted", facts[3].event_id)]
    assert world.sums()["lot/L-1/DEPOT"]["wet"] == 30_010_000
    assert world.sums()["lot/L-1/DEPOT"] == amounts(world.balances["lot/L-1/DEPOT"])


def test_a_trip_that_was_withdrawn_and_begins_again_is_a_trip() -> None:
    """Its empty row was taken for one that exists: two later trucks became one."""
    maker, world = Maker(), World()
    first = maker.weighing("MINE", 0, "dispatch", 20_000, 15_000, movement_id=None)
    others = [
        maker.weighing("MINE", 5 + n, "dispatch", 20_000, 15_000, movement_id=None)
        for n in range(2)
    ]
    world.tell(first, corrected(first, "void", void=True), *others)
    assert world.sums()["lot/L-1/MINE"]["wet"] == 10_000_000


@pytest.mark.parametrize("vehicle", [None, "CGO 4417 AB"])
def test_without_movement_ids_each_weighing_out_is_a_load(vehicle: str | None) -> None:
    """A second ticket may be the same truck again or the next load: nothing in it says which."""
    maker, world = Maker(), World()
    out = {"movement_id": None, "vehicle_id": vehicle}
    world.tell(*[maker.weighing("MINE", n, "dispatch", 45_000, 15_000, **out) for n in (0, 300)])
    assert world.sums()["lot/L-1/MINE"]["wet"] == 60_000_000
    assert "weighed_twice" not in world.findings


@pytest.mark.parametrize("end", [0, 3])
@pytest.mark.parametrize("times", [2, 3])
def test_of_weighings_at_one_end_of_a_trip_the_last_counts_whichever_comes_last(
    end: int, times: int
) -> None:
    maker = Maker()
    facts = trip(maker, 0, "M-1", 30_000, 29_950)
    first = facts[end]
    assert isinstance(first, LotWeighed)
    more = [
        maker.weighing(first.site_id, 60 + 10 * n, first.purpose, 42_000 + 1_000 * n, 15_000)
        for n in range(1, times)
    ]
    for order in permutations([first, *more]):
        world = World()
        world.tell(*[fact for fact in facts if fact is not first], *order)
        [found] = [a for a in world.alerts.values() if a.rule == "weighed_twice"]
        assert (found.state, found.version) == ("open", 1)
        text = f"trip M-1: its {first.purpose} is weighed more than once; the last one counts"
        assert found.reason == text
        account = "origin/MINE" if end == 0 else "lot/L-1/DEPOT"
        assert abs(world.sums()[account]["wet"]) == more[-1].net_g
    assert Oracle([*facts, *more]).findings() == {("weighed_twice", "lot/L-1")}


def test_where_another_weighing_takes_the_place_of_one_withdrawn_the_finding_still_holds() -> None:
    maker, world = Maker(), World()
    again = maker.weighing("MINE", 3, "dispatch", 45_000, 15_000)
    third = maker.weighing("MINE", 4, "dispatch", 46_000, 15_000)
    world.tell(*trip(maker, 0, "M-1", 30_000, 29_950), again)
    world.tell(corrected(again, "void", void=True), third, together=True)
    [found] = [a for a in world.alerts.values() if a.rule == "weighed_twice"]
    assert found.state == "open"
    assert again.event_id not in found.reason


def test_a_correction_is_no_second_weighing_and_takes_the_finding_back() -> None:
    maker, world = Maker(), World()
    facts = trip(maker, 0, "M-1", 30_000, 29_950)
    again = maker.weighing("MINE", 3, "dispatch", 45_000, 15_000)
    world.tell(*facts, corrected(facts[0], "fix", net_g=29_990_000))
    assert world.alerts == {}
    world.tell(again)
    world.tell(corrected(again, "void", void=True))
    assert [(a.rule, a.state) for a in world.alerts.values()] == [("weighed_twice", "retracted")]


def test_a_load_weighed_only_where_it_arrived_left_when_its_papers_say() -> None:
    maker, world = Maker(), World()
    world.tell(*trip(maker, 0, "M-1", 30_000, 30_000))
    left = maker.move("dispatch", "DEPOT", 100, ("DEPOT", "PORT"), movement_id="M-2")
    world.tell(maker.weighing("PORT", 400, "receipt", 35_000, 15_000, movement_id="M-2"), left)
    standing = {t.kind: t for t in world.transfers if t.movement_id == "M-2"}
    assert standing["dispatch"].effective_at == left.occurred_at
    between = sums(world.transfers, left.occurred_at, standing["dispatch"].known_at)
    assert between["lot/L-1/transit", "wet"] == 20_000_000
    assert between["lot/L-1/DEPOT", "wet"] == 10_000_000
    assert world.sums()["lot/L-1/PORT"]["wet"] == 20_000_000
    assert "lot/L-1/transit" not in world.sums()
