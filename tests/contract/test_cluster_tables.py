"""The tables of a cluster, made once in the real engine with its test keeper.

It has no other servers, so ON CLUSTER is left out, and its replicas take no ALTER and no INSERT:
those of the replicated tables are parsed. Columns are added to the Distributed tables, whose
structure the views are made over.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFIG = """<clickhouse>
  <path>{path}</path>
  <zookeeper><implementation>testkeeper</implementation></zookeeper>
  <macros><shard>1</shard><replica>a</replica></macros>
  <remote_servers><ore><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></ore></remote_servers>
</clickhouse>
"""
PROGRAM = """
import json, os, sys
import clickhouse_connect
from sinks import migrate, profiles
address, config = sys.argv[1:]
client = clickhouse_connect.get_client(dsn=address, chdb_options={"config-file": config})
cluster = profiles.Cluster("ore")
client.command("CREATE DATABASE IF NOT EXISTS custody ENGINE = Atomic")
made = parsed = 0
for migration in migrate.load():
    for statement in migration.statements:
        for rendered in profiles.render(statement, cluster):
            text = rendered.replace(" ON CLUSTER 'ore'", "")
            local = text.partition("\\n")[0].split()[2].endswith("_local")
            if text.startswith("INSERT") or (text.startswith("ALTER") and local):
                client.command("EXPLAIN AST " + text)
                parsed += 1
            else:
                client.command(text)
                made += 1
engines = dict(client.query(
    "SELECT name, engine FROM system.tables WHERE database = 'custody'").result_rows)
columns = client.query(
    "SELECT table, name, type FROM system.columns WHERE database = 'custody'"
    " AND default_kind = ''").result_rows
print(json.dumps({"made": made, "parsed": parsed, "engines": engines, "columns": columns}))
sys.stdout.flush()
os._exit(0)  # replicas that never became writable would be waited for
"""


def test_the_tables_of_a_cluster_can_be_made_and_have_the_declared_columns(tmp_path: Path) -> None:
    from sinks import tables

    config = tmp_path / "config.xml"
    config.write_text(CONFIG.format(path=tmp_path / "engine"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"chdb://{tmp_path / 'engine'}", str(config)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    engines = found["engines"]
    for route in tables.stored():
        assert engines[f"{route.table}_local"] == "ReplicatedMergeTree"
        assert engines[str(route.table)] == "Distributed"
        real = {(name, type_) for table, name, type_ in found["columns"] if table == route.table}
        assert real == {(c.name, c.type) for c in tables.columns(route.stem)}, route.stem
    assert "MergeTree" not in engines.values()
    assert engines["v_events"] == "View"
    assert found["parsed"] > 10
