"""How well what leaves a first-in-first-out pile is known: as its own layers are, and no better."""

import math
from dataclasses import replace

import pytest

from custody import layer_known, node_known
from custody.carried import NOTHING_CARRIED
from custody.estimate import Estimate, sigma, total
from custody.layer_known import joined, together
from custody.process import Estimates
from custody.process_rows import EXACT, Layer, Material, MetalKnown, StateRow
from custody.records import Content, Part
from tests.support.facts import Maker, event_id
from tests.support.plant import Plant, handed, reference

TONNE = 1_000_000
TRUCKS = [f"truck-{no}" for no in range(4)]


def truck(name: str, minute: float) -> Content:
    """25 t of 10 % moisture with a u of 3 %, 2 % copper with 5 %, all its own; exactly weighed."""
    dry = 22_500_000
    share = 0.03 / 0.9
    exact = handed(
        name, minute, dry, {"Cu": 20 * dry}, mass_wet_g=25 * TONNE, mass_wet_u_random_g=0.0
    )
    [copper] = exact.metals
    copper = replace(
        copper,
        u_random_mg=math.hypot(share, 0.05) * 20 * dry,
        u_systematic_mg=(Part(source="LAB/moisture", u=0.02 * dry),),
    )
    return replace(
        exact,
        mass_dry_u_random_g=share * dry,
        mass_dry_u_systematic_g=(Part(source="LAB/moisture", u=0.001 * dry),),
        metals=(copper,),
    )


class Heap:
    """Four trucks on one heap, the first first out."""

    def __init__(self, mixing: str = "fifo") -> None:
        self.maker, self.plant = Maker("heap"), Plant()
        self.plant.tell(reference("process", "P-1", f'{{"mixing":"{mixing}"}}'))
        self.plant.tell(*[truck(name, no) for no, name in enumerate(TRUCKS)])

    def out(self, lot: str, minute: float, wet: float, **more: object) -> tuple[Estimate, Estimate]:
        """Let tonnes leave, exactly weighed; return dry mass and copper of the lot."""
        side = self.maker.side(
            "YARD", minute, "output", "P-1", kind="stockpile", mass_wet_g=round(wet * TONNE),
            u_mass_g=1, output_lot_id=lot, **more,
        )  # fmt: skip
        self.plant.tell(side)
        told = next(c for c in self.plant.told.values() if c.to_owner == "lot/" + lot)
        [metal] = told.metals
        parts = {part.source: part.u for part in told.mass_dry_u_systematic_g}
        dry = Estimate(float(told.mass_dry_g), told.mass_dry_u_random_g**2, parts)
        parts = {part.source: part.u for part in metal.u_systematic_mg}
        return dry, Estimate(float(metal.value_mg), metal.u_random_mg**2, parts)

    def books(self) -> tuple[float, float]:
        """Return u of the dry mass in the books, in tonnes: of its own, and the laboratory's."""
        said = self.plant.balance
        parts = {part.source: part.u for part in said.mass_dry_u_systematic_g}
        own = math.hypot(said.mass_dry_u_random_g, parts.pop("P-1/dry_share", 0.0))
        return own / TONNE, parts.get("LAB/moisture", 0.0) / TONNE

    def copper(self) -> dict[str, float]:
        """Return u of the copper in the books by source, in kilograms, what is random as ''."""
        [metal] = self.plant.balance.metals
        parts = {part.source: part.u / TONNE for part in metal.u_systematic_mg}
        return {source: u for source, u in parts.items() if abs(u) > 1e-6} | {
            "": metal.u_random_mg / TONNE
        }


def named(no: int) -> str:
    return f"P-1/{event_id(TRUCKS[no])}"


def test_an_output_is_known_as_the_truck_it_is_of_and_not_as_the_heap() -> None:
    heap = Heap()
    dry, copper = heap.out("X", 10, 25)
    own = 0.75 * TONNE
    assert dry.parts == pytest.approx(
        {f"{named(0)}/dry_share": own, "LAB/moisture": 0.0225 * TONNE}, rel=1e-4
    )
    assert copper.parts[f"{named(0)}/Cu/grade"] == pytest.approx(0.05 * copper.value, rel=1e-4)
    assert copper.parts[f"{named(0)}/dry_share"] == pytest.approx(20 * own, rel=1e-4)
    mixed, _ = Heap("perfect").out("X", 10, 25)
    assert mixed.parts["P-1/dry_share"] == pytest.approx(own / 2, rel=1e-4)


