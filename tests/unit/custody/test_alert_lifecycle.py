"""Alerts: raised by evidence, withdrawn by its end, handled by people, never overwritten."""

import itertools
import math
from dataclasses import replace

import pytest

from custody import alerts
from custody.events import ActionTaken, LotFact, Micros
from custody.records import Alert
from custody.rows import AlertState
from tests.support.facts import T0, Maker, corrected, event_id
from tests.support.world import World

LEG = ("MINE", "DEPOT")
STATES = ("open", "acknowledged", "shelved", "resolved", "retracted")
ACTIONS = ("acknowledge", "shelve", "resolve", "reopen")


def stolen(got_kg: int = 29_000) -> list[LotFact]:
    maker = Maker()
    return [
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.weighing("DEPOT", 60, "receipt", got_kg + 15_000, 15_000),
    ]


def action(name: str, alert: Alert, *, version: int | None = None, no: int = 1) -> ActionTaken:
    return ActionTaken(
        event_id=event_id(f"{name}/{no}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=no,
        action=name,
        alert_id=alert.alert_id,
        version=alert.version if version is None else version,
        subject=alert.subject,
        actor="A. Kabila",
        reason=None,
        recorded_at=Micros(T0 + no),
    )


def only(world: World) -> Alert:
    (alert,) = world.alerts.values()
    return alert


def test_a_ton_missing_from_one_truck_is_an_open_loss_with_evidence() -> None:
    world = World()
    facts = stolen()
    world.tell(*facts)
    alert = only(world)
    assert (alert.state, alert.family, alert.version) == ("open", "loss", 1)
    assert (alert.rule, alert.subject, alert.movement_id) == ("lot_eprocess", "lot/L-1", "M-1")
    assert abs(alert.size + 1 / 30) < 2 * alert.size_u
    assert alert.statistic == "e_value"
    assert alert.threshold == pytest.approx(1_000.0)
    assert alert.value > alert.threshold
    assert alert.posterior[0].probability > 0.9
    [difference] = alert.evidence
    assert difference.event_ids == (facts[0].event_id, facts[1].event_id)
    assert difference.z == pytest.approx((difference.observed - difference.expected) / difference.u)
    assert difference.observed == pytest.approx(math.log(29 / 30))
    assert alert.threshold_basis == "proved: at most 0.001 of clean lots ever (Ville)"


def test_a_ton_too_much_is_a_gain() -> None:
    world = World()
    world.tell(*stolen(31_000))
    assert only(world).family == "gain"
    assert abs(only(world).size - 1 / 30) < 2 * only(world).size_u


def test_a_correction_retracts_and_a_new_one_opens_again() -> None:
    world = World()
    facts = stolen()
    world.tell(*facts)
    fix = corrected(facts[1], "fix", 10, net_g=29_990_000)
    world.tell(fix)
    assert (only(world).state, only(world).version, only(world).cause) == (
        "retracted",
        2,
        fix.event_id,
    )
    world.tell(corrected(fix, "again", 10, net_g=28_000_000))
    assert (only(world).state, only(world).version) == ("open", 3)


def test_the_truck_of_33_that_lost_is_the_one_named() -> None:
    world, maker = World(), Maker()
    for truck in range(33):
        name, lost = f"M-{truck}", 900 if truck == 17 else 0
        out, back = 45_000, 45_000 - lost
        world.tell(
            maker.weighing("MINE", truck, "dispatch", out, 15_000, movement_id=name),
            maker.weighing("DEPOT", truck + 60, "receipt", back, 15_000, movement_id=name),
        )
    assert only(world).movement_id == "M-17"


def test_a_truck_that_overtook_the_other_is_named_when_the_other_has_come() -> None:
    world, maker = World(), Maker()
    world.tell(
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000, movement_id="M-1"),
        maker.move("dispatch", "MINE", 4, LEG),
        maker.weighing("MINE", 8, "dispatch", 45_000, 15_000, movement_id="M-2"),
        maker.weighing("DEPOT", 60, "receipt", 43_700, 15_000, movement_id="M-2"),
    )
    assert (only(world).version, only(world).movement_id) == (1, None)
    # 200 kg are of little weight: E stays as it was, and the truck is news by itself.
    world.tell(maker.weighing("DEPOT", 65, "receipt", 44_800, 15_000, movement_id="M-1"))
    assert (only(world).version, only(world).movement_id) == (2, "M-2")


