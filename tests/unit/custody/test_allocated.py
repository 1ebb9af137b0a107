"""Attributes among outputs that were measured: by the metals they hold, to the millionth.

Source: docs/adr/0034-allocate-attributes-by-what-outputs-are-known-to-hold.md
"""

from dataclasses import replace
from typing import Any

import pytest

from custody.events import MaterialProcessed
from custody.records import Content
from tests.support.facts import Maker
from tests.support.plant import Plant, amounts_of, handed, reference

TONNE = 1_000_000
KG = 1_000_000
"""A kilogram of metal in milligrams, or of CO2e in millionths."""

KEYS = ("mass", "key_metal", "economic")


class Works:
    """A process P-1 and what its lots say; outputs are dry, the lot of each named like it."""

    def __init__(self, kind: str, allocation: str, **more: str) -> None:
        self.kind = kind
        self.maker = Maker("works")
        self.plant = Plant()
        body = {"key_analyte": '"Cu"', "allocation": f'"{allocation}"'} | more
        inner = ",".join(f'"{name}":{value}' for name, value in body.items())
        self.plant.tell(reference("process", kind, "{" + inner + "}"))
        for name, amount in (("Cu", 9), ("Co", 30)):
            price = f'{{"analyte":"{name}","amount":{amount},"currency":"USD","per":"kg"}}'
            self.plant.tell(reference("price", name, price))

    def side(self, part: str, minute: float, dry: int | None = None, **more: Any) -> Any:  # noqa: ANN401
        said = {"mass_dry_g": dry, "mass_wet_g": dry, "kind": self.kind}
        fact = self.maker.side("PLANT", minute, part, "P-1", **(said | more))
        self.plant.tell(fact)
        return fact

    def out(self, lot: str, minute: float, dry: int) -> MaterialProcessed:
        fact: MaterialProcessed = self.side("output", minute, dry, output_lot_id=lot)
        return fact

    def measured(self, output: MaterialProcessed, metals: dict[str, int]) -> Content:
        """Let a lot say what metals it really holds: it gives back what was handed over less."""
        had = {m.analyte: m.value_mg for m in self.told(str(output.output_lot_id)).metals}
        back = {name: had.get(name, 0) - value for name, value in metals.items()}
        more = {"cause_event_id": output.event_id, "from_owner": f"lot/{output.output_lot_id}"}
        content = handed(f"m-{output.event_id}", 300, 0, back, **more)
        self.plant.tell(content)
        return content

    def told(self, lot: str) -> Content:
        return next(c for c in self.plant.told.values() if c.to_owner == "lot/" + lot)

    def ghg(self, *lots: str) -> list[int]:
        return [amounts_of(self.told(lot)).get("ghg", 0) for lot in lots]


def concentrator(allocation: str, *, closed: bool = True) -> tuple[Works, list[MaterialProcessed]]:
    """100 t of 2 % copper with 5,000 kg CO2e become 6 t of concentrate and 94 t of tailings."""
    works = Works("concentrate", allocation, recovery='{"Cu":0.9}')
    ore = {"Cu": 2_000 * KG, "Co": 100 * KG}
    works.plant.tell(handed("A", 0, 100 * TONNE, ore, attributes={"ghg": 5_000 * KG}))
    outputs = [works.out("C", 60, 6 * TONNE), works.out("T", 66, 94 * TONNE)]
    if closed:
        works.side("close", 120)
    return works, outputs


@pytest.mark.parametrize(
    ("allocation", "concentrate"),
    [
        ("mass", 300 * KG),
        # 1,800 kg of copper of 1,988.
        ("key_metal", round(5_000 * KG * 1_800 / 1_988)),
        # 9 a kilogram, and 30 of cobalt: 50 kg are measured here and 2 kg there.
        ("economic", round(5_000 * KG * (9 * 1_800 + 30 * 50) / (9 * 1_988 + 30 * 52))),
    ],
)
def test_what_outputs_were_measured_to_hold_divides_attributes(
    allocation: str, concentrate: int
) -> None:
    works, (first, second) = concentrator(allocation)
    assert works.ghg("C", "T") == [300 * KG, 4_700 * KG]
    works.measured(first, {"Cu": 1_800 * KG, "Co": 50 * KG})
    works.measured(second, {"Cu": 188 * KG, "Co": 2 * KG})
    assert works.ghg("C") == [concentrate]
    assert sum(works.ghg("C", "T")) == 5_000 * KG
    assert "ghg" not in works.plant.held
    assert "ghg" not in works.plant.posted().get("unaccounted/P-1", {})


