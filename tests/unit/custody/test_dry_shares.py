"""How well outputs are known where moisture and grades are those of the inputs."""

import math
from dataclasses import replace
from typing import Any

import pytest

from custody.detect.node_facts import Stream, sources_of
from custody.estimate import Estimate, sigma, total
from custody.events import LotFact, MaterialProcessed, Micros
from custody.held import Carried, Held
from custody.process_known import in_whole, whole_of
from custody.records import Alert, Balance, Content, Metal, Part
from tests.support.facts import Maker, last_ticks
from tests.support.plant import Plant, handed
from tests.support.world import World

TONNE = 1_000_000


class Sides:
    """Sides of P-1 that state a wet mass known to 4.4 kg, and no moisture."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.maker = Maker("wet-sides-of-" + kind)

    def of(self, part: str, wet: int = 0, minute: float = 100, **more: Any) -> LotFact:  # noqa: ANN401
        fields = {"kind": self.kind, "mass_wet_g": wet, "u_mass_g": 4_444} | more
        return self.maker.side("PLANT", minute, part, "P-1", **fields)

    def out(self, lot: str, wet: int, minute: float = 100, **more: Any) -> LotFact:  # noqa: ANN401
        return self.of("output", wet, minute, output_lot_id=lot, **more)


def ore(name: str, wet: int = 100 * TONNE, **more: Any) -> Content:  # noqa: ANN401
    """Ore of 10 % moisture with a u of 0.25 %, weighed to 8 kg of its own and 10 of the scale's.

    2 % of it is copper, by a certificate with a u of 1 %.
    """
    part, dry = wet / (100 * TONNE), round(0.9 * wet)
    mass, moisture, scale = 8_000.0 / wet, 0.0025 / 0.9, 10_000.0 * part
    copper = {"analyte": "Cu", "value_mg": 20 * dry}
    fields: dict[str, object] = {
        "mass_wet_g": wet,
        "mass_wet_u_random_g": mass * wet,
        "mass_wet_u_systematic_g": (Part(source="WB", u=scale),),
        "mass_dry_u_random_g": math.hypot(mass, moisture) * dry,
        "mass_dry_u_systematic_g": (Part(source="WB", u=0.9 * scale),),
        "metals": (
            Metal(
                u_random_mg=math.hypot(mass, moisture, 0.01) * 20 * dry,
                u_systematic_mg=(Part(source="WB", u=18 * scale),),
                **copper,  # type: ignore[arg-type]
            ),
        ),
    }
    return replace(handed(name, 0, dry), **(fields | more))  # type: ignore[arg-type]


def told_to(plant: Plant, lot: str) -> Content:
    return next(c for c in plant.told.values() if c.to_owner == "lot/" + lot)


def dry_of(said: Content | Balance) -> Estimate:
    parts = {part.source: part.u for part in said.mass_dry_u_systematic_g}
    return Estimate(float(said.mass_dry_g), said.mass_dry_u_random_g**2, parts)


def copper_of(said: Content | Balance) -> Estimate:
    [metal] = said.metals
    parts = {part.source: part.u for part in metal.u_systematic_mg}
    return Estimate(float(metal.value_mg), metal.u_random_mg**2, parts)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_an_output_without_a_moisture_is_as_badly_known_as_the_moisture_it_is_derived_with(
    kind: str,
) -> None:
    """50 t of 10 ± 0.25 % moisture, weighed to 4.4 kg: 45.000 t dry, u 0.125 and not 0.004."""
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE))
    found = dry_of(told_to(plant, "X"))
    assert found.value == 45 * TONNE
    assert sigma(found) == pytest.approx(125_000, rel=0.002)
    assert found.parts == pytest.approx({"P-1/dry_share": 125_000}, rel=1e-5)


def test_what_is_left_when_all_went_out_is_known_by_its_weighings() -> None:
    """The moisture is in what went in and in what went out alike: 250 kg of u are gone."""
    sides, plant = Sides("split"), Plant()
    plant.tell(ore("A"))
    before = plant.balance
    assert sigma(dry_of(before)) == pytest.approx(
        0.9 * math.hypot(8_000, 10_000, 277_778), rel=1e-4
    )
    plant.tell(sides.out("X", 50 * TONNE), sides.out("Y", 50 * TONNE))
    weighings = math.hypot(8_000, 10_000, 4_444, 4_444)
    assert plant.held == {}
    assert sigma(dry_of(plant.balance)) == pytest.approx(0.9 * weighings, rel=1e-3)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_half_that_is_left_shares_the_moisture_of_the_half_that_went(kind: str) -> None:
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE))
    left, out = dry_of(plant.balance), dry_of(told_to(plant, "X"))
    assert left.parts["P-1/dry_share"] == pytest.approx(125_000, rel=1e-3)
    assert sigma(total([left, out])) == pytest.approx(250_000, rel=0.01)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_the_moistures_of_several_inputs_are_one_error_of_what_they_are_together(kind: str) -> None:
    """Four lots of 25 t, each 0.0625 t by its moisture: together 0.125 t, half of it to a half."""
    sides, plant = Sides(kind), Plant()
    quarter = {"mass_dry_u_random_g": 62_500.0, "mass_wet_u_random_g": 0.0}
    plant.tell(*[ore(name, 25 * TONNE, **quarter) for name in "ABCD"], sides.out("X", 50 * TONNE))
    found = dry_of(told_to(plant, "X"))
    assert found.parts == pytest.approx({"P-1/dry_share": 62_500}, rel=1e-3)
    plant.tell(sides.out("Y", 50 * TONNE))
    assert sigma(dry_of(plant.balance)) < 0.9 * math.hypot(40_000, 10_000)


def test_two_outputs_of_one_process_in_one_heap_do_not_average_its_moisture_out() -> None:
    sides, plant, again = Sides("split"), Plant(), Plant("process/P-2")
    plant.tell(ore("A"), sides.out("X", 50 * TONNE), sides.out("Y", 50 * TONNE))
    for name in "XY":
        told = told_to(plant, name)
        again.tell(
            replace(
                told,
                from_owner=told.to_owner,
                to_owner="process/P-2",
                cause_event_id="in-" + told.cause_event_id,
            )
        )
    out = Maker("blend").side("PLANT", 200, "output", "P-2", mass_wet_g=100 * TONNE, u_mass_g=4_444)
    again.tell(replace(out, output_lot_id="Z"))
    found = dry_of(told_to(again, "Z"))
    assert found.parts == pytest.approx({"P-1/dry_share": 250_000}, rel=1e-3)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_a_moisture_that_a_side_states_is_known_as_one_of_its_site_and_shares_nothing(
    kind: str,
) -> None:
    """0.5 % of 50 t are 0.25 t: half of the variance is the site's own laboratory's."""
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE, moisture_fraction=0.08))
    found = dry_of(told_to(plant, "X"))
    half = 250_000 / math.sqrt(2)
    assert found.value == 46 * TONNE
    assert found.parts == pytest.approx({"PLANT/moisture": half}, rel=1e-5)
    assert sigma(found) == pytest.approx(math.hypot(250_000, 0.92 * 4_444), rel=1e-4)
    left = dry_of(plant.balance)
    assert left.parts["P-1/dry_share"] == pytest.approx(250_000, rel=1e-3)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_a_dry_mass_that_a_side_states_is_known_by_its_own_statement(kind: str) -> None:
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE, mass_dry_g=45 * TONNE))
    found = dry_of(told_to(plant, "X"))
    assert (found.value, found.parts) == (45 * TONNE, {})
    assert sigma(found) == pytest.approx(4_000, rel=1e-3)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_the_dry_share_is_in_a_metal_once(kind: str) -> None:
    """Copper is (copper in) x (wet out) / (wet in): 1 % of its grade, 0.278 % of the moisture."""
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE))
    found = copper_of(told_to(plant, "X"))
    assert found.value == 900 * TONNE
    assert found.parts["P-1/dry_share"] == pytest.approx(900 * 2_777.8, rel=1e-3)
    assert sigma(found) / found.value == pytest.approx(math.hypot(0.01, 0.0027778), rel=1e-3)


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_a_metal_of_an_output_that_states_its_moisture_has_that_instead(kind: str) -> None:
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE, moisture_fraction=0.08))
    found = copper_of(told_to(plant, "X"))
    assert "P-1/dry_share" not in found.parts
    assert sigma(found) / found.value == pytest.approx(math.hypot(0.01, 0.005 / 0.92), rel=2e-3)


def test_a_separation_takes_its_part_of_all_outputs_and_the_share_stays_in_the_metal() -> None:
    sides, plant = Sides("concentrate"), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE))
    found = copper_of(told_to(plant, "X"))
    assert sigma(found) / found.value == pytest.approx(math.hypot(0.05, 0.01, 0.0028), rel=1e-3)
    assert found.parts["P-1/dry_share"] / found.value == pytest.approx(0.0027778, rel=1e-3)


def test_a_moisture_that_an_output_of_a_separation_states_leaves_the_share_in_its_metal() -> None:
    sides, plant = Sides("concentrate"), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE, moisture_fraction=0.08))
    found = copper_of(told_to(plant, "X"))
    assert found.parts["P-1/dry_share"] / found.value == pytest.approx(0.0027778, rel=1e-3)


def test_a_metal_is_known_no_worse_by_the_moisture_than_it_is_known() -> None:
    given = handed_in("A", 50 * TONNE, 0.03)
    value = given.metals["Cu"][0]
    given = given._replace(metals={"Cu": (value, 0.01 * value, {})})
    whole = whole_of({given.cause: given}, "P/dry_share")
    assert whole.known.metals["Cu"].parts["P/dry_share"] == pytest.approx(0.01 * value)
    assert whole.known.metals["Cu"].var == 0.0


def test_a_certificate_of_the_lot_takes_the_place_of_the_share_in_dry_mass_and_metal() -> None:
    world, facts = World(), chain(0.08, fed=False)
    world.tell(*facts)
    handed_over = world.balances["lot/X/MINE"]
    assert dry_of(handed_over).parts["P1/dry_share"] == pytest.approx(1.8 * TONNE, rel=0.01)
    assert handed_over.moisture_u_fraction == pytest.approx(0.03, rel=0.01)
    world.tell(Maker("X").assay("MINE", 8, {}, (0.08, 0.001)))
    found = world.balances["lot/X/MINE"]
    assert sigma(dry_of(found)) == pytest.approx(math.hypot(60_000, 55_200), rel=0.01)
    assert "P1/dry_share" not in copper_of(found).parts
    grade = sigma(copper_of(found)) / copper_of(found).value
    assert grade == pytest.approx(0.2, rel=0.01)


def chain(moisture: float, *, fed: bool = True) -> list[LotFact]:
    """Ore of which nobody measured the moisture is crushed, and crushed again, then sampled."""
    kind = {"kind": "crush"}
    ore, x, z, sides = Maker("A"), Maker("X"), Maker("Z"), Maker("crushers")
    mass = {"mass_wet_g": 60 * TONNE} | kind
    facts: list[LotFact] = [
        ore.lot("MINE", 0, {"Cu": 0.03}),
        ore.weighing("MINE", 1, "stock", 75_000, 15_000),
        ore.side("MINE", 2, "input", "P1", u_mass_g=30_000, **mass),
        sides.side("MINE", 3, "output", "P1", output_lot_id="X", u_mass_g=60_000, **mass),
        sides.side("MINE", 4, "close", "P1", **kind),
    ]
    if not fed:
        return facts
    return [
        *facts,
        x.side("MINE", 5, "input", "P2", u_mass_g=30_000, **mass),
        sides.side("MINE", 6, "output", "P2", output_lot_id="Z", u_mass_g=60_000, **mass),
        sides.side("MINE", 7, "close", "P2", **kind),
        z.assay("MINE", 8, {"Cu": (0.03, 0.0003)}, (moisture, 0.001)),
    ]


@pytest.mark.parametrize("moisture", [0.01, 0.02, 0.05, 0.08, 0.1])
def test_honest_lots_of_default_moisture_have_lost_nothing_once_they_are_sampled(
    moisture: float,
) -> None:
    """8 % where 5 ± 3 % was assumed: 1.8 t less dry mass is one sigma, and no loss of 21."""
    world = World()
    world.tell(*chain(moisture), *last_ticks())
    assert [one.family for one in world.outputs if isinstance(one, Alert)] == []


def test_streams_of_a_node_have_together_the_share_that_the_whole_has() -> None:
    """What is one error of the whole is divided over inputs as much as they brought of it."""
    given = [handed_in("A", 30 * TONNE, 0.03), handed_in("B", 60 * TONNE, 0.01)]
    given.append(handed_in("exact", 10 * TONNE, 0.0))
    whole = whole_of({held.cause: held for held in given}, "P/dry_share")
    expected = math.hypot(0.9 * TONNE, 0.6 * TONNE)
    assert whole.known.dry.parts["P/dry_share"] == pytest.approx(expected)
    streams = [in_whole(held, whole, "P/dry_share") for held in given]
    assert sum(one.dry_parts.get("P/dry_share", 0.0) for one in streams) == pytest.approx(expected)
    assert streams[2] == given[2]
    for before, after in zip(given, streams, strict=True):
        u = math.hypot(after.dry_u, after.dry_parts.get("P/dry_share", 0.0))
        assert u == pytest.approx(before.dry_u)
        _, u, parts = after.metals["Cu"]
        metal = math.hypot(u, parts.get("P/dry_share", 0.0))
        assert metal == pytest.approx(before.metals["Cu"][1])


def test_a_metal_of_which_the_moist_lots_have_none_does_not_depend_on_their_moisture() -> None:
    given = [handed_in("A", 50 * TONNE, 0.03, copper=0), handed_in("B", 50 * TONNE, 0.0)]
    whole = whole_of({held.cause: held for held in given}, "P/dry_share")
    assert whole.known.dry.parts["P/dry_share"] == pytest.approx(1.5 * TONNE)
    assert whole.known.metals["Cu"].parts.get("P/dry_share", 0.0) == 0.0


def test_what_comes_back_to_a_process_has_its_share_already_and_adds_to_it() -> None:
    again = handed_in("X", 50 * TONNE, 0.0)._replace(dry_parts={"P/dry_share": 300_000.0})
    given = [again, handed_in("A", 50 * TONNE, 0.008)]
    whole = whole_of({held.cause: held for held in given}, "P/dry_share")
    assert whole.known.dry.parts["P/dry_share"] == pytest.approx(math.hypot(300_000, 400_000))
    assert whole.share.parts["P/dry_share"] == pytest.approx(0.005)


def handed_in(
    name: str, dry: int, moisture_u_rel: float, copper: int = 20, grade: float = 0.01
) -> Held:
    """Held with a wet mass known to 0.1 %, and copper of a grade known to 1 %."""
    wet, metal = round(dry / 0.9), copper * dry
    u = math.hypot(0.001, moisture_u_rel)
    metals = {"Cu": (metal, math.hypot(u, grade) * metal, dict[str, float]())} if copper else {}
    return Held(
        name, "lot/" + name, "PLANT", 1, Micros(1), wet, 0.001 * wet, {}, dry, u * dry, {},
        metals, Carried({}, {}, {}, {}),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_outputs_share_the_grade_of_what_went_in(kind: str) -> None:
    """Copper of the ore is known to 1 %: half of it goes out with that error, and with no other."""
    sides, plant = Sides(kind), Plant()
    plant.tell(ore("A"), sides.out("X", 50 * TONNE), sides.out("Y", 50 * TONNE))
    found = [copper_of(told_to(plant, name)) for name in "XY"]
    assert [one.parts["P-1/Cu/grade"] for one in found] == pytest.approx([9.0 * TONNE] * 2)
    assert found[0].var < (0.001 * found[0].value) ** 2
    both = total(found)
    assert sigma(both) / both.value == pytest.approx(math.hypot(0.01, 0.00278), rel=1e-3)


def test_of_a_grade_nothing_is_in_what_is_left_when_all_went_out() -> None:
    """18 kg of 1,800 kg copper by the grade; what is left is known by what was weighed."""
    sides, plant = Sides("split"), Plant()
    plant.tell(ore("A"), sides.out("X", 49 * TONNE), sides.out("Y", 50 * TONNE))
    [left] = plant.balance.metals
    assert left.value_mg == 18 * TONNE
    parts = {part.source: part.u for part in left.u_systematic_mg}
    assert parts["P-1/Cu/grade"] == pytest.approx(0.18 * TONNE, rel=1e-3)
    assert left.u_random_mg < 0.0002 * 1800 * TONNE


@pytest.mark.parametrize("kind", ["split", "stockpile"])
def test_grades_of_several_inputs_are_one_error_of_what_they_are_together(kind: str) -> None:
    sides, plant = Sides(kind), Plant()
    plant.tell(*[ore(name, 25 * TONNE) for name in "ABCD"], sides.out("X", 50 * TONNE))
    found = copper_of(told_to(plant, "X"))
    assert found.parts["P-1/Cu/grade"] / found.value == pytest.approx(0.005, rel=1e-3)


def test_outputs_of_one_process_in_one_heap_do_not_average_their_grade_out() -> None:
    given = [handed_in("X", 50 * TONNE, 0.0), handed_in("Y", 50 * TONNE, 0.0)]
    given = [
        one._replace(metals={"Cu": (1000 * TONNE, 0.0, {"P/Cu/grade": 10.0 * TONNE})})
        for one in given
    ]
    whole = whole_of({held.cause: held for held in given}, "P2/dry_share")
    copper = whole.known.metals["Cu"]
    assert copper.parts == {"P/Cu/grade": 20.0 * TONNE}


def test_what_comes_back_to_a_process_has_its_grade_already_and_adds_to_it() -> None:
    again = handed_in("X", 50 * TONNE, 0.0)
    value = again.metals["Cu"][0]
    again = again._replace(metals={"Cu": (value, 0.001 * value, {"P/Cu/grade": 0.03 * value})})
    given = [again, handed_in("A", 50 * TONNE, 0.0, grade=0.04)]
    whole = whole_of({held.cause: held for held in given}, "P/dry_share")
    assert whole.known.metals["Cu"].parts["P/Cu/grade"] == pytest.approx(0.05 * value)


def test_a_grade_of_a_process_is_no_instrument() -> None:
    stream = Stream(
        "X", "", Estimate(1.0, 0.0, {"WB": 0.1, "P/dry_share": 0.1}),
        {"Cu": Estimate(1.0, 0.0, {"LAB/Cu": 0.1, "P/Cu/grade": 0.1})},
    )  # fmt: skip
    assert sources_of([stream]) == {"WB", "LAB/Cu"}


def test_what_is_really_missing_is_found_and_no_dry_share_is_called_an_instrument() -> None:
    world, facts = World(), chain(0.05)
    assert isinstance(facts[6], MaterialProcessed)
    facts[6] = replace(facts[6], mass_wet_g=45 * TONNE)
    world.tell(*facts, *last_ticks())
    said = [one for one in world.outputs if isinstance(one, Alert) and one.rule == "node_balance"]
    assert said[-1].family == "loss"
    assert not [i for row in said[-1].evidence for i in row.instruments if "dry_share" in i]
    assert "dry_share" not in said[-1].reason


def test_a_survey_that_states_no_moisture_is_compared_wet() -> None:
    """Books and survey have the same dry share: of 100 t 2 are missing, u 0.3 by the weighings."""
    sides, plant = Sides("stockpile"), Plant()
    plant.tell(
        ore("A", mass_dry_u_random_g=3.0 * TONNE), sides.of("stock", 98 * TONNE, u_mass_g=300_000)
    )
    plant.pass_ticks()
    assert plant.findings == ["stock_unaccounted"]
    assert sigma(dry_of(plant.balance)) == pytest.approx(0.98 * 3.0 * TONNE, rel=0.01)


def test_a_survey_that_states_its_moisture_says_it_of_all_that_lies_there() -> None:
    sides, plant = Sides("stockpile"), Plant()
    survey = sides.of("stock", 100 * TONNE, minute=50, moisture_fraction=0.08, u_mass_g=300_000)
    plant.tell(ore("A", mass_dry_u_random_g=3.0 * TONNE), survey, sides.out("X", 50 * TONNE))
    assert plant.ticked() == []
    found = dry_of(told_to(plant, "X"))
    half = 250_000 / math.sqrt(2)
    parts = {"P-1/dry_share": half, "PLANT/moisture": half}
    assert found.parts == pytest.approx(parts, rel=1e-3)
    grade = copper_of(told_to(plant, "X"))
    assert sigma(grade) / grade.value < 0.04


def test_a_pile_that_was_emptied_does_not_remember_how_moist_it_was_not() -> None:
    sides, plant = Sides("stockpile"), Plant()
    plant.tell(ore("A", mass_dry_u_random_g=3.0 * TONNE), sides.out("X", 100 * TONNE, minute=50))
    later = ore("B", effective_at=sides.out("never", 0, minute=60).occurred_at)
    plant.tell(later, sides.out("Y", 50 * TONNE))
    assert dry_of(told_to(plant, "Y")).parts == pytest.approx({"P-1/dry_share": 125_000}, rel=1e-3)
