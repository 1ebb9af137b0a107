"""What partitions say differently is said once what may be on its way has had its time."""

from dataclasses import replace

import pytest

from custody.core import CustodyFold
from custody.deadlines import DUE
from custody.doubts import DOUBT
from custody.events import LotFact
from custody.rechecking import CHANGED
from custody.records import Alert
from runtime.backtest.replay import TICK_US, Replay
from tests.support.facts import Maker, corrected, tick
from tests.support.plant import Plant, handed
from tests.support.world import World
from tests.unit.custody.test_batches import TONNE, Sides
from tests.unit.custody.test_continuous import Pile

RULE = "output_exceeds_input"


def said(teller: Plant | World, rule: str = RULE) -> list[str]:
    return [o.state for o in teller.outputs if isinstance(o, Alert) and o.rule == rule]


def doubted(teller: Plant | World) -> list[str]:
    """Rows that wait for the end of a doubt."""
    return [key for key in teller.rows if key.startswith(DUE + "/") and DOUBT in key]


def test_what_no_certificate_of_an_input_tells_is_not_too_much_in_an_output() -> None:
    """A concentrate's certificate tells of more than its ore's: silver, and sulphur."""
    for inputs, expected in (
        ([{"Cu": 10**9}], []),
        ([{"Cu": 10**9}, {"Cu": 10**9, "Ag": 10**6}], []),
        ([{"Cu": 10**9, "Ag": 10**6}, {"Cu": 10**9, "Ag": 10**6}], ["node_balance"]),
    ):
        sides, plant = Sides("split"), Plant()
        output = sides.out("M", len(inputs) * 9 * TONNE)
        for at, metals in enumerate(inputs):
            plant.tell(handed("AB"[at], 0, 9 * TONNE, metals, u=0.001))
        plant.tell(output)
        more = {"cause_event_id": output.event_id, "from_owner": "lot/M"}
        plant.tell(handed("m", 300, 0, {"Ag": -50_000_000}, **more))
        plant.tell(sides.side("close"))
        waits = any(key.startswith("due/") for key in plant.rows)
        assert waits == bool(expected), inputs
        if waits:
            plant.pass_ticks()
        raised = [o.rule for o in plant.outputs if isinstance(o, Alert)]
        assert raised == expected, inputs


def test_outputs_that_are_here_before_the_inputs_raise_nothing() -> None:
    sides, plant = Sides("split"), Plant()
    plant.tell(sides.out("M", 9 * TONNE), sides.side("close"))
    plant.tell(handed("A", 0, 9 * TONNE, {}))
    assert said(plant) == []
    assert not [key for key in plant.rows if key.startswith("due/")]


def test_a_doubt_whose_time_is_over_is_said_in_a_step_that_derives_anyway() -> None:
    """The word that it is due comes with one that a reference record has changed."""
    sides, plant = Sides("split"), Plant()
    plant.tell(sides.out("M", 9 * TONNE), sides.side("close"))
    [told] = plant.ticked()
    changed = replace(told, quantity=CHANGED, n=2)
    plant.tell(changed, told, together=True)
    assert said(plant) == ["open"]


def test_what_is_too_much_is_said_when_it_still_is_and_taken_back_when_it_is_not() -> None:
    sides, plant = Sides("split"), Plant()
    close = sides.side("close")
    plant.tell(sides.out("M", 9 * TONNE), close)
    assert said(plant) == []
    plant.pass_ticks()
    assert said(plant) == ["open"]
    plant.tell(handed("A", 0, 9 * TONNE, {}))
    assert said(plant) == ["open", "retracted"]
    plant.tell(handed("A", 0, 5 * TONNE, {}, void=True))
    assert said(plant) == ["open", "retracted"], "it waits again"
    plant.pass_ticks()
    assert said(plant) == ["open", "retracted", "open"]
    plant.tell(corrected(close, "void", void=True))
    assert said(plant)[-1] == "retracted"


def test_a_stockpile_that_gives_before_the_truck_is_here_raises_nothing() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(pile.out("X", 10, 9 * TONNE), handed("A", 0, 9 * TONNE))
    assert said(plant, "output_exceeds_content") == plant.findings == doubted(plant) == []


