"""ClickHouse's HTTP protocol against the embedded engine, by the clients that people use."""

import asyncio
import base64
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import clickhouse_connect
import httpx
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from console.native import framed
from console.reach import denied_name
from console.who import Role
from tests.support.desk import ENDLESS, Desk, config_at, open_desk

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MANY = 300_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    config = replace(config_at(tmp_path_factory.mktemp("protocol")), query_timeout_s=20.0)
    with open_desk(config) as made:
        yield made


def connected(desk: Desk, *, compress: str | bool = True) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1",
        port=desk.port,
        username="analyst",
        password=desk.analyst_token,
        query_retries=0,
        compress=compress,
    )


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    made = connected(desk)
    yield made
    made.close()


def test_clickhouse_connect_reads_rows_frames_and_arrow(client: Client) -> None:
    query = "SELECT number AS n, toString(number) AS s FROM numbers(3)"
    assert client.query(query).result_rows == [(0, "0"), (1, "1"), (2, "2")]
    assert client.query_df(query)["n"].sum() == 3
    assert client.query_arrow(query).to_pydict() == {"n": [0, 1, 2], "s": ["0", "1", "2"]}
    assert client.command("SELECT 5") == 5
    assert client.raw_query(query, fmt="CSVWithNames").startswith(b'"n","s"\n0,"0"\n')
    assert client.query("SELECT 1 AS a LIMIT 0").column_names == ("a",)
    assert client.query_arrow("SELECT 1 AS a WHERE 0").schema.names == ["a"]
    shown = client.query("SHOW TABLES LIKE 'v_alerts'").result_rows
    assert shown == [("v_alerts",)]


def test_clickhouse_connect_streams(client: Client) -> None:
    query = f"SELECT number FROM numbers({MANY})"  # noqa: S608
    with client.query_row_block_stream(query) as rows:
        assert sum(len(block) for block in rows) == MANY
    with client.query_arrow_stream(query) as batches:
        assert sum(batch.num_rows for batch in batches) == MANY
    with client.query_df_stream(query) as frames:
        assert sum(len(frame) for frame in frames) == MANY


def test_parameters_keep_every_character(client: Client) -> None:
    values = {"a": "it's 100\t%\n\\", "b": [1, 2], "c": None}
    found = client.query(
        "SELECT {a:String}, {b:Array(Int64)}, {c:Nullable(String)}", parameters=values
    )
    assert found.result_rows == [(values["a"], [1, 2], None)]


def test_the_asynchronous_client_asks_many_at_once(desk: Desk) -> None:
    async def ask() -> list[object]:
        client = await clickhouse_connect.get_async_client(
            host="127.0.0.1", port=desk.port, username="operator", password=desk.token
        )
        try:
            query = "SELECT count() FROM weighing"
            found = await asyncio.gather(*(client.query(query) for _ in range(5)))
            arrow = await client.query_arrow("SELECT 1 AS a")
            return [*(f.result_rows for f in found), arrow.num_rows]
        finally:
            await client.close()

    assert asyncio.run(ask()) == [[(0,)]] * 5 + [1]


@pytest.mark.parametrize("codec", ["lz4", "zstd", "gzip", False])
def test_answers_are_packed_as_asked(desk: Desk, codec: str | bool) -> None:  # noqa: FBT001
    client = connected(desk, compress=codec)
    found = client.query(f"SELECT number FROM numbers({MANY})").result_columns  # noqa: S608
    assert len(found[0]) == MANY
    client.close()
    headers = desk.bearer() | {"Accept-Encoding": str(codec or "identity")}
    params = {"query": "SELECT 1", "enable_http_compression": "1"}
    with desk.http.stream("GET", "/", params=params, headers=headers) as answer:
        assert answer.headers.get("content-encoding", False) == codec


