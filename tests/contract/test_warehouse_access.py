"""The roles for a server: every statement is one that the engine reads, and says what the docs say.

The embedded engine has no users, so it cannot run them.
"""

from pathlib import Path

import pytest

from console import reach
from sinks import migrate
from sinks.client import open_warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FILE = Path(__file__).parents[2] / "deploy" / "clickhouse" / "access.sql"


def test_the_engine_reads_every_statement(tmp_path: Path) -> None:
    statements = migrate.parse("0000_access.sql", FILE.read_text()).statements
    warehouse = open_warehouse(f"chdb://{tmp_path / 'warehouse'}")
    for statement in statements:
        (read,) = warehouse.rows("SELECT formatQuery({q:String})", {"q": statement})
        assert read[0], statement
    warehouse.close()
    assert len(statements) == 16


def test_analysts_have_the_same_tables_as_behind_the_door() -> None:
    granted = {
        line.split()[3]
        for line in FILE.read_text().splitlines()
        if line.startswith("GRANT SELECT ON") and line.endswith("custody_analyst;")
    }
    shared = {f"custody.{name}" for name in reach.SHARED_TABLES}
    assert granted == {f"custody.{reach.VIEW_PREFIX}*"} | shared
