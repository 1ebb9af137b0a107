"""Actions and the status of a lot, on a real gateway's disk and the real engine.

The worker's part is played by rows that are inserted: what it answers is its own tests' business,
and ``tests/e2e/test_desk.py`` has all of it in one.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import clickhouse_connect
import httpx
import pytest

from console.acting import Acting
from console.config import ConsoleConfig
from console.desk import Rooms, add_desk
from console.gateway import Gateway
from console.lot_status import CompleteTo
from console.lots_http import Lots
from console.people.file import PeopleFile
from console.people.roles import Role
from console.reader import Reader
from console.rows import Row, asked
from console.sql_http import Asking
from console.visits import CSRF_HEADER
from console.watched import Watched
from custody.errors import CustodyError
from custody.events import Micros
from custody.exact import HOLDS_MAX
from custody.ids import derived_id
from sinks import migrate
from sinks.client import open_warehouse
from tests.support import gateway as gateways
from tests.support import tree
from tests.support.visitors import TOKEN, Clock, Desk
from web.problem import Problem

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ALERT = derived_id("alert", ["test", "lot/L-1", None])


class Room(Desk):
    """A desk with a gateway behind it and a warehouse beside it."""

    def __init__(self, directory: Path, url: str, secret: Path) -> None:
        super().__init__(PeopleFile(directory / "console"), Clock())
        address = f"chdb://{directory / 'warehouse'}"
        with closing(open_warehouse(address)) as warehouse:
            migrate.migrate(warehouse, Micros(0))
        self.rows = clickhouse_connect.get_client(dsn=address, database="custody")
        self.reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "no"))
        self.gateway = Gateway(url, secret, None)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        self.events = httpx.Client(base_url=url, headers=bearer, trust_env=False)
        self.failing = ""
        self.recent: list[Row] = []
        self.ended: list[CustodyError | None] = []
        self.on_ask: Callable[[str], None] = lambda _: None
        acting = Acting(self.gateway, self.ask, self.clock, wait_s=0.5)
        complete_to = CompleteTo(self.ask, self.clock.seconds)
        lots = Lots(self.ask, complete_to, lambda: self.failing, lambda _: self.recent)
        asking = Asking(
            self.reader, 1_000, 1 << 20, lambda: secrets.token_hex(8), self.ended.append
        )
        watched = Watched(self.ask, list, self.clock)
        rooms = Rooms(acting=acting, lots=lots, asking=asking, watched=watched)
        add_desk(self.app, self.visits, rooms)
        for role in Role:
            self.user(f"the-{role}", role)

    def ask(self, statement: str, values: Mapping[str, str]) -> list[Row]:
        self.on_ask(statement)
        return asked(self.reader, statement, values, secrets.token_hex(8))

    def insert(self, table: str, **row: object) -> None:
        names = ", ".join(row)
        values = ", ".join("NULL" if v is None else f"'{v}'" for v in row.values())
        self.rows.command(f"INSERT INTO {table} ({names}) VALUES ({values})")  # noqa: S608  of tests

    def many(self, table: str, rows: str, many: int) -> None:
        """Store many at once: ``rows`` has columns and a SELECT of them over ``number``."""
        self.rows.command(f"INSERT INTO {table} {rows} FROM numbers({many})")

    def version(self, version: int, state: str, **more: object) -> None:
        self.alert(ALERT, version, state, **more)

    def posted(self, event_ids: Iterable[str]) -> set[str]:
        """Of some events those that the gateway has taken."""
        return {one for one in event_ids if self.events.get(f"/v1/events/{one}").status_code == 200}

    def alert(self, alert_id: str, version: int, state: str, **more: object) -> None:
        row = {"alert_id": alert_id, "version": version, "n": version, "state": state}
        row |= {"rule": "lot_eprocess", "family": "loss", "statistic": "e_value"}
        self.insert("alert", **row, subject="lot/L-1", lot_id="L-1", severity="high", **more)

    def close(self) -> None:
        for part in (self.rows, self.reader, self.gateway, self.events, self.file):
            part.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Path]]:
    directory = tmp_path_factory.mktemp("desk")
    secret = directory / "token"
    secret.write_text(TOKEN)
    with ExitStack() as stack:
        config = gateways.config(directory / "gateway")
        gateway = stack.enter_context(gateways.running(config, publish=False, clock=Clock()))
        url = stack.enter_context(gateways.serving(gateway, TOKEN))
        made = stack.enter_context(closing(Room(directory, url, secret)))
        yield made, secret


@pytest.fixture
def room(running: tuple[Room, Path]) -> Room:
    made, _ = running
    made.rows.command("TRUNCATE TABLE alert")
    made.rows.command("TRUNCATE TABLE action")
    made.failing, made.recent, made.on_ask = "", [], lambda _: None
    made.version(1, "open", reason="mass falls")
    return made


def act(browser: httpx.Client, key: str, version: int = 1, **more: object) -> httpx.Response:
    body = {"action": "acknowledge", "version": version, **more}
    headers = {"Idempotency-Key": key}
    return browser.post(f"/api/alerts/{ALERT}/actions", json=body, headers=headers)


def moment(room: Room, **later: float) -> str:
    """A time so much later than now."""
    return (datetime.fromtimestamp(room.clock() / 1e6, UTC) + timedelta(**later)).isoformat()


def hold(
    browser: httpx.Client, key: str, body: Mapping[str, object], lot: str = "L-1"
) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return browser.post(f"/api/lots/{lot}/hold", json=dict(body), headers=headers)


def answered(room: Room, key: str, version: int, state: str, reason: str) -> None:
    """Have the worker's answer to an action there once the gateway has taken it."""
    action_id = derived_id("console", ["the-operator", key])
    looks = iter(range(100))

    def on_ask(statement: str) -> None:
        # The first look is before the action, the second after it.
        if "FROM alert" in statement and next(looks) == 1:
            room.version(version, state, actor="the-operator", reason=reason, action_id=action_id)

    room.on_ask = on_ask


