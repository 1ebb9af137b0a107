"""Users, sessions and the door: who comes in, what each may do, and what is written down."""

import sqlite3
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console.headers import HEADERS
from console.people import passwords
from console.people.file import FILE, PeopleFile
from console.people.passwords import Cost, UnfitPassword
from console.people.register import FIRST, Register
from console.people.roles import RIGHTS, Right, Role
from console.people.throttle import ADDRESS, USER, Throttle
from console.people.user import LastAdmin, NameTaken, UnfitName, UnknownUser
from console.visits import CSRF_HEADER
from console.wording import LANGUAGES, catalogue, words
from tests.support import tree
from tests.support.visitors import (
    CHEAP,
    ORIGIN,
    PASSWORD,
    Clock,
    Desk,
    log_in,
    logged_in,
    people,
)

NEW = "another four words here"
NEWCOMER = "the-newcomer"
COMPOSED = "un caf\u00e9 noir sans sucre"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with people(tmp_path / "console") as made:
        for role in Role:
            made.user(f"the-{role}", role)
        yield made


def outcomes(desk: Desk) -> list[tuple[str, str, str]]:
    return [(deed.actor, deed.what, deed.outcome) for _, deed in desk.register.deeds(100)]


def test_the_file_is_its_owners_and_has_no_password_in_it(desk: Desk, tmp_path: Path) -> None:
    logged_in(desk.client(), "the-viewer")
    for path in (tmp_path / "console").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert PASSWORD.encode() not in path.read_bytes()
    with closing(sqlite3.connect(tmp_path / "console" / FILE)) as file:
        kept = {row[0] for row in file.execute("SELECT password FROM user")}
    assert len(kept) == len(Role)
    assert all(text.startswith("$argon2id$") for text in kept), "the salt makes them differ"


def test_a_guess_costs_what_the_rfc_asks_for() -> None:
    cost = Cost()
    assert (cost.passes, cost.memory_bytes >> 20) == (3, 64), "RFC 9106, its second choice"


@pytest.mark.parametrize(
    ("given", "why", "other"),
    [
        ("short", "has 5 characters\n  expected: 12 to 256", "name"),
        ("x" * 257, "has 257 characters\n  expected: 12 to 256", "name"),
        ("J.Ilunga is my name", "has the name of its user in it", "characters"),
    ],
)
def test_an_unfit_password_is_refused_for_what_is_wrong_with_it_and_nothing_else(
    given: str, why: str, other: str
) -> None:
    with pytest.raises(UnfitPassword, match=why) as refused:
        passwords.check("j.ilunga", given)
    assert other not in str(refused.value)


def test_a_password_is_not_changed_to_itself(desk: Desk) -> None:
    desk.register.add(NEWCOMER, Role.VIEWER, COMPOSED, desk.clock(), must_change=True)
    browser = logged_in(desk.client(), NEWCOMER, COMPOSED)
    for same in (COMPOSED, unicodedata.normalize("NFD", COMPOSED)):
        refused = browser.post("/api/password", json={"old": COMPOSED, "new": same})
        assert (refused.status_code, refused.json()["type"]) == (400, "/problems/unfit-password")
        assert "is the one that is to be changed" in refused.json()["detail"]
        assert browser.get("/api/me").json()["must_change_password"] is True
    changed = browser.post("/api/password", json={"old": COMPOSED, "new": NEW})
    assert changed.json()["must_change_password"] is False


def test_the_same_letters_are_the_same_password_on_any_keyboard() -> None:
    kept = passwords.digest_of("cafe\u0301 au lait sucre", CHEAP)
    assert passwords.is_right(kept, "caf\u00e9 au lait sucre")
    assert not passwords.is_right(kept, "cafe au lait sucre")


def test_the_first_admin_is_made_once_and_opens_only_its_own_change(tmp_path: Path) -> None:
    with people(tmp_path / "console") as desk:
        path = desk.register.add_first(desk.clock())
        assert path is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert desk.register.add_first(desk.clock()) is None
        once = path.read_text().strip()
        browser = logged_in(desk.client(), FIRST, once)
        assert browser.get("/api/me").json()["rights"] == []
        assert browser.get("/api/audit").json()["type"] == "/problems/password-to-be-changed"
        changed = browser.post("/api/password", json={"old": once, "new": NEW})
        assert changed.json()["must_change_password"] is False
        assert browser.get("/api/audit").status_code == 200
        assert not path.exists()


def test_each_role_has_its_rights_and_the_page_says_the_same(desk: Desk) -> None:
    said = {
        cells[0].strip("`"): [bool(cell) for cell in cells[1:]]
        for line in tree.text(Path("docs/access.md")).splitlines()
        if (cells := [cell.strip() for cell in line.strip("|").split("|")])
        and cells[0].strip("`") in set(Role)
        and len(cells) == 1 + len(Right)
    }
    assert said == {r.value: [right in RIGHTS[r] for right in Right] for r in Role}
    for role in Role:
        browser = desk.browser(f"the-{role}")
        assert browser.get("/api/me").json()["rights"] == sorted(RIGHTS[role])
        allowed = browser.get("/api/audit").status_code == 200
        assert allowed is (Right.MANAGE in RIGHTS[role])