@pytest.mark.parametrize(("state", "step"), list(itertools.product(STATES, ACTIONS)))
def test_an_action_follows_the_table_or_is_a_conflict(state: str, step: str) -> None:
    before = AlertState(
        version=7,
        state=state,
        rule="lot_eprocess",
        family="loss",
        movement="M-1",
        value=5.0,
        size=-0.03,
        size_u=0.002,
        threshold=3.3,
        raised_by="e",
        raised_at=Micros(T0),
        at=Micros(T0),
        action_id=None,
    )
    said = alerts.act(before, action(step, replace(shown(), version=7)), "lot/L-1", None)
    assert said.alert is not None
    assert said.alert.version == said.state.version == 8
    expected = alerts.LIFECYCLE.get((state, step))
    assert said.state.state == said.alert.state == (expected or state)
    assert said.alert.reason.startswith("conflict") == (expected is None)


def shown() -> Alert:
    world = World()
    world.tell(*stolen())
    return only(world)


def test_a_stale_action_changes_nothing_and_is_answered() -> None:
    world = World()
    world.tell(*stolen())
    world.tell(action("acknowledge", only(world)))
    assert (only(world).state, only(world).actor) == ("acknowledged", "A. Kabila")
    world.tell(action("resolve", only(world), version=1, no=2))
    assert only(world).state == "acknowledged"
    assert only(world).reason == "conflict: made on version 1, the alert has 2"
    assert only(world).version == 3


def test_a_person_may_speak_of_a_conflict_without_making_one() -> None:
    """Pages take a version whose reason begins so for an action that was not taken."""
    world = World()
    world.tell(*stolen())
    why = "conflict: two tickets of one truck"
    world.tell(replace(action("acknowledge", only(world)), reason=why))
    assert (only(world).state, only(world).version) == ("acknowledged", 2)
    assert only(world).reason == f'"{why}"'


def test_who_lost_a_race_makes_no_conflict_for_who_won_it() -> None:
    world = World()
    world.tell(*stolen())
    world.tell(action("resolve", only(world), no=1))
    for no in (2, 3):
        world.tell(action("acknowledge", only(world), version=1, no=no))
    assert (only(world).version, only(world).state) == (4, "resolved")
    world.tell(action("reopen", only(world), version=2, no=4))
    assert (only(world).version, only(world).state) == (5, "open")
    # What was seen before the last change is stale as ever, and so is a version to come.
    for no, version in ((5, 4), (6, 1), (7, 99)):
        world.tell(action("acknowledge", only(world), version=version, no=no))
        assert (only(world).state, only(world).reason[:9]) == ("open", "conflict:")
    world.tell(action("acknowledge", only(world), version=5, no=8))
    assert (only(world).version, only(world).state) == (9, "acknowledged")


def test_what_the_facts_change_after_a_conflict_makes_what_was_seen_stale() -> None:
    world = World()
    facts = stolen()
    world.tell(*facts)
    world.tell(action("resolve", only(world), no=1))
    world.tell(action("acknowledge", only(world), version=1, no=2))
    world.tell(corrected(facts[1], "fix", 10, net_g=29_990_000))
    assert (only(world).version, only(world).state) == (4, "retracted")
    world.tell(action("reopen", only(world), version=3, no=3))
    assert only(world).reason == "conflict: made on version 3, the alert has 4"


def test_the_same_action_twice_is_one_action() -> None:
    world = World()
    world.tell(*stolen())
    once = action("acknowledge", only(world))
    world.tell(once, once)
    assert (only(world).state, only(world).version) == ("acknowledged", 2)


def test_an_acknowledged_alert_stays_so_while_its_reason_stays() -> None:
    world = World()
    world.tell(*stolen())
    world.tell(action("acknowledge", only(world)))
    world.tell(Maker(count=10).move("receipt", "DEPOT", 70, LEG))
    assert (only(world).state, only(world).version) == ("acknowledged", 2)


def test_an_action_on_nothing_is_a_finding() -> None:
    world = World()
    world.tell(replace(action("acknowledge", shown()), subject="lot/L-2"))
    assert (world.findings, world.outputs) == (["action_without_alert"], [])


def test_a_hold_is_about_the_lot_and_misses_no_alert() -> None:
    world = World()
    world.tell(replace(action("hold", shown()), alert_id=None, subject="lot/L-2"))
    assert (world.findings, world.outputs) == ([], [])
