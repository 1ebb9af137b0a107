"""Things that lots share: who has been seen with them, and what cannot be."""

from dataclasses import replace
from itertools import permutations

import pytest

from custody import things
from custody.events import ActionTaken, LotFact, Micros
from custody.records import Alert, Sighting
from custody.things import SeenRow
from tests.support.chain_references import record
from tests.support.facts import MINUTE, T0, Maker, corrected, event_id, tick
from tests.support.world import World

PORT = ("DEPOT", "PORT")
LEG = ("MINE", "DEPOT")


def left(lot: str, minute: float, movement: str, *seals: str, **more: object) -> LotFact:
    maker, site = Maker(lot, count=round(minute)), str(more.pop("site", "MINE"))
    ends = (site, "NEXT")
    return maker.move("dispatch", site, minute, ends, movement_id=movement, seals=seals, **more)


def open_in_any_order(*facts: LotFact) -> set[tuple[str, str]]:
    """Rules and subjects that are open, the same however the facts arrive."""
    found = []
    for order in permutations(facts):
        world = World()
        world.tell(*order)
        found.append(world.open_rules())
    assert all(one == found[0] for one in found)
    return found[0]


def test_a_seal_on_two_loads_of_two_lots_is_reused() -> None:
    facts = [left("A", 0, "M-1", "S-1"), left("B", 50, "M-2", "S-1")]
    assert open_in_any_order(*facts) == {("seal_reused", "seal/S-1")}
    world = World()
    world.tell(*facts)
    [alert] = world.alerts.values()
    assert (alert.family, alert.lot_id, alert.statistic) == ("custody_gap", None, "rule")
    assert alert.reason == (
        "seal S-1 sealed two loads that have nothing to do with each other: "
        "lot A from MINE and lot B from MINE"
    )
    world.tell(corrected(facts[1], "other", seals=("S-2",)))
    assert world.open_rules() == set()


def test_a_seal_may_go_with_several_lots_of_one_load_and_over_several_movements() -> None:
    assert not open_in_any_order(
        left("A", 0, "M-1", "S-1"),
        left("B", 0, "M-1", "S-1"),
        left("A", 50, "M-2", "S-1", site="DEPOT"),
        left("B", 51, "M-2", "S-1", site="DEPOT"),
    )


def test_a_seal_put_on_twice_at_one_site_is_reused_though_the_lot_is_one() -> None:
    facts = [left("A", 0, "M-1", "S-1"), left("A", 50, "M-2", "S-1")]
    assert open_in_any_order(*facts) == {("seal_reused", "seal/S-1")}


def test_a_tag_of_two_lots_is_reused_until_one_declaration_is_withdrawn() -> None:
    one, other = Maker("A"), Maker("B")
    facts = [
        one.lot("MINE", 0, {}, tags=("ZN-1", "ZN-2")),
        other.lot("MINE", 9, {}, tags=("ZN-2",)),
    ]
    assert open_in_any_order(*facts) == {("tag_reused", "tag/ZN-2")}
    world = World()
    world.tell(*facts, corrected(facts[0], "void", void=True))
    assert world.open_rules() == set()


@pytest.mark.parametrize(
    ("lot", "sample", "found"),
    [("A", "S-1", False), ("A", "S-2", True), ("A", None, False), ("B", "S-1", True)],
)
def test_a_certificate_is_of_one_lot_and_sample(
    lot: str, sample: str | None, *, found: bool
) -> None:
    first, again = (
        maker.assay(
            "MINE", 0, {"Cu": (0.02, None)}, sample_id=of, certificate_no="A-9917", lab_id="LAB"
        )
        for maker, of in ((Maker("A"), "S-1"), (Maker(lot, count=7), sample))
    )
    wanted = {("certificate_reused", "certificate/LAB|A-9917")}
    assert open_in_any_order(first, again) == (wanted if found else set())


def sites(world: World) -> None:
    for number, (name, lon) in enumerate((("MINE", 25.0), ("DEPOT", 27.0), ("PORT", 29.0))):
        world.tell(record(("site", name), {"name": name, "lat": -10.0, "lon": lon}, 50 + number))


def weighed(lot: str, site: str, minute: float, vehicle: str = "CGO 1") -> LotFact:
    more = {"movement_id": f"{lot}-{minute}", "vehicle_id": vehicle}
    maker = Maker(lot, count=round(minute))
    return maker.weighing(site, minute, "dispatch", 45_000, 15_000, **more)


