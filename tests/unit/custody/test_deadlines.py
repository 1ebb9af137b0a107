"""What is due is told by ticks: once, when facts are in, whatever order they came in."""

from dataclasses import replace

from custody.charting import CHARTS
from custody.deadlines import DUE
from custody.events import LotFact, LotMoved, Micros
from custody.records import Alert, Residual, Sighting
from custody.ticking import SILENT_US, TOLD_MAX
from tests.support.chain_references import record
from tests.support.facts import MINUTE, T0, Maker, corrected, tick
from tests.support.plant import handed
from tests.support.world import World

LEG = ("MINE", "DEPOT")
ROUTE = record(
    ("route", "MINE-DEPOT"), {"legs": [{"from": "MINE", "to": "DEPOT", "deadline_h": 2}]}, 1
)
SILENT_MIN = SILENT_US / MINUTE
DUE_MIN = 2 + 120 + 1
"""The papers leave at minute 2, recorded a minute later, and a load has two hours."""


def sent(maker: Maker) -> list[LotFact]:
    return [
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.move("dispatch", "MINE", 2, LEG),
    ]


def came(maker: Maker, minute: float = 60) -> LotFact:
    return maker.weighing("DEPOT", minute, "receipt", 45_000, 15_000)


def missing(world: World) -> list[Alert]:
    return [o for o in world.outputs if isinstance(o, Alert) and o.rule == "missing_receipt"]


def waiting(world: World) -> list[str]:
    """What waits for a deadline; what lots tell charts waits, too, and is no deadline."""
    return [k for k in world.rows if k.startswith(DUE + "/") and not k.endswith(CHARTS)]


def begun() -> tuple[World, Maker]:
    world, maker = World(), Maker()
    world.tell(ROUTE, *sent(maker))
    return world, maker


def test_a_load_that_does_not_come_is_missing_once_its_deadline_is_over_and_facts_are_in() -> None:
    world, maker = begun()
    assert len(waiting(world)) == 1
    world.tell(tick(DUE_MIN), tick(DUE_MIN + SILENT_MIN - 0.01))
    assert not missing(world)
    world.tell(tick(DUE_MIN + SILENT_MIN))
    [alert] = missing(world)
    assert (alert.state, alert.family, alert.subject) == ("open", "custody_gap", "lot/L-1")
    assert alert.reason == (
        "trip M-1 left MINE and had 2 h to come to DEPOT; nothing there says that it came"
    )
    assert alert.raised_by_event_id == sent(Maker())[1].event_id
    assert alert.raised_at == T0 + round((DUE_MIN + SILENT_MIN) * MINUTE)
    assert waiting(world) == []
    world.tell(came(maker, 200))
    [_, gone] = missing(world)
    assert (gone.state, gone.reason) == (
        "retracted",
        "trip M-1 came to DEPOT 1.3 h after its deadline",
    )
    assert world.findings.count("received_late") == 1


def test_papers_of_last_month_have_their_hours_from_when_they_were_written_down() -> None:
    """Else every load of a history that is sent today is missing until its receipt is sent."""
    world, maker = World(), Maker()
    month = 30 * 24 * 60
    late = [replace(one, recorded_at=Micros(T0 + month * MINUTE)) for one in sent(maker)]
    world.tell(ROUTE, *late, tick(month + SILENT_MIN + 1))
    assert not missing(world)
    world.tell(tick(month + 120 + SILENT_MIN))
    assert len(missing(world)) == 1


def test_a_load_that_came_in_time_waits_for_nothing() -> None:
    world, maker = begun()
    world.tell(came(maker))
    assert waiting(world) == []
    world.tell(tick(10_000))
    assert not missing(world)


def test_papers_that_say_it_came_are_enough() -> None:
    world, maker = begun()
    world.tell(maker.move("receipt", "DEPOT", 60, LEG), tick(10_000))
    assert not missing(world)


def test_a_tick_of_the_past_or_again_changes_nothing() -> None:
    world, _ = begun()
    world.tell(tick(10_000))
    rows, said = dict(world.rows), len(world.outputs)
    world.tell(tick(10_000), tick(9_000), tick(DUE_MIN))
    assert (world.rows, len(world.outputs)) == (rows, said)


def test_what_waits_for_a_silent_gateway_waits_until_it_is_heard() -> None:
    world, _ = begun()
    world.tell(record(("gateway", "GW-DEPOT"), {"site": "DEPOT"}, 2))
    world.tell(record(("gateway", "GW-MINE"), {"site": "MINE"}, 3))
    world.tell(tick(10_000, "GW-DEPOT"), tick(10_001, "GW-DEPOT", "GW-MINE"))
    assert not missing(world)
    assert len(waiting(world)) == 1
    world.tell(tick(10_002, "GW-MINE"))
    assert len(missing(world)) == 1


