"""Brings the warehouse to the shape this program knows: numbered SQL files, forward only.

``migrations/NNNN_<name>.sql`` holds statements that each end with ``;`` at the end of a line and
may be run again: ClickHouse has no transaction around DDL, so a file that broke in the middle is
run anew from its start. What has been applied stands in ``schema_migrations`` with the SHA-256 of
its text; a file that was changed afterwards stops the process. ``profiles`` renders a statement for
where it runs, and refuses one that rewrites or removes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from custody.errors import Corrupt
from custody.events import Micros
from sinks import profiles
from sinks.client import Warehouse
from sinks.profiles import Cluster

_LEDGER = """
CREATE TABLE IF NOT EXISTS custody.schema_migrations
(
    version UInt32 COMMENT 'Number of the migration file.',
    name String COMMENT 'Name of the migration file.',
    checksum String COMMENT 'SHA-256 of its text, hexadecimal.',
    applied_at DateTime64(6, 'UTC') COMMENT 'When it was applied.'
)
ENGINE = MergeTree ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its checksum and its statements in order."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.version:04d}_{self.name}.sql"


class MigrationChanged(Corrupt):
    """A file that was applied has another text now."""

    def __init__(self, name: str, applied: str, found: str) -> None:
        super().__init__(
            f"migration {name} was changed after it was applied (sha256 {found[:12]})",
            expected=f"the text with sha256 {applied[:12]}",
            next_step="restore the file and put the change into a new migration",
        )


class WarehouseIsNewer(Corrupt):
    """The warehouse has a migration this program does not know."""

    def __init__(self, version: int, name: str) -> None:
        super().__init__(
            f"the warehouse has migration {version:04d} {name}, which this program does not know",
            expected="a program at least as new as the warehouse",
            next_step="install the release that wrote the warehouse",
        )


class MigrationsNotNumbered(Corrupt):
    """The files are not numbered 1, 2, 3, ..."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__(
            f"migration files are numbered {list(numbers)}",
            expected="1, 2, 3, ... without holes or repeats",
            next_step="reinstall, or number the new file after the last one",
        )


def load() -> tuple[Migration, ...]:
    """Return the migrations this program ships, in order.

    Raises:
        MigrationsNotNumbered: A number is missing or stands twice.
    """
    folder = resources.files("sinks") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    found = tuple(parse(f.name, f.read_text(encoding="utf-8")) for f in files)
    numbers = [m.version for m in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationsNotNumbered(numbers)
    return found


def parse(file_name: str, text: str) -> Migration:
    """Cut a file ``NNNN_<name>.sql`` into its statements; comment lines are left out."""
    number, _, name = file_name.removesuffix(".sql").partition("_")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("--")]
    statements, current = [], list[str]()
    for line in lines:
        current.append(line.removesuffix(";"))
        if line.endswith(";"):
            statements.append("\n".join(current))
            current = []
    assert not current, f"{file_name} does not end with ';'"
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(int(number), name, checksum, tuple(statements))


def migrate(
    warehouse: Warehouse,
    now: Micros,
    migrations: Sequence[Migration] | None = None,
    cluster: Cluster | None = None,
) -> list[str]:
    """Apply what is missing, in order; harmless to call again.

    Args:
        warehouse: An open client that may create tables.
        now: Written beside what is applied.
        migrations: Another list than the shipped one, for tests.
        cluster: Where tables are sharded and replicated; None embedded and on one server.

    Returns:
        The names of the migrations applied now.

    Raises:
        MigrationChanged: An applied file has another text.
        WarehouseIsNewer: The warehouse has a migration we do not know.
        DangerousMigration: A file would rewrite or remove what is stored; nothing of it was run.
        Unavailable: The warehouse does not answer.
    """
    known = load() if migrations is None else tuple(migrations)
    on = "" if cluster is None else f" ON CLUSTER '{cluster.name}'"
    warehouse.command(f"CREATE DATABASE IF NOT EXISTS custody{on} ENGINE = Atomic")
    for statement in profiles.render(_LEDGER.strip(), cluster):
        warehouse.command(statement)
    applied = _applied(warehouse)
    _check(known, applied)
    missing = [m for m in known if m.version not in applied]
    for migration in missing:
        for statement in migration.statements:
            profiles.check(migration.file, statement)
        for statement in migration.statements:
            for rendered in profiles.render(statement, cluster):
                warehouse.command(rendered)
        warehouse.insert_rows(
            "schema_migrations",
            ("version", "name", "checksum", "applied_at"),
            [(migration.version, migration.name, migration.checksum, now)],
        )
    return [m.name for m in missing]


def check_unchanged(warehouse: Warehouse) -> None:
    """See that what was applied has the text of the files still. Blocks; changes nothing.

    Args:
        warehouse: An open client of a warehouse that was migrated.

    Raises:
        MigrationChanged: An applied file has another text.
        WarehouseIsNewer: The warehouse has a migration we do not know.
        Unavailable: The warehouse does not answer.
    """
    _check(load(), _applied(warehouse))


def _applied(warehouse: Warehouse) -> dict[int, tuple[str, str]]:
    rows = warehouse.rows(
        "SELECT version, name, checksum FROM custody.schema_migrations ORDER BY version"
    )
    return {int(str(v)): (str(name), str(checksum)) for v, name, checksum in rows}


def _check(known: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    by_version = {m.version: m for m in known}
    for version, (name, checksum) in applied.items():
        ours = by_version.get(version)
        if ours is None:
            raise WarehouseIsNewer(version, name)
        if ours.checksum != checksum:
            raise MigrationChanged(ours.file, checksum, ours.checksum)
