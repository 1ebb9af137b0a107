"""The real tables after all migrations against the columns the Avro schemas declare."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from custody.events import Micros
from sinks import corrections, edges, events, migrate, tables
from sinks.client import Warehouse, open_warehouse
from sinks.tables import Column

pytestmark = pytest.mark.slow

NOW = Micros(1_700_000_000_000_000)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    address = f"chdb://{tmp_path_factory.mktemp('warehouse')}"
    made = open_warehouse(address)
    migrate.migrate(made, NOW)
    made.close()
    # As after a restart: the engine reads definitions back with tighter limits than it takes them.
    opened = open_warehouse(address)
    yield opened
    opened.close()


def _real(warehouse: Warehouse, table: str) -> list[Column]:
    rows = warehouse.rows(
        "SELECT name, type, comment FROM system.columns"
        " WHERE database = 'custody' AND table = {table:String} AND default_kind = ''"
        " ORDER BY position",
        {"table": table},
    )
    return [Column(str(name), str(type_), str(comment)) for name, type_, comment in rows]


@pytest.mark.parametrize("stem", [route.stem for route in tables.stored()])
def test_a_table_has_exactly_the_declared_columns(warehouse: Warehouse, stem: str) -> None:
    assert _real(warehouse, stem) == list(tables.columns(stem))


@pytest.mark.parametrize("stem", [route.stem for route in tables.stored()])
def test_every_column_says_what_it_means(stem: str) -> None:
    assert [c.name for c in tables.columns(stem) if not c.comment] == []


def test_edge_has_the_columns_that_the_sink_makes(warehouse: Warehouse) -> None:
    declared = {c.name: c.type for c in tables.columns("transfer")}
    amounts = {"mass_wet_g": pa.int64(), "mass_dry_g": pa.int64()}
    amounts["metals.value_mg"] = pa.list_(pa.int64())
    none = pa.table({name: pa.nulls(0, amounts.get(name, pa.string())) for name in declared})
    made = edges.edges_of(none).column_names
    real = {c.name: c.type for c in _real(warehouse, edges.TABLE)}
    assert set(made) == set(real)
    own = {"lot_id", "process_id"}  # never null here
    copied = [name for name in real if name in declared and name not in own]
    assert {n: real[n] for n in copied} == {n: declared[n] for n in copied}


@pytest.mark.parametrize("stem", corrections.STEMS)
def test_event_has_the_columns_that_the_sink_makes(warehouse: Warehouse, stem: str) -> None:
    masses = {c.name: pa.int64() for c in tables.columns(stem) if c.type.endswith("Int64)")}
    none = pa.table(
        {c.name: pa.nulls(0, masses.get(c.name, pa.string())) for c in tables.columns(stem)}
    )
    made = events.events_of(stem, none).column_names
    real = {c.name for c in _real(warehouse, events.TABLE)}
    assert set(made) == set(events.COLUMNS) == real


def test_every_column_of_every_table_and_view_says_what_it_means(warehouse: Warehouse) -> None:
    silent = warehouse.rows(
        "SELECT table, name FROM system.columns WHERE database = 'custody' AND comment = ''"
        " AND NOT startsWith(table, '.')"
    )
    assert silent == []
    [[views]] = warehouse.rows("SELECT uniqExact(view) FROM custody.v_columns")
    assert int(str(views)) > 20


_TIMES = "at = '2026-01-01 00:00:00', known_at = '2026-01-01 00:00:00'"
_PERIOD = (
    "period_start = '2026-01-01 00:00:00', period_end = '2026-02-01 00:00:00',"
    " known_at = '2026-03-01 00:00:00'"
)
PARAMETRISED = {
    "v_lot_balance_at": _TIMES,
    "v_stock_at": _TIMES,
    "v_metal_balance": _PERIOD,
    "v_unaccounted": _PERIOD,
    "v_lineage": "lot = 'L-1'",
}


def test_views_with_parameters_have_the_columns_that_are_told_of_them(
    warehouse: Warehouse,
) -> None:
    for view, values in PARAMETRISED.items():
        real = warehouse.rows(f"DESCRIBE custody.{view}({values})")
        told = warehouse.rows(
            "SELECT name, meaning FROM custody.v_columns WHERE view = {view:String}"
            " ORDER BY position",
            {"view": view},
        )
        assert [row[0] for row in told] == [row[0] for row in real], view
        assert all(meaning for _, meaning in told), view
        assert not any("AggregateFunction" in str(row[1]) for row in real)
    named = warehouse.rows(
        "SELECT name FROM system.tables WHERE database = 'custody' AND engine = 'View'"
        " AND name NOT IN (SELECT table FROM system.columns WHERE database = 'custody')"
    )
    assert {str(name) for [name] in named} == set(PARAMETRISED), "a view that nothing holds"


FACTS = {
    "lot": "v_lots",
    "weighing": "v_weighings",
    "assay": "v_assays",
    "xrf": "v_scans",
    "shipment": "v_movements",
    "processing": "v_processing",
    "claim": "v_claims",
}
_PREFIXES = {
    "results.": "",
    "declared_origins.": "origin_",
    "declared_composition.": "declared_",
    "attributes.": "attribute_",
    "documents.": "document_",
}
_UNITS = {"_g": "_kg", "_day": "_on"}


def _shown(name: str) -> str:
    """The column of a view that shows one of its table."""
    for prefix, short in _PREFIXES.items():
        if name.startswith(prefix):
            name = short + name.removeprefix(prefix)
            if name in {"unit", "declared_unit"}:
                name = name.replace("unit", "reported_unit")
    for ours, theirs in _UNITS.items():
        if name.endswith(ours):
            name = name.removesuffix(ours) + theirs
    return name


def test_a_view_of_facts_shows_every_field_of_its_record(warehouse: Warehouse) -> None:
    own = {"topic", "partition", "offset"}
    left_out = {c.name for c in tables.ENVELOPE} - own | {"void"}
    for stem, view in FACTS.items():
        declared = {_shown(c.name) for c in tables.columns(stem) if c.name not in left_out}
        assert {c.name for c in _real(warehouse, view)} == declared, view


def test_people_read_kilograms_of_facts_and_no_states(warehouse: Warehouse) -> None:
    for view in [*FACTS.values(), "v_events"]:
        names = [column.name for column in _real(warehouse, view)]
        assert not [name for name in names if name.endswith(("_g", "_mg"))], view
    states = warehouse.rows(
        "SELECT table, name FROM system.columns WHERE database = 'custody'"
        " AND startsWith(table, 'v_') AND type LIKE '%AggregateFunction%'"
    )
    assert states == []


def test_corrections_have_the_columns_that_the_sink_makes(warehouse: Warehouse) -> None:
    real = {c.name for c in _real(warehouse, corrections.TABLE)}
    assert real == {*corrections.COPIED, "stem"}


def test_events_all_has_the_columns_that_all_facts_share(warehouse: Warehouse) -> None:
    facts = [r.stem for r in tables.stored() if r.topic == "custody.fact.v1"]
    shared = set.intersection(*({(c.name, c.type) for c in tables.columns(s)} for s in facts))
    assert {(c.name, c.type) for c in _real(warehouse, "events_all")} == shared


def test_migrating_again_changes_nothing(warehouse: Warehouse) -> None:
    assert migrate.migrate(warehouse, NOW) == []


def test_every_statement_may_be_run_again(warehouse: Warehouse) -> None:
    for migration in migrate.load():
        for statement in migration.statements:
            warehouse.command(statement)


def test_a_changed_migration_stops(warehouse: Warehouse) -> None:
    first, *others = migrate.load()
    changed = migrate.parse("0001_facts.sql", "SELECT 1;\n")
    assert changed.checksum != first.checksum
    with pytest.raises(migrate.MigrationChanged, match="0001_facts"):
        migrate.migrate(warehouse, NOW, [changed, *others])


def test_a_newer_warehouse_stops(warehouse: Warehouse) -> None:
    *known, newer = migrate.load()
    with pytest.raises(migrate.WarehouseIsNewer, match=newer.name):
        migrate.migrate(warehouse, NOW, known)


def test_a_migration_that_broke_in_the_middle_is_run_anew(warehouse: Warehouse) -> None:
    text = "CREATE TABLE IF NOT EXISTS custody.half (a Int64) ENGINE = MergeTree ORDER BY a;\n"
    number = len(migrate.load()) + 1
    broken = migrate.parse(f"{number:04d}_half.sql", text + "SELECT nonsense;\n")
    with pytest.raises(Exception, match="nonsense"):
        migrate.migrate(warehouse, NOW, [*migrate.load(), broken])
    whole = migrate.parse(f"{number:04d}_half.sql", text + "SELECT 1;\n")
    assert migrate.migrate(warehouse, NOW, [*migrate.load(), whole]) == ["half"]
    warehouse.command("DROP TABLE custody.half SYNC")
    warehouse.command(
        "ALTER TABLE custody.schema_migrations DELETE WHERE name = 'half'"
        " SETTINGS mutations_sync = 2"
    )
