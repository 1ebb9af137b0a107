"""The API: answers in order, one shape for errors, published schemas that agree with the models."""

import gzip
import json
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import jsonschema
import pytest

from custody.events import LotWeighed, Micros
from producers import json_schemas, refused_drop, store
from producers.config import GatewayConfig, HttpConfig
from producers.fields import plain
from producers.outcome import WARNINGS, Code
from producers.refused_share import records_limit_bytes
from producers.requests import MODELS
from producers.service import Gateway
from schemas import codec
from telemetry import metrics
from tests.support import gateway as support
from web.token import TokenUnreadable, load_or_make

TOKEN = "the-token-of-the-test"  # noqa: S105  it opens nothing
FOLDER = Path(__file__).parents[2] / "schemas" / "json"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with support.running(support.config(tmp_path), publish=False) as running:
        yield running


@contextmanager
def client_of(gateway: Gateway, limits: HttpConfig | None = None) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        support.serving(gateway, TOKEN, limits) as url,
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        yield client


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with client_of(gateway) as open_client:
        yield open_client


def request_of(stem: str, **changes: object) -> object:
    return plain({**support.golden(stem), **changes})


def assert_problem(response: httpx.Response, status: int, name: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert list(body) == ["type", "title", "status", "detail"]
    assert (body["type"], body["status"]) == (f"/problems/{name}", status)
    return body


def test_one_request_gets_one_result_and_a_list_one_each_in_order(client: httpx.Client) -> None:
    one = client.post("/v1/events", json=request_of("weighing"))
    assert one.status_code == 202
    assert one.json()["result"] == "accepted"
    many = client.post(
        "/v1/events", json=[{"type": "x"}, request_of("weighing"), request_of("lot")]
    )
    assert [item["result"] for item in many.json()] == ["refused", "duplicate", "accepted"]
    assert client.post("/v1/events", json=[]).json() == []


def test_a_process_names_its_parts(client: httpx.Client) -> None:
    answer = client.post("/v1/events", json=request_of("processing")).json()
    assert [part["part"] for part in answer["parts"]] == [
        "input",
        "output",
        "loss",
        "added",
        "close",
    ]
    assert [part["gateway_seq"] for part in answer["parts"]] == [1, 2, 3, 4, 5]


def test_options_are_understood_or_refused(client: httpx.Client) -> None:
    strict = client.post("/v1/events?strict_reference=true", json=request_of("weighing"))
    assert strict.json()["code"] == "unknown_reference"
    old = request_of("weighing", occurred_at="2015-01-01T00:00:00Z")
    assert client.post("/v1/events", json=old).json()["code"] == "too_old"
    assert client.post("/v1/events?backfill=true", json=old).json()["result"] == "accepted"
    atomic = client.post("/v1/events?atomic=true", json=[request_of("lot"), 1])
    assert [item["code"] for item in atomic.json()] == ["atomic_list", "bad_value"]
    assert_problem(client.post("/v1/events?atomic=perhaps", json=[]), 400, "bad-query")
    twice = client.post("/v1/events?atomic=true&atomic=false", json=[])
    assert_problem(twice, 400, "bad-query")
    assert "said more than once: atomic" in twice.json()["detail"]
    assert_problem(client.post("/v1/events?strict=true", json=[]), 400, "bad-query")


def test_the_type_of_a_problem_leads_to_what_it_means(client: httpx.Client) -> None:
    refused = client.get("/v1/events/x")
    text = client.get(refused.json()["type"], headers={"Authorization": ""})
    assert (text.status_code, text.text.split("\n")[0]) == (200, "bad-event-id")


def test_a_body_may_be_compressed(client: httpx.Client) -> None:
    body = gzip.compress(json.dumps(request_of("weighing")).encode())
    headers = {"Content-Encoding": "gzip"}
    sent = client.post("/v1/events", content=body, headers=headers)
    assert sent.json()["result"] == "accepted"
    assert_problem(client.post("/v1/events", content=body[:-9], headers=headers), 400, "bad-gzip")
    assert_problem(client.post("/v1/events", content=b"{}", headers=headers), 400, "bad-gzip")
    assert_problem(client.post("/v1/events", content=b"", headers=headers), 400, "bad-gzip")
    odd = client.post("/v1/events", content=b"", headers={"Content-Encoding": "br"})
    assert_problem(odd, 415, "unknown-encoding")


def test_a_compressed_body_may_have_members_within_the_same_limits(gateway: Gateway) -> None:
    """RFC 1952, 2.2: as from ``cat a.gz b.gz``, or a logger that flushes."""
    headers = {"Content-Encoding": "gzip"}
    text = json.dumps(request_of("weighing")).encode()
    pieces = [gzip.compress(text[at : at + 7]) for at in range(0, len(text), 7)]
    with client_of(gateway) as client:
        sent = client.post("/v1/events", content=b"".join(pieces), headers=headers)
        assert sent.json()["result"] == "accepted"
        for tail in (b"{}", b"\0" * 8, pieces[0][:-1]):
            cut = client.post("/v1/events", content=b"".join(pieces) + tail, headers=headers)
            assert_problem(cut, 400, "bad-gzip")
        many = client.post("/v1/events", content=gzip.compress(b" ") * 1_001, headers=headers)
        assert "1000 members" in str(assert_problem(many, 400, "bad-gzip")["detail"])
    with client_of(gateway, HttpConfig(body_bytes_max=1_000)) as small:
        bomb = gzip.compress(b" " * 600) * 2
        assert_problem(small.post("/v1/events", content=bomb, headers=headers), 413, "too-large")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "nothing to read"),
        (b"{", "ends too early, line 1, column 2"),
        (b"\xff\xff", "byte 1 is no text in UTF-8"),
        (b'{"a":NaN}', "NaN is no number of JSON"),
        (b"[" * 50_000, "more than 100 deep within each other, line 1, column 101"),
        (b"[" * 500 + b"]" * 500, "more than 100 deep within each other, line 1, column 101"),
        (b'{"a":' + b"1" * 5_000 + b"}", "a whole number of 5,000 digits, line 1, column 6"),
        (b'{"a":1e99999999999999999999}', "an exponent of 20 digits, line 1, column 6"),
        (b'[{}, {"net_kg": 1, "net_kg": 2}]', 'the field "net_kg" stands twice in 1'),
    ],
    ids=["empty", "cut", "bytes", "nan", "deep", "deep_list", "long", "exponent", "twice"],
)
def test_what_is_no_json_is_a_bad_request_that_says_where(
    client: httpx.Client, body: bytes, said: str
) -> None:
    problem = assert_problem(client.post("/v1/events", content=body), 400, "bad-json")
    assert said in str(problem["detail"])
    assert str(problem["detail"]).endswith("; nothing of it was taken")


