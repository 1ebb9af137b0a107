"""An open process that gave out more than it got is said once its inputs have had three days."""

from custody.deadlines import DUE
from custody.events import LotFact
from custody.process_step import INPUT_WAIT_H, LACK
from custody.records import Alert
from custody.ticking import SILENT_US
from tests.support.facts import MINUTE, Maker, tick
from tests.support.world import World

TONNE = 1_000_000
WAIT_MIN = 60 * INPUT_WAIT_H + SILENT_US / MINUTE
RULE = "output_exceeds_input"
PROCESS = Maker("P")


def output(lot: str, minute: float, tonnes: float, kind: str = "split") -> LotFact:
    masses = {"mass_dry_g": round(tonnes * TONNE), "mass_wet_g": round(tonnes * TONNE)}
    more = {"kind": kind, "output_lot_id": lot} | masses
    return PROCESS.side("PLANT", minute, "output", "P", **more)


def fed(lot: str, minute: float, tonnes: float, kind: str = "split") -> list[LotFact]:
    """A lot that lies at the plant and goes into the process, dry."""
    maker, kg = Maker(lot), round(tonnes * 1000)
    masses = {"mass_dry_g": 1000 * kg, "mass_wet_g": 1000 * kg}
    return [
        maker.weighing("PLANT", minute - 5, "stock", kg + 15_000, 15_000, movement_id=None),
        maker.side("PLANT", minute, "input", "P", kind=kind, **masses),
    ]


def said(world: World) -> list[tuple[str, str]]:
    return [(o.state, o.reason) for o in world.outputs if isinstance(o, Alert) and o.rule == RULE]


def waiting(world: World) -> list[str]:
    return [key for key in world.rows if key.startswith(DUE + "/") and key.endswith(LACK)]


def test_outputs_whose_inputs_do_not_come_are_said_after_three_days_and_taken_back() -> None:
    world = World()
    world.tell(output("X", 0, 9))
    assert len(waiting(world)) == 1
    world.tell(tick(WAIT_MIN), tick(WAIT_MIN + 0.9))
    assert said(world) == []
    world.tell(tick(WAIT_MIN + 1))
    told = "More went out than came in: 9.000 t of dry mass, and the process is open."
    assert (said(world), world.findings) == ([("open", told)], [RULE])
    world.tell(*fed("A", -10, 9))
    assert [state for state, _ in said(world)] == ["open", "retracted"]
    assert waiting(world) == []


def test_inputs_that_come_within_three_days_raise_nothing() -> None:
    world = World()
    world.tell(output("X", 0, 9), tick(WAIT_MIN - 10), *fed("A", 3_000, 9))
    world.tell(tick(WAIT_MIN + 10), tick(2 * WAIT_MIN))
    assert (said(world), waiting(world), world.findings) == ([], [], [])


def test_the_time_runs_from_the_output_that_was_too_much_and_no_later_one_puts_it_off() -> None:
    """Nine tonnes came; five and four went out, then three on the second day, then one a day."""
    day = 24 * 60
    world = World()
    world.tell(*fed("A", 0, 9), output("X", 10, 5), output("Y", 20, 4))
    assert waiting(world) == []
    for number in range(2, 5):
        world.tell(output(f"Z{number}", number * day, 3 if number == 2 else 1))
    world.tell(tick(2 * day + WAIT_MIN + 0.9))
    assert said(world) == []
    world.tell(tick(2 * day + WAIT_MIN + 1))
    [(state, reason)] = said(world)
    assert state == "open"
    assert "5.000 t of dry mass" in reason


def test_some_of_the_inputs_leave_the_rest_its_own_time() -> None:
    """Half of what was given out is explained on the third day: the second output is too much."""
    world = World()
    world.tell(output("X", 0, 5), output("Y", 2_000, 4), *fed("A", 4_000, 5))
    world.tell(tick(WAIT_MIN + 1))
    assert (said(world), len(waiting(world))) == ([], 1)
    world.tell(tick(2_000 + WAIT_MIN + 1))
    assert [state for state, _ in said(world)] == ["open"]


def test_while_a_gateway_is_silent_its_inputs_may_still_come() -> None:
    world = World()
    world.tell(output("X", 0, 9), tick(2 * WAIT_MIN, "GW-1"))
    assert said(world) == []
    world.tell(tick(2 * WAIT_MIN + 1))
    assert [state for state, _ in said(world)] == ["open"]


def test_what_is_said_of_an_open_process_is_said_of_its_close_at_once() -> None:
    world = World()
    world.tell(output("X", 0, 9), tick(WAIT_MIN + 1))
    world.tell(PROCESS.side("PLANT", 9_000, "close", "P", kind="split"))
    assert [state for state, _ in said(world)] == ["open", "retracted", "open"]
    assert {a.state for a in world.alerts.values() if a.rule == RULE} == {"open", "retracted"}


def test_a_difference_of_scales_and_the_mass_of_what_reacts_are_no_lack() -> None:
    for kind, tonnes in (("split", 9.05), ("smelt", 30)):
        world = World()
        world.tell(*fed("A", 0, 9, kind), output("X", 10, tonnes, kind))
        assert waiting(world) == []