def test_limits_are_capped_and_other_settings_refused(desk: Desk, client: Client) -> None:
    asked = {"max_threads": 64, "max_execution_time": 5, "output_format_json_quote_decimals": 1}
    query = "SELECT getSetting('max_threads'), getSetting('max_execution_time'), timezone()"
    assert client.query(query, settings=asked).result_rows == [(1, 5, "UTC")]
    in_text = "SELECT getSetting('max_threads') AS n SETTINGS max_threads = 64"
    assert client.query(in_text).result_rows == [(1,)]
    refused = desk.ask("SELECT 1", output_format_schema="x")
    assert (refused.status_code, refused.headers["x-clickhouse-exception-code"]) == (400, "452")
    assert "output_format_schema" in refused.text
    assert desk.ask("SELECT 1", join_use_nulls="1").status_code == 400
    assert desk.ask("SELECT 1", join_use_nulls="0").text == "1\n"
    assert desk.ask("SELECT 1", readonly="0", max_threads="0").text == "1\n"


@pytest.mark.parametrize(
    ("statement", "status", "code", "text"),
    [
        ("SELECT nonsense", 400, 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT * FROM v_nothing", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT (1", 400, 62, "SYNTAX_ERROR"),
        ("DROP TABLE lot", 403, 497, "ACCESS_DENIED"),
        ("SELECT * FROM weighing", 403, 497, "at line 1, column 15"),
        ("SELECT * FROM numbers(10) FORMAT Avro", 403, 497, "Avro"),
        ("SELECT groupArray(toString(number)) FROM numbers(100000000)", 500, 241, "MEMORY"),
    ],
)
def test_errors_are_clickhouses(
    desk: Desk, statement: str, status: int, code: int, text: str
) -> None:
    answer = desk.ask(statement, desk.analyst_token)
    found = answer.headers["x-clickhouse-exception-code"]
    assert (answer.status_code, found) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert text in answer.text


def test_an_error_behind_rows_reaches_the_client(desk: Desk, client: Client) -> None:
    # The engine meets it after some hundred thousand rows have left.
    query = f"SELECT number, number, intDiv(1, number - {MANY * 2}) FROM numbers({MANY * 3})"  # noqa: S608
    with (
        pytest.raises(DatabaseError, match="Division by zero"),
        client.query_row_block_stream(query) as rows,
    ):
        for _ in rows:
            pass
    answer = desk.ask(query, default_format="TSV")
    tag = answer.headers["x-clickhouse-exception-tag"]
    assert answer.status_code == 200
    assert answer.text.endswith(f"{tag}\r\n__exception__\r\n")
    assert "Code: 153." in answer.text[-1000:]


def test_who_may_ask(desk: Desk) -> None:
    query = {"query": "SELECT currentDatabase()"}

    def basic(user: str, token: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}

    keys = {"X-ClickHouse-User": "analyst", "X-ClickHouse-Key": desk.analyst_token}
    good = [
        desk.bearer(),
        desk.bearer(desk.analyst_token),
        basic("operator", desk.token),
        basic("default", desk.analyst_token),
        keys,
    ]
    for headers in good:
        assert desk.http.get("/", params=query, headers=headers).text == "custody\n"
    named = {**query, "user": "analyst", "password": desk.analyst_token}
    assert desk.http.get("/", params=named).status_code == 200
    bad = [
        {},
        desk.bearer("x"),
        basic("operator", desk.analyst_token),
        {"Authorization": "Basic !"},
        keys | {"X-ClickHouse-User": "operator"},
    ]
    for headers in bad:
        answer = desk.http.get("/", params=query, headers=headers)
        assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (403, "516")
    assert desk.http.get("/ping").text == desk.http.get("/").text == "Ok.\n"