def test_a_number_beyond_reason_is_refused_in_few_words(client: httpx.Client) -> None:
    text = json.dumps(request_of("weighing"))
    for number, found in (("1e308", "1E+308"), ("7" * 300, "77777777777777777777... (300 digits)")):
        sent = client.post("/v1/events", content=text.replace("45000", number)).json()
        assert (sent["code"], sent["field"], sent["found"]) == ("not_a_number", "gross_kg", found)
        assert "1e-30 to 1e30" in sent["allowed"]


def test_without_the_token_nothing_is_taken_or_told(gateway: Gateway) -> None:
    with client_of(gateway) as stranger:
        for given in ("", "Bearer other", f"Basic {TOKEN}", "Bearer \u00e9"):
            headers = {b"Authorization": given.encode()}
            posted = stranger.post("/v1/events", json=request_of("lot"), headers=headers)
            assert_problem(posted, 401, "no-token")
            assert posted.headers["www-authenticate"] == "Bearer"
            assert_problem(stranger.get("/v1/events/x", headers=headers), 401, "no-token")
    assert gateway.outbox.depth <= 1, "a head at most"


def test_what_is_too_large_is_refused_before_it_is_read_whole(gateway: Gateway) -> None:
    limits = HttpConfig(body_bytes_max=1_000, items_max=3)
    bomb = gzip.compress(b" " * 500_000)
    assert len(bomb) < 1_000
    with client_of(gateway, limits) as small:
        assert_problem(small.post("/v1/events", content=b" " * 1_001), 413, "too-large")
        packed = small.post("/v1/events", content=bomb, headers={"Content-Encoding": "gzip"})
        assert_problem(packed, 413, "too-large")
        assert_problem(small.post("/v1/events", json=[1, 2, 3, 4]), 413, "too-many-items")


def test_a_sender_that_is_too_fast_is_asked_to_wait(gateway: Gateway) -> None:
    with client_of(gateway, HttpConfig(rate_per_s=0.01, rate_burst=2)) as slow:
        assert slow.post("/v1/events", json=[1, 2]).status_code == 202
        refused = slow.post("/v1/events", json=[1])
    assert_problem(refused, 429, "rate-limit")
    assert int(refused.headers["retry-after"]) >= 1


