"""SQL over HTTP on the real engine: who may ask, what comes back, and the bounds."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from console import guard
from console.complete import SITES_MAX
from console.reader import Ask
from console.server import Server
from console.who import Role
from custody.events import Micros
from runtime.client import Endpoint, Warehouse
from telemetry import metrics as names
from telemetry.http import Health
from tests.support.desk import ENDLESS, Desk, config_at, open_desk
from web.listen import PortTaken
from web.token import TokenUnreadable, load_or_make

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    config = replace(
        config_at(tmp_path_factory.mktemp("console")),
        queries_at_once=1,
        quick_at_once=0,
        queries_waiting_max=1,
        query_wait_s=0.5,
        query_timeout_s=2,
        result_rows_max=1000,
        query_memory_bytes=200 << 20,
    )
    with open_desk(config) as made:
        yield made


def test_a_query_is_answered_in_the_format_asked_for(desk: Desk) -> None:
    answer = desk.sql("SELECT {lot:String} AS lot, 5 AS n", param_lot="L'1\t%")
    assert (answer.status_code, answer.json()) == (200, {"lot": "L'1\t%", "n": 5})
    csv = desk.sql("SELECT count() FROM weighing WHERE lot_id LIKE '%a%'", format="CSV")
    assert (csv.text, csv.headers["content-type"]) == ("0\n", "text/csv; charset=utf-8")
    assert desk.sql("SHOW TABLES LIKE 'weighing'").json() == {"name": "weighing"}


def test_every_answer_says_up_to_when_it_is_complete(desk: Desk) -> None:
    assert desk.sql("SELECT 1").headers["X-Custody-Complete-To"] == ""
    desk.complete_to = Micros(1_700_000_000_000_000)
    said = desk.sql("SELECT 1", format="Parquet").headers["X-Custody-Complete-To"]
    assert said == "2023-11-14T22:13:20Z"
    assert desk.ask("SELECT 1").headers["X-Custody-Complete-To"] == said
    url = f"http://127.0.0.1:{desk.port}"
    endpoint = Endpoint("warehouse", url, desk.config.token_file)
    client = Warehouse(endpoint)
    client.rows("SELECT 1")
    assert client.complete_to == said
    client.close()


def test_every_answer_says_of_each_site_up_to_when_it_is_complete(desk: Desk) -> None:
    at = 1_700_000_000_000_000
    desk.sites = {"PORT": Micros(at), "MINE, É=1": Micros(at - 7_200_000_000)}
    url = f"http://127.0.0.1:{desk.port}"
    with closing(Warehouse(Endpoint("warehouse", url, desk.config.token_file))) as client:
        client.rows("SELECT 1")
        assert list(client.complete_sites.items()) == [
            ("MINE, É=1", "2023-11-14T20:13:20Z"),
            ("PORT", "2023-11-14T22:13:20Z"),
        ]
        # Of more than a header holds the least complete ones.
        desk.sites |= {f"S-{no:03}": Micros(at + no) for no in range(2 * SITES_MAX)}
        client.rows("SELECT 1")
        assert len(client.complete_sites) == SITES_MAX
        assert list(client.complete_sites)[:3] == ["MINE, É=1", "PORT", "S-000"]
        desk.sites = {}
        client.rows("SELECT 1")
        assert client.complete_sites == {}


def test_the_token_is_made_once_for_its_owner_only(desk: Desk) -> None:
    path = desk.config.token_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make(path) == desk.token
    for wrong in ("x", desk.token + "x"):
        answer = desk.sql("SELECT 1", token=wrong)
        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/no-token"
        assert httpx.get(answer.url.join("/problems/no-token")).text.startswith("no-token\n")
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
        ("SELECT (1", 400, "understands"),
        ("SELECT number FROM numbers(100000)", 413, "at most 1,000 rows"),
        ("SELECT sum(cityHash64(number)) FROM numbers(100000000000)", 413, "at most 2 s"),
        (f"{ENDLESS} SETTINGS max_execution_time = 0.5", 413, "at most 0.5 s (max_execution_time)"),
        ("SELECT groupArray(number) FROM numbers(100000000)", 413, "at most 200 MiB"),
        ("SELECT * FROM zeros(3)", 403, "zeros"),
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
    running = desk.reader.start(Ask(statement="SELECT 1", role=Role.OPERATOR, query_id="long"))
    try:
        answer = desk.sql("SELECT 1")
    finally:
        running.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert desk.sql("SELECT 1").status_code == 200


def test_a_query_can_be_stopped_by_its_name(desk: Desk) -> None:
    answers = list[int]()
    asking = threading.Thread(target=lambda: answers.append(desk.sql(ENDLESS).status_code))
    asking.start()
    (name,) = desk.until(lambda: desk.http.get("/v1/queries", headers=desk.bearer()).json())
    analyst = desk.bearer(desk.analyst_token)
    assert desk.http.get("/v1/queries", headers=analyst).json() == []
    assert desk.http.delete(f"/v1/queries/{name}", headers=analyst).status_code == 404
    assert desk.http.delete(f"/v1/queries/{name}", headers=desk.bearer()).status_code == 204
    asking.join()
    assert answers == [400]
    assert desk.http.delete(f"/v1/queries/{name}", headers=desk.bearer()).status_code == 404
    assert desk.sql("SELECT 1").status_code == 200


def test_a_write_is_refused_by_the_engine_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.guard.check", lambda statement, _: guard.Checked(statement))
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
