"""Migrations as each kind of warehouse runs them, and what no migration may do."""

from pathlib import Path

import pytest

from sinks import migrate, profiles
from sinks.profiles import Cluster, DangerousMigration

GOLDEN = Path(__file__).parents[2] / "golden" / "cluster"
SHOWN = ("ingest_batches", "events_all", "balance_lots", "corrections", "event", "flows")
CLUSTER = Cluster("ore")


def rendered(migration: migrate.Migration) -> str:
    statements = [r for s in migration.statements for r in profiles.render(s, CLUSTER)]
    return ";\n\n".join(statements) + ";\n"


@pytest.mark.parametrize("migration", migrate.load(), ids=lambda m: m.name)
def test_no_migration_rewrites_or_removes(migration: migrate.Migration) -> None:
    for statement in migration.statements:
        profiles.check(migration.file, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE custody.weighing MODIFY COLUMN net_g Int32",
        "ALTER TABLE custody.weighing DROP COLUMN net_g",
        "ALTER TABLE custody.weighing RENAME COLUMN net_g TO net",
        "drop table custody.weighing",
        "TRUNCATE TABLE custody.weighing",
        "ALTER TABLE custody.weighing DELETE WHERE 1",
        "ALTER TABLE custody.weighing MODIFY TTL timestamp + INTERVAL 1 DAY",
    ],
)
def test_what_rewrites_or_removes_is_refused_with_what_to_do(statement: str) -> None:
    with pytest.raises(DangerousMigration, match="0099_new") as caught:
        profiles.check("0099_new.sql", statement)
    assert "beside the old one" in str(caught.value)


def test_words_in_a_comment_are_no_danger() -> None:
    profiles.check("0099_new.sql", "CREATE VIEW v AS SELECT 1 COMMENT 'DROP TABLE, he\\'d say'")


def test_what_the_rows_hold_anyway_may_go() -> None:
    profiles.check("0099_new.sql", "ALTER TABLE custody.transfer DROP PROJECTION IF EXISTS daily")


def test_embedded_and_on_one_server_a_statement_stands_as_it_is() -> None:
    for migration in migrate.load():
        for statement in migration.statements:
            assert profiles.render(statement, None) == (statement,)


@pytest.mark.parametrize("name", SHOWN)
def test_in_a_cluster_it_is_the_golden_text(name: str) -> None:
    [migration] = [m for m in migrate.load() if m.name == name]
    assert rendered(migration) == (GOLDEN / f"{name}.sql").read_text("utf-8")


def test_in_a_cluster_everything_is_made_on_all_servers() -> None:
    for migration in migrate.load():
        for statement in migration.statements:
            for one in profiles.render(statement, CLUSTER):
                local = one.startswith(("INSERT", "SELECT"))
                assert local or "ON CLUSTER 'ore'" in one.partition("\n(")[0], one[:200]
                assert "ENGINE = MergeTree" not in one
                assert " IN (SELECT" not in one.replace("GLOBAL IN", "").replace(
                    "GLOBAL NOT IN", ""
                )