def test_outputs_of_one_truck_share_its_errors_and_outputs_of_two_do_not() -> None:
    heap = Heap()
    first, second = heap.out("X", 10, 10), heap.out("Y", 11, 15)
    third = heap.out("Z", 12, 25)
    of_one = total([first[0], second[0]])
    assert of_one.parts[f"{named(0)}/dry_share"] == pytest.approx(0.75 * TONNE, rel=1e-4)
    both = total([of_one, third[0]])
    assert sigma(both) == pytest.approx(math.hypot(0.75, 0.75, 0.045) * TONNE, rel=1e-3)


def test_an_output_of_several_trucks_has_a_part_of_each() -> None:
    heap = Heap()
    dry, copper = heap.out("X", 10, 60)
    shares = {f"{named(no)}/dry_share": u * TONNE for no, u in enumerate((0.75, 0.75, 0.3))}
    assert {s: u for s, u in dry.parts.items() if s in shares} == pytest.approx(shares, rel=1e-4)
    assert f"{named(2)}/Cu/grade" in copper.parts
    assert f"{named(3)}/Cu/grade" not in copper.parts


def test_what_is_left_has_the_errors_of_the_trucks_that_lie_there() -> None:
    heap = Heap()
    assert heap.books() == pytest.approx((0.75 * 2, 0.09), rel=1e-3)
    heap.out("X", 10, 25)
    assert heap.books() == pytest.approx((0.75 * math.sqrt(3), 0.0675), rel=1e-3)
    heap.out("Y", 11, 75)
    assert max(heap.books()) < 1e-4


def test_what_left_with_a_moisture_of_its_own_leaves_the_error_in_the_books() -> None:
    """Beside that of its site's moisture, 0.5 % of which half the variance is its own."""
    heap = Heap()
    heap.out("X", 10, 25, moisture_fraction=0.1)
    stated = 0.005 * 25 / math.sqrt(2)
    assert heap.books() == pytest.approx((math.hypot(0.75 * 2, stated), 0.09), rel=1e-3)
    heap.out("Y", 11, 75)
    assert heap.books() == pytest.approx((math.hypot(0.75, stated), 0.0225), rel=1e-3)


def test_copper_is_known_no_better_than_the_dry_mass_that_left_with_a_moisture_of_its_own() -> None:
    """Of 20 mg/g: all the moistures of what came, that of what went, and the grades left there."""
    heap = Heap("perfect")
    grades = math.sqrt(4) * 0.05 * 450
    before = {"P-1/dry_share": 30.0, "P-1/Cu/grade": grades, "LAB/moisture": 1.8, "": 0.0}
    assert heap.copper() == pytest.approx(before, rel=1e-3, abs=1e-3)
    heap.out("X", 10, 50, moisture_fraction=0.1)
    stated = 0.005 * 50 / math.sqrt(2) * 20
    after = before | {"P-1/Cu/grade": grades / 2, "": stated}
    # What left by the moisture of another laboratory is less of that one.
    assert heap.copper() == pytest.approx(after | {"YARD/moisture": -stated}, rel=1e-3, abs=1e-3)


def test_the_scale_that_weighed_a_truck_is_once_in_its_copper() -> None:
    """25 t to 50 kg and to 20 kg of the bridge's own: 20 mg/g of nine tenths of that."""
    heap, scale = Heap("perfect"), 0.05 / 25
    name, dry = "heavy", 22_500_000
    exact = handed(
        name, 5, dry, {"Cu": 20 * dry}, mass_wet_g=25 * TONNE, mass_wet_u_random_g=50_000.0,
        mass_wet_u_systematic_g=(Part(source="WB", u=20_000.0),),
    )  # fmt: skip
    [copper] = exact.metals
    copper = replace(
        copper, u_random_mg=scale * 20 * dry, u_systematic_mg=(Part(source="WB", u=18_000 * 20.0),)
    )
    heap.plant.tell(
        replace(
            exact,
            mass_dry_u_random_g=scale * dry,
            mass_dry_u_systematic_g=(Part(source="WB", u=18_000.0),),
            metals=(copper,),
        )
    )
    found = heap.copper()
    assert (found[""], found["WB"]) == pytest.approx((0.9, 0.36), rel=1e-3)


