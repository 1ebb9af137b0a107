"""The console's pages: which files there are, who gets them, and that no text is missing."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import pages_http
from console.people.roles import Role
from console.wording import LANGUAGES, catalogue
from custody.alerts import CHARTS, SHELVING_OVER, UNSUPPORTED
from custody.chart_lots import RIVALS
from custody.severity import BY_RULE, RANKS
from tests.support.alerts import symbols
from tests.support.visitors import PASSWORD, Desk, people

PAGES = Path(__file__).parents[3] / "console" / "pages"
SCRIPTS = sorted(PAGES.glob("*.js"))
LINES_MAX = 400

_SAID = re.compile(r"""\bsay(?:Or)?\(\s*["`]([\w.]+)["`]\s*[,)]""")
_CHOSEN = re.compile(r"""\bsay\([^"`]*?\?\s*"([\w.]+)"\s*:\s*"([\w.]+)"|"([a-z]+(?:\.[\w]+)+)\"""")
_BEGUN = re.compile(r"""\bsay(?:Or)?\(\s*(?:"([\w.]+\.)"|`([\w.]+\.)\$\{)""")
_DOCUMENT = re.compile(r'data-say(?:-label)?="([\w.]+)"')


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with people(tmp_path) as made:
        made.user("ann", Role.VIEWER)
        yield made


@pytest.mark.parametrize("path", [page.path for page in pages_http.PAGES])
def test_a_page_is_for_whoever_is_logged_in_and_others_come_back_to_it(
    desk: Desk, path: str
) -> None:
    asked = f"{path.replace('{', '').replace('}', '')}?open=a%20b&x=1"
    away = desk.client().get(asked)
    assert away.status_code == 303
    there = away.headers["location"]
    assert there.startswith("/login?next=%2F")
    form = {"user": "ann", "password": PASSWORD}
    back = desk.client().post(there, data=form).headers["location"]
    assert back == asked
    assert desk.browser("ann").get(asked).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "asked", ["", "//evil.example", "/\\evil.example", "https://evil.example", "/login", "/a\r\nb"]
)
def test_a_login_leads_to_no_other_host(desk: Desk, asked: str) -> None:
    form = {"user": "ann", "password": PASSWORD}
    answer = desk.client().post("/login", params={"next": asked}, data=form)
    assert answer.headers["location"] == pages_http.HOME


def test_a_browser_at_an_unknown_address_gets_a_page_and_a_program_a_problem(desk: Desk) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert desk.client().get("/xyz", headers=browser).headers["location"] == "/login?next=%2Fxyz"
    page = desk.browser("ann").get("/xyz", headers=browser)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "/pages/shell.js" in page.text
    for client in (desk.client(), desk.browser("ann")):
        for headers in ({"Accept": "application/json"}, {"Accept": "*/*"}):
            said = client.get("/xyz", headers=headers)
            assert (said.status_code, said.json()["type"]) == (404, "/problems/not-found")
        assert client.post("/xyz", headers=browser).json()["status"] == 404


def test_what_was_done_is_a_page_for_all_and_rows_at_one_address_for_an_admin(desk: Desk) -> None:
    desk.user("eve", Role.ADMIN)
    assert "/pages/shell.js" in desk.browser("ann").get("/audit").text
    assert desk.browser("ann").get("/api/audit").status_code == 403
    admin = desk.browser("eve")
    mine = admin.get("/api/audit", params={"actor": "ann"}).json()["deeds"]
    assert {row["actor"] for row in mine} == {"ann"}
    taken = admin.get("/api/audit", params={"actor": "ann", "format": "csv"}).text
    assert taken.splitlines()[0] == "no,at,actor,address,what,about,outcome"
    none = admin.get("/api/audit", params={"actor": "nobody", "format": "csv"}).text
    assert none.splitlines() == ["no,at,actor,address,what,about,outcome"]
    said = admin.get("/audit", headers={"Accept": "application/json"})
    assert said.headers["content-type"].startswith("text/html"), "a page, whoever asks"


