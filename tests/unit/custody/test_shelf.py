"""Shelved alerts come back on time; who sees to an alert, and how it ended, stay with it."""

from dataclasses import replace

import pytest

from custody import alerts, exact
from custody.deadlines import DUE
from custody.events import ActionTaken, Micros
from custody.records import Alert
from tests.support.facts import MINUTE, T0, Maker, corrected, event_id, tick
from tests.support.world import World

LEG = ("MINE", "DEPOT")
LOT, SEAL = "lot/L-1", "seal/S-1"


def at(minute: float) -> Micros:
    return Micros(T0 + round(minute * MINUTE))


def stolen(*, seal: bool = False) -> World:
    """A ton is gone; or a seal was used twice, which is the alert of a thing."""
    world, maker = World(), Maker()
    if seal:
        for no, lot in enumerate(("A", "B")):
            maker = Maker(lot, count=100 * no)
            world.tell(
                maker.move("dispatch", "MINE", 50 * no, LEG, movement_id=lot, seals=("S-1",))
            )
        return world
    world.tell(
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.weighing("DEPOT", 60, "receipt", 44_000, 15_000),
    )
    return world


def only(world: World) -> Alert:
    (alert,) = world.alerts.values()
    return alert


def act(world: World, name: str, no: int = 1, **more: object) -> ActionTaken:
    alert = only(world)
    made = ActionTaken(
        event_id=event_id(f"{name}/{no}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=no,
        action=name,
        alert_id=alert.alert_id,
        version=alert.version,
        subject=alert.subject,
        actor="A. Kabila",
        reason="on the way to the laboratory",
        recorded_at=at(70),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def waiting(world: World) -> list[str]:
    return [key for key in world.rows if key.startswith(DUE + "/") and "shelf" in key]


@pytest.mark.parametrize("seal", [False, True])
def test_a_shelved_alert_opens_when_its_time_is_over(*, seal: bool) -> None:
    world = stolen(seal=seal)
    shelve = act(world, "shelve", until=at(100))
    world.tell(shelve)
    assert (only(world).state, only(world).until) == ("shelved", at(100))
    assert len(waiting(world)) == 1
    world.tell(tick(99))
    assert only(world).state == "shelved"
    world.tell(tick(100))
    alert = only(world)
    assert (alert.state, alert.until, alert.version) == ("open", None, 3)
    assert (alert.actor, alert.action_id, alert.cause) == (None, None, shelve.event_id)
    assert alert.reason == "the time of shelving is over", "stored for ever"
    assert alert.evidence or seal
    assert not waiting(world)


def test_a_longer_time_on_the_shelf_takes_the_place_of_the_shorter() -> None:
    world = stolen()
    world.tell(act(world, "shelve", until=at(100)))
    world.tell(act(world, "shelve", 2, until=at(200)))
    assert len(waiting(world)) == 1
    world.tell(tick(150))
    assert (only(world).state, only(world).until) == ("shelved", at(200))
    world.tell(tick(200))
    assert only(world).state == "open"


def test_a_word_that_was_on_its_way_when_the_time_was_lengthened_ends_nothing() -> None:
    world = stolen()
    world.tell(act(world, "shelve", until=at(100)))
    early = world._apply([tick(100)])
    world.tell(act(world, "shelve", 2, until=at(200)))
    world._apply(early)
    assert (only(world).state, only(world).until) == ("shelved", at(200))


@pytest.mark.parametrize("step", ["acknowledge", "resolve", "reopen"])
def test_nothing_waits_for_an_alert_that_left_the_shelf(step: str) -> None:
    world = stolen()
    world.tell(act(world, "shelve", until=at(100)))
    world.tell(act(world, step, 2))
    before = only(world)
    assert before.until is None
    assert not waiting(world)
    world.tell(tick(300))
    assert only(world) == before


def test_a_shelved_alert_that_is_retracted_does_not_come_back() -> None:
    world, maker = World(), Maker()
    facts = [
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.weighing("DEPOT", 60, "receipt", 44_000, 15_000),
    ]
    world.tell(*facts)
    world.tell(act(world, "shelve", until=at(100)))
    world.tell(corrected(facts[1], "fix", 10, net_g=29_990_000))
    assert (only(world).state, only(world).until) == ("retracted", None)
    assert not waiting(world)


def test_one_without_an_end_stays_on_the_shelf() -> None:
    world = stolen()
    world.tell(act(world, "shelve"), tick(10**6))
    assert (only(world).state, only(world).until) == ("shelved", None)


def test_who_sees_to_an_alert_stays_until_somebody_else_does() -> None:
    world = stolen()
    world.tell(act(world, "assign", assignee="j.ilunga"))
    assert (only(world).state, only(world).assignee, only(world).version) == ("open", "j.ilunga", 2)
    world.tell(act(world, "acknowledge", 2))
    world.tell(act(world, "resolve", 3, resolution="explained"))
    alert = only(world)
    assert (alert.state, alert.assignee, alert.resolution) == ("resolved", "j.ilunga", "explained")
    world.tell(act(world, "reopen", 4))
    world.tell(act(world, "assign", 5))
    assert (only(world).state, only(world).assignee, only(world).resolution) == ("open", None, None)


def test_two_people_assign_at_once_and_the_second_is_told() -> None:
    world = stolen()
    first, second = (act(world, "assign", no, assignee=name) for no, name in enumerate("ab"))
    world.tell(first, second)
    assert (only(world).assignee, only(world).version) == ("a", 3)
    assert only(world).reason == "conflict: made on version 1, the alert has 2"


def test_a_comment_is_no_version_and_disturbs_nobody() -> None:
    world = stolen()
    acknowledge = act(world, "acknowledge")
    before = only(world)
    world.tell(act(world, "comment", 2))
    assert only(world) == before
    world.tell(acknowledge)
    assert (only(world).state, only(world).version) == ("acknowledged", 2)
    world.tell(act(world, "comment", 3, alert_id=event_id("none")))
    assert world.findings[-1] == "action_without_alert"


def test_no_person_can_do_what_the_clock_does() -> None:
    assert {step for _, step in alerts.LIFECYCLE} & {alerts.UNSHELVE} == {alerts.UNSHELVE}
    world = stolen()
    world.tell(act(world, "shelve", until=at(100)))
    world.tell(act(world, alerts.UNSHELVE, 2))
    assert only(world).state == "shelved"


def test_a_hold_of_one_load_is_about_that_load() -> None:
    world, maker = World(), Maker()
    hold = act(stolen(), "hold", alert_id=None, version=None, movement_id="M-2", recorded_at=at(0))
    world.tell(hold)
    world.tell(maker.move("dispatch", "MINE", 10, LEG, movement_id="M-1"))
    assert ("hold_breached", LOT) not in world.open_rules()
    world.tell(maker.move("dispatch", "MINE", 20, LEG, movement_id="M-2"))
    [breach] = [a for a in world.alerts.values() if a.rule == "hold_breached"]
    assert breach.reason == "trip M-2 left MINE while A. Kabila held the load"
    # Releasing the lot releases no load that was held by itself.
    free = replace(hold, event_id=event_id("free"), action="release", recorded_at=at(5))
    world.tell(replace(free, movement_id=None))
    assert ("hold_breached", LOT) in world.open_rules()
    world.tell(free)
    assert ("hold_breached", LOT) not in world.open_rules()


def test_what_is_held_is_not_forgotten_for_many_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "HOLDS_MAX", 5)
    hold = act(stolen(), "hold", alert_id=None, version=None)
    many = [hold]
    for no in range(20):
        name = "hold" if no % 2 else "release"
        many.append(
            replace(
                hold,
                event_id=event_id(f"load/{no}"),
                action=name,
                movement_id="M-1",
                recorded_at=at(100 + no),
            )
        )
    held, beyond = exact.with_holds([], many)
    assert (len(held), beyond) == (5, [])
    assert held[0].movement is None
    assert held[0].held
    assert (held[-1].movement, held[-1].held) == ("M-1", True)