def test_an_action_goes_to_the_gateway_once_and_comes_back_with_its_version(room: Room) -> None:
    browser = room.browser("the-operator")
    answered(room, "k1", 2, "acknowledged", "looking into it")
    first = act(browser, "k1", reason="looking into it")
    assert first.status_code == 200, first.text
    said = first.json()
    assert (said["result"], said["version"]) == ("taken", 2)
    assert said["alert"]["last_action"]["actor"] == "the-operator"
    assert said["gateway"]["result"] == "accepted"
    again = act(browser, "k1", reason="looking into it")
    assert (again.status_code, again.json()["gateway"]["result"]) == (200, "duplicate")
    assert again.json()["event_id"] == said["event_id"]
    deeds = [(d.actor, d.what, d.about, d.outcome) for _, d in room.register.deeds(2)]
    assert deeds == [("the-operator", "acknowledge", ALERT, "taken")] * 2


def many(browser: httpx.Client, key: str, alerts: object, **more: object) -> httpx.Response:
    body = {"action": "acknowledge", "alerts": alerts, **more}
    return browser.post("/api/alerts/actions", json=body, headers={"Idempotency-Key": key})


def test_many_are_acted_on_at_once_each_by_an_action_of_its_own(room: Room) -> None:
    names = [derived_id("alert", ["many", str(no)]) for no in range(6)]
    good, slow, late, beaten, moved, _ = names
    seen = [{"alert_id": name, "version": 1} for name in names]
    for name in names[:5]:
        room.alert(name, 1, "open", reason="mass falls")
    room.alert(moved, 2, "resolved", actor="ann", reason="wet belt", action_id="a")
    ids = {name: derived_id("console", ["the-operator", "g1", name]) for name in names}
    looks = iter(range(100))
    mine = {"actor": "the-operator", "reason": "scale"}

    def on_ask(statement: str) -> None:
        # The worker answers after the first look: two of them at once, one later, one never.
        at = next(looks) if "FROM alert" in statement else None
        if at == 1:
            room.alert(good, 2, "acknowledged", action_id=ids[good], **mine)
            room.alert(beaten, 2, "shelved", actor="bob", reason="first", action_id="b")
            lost = "conflict: made on version 1, the alert has 2"
            room.alert(beaten, 3, "shelved", action_id=ids[beaten], actor="the-operator",
                       reason=lost)  # fmt: skip
        if at == 2:
            room.alert(late, 2, "acknowledged", action_id=ids[late], **mine)

    room.on_ask = on_ask
    said = many(room.browser("the-operator"), "g1", seen, reason="scale")
    assert said.status_code == 200, said.text
    found = {row["alert_id"]: row for row in said.json()["results"]}
    assert [found[name]["result"] for name in names] == [
        "taken", "on its way", "taken", "conflict", "conflict", "unknown",
    ]  # fmt: skip
    assert found[beaten]["detail"] == "made on version 1, the alert has 2"
    assert found[beaten]["present"]["last_action"]["actor"] == "bob"
    assert found[moved]["present"]["state"] == "resolved"
    deeds = {deed.about: deed.outcome for _, deed in room.register.deeds(7)}
    assert deeds[good] == "taken"
    assert deeds[beaten] == "conflict"
    assert deeds["many alerts"] == "2 taken, 1 on its way, 2 conflict, 1 unknown"
    # Each has its own record, and what is sent again is the same one.
    sent = room.posted(ids.values())
    assert sent == {ids[name] for name in (good, slow, late, beaten)}
    again = many(room.browser("the-operator"), "g1", seen, reason="scale").json()["results"]
    assert [row["result"] for row in again][:4] == ["taken", "on its way", "taken", "conflict"]
    assert room.posted(ids.values()) == sent


def test_of_many_only_what_can_be_done_unseen_is_taken(room: Room) -> None:
    browser = room.browser("the-operator")
    one = {"alert_id": ALERT, "version": 1}
    for no, (alerts, more, why) in enumerate([
        ([one], {"action": "resolve", "resolution": "explained"}, "unknown-field"),
        ([one], {"action": "resolve"}, "bad-field"),
        ([one], {"action": "shelve", "reason": "x", "until": "2020-01-01T00:00:00Z"}, "past-time"),
        ([], {}, "bad-field"),
        ([one, one], {}, "bad-field"),
        ([one | {"actor": "x"}], {}, "bad-field"),
        ({"alert_id": ALERT}, {}, "bad-field"),
    ]):  # fmt: skip
        refused = many(browser, f"odd-{no}", alerts, **more)
        assert (refused.status_code, refused.json()["type"]) == (400, f"/problems/{why}"), no
    assert many(room.browser("the-viewer"), "v", [one]).status_code == 403
    assert many(browser, "", [one]).json()["type"] == "/problems/no-idempotency-key"
    odd = many(browser, "when", [one], action="shelve", reason="x", until="tomorrow")
    assert (odd.status_code, odd.json()["type"]) == (422, "/problems/bad-field")
    wordy = {"action": "shelve", "reason": "x" * 2_000, "until": moment(room, days=1)}
    long = many(browser, "long", [one], **wordy).json()["results"]
    assert (long[0]["result"], "reason" in long[0]["detail"]) == ("refused", True)


LACKING: list[tuple[str, dict[str, object], str, str]] = [
    ("shelve", {}, "missing-field", "reason: "),
    ("shelve", {"reason": "  "}, "missing-field", "reason: "),
    ("resolve", {"reason": "x"}, "missing-field", "resolution: "),
    ("resolve", {"resolution": "explained"}, "missing-field", "reason: "),
    ("comment", {"reason": ""}, "missing-field", "reason: "),
    ("acknowledge", {"version": None}, "missing-field", "version: "),
    ("acknowledge", {"version": "1"}, "bad-field", "version: "),
    ("acknowledge", {"version": True}, "bad-field", "version: "),
    ("explode", {}, "bad-field", "action: "),
    ("resolve", {"resolution": "nonsense", "reason": "x"}, "bad-field", "resolution: "),
    ("shelve", {"until": "tomorrow", "reason": "x"}, "bad-field", "until: "),
    ("shelve", {"until": "2027-01-01T00:00:00", "reason": "x"}, "bad-field", "until: "),
    ("shelve", {"reason": "x"}, "missing-field", "until: "),
    ("shelve", {"until": "2100-01-01T00:00:00Z", "reason": "x"}, "bad-field", "until: "),
]


