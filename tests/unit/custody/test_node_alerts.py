"""The alert of a closed process in the stream: raised once, changed, taken back, in any order."""

from dataclasses import replace
from random import Random

import pytest

from custody.events import ActionTaken, LotFact, Micros
from custody.records import Alert
from tests.support.facts import MINUTE, Maker, corrected, event_id, last_ticks
from tests.support.plant import Plant, handed
from tests.support.recomputed import line_of, script, wrong
from tests.support.world import World
from tests.unit.custody.test_batches import TONNE, Sides

GRADES: dict[str, tuple[float, float | None]] = {"Cu": (0.03, 0.0003), "Co": (0.008, 0.0001)}


def blend(out_kg: int, grade: float = 1.0) -> dict[str, LotFact]:
    """Two lots of 30 t, 5 % wet, are blended; the blend is assayed at the other site."""
    a, b, x, sides = Maker("A"), Maker("B"), Maker("X"), Maker("sides")
    found: dict[str, LotFact] = {}
    for name, maker in (("A", a), ("B", b)):
        found[f"lot {name}"] = maker.lot("PLANT", 0, {"Cu": 0.03, "Co": 0.008})
        found[f"assay {name}"] = maker.assay("PLANT", 1, GRADES, (0.05, 0.001), lab_id="LAB-1")
        found[f"input {name}"] = maker.side(
            "PLANT", 2, "input", "P", mass_wet_g=30_000_000, u_mass_g=30_000
        )
    found["output"] = sides.side(
        "PLANT", 3, "output", "P", output_lot_id="X", mass_wet_g=1000 * out_kg, u_mass_g=60_000
    )
    found["close"] = sides.side("PLANT", 4, "close", "P")
    results = {name: (f * grade, u) for name, (f, u) in GRADES.items()}
    found["assay X"] = x.assay("PLANT", 5, results, (0.05, 0.001), lab_id="LAB-2")
    return found


def nodes(world: World) -> list[Alert]:
    return [o for o in world.outputs if isinstance(o, Alert) and o.rule == "node_balance"]


def test_an_honest_blend_raises_nothing() -> None:
    world = World()
    world.tell(*blend(60_000).values(), *last_ticks())
    assert nodes(world) == []


def test_a_theft_is_said_once_with_what_it_rests_on_and_taken_back_when_corrected() -> None:
    world, facts = World(), blend(54_000, grade=1.001)
    world.tell(*facts.values())
    assert nodes(world) == [], "its inputs may be on their way"
    world.tell(*last_ticks())
    [alert] = nodes(world)
    assert (alert.subject, alert.process_id, alert.state) == ("process/P", "P", "open")
    assert (alert.family, alert.statistic) == ("loss", "minus_log10_p")
    assert alert.size == pytest.approx(-0.1, abs=0.01)
    assert alert.value > alert.threshold == 3.0
    assert "Sidak" in alert.threshold_basis
    assert {(row.quantity, row.analyte) for row in alert.evidence[:3]} == {
        ("dry_mass", None), ("contained_metal", "Cu"), ("contained_metal", "Co")
    }  # fmt: skip
    dry = alert.evidence[0]
    assert dry.z == pytest.approx((dry.observed - dry.expected) / dry.u)
    assert facts["input A"].event_id in dry.event_ids
    assert any("LAB-1" in name for name in alert.evidence[1].instruments)
    late = corrected(facts["output"], "right", mass_wet_g=60_000_000)
    world.tell(late)
    assert [a.state for a in nodes(world)][-1] == "retracted"
    assert nodes(world)[-1].cause == late.event_id


@pytest.mark.parametrize("grade", [1.08, 0.92])
def test_a_laboratory_of_both_sides_is_not_off_by_hundreds_of_its_u(grade: float) -> None:
    """Its own error nearly cancels in the balance: it would have to read double or nothing."""
    facts = blend(60_000)
    copper = {**GRADES, "Cu": (0.03 * grade, 0.0003)}
    facts["assay X"] = Maker("X").assay("PLANT", 5, copper, (0.05, 0.001), lab_id="LAB-1")
    world = World()
    world.tell(*facts.values(), *last_ticks())
    [alert] = nodes(world)
    assert (alert.family, alert.reason.count("Most likely")) == ("instrument_bias", 1)
    assert "LAB-1" not in alert.reason