def test_an_outbox_that_takes_nothing_says_when_to_come_back(tmp_path: Path) -> None:
    given = support.config(tmp_path)
    full: GatewayConfig = replace(given, outbox=replace(given.outbox, bytes_max=1))
    with support.running(full, publish=False) as gateway, client_of(gateway) as client:
        refused = client.post("/v1/events", json=request_of("lot"))
        detail = str(assert_problem(refused, 503, "outbox-closed")["detail"])
        assert "\n" not in detail
        assert detail.endswith("nothing of it was taken, send it again later")
        assert refused.headers["retry-after"] == "5"
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "failing")


def test_what_is_refused_without_room_to_keep_it_is_answered_so_and_counted(
    tmp_path: Path,
) -> None:
    given = support.config(tmp_path)
    small: GatewayConfig = replace(given, outbox=replace(given.outbox, bytes_max=1_000_000))
    with support.running(small, publish=False) as gateway, client_of(gateway) as client:
        long = {"type": "x", "note": "7" * 60_000}
        answers = client.post("/v1/events", json=[long, long, request_of("lot")]).json()
        assert [item.get("kept") for item in answers] == [None, False, None]
        assert [item["result"] for item in answers] == ["refused", "refused", "accepted"]
        found = client.get("/health").json()
        assert (found["status"], found["refused_full"]) == ("ok", True)
        assert (found["refused_unkept"], found["refused_bytes_max"]) == (1, 100_000)
        assert "custody refused drop" in found["warning"]
        metrics = client.get("/metrics").text
        assert "custody_refused_unkept_requests_total 1.0" in metrics
        assert f"custody_refused_kept_bytes {found['refused_bytes']}" in metrics
        # Another process makes room, and nobody sends anything.
        refused_drop.drop(given.outbox.directory, refused_drop.Choice())
        found = client.get("/health").json()
        assert (found["refused_bytes"], found["refused_full"], found["warning"]) == (0, False, "")
        assert "custody_refused_kept_bytes 0.0" in client.get("/metrics").text


def test_the_framework_speaks_in_the_same_shape(client: httpx.Client) -> None:
    assert_problem(client.get("/nowhere"), 404, "not-found")
    assert_problem(client.put("/v1/events"), 405, "method-not-allowed")
    assert_problem(client.get("/v1/events/7"), 400, "bad-event-id")
    unknown = client.get("/v1/events/00000000-0000-8000-8000-000000000000")
    assert_problem(unknown, 404, "unknown-event")
    assert_problem(client.get("/schemas/nothing.json"), 404, "unknown-schema")
    assert_problem(client.get("/schemas/..%2Froutes.py"), 404, "not-found")


def test_the_way_of_an_event_is_told_by_its_id(client: httpx.Client) -> None:
    taken = client.post("/v1/events", json=request_of("weighing")).json()
    way = client.get(f"/v1/events/{taken['event_id'].upper()}").json()
    assert (way["event_id"], way["state"]) == (taken["event_id"], "waiting")
    (record,) = way["records"]
    assert record["topic"] == "custody.fact.v1"
    assert record["gateway_seq"] == taken["gateway_seq"]
    assert record["published_at"] is None


def test_refused_requests_are_kept_with_body_and_reason(
    client: httpx.Client, gateway: Gateway
) -> None:
    client.post("/v1/events", content=b'[{"type": "weighing", "net_kg": "\\ud800"}, {"type": "x"}]')
    kept = gateway.outbox.refused(Micros(0), 10)
    assert [(row.code, row.sender) for row in kept] == [
        ("missing_field", "operator@127.0.0.1"),
        ("unknown_type", "operator@127.0.0.1"),
    ]
    assert json.loads(kept[0].body) == {"type": "weighing", "net_kg": "\ud800"}


def test_health_and_figures_tell_what_happened(client: httpx.Client) -> None:
    client.post("/v1/events", json=[request_of("lot"), request_of("lot"), {"type": "x"}])
    health = client.get("/health")
    assert health.status_code == 200
    # No broker is there: nothing has been heard of it yet, or that nobody answers.
    assert health.json()["broker"] in {"unknown", "away"}
    text = client.get("/metrics").text
    assert 'custody_accepted_events_total{stem="lot"} 1.0' in text
    assert 'custody_duplicate_requests_total{stem="lot"} 1.0' in text
    assert 'custody_refused_requests_total{code="unknown_type"} 1.0' in text


def test_every_refusal_code_is_a_label_of_the_metric() -> None:
    assert set(metrics.REFUSALS) == {code.value for code in Code}