@pytest.mark.parametrize("mixing", ["fifo", "perfect"])
def test_what_left_with_a_certificate_leaves_the_grades_of_what_came_in_the_books(
    mixing: str,
) -> None:
    """Moistures and grades of all four trucks, and 7 kg of the certificate, till a survey."""
    heap = Heap(mixing)
    before = heap.copper()
    for no, lot in enumerate("XY"):
        heap.out(lot, 10 + no, 25)
        [told] = [c for c in heap.plant.told.values() if c.to_owner == "lot/" + lot]
        back = handed(
            lot, 10 + no, -1000, {"Cu": TONNE}, from_owner="lot/" + lot,
            cause_event_id=told.cause_event_id, mass_wet_g=0,
            mass_dry_u_random_g=0.5 * TONNE, mass_wet_u_random_g=0.0,
        )  # fmt: skip
        [copper] = back.metals
        heap.plant.tell(replace(back, metals=(replace(copper, u_random_mg=7.0 * TONNE),)))
    found = heap.copper()
    assert math.hypot(*found.values()) == pytest.approx(
        math.hypot(*before.values(), 7.0, 7.0), rel=2e-3
    )
    assert found["LAB/moisture"] == pytest.approx(1.8, rel=2e-3)
    survey = {"kind": "stockpile", "mass_dry_g": 45 * TONNE, "u_mass_g": 450_000}
    heap.plant.tell(heap.maker.side("YARD", 20, "stock", "P-1", **survey))
    # 0.9 % of 900 kg, and the grades of two trucks, or half of the one that all four are together.
    grades = {"fifo": math.sqrt(2) * 22.5, "perfect": 22.5}[mixing]
    assert math.hypot(*heap.copper().values()) == pytest.approx(math.hypot(grades, 8.1), rel=2e-3)


def test_of_a_truck_that_left_by_half_with_a_moisture_of_its_own_all_is_in_the_books() -> None:
    heap = Heap()
    heap.out("X", 10, 12.5, moisture_fraction=0.1)
    stated = 0.005 * 12.5 / math.sqrt(2)
    assert heap.books() == pytest.approx((math.hypot(0.75 * 2, stated), 0.09), rel=1e-3)
    heap.out("Y", 11, 6.25, moisture_fraction=0.1)
    both = math.hypot(stated, stated / 2)
    assert heap.books() == pytest.approx((math.hypot(0.75 * 2, both), 0.09), rel=1e-3)


@pytest.mark.parametrize("mixing", ["fifo", "perfect"])
def test_what_left_and_was_measured_is_known_by_that(mixing: str) -> None:
    """All moistures of what came in are in the books, and 0.5 t of the measurement."""
    heap = Heap(mixing)
    heap.out("X", 10, 25)
    [told] = heap.plant.told.values()
    back = handed(
        "X", 10, -1000, from_owner="lot/X", cause_event_id=told.cause_event_id, mass_wet_g=0,
        mass_dry_u_random_g=0.5 * TONNE, mass_wet_u_random_g=0.0,
    )  # fmt: skip
    heap.plant.tell(back)
    assert heap.books() == pytest.approx((math.hypot(1.5, 0.5), 0.09), rel=1e-3)


