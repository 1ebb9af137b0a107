"""The gateway's pages: what they may load, what they say, and that they fit the API."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from producers import report
from producers.gateway import WAYS
from producers.judge import parse
from producers.outcome import WARNINGS, Code, Refusal
from producers.pages_http import HEADERS, page_files
from producers.requests import MODELS
from producers.service import Gateway
from tests.support import gateway as support

TOKEN = "the-token-of-the-test"  # noqa: S105  it opens nothing
PAGES = Path(__file__).parents[2] / "producers" / "pages"
FORMS: dict[str, Any] = json.loads((PAGES / "forms.json").read_text("utf-8"))
LANGUAGES = sorted((PAGES / "words").glob("*.json"))
SCRIPTS = sorted(PAGES.glob("*.js"))
MARKUP = sorted(PAGES.glob("*.html"))
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with support.running(support.config(tmp_path), publish=False) as running:
        yield running


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with support.serving(gateway, TOKEN) as url, httpx.Client(base_url=url) as open_client:
        yield open_client


def words(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found


def names(form: dict[str, Any]) -> list[str]:
    return [field["name"] for field in form["fields"] if field["kind"] != "unit"]


class Outline(HTMLParser):
    """What a page consists of; fails where a tag is not closed or closed twice."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, (tag, self.getpos())


def test_pages_are_served_with_a_policy_that_runs_no_script_but_ours(client: httpx.Client) -> None:
    files = client.get("/pages/files.json").json()
    assert "form.js" in files
    assert "words/fr.json" in files
    for path in ["/form", "/status", *(f"/pages/{name}" for name in files)]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (path, name)
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not re.search(r"https?:|\*", policy)


def test_the_address_alone_leads_to_the_status_page(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/status")


def test_a_file_that_is_known_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/pages/form.js")
    again = client.get("/pages/form.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["../http.py", "..%2fhttp.py", "words", "words/", "nothing.js", ""]
)
def test_nothing_but_the_files_of_the_pages_is_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/pages/{name}").status_code == 404


@pytest.mark.parametrize("path", MARKUP, ids=lambda p: p.name)
def test_a_page_is_whole_and_its_parts_are_labelled(path: Path) -> None:
    text = path.read_text("utf-8")
    outline = Outline(text)
    attributes = [attrs for _, attrs in outline.tags]
    ids = [attrs["id"] for attrs in attributes if "id" in attrs]
    assert len(ids) == len(set(ids))
    known = words(PAGES / "words/en.json")
    for tag, attrs in outline.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        assert tag not in {"style", "iframe", "object", "base"}
        for name in ("for", "aria-labelledby"):
            assert attrs.get(name) in {None, *ids}
        assert attrs.get("data-say") in {None, *known}
        for name in ("src", "href"):
            target = attrs.get(name)
            if target is not None and target.startswith("/pages/"):
                assert (PAGES / target.removeprefix("/pages/")).is_file()
            else:
                assert target in {None, "/form", "/status", "/health"}
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", text, flags=re.DOTALL)
    assert scripts
    assert not [body for _, body in scripts if body], "a script in the page"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_no_script_writes_markup_or_asks_another_host(path: Path) -> None:
    text = path.read_text("utf-8")
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"
        r"|setAttribute\(\"on|javascript:|https?://"
    )
    assert not re.findall(forbidden, text)
    assert '"use strict"' in text


def test_every_script_is_asked_for_by_a_page_or_is_the_offline_worker() -> None:
    asked = set(re.findall(r"/pages/(\w+\.js)", "".join(p.read_text("utf-8") for p in MARKUP)))
    assert {path.name for path in SCRIPTS} == asked | {"offline.js"}


def test_the_files_of_the_pages_are_all_of_them() -> None:
    on_disk = {p.relative_to(PAGES).as_posix() for p in PAGES.rglob("*") if p.is_file()}
    assert set(page_files()) == on_disk | {"files.json"}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda p: p.stem)
def test_a_language_says_all_that_english_says_with_the_same_values(path: Path) -> None:
    english, other = words(PAGES / "words/en.json"), words(path)
    assert list(other) == list(english)
    for name, text in english.items():
        values = sorted(re.findall(r"\{\w+\}", text))
        assert sorted(re.findall(r"\{\w+\}", other[name])) == values, name
        assert other[name].strip()


