"""Traceability on the real engine: movements are the trips of the books, named or paired."""

from collections.abc import Iterator, Sequence

import pytest

from custody.events import LotFact
from runtime.examined import examine
from runtime.lineage import Moment
from tests.support.facts import Maker, corrected
from tests.support.lineage import NOW, emptied, instant, told
from tests.support.stored import Stored, opened

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TRUCK = "CGO 4417 AB"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with opened(tmp_path_factory.mktemp("trips")) as stored:
        yield stored


@pytest.fixture
def stored(engine: Stored) -> Stored:
    return emptied(engine)


def a_trip(
    maker: Maker, minute: float, trip: str | None, vehicle: str | None = TRUCK
) -> list[LotFact]:
    """Weighed out with papers, weighed in with papers."""
    names = {"movement_id": trip, "vehicle_id": vehicle}
    return [
        maker.weighing("MINE", minute, "dispatch", 45_000, 15_000, **names),
        maker.move("dispatch", "MINE", minute + 1, ("MINE", "PLANT"), **names),
        maker.weighing("PLANT", minute + 50, "receipt", 45_000, 15_000, **names),
        maker.move("receipt", "PLANT", minute + 51, ("MINE", "PLANT"), **names),
    ]


def declared(maker: Maker) -> list[LotFact]:
    return [maker.lot("MINE", 0, {"Cu": 0.01}, custodian="MINE")]


def path_of(stored: Stored, moment: Moment = NOW) -> tuple[float, list[str]]:
    """The share of dry mass whose way is confirmed, and the gaps of the way."""
    [path] = [a for a in examine(stored.ask, "L", moment)[1] if a["element"] == "geographic_path"]
    fractions, gaps = path["dry_fraction"], path["gaps"]
    assert isinstance(fractions, dict)
    assert isinstance(gaps, list)
    return fractions["confirmed"], gaps


@pytest.mark.parametrize("vehicle", [TRUCK, None])
@pytest.mark.parametrize("trip", ["W-1", None])
def test_a_trip_with_both_ends_is_confirmed_with_or_without_an_id(
    stored: Stored, trip: str | None, vehicle: str | None
) -> None:
    maker = Maker("L")
    told(stored, [*declared(maker), *a_trip(maker, 10, trip, vehicle)])
    assert path_of(stored) == (1.0, [])


def test_trips_without_ids_are_told_apart_by_vehicle_and_order(stored: Stored) -> None:
    maker = Maker("L")
    first, second = a_trip(maker, 10, None), a_trip(maker, 100, None)
    third = a_trip(maker, 200, None, None)
    told(stored, [*declared(maker), *first, *second[:2], *third[:2]])
    confirmed, gaps = path_of(stored)
    assert confirmed == 0.0
    assert gaps == [
        "movement 1 of lot L has no receipt", f"movement 2 of lot L by {TRUCK} has no receipt",
    ]  # fmt: skip


