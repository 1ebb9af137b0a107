"""A lot hauled for a year: its weighings at a place are more than a row of the store may hold."""

import msgspec
import pytest

from custody import flow_pages
from custody.lot_rows import FlowsRow, PlaceRow
from tests.support.facts import Maker, corrected, hauled
from tests.support.oracle.books import Oracle
from tests.support.world import World

ROW_BYTES_MAX = 256 * 1024


def pages(world: World) -> dict[str, FlowsRow]:
    return {k: row for k, row in world.rows.items() if isinstance(row, FlowsRow)}


def test_thousands_of_movements_stay_in_rows_that_the_store_takes() -> None:
    facts = hauled(Maker(), 1_200)
    world = World()
    world.tell(*facts, together=True)
    assert len(pages(world)) == 1_200 // flow_pages.FLOWS_MAX
    sizes = [len(msgspec.msgpack.encode(row)) for row in world.rows.values()]
    assert max(sizes) < ROW_BYTES_MAX / 2
    held = {account: sums["wet"] for account, sums in world.sums().items()}
    assert held["lot/L-1/PORT"] == 1_200 * 30_010_000
    assert held["origin/MINE"] == -1_200 * 30_000_000
    assert sum(held.values()) == 0


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_pages, "FLOWS_MAX", 4)


@pytest.mark.usefixtures("small_pages")
def test_a_movement_at_the_end_writes_the_row_of_the_place_and_no_page() -> None:
    facts = hauled(Maker(), 10)
    world = World()
    world.tell(*facts[:-2])
    before = pages(world)
    world.tell(*facts[-2:])
    assert pages(world) == before
    port = world.rows["place/L-1\x1fPORT"]
    assert isinstance(port, PlaceRow)
    assert (port.pages, len(port.flows), len(before)) == (2, 2, 2)


@pytest.mark.usefixtures("small_pages")
def test_a_correction_of_an_early_movement_finds_it_in_its_page() -> None:
    facts = hauled(Maker(), 10)
    mended = corrected(facts[1], "mended", gross_g=44_000_000, net_g=29_000_000)
    world = World()
    world.tell(*facts, mended)
    assert world.sums() == Oracle([*facts, mended]).accounts()


@pytest.mark.usefixtures("small_pages")
def test_pages_that_are_no_longer_needed_are_left_empty() -> None:
    facts = hauled(Maker(), 10)
    voids = [corrected(one, f"void-{n}", void=True) for n, one in enumerate(facts[4:])]
    world = World()
    world.tell(*facts, *voids)
    assert not any(page.flows for page in pages(world).values())
    assert world.sums() == Oracle([*facts, *voids]).accounts()