def test_a_cookie_is_for_no_script_and_comes_with_a_link_of_another_site_alone(
    tmp_path: Path,
) -> None:
    with people(tmp_path / "plain") as desk:
        desk.user("ann", Role.VIEWER)
        cookie = log_in(desk.client(), "ann").headers["set-cookie"]
        assert cookie.startswith("custody=")
        assert {"HttpOnly", "Path=/", "SameSite=lax"} == set(cookie.split("; ")[1:])
    with people(tmp_path / "tls", "https://custody.example") as desk:
        desk.user("ann", Role.VIEWER)
        said = log_in(desk.client(), "ann")
        assert said.headers["set-cookie"].startswith("__Host-custody=")
        assert "Secure" in said.headers["set-cookie"].split("; ")
        assert "max-age" in said.headers["strict-transport-security"]


def test_a_session_ends_when_idle_and_when_old(desk: Desk) -> None:
    browser = desk.browser("the-viewer")
    for _ in range(47):
        desk.clock.pass_s(1_800)
        assert browser.get("/api/me").status_code == 200
    desk.clock.pass_s(1_801)
    assert browser.get("/api/me").status_code == 401, "a day has passed"
    again = desk.browser("the-viewer")
    desk.clock.pass_s(3_601)
    assert again.get("/api/me").status_code == 401, "nobody was there for an hour"


def test_logout_ends_one_session_and_a_new_password_all_of_them(desk: Desk) -> None:
    one, other, third = (desk.browser("the-viewer") for _ in range(3))
    secret = one.cookies["custody"]
    assert one.post("/logout").status_code == 204
    assert desk.sessions.find(secret) is None
    assert other.get("/api/me").status_code == 200
    wrong = other.post("/api/password", json={"old": "wrong", "new": NEW})
    assert wrong.status_code == 401
    said = other.post("/api/password", json={"old": PASSWORD, "new": NEW})
    assert said.status_code == 200
    assert third.get("/api/me").status_code == 401
    assert other.get("/api/me").json()["csrf_token"] == said.json()["csrf_token"]


def test_who_is_disabled_is_out_at_once_and_another_process_sees_it(desk: Desk) -> None:
    browser = desk.browser("the-operator")
    with closing(PeopleFile(desk.file.path.parent)) as file:
        register = Register(file, CHEAP)
        register.disable("the-operator", desk.clock())
        assert browser.get("/api/me").status_code == 401
        assert log_in(desk.client(), "the-operator").status_code == 401
        register.enable("the-operator")
    assert log_in(desk.client(), "the-operator").status_code == 200


def test_an_admin_is_left_and_names_are_given_once(desk: Desk) -> None:
    with pytest.raises(LastAdmin):
        desk.register.disable("the-admin", desk.clock())
    with pytest.raises(LastAdmin):
        desk.register.set_role("the-admin", Role.VIEWER)
    assert desk.register.user("the-admin").role is Role.ADMIN
    assert desk.register.user("the-admin").disabled_at is None
    with pytest.raises(NameTaken):
        desk.user("the-viewer", Role.ADMIN)
    with pytest.raises(UnknownUser):
        desk.register.disable("nobody", desk.clock())
    for name in ("", "Ann", "a b", "os:ann", "é", "x" * 65):
        with pytest.raises(UnfitName):
            desk.user(name, Role.VIEWER)