@pytest.mark.parametrize(("minute", "found"), [(300, False), (60, True)])
def test_a_vehicle_cannot_be_at_two_sites_at_once(minute: float, *, found: bool) -> None:
    """219 km: less five, at 130 km/h, take 99 minutes."""
    facts = [weighed("A", "MINE", 0), weighed("B", "DEPOT", minute), weighed("C", "DEPOT", 400)]
    world = World()
    for order in permutations(facts):
        world = World()
        world.tell(*order)
        assert world.open_rules() == set(), "nobody said where the sites lie"
        sites(world)
        wanted = {("vehicle_in_two_places", "vehicle/CGO 1")} if found else set()
        assert world.open_rules() == wanted
    if found:
        world.tell(corrected(facts[1], "other", vehicle_id="CGO 2"))
        assert world.open_rules() == set()


def test_a_vehicle_keeps_what_can_still_matter_and_what_it_was_found_by() -> None:
    world, week = World(), 7 * 24 * 60
    sites(world)
    world.tell(weighed("A", "MINE", 0), weighed("B", "DEPOT", 60), weighed("C", "MINE", 1_000))
    world.tell(weighed("D", "MINE", 2 * week), weighed("E", "DEPOT", 2 * week + 300))
    row = world.rows["vehicle/CGO 1"]
    assert isinstance(row, SeenRow)
    assert [one.lot for one in row.seen] == ["A", "B", "D", "E"]
    assert world.open_rules() == {("vehicle_in_two_places", "vehicle/CGO 1")}


def test_a_thing_that_everybody_has_keeps_a_bounded_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(things, "SEEN_MAX", 3)
    world = World()
    world.tell(*[left(f"L-{n}", n, f"M-{n}", "NONE") for n in range(10)])
    row = world.rows["seal/NONE"]
    assert isinstance(row, SeenRow)
    assert [one.lot for one in row.seen] == ["L-0", "L-1", "L-2"]
    assert len([o for o in world.outputs if isinstance(o, Alert)]) == 1


def test_what_did_not_change_is_not_said_again() -> None:
    world, maker = World(), Maker()
    fact = maker.move("dispatch", "MINE", 5, LEG, seals=("S-1",), vehicle_id="CGO 1")
    world.tell(fact, maker.weighing("MINE", 1, "dispatch", 45_000, 15_000), fact)
    said = [o for o in world.outputs if isinstance(o, Sighting)]
    assert sorted((s.thing, s.quantity) for s in said) == [
        ("seal/S-1", "seen"),
        ("vehicle/CGO 1", "seen"),
    ]


def test_a_person_may_act_on_the_alert_of_a_thing() -> None:
    world = World()
    world.tell(left("A", 0, "M-1", "S-1"), left("B", 50, "M-2", "S-1"))
    [alert] = world.alerts.values()
    action = ActionTaken(
        event_id=event_id("act"), gateway_id="GW-1", gateway_epoch=1, gateway_seq=1,
        action="acknowledge", alert_id=alert.alert_id, version=1, subject="seal/S-1",
        actor="inspector", reason=None, recorded_at=Micros(T0 + MINUTE),
    )  # fmt: skip
    world.tell(action, replace(action, event_id=event_id("none"), alert_id=event_id("none")))
    assert [a.state for a in world.alerts.values()] == ["acknowledged"]
    assert world.findings[-1] == "action_without_alert"


def test_a_silent_gateway_is_said_once_and_taken_back_when_it_is_heard() -> None:
    world = World()
    world.tell(record(("gateway", "GW-1"), {"site": "MINE"}, 2))

    def states() -> list[tuple[int, str]]:
        return [(o.version, o.state) for o in world.outputs if isinstance(o, Alert)]

    world.tell(tick(10, "GW-1"), tick(10.1, "GW-1", partition=1), tick(11, "GW-1"))
    assert states() == [(1, "open")]
    assert world.open_rules() == {("site_silent", "gateway/GW-1")}
    [alert] = world.alerts.values()
    assert alert.reason == (
        "gateway GW-1 of MINE has sent no head for 3 minutes; what waits for it waits"
    )
    world.tell(tick(12), tick(12.1, partition=1))
    assert states() == [(1, "open"), (2, "retracted")]
    world.tell(tick(20, "GW-1", partition=1), tick(20.1, "GW-1"))
    assert states() == [(1, "open"), (2, "retracted"), (3, "open")]


def test_partitions_whose_words_arrive_in_any_order_end_alike() -> None:
    words: list[Sighting] = []
    for partition in (0, 1):
        alone = World()
        alone.tell(tick(10 + partition, "GW-1", partition=partition), tick(20, partition=partition))
        words += [o for o in alone.outputs if isinstance(o, Sighting)]
    for order in permutations(words):
        world = World()
        for word in order:
            world._apply([word])
        assert world.open_rules() == set()
