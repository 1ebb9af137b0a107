"""What a batch finds when it closes: more metal than mass, and more than half gone nowhere."""

from collections.abc import Mapping

import pytest

from custody.records import Alert
from tests.support.facts import Maker, corrected
from tests.support.plant import Plant, handed, reference
from tests.unit.custody.test_batches import TONNE, Sides

KG = 10**6
"""Milligrams."""
RICH, GONE = "metal_exceeds_mass", "input_unaccounted"
ORE = {"Cu": 2_500 * KG, "Fe": 8_000 * KG, "Si": 25_000 * KG, "Ag": 3 * KG}
"""Of 100 t: 2.5 % copper, and what becomes tailings."""
COPPER = reference("process", "P-1", '{"key_analyte":"Cu"}')


def closed(kind: str, metals: Mapping[str, int], dry: int = 10 * TONNE, out: int = TONNE) -> Plant:
    """A process of one input and one output, none where ``out`` is 0, that has had its time."""
    sides, plant = Sides(kind), Plant()
    plant.tell(handed("A", 0, dry, metals))
    if out:
        plant.tell(sides.out("C", out))
    plant.tell(sides.side("close"))
    wait(plant)
    return plant


def wait(plant: Plant) -> None:
    words = plant.ticked()
    if words:
        plant.tell(*words, together=True)


def reasons(plant: Plant) -> dict[str, str]:
    """Sentences of the alerts that stand, by rule."""
    last = {one.alert_id: one for one in plant.outputs if isinstance(one, Alert)}
    return {one.rule: one.reason for one in last.values() if one.state == "open"}


# More metal than mass


@pytest.mark.parametrize("kind", ["smelt", "concentrate", "leach", "other"])
def test_a_wrong_kind_that_leaves_more_metal_than_mass_is_found(kind: str) -> None:
    """Ten tonnes of concentrate at 25 % copper do not become one tonne of anything."""
    found = reasons(closed(kind, {"Cu": 2_500 * KG}))
    expected = "2,200.000" if kind == "concentrate" else "2,375.000"
    nothing = "nothing holds more metal than its own mass."
    assert found == {RICH: f"{expected} kg of Cu in 1.000 t of dry mass: {nothing}"}


def test_it_is_said_of_the_output_once_the_process_is_closed_and_taken_back_when_it_fits() -> None:
    """Of an open process the first output is expected to hold what those after it will."""
    sides, plant = Sides("smelt"), Plant()
    first = sides.out("C", TONNE)
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 2_500 * KG}), first)
    assert plant.ticked() == []
    plant.tell(sides.side("close"))
    assert reasons(plant) == {}
    wait(plant)
    assert (list(reasons(plant)), plant.findings) == ([RICH], [RICH])
    plant.tell(sides.out("D", 4 * TONNE))
    assert reasons(plant) == {}
    plant.tell(corrected(first, "less", mass_dry_g=100, mass_wet_g=100))
    assert plant.ticked() == [], "each has its part"


def test_what_becomes_tailings_is_not_held_against_a_concentrate() -> None:
    """Nobody says what the plant is for: silicon is expected in the concentrate, and is not there.

    Where reference data names copper, copper alone counts.
    """
    assert reasons(closed("concentrate", ORE, 100 * TONNE, 8 * TONNE)) == {}
    for out, expected in ((8 * TONNE, ""), (3 * TONNE // 2, "2,200.000 kg of Cu in 1.500 t")):
        sides, plant = Sides("concentrate"), Plant()
        plant.tell(COPPER, handed("A", 0, 100 * TONNE, ORE), sides.out("C", out))
        plant.tell(sides.side("close"))
        wait(plant)
        assert reasons(plant).get(RICH, "").startswith(expected)
        assert bool(reasons(plant)) == bool(expected)


def test_metals_add_up_in_what_is_not_separated_and_compounds_do_not_count() -> None:
    """Iron and its oxide are the same iron; iron and copper are not."""
    same = {"Fe": 6_000 * KG, "Fe2O3": 8_600 * KG, "TREO": 9_000 * KG}
    assert reasons(closed("repack", same, out=10 * TONNE)) == {}
    more = reasons(closed("repack", {"Fe": 6_000 * KG, "Cu": 5_500 * KG}, out=10 * TONNE))
    assert list(more) == [RICH]
    assert more[RICH].startswith("5,500.000 kg of Cu, 6,000.000 kg of Fe in 10.000 t of dry mass")


def test_a_hair_above_all_there_is_is_within_the_errors() -> None:
    """Cathodes certified as 100.2 % copper, grades known to 1 %."""
    assert reasons(closed("repack", {"Cu": 10_020 * KG}, out=10 * TONNE)) == {}


def test_a_certificate_of_the_output_says_how_much_it_does_hold() -> None:
    """Then what is missing is missing: more than half of the copper that went in."""
    sides, plant = Sides("smelt"), Plant()
    output = sides.out("C", TONNE)
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 2_500 * KG}), output, sides.side("close"))
    more = {"cause_event_id": output.event_id, "from_owner": "lot/C"}
    plant.tell(handed("c", 300, 0, {"Cu": 1_376 * KG}, **more))
    wait(plant)
    assert list(reasons(plant)) == [GONE]