def test_a_tonne_of_concentrate_carries_what_its_copper_does() -> None:
    works, (first, second) = concentrator("key_metal")
    works.measured(first, {"Cu": 1_800 * KG})
    works.measured(second, {"Cu": 188 * KG})
    assert [round(g / KG, 2) for g in works.ghg("C", "T")] == [4_527.16, 472.84]


def test_an_output_without_a_certificate_counts_with_what_was_handed_over() -> None:
    works, (first, _) = concentrator("key_metal")
    works.measured(first, {"Cu": 1_800 * KG})
    # The tailings are expected to hold 94 % of the 1,800 kg that are recovered.
    assert works.ghg("C")[0] == round(5_000 * KG * 1_800 / (1_800 + 1_692))
    works.plant.tell(replace(works.measured(first, {"Cu": 0}), void=True))
    assert works.ghg("C", "T") == [300 * KG, 4_700 * KG]


def test_a_certificate_moves_no_metal_so_that_no_lot_has_anything_else_to_answer() -> None:
    works, (first, second) = concentrator("key_metal")
    before = {lot: works.told(lot).metals for lot in "CT"}
    works.measured(first, {"Cu": 1_800 * KG})
    works.measured(second, {"Cu": 188 * KG})
    assert {lot: works.told(lot).metals for lot in "CT"} == before
    said = len(works.plant.outputs)
    works.measured(first, {"Cu": 1_800 * KG})
    assert len(works.plant.outputs) == said


def test_an_open_process_gives_no_more_than_its_outputs_hold_of_what_went_in() -> None:
    works, (first, second) = concentrator("key_metal", closed=False)
    works.measured(first, {"Cu": 1_500 * KG})
    works.measured(second, {"Cu": 100 * KG})
    assert works.ghg("C", "T") == [3_750 * KG, 250 * KG]
    assert works.plant.held["ghg"] == 1_000 * KG


def test_attributes_that_come_with_what_is_given_back_are_not_divided_but_left() -> None:
    """No lot says so; the books would hold all the same."""
    works, (first, second) = concentrator("key_metal")
    works.measured(second, {"Cu": 188 * KG})
    back = works.measured(first, {"Cu": 1_800 * KG})
    ghg = handed("", 0, 0, attributes={"ghg": 7}).attributes
    works.plant.tell(replace(back, attributes=ghg))
    assert [round(g / KG, 2) for g in works.ghg("C", "T")] == [4_527.16, 472.84]
    assert works.plant.posted()["unaccounted/P-1"]["ghg"] == 7


def leach(allocation: str, mixing: str = "perfect") -> Works:
    """54 t of 2 % copper with 54 kg CO2e in a circuit that never closes."""
    works = Works("leach", allocation, continuous="true", mixing=f'"{mixing}"')
    works.plant.tell(handed("A", 0, 54 * TONNE, {"Cu": 1_080 * KG}, attributes={"ghg": 54 * KG}))
    return works