@pytest.mark.parametrize("mixing", ["fifo", "perfect"])
def test_a_survey_of_dry_mass_says_what_is_there_and_not_how_dry_it_is(mixing: str) -> None:
    """0.3 % of 90 t; what leaves by a wet mass leaves an error of its moisture in the books."""
    heap = Heap(mixing)
    survey = {"kind": "stockpile", "mass_dry_g": 90 * TONNE, "u_mass_g": 300_000}
    heap.plant.tell(heap.maker.side("YARD", 10, "stock", "P-1", **survey))
    assert heap.books() == pytest.approx((0.27, 0.0), rel=1e-3)
    dry, _ = heap.out("X", 11, 100)
    assert sigma(dry) == pytest.approx(math.hypot(1.5, 0.09) * TONNE, rel=1e-3)
    assert heap.books()[0] == pytest.approx(math.hypot(0.27, 1.5), rel=1e-3)


def test_a_survey_that_states_its_moisture_is_one_error_of_all_trucks() -> None:
    heap = Heap()
    side = heap.maker.side(
        "YARD", 10, "stock", "P-1", kind="stockpile", mass_wet_g=100 * TONNE, u_mass_g=1,
        moisture_fraction=0.1,
    )  # fmt: skip
    heap.plant.tell(side)
    half = 0.005 / math.sqrt(2) * 25 * TONNE
    for no, lot in enumerate("XY"):
        dry, copper = heap.out(lot, 11 + no, 25)
        parts = {f"P-1/{side.event_id}/dry_share": half, "YARD/moisture": half}
        assert dry.parts == pytest.approx(parts, rel=1e-3)
        assert "LAB/moisture" not in copper.parts
        # It says nothing of grades: those are of the truck as before.
        assert copper.parts[f"{named(no)}/Cu/grade"] == pytest.approx(0.05 * copper.value, rel=1e-3)


@pytest.mark.parametrize("surveys", [1, 2])
def test_grades_of_two_trucks_are_two_errors_after_a_survey_of_how_dry_all_is(surveys: int) -> None:
    """5 % of 450 kg of copper twice are 32 kg together, and not 45 kg."""
    heap = Heap()
    for no in range(surveys):
        both = {"mass_wet_g": 100 * TONNE, "mass_dry_g": 90 * TONNE, "u_mass_g": 1}
        side = heap.maker.side("YARD", 10 + no, "stock", "P-1", kind="stockpile", **both)
        heap.plant.tell(side)
    _, copper = heap.out("X", 20, 50)
    assert sigma(copper) == pytest.approx(0.05 / math.sqrt(2) * copper.value, rel=1e-3)
    for no in (0, 1):
        part = copper.parts[f"{named(no)}/Cu/grade"]
        assert part == pytest.approx(0.025 * copper.value, rel=1e-3)


def test_a_survey_that_states_both_masses_says_how_dry_all_is() -> None:
    heap = Heap()
    both = {"mass_wet_g": 100 * TONNE, "mass_dry_g": 92 * TONNE, "u_mass_g": 1}
    heap.plant.tell(heap.maker.side("YARD", 10, "stock", "P-1", kind="stockpile", **both))
    dry, copper = heap.out("X", 11, 25)
    assert dry.value == 23 * TONNE
    assert sigma(dry) < 10.0
    assert sigma(copper) == pytest.approx(0.05 * copper.value, rel=1e-3)


def layer(cause: str, share: float, metal: MetalKnown, gone: float = 0.0) -> Layer:
    known = Material(cause, share, gone, {"LAB": 1.0}, {"Cu": metal})
    return Layer(120, 100, {"Cu": 1000}, NOTHING_CARRIED, known)


def test_a_mixture_has_the_error_that_its_parts_are_together() -> None:
    """3 and 4 g are 5 g; copper goes with it by 0.6 x 10 + 0.8 x 20 mg, the rest is beside."""
    some = [
        layer("a", 3.0, MetalKnown(10.0, 6.0, 1.0, {"LAB": 2.0}), gone=1.0),
        layer("b", 4.0, MetalKnown(20.0, 8.0, 2.0, {"WB": 3.0}), gone=2.0),
    ]
    found = joined([one.known for one in some])
    assert (found.cause, found.share, found.parts) == ("a", 5.0, {"LAB": 2.0})
    assert found.gone == pytest.approx(0.6 + 1.6)
    copper = found.metals["Cu"]
    assert (copper.share, copper.grade) == pytest.approx((22.0, 10.0))
    assert copper.beside == pytest.approx(3.0 + 100.0 + 400.0 - 22.0**2)
    assert copper.parts == {"LAB": 2.0, "WB": 3.0}


