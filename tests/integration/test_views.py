"""The views analysts ask, on the real engine: what stands, and that it stands there once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import LotFact, Micros
from custody.factset import standing
from custody.rows import FactHead, FactRow
from sinks import migrate
from sinks.client import open_warehouse
from tests.support.facts import Maker, corrected, event_id
from tests.support.store import Store

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory: Path = tmp_path_factory.mktemp("views")
    address = f"chdb://{directory / 'warehouse'}"
    warehouse = open_warehouse(address)
    migrate.migrate(warehouse, Micros(0))
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    yield Store(warehouse, reader, directory)
    reader.close()
    warehouse.close()


@pytest.fixture
def empty(store: Store) -> Store:
    tables = store.ask(
        "SELECT name FROM system.tables WHERE database = 'custody'"
        " AND engine = 'MergeTree' AND name != 'schema_migrations'"
    )
    for table in tables:
        store.warehouse.command(f"TRUNCATE TABLE custody.{table['name']}")
    store.ends.clear()
    return store


def drawn(seed: int) -> list[LotFact]:
    """Tickets that correct and withdraw each other at random, also in chains and in rings."""
    rnd, maker = Random(seed), Maker("L-1")
    facts: list[LotFact] = []
    names = [f"{seed}/{no}" for no in range(rnd.randint(1, 9))]
    for no, name in enumerate(names):
        target = rnd.choice(names) if no and rnd.random() < 0.7 else name
        ticket = maker.weighing("MINE", rnd.randrange(50), "stock", 45_000, 15_000)
        facts.append(
            replace(
                ticket,
                lot_id=f"L-{seed}",
                event_id=event_id(name),
                recorded_at=Micros(ticket.recorded_at + rnd.randrange(5)),
                corrects=None if target == name else event_id(target),
                void=target != name and rnd.random() < 0.3,
                gateway_seq=100 * seed + no + 1,
            )
        )
    return facts


def core_stands(facts: list[LotFact]) -> set[str]:
    rows = [
        FactRow(FactHead(f.event_id, f.occurred_at, f.recorded_at, f.site_id, f.corrects, f.void))
        for f in facts
    ]
    return {row.head.event_id for row in standing(rows)[0]}


def test_a_view_of_facts_has_what_stands_by_the_rule_of_the_books(empty: Store) -> None:
    lots = [drawn(seed) for seed in range(150)]
    empty.put_all([fact for facts in lots for fact in facts])
    for view in ("v_weighings", "v_events"):
        found: dict[object, list[object]] = {}
        for row in empty.ask(f"SELECT lot_id, event_id FROM {view}"):  # noqa: S608
            found.setdefault(row["lot_id"], []).append(row["event_id"])
        for seed, facts in enumerate(lots):
            ids = found.get(f"L-{seed}", [])
            assert sorted(map(str, ids)) == sorted(core_stands(facts)), (view, seed)
    every = [fact for facts in lots for fact in facts]
    assert any(fact.corrects for fact in every)
    assert sum(len(core_stands(facts)) for facts in lots) < len(every)


def test_a_mass_is_in_kilograms_to_the_gram(empty: Store) -> None:
    ticket = Maker("L-1").weighing("MINE", 10, "stock", 45_000, 15_000)
    exact = corrected(ticket, "to the gram", net_g=27_600_123, gateway_seq=2)
    empty.put_all([ticket, exact])
    [row] = empty.ask("SELECT net_kg, toTypeName(net_kg) AS type FROM v_weighings")
    assert row == {"net_kg": 27600.123, "type": "Decimal(18, 3)"}
    [row] = empty.ask("SELECT event_type, kind, mass_kg FROM v_events WHERE lot_id = 'L-1'")
    assert row == {"event_type": "weighing", "kind": "stock", "mass_kg": 27600.123}