def test_what_an_action_lacks_is_said_by_name_and_before_any_conflict(room: Room) -> None:
    room.version(2, "acknowledged", actor="ann", action_id="a")
    browser = room.browser("the-operator")
    for version in (1, 2):
        for no, (action, more, name, begins) in enumerate(LACKING):
            sent = {"action": action, "version": version, **more}
            refused = browser.post(
                f"/api/alerts/{ALERT}/actions",
                json={name: value for name, value in sent.items() if value is not None},
                headers={"Idempotency-Key": f"lacks-{version}-{no}"},
            )
            found = refused.status_code, refused.json()["type"]
            assert found == (422, f"/problems/{name}"), (action, more)
            assert refused.json()["detail"].startswith(begins)
    one = [{"alert_id": ALERT, "version": 2}]
    shelved = many(browser, "lacks", one, action="shelve")
    assert (shelved.status_code, shelved.json()["detail"][:7]) == (422, "reason:")
    released = browser.post("/api/lots/L-1/release", json={}, headers={"Idempotency-Key": "no"})
    assert (released.status_code, released.json()["detail"][:7]) == (422, "reason:")


def test_the_second_of_two_people_gets_who_was_first_and_nothing_is_sent(room: Room) -> None:
    room.version(2, "shelved", actor="ann", reason="umpire", action_id="a", until="2026-12-01")
    second = act(room.browser("the-operator"), "late")
    assert second.status_code == 409
    said = second.json()
    assert said["type"] == "/problems/conflict"
    assert said["present"] == {
        "version": 2,
        "state": "shelved",
        "severity": "high",
        "assignee": None,
        "until": "2026-12-01T00:00:00Z",
        "resolution": None,
        "last_action": {"version": 2, "actor": "ann", "made_it": "shelved", "reason": "umpire"},
    }


def test_a_conflict_that_the_worker_finds_is_a_conflict_here(room: Room) -> None:
    answered(room, "k2", 3, "open", "conflict: made on version 1, the alert has 2")
    said = act(room.browser("the-operator"), "k2")
    assert said.status_code == 409
    assert "made on version 1, the alert has 2" in said.json()["detail"]
    assert said.json()["present"]["last_action"] is None, "the answer itself changed nothing"


def test_a_conflict_of_somebody_else_is_no_conflict_for_who_saw_the_last_change(room: Room) -> None:
    room.version(2, "resolved", actor="otto", action_id="a", reason="r")
    lost = "conflict: made on version 1, the alert has 2"
    room.version(3, "resolved", actor="olga", action_id="b", reason=lost)
    browser = room.browser("the-operator")
    for version in (2, 3):
        assert act(browser, f"saw-{version}", version=version, action="reopen").status_code == 202
    for version in (1, 4):
        assert act(browser, f"saw-{version}", version=version, action="reopen").status_code == 409
    told = many(browser, "of-many", [{"alert_id": ALERT, "version": 2}]).json()["results"]
    assert [one["result"] for one in told] == ["on its way"]


def test_what_has_no_answer_in_time_is_on_its_way(room: Room) -> None:
    said = act(room.browser("the-operator"), "slow", version=1)
    assert (said.status_code, said.json()["result"]) == (202, "on its way")


def test_a_comment_makes_no_version_and_cannot_conflict(room: Room) -> None:
    room.version(2, "acknowledged", actor="ann", reason="x", action_id="a")
    said = act(room.browser("the-operator"), "word", action="comment", reason="called the site")
    assert (said.status_code, said.json()["result"]) == (200, "taken")


def test_who_may_not_act_cannot_and_what_is_not_understood_is_refused(room: Room) -> None:
    for role in ("viewer", "analyst"):
        refused = act(room.browser(f"the-{role}"), "x")
        assert refused.json()["type"] == "/problems/not-for-this-role"
        assert hold(room.browser(f"the-{role}"), "x", {"reason": "r"}).status_code == 403
    browser = room.browser("the-operator")
    assert act(room.client(), "x").status_code == 401
    assert act(browser, "").json()["type"] == "/problems/no-idempotency-key"
    assert act(browser, "y", actor="somebody else").json()["type"] == "/problems/unknown-field"
    unknown = browser.post(
        "/api/alerts/none/actions",
        json={"action": "comment", "reason": "r", "version": 1},
        headers={"Idempotency-Key": "z"},
    )
    assert unknown.status_code == 404
    halves = browser.post(
        f"/api/alerts/{ALERT}/actions",
        content=b'{"action":"comment","reason":"\\ud800","version":1}',
        headers={"Idempotency-Key": "half", "Content-Type": "application/json"},
    )
    assert (halves.status_code, halves.json()["type"]) == (400, "/problems/bad-json")
    refused = act(browser, "odd", action="resolve", resolution="nonsense", reason="x")
    assert (refused.status_code, "confirmed_fraud" in refused.json()["detail"]) == (422, True)
    act(browser, "once")
    other = act(browser, "once", reason="something else")
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-used")


@pytest.mark.parametrize(
    ("path", "about"),
    [
        (f"/api/alerts/{ALERT}/actions", {"version": 1}),
        ("/api/alerts/actions", {"alerts": [{"alert_id": ALERT, "version": 1}]}),
    ],
)
def test_what_nobody_can_do_is_not_written_down_as_done(
    room: Room, path: str, about: dict[str, object]
) -> None:
    """Whoever may act had any words of forty letters in the list of what was done."""
    browser = room.browser("the-operator")
    for no, action in enumerate(("user role the-operator admin", ["resolve"], None)):
        headers = {"Idempotency-Key": f"forged-{no}"}
        refused = browser.post(path, json={"action": action, **about}, headers=headers)
        assert refused.status_code in {400, 422}, refused.text
        written = room.register.deeds(1)[0][1]
        assert (written.what, written.outcome[:4]) == ("unknown action", f"{refused.status_code} ")