def test_a_change_needs_the_sessions_token_and_a_page_of_ours(desk: Desk) -> None:
    browser, other = desk.browser("the-viewer"), desk.browser("the-analyst")
    for headers, name in (
        ({CSRF_HEADER: ""}, "no-csrf-token"),
        ({CSRF_HEADER: other.headers[CSRF_HEADER]}, "no-csrf-token"),
        ({"Origin": "http://evil.example"}, "foreign-origin"),
        ({"Origin": "null"}, "foreign-origin"),
        ({"Sec-Fetch-Site": "cross-site"}, "foreign-origin"),
        ({"Sec-Fetch-Site": "same-site"}, "foreign-origin"),
    ):
        refused = browser.post("/logout", headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (403, f"/problems/{name}")
    foreign = desk.client().post(
        "/login",
        data={"user": "the-viewer", "password": PASSWORD},
        headers={"Origin": "http://evil.example"},
    )
    assert foreign.status_code == 403, "nobody is logged in as somebody else by another site"
    assert browser.post("/logout", headers={"Origin": ORIGIN}).status_code == 204


def test_guesses_are_slowed_by_user_and_by_address_but_for_nobody_else(desk: Desk) -> None:
    for _ in range(USER.free):
        assert log_in(desk.client(), "the-admin", "wrong").status_code == 401
    slow = log_in(desk.client("10.0.0.8"), "the-admin")
    assert (slow.status_code, slow.headers["retry-after"]) == (429, "2")
    assert log_in(desk.client("10.0.0.8"), "the-viewer").status_code == 200
    desk.clock.pass_s(1.5)
    assert log_in(desk.client("10.0.0.8"), "the-admin").status_code == 200
    for _ in range(ADDRESS.free - USER.free):
        assert log_in(desk.client(), "nobody", "wrong").status_code == 401
    assert log_in(desk.client(), "the-viewer").status_code == 429
    assert ("nobody", "login", "wrong name or password") in outcomes(desk)


def test_a_hundred_guesses_at_once_are_a_hundred_guesses() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    taken = [throttle.begin("ann", "10.0.0.7") for _ in range(100)]
    assert taken.count(0.0) == USER.free
    clock.pass_s(7_200)
    assert throttle.begin("ann", "10.0.0.7") == 0.0


def test_the_wait_is_bounded_for_a_user_and_longer_for_an_address() -> None:
    clock = Clock()
    throttle = Throttle(clock.seconds)
    for _ in range(200):
        while wait_s := throttle.begin("ann", "10.0.0.7"):
            clock.pass_s(wait_s)
    assert USER.wait_s_max < throttle.begin("bob", "10.0.0.7") <= ADDRESS.wait_s_max
    assert throttle.begin("ann", "10.0.0.8") <= USER.wait_s_max


def test_the_form_logs_in_says_what_is_wrong_and_repeats_nothing(desk: Desk) -> None:
    client = desk.client()
    page = client.get("/login", headers={"Accept-Language": "de, fr-CH;q=0.8, en;q=0.5"})
    assert "Mot de passe" in page.text
    assert "<script" not in page.text
    assert 'lang="en">English</a>' in page.text
    client.get("/login", params={"lang": "en"}, headers={"Accept-Language": "fr"})
    assert "Password" in client.get("/login", headers={"Accept-Language": "fr"}).text
    assert "Password" in client.get("/login?lang=xx", headers={"Accept-Language": "fr"}).text
    name = "<b>x</b>"
    wrong = client.post("/login", data={"user": name, "password": "y"})
    assert (wrong.status_code, "The name or the password is wrong." in wrong.text) == (401, True)
    assert name not in wrong.text
    right = client.post("/login", data={"user": "the-viewer", "password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "/now")
    assert client.get("/api/me").json()["user"] == "the-viewer"


def test_every_answer_has_the_headers_and_allows_no_inline_script(desk: Desk) -> None:
    for path in ("/login", "/api/me", "/nothing"):
        headers = desk.client().get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


def test_what_was_done_is_written_down_and_stays(desk: Desk) -> None:
    desk.browser("the-operator").get("/api/audit")
    admin = desk.browser("the-admin")
    found = admin.get("/api/audit", params={"limit": 2}).json()["deeds"]
    assert [(row["actor"], row["what"], row["outcome"]) for row in found] == [
        ("the-admin", "login", "ok"),
        ("the-operator", "audit", "not allowed"),
    ]
    assert {row["address"] for row in found} == {"10.0.0.7"}
    before = admin.get("/api/audit", params={"before": found[-1]["no"]}).json()["deeds"]
    assert [row["what"] for row in before] == ["login"]
    assert admin.get("/api/audit", params={"limit": "x"}).status_code == 400
    assert admin.get("/api/audit", params={"actr": "ann"}).status_code == 400, "not all of it"
    for change in ("DELETE FROM deed", "UPDATE deed SET outcome = 'other'"):
        with pytest.raises(sqlite3.IntegrityError, match="stays"):
            desk.file.rows(change)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b"[]", 400),
        ({"Content-Type": "application/json"}, b'{"user": 1, "password": "x"}', 400),
        ({"Content-Type": "application/json"}, b" " * 70_000, 413),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"\xff", 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"", 401),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    desk: Desk, headers: dict[str, str], body: bytes, status: int
) -> None:
    assert desk.client().post("/login", content=body, headers=headers).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"old":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"user":"\\ud800","password":"x","old":"x","new":"y"}',
        b'{"user":"the-viewer","password":"\\ud800","old":"x","new":"\\ud800"}',
        b'{"user":"x","password":"x","old":"x","new":"y","\\udfff":1}',
        b'{"user":"x","password":"x","old":"x","new":"y","more":NaN}',
        b'{"user":"x","password":"x","old":"x","new":"y","more":1e400}',
        '{"user":"x","password":"x","old":"x","new":"y"}'.encode("utf-16"),
    ],
    ids=["deep", "deep within", "name", "password", "field", "NaN", "1e400", "UTF-16"],
)
def test_what_is_no_json_that_could_be_sent_on_is_refused(desk: Desk, body: bytes) -> None:
    """It was a fault of the process, with a traceback in its log, from whoever came to the door."""
    headers = {"Content-Type": "application/json"}
    within = desk.browser("the-operator")
    for client, path in ((desk.client(), "/login"), (within, "/api/password")):
        refused = client.post(path, content=body, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (400, "/problems/bad-json")
    assert "login" not in [what for _, what, out in outcomes(desk) if out != "ok"]


def test_the_catalogues_have_the_same_words() -> None:
    names = [set(catalogue(language)) for language in LANGUAGES]
    assert all(found == names[0] for found in names)
    assert words("")[0] == "en"
    assert words("xx;q=y, fr")[0] == "fr"
