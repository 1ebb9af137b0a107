"""The scripts of the form: numbers as typed, requests that the gateway takes, nothing lost."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.events import Micros
from producers.fields import plain
from producers.judge import accept
from producers.outcome import Accepted, Code
from producers.requests import MODELS
from producers.service import Options
from tests.support import gateway as support
from tests.support.script import PAGES, Engine

FORMS: dict[str, Any] = json.loads((PAGES / "forms.json").read_text("utf-8"))
ENGLISH: dict[str, str] = json.loads((PAGES / "words/en.json").read_text("utf-8"))
AT = "2026-11-05T08:30:00+02:00"

TYPED: dict[str, dict[str, str]] = {
    "ticket": {
        "site_id": "MINE-KOV", "device_id": "WB-KOV-1", "ticket_no": "WB1-88121",
        "lot_id": "L-24-0117", "purpose": "dispatch", "unit": "t", "gross_kg": "45,0",
        "tare_kg": "15.02", "tare_kind": "weighed", "vehicle_id": "CGO 4417 AB",
        "movement_id": "WAY-5531",
    },
    "bag": {
        "site_id": "MINE-KOV", "lot_id": "L-24-0117", "commodity": "copper_cobalt", "form": "ore",
        "custody_model": "mass_balance", "tags": "ZN-1\nZN-2; ZN-3", "declared_origins": "MINE-KOV",
    },
    "seal": {
        "site_id": "MINE-KOV", "kind": "receipt", "movement_id": "WAY-5531", "lot_id": "L-24-0117",
        "seals": "SL-1\r\nSL-2",
    },
    "handover": {
        "site_id": "MINE-KOV", "movement_id": "WAY-5531", "lot_id": "L-24-0117",
        "counterparty": "LUBCO",
    },
    "moisture": {
        "site_id": "MINE-KOV", "lab_id": "LAB-KOV", "certificate_no": "A-9917",
        "lot_id": "L-24-0117", "moisture.value": "8,05", "moisture.u": "0.25",
        "stage": "provisional", "party": "seller",
    },
}  # fmt: skip
"""What somebody types into each form; one entry each."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def build(engine: Engine, name: str, typed: dict[str, str], **context: object) -> dict[str, Any]:
    given_context = {"occurred_at": AT, "skewMs": None, "chosen": {}, "lastKg": None, **context}
    made: dict[str, Any] = engine.run(
        "custody.entries.build(form, typed, context)",
        form=FORMS[name],
        typed=typed,
        context=given_context,
    )
    return made


