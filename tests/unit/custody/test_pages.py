"""Pages of a continuous node: how events fill and leave them, and what is derived again.

Source: docs/adr/0014-keep-continuous-nodes-in-pages.md. The node is a pile of which nothing but
trucks is known, one tonne each; an event is named by its minute.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from typing_extensions import override

from custody.events import MaterialProcessed
from custody.pages import EVENTS_MAX
from custody.process_rows import (
    Event,
    Layer,
    Material,
    MetalKnown,
    PageRow,
    ProcessRow,
    StateRow,
)
from custody.records import Content
from tests.support.facts import MINUTE, T0, Maker, Read, Rows, corrected, event_id
from tests.support.plant import Plant, handed

TONNE = 1_000_000
HALF = EVENTS_MAX // 2


def truck(minute: float, name: str | None = None) -> Content:
    return handed(name or f"in-{minute}", minute, TONNE)


def gone(minute: float) -> Content:
    return replace(truck(minute), void=True)


@pytest.fixture
def plant() -> Plant:
    return Plant(checked=False)


def head(plant: Plant) -> ProcessRow:
    row = plant.rows["process/P-1"]
    assert isinstance(row, ProcessRow)
    return row


def pages(plant: Plant) -> list[list[float]]:
    """Minutes of the events of each page, in order; what each page says of itself is looked at."""
    found: list[list[float]] = []
    for ref in head(plant).pages:
        row = plant.rows[f"page/P-1/{ref.page}"]
        assert isinstance(row, PageRow)
        assert ref.at == row.events[0].at
        assert row.events == sorted(row.events)
        found.append([(event.at - T0) / MINUTE for event in row.events])
    return found


def states(plant: Plant) -> list[tuple[int, int]]:
    """Events derived in each page, and tonnes that lie there after it."""
    found: list[tuple[int, int]] = []
    for ref in head(plant).pages:
        row = plant.rows[f"state/P-1/{ref.state}"]
        assert isinstance(row, StateRow)
        found.append((row.done, sum(layer.dry for layer in row.layers) // TONNE))
    return found


def sizes(plant: Plant) -> list[int]:
    return [len(page) for page in pages(plant)]


def fill(plant: Plant, minutes: Iterable[float]) -> None:
    """Trucks in one chunk."""
    plant.tell(*[truck(minute) for minute in minutes], together=True)


def derived(plant: Plant) -> None:
    """Nothing is left to derive, and the state after each page is that of all events up to it."""
    assert head(plant).dirty == {}
    counts = sizes(plant)
    sums = [sum(counts[: no + 1]) for no in range(len(counts))]
    assert states(plant) == list(zip(counts, sums, strict=True))
    assert plant.held["dry"] == sum(counts) * TONNE


# How events fill pages


def test_a_node_that_begins_with_many_events_has_full_pages(plant: Plant) -> None:
    fill(plant, range(2 * EVENTS_MAX + 1))
    assert sizes(plant) == [EVENTS_MAX, EVENTS_MAX, 1]
    derived(plant)


def test_a_full_page_is_followed_by_a_new_one(plant: Plant) -> None:
    plant.tell(truck(0))
    fill(plant, range(1, EVENTS_MAX))
    assert sizes(plant) == [EVENTS_MAX]
    fill(plant, [EVENTS_MAX, EVENTS_MAX + 1])
    assert sizes(plant) == [EVENTS_MAX, 2]
    derived(plant)


@pytest.mark.parametrize(
    ("late", "halves"),
    [(0.5, [HALF + 1, HALF]), (40.5, [HALF, HALF + 1]), (-1, [HALF + 1, HALF])],
)
def test_a_late_event_in_a_full_page_halves_it(
    plant: Plant, late: float, halves: list[int]
) -> None:
    fill(plant, range(2 * EVENTS_MAX))
    plant.tell(truck(late))
    assert sizes(plant) == [*halves, EVENTS_MAX]
    assert [minute for page in pages(plant) for minute in page] == sorted(
        [late, *range(2 * EVENTS_MAX)]
    )
    derived(plant)


def test_between_two_full_pages_an_event_has_a_page_of_its_own(plant: Plant) -> None:
    fill(plant, range(2 * EVENTS_MAX))
    plant.tell(truck(EVENTS_MAX - 0.5))
    assert sizes(plant) == [EVENTS_MAX, 1, EVENTS_MAX]
    derived(plant)


def test_an_event_before_all_others_goes_to_the_first_page(plant: Plant) -> None:
    fill(plant, range(10))
    plant.tell(truck(-5))
    assert pages(plant) == [[-5, *range(10)]]
    derived(plant)


def test_trucks_of_the_same_minute_are_in_order_of_their_names_across_pages(plant: Plant) -> None:
    rng, names = Random(1), [f"same-{no}" for no in range(3 * EVENTS_MAX)]
    rng.shuffle(names)
    for start in range(0, len(names), 16):
        plant.tell(*[truck(7, name) for name in names[start : start + 16]], together=True)
    ids = [event.event_id for ref in head(plant).pages for event in rows_of(plant, ref.page)]
    assert ids == sorted(event_id(name) for name in names)
    derived(plant)
    plant.tell(*[replace(truck(7, name), void=True) for name in names[::2]], together=True)
    assert sum(sizes(plant)) == len(names) // 2
    derived(plant)


def rows_of(plant: Plant, page: int) -> Sequence[Event]:
    row = plant.rows[f"page/P-1/{page}"]
    assert isinstance(row, PageRow)
    return row.events


# How they leave


def test_the_last_event_of_a_page_takes_the_page_with_it(plant: Plant) -> None:
    fill(plant, range(2 * EVENTS_MAX))
    plant.tell(truck(EVENTS_MAX - 0.5))
    plant.tell(gone(EVENTS_MAX - 0.5))
    assert sizes(plant) == [EVENTS_MAX, EVENTS_MAX]
    derived(plant)


def test_the_last_page_may_go(plant: Plant) -> None:
    fill(plant, range(EVENTS_MAX + 1))
    plant.tell(gone(EVENTS_MAX))
    assert sizes(plant) == [EVENTS_MAX]
    derived(plant)


def test_of_two_events_of_a_page_one_may_go(plant: Plant) -> None:
    fill(plant, range(EVENTS_MAX + 2))
    plant.tell(gone(EVENTS_MAX))
    assert pages(plant)[1] == [EVENTS_MAX + 1]
    derived(plant)


def test_an_event_in_the_middle_leaves_its_page_and_later_states(plant: Plant) -> None:
    fill(plant, range(3 * EVENTS_MAX))
    plant.tell(gone(10))
    assert sizes(plant) == [EVENTS_MAX - 1, EVENTS_MAX, EVENTS_MAX]
    derived(plant)


def test_a_node_may_lose_all_its_events_and_have_others(plant: Plant) -> None:
    plant.tell(truck(1), gone(1))
    assert pages(plant) == []
    plant.tell(truck(2))
    assert pages(plant) == [[2]]
    derived(plant)


# What is derived again


def asked(plant: Plant, record: Content, kind: str) -> set[str]:
    """Rows of a kind, as they were before, that a step reads."""
    seen: set[str] = set()

    class Watched(Rows):
        @override
        def get(self, key: str, default: object = None) -> object:
            seen.update({key} if key.startswith(f"{kind}/P-1/") else ())
            return plant.rows.get(key, default)

        @override
        def scan(self, prefix: str, before: str | None = None) -> list[str]:
            return plant.rows.scan(prefix, before)

    plant.fold.step(plant.owner, head(plant), [Read(record)], Watched())
    plant.tell(record)
    return seen


def read(plant: Plant, record: Content) -> set[int]:
    """Pages that a step reads, by place."""
    names = {f"page/P-1/{ref.page}": no for no, ref in enumerate(head(plant).pages)}
    return {names[key] for key in asked(plant, record, "page") if key in names}


def test_an_event_at_the_end_costs_its_page_and_a_late_one_those_from_its_own_on(
    plant: Plant,
) -> None:
    fill(plant, range(4 * EVENTS_MAX - 1))
    assert read(plant, truck(4 * EVENTS_MAX)) == {3}
    assert read(plant, gone(2 * EVENTS_MAX + 3)) == {2, 3}
    assert read(plant, gone(3)) == {0, 1, 2, 3}


@pytest.fixture
def step_of_100(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custody.pages.STEP_EVENTS_MAX", 100)


@pytest.mark.usefixtures("step_of_100")
@pytest.mark.parametrize(("count", "steps"), [(99, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_a_step_derives_so_many_events_and_the_next_goes_on_where_it_ended(
    plant: Plant, count: int, steps: int
) -> None:
    fill(plant, range(count))
    assert plant.steps == steps
    derived(plant)


def one_step(plant: Plant, chunk: Sequence[Content]) -> None:
    """What the process asks itself to go on with is lost on the way."""
    step = plant.fold.step(
        plant.owner, plant.rows.get(plant.owner), [Read(one) for one in chunk], plant.rows
    )
    plant.rows.update({**step.rows, plant.owner: step.row})
    plant.outputs.extend(step.outputs)


@pytest.mark.usefixtures("step_of_100")
def test_a_late_truck_restates_what_a_step_has_not_come_to(plant: Plant) -> None:
    """The second chunk comes while pages of the first are still to be derived."""
    chunks = [[truck(minute) for minute in range(150)], [truck(-1), truck(90.5)]]
    for chunk in chunks:
        one_step(plant, chunk)
    assert head(plant).dirty
    plant.tell(truck(200))
    assert sum(sizes(plant)) == 153
    derived(plant)


@pytest.mark.usefixtures("step_of_100")
def test_the_balance_is_of_the_node_after_the_last_event_that_was_derived(plant: Plant) -> None:
    """A hundred of 150 trucks: the first page from A, what follows from B."""
    trucks = [
        handed(f"in-{no}", no, TONNE, site="A" if no < EVENTS_MAX else "B") for no in range(150)
    ]
    one_step(plant, trucks)
    assert origins(plant) == {"A": pytest.approx(0.64), "B": pytest.approx(0.36)}
    plant.tell(truck(200))
    whole = {"A": 64 / 151, "B": 86 / 151, "MINE": 1 / 151}
    assert origins(plant) == pytest.approx(whole)


def origins(plant: Plant) -> dict[str, float]:
    return {origin.id: origin.share for origin in plant.balance.origins}


def test_an_event_at_the_end_of_a_page_leaves_the_earlier_ones_alone(plant: Plant) -> None:
    fill(plant, range(10))
    assert len(asked(plant, truck(10), "in")) == 0
    assert len(asked(plant, truck(4.5), "in")) == 11


# Sides that no longer stand


def test_a_side_that_is_void_is_withdrawn_and_one_that_was_never_told_is_not(plant: Plant) -> None:
    maker = Maker("pile")

    def out(lot: str, minute: int) -> MaterialProcessed:
        return maker.side(
            "YARD", minute, "output", "P-1", kind="stockpile", output_lot_id=lot, mass_dry_g=TONNE
        )

    plant.tell(truck(0), truck(1))
    first, second = out("X", 5), out("Y", 6)
    plant.tell(first, second)
    plant.tell(corrected(first, "void", void=True))
    assert [content.to_owner for content in plant.told.values()] == ["lot/Y"]
    assert plant.held["dry"] == TONNE
    assert head(plant).gone == []


@pytest.mark.parametrize("kept", [Layer, Material, MetalKnown])
def test_a_release_that_says_more_of_a_layer_derives_the_node_anew(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, kept: type
) -> None:
    """What an earlier release kept of a layer, its material or a metal of it, is not built upon."""
    fill(plant, [1])
    before = head(plant).rules
    fill(plant, [2])
    assert head(plant).rules == before
    monkeypatch.setattr(kept, "_fields", (*kept._fields, "more"))  # type: ignore[attr-defined]
    fill(plant, [3])
    assert head(plant).rules != before