def test_every_change_needs_the_sessions_token_and_a_page_of_ours(room: Room) -> None:
    """The cookie comes with a link of another site, too: it alone changes nothing."""
    browser = room.browser("the-admin")
    changes = [
        (method.upper(), path.replace("{alert_id}", ALERT).replace("{lot_id}", "L-1"))
        for path, methods in room.app.openapi()["paths"].items()
        for method in methods.keys() - {"get"}
        if path != "/login"
    ]
    assert {path for _, path in changes} >= {"/logout", "/api/sql", "/api/lots/L-1/hold"}
    evil = {"Origin": "http://evil.example"}
    for method, path in changes:
        for headers, name in (({CSRF_HEADER: ""}, "no-csrf-token"), (evil, "foreign-origin")):
            refused = browser.request(method, path, headers=headers)
            assert (refused.status_code, refused.json()["type"]) == (403, f"/problems/{name}"), path
    assert browser.get("/api/me").status_code == 200


def test_an_alert_is_given_to_who_may_act_and_shelved_for_a_time_to_come(room: Room) -> None:
    browser = room.browser("the-operator")
    people = browser.get("/api/people").json()["people"]
    for unheard in ("role", "format"):
        misspelt = browser.get("/api/people", params={unheard: "x"})
        assert (misspelt.status_code, misspelt.json()["type"]) == (400, "/problems/bad-query")
        assert misspelt.json()["detail"].startswith(f"{unheard}: no parameter is heard here")
    assert people == ["the-admin", "the-operator"]
    assert room.browser("the-viewer").get("/api/people").status_code == 403
    for no, name in enumerate(("nobody-here", "the-viewer")):
        refused = act(browser, f"give-{no}", action="assign", assignee=name)
        assert (refused.status_code, refused.json()["type"]) == (400, "/problems/unknown-user")
        assert "the-admin, the-operator" in refused.json()["detail"]
    assert act(browser, "give-ok", action="assign", assignee="the-admin").status_code == 202
    assert act(browser, "give-none", action="assign").status_code == 202
    for no, ago_s in enumerate((0, 3_600)):
        past = moment(room, seconds=-ago_s)
        refused = act(browser, f"past-{no}", action="shelve", reason="wait", until=past)
        assert (refused.status_code, refused.json()["type"]) == (400, "/problems/past-time")
        assert refused.json()["detail"].startswith("until: ")
    for no, ahead in enumerate((moment(room, seconds=1), moment(room, days=90))):
        shelved = act(browser, f"ahead-{no}", action="shelve", reason="wait", until=ahead)
        assert shelved.status_code == 202
    beyond = act(
        browser, "beyond", action="shelve", reason="wait", until=moment(room, days=90, seconds=1)
    )
    assert (beyond.status_code, "within 90 days" in beyond.json()["detail"]) == (422, True)
    odd = act(browser, "odd-time", action="shelve", reason="wait", until="tomorrow")
    assert odd.status_code == 422


def test_a_gateway_that_is_away_is_503_and_written_down(
    room: Room, running: tuple[Room, Path]
) -> None:
    _, secret = running
    secret.write_text("wrong")
    said = act(room.browser("the-operator"), "away")
    secret.write_text(TOKEN)
    assert (said.status_code, said.headers["retry-after"]) == (503, "5")
    assert "401" in said.json()["detail"]
    assert room.register.deeds(1)[0][1].outcome.startswith("503 gateway-away")
    nowhere = Gateway("http://127.0.0.1:1", secret, None)
    with closing(nowhere), pytest.raises(Problem, match="does not answer"):
        nowhere.post({})