@pytest.mark.parametrize("stem", MODELS)
def test_published_schemas_are_frozen_and_true(client: httpx.Client, stem: str) -> None:
    """A change here is a change of the public API: python -m producers.json_schemas shows it."""
    stored = (FOLDER / f"request-{stem}.json").read_text()
    assert stored == json_schemas.text(json_schemas.request_schema(stem))
    answer = client.get(f"/schemas/request-{stem}.json")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(request_of(stem))


def test_the_description_holds_every_request_and_answer(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    post = described["paths"]["/v1/events"]["post"]
    one = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]["oneOf"]
    names = [ref["$ref"].rpartition("/")[2] for ref in one]
    assert names == [model.__name__ for model in MODELS.values()]
    assert set(names) <= set(described["components"]["schemas"])
    assert set(post["responses"]) == {
        "202", "400", "401", "403", "408", "413", "415", "429", "503",
    }  # fmt: skip
    get = described["paths"]["/v1/events/{event_id}"]["get"]
    assert set(get["responses"]) == {"200", "400", "401", "404"}
    assert get["security"] == post["security"] == [{"token": []}]
    assert {parameter["name"] for parameter in post["parameters"]} == {
        "strict_reference",
        "atomic",
        "backfill",
    }


def test_the_token_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make(path) == token
    assert len(token) >= 43
    path.chmod(0o644)
    with pytest.raises(TokenUnreadable):
        load_or_make(path)


def test_codes_and_warnings_are_documented_in_order_of_precedence() -> None:
    page = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text()
    reasons = page.partition("## Reasons to refuse")[2].partition("\n## ")[0]
    rows = [line.split("`")[1] for line in reasons.splitlines() if line.startswith("| `")]
    assert rows == [code.value for code in Code]
    remarks = page.partition("## Remarks")[2].partition("\n## ")[0]
    names = [line.split(" | ")[0] for line in remarks.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(names))) == sorted(WARNINGS)


def test_the_documented_way_to_put_a_wrong_lot_right_is_taken_whole(client: httpx.Client) -> None:
    page = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text()
    block = page.partition("**A wrong lot**")[2].partition("```json")[2].partition("```")[0]
    wrong = client.post("/v1/events", json=request_of("weighing")).json()["event_id"]
    body = block.replace("WRONG_EVENT_ID", wrong)
    answers = client.post("/v1/events?atomic=true", content=body).json()
    assert [item["result"] for item in answers] == ["accepted", "accepted"]
    codes = {warning["code"] for item in answers for warning in item["warnings"]}
    assert codes == {"unknown_site", "unknown_device"}
    again = client.post("/v1/events?atomic=true", content=body).json()
    assert [item["result"] for item in again] == ["duplicate", "duplicate"]
    broken = body.replace("L-24-0118", "")
    refused = client.post("/v1/events?atomic=true", content=broken).json()
    assert [item["code"] for item in refused] == ["atomic_list", "missing_field"]


def test_the_skew_of_a_senders_clock_is_measured_by_his_date_header(
    gateway: Gateway, client: httpx.Client
) -> None:
    date = {"Date": "Thu, 05 Nov 2020 07:12:00 GMT"}
    assert client.post("/v1/events", json=request_of("weighing"), headers=date).status_code == 202
    reader = store.connect(gateway.outbox.path, read_only=True)
    (entry,) = [e for e in store.read_entries(reader, 0, 9) if e.stem == "weighing"]
    reader.close()
    record = codec.decode("weighing", entry.body)
    assert isinstance(record, LotWeighed)
    sent = Micros(1_604_560_320_000_000)
    # Measured just before the time of the record was given.
    assert record.clock_skew_ms is not None
    assert 0 <= record.clock_skew_ms - (sent - record.recorded_at) / 1000 < 60_000


def test_health_says_how_full_the_outbox_is_before_it_is(tmp_path: Path) -> None:
    given = support.config(tmp_path)
    with support.running(given, publish=False) as gateway:
        used = gateway.outbox.room.used_bytes
    nearly: GatewayConfig = replace(given, outbox=replace(given.outbox, bytes_max=used * 4 // 3))
    with support.running(nearly, publish=False) as gateway, client_of(gateway) as client:
        assert client.post("/v1/events", json=request_of("lot")).status_code == 202
        health = client.get("/health")
        figures = client.get("/metrics").text
    assert (health.status_code, health.json()["outbox_filling"]) == (200, True)
    assert 0.8 <= health.json()["outbox_used_share"] <= 1
    assert f"custody_outbox_limit_bytes {float(records_limit_bytes(used * 4 // 3))}" in figures
    assert f"custody_outbox_used_bytes {float(used)}" in figures