@pytest.mark.parametrize("allocation", KEYS)
def test_a_measured_output_of_a_circuit_takes_what_its_copper_does(allocation: str) -> None:
    works = leach(allocation)
    output = works.out("X", 10, TONNE // 2)
    assert works.ghg("X") == [KG // 2]
    back = works.measured(output, {"Cu": 495 * KG})
    expected = KG // 2 if allocation == "mass" else round(54 * KG * 495 / 1_080)
    assert works.ghg("X") == [expected]
    assert works.plant.held["ghg"] == 54 * KG - expected
    works.plant.tell(replace(back, void=True))
    assert works.ghg("X") == [KG // 2]


def test_later_outputs_of_a_circuit_share_what_is_left_in_its_books() -> None:
    works = leach("key_metal")
    first, second = works.out("X", 10, TONNE // 2), works.out("Y", 20, TONNE // 2)
    works.measured(second, {"Cu": 117 * KG})
    works.measured(first, {"Cu": 495 * KG})
    # 117 of the 585 kg that are left in the books.
    left = 54 * KG - works.ghg("X")[0]
    assert works.ghg("X", "Y") == [round(54 * KG * 495 / 1_080), left // 5]
    assert works.plant.held["ghg"] == 54 * KG - sum(works.ghg("X", "Y"))


@pytest.mark.parametrize(("copper", "ghg"), [(1_080, 54 * KG), (1_500, 54 * KG), (0, 0)])
def test_an_output_takes_at_most_all_there_is_and_at_least_nothing(copper: int, ghg: int) -> None:
    works = leach("key_metal")
    works.measured(works.out("X", 10, TONNE // 2), {"Cu": copper * KG, "Co": KG})
    assert works.ghg("X") == [ghg]


def test_what_an_output_that_takes_all_mass_leaves_goes_to_what_comes_next() -> None:
    works = leach("key_metal")
    works.measured(works.out("X", 10, 54 * TONNE), {"Cu": 540 * KG})
    assert works.ghg("X") == [27 * KG]
    works.plant.tell(handed("B", 20, TONNE, {"Cu": KG}, attributes={"ghg": KG}))
    works.out("Y", 30, TONNE)
    assert works.ghg("Y") == [28 * KG]


def test_dry_mass_divides_where_no_certificate_gives_a_metal_that_counts() -> None:
    """A separation hands over no metal: what nobody measured is unknown, not nothing."""
    works = leach("key_metal")
    works.measured(works.out("X", 10, TONNE // 2), {"Co": KG})
    assert works.ghg("X") == [KG // 2]


def test_dry_mass_divides_where_the_books_hold_none_of_the_key() -> None:
    works = leach("key_metal")
    works.measured(works.out("X", 10, TONNE), {"Cu": 1_080 * KG})
    output = works.out("Y", 20, 53 * TONNE // 2)
    works.plant.tell(handed("B", 15, 53 * TONNE, attributes={"ghg": 106 * KG}))
    works.measured(output, {"Cu": KG})
    assert works.ghg("X") == [54 * KG]
    assert works.ghg("Y") == [106 * KG // 4]


def test_a_node_that_separates_nothing_counts_what_it_handed_over_less_what_came_back() -> None:
    works = Works("stockpile", "key_metal")
    works.plant.tell(handed("A", 0, 40 * TONNE, {"Cu": 400 * KG}, attributes={"ghg": 80 * KG}))
    output = works.out("X", 10, 10 * TONNE)
    works.measured(output, {"Cu": 150 * KG})
    assert works.ghg("X") == [30 * KG]
    works.out("Y", 20, 10 * TONNE)
    assert works.ghg("Y") == [round(50 * KG / 3)]


def test_the_oldest_layers_give_what_an_output_takes_beyond_what_it_drew() -> None:
    """No layer is left with less than nothing while another has some."""
    works = leach("key_metal", "fifo")
    works.plant.tell(handed("B", 5, 10 * TONNE, {"Cu": 120 * KG}, attributes={"ghg": 46 * KG}))
    works.measured(works.out("X", 10, 27 * TONNE), {"Cu": 1_020 * KG})
    assert works.ghg("X") == [85 * KG]
    # 27 lay with what it drew, 27 with the rest of that layer: 31 of the 46 of the next.
    works.out("Y", 20, 27 * TONNE)
    works.out("Z", 30, 10 * TONNE)
    assert works.ghg("Y", "Z") == [0, 15 * KG]


def test_prices_are_those_of_when_an_output_left_the_circuit() -> None:
    works = leach("economic")
    works.plant.tell(handed("B", 1, TONNE, {"Co": 108 * KG}))
    output = works.out("X", 10, TONNE)
    works.measured(output, {"Cu": 540 * KG, "Co": 0})
    # 9 a kilogram of 1,080 kg of copper, 30 of 108 kg of cobalt.
    assert works.ghg("X") == [round(54 * KG * 9 * 540 / (9 * 1_080 + 30 * 108))]
    dear = '{"analyte":"Co","amount":90,"currency":"USD","per":"kg"}'
    later = replace(reference("price", "Co", dear), valid_from=output.occurred_at)
    works.plant.tell(later)
    works.plant.recheck()
    assert works.ghg("X") == [round(54 * KG * 9 * 540 / (9 * 1_080 + 90 * 108))]