def parsed(request: object) -> object:
    return json.loads(json.dumps(request), parse_float=Decimal)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("45000", "45000"), ("45.0", "45.0"), ("45,0", "45.0"), ("1 234,5", "1234.5"),
        ("1.234,5", "1234.5"), ("1,234.5", "1234.5"), ("1,234,567", "1234567"),
        ("1.234.567", "1234567"), ("1'234'567", "1234567"), ("1\u202f234", "1234"),
        ("1\u00a0234", "1234"), ("0,125", "0.125"), ("0.125", "0.125"), ("1,2345", "1.2345"),
        ("12,34", "12.34"), ("1234,567", "1234.567"), (",5", "0.5"), ("7.", "7"), ("007", "7"),
        ("\uff14\uff15\uff0e\uff10", "45.0"), ("  30 ", "30"),
    ],
)  # fmt: skip
def test_a_number_is_read_with_point_or_comma(engine: Engine, text: str, value: str) -> None:
    assert engine.run("custody.numbers.read(text)", text=text) == {"value": value}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1,234", ["1234", "1.234"]),
        ("1.234", ["1234", "1.234"]),
        ("45,000", ["45000", "45.000"]),
        ("999.999", ["999999", "999.999"]),
    ],
)
def test_a_number_that_can_be_two_is_asked_about(
    engine: Engine, text: str, options: list[str]
) -> None:
    assert engine.run("custody.numbers.read(text)", text=text) == {"options": options}
    # Eight thousand percent is no meaning.
    low = engine.run("custody.numbers.read(text, 100)", text="8,125")
    assert low == {"value": "8.125"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"), ("-3", "negative"), ("\u22123", "negative"), ("1e5", "not_a_number"),
        ("12,34,5", "not_a_number"), ("1.2.3", "not_a_number"), ("30 t", "not_a_number"),
        ("1 23", "not_a_number"), (".", "not_a_number"), ("1,23.4", "not_a_number"),
        ("0.1234567", "too_long"), ("1" * 16, "too_long"), ("<b>1</b>", "not_a_number"),
        ("'1.000", "not_a_number"), ("1.000'", "not_a_number"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_said_to_be_none(engine: Engine, text: str, fault: str) -> None:
    assert engine.run("custody.numbers.read(text)", text=text) == {"fault": fault}


@given(st.text(alphabet="0123456789., '-", max_size=14))
def test_a_number_is_never_read_as_one_that_another_country_reads_otherwise(text: str) -> None:
    """A value comes out only where point-as-decimal and comma-as-decimal cannot disagree."""
    found = _ENGINE().run("custody.numbers.read(text)", text=text)
    readings = {value for value in (_english(text), _french(text)) if value is not None}
    if "value" in found:
        assert readings <= {Decimal(found["value"])}
    elif "options" in found:
        assert {Decimal(one) for one in found["options"]} == readings


def _english(text: str) -> Decimal | None:
    return _reading(text, group=",", point=".")


def _french(text: str) -> Decimal | None:
    return _reading(text, group=".", point=",")


def _reading(text: str, group: str, point: str) -> Decimal | None:
    """What one country makes of a number: groups of three, one sign before the decimals."""
    stripped = text.strip()
    pattern = rf"(?:\d+|[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+)(?:{re.escape(point)}\d+)?"
    if not re.fullmatch(pattern, stripped):
        return None
    return Decimal(stripped.replace(group, "").replace(point, "."))


_ENGINES: list[Engine] = []


def _ENGINE() -> Engine:  # noqa: N802  made once, and only where the engine is there
    if not _ENGINES:
        _ENGINES.append(Engine())
    return _ENGINES[0]


@given(st.decimals(0, 10**6, places=3, allow_nan=False), st.decimals(0, 10**6, places=3))
def test_net_is_gross_less_tare_to_the_last_digit(gross: Decimal, tare: Decimal) -> None:
    found = _ENGINE().run("custody.numbers.minus(a, b)", a=str(gross), b=str(tare))
    assert Decimal(found) == gross - tare
    assert Decimal(_ENGINE().run("custody.numbers.kilograms(a, 't')", a=str(gross))) == gross * 1000


@pytest.mark.parametrize("name", FORMS)
def test_what_a_form_makes_is_accepted_by_the_gateway_and_fits_its_schema(
    engine: Engine, name: str
) -> None:
    made = build(engine, name, TYPED[name], skewMs=1500.4)
    assert (made["faults"], made["questions"], made["doubts"]) == ([], [], [])
    schema = MODELS[FORMS[name]["type"]].model_json_schema()
    jsonschema.Draft202012Validator(schema).validate(made["request"])
    outcome = accept(parsed(made["request"]), support.NOW, support.terms())
    assert isinstance(outcome, Accepted), outcome
    record = outcome.drafts[0].record
    assert getattr(record, "clock_skew_ms", None) == 1500
    # The same again is the same event: who taps twice sends one.
    again = accept(
        parsed(build(engine, name, TYPED[name])["request"]),
        Micros(support.NOW + 10**9),
        support.terms(),
    )
    assert isinstance(again, Accepted)
    assert (again.event_id, again.content) == (outcome.event_id, outcome.content)


@pytest.mark.parametrize("name", FORMS)
def test_every_field_that_was_typed_is_in_the_request(engine: Engine, name: str) -> None:
    full = {
        **{field["name"]: f"X-{field['name']}" for field in FORMS[name]["fields"]},
        **TYPED[name],
    }
    for field in FORMS[name]["fields"]:
        if field["kind"] == "choice":
            full[field["name"]] = field["of"][0]
    if name == "ticket":
        full["net_kg"] = "29.98"
    request = build(engine, name, full)["request"]
    for field in FORMS[name]["fields"]:
        if field["kind"] != "unit":
            assert field["name"].split(".")[0] in request
    assert isinstance(accept(parsed(request), support.NOW, support.terms()), Accepted)


@pytest.mark.parametrize("name", FORMS)
def test_what_is_needed_and_missing_is_named_before_anything_is_sent(
    engine: Engine, name: str
) -> None:
    made = build(engine, name, {})
    needed = {field["name"] for field in FORMS[name]["fields"] if field.get("required")}
    assert {fault["field"] for fault in made["faults"]} == needed - {"occurred_at"}
    for field in needed - {"occurred_at"}:
        less = {key: text for key, text in TYPED[name].items() if key != field}
        faults = build(engine, name, less)["faults"]
        assert [fault["field"] for fault in faults] == [field]
    no_time = build(engine, name, TYPED[name], occurred_at=None)
    assert [fault["field"] for fault in no_time["faults"]] == ["occurred_at"]


def test_masses_keep_the_digits_that_were_typed_and_their_unit(engine: Engine) -> None:
    request = build(engine, "ticket", TYPED["ticket"])["request"]
    assert request["gross_kg"] == {"value": "45.0", "unit": "t"}
    assert request["tare_kg"] == {"value": "15.02", "unit": "t"}
    assert "net_kg" not in request
    shown = engine.run("custody.entries.shownNet(typed, {})", typed=TYPED["ticket"])
    assert shown == {"value": "29.98", "unit": "t", "kg": "29980"}


def test_an_unclear_mass_is_sent_only_as_it_was_chosen(engine: Engine) -> None:
    typed = {**TYPED["ticket"], "gross_kg": "45,123"}
    asked = build(engine, "ticket", typed)
    assert asked["questions"] == [{"field": "gross_kg", "options": ["45123", "45.123"]}]
    assert "gross_kg" not in asked["request"]
    chosen = {"gross_kg": {"text": "45,123", "value": "45.123"}}
    made = build(engine, "ticket", typed, chosen=chosen)
    assert (made["questions"], made["faults"]) == ([], [])
    assert made["request"]["gross_kg"] == {"value": "45.123", "unit": "t"}
    # What was chosen for one text says nothing about another.
    other = build(engine, "ticket", {**typed, "gross_kg": "46,123"}, chosen=chosen)
    assert [question["field"] for question in other["questions"]] == ["gross_kg"]
    # And only one of the two can have been chosen.
    forged = {"gross_kg": {"text": "45,123", "value": "9"}}
    assert build(engine, "ticket", typed, chosen=forged)["questions"]


@pytest.mark.parametrize(
    ("changes", "last_kg", "doubt"),
    [
        ({"unit": "kg"}, None, "no_truck"),
        ({"unit": "kg"}, 45000, "unlike_last"),
        ({"gross_kg": "45000", "tare_kg": "15000"}, 45000, "unlike_last"),
        ({"net_kg": "28"}, 45000, "net_off"),
    ],
)
def test_what_is_hardly_right_is_asked_about(
    engine: Engine, changes: dict[str, str], last_kg: int | None, doubt: str
) -> None:
    made = build(engine, "ticket", {**TYPED["ticket"], **changes}, lastKg=last_kg)
    assert [item["say"] for item in made["doubts"]] == [doubt]
    assert made["faults"] == []


def test_a_scale_that_weighs_bags_is_not_asked_about_each_of_them(engine: Engine) -> None:
    bag = {**TYPED["ticket"], "unit": "kg", "gross_kg": "51,5", "tare_kg": "0.2"}
    assert build(engine, "ticket", bag, lastKg=50)["doubts"] == []


def test_tare_above_gross_and_no_net_at_all_are_faults(engine: Engine) -> None:
    above = build(engine, "ticket", {**TYPED["ticket"], "tare_kg": "46"})
    assert [fault["say"] for fault in above["faults"]] == ["tare_above_gross"]
    none = build(engine, "ticket", {**TYPED["ticket"], "tare_kg": ""})
    assert [fault["say"] for fault in none["faults"]] == ["no_net"]
    net = build(
        engine, "ticket", {**TYPED["ticket"], "tare_kg": "", "gross_kg": "", "net_kg": "30"}
    )
    assert net["faults"] == []


def test_a_check_weight_needs_no_lot_and_says_so(engine: Engine) -> None:
    typed = {**TYPED["ticket"], "purpose": "check", "lot_id": ""}
    made = build(engine, "ticket", typed)
    assert made["faults"] == []
    assert made["request"]["lot_id"] is None
    assert isinstance(accept(parsed(made["request"]), support.NOW, support.terms()), Accepted)


def test_a_tag_that_was_typed_twice_counts_once_and_is_told(engine: Engine) -> None:
    made = build(engine, "bag", {**TYPED["bag"], "tags": "A, B\nA\n\n"})
    assert made["request"]["tags"] == ["A", "B"]
    assert [(item["say"], item["values"]) for item in made["doubts"]] == [("twice", {"found": "A"})]


def test_hostile_text_stays_what_it_is(engine: Engine) -> None:
    lot = '<img src=x onerror="alert(1)">{__proto__}$&'
    made = build(engine, "ticket", {**TYPED["ticket"], "lot_id": lot})
    assert made["request"]["lot_id"] == lot
    filled = engine.run("custody.words.fill('{lot} {none}', {lot: text})", text=lot)
    assert filled == f"{lot} {{none}}"
    said = engine.run(
        "custody.wording.refused(custody.words.speaker(words), item)",
        words=ENGLISH,
        item={"code": "constructor", "field": "__proto__", "found": lot, "allowed": None},
    )
    assert lot in said
    assert "function" not in said


def test_times_are_local_with_their_offset_and_to_the_minute(engine: Engine) -> None:
    now_ms = support.NOW // 1000 + 59_999
    local = engine.run("custody.times.local(at, 120)", at=now_ms)
    assert local == "2026-11-05T09:12"
    assert engine.run("custody.times.rfc3339(at, 120)", at=local) == "2026-11-05T09:12:00+02:00"
    assert engine.run("custody.times.rfc3339(at, -570)", at=local) == "2026-11-05T09:12:00-09:30"
    for bad in ("", "2026-13-01T00:00", "yesterday", "2026-11-05"):
        assert engine.run("custody.times.rfc3339(at, 0)", at=bad) is None


def test_the_same_thing_on_the_phone_is_a_twin_and_its_correction_is_none(engine: Engine) -> None:
    first = build(engine, "seal", TYPED["seal"])["request"]
    later = build(engine, "seal", TYPED["seal"], occurred_at="2026-11-05T08:31:00+02:00")["request"]
    entry = {"id": "e1", "state": "sent", "request": first}
    found = "custody.twin(request, entries, replaces)"
    assert engine.run(found, request=later, entries=[entry], replaces=None)["id"] == "e1"
    assert engine.run(found, request=later, entries=[entry], replaces="e1") is None
    refused = {**entry, "state": "attention"}
    assert engine.run(found, request=later, entries=[refused], replaces=None) is None
    other = {**later, "movement_id": "WAY-2"}
    assert engine.run(found, request=other, entries=[entry], replaces=None) is None


def test_a_twin_is_known_by_what_the_gateway_derives_the_id_from(engine: Engine) -> None:
    """Each part of the natural key but the time makes another twin."""
    for name in FORMS:
        request = build(engine, name, TYPED[name])["request"]
        entry = {"id": "e1", "state": "sent", "request": request}
        one = accept(parsed(request), support.NOW, support.terms())
        for field, value in request.items():
            if field in {"type", "occurred_at", "kind", "stage", "party"} or not isinstance(
                value, str
            ):
                continue
            other = {**request, field: f"{value}-2"}
            two = accept(parsed(other), support.NOW, support.terms())
            if not isinstance(one, Accepted) or not isinstance(two, Accepted):
                continue
            twin = engine.run("custody.twin(r, [e], null)", r=other, e=entry)
            assert (twin is not None) == (one.event_id == two.event_id), (name, field)


@pytest.mark.parametrize(
    ("status", "body", "state", "say", "stop"),
    [
        (202, {"result": "accepted"}, "sent", "accepted", False),
        (202, {"result": "duplicate"}, "sent", "duplicate", False),
        (202, {"result": "refused"}, "attention", "refused", False),
        (202, None, "unsent", "odd_answer", True),
        (202, {"result": "maybe"}, "unsent", "odd_answer", True),
        (200, None, "unsent", "odd_answer", True),
        (200, {"result": "accepted"}, "unsent", "odd_answer", True),
        (401, {}, "unsent", "no_token", True),
        (403, {"detail": "another site"}, "denied", "not_for_token", False),
        (400, {}, "attention", "not_understood", False),
        (413, {}, "attention", "too_large", False),
        (429, {}, "unsent", "too_fast", True),
        (500, None, "unsent", "odd_answer", True),
        (503, {}, "unsent", "takes_nothing", True),
    ],
)
def test_an_answer_means_one_thing(
    engine: Engine, status: int, body: object, state: str, say: str, *, stop: bool
) -> None:
    answer = {"status": status, "body": body, "retryAfter": "7"}
    verdict = engine.run("custody.answers.judge(answer)", answer=answer)
    assert (verdict["state"], verdict["say"], verdict["stop"]) == (state, say, stop)
    assert f"say.{say}" in ENGLISH
    if say in {"too_fast", "takes_nothing", "odd_answer"}:
        assert verdict["waitS"] == 7
    assert engine.run("custody.answers.judge(null)")["say"] == "unreachable"


QUEUE = """
globalThis.storage = new Storage();
globalThis.queue = new custody.Queue(storage);
globalThis.posted = [];
globalThis.script = {};
globalThis.add = function (no) {
  return queue.put({id: "e" + no, made_ms: no, form: "ticket", state: "unsent", say: "unsent",
    item: null, request: {type: "weighing", ticket_no: no, occurred_at: "at-" + no}});
};
globalThis.post = async function (request) {
  posted.push(request.ticket_no);
  const answer = script[request.ticket_no];
  return answer === undefined ? {status: 202, body: {result: "accepted", gateway_seq: 1}} : answer;
};
globalThis.drain = function () {
  globalThis.verdict = undefined;
  custody.drain(queue, post, () => 99).then((value) => { globalThis.verdict = value; });
};
"""


@pytest.fixture
def queue() -> Engine:
    fresh = Engine()
    fresh.do(QUEUE)
    fresh.do("[3, 1, 2].forEach(add)")
    return fresh


STATES = "queue.all().map((entry) => [entry.request.ticket_no, entry.state])"


def test_what_waits_is_sent_oldest_first_with_its_own_time(queue: Engine) -> None:
    assert queue.run("queue.waiting().length") == 3
    queue.do("drain()")
    assert queue.run("posted") == [1, 2, 3]
    assert queue.run("verdict") is None
    assert queue.run(STATES) == [[1, "sent"], [2, "sent"], [3, "sent"]]
    assert queue.run("queue.get('e1').request.occurred_at") == "at-1"


def test_without_an_answer_nothing_is_lost_and_the_next_run_sends_the_same(queue: Engine) -> None:
    queue.do("script[2] = null; drain()")
    assert queue.run("verdict")["say"] == "unreachable"
    assert queue.run(STATES) == [[1, "sent"], [2, "unsent"], [3, "unsent"]]
    assert queue.run("queue.get('e3').say") == "unreachable", "why the others wait, too"
    before = queue.run("queue.get('e2').request")
    queue.do("delete script[2]; drain()")
    assert queue.run("posted") == [1, 2, 2, 3]
    assert queue.run("queue.get('e2').request") == before
    assert queue.run("queue.waiting().length") == 0


def test_one_that_a_token_may_not_send_does_not_hold_the_others(queue: Engine) -> None:
    queue.do("script[1] = {status: 403, body: {detail: 'no'}}; drain()")
    assert queue.run(STATES) == [[1, "denied"], [2, "sent"], [3, "sent"]]
    queue.do("delete script[1]; drain()")
    assert queue.run(STATES) == [[1, "sent"], [2, "sent"], [3, "sent"]]


def test_a_refused_one_waits_for_a_person_and_is_not_sent_again(queue: Engine) -> None:
    queue.do("script[1] = {status: 202, body: {result: 'refused', code: 'too_old'}}; drain(); ")
    queue.do("drain()")
    assert queue.run("posted") == [1, 2, 3]
    assert queue.run("queue.get('e1').item.code") == "too_old"
    queue.do("queue.prune(1e15)")
    assert queue.run(STATES) == [[1, "attention"]], "what was sent is forgotten, this is not"


def test_without_a_token_the_first_answer_ends_the_run(queue: Engine) -> None:
    queue.do("script[1] = {status: 401, body: {}}; drain()")
    assert queue.run("posted") == [1]
    assert queue.run("queue.waiting().length") == 3


def test_a_full_phone_says_so_and_keeps_what_it_had(queue: Engine) -> None:
    queue.do("storage.full = true")
    assert queue.run("add(4)") is False
    queue.do("drain()")
    assert queue.run("queue.waiting().length") == 3, "sent again later, as duplicates"
    queue.do("storage.full = false; drain()")
    assert queue.run("queue.waiting().length") == 0


def test_what_one_page_knows_to_be_sent_another_does_not_take_back(queue: Engine) -> None:
    queue.do("queue.settle('e1', {state: 'sent', say: 'accepted', item: {}}, 1)")
    queue.do("queue.settle('e1', {state: 'unsent', say: 'unreachable', item: null}, 2)")
    assert queue.run("queue.get('e1').state") == "sent"
    queue.do(
        "queue.remove('e2'); queue.settle('e2', {state: 'sent', say: 'accepted', item: {}}, 3)"
    )
    assert queue.run("queue.get('e2')") is None


def test_what_others_put_into_the_storage_is_left_alone(queue: Engine) -> None:
    queue.do("storage.setItem('custody.entry.bad', '{'); storage.setItem('else', '{\"id\": 1}')")
    assert queue.run("queue.all().length") == 3
    assert queue.run("queue.get('bad')") is None


def test_the_file_of_unsent_entries_is_what_the_gateway_reads(
    engine: Engine, tmp_path: Path
) -> None:
    fresh = Engine()
    fresh.do(QUEUE)
    for number, name in enumerate(FORMS):
        request = build(engine, name, TYPED[name])["request"]
        fresh.run(
            "queue.put({id: 'e' + n, made_ms: n, state: 'unsent', request: r})", n=number, r=request
        )
    lines = fresh.run("queue.ndjson()").splitlines()
    with support.running(support.config(tmp_path), publish=False) as gateway:
        answers = gateway.take(
            [parsed(json.loads(line)) for line in lines], Options(), "file"
        ).result()
    assert [answer.code for answer in answers] == [None] * len(FORMS)


def test_every_sentence_that_the_scripts_say_has_words() -> None:
    """Names stand in the scripts, not in a list; those put together of parts are tested above."""
    said: set[str] = set()
    for path in PAGES.glob("*.js"):
        said |= set(re.findall(r"\bsay\(\"([\w.]*[a-z])\"", path.read_text("utf-8")))
    entries = (PAGES / "entries.js").read_text("utf-8")
    for kind in ("fault", "doubt"):
        calls = re.findall(rf"\b{kind}\((?:at\.)?made, ([^;]*), {{", entries)
        names = {call.rpartition(", ")[2].strip('"') for call in calls}
        said |= {f"{kind}.{name}" for name in names}
    numbers = (PAGES / "numbers.js").read_text("utf-8")
    said |= {f"fault.number_{name}" for name in re.findall(r"fault: \"(\w+)\"", numbers)}
    # Nothing typed is no number to be read: it is missing, or may be.
    said -= {"fault.number_empty"}
    # What is said by a name that is put together.
    said = {name for name in said if '"' not in name}
    assert {"fault.missing", "doubt.net_off", "fault.number_too_long", "page.away"} <= said
    assert said - set(ENGLISH) == set()


def test_no_sentence_of_the_status_page_is_left_over() -> None:
    """What the page says is named in its scripts; some names are put together there."""
    files = [path for path in PAGES.iterdir() if path.suffix in (".js", ".html")]
    texts = [path.read_text("utf-8") for path in files]
    written = set(re.findall(r"\"([\w.]+)\"", "".join(texts)))
    far = {f"{name}_{state}" for name in ("broker", "registry") for state in ("away", "unknown")}
    heads = re.search(r"\[([^]]*)\]\.map\(\s*\(name\) => make\(\"th\"", "".join(texts))
    assert heads is not None
    said = written | far | {f"head_{name}" for name in re.findall(r"\w+", heads[1])}
    left = [
        name
        for name in ENGLISH
        for group, _, rest in [name.partition(".")]
        if group in ("about", "status", "todo") and not {name, rest} & said
    ]
    assert left == []


OLD = {"waiting": 5, "oldest_waiting_s": 90}

HEALTHY = {
    "status": "ok", "reason": "", "accepting": True, "gateway_id": "GW", "gateway_epoch": 1,
    "gateway_seq": 7, "waiting": 0, "oldest_waiting_s": 0, "broker": "up", "broker_since": None,
    "registry": "unknown", "registry_since": None, "publisher": "running",
    "outbox_bytes": 1, "outbox_bytes_max": 1000, "refused_bytes": 1, "refused_bytes_max": 100,
    "refused_unkept": 0, "refused_full": False, "disk_free_bytes": 10**9,
    "disk_free_bytes_min": 10**6, "now": "2026-11-05T07:12:00.000000Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "about", "level", "say", "todo"),
    [
        ({}, "gateway", "ok", "takes", None),
        ({"status": "failing", "accepting": False}, "gateway", "bad", "takes_nothing", "make_room"),
        ({"status": "failing", "reason": "x"}, "gateway", "bad", "stuck", "see_log"),
        ({"broker": "away"}, "broker", "note", "broker_away", "broker_away"),
        ({"registry": "away"}, "registry", "note", "registry_away", "registry_away"),
        ({"waiting": 5, "oldest_waiting_s": 9}, "waiting", "ok", "waits", None),
        (OLD, "waiting", "note", "waits_because", "see_publisher"),
        ({**OLD, "broker": "away"}, "waiting", "note", "waits", None),
        ({"outbox_bytes": 900}, "outbox", "note", "outbox_used", "outbox_full_soon"),
        ({}, "refused", "ok", "refused_kept", None),
        ({"refused_full": True}, "refused", "note", "refused_full", "drop_refused"),
        ({"disk_free_bytes": 10**6}, "disk", "note", "disk_free", "disk_full_soon"),
        ({"clock_skew_ms": -90_000}, "clock", "note", "clock_off", "set_clock"),
        ({"clock_skew_ms": 50}, "clock", "ok", "clock_right", None),
        ({"now": "2026-11-05T07:00:00Z"}, "clock", "note", "clocks_differ", "set_clock"),
    ],
)  # fmt: skip
def test_the_status_page_says_what_is_and_what_to_do(
    engine: Engine, changes: dict[str, object], about: str, level: str, say: str, todo: str | None
) -> None:
    lines = engine.run(
        "custody.health.lines(health, nowMs)",
        health={**HEALTHY, **changes},
        nowMs=support.NOW // 1000,
    )
    (line,) = [item for item in lines if item["about"] == about]
    assert (line["level"], line["say"], line["todo"]) == (level, say, todo)
    for item in lines:
        assert {f"about.{item['about']}", f"level.{item['level']}", f"status.{item['say']}"} <= set(
            ENGLISH
        )
        assert item["todo"] is None or f"todo.{item['todo']}" in ENGLISH
    expected = [] if changes else ["ok"] * len(lines)
    assert not expected or [item["level"] for item in lines] == expected


def test_figures_that_are_not_there_are_left_out(engine: Engine) -> None:
    bare = {**HEALTHY, "outbox_bytes": None, "disk_free_bytes": None, "now": None}
    lines = engine.run("custody.health.lines(health, 0)", health=bare)
    assert not {"outbox", "disk", "clock"} & {item["about"] for item in lines}
    (line,) = engine.run("custody.health.lines(null, 0)")
    assert (line["level"], line["todo"]) == ("bad", "start_it")


def test_the_real_health_is_understood(engine: Engine, tmp_path: Path) -> None:
    with support.running(support.config(tmp_path), publish=False) as gateway:
        health = json.loads(gateway.health().body())
    lines = engine.run("custody.health.lines(health, Date.now())", health=health)
    assert [item["level"] for item in lines] == ["ok"] * 9
    rows = engine.run(
        "custody.health.rows(day)",
        day={"accepted": {"lot": 2}, "duplicate": {}, "refused": {"unknown": 1}},
    )
    assert rows == [
        {"name": "lot", "accepted": 2, "duplicate": 0, "refused": 0},
        {"name": "unknown", "accepted": 0, "duplicate": 0, "refused": 1},
    ]


@pytest.mark.parametrize("code", Code)
def test_a_refusal_is_told_with_its_field_in_words_and_what_is_allowed(
    engine: Engine, code: Code
) -> None:
    item = {"code": code.value, "field": "net_kg", "found": 29000, "allowed": ["a", "b"]}
    said = engine.run(
        "custody.wording.refused(custody.words.speaker(words), item)", words=ENGLISH, item=item
    )
    assert said.startswith("Net as on the ticket: ")
    assert "29000" in said
    assert "a, b" in said
    assert "{" not in said


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["fr-CD", "en"], "fr"),
        (["de", "es-PE"], "es"),
        (["xx"], "en"),
        ([], "en"),
        (["ZH-hans"], "zh"),
    ],
)
def test_the_browsers_language_is_taken_where_there_is_one(
    engine: Engine, wanted: list[str], chosen: str
) -> None:
    assert engine.run("custody.words.pick(wanted)", wanted=wanted) == chosen


def test_an_entry_is_told_with_number_id_and_remarks(engine: Engine) -> None:
    item = {
        "result": "accepted", "event_id": "id-1", "gateway_seq": 12,
        "warnings": [{"code": "unknown_site", "field": "site_id", "found": "X"}],
    }  # fmt: skip
    lines = engine.run(
        "custody.wording.outcome(custody.words.speaker(words), entry)",
        words=ENGLISH,
        entry={"say": "accepted", "item": plain(item)},
    )
    assert "12" in lines[0]
    assert "id-1" in lines[0]
    assert lines[1].startswith("Site (X): ")