def test_a_gateway_that_is_no_more_holds_nothing_back() -> None:
    world, _ = begun()
    over = record(("gateway", "GW-DEPOT"), {"site": "DEPOT"}, 2)
    world.tell(replace(over, valid_to=Micros(T0)), tick(10_000, "GW-DEPOT"))
    assert len(missing(world)) == 1
    assert world.open_rules() == {("missing_receipt", "lot/L-1")}


def test_a_site_without_a_gateway_on_record_is_held_back_by_any_that_is_silent() -> None:
    world, _ = begun()
    world.tell(tick(10_000, "GW-9"))
    assert not missing(world)
    world.tell(tick(10_001))
    assert len(missing(world)) == 1


def test_a_backlog_of_three_days_raises_nothing_that_its_facts_in_order_would_not() -> None:
    """Everything was in the outbox of a gateway that could not send."""
    world, maker = World(), Maker()
    world.tell(ROUTE, record(("gateway", "GW-DEPOT"), {"site": "DEPOT"}, 2), *sent(maker))
    for day in range(1, 4):
        world.tell(tick(day * 1_440, "GW-DEPOT"))
    world.tell(came(maker), tick(3 * 1_440 + 1))
    assert not missing(world)


def test_a_receipt_that_is_withdrawn_begins_the_waiting_again() -> None:
    world, maker = begun()
    receipt = came(maker)
    world.tell(receipt, tick(10_000), corrected(receipt, "void", void=True))
    assert len(waiting(world)) == 1
    world.tell(tick(10_001))
    assert len(missing(world)) == 1


def test_what_came_after_its_site_was_asked_is_judged_at_once() -> None:
    """A late record of another load that left: the site's facts of that time are known to be in."""
    world, maker = begun()
    world.tell(tick(10_000))
    more = {"movement_id": "M-2"}
    world.tell(maker.move("dispatch", "MINE", 1, LEG, **more))
    assert [alert.state for alert in missing(world)] == ["open", "open"]


def test_another_deadline_of_the_route_moves_what_waits() -> None:
    world, _ = begun()
    body = {"legs": [{"from": "MINE", "to": "DEPOT", "deadline_h": 300}]}
    later = replace(
        record(("route", "MINE-DEPOT"), body, 5), corrects=ROUTE.event_id, valid_from=Micros(0)
    )
    world.tell(later)
    assert len(waiting(world)) == 1
    world.tell(tick(10_000))
    assert not missing(world)
    world.tell(tick(20_000))
    assert len(missing(world)) == 1


def test_a_tick_tells_those_who_waited_longest_and_the_next_one_the_rest() -> None:
    world = World()
    lots = TOLD_MAX + 3
    for number in range(lots):
        key = f"{DUE}/{number:017d}\x1f\x1fthing/{number}\x1f"
        world.rows[key] = world.fold.row_types[DUE]()
    world.tell(tick(10_000))
    told = [o for o in world.outputs if isinstance(o, Sighting)]
    # Those of times 0 and 1 stand for the tick after the next, and the next.
    assert len(told) == TOLD_MAX
    assert len(waiting(world)) == lots - TOLD_MAX
    world.tell(tick(10_001))
    assert not waiting(world)


def test_a_load_of_which_nobody_knows_where_it_goes_has_no_deadline() -> None:
    world, (weighed, left) = World(), sent(Maker())
    world.tell(ROUTE, weighed)
    assert waiting(world) == []
    assert isinstance(left, LotMoved)
    world.tell(replace(left, to_site=None))
    assert waiting(world) == []


def told(world: World) -> list[Residual]:
    return [one for one in world.outputs if isinstance(one, Residual)]


def test_a_lot_tells_charts_two_hours_after_its_facts_also_where_a_process_spoke_of_it_first() -> (
    None
):
    """A history sent today: what a process hands to a lot may come before the lot's own facts.

    Of a lot without facts nothing is measured. It waited two hours from that word on, and what
    came next was not told before, however old it was.
    """
    world, maker = World(), Maker()
    month = 30 * 24 * 60.0
    word = handed("BLEND", month, 30_000_000, from_owner="process/P-1", to_owner="lot/L-1")
    facts = [*sent(maker), came(maker)]
    late = [replace(one, recorded_at=Micros(T0 + round(month * MINUTE))) for one in facts]
    world.tell(word)  # type: ignore[arg-type]  # owners speak to owners here as facts do
    world.tell(*late)
    world.tell(tick(month + SILENT_MIN + 1))
    assert {one.thing for one in told(world)} > {"way/MINE>DEPOT"}
