"""Views, tables and functions that somebody changed in the engine are named and put back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import definitions
from runtime.definitions import Definitions
from tests.support.store import Store, opened

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHANGED = {
    "a figure": ("v_weighings", "f.net_g", "(f.net_g - intDiv(f.net_g, 10))"),
    "which rows": ("v_alerts", "FROM custody.alert", "FROM (SELECT * FROM custody.alert LIMIT 1)"),
}


@pytest.fixture(scope="module")
def expected() -> Definitions:
    """A process has one engine: asked before the store's is opened."""
    return definitions.made()


@pytest.fixture(scope="module")
def store(expected: Definitions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory: Path = tmp_path_factory.mktemp("definitions")
    assert expected
    with opened(directory) as store:
        yield store


def named(store: Store, expected: Definitions) -> list[str]:
    return [one.subject for one in definitions.check(store.ask, expected).violations]


def replaced(store: Store, name: str, old: str, new: str) -> None:
    """Change a view as its owner could: its own text, with one expression exchanged."""
    [row] = store.ask(
        f"SELECT create_table_query AS made FROM system.tables WHERE name = '{name}'"  # noqa: S608
    )
    text = str(row["made"])
    assert old in text
    view = text.replace(old, new, 1).replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
    store.warehouse.command(view)


def test_a_warehouse_is_what_the_migrations_make(store: Store, expected: Definitions) -> None:
    found = definitions.check(store.ask, expected)
    assert found.clean, found.violations
    assert found.examined > 50


@pytest.mark.parametrize("what", CHANGED)
def test_a_view_that_was_changed_is_named_and_put_back(
    store: Store, expected: Definitions, what: str
) -> None:
    name, old, new = CHANGED[what]
    replaced(store, name, old, new)
    [one] = definitions.check(store.ask, expected).violations
    assert one.subject == name
    assert "is not what the migrations make" in one.detail
    definitions.put_back(store.warehouse.command)
    assert named(store, expected) == []


def test_a_view_that_is_gone_and_a_function_that_was_changed_are_put_back(
    store: Store, expected: Definitions
) -> None:
    store.warehouse.command("DROP VIEW custody.v_stock")
    store.warehouse.command("CREATE OR REPLACE FUNCTION u_of_sum AS (a, b) -> 0")
    assert named(store, expected) == ["function u_of_sum", "v_stock"]
    definitions.put_back(store.warehouse.command)
    assert named(store, expected) == []


def test_a_column_that_was_put_into_a_table_is_named_and_stays(
    store: Store, expected: Definitions
) -> None:
    store.warehouse.command("ALTER TABLE custody.weighing ADD COLUMN more Int64 DEFAULT 0")
    definitions.put_back(store.warehouse.command)
    assert named(store, expected) == ["weighing"]
    store.warehouse.command("ALTER TABLE custody.weighing DROP COLUMN more")
    assert named(store, expected) == []