def test_errors_of_one_cause_add_up_and_a_metal_of_one_part_is_the_other_s() -> None:
    one = Material("a", 3.0, 0.0, {}, {})
    two = Material("a", 4.0, 0.0, {}, {"Cu": MetalKnown(2.0, 1.0, 0.0, {})})
    found = joined([one, two])
    assert found.share == 7.0
    assert found.metals["Cu"] == MetalKnown(2.0, 1.0, 0.0, {})
    assert joined([]) == EXACT
    assert joined([EXACT, EXACT]) == EXACT


def test_a_survey_renames_the_error_of_the_dry_share_and_no_grade() -> None:
    metal = MetalKnown(10.0, 6.0, 1.0, {})
    found = layer("a", 3.0, metal)
    for no in (1, 2):
        found = layer_known.surveyed(found, Estimate(1.0, 0.01**2, {}), f"survey-{no}")
        assert (found.known.cause, found.known.graded) == (f"survey-{no}", "a")
    _, metals = together([found], "P")
    own = {source: u for source, u in metals["Cu"].parts.items() if source != "LAB"}
    assert own == pytest.approx({"P/survey-2/dry_share": 0.01, "P/a/Cu/grade": 0.006})
    half = layer_known.scaled(found.known, 0.5)
    assert half.graded == joined([half, EXACT]).graded == "a"
    assert layer_known.bytes_of(found.known) == layer_known.bytes_of(
        found.known._replace(graded="")
    ) + len("a")
    assert layer_known.of_node(found.known).graded == ""
    # Of a layer that was named by the node alone, the grades are as well.
    alone = layer_known.surveyed(layer("", 3.0, metal), Estimate(1.0, 0.0, {}), "")
    assert (alone.known.cause, alone.known.graded) == ("", "")


def test_names_are_those_of_the_process_and_the_cause() -> None:
    share, metals = together([layer("", 5.0, MetalKnown(1.0, 2.0, 9.0, {}))], "P")
    assert share == Estimate(100.0, 0.0, {"LAB": 0.01, "P/dry_share": 0.05})
    assert metals["Cu"] == Estimate(1000.0, 9e-6, {"P/dry_share": 0.001, "P/Cu/grade": 0.002})
    share, _ = together([layer("e", 5.0, MetalKnown(0.0, 0.0, 0.0, {}))], "P")
    assert set(share.parts) == {"LAB", "P/e/dry_share"}
    assert together([], "P") == (Estimate(0.0, 0.0, {}), {})


def test_what_is_gone_of_layers_that_mix_is_their_error_only_as_far_as_it_is_still_there() -> None:
    """6 g are gone of what has 3 g, and 4 g come: 0.6 x 6 go with the 5 g there are together."""
    state = StateRow(layers=[layer("a", 3.0, MetalKnown(0.0, 0.0, 0.0, {}), gone=6.0)])
    came = layer("b", 4.0, MetalKnown(0.0, 0.0, 0.0, {}))
    before = layer_known.in_books([*state.layers, came])
    assert before == math.hypot(9.0, 4.0)
    state.layers = [state.layers[0]._replace(known=joined([state.layers[0].known, came.known]))]
    assert layer_known.in_books(state.layers) == pytest.approx(5.0 + 3.6)
    exact = Estimate(1.0, 0.0, {})
    node_known.arrive(state, Estimates(exact, exact, {}), before)
    assert state.dry_u[0] == pytest.approx(6.0**2 - 3.6**2)


def test_many_laboratories_of_a_layer_are_few_names() -> None:
    labs = [{f"LAB-{no}": float(no + 1)} for no in range(40)]
    kept = layer_known.summed(labs)
    assert len(kept) == 17
    assert kept["LAB-39"] == 40.0
    assert kept["other"] == sum(range(1, 25))
    assert layer_known.summed(labs[:32]) == {
        name: u for one in labs[:32] for name, u in one.items()
    }