def status(room: Room, lot: str = "L-1", **params: str) -> dict[str, object]:
    said = room.client().get(
        f"/v1/lots/{lot}/status", params=params, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert said.status_code == 200, said.text
    found: dict[str, object] = said.json()
    return found


def taken(
    room: Room,
    no: int,
    action: str,
    movement: str | None = None,
    *,
    at: int = 0,
    lot: str = "L-1",
    ends: str | None = None,
) -> None:
    room.insert(
        "action",
        event_id=f"e-{no}",
        action=action,
        subject=f"lot/{lot}",
        actor=f"p{no}",
        reason=f"r{no}",
        movement_id=movement,
        hold_id=ends,
        recorded_at=f"2026-11-05 07:00:{at or no:02d}.000000",
    )


def test_a_gate_that_names_its_load_by_a_wrong_word_is_told_so(room: Room) -> None:
    """It was answered for all of the lot."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    said = room.client().get("/v1/lots/L-1/status", params={"movement": "W-1"}, headers=headers)
    assert said.status_code == 400
    assert "movement: heard here are movement_id;" in said.json()["detail"]


def test_a_lot_that_only_a_process_has_named_may_go_and_be_held(room: Room) -> None:
    """It had a page with what it holds, and the gate said that no fact of it was known."""
    assert status(room, lot="OUT-1")["status"] == "UNKNOWN"
    made = {"parent": "process/P-1", "child": "lot/OUT-1", "kind": "process_output"}
    room.insert("edge", **made, sender="worker/0", n=1, mass_wet_g=20_000_000)
    assert status(room, lot="OUT-1")["status"] == "CLEAR"
    held = hold(room.browser("the-operator"), "of-output", {"reason": "seal broken"}, "OUT-1")
    assert held.status_code == 202


def test_a_held_lot_says_so_and_who_held_it_since_when(room: Room) -> None:
    assert status(room)["status"] == "UNKNOWN", "no fact of it is known"
    taken(room, 1, "hold")
    taken(room, 2, "hold")
    said = status(room)
    assert said["status"] == "HOLD"
    assert said["holds"] == [
        {"hold_id": f"e-{no}", "movement_id": None, "actor": f"p{no}", "reason": f"r{no}",
         "since": f"2026-11-05T07:00:0{no}Z"} for no in (1, 2)
    ]  # fmt: skip
    assert [row["alert_id"] for row in said["open_alerts"]] == [ALERT]  # type: ignore[attr-defined]
    taken(room, 3, "release")
    room.version(2, "resolved", actor="ann", action_id="x")
    said = status(room)
    assert (said["status"], said["holds"], said["open_alerts"]) == ("CLEAR", [], [])


def test_each_hold_stands_until_it_is_released_itself(room: Room) -> None:
    taken(room, 1, "hold")
    taken(room, 2, "hold")
    taken(room, 3, "release", ends="e-2")
    viewer = room.browser("the-viewer")
    standing = [
        (hold["hold_id"], hold["actor"]) for hold in viewer.get("/api/holds").json()["holds"]
    ]
    assert standing == [("e-1", "p1")]
    assert status(room)["status"] == "HOLD"
    assert status(room)["holds"] == [
        {"hold_id": "e-1", "movement_id": None, "actor": "p1", "reason": "r1",
         "since": "2026-11-05T07:00:01Z"}
    ]  # fmt: skip
    held = status(room)["holds"]
    taken(room, 5, "hold", at=8)
    taken(room, 6, "release", at=7, ends="e-5")
    assert status(room)["holds"] == held, "the clocks of two gateways"
    assert len(viewer.get("/api/holds").json()["holds"]) == 1
    taken(room, 9, "release")
    assert status(room)["holds"] == viewer.get("/api/holds").json()["holds"] == []


def test_a_release_of_another_load_ends_neither_the_lots_hold_nor_the_loads(room: Room) -> None:
    taken(room, 1, "hold")
    taken(room, 2, "hold", "WAY-1")
    taken(room, 3, "release", "WAY-1", ends="e-1")
    taken(room, 4, "release", "WAY-2", ends="e-2")
    viewer = room.browser("the-viewer")
    held = viewer.get("/api/holds").json()["holds"]
    assert [one["hold_id"] for one in held] == ["e-1", "e-2"]
    told = status(room)["holds"]
    assert isinstance(told, list)
    assert [one["hold_id"] for one in told] == ["e-1", "e-2"]
    taken(room, 5, "release", ends="e-2")
    taken(room, 6, "release", ends="e-1")
    assert status(room)["holds"] == viewer.get("/api/holds").json()["holds"] == []


def test_a_release_ends_the_hold_it_names_or_the_only_one(room: Room) -> None:
    browser = room.browser("the-operator")
    for key in ("olga", "otto"):
        event_id = derived_id("console", ["the-operator", key])
        room.insert(
            "action", event_id=event_id, action="hold", subject="lot/L-9", actor=key, reason="r",
            recorded_at="2026-11-05 07:00:01.000000",
        )  # fmt: skip
        assert hold(browser, key, {"reason": "r", "unknown": True}, "L-9").status_code == 200
    olga, otto = (derived_id("console", ["the-operator", key]) for key in ("olga", "otto"))

    def ended(key: str, **body: str) -> httpx.Response:
        return browser.post(
            "/api/lots/L-9/release", json={"reason": "r", **body}, headers={"Idempotency-Key": key}
        )

    several = ended("r-1")
    assert (several.status_code, several.json()["type"]) == (409, "/problems/conflict")
    assert {one["hold_id"] for one in several.json()["holds"]} == {olga, otto}
    assert olga in several.json()["detail"]
    assert room.register.deeds(1)[0][1].outcome.startswith("not taken: 2 holds of lot L-9 stand")
    for no, body in enumerate(({"hold_id": ALERT}, {"movement_id": "W"}, {"hold_id": olga,
                               "movement_id": "W"})):  # fmt: skip
        assert ended(f"none-{no}", **body).status_code == 409
    assert ended("r-2", hold_id=otto).status_code == 202
    release_id = derived_id("console", ["the-operator", "r-2"])
    room.insert(
        "action", event_id=release_id, action="release", subject="lot/L-9", actor="the-operator",
        reason="r", hold_id=otto, recorded_at="2026-11-05 07:00:02.000000",
    )  # fmt: skip
    again = ended("r-2", hold_id=otto)
    assert (again.status_code, again.json()["gateway"]["result"]) == (200, "duplicate")
    assert ended("r-3").status_code == 202
    named = ended("r-3", hold_id=olga)
    assert named.json()["gateway"]["result"] == "duplicate", "what was sent says its name"


def test_what_is_not_held_cannot_be_released(room: Room) -> None:
    browser = room.browser("the-operator")
    refused = browser.post(
        "/api/lots/L-NOT/release", json={"reason": "r"}, headers={"Idempotency-Key": "not"}
    )
    assert (refused.status_code, refused.json()["holds"]) == (409, [])
    assert "lot L-NOT is not held" in refused.json()["detail"]


def test_a_load_is_held_by_itself(room: Room) -> None:
    taken(room, 1, "hold", "WAY-1")
    assert status(room)["status"] == "HOLD", "asked for the lot, any load counts"
    assert status(room, movement_id="WAY-1")["status"] == "HOLD"
    assert status(room, movement_id="WAY-2")["status"] == "CLEAR"
    taken(room, 2, "release")
    assert status(room, movement_id="WAY-1")["status"] == "HOLD", "the lot's release is not its"
    taken(room, 3, "hold")
    taken(room, 4, "release", "WAY-1")
    assert status(room, movement_id="WAY-1")["status"] == "HOLD", "the lot is held"


def test_all_that_is_held_is_in_one_list_and_handed_over_whenever_it_was_held(room: Room) -> None:
    taken(room, 1, "hold", lot="L-OVER")
    taken(room, 2, "release", lot="L-OVER")
    taken(room, 3, "hold", "WAY-1")
    taken(room, 4, "hold")
    taken(room, 5, "release")
    taken(room, 6, "hold")
    taken(room, 7, "hold")
    taken(room, 8, "hold", lot="L-2")
    viewer = room.browser("the-viewer")
    held = viewer.get("/api/holds").json()["holds"]
    assert [(row["lot_id"], row["movement_id"], row["since"][17:19]) for row in held] == [
        ("L-1", "WAY-1", "03"),
        ("L-1", None, "06"),
        ("L-1", None, "07"),
        ("L-2", None, "08"),
    ]
    assert [(row["actor"], row["reason"]) for row in held[1:3]] == [("p6", "r6"), ("p7", "r7")]
    # The gate is told the same of each lot.
    for lot in ("L-1", "L-2", "L-OVER"):
        told = [{k: row[k] for k in ("hold_id", "movement_id", "actor", "reason")} for row in held
                if row["lot_id"] == lot]  # fmt: skip
        said = status(room, lot)["holds"]
        assert isinstance(said, list)
        assert [{k: v for k, v in one.items() if k != "since"} for one in said] == told
    late = {"since": "2026-11-20T00:00:00Z", "until": "2026-11-20T08:00:00Z"}
    over = viewer.get("/api/handover", params=late).json()
    assert (over["holds"], over["deeds"]) == (held, [])
    early = {"since": "2026-11-05T06:00:00Z", "until": "2026-11-05T07:00:03.5Z"}
    then = viewer.get("/api/handover", params=early).json()["holds"]
    assert [row["movement_id"] for row in then] == ["WAY-1"]


def test_the_end_of_shelving_takes_nothing_of_what_the_evidence_says(room: Room) -> None:
    over = "the time of shelving is over"
    room.version(2, "shelved", actor="ann", action_id="a", reason="sample is on its way")
    room.version(3, "open", reason=over)
    viewer = room.browser("the-viewer")
    (standing,) = viewer.get("/api/alerts").json()["alerts"]
    assert (standing["reason"], standing["why"]) == (over, "mass falls")
    span = {"since": "1969-12-31T12:00:00Z", "until": "1970-01-01T12:00:00Z"}
    found = viewer.get("/api/handover", params=span).json()
    assert [row["why"] for row in found["standing"]] == ["mass falls"]
    steps = [(row["before"], row["state"]) for row in found["changes"]]
    assert steps == [(None, "open"), ("open", "shelved"), ("shelved", "open")]


def test_a_handover_says_to_whom_and_calls_an_alert_by_its_name(room: Room) -> None:
    room.version(2, "open", actor="ann", action_id="a", reason="assign", assignee="bob")
    room.version(3, "open", actor="ann", action_id="b", reason="assign")
    room.insert(
        "action", event_id="c-1", action="comment", alert_id=ALERT, subject="lot/L-1", actor="bob",
        reason="called the site", recorded_at="1970-01-01 00:00:07.000000",
    )  # fmt: skip
    room.insert(
        "action", event_id="h-1", action="hold", subject="lot/L-1", actor="bob", reason="seal",
        recorded_at="1970-01-01 00:00:08.000000",
    )  # fmt: skip
    span = {"since": "1969-12-31T12:00:00Z", "until": "1970-01-01T12:00:00Z"}
    found = room.browser("the-viewer").get("/api/handover", params=span).json()
    given = [(row["assignee_before"], row["assignee"]) for row in found["changes"]]
    assert given == [(None, None), (None, "bob"), ("bob", None)]
    deeds = [(row["action"], row["alert_id"], row["subject"]) for row in found["deeds"]]
    assert deeds == [("comment", ALERT, "lot/L-1"), ("hold", None, "lot/L-1")]
    named = [(row["rule"], row["family"], row["statistic"]) for row in found["deeds"]]
    assert named == [("lot_eprocess", "loss", "e_value"), (None, None, None)]


COMMENTED = f"""
    (event_id, action, alert_id, subject, actor, reason, recorded_at)
    SELECT concat('c-', toString(number)), 'comment', '{ALERT}', 'lot/L-1', 'bob',
    toString(number), addMilliseconds(toDateTime64('1970-01-01 00:00:07', 6, 'UTC'), number)
"""
VERSIONS_SAID = f"""
    (alert_id, version, n, state, rule, family, statistic, subject, lot_id, severity, reason,
    timestamp)
    SELECT '{ALERT}', number + 2, number + 2, if(number % 2, 'open', 'acknowledged'),
    'lot_eprocess', 'loss', 'e_value', 'lot/L-1', 'L-1', 'high', toString(number),
    addMilliseconds(toDateTime64('1970-01-01 00:00:07', 6, 'UTC'), number)
"""
FIRST_HOURS = {"since": "1969-12-31T12:00:00Z", "until": "1970-01-01T12:00:00Z"}


def test_a_handover_has_the_last_deeds_and_changes_and_counts_the_others(room: Room) -> None:
    """Of 5,001 deeds the last was missing, and the figure on top said 5,000."""
    room.many("action", COMMENTED, 5_000)
    room.insert(
        "action", event_id="h-1", action="hold", subject="lot/L-1", actor="bob", reason="the last",
        recorded_at="1970-01-01 00:00:13.000000",
    )  # fmt: skip
    room.many("alert", VERSIONS_SAID, 5_002)
    found = room.browser("the-viewer").get("/api/handover", params=FIRST_HOURS).json()
    reasons = [row["reason"] for row in found["deeds"]]
    assert reasons == [*(f"{no}" for no in range(1, 5_000)), "the last"], "in their order"
    assert [row["reason"] for row in found["changes"]] == [f"{no}" for no in range(2, 5_002)]
    # Left out: version 1, which opened it; 2, acknowledged; 3, open again.
    assert found["left_out"] == {
        "standing": 0, "held": 0, "deeds": 1, "changed": 1, "opened": 2,
    }  # fmt: skip


STANDING_MANY = """
    (alert_id, version, n, state, rule, family, statistic, subject, lot_id, severity, reason,
    timestamp)
    SELECT concat('many-', toString(number)), 1, number + 2, if(number % 10, 'open', 'shelved'),
    'lot_eprocess', 'loss', 'e_value', 'lot/L-1', 'L-1', if(number < 5002, 'medium', 'low'),
    'many', toDateTime64('1970-01-01 00:00:07', 6, 'UTC')
"""


def test_more_alerts_than_a_page_draws_are_counted_by_severity(room: Room) -> None:
    """Of 5,031 that stand the page said that 5,000 are to be settled."""
    found = room.browser("the-viewer").get("/api/alerts").json()
    assert (len(found["alerts"]), set(found["left_out"].values())) == (1, {0})
    room.many("alert", STANDING_MANY, 5_030)
    found = room.browser("the-viewer").get("/api/alerts").json()
    assert len(found["alerts"]) == 5_000
    # The worst come first: of 5,002 medium ones three are left out, and all 28 low ones.
    assert found["left_out"] == {"critical": 0, "high": 0, "medium": 3, "low": 26, "shelved": 2}


def test_a_handover_that_is_whole_leaves_nothing_out(room: Room) -> None:
    room.version(2, "acknowledged", actor="ann", action_id="a", reason="seen")
    found = room.browser("the-viewer").get("/api/handover", params=FIRST_HOURS).json()
    assert (len(found["changes"]), set(found["left_out"].values())) == (2, {0})


def test_an_alert_has_its_last_comments_and_versions(room: Room) -> None:
    room.many("action", COMMENTED, 1_001)
    room.many("alert", VERSIONS_SAID, 1_001)
    found = room.browser("the-viewer").get(f"/api/alerts/{ALERT}").json()
    last = [f"{no}" for no in range(1, 1_001)]
    assert [row["reason"] for row in found["comments"]] == last
    assert [row["reason"] for row in found["versions"]] == last


@pytest.mark.parametrize(
    "until",
    ["9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "0001-01-01T01:00:00Z", "x"],
)
def test_a_handover_of_no_time_that_there_is_is_refused(room: Room, until: str) -> None:
    refused = room.browser("the-viewer").get("/api/handover", params={"until": until})
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/bad-query")


def test_the_order_is_of_the_gateways_clock_whatever_was_stored_first(room: Room) -> None:
    taken(room, 9, "release", at=2)
    taken(room, 8, "hold", at=1)
    assert status(room)["status"] == "CLEAR"
    taken(room, 7, "hold", at=2)
    assert status(room)["status"] == "CLEAR", "of one moment the id decides, as in the worker"


def test_what_kafka_has_and_the_warehouse_not_yet_counts_once(room: Room) -> None:
    row: Row = {
        "event_id": "e-1",
        "action": "hold",
        "actor": "p1",
        "reason": "r1",
        "movement_id": None,
        "hold_id": None,
    }
    room.recent = [row | {"recorded_at": "2026-11-05 07:00:01.000000"}]
    assert status(room)["status"] == "HOLD"
    taken(room, 1, "hold")
    taken(room, 2, "release")
    assert status(room)["status"] == "CLEAR"


def test_nothing_is_clear_while_the_warehouse_does_not_get_on(room: Room) -> None:
    taken(room, 1, "hold")
    taken(room, 2, "release")
    room.failing = "records wait"
    said = status(room)
    assert (said["status"], said["why"]) == ("UNKNOWN", "records wait")
    taken(room, 3, "hold")
    assert status(room)["status"] == "HOLD", "what is known to be held is held"


def test_a_gate_asks_with_a_token_and_a_person_with_a_session(room: Room) -> None:
    path = "/v1/lots/L-1/status"
    assert room.client().get(path).status_code == 401
    wrong = room.client().get(path, headers={"Authorization": "Bearer x"})
    assert wrong.json()["type"] == "/problems/no-token"
    assert room.browser("the-viewer").get(path).json()["lot_id"] == "L-1"
    assert status(room, "a/b")["lot_id"] == "a/b"


def test_no_truck_goes_by_an_id_that_is_empty(room: Room) -> None:
    """Facts and alerts about no lot have an empty id of one: a gate with no ``$LOT`` got CLEAR."""
    room.insert("processing", event_id="of-no-lot", site_id="MINE", process_id="P-1")
    row = {"alert_id": "of-no-lot", "version": 1, "n": 1, "state": "open", "severity": "high"}
    row |= {"rule": "instrument_drift", "family": "scale_bias", "statistic": "e_value"}
    room.insert("alert", **row, subject="instrument/WB-1", lot_id="")
    said = status(room, "")
    assert (said["lot_id"], said["status"], said["open_alerts"]) == ("", "UNKNOWN", [])
    assert said["why"] == "no lot is named: its id is empty"
    for unknown in (False, True):
        about = {"reason": "seal broken", "unknown": unknown}
        refused = hold(room.browser("the-operator"), f"empty-{unknown}", about, "")
        assert (refused.status_code, refused.json()["type"]) == (404, "/problems/unknown-lot")


def test_a_load_that_is_not_named_is_all_of_the_lot(room: Room) -> None:
    """A gate with no ``$TRIP`` was told that a load without a name is not held."""
    taken(room, 1, "hold", "W-9")
    said = status(room, "L-1", movement_id="")
    assert (said["movement_id"], said["status"]) == (None, "HOLD")


def test_a_hold_is_known_here_once_it_is_stored(room: Room) -> None:
    browser = room.browser("the-operator")
    about = {"reason": "seal broken", "unknown": True}
    assert hold(browser, "h1", about).json()["result"] == "on its way"
    event_id = derived_id("console", ["the-operator", "h1"])
    room.insert("action", event_id=event_id, action="hold", subject="lot/L-1", actor="x")
    said = hold(browser, "h1", about)
    assert (said.status_code, said.json()["gateway"]["result"]) == (200, "duplicate")
    assert hold(browser, "h2", {"version": 1}).json()["type"] == "/problems/unknown-field"
    room.insert("action", event_id=ALERT, action="hold", subject="lot/L-1", movement_id="W")
    release = browser.post(
        "/api/lots/L-1/release",
        json={"movement_id": "W", "reason": "r"},
        headers={"Idempotency-Key": "h3"},
    )
    assert release.status_code == 202
    assert room.register.deeds(1)[0][1].about == "lot/L-1 W"


def test_a_hold_says_why_and_is_of_a_lot_that_somebody_has_heard_of(room: Room) -> None:
    browser = room.browser("the-operator")
    for no, reason in enumerate((None, "", "  ", 7)):
        refused = hold(browser, f"why-{no}", {} if reason is None else {"reason": reason})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/missing-field")
        assert refused.json()["detail"].startswith("reason: ")
    mistyped = hold(browser, "typo", {"reason": "seal broken"}, "L-NEVER")
    assert (mistyped.status_code, mistyped.json()["type"]) == (404, "/problems/unknown-lot")
    assert '"unknown": true' in mistyped.json()["detail"]
    assert room.register.deeds(1)[0][1].outcome.startswith("404 unknown-lot")
    odd = hold(browser, "odd-1", {"reason": "x", "unknown": "yes"}, "L-NEVER")
    assert odd.json()["type"] == "/problems/bad-field"
    meant = hold(browser, "meant", {"reason": "it is to come", "unknown": True}, "L-NEVER")
    assert meant.status_code == 202
    room.insert("lot", event_id="declared", lot_id="L-KNOWN", site_id="MINE")
    assert hold(browser, "known", {"reason": "seal broken"}, "L-KNOWN").status_code == 202
    room.insert("weighing", event_id="w", lot_id="L-KNOWN", site_id="MINE", movement_id="W-MINE")
    room.insert("shipment", event_id="s", lot_id="L-KNOWN", site_id="MINE", movement_id="W-SENT")
    room.insert("shipment", event_id="o", lot_id="L-OTHER", site_id="MINE", movement_id="W-OTHER")
    for load in ("W-NEVER", "W-OTHER"):
        about: dict[str, object] = {"reason": "seal broken", "movement_id": load}
        mistyped = hold(browser, f"typo-{load}", about, "L-KNOWN")
        assert (mistyped.status_code, mistyped.json()["type"]) == (404, "/problems/unknown-load")
        assert '"unknown": true' in mistyped.json()["detail"]
        meant = hold(browser, f"meant-{load}", about | {"unknown": True}, "L-KNOWN")
        assert meant.status_code == 202
    for load in ("W-MINE", "W-SENT"):
        about = {"reason": "seal broken", "movement_id": load}
        assert hold(browser, f"known-{load}", about, "L-KNOWN").status_code == 202


def test_no_hold_is_taken_that_would_not_be_kept(room: Room) -> None:
    browser, about = room.browser("the-operator"), {"reason": "seal broken", "unknown": True}
    for no in range(HOLDS_MAX):
        taken(room, no, "hold", f"W-{no}", at=1 + no // 10, lot="L-FULL")
    refused = hold(browser, "one-too-many", about, "L-FULL")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert f"{HOLDS_MAX} holds of lot L-FULL stand" in refused.json()["detail"]
    assert len(refused.json()["holds"]) == HOLDS_MAX
    mine = derived_id("console", ["the-operator", "one-too-many"])
    assert room.posted([mine]) == set()
    assert room.register.deeds(1)[0][1].outcome.startswith("not taken: 64 holds")
    taken(room, 99, "release", at=58, lot="L-FULL", ends="e-0")
    assert hold(browser, "room-again", about, "L-FULL").status_code == 202
    mine = derived_id("console", ["the-operator", "room-again"])
    room.insert("action", event_id=mine, action="hold", subject="lot/L-FULL", actor="x")
    again = hold(browser, "room-again", about, "L-FULL")
    assert (again.status_code, again.json()["gateway"]["result"]) == (200, "duplicate")


def test_up_to_when_all_is_known_is_asked_every_ten_seconds(room: Room) -> None:
    asked: list[str] = []
    room.clock.pass_s(11)
    room.on_ask = lambda statement: (
        asked.append(statement) if "v_complete_to" in statement else None
    )
    assert status(room)["complete_to"] is None
    status(room)
    assert len(asked) == 1
    room.clock.pass_s(11)
    status(room)
    assert len(asked) == 2


def sql(browser: httpx.Client, statement: str, **params: str) -> httpx.Response:
    return browser.post("/api/sql", content=statement, params=params)


def test_an_analyst_asks_the_views_an_admin_all_and_others_nothing(room: Room) -> None:
    analyst, admin = room.browser("the-analyst"), room.browser("the-admin")
    said = sql(analyst, "SELECT {n:Int8} AS n", param_n="5")
    assert (said.status_code, said.json()) == (200, {"n": 5})
    csv = sql(analyst, "SELECT count() AS alerts FROM v_alerts", format="CSVWithNames")
    assert csv.text == '"alerts"\n1\n'
    assert sql(analyst, "SELECT count() FROM alert").status_code == 403
    assert sql(admin, "SELECT count() AS n FROM alert").json() == {"n": 1}
    assert sql(admin, "DROP TABLE alert").status_code == 403
    assert sql(admin, "SELECT '" + "x" * 1_000 + "'").status_code == 413
    refused = sql(room.browser("the-operator"), "SELECT 1")
    assert refused.json()["type"] == "/problems/not-for-this-role"
    assert sql(room.client(), "SELECT 1").status_code == 401
    assert None in room.ended
    deeds = [(deed.actor, deed.about, deed.outcome) for _, deed in room.register.deeds(20)]
    (refused_why,) = {why for _, about, why in deeds if about == "SELECT count() FROM alert"}
    assert refused_why.startswith("refused: 403 not-allowed: ")
    assert ("the-analyst", "SELECT {n:Int8} AS n", "asked") in deeds
    assert ("the-operator", "SELECT 1", "not allowed") in deeds


def test_what_a_page_asks_by_itself_is_not_written_down_as_asked_by_its_user(room: Room) -> None:
    """Whoever opened Explore had asked for the columns of all views, by the audit."""
    [asked_by_page] = re.findall(
        r'"(SELECT [^"]*)"', tree.text(Path("console/pages/explore_views.js"))
    )
    analyst = room.browser("the-analyst")
    before = room.register.deeds(1)
    assert sql(analyst, asked_by_page).status_code == 200
    assert room.register.deeds(1) == before
    assert sql(analyst, f"{asked_by_page} LIMIT 1").status_code == 200
    [(_, deed)] = room.register.deeds(1)
    assert (deed.about, deed.outcome) == (f"{asked_by_page} LIMIT 1", "asked")


def test_a_statement_that_the_engine_refuses_was_asked_and_is_written_down_as_refused(
    room: Room,
) -> None:
    statement = "SELECT nothing FROM v_alerts"
    assert sql(room.browser("the-analyst"), statement).status_code == 400
    told = [deed.outcome[:26] for _, deed in room.register.deeds(2) if deed.about == statement]
    assert sorted(told) == ["asked", "refused: 400 query-failed:"]
