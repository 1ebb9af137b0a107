"""What exact rules find is an alert of family ledger, opened and retracted with its reason."""

from dataclasses import replace

from tests.support.facts import Maker, corrected
from tests.support.world import World


def open_rules(world: World) -> set[str]:
    return {a.rule for a in world.alerts.values() if a.state == "open" and a.family == "ledger"}


def test_a_lot_declared_twice_with_other_content_is_found_in_one_chunk_or_two() -> None:
    maker = Maker()
    once, again = maker.lot("MINE", 0, {"Cu": 0.02}), maker.lot("MINE", 5, {"Cu": 0.03})
    for together in (True, False):
        world = World()
        world.tell(once, again, together=together)
        assert open_rules(world) == {"lot_redeclared"}


def test_the_same_declaration_twice_is_no_finding() -> None:
    maker = Maker()
    once = maker.lot("MINE", 0, {"Cu": 0.02})
    world = World()
    world.tell(once, replace(once, event_id=maker.lot("MINE", 0, {}).event_id))
    assert open_rules(world) == set()


def test_a_finding_whose_reason_is_corrected_away_is_retracted_with_the_cause() -> None:
    maker, world = Maker(), World()
    arrived = maker.weighing("DEPOT", 0, "receipt", 25_000, 15_000)
    left = maker.weighing("DEPOT", 60, "dispatch", 45_000, 15_000, movement_id="M-2")
    gone = maker.move("dispatch", "DEPOT", 61, ("DEPOT", "PORT"), movement_id="M-2")
    world.tell(arrived, left, gone)
    assert open_rules(world) == {"overdrawn"}
    mended = corrected(left, "mended", gross_g=25_000_000, net_g=10_000_000)
    world.tell(mended)
    assert open_rules(world) == set()
    [alert] = [a for a in world.alerts.values() if a.rule == "overdrawn"]
    assert (alert.state, alert.cause) == ("retracted", mended.event_id)
