"""How wet what leaves a continuous node is: as wet as the layers it is taken from."""

from typing import Any

import pytest

from custody.records import Content
from tests.support.facts import Maker
from tests.support.plant import Plant, handed, reference

TONNE = 1_000_000


class Heap:
    """Sides of a stockpile P-1 on which 100 t of 2 % moisture lie under 100 t of 12 %."""

    def __init__(self, mixing: str = "fifo") -> None:
        self.maker, self.plant = Maker("heap"), Plant()
        self.plant.tell(
            reference("process", "P-1", f'{{"mixing":"{mixing}"}}'),
            handed("A", 0, 98 * TONNE, {"Cu": 9800}, mass_wet_g=100 * TONNE),
            handed("B", 10, 88 * TONNE, {"Cu": 1760}, mass_wet_g=100 * TONNE),
        )

    def tell(self, part: str, minute: float, tonnes: float | None, **more: Any) -> None:  # noqa: ANN401
        wet = None if tonnes is None else round(tonnes * TONNE)
        fields = {"kind": "stockpile", "mass_wet_g": wet} | more
        self.plant.tell(self.maker.side("YARD", minute, part, "P-1", **fields))

    def out(self, lot: str, minute: float, tonnes: float | None, **more: Any) -> tuple[int, int]:  # noqa: ANN401
        """Let so much wet mass leave; return kilograms wet and dry that the lot is told."""
        self.tell("output", minute, tonnes, output_lot_id=lot, **more)
        told = self.told(lot)
        return told.mass_wet_g // 1000, told.mass_dry_g // 1000

    def told(self, lot: str) -> Content:
        return next(c for c in self.plant.told.values() if c.to_owner == "lot/" + lot)

    @property
    def dry(self) -> int:
        """Kilograms in the books of the heap."""
        return self.plant.held["dry"] // 1000


def test_what_came_first_leaves_as_wet_as_it_came() -> None:
    heap = Heap()
    assert heap.out("X", 20, 50) == (50_000, 49_000)
    assert heap.out("Y", 30, 100) == (100_000, 93_000)
    assert heap.out("Z", 40, 50) == (50_000, 44_000)
    assert heap.plant.held == {}
    assert [heap.told(lot).metals[0].value_mg for lot in "XYZ"] == [4900, 5780, 880]


def test_a_heap_that_mixes_has_one_moisture() -> None:
    heap = Heap("perfect")
    assert heap.out("X", 20, 50) == (50_000, 46_500)
    assert heap.out("Y", 30, 150) == (150_000, 139_500)


def test_the_wet_mass_of_a_dry_one_is_that_of_the_layers_it_is_of() -> None:
    heap = Heap()
    assert heap.out("X", 20, None, mass_dry_g=142 * TONNE) == (150_000, 142_000)


def test_a_moisture_that_a_side_states_counts() -> None:
    heap = Heap()
    assert heap.out("X", 20, 50, moisture_fraction=0.1) == (50_000, 45_000)
    assert heap.out("Y", 30, 50) == (50_000, 49_000)


def test_a_loss_is_as_wet_as_the_layer_it_is_of() -> None:
    heap = Heap()
    heap.tell("loss", 20, 50, loss_kind="dust")
    assert heap.plant.posted()["loss/P-1/dust"]["dry"] == 49 * TONNE


def test_an_output_of_more_than_is_there_is_as_wet_as_all() -> None:
    heap = Heap()
    assert heap.out("X", 20, 400) == (400_000, 372_000)
    assert heap.plant.ticked() != []


@pytest.mark.parametrize("dry", [-8, 1])
def test_an_output_that_is_measured_leaves_the_next_layer_as_wet_as_it_is(dry: int) -> None:
    """What X was measured to hold less or more of dry mass is the next layer's, with its water."""
    heap = Heap()
    side = heap.maker.side(
        "YARD", 20, "output", "P-1", kind="stockpile", mass_wet_g=100 * TONNE, output_lot_id="X"
    )
    heap.plant.tell(side)
    before = heap.plant.held["wet"]
    back = handed(
        "X", 30, dry * TONNE, from_owner="lot/X", cause_event_id=side.event_id, mass_wet_g=0
    )
    heap.plant.tell(back, handed("C", 31, 10 * TONNE, mass_wet_g=10 * TONNE))
    assert heap.plant.held["wet"] == before + 10 * TONNE
    assert heap.dry == 98_000 + 1000 * dry
    assert heap.out("Y", 40, 50) == (50_000, 44_000)
    rest = 88 + dry - 44
    wet, _ = heap.out("Z", 50, None, mass_dry_g=rest * TONNE)
    assert wet == pytest.approx(1000 * rest / 0.88, abs=1)
    assert heap.out("C", 60, 10) == (10_000, 10_000)


@pytest.mark.parametrize("survey", [{}, {"moisture_fraction": 0.07}])
def test_a_survey_leaves_layers_as_much_wetter_than_others_as_they_are(
    survey: dict[str, float],
) -> None:
    heap = Heap()
    heap.tell("stock", 20, 180, **survey)
    assert heap.dry == 167_400
    assert heap.out("X", 30, 90) == (90_000, 88_200)
    assert heap.out("Y", 40, 90) == (90_000, 79_200)


def test_a_survey_that_found_another_moisture_says_it_of_all_layers() -> None:
    """17 % of all where 7 % should be: 83 for each 93 t of dry mass."""
    heap = Heap()
    heap.tell("stock", 20, 200, moisture_fraction=0.17)
    assert heap.out("X", 30, 100) == (100_000, 87_462)
    assert heap.out("Y", 40, 100) == (100_000, 78_537)


def test_of_an_output_that_is_measured_when_its_layer_is_gone_dry_mass_may_be_owed() -> None:
    """There is less than was handed over too much: the layer is empty, and has no water."""
    heap = Heap()
    side = heap.maker.side(
        "YARD", 20, "output", "P-1", kind="stockpile", mass_wet_g=190 * TONNE, output_lot_id="X"
    )
    back = handed(
        "X", 30, -9 * TONNE, from_owner="lot/X", cause_event_id=side.event_id, mass_wet_g=0
    )
    heap.plant.tell(side, back, handed("C", 31, 10 * TONNE, mass_wet_g=20 * TONNE))
    assert heap.out("Y", 40, 10) == (10_000, 5_000)


def test_the_row_of_a_heap_of_many_layers_is_small() -> None:
    heap = Heap()
    heap.plant.tell(
        *[handed(f"in-{n}", 20 + n, 30 * TONNE, mass_wet_g=(31 + n % 5) * TONNE) for n in range(80)]
    )
    assert max(heap.plant.sizes.values()) < 64 * 1024
