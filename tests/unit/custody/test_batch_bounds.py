"""Batch processes at their bounds: what rounding may move, what weighs, what is short, how well.

Each figure is one where the next larger or smaller would be treated otherwise (docs/ledger.md,
"Processes").
"""

from typing import Any

import pytest

from custody.estimate import NOTHING, Estimate
from custody.events import Attribute, MaterialProcessed
from custody.process import Estimates
from custody.process_known import less
from custody.process_rows import OutRow
from custody.records import Alert, Content, Transfer
from tests.support.facts import Maker
from tests.support.plant import Plant, amounts_of, handed, reference, shares_of

TONNE = 1_000_000


class Sides:
    """Sides of P-1, of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.maker = Maker("bounds-of-" + kind)

    def side(self, part: str, dry: int | None = None, **more: Any) -> MaterialProcessed:  # noqa: ANN401
        fields = {"kind": self.kind, "mass_dry_g": dry, "mass_wet_g": dry} | more
        return self.maker.side("PLANT", 100, part, "P-1", **fields)

    def out(self, lot: str, dry: int, **more: Any) -> MaterialProcessed:  # noqa: ANN401
        return self.side("output", dry, output_lot_id=lot, **more)


def ore(dry: int, metals: dict[str, int] | None = None, wet: int | None = None) -> Content:
    return handed("A", 0, dry, metals, mass_wet_g=dry if wet is None else wet)


def given(plant: Plant, lot: str) -> dict[str, int]:
    return amounts_of(next(c for c in plant.told.values() if c.to_owner == "lot/" + lot))


def details(plant: Plant) -> list[str]:
    """The sentences of findings about sides."""
    rows = [row for row in plant.rows.values() if isinstance(row, OutRow)]
    return [sentence for row in rows for sentence in row.findings.values()]


def rest(plant: Plant) -> dict[str, int]:
    return plant.posted().get("unaccounted/P-1", {})


# What rounding has left


@pytest.mark.parametrize(("short", "is_rounding"), [(1, True), (2, False)])
def test_one_output_may_be_a_gram_short_by_rounding(short: int, *, is_rounding: bool) -> None:
    sides, plant = Sides("split"), Plant()
    plant.tell(ore(10 * TONNE), sides.out("X", 10 * TONNE - short), sides.side("close"))
    assert given(plant, "X")["dry"] == 10 * TONNE - (0 if is_rounding else short)
    assert rest(plant) == ({} if is_rounding else {"wet": 2, "dry": 2})


@pytest.mark.parametrize(("short", "is_rounding"), [(1, True), (2, False)])
def test_one_output_may_be_a_gram_of_water_short_by_rounding(
    short: int, *, is_rounding: bool
) -> None:
    sides, plant = Sides("split"), Plant()
    output = sides.out("X", 10 * TONNE, mass_wet_g=11 * TONNE - short)
    plant.tell(ore(10 * TONNE, wet=11 * TONNE), output, sides.side("close"))
    assert given(plant, "X")["wet"] == 11 * TONNE - (0 if is_rounding else short)
    assert rest(plant) == ({} if is_rounding else {"wet": 2})


@pytest.mark.parametrize(("metal", "is_rounding"), [(10**7, True), (2 * 10**7, False)])
def test_one_output_may_be_a_milligram_short_by_rounding(metal: int, *, is_rounding: bool) -> None:
    """A gram of ten tonnes takes one of 10,000,000 mg with it, and two of twice as many."""
    sides, plant = Sides("split"), Plant()
    output = sides.out("X", 10 * TONNE - 1)
    plant.tell(ore(10 * TONNE, {"Cu": metal}), output, sides.side("close"))
    assert given(plant, "X")["Cu"] == metal - (0 if is_rounding else 2)
    assert rest(plant) == ({} if is_rounding else {"Cu": 2})


def test_rounding_is_not_made_good_while_the_process_is_open() -> None:
    sides, plant = Sides("split"), Plant()
    plant.tell(ore(10 * TONNE), sides.out("X", 10 * TONNE - 1))
    assert given(plant, "X")["dry"] == 10 * TONNE - 1


def test_what_a_separation_loses_is_no_rounding() -> None:
    """0.88 x 7 mg = 6.16 mg: the seventh is unaccounted, little as it is."""
    sides, plant = Sides("concentrate"), Plant()
    plant.tell(ore(10 * TONNE, {"Co": 7}), sides.out("C", 10 * TONNE), sides.side("close"))
    assert given(plant, "C")["Co"] == 6
    assert rest(plant) == {"Co": 1}


def test_a_gram_divides_as_tonnes_do() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(ore(1, {"Cu": 5}), sides.out("X", 1))
    assert given(plant, "X")["Cu"] == 5


def test_metal_without_mass_stays() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(ore(0, {"Cu": 5}), sides.out("X", 10))
    assert given(plant, "X").get("Cu", 0) == 0
    assert plant.held["Cu"] == 5


def test_outputs_of_a_separation_share_its_metal_by_their_dry_mass() -> None:
    """0.88 of 1,000 mg over 1 t and 3 t, whatever their water."""
    sides, plant = Sides("concentrate"), Plant()
    wet = sides.out("X", TONNE, mass_wet_g=9 * TONNE)
    plant.tell(ore(10 * TONNE, {"Cu": 1000}), wet, sides.out("Y", 3 * TONNE))
    assert (given(plant, "X")["Cu"], given(plant, "Y")["Cu"]) == (220, 660)


def test_of_two_closes_the_last_in_canonical_order_takes_the_rest() -> None:
    sides, plant = Sides("blend"), Plant()
    first, last = sides.side("close"), sides.maker.side("PLANT", 200, "close", "P-1", kind="blend")
    plant.tell(ore(TONNE), last, first)
    transfers = [output for output in plant.outputs if isinstance(output, Transfer)]
    assert {t.cause_event_id for t in transfers if t.kind == "close"} == {last.event_id}


@pytest.mark.parametrize("metal", [1000, -1000])
def test_no_output_holds_more_metal_than_a_record_can_say(metal: int) -> None:
    """A gram with a gram of copper went in by mistake, a hundred million tonnes came out."""
    sides, plant = Sides("blend"), Plant(checked=False)
    plant.tell(ore(1, {"Cu": metal}), sides.out("X", 10**14))
    assert given(plant, "X")["Cu"] == metal * 10**13


def test_what_the_plant_alone_adds_goes_out_to_the_millionth() -> None:
    sides, plant = Sides("blend"), Plant()
    water = Attribute(
        name="water", amount=2.0, unit="m3", per="total", quality="measured", source=None
    )
    added = sides.side("added", attributes=(water,))
    plant.tell(ore(TONNE), added, sides.out("X", TONNE))
    assert given(plant, "X")["water"] == 2_000_000
    assert plant.held == {}


# What weighs


def shares(metals: dict[str, int], other: dict[str, int], key: str) -> dict[str, float]:
    """Shares of what a concentrator makes of 1 t from A and 3 t from B."""
    sides, plant = Sides("concentrate"), Plant()
    plant.tell(reference("process", "concentrate", f'{{"key_analyte":"{key}"}}'))
    plant.tell(handed("A", 0, TONNE, metals, site="A"), handed("B", 0, 3 * TONNE, other, site="B"))
    plant.tell(sides.out("C", TONNE))
    [told] = plant.told.values()
    return shares_of(told)


def test_a_milligram_of_the_key_metal_weighs() -> None:
    assert shares({"Cu": 1}, {}, "Cu")["A"] == 1.0


def test_an_input_of_less_than_nothing_weighs_nothing() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(*[handed(name, 0, dry, site=name) for name, dry in (("A", -5), ("B", 3), ("C", 1))])
    plant.tell(sides.out("X", 1))
    [told] = plant.told.values()
    assert shares_of(told) == {"A": 0.0, "B": 0.75, "C": 0.25}


def test_where_nobody_knows_the_key_metal_the_mass_weighs() -> None:
    assert shares({"Cu": 1}, {}, "Ag") == {"A": 0.25, "B": 0.75}


def test_the_64th_handing_is_not_too_deep() -> None:
    sides, plant = Sides("blend"), Plant()
    first = handed("A", 0, TONNE, {"Cu": 10}, generation=63)
    plant.tell(first, sides.out("X", TONNE), handed("A", 0, TONNE, {"Cu": 20}, generation=63))
    assert given(plant, "X")["Cu"] == 20
    assert plant.findings == []


# What is short


def test_less_out_than_in_is_no_finding() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(ore(10 * TONNE, {"Cu": 10**9}), sides.out("X", TONNE), sides.side("close"))
    assert plant.findings == []


def test_what_is_short_is_said_in_tonnes_and_kilograms() -> None:
    sides, plant = Sides("crush"), Plant()
    close = sides.side("close")
    plant.tell(sides.out("X", 13_500_000), close)
    plant.pass_ticks()
    assert plant.findings == ["output_exceeds_input"]
    assert details(plant) == ["More went out than came in: 13.500 t of dry mass."]


def test_what_the_test_of_the_node_names_is_not_said_twice() -> None:
    sides, plant = Sides("crush"), Plant()
    close = sides.side("close")
    plant.tell(ore(10 * TONNE, {"Cu": 10**10}), sides.out("X", 13_500_000), close)
    plant.pass_ticks()
    assert plant.findings == []
    [alert] = [o for o in plant.outputs if isinstance(o, Alert)]
    assert (alert.rule, alert.family) == ("node_balance", "undeclared_feed")
    assert alert.size == pytest.approx(0.35)
    assert alert.reason.startswith("dry mass: 10.000 t went in, 13.500 t came out")


# How well what is left is known


def test_a_difference_is_known_by_both_and_a_shared_error_cancels() -> None:
    one, two = Estimate(5.0, 9.0, {"WB": 4.0}), Estimate(2.0, 16.0, {"WB": 1.0, "LAB": 2.0})
    found = less(Estimates(one, one, {"Cu": one}), Estimates(two, two, {"Cu": two, "Au": two}))
    left = Estimate(3.0, 25.0, {"WB": 3.0, "LAB": -2.0})
    assert found == Estimates(
        left, left, {"Cu": left, "Au": Estimate(-2.0, 16.0, {"WB": -1.0, "LAB": -2.0})}
    )
    assert less(Estimates(one, one, {"Cu": one}), Estimates(NOTHING, NOTHING, {})).metals == {
        "Cu": one
    }