def test_a_statement_may_stand_in_the_address_the_body_or_both(desk: Desk) -> None:
    get = desk.http.get("/", params={"query": "SELECT 1 FORMAT CSV"}, headers=desk.bearer())
    both = desk.ask("+ 1", query="SELECT 1", query_id="my-id", database="default")
    assert (get.text, both.text) == ("1\n", "2\n")
    headers = both.headers
    assert headers["x-clickhouse-query-id"] == "my-id"
    assert headers["x-clickhouse-format"] == "TabSeparated"
    assert headers["x-clickhouse-timezone"] == "UTC"
    assert headers["x-clickhouse-summary"] == '{"result_rows": "1", "result_bytes": "2"}'
    assert desk.ask("SELECT 1", default_format="JSONCompact").json()["data"] == [[1]]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"database": "system"}, "497"),
        ({"query_id": "a b"}, "36"),
        ({"compress": "1"}, "48"),
        ({"decompress": "1"}, "48"),
        ({"max_threads": "many"}, "452"),
        ({"default_format": "Avro"}, "497"),
    ],
)
def test_what_is_not_spoken_is_said(desk: Desk, params: dict[str, str], code: str) -> None:
    answer = desk.ask("SELECT 1", **params)
    assert answer.headers["x-clickhouse-exception-code"] == code
    assert answer.status_code >= 400


@pytest.mark.parametrize(
    "query_id", ["a\r\nX-More: y", "a\nb", "a\0b", "\u4e2d", "\u00e9", "a'b", "x" * 101], ids=ascii
)
def test_a_query_id_that_is_none_is_never_sent_back(desk: Desk, query_id: str) -> None:
    """It stood in a header unlooked at: the connection closed without an answer."""
    params = {"query": "SELECT 1", "query_id": query_id}
    nobody = desk.http.get("/", params=params)
    assert (nobody.status_code, nobody.headers["x-clickhouse-exception-code"]) == (403, "516")
    for statement in ("SELECT 1", "KILL QUERY WHERE query_id = 'x'"):
        answer = desk.ask(statement, query_id=query_id)
        assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (400, "36")
        assert "at most 100" in answer.text
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-clickhouse-query-id"])


def test_form_fields_and_packed_statements_are_refused(desk: Desk) -> None:
    form = desk.http.post("/", files={"query": (None, "SELECT 1")}, headers=desk.bearer())
    packed = desk.http.post(
        "/", content=b"x", headers={**desk.bearer(), "Content-Encoding": "gzip"}
    )
    assert {form.status_code, packed.status_code} == {501}
    assert desk.http.post("/", content=b"\xff", headers=desk.bearer()).status_code == 400


def test_kill_query_stops_it(desk: Desk) -> None:
    answers = list[httpx.Response]()
    asking = threading.Thread(
        target=lambda: answers.append(desk.ask(ENDLESS, desk.analyst_token, query_id="slow"))
    )
    asking.start()
    desk.until(lambda: desk.reader.running(Role.OPERATOR))
    again = desk.ask("SELECT 1", query_id="slow")
    assert again.headers["x-clickhouse-exception-code"] == "216"
    killed = desk.ask("KILL QUERY WHERE query_id = 'slow'").text
    assert killed in {"finished\tslow\n", "waiting\tslow\n"}
    asking.join()
    assert answers[0].headers["x-clickhouse-exception-code"] == "394"
    assert desk.ask("KILL QUERY WHERE query_id = 'slow'").text == "not found\tslow\n"


