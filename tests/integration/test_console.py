"""SQL over HTTP on the real engine: who may ask, what comes back, and the bounds."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from console.config import ConsoleConfig
from console.http import Process, make_app
from console.reader import Reader
from console.server import Server
from custody.events import Micros
from sinks import migrate
from sinks.client import open_warehouse
from telemetry import metrics as names
from telemetry.http import Health
from telemetry.metrics import Metrics
from web.listen import PortTaken
from web.token import TokenUnreadable, load_or_make

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Desk:
    """A running console with a client on it."""

    def __init__(self, directory: Path) -> None:
        self.config = ConsoleConfig(
            warehouse=f"chdb://{directory / 'warehouse'}",
            token_file=directory / "sink" / "token",
            port=0,
            queries_at_once=1,
            query_wait_s=0.5,
            query_timeout_s=2,
            result_rows_max=1000,
            query_memory_bytes=200 << 20,
        )
        self.token = load_or_make(self.config.token_file)
        self.metrics = Metrics("warehouse")
        self.health = Health(ok=True, fields={"lag_records": 0})
        self.is_ready = True
        self.reader = Reader(self.config)
        process = Process(self.metrics, lambda: self.health, lambda: self.is_ready)
        app = make_app(self.config, self.reader, self.token, process)
        self.server = Server(app, "127.0.0.1", 0)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.server.port}", trust_env=False)

    def sql(self, statement: str, token: str | None = None, **params: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.http.post("/sql", content=statement, params=params, headers=headers)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("console")
    warehouse = open_warehouse(f"chdb://{directory / 'warehouse'}")
    migrate.migrate(warehouse, Micros(0))
    made = Desk(directory)
    with made.server:
        yield made
    made.http.close()
    made.reader.close()
    warehouse.close()


def test_a_query_is_answered_in_the_format_asked_for(desk: Desk) -> None:
    answer = desk.sql("SELECT {lot:String} AS lot, 5 AS n", param_lot="L'1\t%")
    assert (answer.status_code, answer.json()) == (200, {"lot": "L'1\t%", "n": 5})
    csv = desk.sql("SELECT count() FROM weighing WHERE lot_id LIKE '%a%'", format="CSV")
    assert (csv.text, csv.headers["content-type"]) == ("0\n", "text/csv; charset=utf-8")
    assert desk.sql("SHOW TABLES LIKE 'weighing'").json() == {"name": "weighing"}


def test_the_token_is_made_once_for_its_owner_only(desk: Desk) -> None:
    path = desk.config.token_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make(path) == desk.token
    for wrong in ("x", desk.token + "x"):
        answer = desk.sql("SELECT 1", token=wrong)
        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/no-token"
    path.chmod(0o644)
    with pytest.raises(TokenUnreadable, match="mode 644"):
        load_or_make(path)
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("statement", "status", "text"),
    [
        ("DROP TABLE weighing", 403, "begins with"),
        ("SELECT file('/etc/hostname')", 403, "file"),
        ("SELECT nonsense", 400, "nonsense"),
        ("SELECT (1", 400, "Syntax error"),
        ("SELECT number FROM numbers(100000)", 413, "at most 1,000 rows"),
        ("SELECT sum(cityHash64(number)) FROM numbers(100000000000)", 413, "at most 2 s"),
        ("SELECT groupArray(number) FROM numbers(100000000)", 413, "at most 200 MiB"),
        ("SELECT '" + "x" * 100_000 + "'", 413, "100,000 characters"),
    ],
)
def test_what_is_refused_says_why(desk: Desk, statement: str, status: int, text: str) -> None:
    answer = desk.sql(statement)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert text in answer.json()["detail"]


def test_a_query_without_a_turn_is_asked_to_come_back(desk: Desk) -> None:
    client = desk.reader._idle.get()
    answer = desk.sql("SELECT 1")
    desk.reader._idle.put(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert desk.sql("SELECT 1").status_code == 200


def test_a_write_is_refused_by_the_engine_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.guard.check", lambda statement: statement)
    for statement in (
        "INSERT INTO lot (lot_id) VALUES ('x')",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    ):
        assert desk.sql(statement, format="TSV").status_code == 400


def test_health_ready_and_metrics_need_no_token(desk: Desk) -> None:
    said = desk.http.get("/health").json()
    assert said == {"status": "ok", "reason": "", "pid": os.getpid(), "lag_records": 0}
    desk.health = Health(ok=False, reason="records wait and nothing has been stored")
    assert desk.http.get("/health").status_code == 503
    desk.health = replace(desk.health, ok=True)
    assert desk.http.get("/ready").status_code == 200
    desk.is_ready = False
    assert desk.http.get("/ready").status_code == 503
    desk.is_ready = True
    before = desk.metrics.value(names.SQL_QUERIES, "ok")
    desk.sql("SELECT 1")
    assert desk.metrics.value(names.SQL_QUERIES, "ok") == before + 1
    assert b"custody_sql_queries_total" in desk.http.get("/metrics").content


def test_a_taken_port_is_named(desk: Desk) -> None:
    with pytest.raises(PortTaken, match=str(desk.server.port)):
        Server(FastAPI(), "127.0.0.1", desk.server.port)
