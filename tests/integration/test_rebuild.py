"""``custody warehouse rebuild`` makes anew what the applied migrations say, and nothing else."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from custody.events import Micros
from runtime.cli.main import cli
from sinks.client import Warehouse, open_warehouse
from sinks.migrate import MigrationChanged, load, migrate

pytestmark = [pytest.mark.integration, pytest.mark.slow]

VIEWS = 7
"""Number of the first migration of views."""


@contextmanager
def warehouse(directory: Path) -> Iterator[Warehouse]:
    """Open the engine of a data directory: one process, and one client at a time."""
    with closing(open_warehouse(f"chdb://{directory / 'warehouse'}")) as opened:
        yield opened


def made(opened: Warehouse) -> list[object]:
    """Return each table and view as the engine says it; a rebuild makes tables beside others."""
    return list(
        opened.rows("SELECT name, create_table_query FROM system.tables WHERE database = 'custody'")
    )


def rebuild(directory: Path) -> Result:
    environment = {"CUSTODY_DATA_DIR": str(directory)}
    return CliRunner().invoke(cli, ["warehouse", "rebuild"], env=environment)


def test_files_that_are_not_those_applied_are_not_what_it_is_made_anew_from(tmp_path: Path) -> None:
    """A changed file of views was put into the warehouse, and "made anew" said of it."""
    applied = [replace(one, checksum="0" * 64) if one.version == VIEWS else one for one in load()]
    with warehouse(tmp_path) as opened:
        migrate(opened, Micros(0), applied)
        opened.command("CREATE OR REPLACE VIEW custody.v_stock AS SELECT 1 AS one")
        before = made(opened)
    refused = rebuild(tmp_path)
    assert refused.exit_code != 0
    assert "made anew" not in refused.output
    assert isinstance(refused.exception, MigrationChanged)
    assert "0007_views.sql was changed after it was applied" in str(refused.exception)
    with warehouse(tmp_path) as opened:
        assert made(opened) == before


def test_with_the_files_that_were_applied_it_is_made_anew(tmp_path: Path) -> None:
    with warehouse(tmp_path) as opened:
        migrate(opened, Micros(0))
        before = made(opened)
        opened.command("CREATE OR REPLACE VIEW custody.v_stock AS SELECT 1 AS one")
    done = rebuild(tmp_path)
    assert done.exit_code == 0, done.output
    with warehouse(tmp_path) as opened:
        assert made(opened) == before