def test_what_a_stockpile_gave_too_much_is_said_of_each_output_at_its_second_tick() -> None:
    """The second output is found when the first has waited for one tick: it waits for two more."""
    pile, plant, rule = Pile(), Plant(), "output_exceeds_content"
    plant.tell(handed("A", 0, 9 * TONNE), pile.out("X", 10, 19 * TONNE))
    [late] = plant.ticked()
    plant.tell(pile.out("Y", 20, TONNE), late)
    assert (said(plant, rule), plant.findings, len(doubted(plant))) == (["open"], [rule], 1)
    plant.pass_ticks()
    assert said(plant, rule) == ["open", "open"]
    plant.tell(handed("B", 5, 11 * TONNE))
    assert said(plant, rule) == ["open", "open", "retracted", "retracted"]
    assert doubted(plant) == []
    plant.tell(handed("B", 5, 11 * TONNE, void=True))
    assert len(said(plant, rule)) == 4, "it waits again"
    plant.pass_ticks()
    assert said(plant, rule)[4:] == ["open", "open"]


def test_a_survey_that_is_here_before_a_truck_raises_nothing() -> None:
    pile, plant = Pile(), Plant()
    survey = pile.side("stock", 20, 290 * TONNE, u_mass_g=TONNE)
    plant.tell(handed("A", 0, 200 * TONNE), survey, handed("B", 10, 90 * TONNE))
    assert said(plant, "stock_unaccounted") == plant.findings == doubted(plant) == []


def test_what_is_said_after_the_wait_is_what_stands_then() -> None:
    """A truck that came meanwhile explains a part."""
    pile, plant = Pile(), Plant()
    survey = pile.side("stock", 20, 290 * TONNE, u_mass_g=TONNE)
    plant.tell(handed("A", 0, 200 * TONNE), survey, handed("B", 10, 50 * TONNE))
    plant.pass_ticks()
    [alert] = [one for one in plant.outputs if isinstance(one, Alert)]
    assert "where 250.000 t should lie: 40.000 t too much" in alert.reason


def fed_back() -> list[LotFact]:
    """Two tonnes were received, and five leave again."""
    maker, ends = Maker(), ("MINE", "DEPOT")
    return [
        maker.weighing("DEPOT", 0, "receipt", 17_000, 15_000),
        maker.move("receipt", "DEPOT", 1, ends),
        maker.weighing("DEPOT", 10, "dispatch", 20_000, 15_000, movement_id="M-2"),
        maker.move("dispatch", "DEPOT", 11, ("DEPOT", "PORT"), movement_id="M-2"),
    ]


def test_a_place_that_gave_away_what_is_handed_over_only_now_raises_nothing() -> None:
    world, facts = World(), fed_back()
    world.tell(*facts)
    assert len(doubted(world)) == 1
    maker, more = Maker("P"), {"output_lot_id": "L-1", "mass_wet_g": 3 * TONNE}
    world.tell(maker.side("DEPOT", 5, "output", "P", mass_dry_g=3 * TONNE, **more))
    world.tell(tick(30), tick(31), tick(32))
    assert said(world, "overdrawn") == world.findings == doubted(world) == []


@pytest.mark.parametrize("again", [False, True])
def test_a_place_that_gave_away_too_much_is_said_at_the_second_tick(*, again: bool) -> None:
    """Also where the lot is folded anew while it waits."""
    world, facts = World(), fed_back()
    world.tell(*facts, tick(20))
    if again:
        world.tell(Maker("L-1", 90).assay("MINE", -5, {"Cu": (0.02, None)}))
    assert said(world, "overdrawn") == world.findings == []
    world.tell(tick(21))
    assert (said(world, "overdrawn"), world.findings) == (["open"], ["overdrawn"])
    world.tell(corrected(facts[2], "void", void=True))
    assert said(world, "overdrawn") == ["open", "retracted"]
    assert doubted(world) == []


def test_a_backtest_waits_by_the_times_of_recording_as_a_worker_does() -> None:
    facts = fed_back()
    alerts = [
        one
        for outputs in Replay(CustodyFold(), partitions=4).run(facts)
        for one in outputs
        if isinstance(one, Alert)
    ]
    assert [(one.rule, one.state) for one in alerts] == [("overdrawn", "open")]
    waited = alerts[0].raised_at - facts[-1].recorded_at
    assert TICK_US < waited <= 2 * TICK_US
