"""What the demo asks of the warehouse: the real engine, on a day that the real core booked."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import pytest

from console.reader import Ask, Reader
from console.who import Role
from custody.accounts import TRANSIT
from dashboards import balance
from dashboards.main import queries
from demo import chain, flow, lineage, restated
from demo.correction import ANALYTE
from demo.day import Day, make_day
from demo.plant import MINES
from runtime.client import Warehouse
from tests.support import worked
from tests.support.demo_books import EVENING, Books, books_of, client, reader_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 1
MARK = f"-{SEED}-"


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(SEED)


@pytest.fixture(scope="module")
def books(day: Day) -> Books:
    return books_of(day)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo-books")


@pytest.fixture(scope="module")
def reader(books: Books, directory: Path) -> Iterator[Reader]:
    with reader_of(books, directory) as opened:
        yield opened


@pytest.fixture(scope="module")
def warehouse(reader: Reader, directory: Path) -> Warehouse:
    return client(reader, directory)


@pytest.fixture(scope="module")
def sums(books: Books) -> Mapping[str, int]:
    """Milligrams of copper by account, added up here from the records themselves."""
    found: dict[str, int] = defaultdict(int)
    for transfer in books.world.transfers:
        for metal in transfer.metals:
            if metal.analyte == ANALYTE:
                found[transfer.debit] -= metal.value_mg
                found[transfer.credit] += metal.value_mg
    return found


@pytest.fixture(scope="module")
def nets(warehouse: Warehouse, day: Day) -> list[flow.Net]:
    return flow.read_flow(warehouse, day, ANALYTE)


def corrections(books: Books) -> list[str]:
    return [name for name, fact in books.facts.items() if fact.recorded_at >= EVENING]


def test_the_correction_moves_every_level_and_leaves_no_rest(
    warehouse: Warehouse, books: Books, day: Day
) -> None:
    found = restated.read_restated(warehouse, day, corrections(books))
    assert restated.lacks(found, day) == []
    assert found.compensations > 0
    moved = {level.name: level.moved_mg for level in found.levels}
    product = day.processes[1].output.lot_id
    put_in = moved[f"{day.corrected.lot_id} into the blend"]
    assert put_in > moved[f"concentrate {product}"] + moved["tailings"] > 0.8 * put_in


def test_before_the_correction_is_what_the_day_alone_gives(
    warehouse: Warehouse, books: Books, day: Day
) -> None:
    found = restated.read_restated(warehouse, day, corrections(books))
    product = f"lot/{day.processes[1].output.lot_id}/"
    before, after = (
        sum(
            metal.value_mg
            for t in books.world.transfers
            if t.known_at < limit and t.kind == "process_output" and t.credit.startswith(product)
            for metal in t.metals
            if metal.analyte == ANALYTE
        )
        for limit in (EVENING, 10**18)
    )
    level = next(x for x in found.levels if x.name.startswith("concentrate"))
    assert (level.before_mg, level.after_mg) == (before, after)


def test_the_corrected_lot_and_what_is_made_of_it_have_no_alert(books: Books, day: Day) -> None:
    made = {process.output.lot_id for process in day.processes}
    touched = {f"lot/{name}" for name in {day.corrected.lot_id} | made}
    assert not touched & {alert.subject for alert in books.world.alerts.values()}
    frauds = {f"lot/{fraud.lot_id}" for fraud in day.frauds}
    assert frauds <= {alert.subject for alert in books.world.alerts.values()}


def test_every_figure_of_the_flow_is_a_sum_of_transfers(
    nets: list[flow.Net], sums: Mapping[str, int], day: Day
) -> None:
    given: dict[str, float] = defaultdict(float)
    taken: dict[str, float] = defaultdict(float)
    for edge in flow.edges_of(nets):
        given[edge.source] += edge.amount
        taken[edge.target] += edge.amount
    for mine in MINES:
        assert given[mine] == -sums[f"origin/{mine}"]
    campaign, concentrate = day.processes[1].process_id, day.processes[1].output.lot_id
    assert taken["loss/tailings"] == sums[f"loss/{campaign}/tailings"]
    unaccounted = taken[flow.UNACCOUNTED] - given[flow.MORE]
    assert unaccounted == sum(v for a, v in sums.items() if a.startswith("unaccounted/"))
    held = sum(v for a, v in sums.items() if a.startswith(f"lot/{concentrate}/"))
    assert taken[flow.STOCK + flow.CONCENTRATE] == held
    stocks = sum(mg for name, mg in taken.items() if name.startswith(flow.STOCK))
    assert stocks == sum(v for a, v in sums.items() if a.startswith(("lot/", "process/")))


def test_in_equals_out_at_every_node_of_the_flow(nets: list[flow.Net]) -> None:
    edges = flow.edges_of(nets)
    sources, targets = {e.source for e in edges}, {e.target for e in edges}
    for name in sources & targets:
        taken = sum(e.amount for e in edges if e.target == name)
        assert taken == sum(e.amount for e in edges if e.source == name), name
    assert sources - targets <= {*MINES, flow.MORE}


def test_nobody_is_on_the_road_at_the_end_of_the_day(
    nets: list[flow.Net], sums: Mapping[str, int]
) -> None:
    assert not any(mg for account, mg in sums.items() if account.endswith(f"/{TRANSIT}"))
    assert flow.ROAD not in {name for net in nets for name in (net.source, net.target)}


def test_the_mines_shares_of_the_lineage_are_the_origins_of_the_books(
    warehouse: Warehouse, books: Books, day: Day
) -> None:
    concentrate = day.processes[1].output
    root = f"lot/{concentrate.lot_id}"
    strands = lineage.trace_back(lineage.read_handed(warehouse, MARK, ANALYTE), root)
    shares = lineage.shares_of(strands, root)
    held = books.world.balances[f"{root}/SMELT-SUP"]
    # A concentrate's origins are weighted by its copper, so the books' shares are the metal's.
    of_copper = [o for o in held.metal_origins if o.analyte == ANALYTE] or held.origins
    assert {o.id: o.share for o in of_copper} == {
        mine: pytest.approx(shares[f"mine/{mine}"][1], rel=2e-3) for mine in MINES
    }
    assert len([n for n in shares if n.startswith("lot/L-")]) == 51
    assert sum(shares[f"mine/{mine}"][1] for mine in MINES) == pytest.approx(1.0)


def test_no_two_labels_of_the_pictures_cover_each_other(
    warehouse: Warehouse, nets: list[flow.Net], day: Day
) -> None:
    root = f"lot/{day.processes[1].output.lot_id}"
    strands = lineage.trace_back(lineage.read_handed(warehouse, MARK, ANALYTE), root)
    for figure in (
        chain.flow_figure(day, nets, ANALYTE),
        chain.lineage_figure(strands, root, ANALYTE),
    ):
        figure.canvas.draw()
        texts = figure.axes[0].texts
        assert len(texts) <= 40
        covered = [
            (a.get_text(), b.get_text())
            for a, b in combinations(texts, 2)
            if a.get_window_extent().overlaps(b.get_window_extent())
        ]
        assert not covered


def test_as_of_is_when_the_last_correction_was_known(warehouse: Warehouse) -> None:
    assert round(flow.read_as_of(warehouse, MARK).timestamp() * 1e6) >= EVENING


def test_emissions_are_said_only_where_the_books_carry_them(
    warehouse: Warehouse, books: Books, day: Day
) -> None:
    lot_id = day.processes[1].output.lot_id
    carried = sum(
        a.value_micro
        for b in books.world.balances.values()
        if b.lot_id == lot_id
        for a in b.attributes
        if a.name == "ghg"
    )
    found = restated.read_ghg(warehouse, lot_id)
    dry_g = sum(b.mass_dry_g for b in books.world.balances.values() if b.lot_id == lot_id)
    assert found == (pytest.approx(carried / dry_g) if carried else None)


def test_the_analysts_page_has_the_answers_that_the_warehouse_gives(warehouse: Warehouse) -> None:
    for question, statement, answer in worked.questions():
        found = warehouse.sql(statement, "Markdown").decode()
        assert found.strip() == answer, question


SHOWN_FROM, SHOWN_TO = "toDateTime('2026-03-01 00:00:00')", "toDateTime('2026-03-08 00:00:00')"
"""As the data source writes the time range of a dashboard: the week of the day."""


def test_every_panel_on_custody_shows_rows_to_an_analyst(reader: Reader) -> None:
    targets = {title: query["rawSql"] for title, query in queries(balance.FILE)}
    assert len(targets) >= 9
    for no, (title, sql) in enumerate(targets.items()):
        said = str(sql).replace("$__fromTime", SHOWN_FROM).replace("$__toTime", SHOWN_TO)
        assert "$" not in said, title
        ask = Ask(statement=said, role=Role.ANALYST, query_id=f"{no}", format="JSONEachRow")
        answer = reader.start(ask)
        try:
            rows = b"".join(iter(answer.next, None)).strip()
            assert rows, title
            assert not re.search(rb'"unit":"m?g"', rows), f"{title}: people say kilograms"
        finally:
            answer.close()