# More than half of it, nobody says where


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("split", "10.000 t of 10.000 t of dry mass, 250.000 kg of 250.000 kg of Cu."),
        ("smelt", "250.000 kg of 250.000 kg of Cu."),
    ],
)
def test_a_process_that_closes_without_an_output_is_found(kind: str, expected: str) -> None:
    plant = closed(kind, {"Cu": 250 * KG}, out=0)
    told = f"More than half of it went nobody says where: {expected}"
    assert (reasons(plant), plant.findings) == ({GONE: told}, [GONE])
    late = {"kind": kind, "output_lot_id": "C", "mass_dry_g": 10 * TONNE}
    plant.tell(Maker("late").side("PLANT", 90, "output", "P-1", **late))
    assert reasons(plant) == {}


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize(("held", "found"), [(1_000, False), (900, True)])
def test_what_a_separation_is_expected_to_lose_is_not_asked_for(
    held: int, *, declared: bool, found: bool
) -> None:
    """Of 2.5 t of copper 300 kg are lost as expected, said or not: half are gone at 950 kg.

    The ore's iron goes with tailings that nobody assays; reference data names copper.
    """
    sides, plant = Sides("concentrate"), Plant()
    output = sides.out("C", 4 * TONNE)
    plant.tell(COPPER, handed("A", 0, 100 * TONNE, {"Cu": 2_500 * KG, "Fe": 9_000 * KG}), output)
    if declared:
        plant.tell(sides.loss(96 * TONNE))
    more = {"cause_event_id": output.event_id, "from_owner": "lot/C"}
    back = {"Cu": (2_200 - held) * KG, "Fe": 7_500 * KG}
    plant.tell(handed("c", 300, 0, back, **more), sides.side("close"))
    wait(plant)
    assert (GONE in reasons(plant)) == found


def test_metals_nobody_names_are_asked_for_where_none_of_them_came_out() -> None:
    """Copper came out and iron did not: that is what a concentrator is for."""
    for copper, found in ((1_900, False), (100, True)):
        sides, plant = Sides("concentrate"), Plant()
        output = sides.out("C", 8 * TONNE)
        plant.tell(handed("A", 0, 100 * TONNE, {"Cu": 2_500 * KG, "Fe": 9_000 * KG}), output)
        more = {"cause_event_id": output.event_id, "from_owner": "lot/C"}
        plant.tell(handed("c", 300, 0, {"Cu": (2_200 - copper) * KG, "Fe": 7_000 * KG}, **more))
        plant.tell(sides.side("close"))
        wait(plant)
        assert (GONE in reasons(plant)) == found, copper


@pytest.mark.parametrize("recovery", ["", ',"recovery":{"Cu":0.95,"Co":0.9}'])
def test_products_that_are_each_assayed_for_their_own_metal_are_no_finding(recovery: str) -> None:
    """Cathodes of a leach for copper, hydroxide for cobalt: each was expected to hold of both."""
    sides, plant = Sides("leach"), Plant()
    cathode, hydroxide = sides.out("C", 4 * TONNE), sides.out("D", 3 * TONNE)
    ore = {"Cu": 4_200 * KG, "Co": 1_150 * KG}
    body = reference("process", "P-1", '{"key_analyte":"Cu"' + recovery + "}")
    plant.tell(body, handed("A", 0, 100 * TONNE, ore), cathode, hydroxide)
    for name, output, metal, held in (
        ("c", cathode, "Cu", 3_999 * KG),
        ("d", hydroxide, "Co", 1_050 * KG),
    ):
        part = (4 if output is cathode else 3) / 7
        share = 0.9 if metal == "Co" and recovery else 0.95
        expected = round(ore[metal] * share * part)
        more = {"cause_event_id": output.event_id, "from_owner": f"lot/{output.output_lot_id}"}
        plant.tell(handed(name, 300, 0, {metal: expected - held}, **more))
    assert plant.ticked() == [], "open, and whatever time it has had"
    plant.tell(sides.side("close"))
    wait(plant)
    assert reasons(plant).keys() <= {"node_balance"}
    assert not {RICH, GONE, "output_exceeds_input"} & set(plant.findings)


def test_what_the_test_of_the_process_names_is_not_said_again() -> None:
    """Six of ten tonnes of a split are missing: a loss, with its size."""
    found = reasons(closed("split", {"Cu": 250 * KG}, out=4 * TONNE))
    assert list(found) == ["node_balance"]
    assert GONE not in closed("split", {}, out=6 * TONNE).findings


def test_a_metal_that_some_input_does_not_tell_is_not_asked_for() -> None:
    sides, plant = Sides("smelt"), Plant()
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 250 * KG}), handed("B", 0, TONNE))
    plant.tell(sides.side("close"))
    assert plant.ticked() == []
