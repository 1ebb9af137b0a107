"""More out than in is said once what may be on its way has had its time."""

from dataclasses import replace

from custody.rechecking import CHANGED
from custody.records import Alert
from tests.support.facts import corrected
from tests.support.plant import Plant, handed
from tests.unit.custody.test_batches import TONNE, Sides

RULE = "output_exceeds_input"


def said(plant: Plant) -> list[str]:
    return [o.state for o in plant.outputs if isinstance(o, Alert) and o.rule == RULE]


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
    told = plant.ticked()
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