KEPT: dict[str, tuple[Sequence[int], float]] = {
    "papers alone": ((1, 3), 0.0),
    "papers out, scale in": ((1, 2), 1.0),
    "scale out, papers in": ((0, 3), 1.0),
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("trip", ["W-1", None])
def test_either_sort_of_fact_may_state_an_end(stored: Stored, trip: str | None, name: str) -> None:
    kept, confirmed = KEPT[name]
    maker = Maker("L")
    facts = a_trip(maker, 10, trip)
    # Where no scale ever saw the lot, nothing of it is posted but this heap.
    heap = maker.weighing("MINE", 5, "stock", 90_000, 15_000, movement_id=None)
    told(stored, [*declared(maker), *([] if confirmed else [heap]), *(facts[no] for no in kept)])
    assert path_of(stored) == (1.0, [])


def test_a_load_that_was_weighed_and_has_not_left_moves_nowhere(stored: Stored) -> None:
    maker = Maker("L")
    told(stored, [*declared(maker), *a_trip(maker, 10, None)[:1]])
    assert path_of(stored)[1] == []


def test_a_withdrawn_receipt_leaves_a_gap_from_when_it_was_known(stored: Stored) -> None:
    maker = Maker("L")
    trip = a_trip(maker, 10, None)[:3]
    told(stored, [*declared(maker), *trip, corrected(trip[2], "withdrawn", 60.0, void=True)])
    gap = f"movement 1 of lot L by {TRUCK} has no receipt"
    assert path_of(stored)[1] == [gap]
    assert path_of(stored, replace_known(100))[1] == []


def test_a_receipt_of_later_is_a_gap_until_then(stored: Stored) -> None:
    maker = Maker("L")
    told(stored, [*declared(maker), *a_trip(maker, 10, "W-1")])
    before = Moment(instant(30 * 60), instant(10_000_000))
    assert path_of(stored, before)[1] == ["movement W-1 has no receipt"]


def test_of_corrections_that_compete_the_last_says_which_trip_it_is(stored: Stored) -> None:
    maker = Maker("L")
    scale, papers = a_trip(maker, 10, "W-1")[:2]
    wrong = maker.weighing("PLANT", 60, "receipt", 45_000, 15_000, movement_id="W-2")
    first = corrected(wrong, "first", 30.0, movement_id="W-3")
    then = corrected(wrong, "then", 40.0, movement_id="W-1")
    told(stored, [*declared(maker), scale, papers, wrong, then, first])
    assert path_of(stored) == (1.0, [])


def replace_known(minute: int) -> Moment:
    """As known at a minute, of all times."""
    return Moment(instant(10_000_000), instant(minute * 60))


def a_used_lot(after: Sequence[LotFact]) -> list[LotFact]:
    """A load of lot B from MINE to PLANT becomes lot L there, at minute 100."""
    maker, product = Maker("B"), Maker("L")
    return [
        *declared(maker),
        *a_trip(maker, 10, "W-1"),
        maker.side("PLANT", 100, "input", "P", mass_wet_g=30_000_000),
        Maker("P").side("PLANT", 110, "output", "P", output_lot_id="L", mass_wet_g=30_000_000),
        product.lot("PLANT", 111, {"Cu": 0.01}, custodian="PLANT"),
        product.weighing("PLANT", 120, "stock", 45_000, 15_000, movement_id=None),
        *after,
    ]


def left(minute: float, trip: str, ends: tuple[str, str | None], **more: str) -> list[LotFact]:
    """A load of lot B that is weighed out and nobody has weighed in."""
    maker = Maker("B")
    return [
        maker.weighing(ends[0], minute, "dispatch", 45_000, 15_000, movement_id=trip),
        maker.move("dispatch", ends[0], minute + 1, ends, movement_id=trip, **more),  # type: ignore[arg-type]  # no end
    ]


@pytest.mark.parametrize(
    ("minute", "ends", "party"),
    [
        (200.0, ("MINE", None), "TRADER"), (20.0, ("MINE", None), "TRADER"),
        (200.0, ("MINE", "PLANT"), None), (20.0, ("MINE", "PORT"), None),
    ],
    ids=["sold later", "sold before", "left later", "went elsewhere"],
)  # fmt: skip
def test_a_movement_of_other_material_of_the_lot_is_no_gap(
    stored: Stored, minute: float, ends: tuple[str, str | None], party: str | None
) -> None:
    named = {} if party is None else {"counterparty": party}
    told(stored, a_used_lot(left(minute, "W-2", ends, **named)))
    assert path_of(stored) == (1.0, [])


@pytest.mark.parametrize("end", ["PLANT", None])
def test_a_load_that_may_have_come_unseen_is_a_gap(stored: Stored, end: str | None) -> None:
    told(stored, a_used_lot(left(20, "W-2", ("MINE", end))))
    assert path_of(stored) == (0.0, ["movement W-2 has no receipt"])


def test_a_load_on_the_way_to_where_it_left_is_a_gap(stored: Stored) -> None:
    first = left(1, "W-0", ("PIT", "MINE"))
    told(stored, a_used_lot(first))
    assert path_of(stored) == (0.0, ["movement W-0 has no receipt"])


def test_of_the_lot_asked_for_every_movement_counts(stored: Stored) -> None:
    facts = a_used_lot(left(200, "W-2", ("MINE", None), counterparty="TRADER"))
    told(stored, facts)
    [path] = [a for a in examine(stored.ask, "B", NOW)[1] if a["element"] == "geographic_path"]
    assert path["gaps"] == ["movement W-2 has no receipt"]