def test_files_are_those_of_the_package_and_no_others(desk: Desk) -> None:
    client = desk.client()
    style = client.get("/pages/style.css")
    assert (style.status_code, style.headers["cache-control"]) == (200, "no-cache")
    again = client.get("/pages/style.css", headers={"If-None-Match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("../pages_http.py", "%2e%2e/pages_http.py", "..%2fpages_http.py", "none.js", ""):
        assert client.get(f"/pages/{name}").status_code == 404


def test_the_drawing_library_comes_from_its_package_packed_and_is_kept(desk: Desk) -> None:
    name = f"/pages/{pages_http.chart_library()}"
    packed = desk.client().get(name)
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in packed.headers["cache-control"]
    plain = desk.client().get(name, headers={"Accept-Encoding": "identity"})
    assert b"plotly.js" in plain.content[:200]
    assert len(gzip.compress(plain.content, 1)) < len(plain.content) / 2
    page = desk.browser("ann").get("/now").text
    assert f'<script src="{name}" defer></script>' in page


def test_no_page_runs_a_script_or_style_of_its_own() -> None:
    text = (PAGES / "page.html").read_text("utf-8")
    scripts = re.findall(r"<script[^>]*>([^<]*)</script>", text)
    assert scripts
    assert not "".join(scripts).strip()
    assert "style=" not in text
    for script in SCRIPTS:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(", script.read_text())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_and_used(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LINES_MAX
    others = [PAGES / "page.html", *(script for script in SCRIPTS if script != path)]
    assert any(f"/{path.name}" in other.read_text("utf-8") for other in others)


def test_the_words_are_the_same_in_all_languages_and_take_the_same_values() -> None:
    first = catalogue(LANGUAGES[0])
    for language in LANGUAGES[1:]:
        other = catalogue(language)
        assert other.keys() == first.keys()
        for name, text in first.items():
            values = sorted(re.findall(r"\{\w+\}", text))
            assert sorted(re.findall(r"\{\w+\}", other[name])) == values, name
            assert other[name].strip(), name


def _said() -> tuple[set[str], set[str]]:
    """Names of words that are said, and beginnings of names that are put together."""
    names = set(_DOCUMENT.findall((PAGES / "page.html").read_text("utf-8")))
    begun = set[str]()
    for script in SCRIPTS:
        text = script.read_text("utf-8")
        names |= set(_SAID.findall(text))
        names |= {name for found in _CHOSEN.findall(text) for name in found if name}
        begun |= {name for found in _BEGUN.findall(text) for name in found if name}
    source = (PAGES.parent / "people_http.py").read_text("utf-8")
    names |= {f"login.{name}" for name in ("title", "lead", "user", "password", "enter")}
    names |= set(re.findall(r'"(login\.\w+)"', source))
    return names, begun


def test_every_word_that_is_said_is_there_and_none_is_left_over() -> None:
    names, begun = _said()
    known = catalogue(LANGUAGES[0])
    said = {name for name in names if re.fullmatch(r"[a-z]+(\.\w+)+", name)} - _NO_WORDS
    assert not sorted(said - known.keys())
    left = [n for n in known if n not in names and not any(n.startswith(b) for b in begun)]
    assert not left
    for beginning in begun:
        assert any(name.startswith(beginning) for name in known), beginning


_NO_WORDS = frozenset({"custody.theme", "custody.language"})
"""Look like names of words and are names in a browser's storage."""


def test_every_state_severity_and_family_of_an_alert_has_a_word() -> None:
    known = catalogue(LANGUAGES[0])
    wanted = [f"state.{one}" for one in symbols("AlertState")]
    wanted += [f"family.{one}" for one in symbols("AlertFamily")]
    wanted += [f"severity.{one}" for one in RANKS]
    wanted += [f"role.{one}" for one in Role]
    wanted += [f"finding.{one}" for one in BY_RULE]
    wanted += [f"rule.{one}" for one in BY_RULE if one not in CHARTS]
    assert not [name for name in wanted if name not in known]


@pytest.mark.parametrize(
    ("script", "sentence"),
    [("cause.js", UNSUPPORTED), ("why.js", SHELVING_OVER), ("why.js", RIVALS)],
)
def test_what_the_pages_say_themselves_they_know_by_the_workers_words(
    script: str, sentence: str
) -> None:
    assert f'"{sentence}"' in (PAGES / script).read_text("utf-8")


def test_dark_is_dark_alike_by_the_machine_and_by_choice() -> None:
    style = (PAGES / "style.css").read_text("utf-8")
    palettes = re.findall(r"color-scheme: dark;([^}]*)}", style)
    assert len(palettes) == 2
    assert palettes[0].split() == palettes[1].split()


def test_every_kind_of_problem_that_a_page_may_meet_is_said_in_words() -> None:
    known = catalogue(LANGUAGES[0])
    raised = {
        name
        for path in PAGES.parent.rglob("*.py")
        for name in re.findall(r'Problem\(\s*\d{3},\s*"([\w-]+)"', path.read_text("utf-8"))
    }
    assert len(raised) > 30
    assert not [name for name in raised if f"problem.{name}" not in known]