def test_of_processes_beyond_what_a_double_holds_the_worse_one_is_worse() -> None:
    """Chances of 10^-5,000 and of 10^-20,000 were 10^-300 both, and ranked alike."""
    values = []
    for out_kg in (51_000, 42_000, 30_000):
        world = World()
        world.tell(*blend(out_kg).values(), *last_ticks())
        [alert] = nodes(world)
        assert not wrong(script("recompute_node").sums(line_of(alert)))
        values.append(alert.value)
    assert 300.0 < values[0] < values[1] < values[2]
    assert values[2] == pytest.approx(values[0] * (30 / 9) ** 2, rel=0.5)


def test_a_certificate_that_comes_last_is_judged_when_it_comes() -> None:
    facts = blend(60_000, grade=0.8)
    last = facts.pop("assay X")
    world = World()
    world.tell(*facts.values(), *last_ticks())
    assert nodes(world) == []
    world.tell(last, *[replace(one, now=Micros(one.now + 5 * MINUTE)) for one in last_ticks()])
    assert [(a.state, a.family) for a in nodes(world)] == [("open", "waste")]
    assert "no mixture of the inputs" in nodes(world)[-1].reason


def test_what_is_open_does_not_depend_on_the_order() -> None:
    drawn = set()
    for seed in range(12):
        rng, facts = Random(seed), list(blend(54_000, grade=0.9).values())
        facts += [corrected(facts[-1], "same", moisture_fraction=0.05)]
        rng.shuffle(facts)
        facts.insert(rng.randrange(len(facts)), rng.choice(facts))
        world = World()
        world.tell(*facts, *last_ticks(), *last_ticks())
        drawn.add(tuple(sorted((a.rule, a.subject, a.family) for a in world.alerts.values()
                               if a.state == "open" and a.rule == "node_balance")))  # fmt: skip
    assert len(drawn) == 1
    assert next(iter(drawn))


def test_who_acknowledges_it_gets_it_back_with_its_evidence() -> None:
    world = World()
    world.tell(*blend(54_000).values(), *last_ticks())
    [alert] = nodes(world)
    action = ActionTaken(
        event_id=event_id("seen"), action="acknowledge", actor="operator", alert_id=alert.alert_id,
        version=1, subject="process/P", reason=None, recorded_at=Micros(alert.raised_at + 1),
        gateway_id="GW-1", gateway_epoch=1, gateway_seq=1,
    )  # fmt: skip
    world.tell(action)
    answer = nodes(world)[-1]
    assert (answer.state, answer.version) == ("acknowledged", 2)
    assert answer.evidence == alert.evidence


def test_a_process_of_many_sides_says_a_short_alert() -> None:
    sides, plant = Sides("split"), Plant()
    plant.tell(handed("A", 0, 400 * TONNE, {"Cu": 10**10}))
    outputs = [sides.out(f"X{n}", TONNE, part_no=n) for n in range(300)]
    plant.tell(*outputs, sides.side("close"), together=True)
    plant.pass_ticks()
    [alert] = [o for o in plant.outputs if isinstance(o, Alert)]
    assert (alert.rule, alert.family) == ("node_balance", "loss")
    assert alert.size == pytest.approx(-0.25, abs=0.01)
    assert len(alert.evidence) < 20


def test_a_voided_close_takes_it_back() -> None:
    sides, plant = Sides("blend"), Plant()
    close = sides.side("close")
    plant.tell(handed("A", 0, 10 * TONNE, {}), sides.out("X", 9 * TONNE), close)
    plant.pass_ticks()
    plant.tell(corrected(close, "void", void=True))
    states = [o.state for o in plant.outputs if isinstance(o, Alert)]
    assert states == ["open", "retracted"]
