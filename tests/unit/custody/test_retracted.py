"""An alert that is taken back says what took its reason away, and what its test says now."""

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from custody.events import LotAssayed, LotFact, LotScanned, LotWeighed, Micros, ReferenceSet
from custody.reasons import NAMED_MAX, changed
from custody.records import Alert
from tests.support.facts import corrected, event_id
from tests.support.instruments import reference
from tests.support.measured_lots import (
    A_GOOD_ROAD,
    SCALE,
    haul,
    lot,
    mixed,
    suspicions,
)
from tests.support.recomputed import line_of, names, script
from tests.support.world import World


@cache
def facts() -> tuple[LotFact | ReferenceSet, ...]:
    """A lot that lost 1.6 % on its way: E = 10^30."""
    ore = lot(Random(6))
    return tuple(haul(6, at_origin=ore, at_port=ore, came_kg=44_450, known=A_GOOD_ROAD))


def received() -> LotWeighed:
    [found] = [one for one in facts() if isinstance(one, LotWeighed) and one.purpose == "receipt"]
    return found


def told(*more: LotFact | ReferenceSet) -> World:
    world = World()
    world.tell(*facts())
    assert len(suspicions(world)) == 1
    for one in more:
        world.tell(one)
    return world


def retracted(world: World) -> Alert:
    [alert] = [one for one in world.alerts.values() if one.rule == "lot_eprocess"]
    assert alert.state == "retracted"
    return alert


def settings(threshold: float) -> ReferenceSet:
    return reference("detection", "lot", {"threshold": threshold})


def test_a_new_limit_says_from_to_and_by_which_record() -> None:
    limit = settings(1e40)
    alert = retracted(told(limit))
    assert "its limit is E = 10^40.0 now (set: as the record says), and was 10^3.0" in alert.reason
    assert "E is 10^30.1" in alert.reason
    word = f"reference record detection/lot has another version, event {limit.event_id}"
    assert word in alert.reason
    assert alert.cause == limit.event_id
    assert alert.value > 1e30
    assert alert.threshold == pytest.approx(1e40)
    assert alert.threshold_basis.startswith("set")


def test_a_corrected_weighing_is_named() -> None:
    mended = corrected(received(), "mended", gross_g=45_000_000, net_g=30_000_000)
    alert = retracted(told(mended))
    assert alert.reason == (
        "the facts as now known do not support it: "
        f"event {mended.event_id} corrects {received().event_id}"
    )
    assert 0.0 < alert.value < 1.0


def test_a_better_calibration_is_named() -> None:
    scale = reference("device", "WB-PORT", SCALE | {"u_systematic_rel": 2e-2})
    alert = retracted(told(scale))
    assert alert.reason.endswith(
        f"reference record device/WB-PORT has another version, event {scale.event_id}"
    )


def test_what_the_test_says_now_stays_and_what_the_alert_was_of_too() -> None:
    before = suspicions(told())[0]
    after = retracted(told(settings(1e40)))
    assert (after.family, after.size, after.severity) == (
        before.family, before.size, before.severity,
    )  # fmt: skip
    assert after.evidence == before.evidence
    assert after.posterior == before.posterior
    assert after.value == pytest.approx(before.value)


def follow(alert: Alert) -> None:
    """Hold the figures of an alert that is taken back against each other."""
    line = line_of(alert)
    mine = {name for name in names() if script(name).mine(line)}
    assert {"recompute", "recompute_e", "recompute_posterior"} <= mine
    for name in mine:
        for what, (said, follows) in script(name).sums(line).items():
            assert said == pytest.approx(follows, rel=1e-6, abs=1e-9), (name, what)


@pytest.mark.parametrize("how", ["limit", "mended"])
def test_the_figures_of_an_alert_that_is_taken_back_follow_from_each_other(how: str) -> None:
    mended = corrected(received(), "mended", gross_g=45_000_000, net_g=30_000_000)
    follow(retracted(told(settings(1e40) if how == "limit" else mended)))


@pytest.mark.parametrize("how", ["limit", "mended"])
def test_so_do_those_of_a_swap_whatever_is_most_probable_now(how: str) -> None:
    """It keeps family and size of what was claimed; evidence and causes are those of now."""
    ore = lot(Random(6))
    port = mixed(ore, 0.08)
    said = haul(6, at_origin=ore, at_port=port, came_kg=44_800, known=A_GOOD_ROAD)
    world = World()
    world.tell(*said)
    [alert] = suspicions(world)
    assert alert.family == "foreign_material"
    if how == "limit":
        world.tell(settings(1e300))
    else:
        at_port = [
            one
            for one in said
            if isinstance(one, LotAssayed | LotScanned) and one.site_id == "PORT"
        ]
        world.tell(*[corrected(one, one.event_id, void=True) for one in at_port])
    gone = retracted(world)
    assert gone.family == "foreign_material"
    assert gone.causes[0].family == ("foreign_material" if how == "limit" else "loss")
    follow(gone)


def test_a_correction_of_the_correction_raises_it_again() -> None:
    mended = corrected(received(), "mended", gross_g=45_000_000, net_g=30_000_000)
    first = received()
    back = corrected(mended, "back", gross_g=first.gross_g, net_g=first.net_g)
    world = told(mended, back)
    [alert] = suspicions(world)
    assert (alert.state, alert.version, alert.cause) == ("open", 4, back.event_id)
    assert alert.size == pytest.approx(suspicions(told())[0].size)


def test_what_was_withdrawn_and_is_sent_anew_raises_it_again() -> None:
    """A void of a correction leaves nothing to be weighed by; the ticket sent anew does."""
    mended = corrected(received(), "mended", gross_g=45_000_000, net_g=30_000_000)
    void = corrected(mended, "void", void=True)
    anew = replace(
        received(), event_id=event_id("anew"),
        recorded_at=Micros(void.recorded_at + 1),
    )  # fmt: skip
    gone = retracted(told(mended, void))
    assert "corrects" in gone.reason
    [alert] = suspicions(told(mended, void, anew))
    assert (alert.state, alert.cause) == ("open", anew.event_id)


def test_of_many_changes_the_first_are_named() -> None:
    records = [(f"ref/device/WB-{number}", f"event {number}") for number in range(NAMED_MAX + 2)]
    said = changed([], records)
    assert said is not None
    assert said.endswith("; and 2 more")
    assert said.count("another version") == NAMED_MAX
    assert changed([], []) is None