def test_every_language_can_be_chosen() -> None:
    listed = re.findall(r"^    (\w\w): \"", (PAGES / "words.js").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == [path.stem for path in LANGUAGES]


def test_every_reason_and_remark_of_the_gateway_has_words() -> None:
    english = words(PAGES / "words/en.json")
    spoken = {name.partition(".")[2] for name in english if name.startswith("refused.")}
    assert spoken - {"any", "found", "allowed"} == {code.value for code in Code}
    told = {name.partition(".")[2] for name in english if name.startswith("warning.")}
    assert told == set(WARNINGS)
    types = {name.partition(".")[2] for name in english if name.startswith("type.")}
    assert types == {*MODELS, "unknown"}


def test_every_field_and_choice_of_the_forms_has_words() -> None:
    english = words(PAGES / "words/en.json")
    for name, form in FORMS.items():
        assert f"form.{name}" in english
        for field in form["fields"]:
            assert f"field.{field['name']}" in english
            label = "unit" if field["kind"] == "unit" else "choice"
            assert not [one for one in field.get("of", ()) if f"{label}.{one}" not in english]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_form_has_the_fields_that_its_request_needs_and_no_others(form: dict[str, Any]) -> None:
    schema = MODELS[form["type"]].model_json_schema()
    fixed = form.get("fixed", {})
    known, needed = schema["properties"], set(schema["required"]) - {"type"}
    top = [name.split(".")[0] for name in names(form)]
    assert set(top) | set(fixed) <= set(known)
    always = {
        field["name"].split(".")[0]
        for field in form["fields"]
        if field.get("required") and (field.get("nullable") or "optional_when" not in field)
    }
    assert needed <= always | set(fixed)
    # Without its natural key a request would be refused, or have an id that no repeat has.
    way = WAYS[form["type"]]
    key = _key(form["type"]) - way.optional
    assert key <= always | set(fixed)


def _key(stem: str) -> set[str]:
    request = parse(support.golden(stem))
    assert not isinstance(request, Refusal)
    return set(WAYS[stem].key(request))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_choice_offers_what_the_request_takes(form: dict[str, Any]) -> None:
    properties = MODELS[form["type"]].model_json_schema()["properties"]
    kinds = {"text", "choice", "list", "time", "unit", "mass", "percent", "origin"}
    for field in form["fields"]:
        assert field["kind"] in kinds
        schema = properties.get(field["name"].split(".")[0], {})
        allowed = schema.get("enum") or [
            name for one in schema.get("anyOf", ()) for name in one.get("enum", ())
        ]
        assert (field["kind"] == "choice") == bool(allowed), field["name"]
        if allowed and field["name"] != "kind":
            assert field["of"] == allowed
        if field["kind"] == "list":
            assert schema["type"] == "array"


def test_the_two_forms_of_a_shipment_cover_all_its_kinds_once() -> None:
    offered = [FORMS["handover"]["fixed"]["kind"]]
    offered += next(field["of"] for field in FORMS["seal"]["fields"] if field["name"] == "kind")
    kinds = MODELS["shipment"].model_json_schema()["properties"]["kind"]["enum"]
    assert sorted(offered) == sorted(kinds)


def test_what_was_refused_is_told_newest_first_to_who_has_the_token(client: httpx.Client) -> None:
    hostile = {"type": "weighing", "lot_id": "<script>alert(1)</script>", "ticket_no": "T\ud800"}
    body = json.dumps([{"type": "x"}, hostile])
    client.post("/v1/events", content=body, headers=BEARER)
    assert client.get("/v1/refused").status_code == 401
    found = client.get("/v1/refused?limit=5", headers=BEARER).json()
    assert [(row["type"], row["code"]) for row in found] == [
        ("weighing", "missing_field"),
        ("unknown", "unknown_type"),
    ]
    assert found[0]["lot_id"] == "<script>alert(1)</script>"
    assert found[0]["number"] == "T\\ud800"
    assert found[0]["allowed"], "what would be needed"
    assert "body" not in found[0]
    assert len(client.get("/v1/refused?limit=1", headers=BEARER).json()) == 1


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "x", "", "9" * 50, "٣", ["2", "3"], ["2", "2"]]
)
def test_a_limit_out_of_bounds_or_said_twice_is_a_bad_request(
    client: httpx.Client, limit: str | list[str]
) -> None:
    answer = client.get("/v1/refused", params={"limit": limit}, headers=BEARER)
    assert answer.status_code == 400


def test_who_may_see_some_sites_sees_what_was_refused_of_them_alone(gateway: Gateway) -> None:
    with support.serving(gateway, TOKEN) as url:
        for site in ("A", "B", "A"):
            raw = {"type": "weighing", "site_id": site}
            httpx.post(f"{url}/v1/events", json=raw, headers=BEARER)
        httpx.post(f"{url}/v1/events", json=[7], headers=BEARER)
    assert [row["site_id"] for row in gateway.refused_lately(9, {"A"})] == ["A", "A"]
    assert [row["site_id"] for row in gateway.refused_lately(9, ())] == [None, "A", "B", "A"]


def test_health_tells_room_numbers_and_the_last_day(client: httpx.Client) -> None:
    ticket = {**support.ticket(1), "gross_kg": 45000, "tare_kg": 15000, "net_kg": 30000}
    client.post("/v1/events", json=[ticket, ticket, {"type": "x"}], headers=BEARER)
    health = client.get("/health").json()
    assert health["accepting"] is True
    assert health["gateway_seq"] == 1
    assert 0 < health["outbox_bytes"] < health["outbox_bytes_max"]
    assert health["disk_free_bytes"] > health["disk_free_bytes_min"]
    assert health["broker_since"] is None
    day = health["last_day"]
    assert (day["accepted"], day["duplicate"]) == ({"weighing": 1}, {"weighing": 1})
    assert day["refused"] == {"unknown": 1}
    assert day["since"] <= health["now"]


def test_a_disk_that_cannot_be_read_leaves_the_figures_out(tmp_path: Path) -> None:
    assert report.room(tmp_path / "nowhere" / "outbox.sqlite3") == report.Room()
    (tmp_path / "outbox.sqlite3").write_bytes(b"no database " * 100)
    assert report.room(tmp_path / "outbox.sqlite3") == report.Room()