def test_a_query_ends_with_its_client(desk: Desk) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"http://127.0.0.1:{desk.port}/",
            content=ENDLESS,
            headers=desk.bearer(),
            timeout=httpx.Timeout(10.0, read=0.5),
            trust_env=False,
        )
    desk.until(lambda: not desk.reader.running(Role.OPERATOR))
    busy = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum(cityHash64%'"
    assert desk.ask(busy).text == "0\n"


def test_grafana_gets_blocks_of_its_revision(desk: Desk) -> None:
    """clickhouse-go, which Grafana's data source is built on, asks like this."""
    query = (
        "SELECT number AS n, toString(number) AS s, toLowCardinality(s) AS l, [s, s] AS a,"
        " map(s, n) AS m, (n, s) AS t, toNullable(n) AS x FROM numbers(3)"
    )
    params = {"default_format": "Native", "enable_http_compression": "1", "max_execution_time": "9"}
    old = desk.ask(query, **params)
    new = desk.ask(query, **params, client_protocol_version="54460")
    assert new.content == framed(old.content)
    assert new.content.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x07\x03\x01n\x06UInt64\x00")
    odd = "SELECT CAST('{\"a\":1}', 'JSON') AS j FORMAT Native"
    refused = desk.ask(odd, client_protocol_version="54460")
    assert (refused.status_code, "toJSONString" in refused.text) == (501, True)


def test_settings_say_which_may_be_set(desk: Desk) -> None:
    said = desk.ask(
        "SELECT name FROM system.settings WHERE NOT readonly AND name IN"
        " ('max_threads', 'readonly', 'output_format_schema', 'format_schema', 'final')"
        " ORDER BY name"
    )
    assert said.text.split() == ["final", "max_threads", "readonly"]


def test_an_analyst_is_shown_no_table_that_is_not_for_analysts(desk: Desk) -> None:
    for statement in (
        "SHOW TABLES",
        "SELECT name FROM system.tables WHERE database = 'custody'",
        "SELECT DISTINCT table FROM system.columns WHERE database = 'custody'",
    ):
        shown = set(desk.ask(statement, desk.analyst_token).text.split())
        assert {"v_alerts", "v_lots", "events_all"} <= shown
        assert {name for name in shown if not name.startswith("v_")} == {"events_all"}
        assert "weighing" in desk.ask(statement).text.split(), "the operator reads all"


def test_a_name_that_is_none_says_where_names_are_listed(desk: Desk) -> None:
    for statement, said in (
        ("SELECT lot FROM v_alerts", "v_columns"),
        ("SELECT * FROM v_alert", "custody.v_alerts"),
        ("SELECT * FROM weighings", "v_weighings"),
    ):
        assert said in desk.ask(statement, desk.analyst_token).text


def test_an_analyst_is_not_shown_where_files_are(desk: Desk) -> None:
    for table in ("databases", "tables"):
        shown = desk.ask(f"SELECT * FROM system.{table} FORMAT TSV", desk.analyst_token)  # noqa: S608
        assert shown.status_code == 200
        assert str(desk.config.token_file.parent.parent) not in shown.text
        assert (
            str(desk.config.token_file.parent.parent)
            in desk.ask(f"SELECT * FROM system.{table} FORMAT TSV").text  # noqa: S608
        )


def test_a_server_is_asked_in_the_same_way(desk: Desk, tmp_path: Path) -> None:
    """The door before a server, here before another door that speaks as one."""
    address = f"http://operator:{desk.token}@127.0.0.1:{desk.port}"
    front = Desk(replace(config_at(tmp_path), warehouse=address), desk.warehouse)
    with front.server:
        assert front.ask("SELECT {x:String}", param_x="it\\'s").text == "it\\'s\n"
        wide = front.ask(f"SELECT number FROM numbers({MANY}) FORMAT ArrowStream")  # noqa: S608
        assert pa.ipc.open_stream(wide.content).read_all().num_rows == MANY
        assert front.ask("SELECT nonsense").headers["x-clickhouse-exception-code"] == "47"
        asking = threading.Thread(target=lambda: front.ask(ENDLESS, query_id="far"))
        asking.start()
        desk.until(lambda: "far" in desk.reader.running(Role.OPERATOR))
        killed = front.ask("KILL QUERY WHERE query_id = 'far'").text
        assert killed in {"finished\tfar\n", "waiting\tfar\n"}
        asking.join()
    front.close()


def test_no_column_of_ours_has_the_name_of_a_refused_function(desk: Desk) -> None:
    rows = desk.warehouse.rows("SELECT name FROM system.columns WHERE database = 'custody'")
    names = {part for (name,) in rows for part in str(name).split(".")}
    assert names
    assert [name for name in names if denied_name(name)] == []


def test_the_line_of_the_docs_is_answered(desk: Desk) -> None:
    page = Path("docs/warehouse.md").read_text()
    line = page.partition("## SQL over HTTP")[2].split("```")[1].strip()
    home = str(desk.config.token_file.parent)
    line = line.replace(".custody/sink", home).replace(":8420", f":{desk.port}")
    asked = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert asked.stdout == '"account","mass_dry_g"\n'
