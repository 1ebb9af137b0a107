"""The page of a handover: its fields say the times it is of, however its address wrote them."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.page_engine import Pages

LISTS = ("changes", "retracted_by", "standing", "holds", "deeds")
FIELDS = '["since", "until"].map((name) => shown.querySelector(`#${name}`).value)'
NOTED = "history.replaceState = (state, title, address) => { globalThis.noted = address; }"
PRESSED = """(() => {
  location.assign = (address) => { globalThis.gone = address; };
  const pressed = { preventDefault: () => undefined };
  shown.querySelector("form").listeners.submit.forEach((heard) => heard(pressed));
  return gone;
})()"""


def _asked(
    since: str, until: str, left_out: dict[str, int] | None = None
) -> tuple[Pages, list[dict[str, list[str]]]]:
    """A page whose console knows when its handover begins and ends, and what it was asked."""
    asked: list[dict[str, list[str]]] = []

    def answered(method: str, path: str, body: str | None) -> tuple[int, dict[str, str], str]:
        assert (method, body) == ("GET", None)
        asked.append(parse_qs(urlsplit(path).query))
        if not until:
            told = {"type": "/problems/bad-query", "detail": "until=yesterday: a time such as ..."}
            return 400, {}, json.dumps(told)
        lists: dict[str, object] = {name: [] for name in LISTS}
        nothing = dict.fromkeys(("standing", "held", "deeds", "changed", "opened"), 0)
        more = {"since": since, "until": until, "left_out": nothing | (left_out or {})}
        return 200, {}, json.dumps(lists | more)

    pages = Pages("en", answered)
    pages.run(NOTED)
    return pages, asked


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        (
            "since=2026-11-29T06:00:00%2B02:00&until=2026-11-29T20:00:00%2B02:00",
            "2026-11-29T04:00:00Z",
            "2026-11-29T18:00:00Z",
        ),
        ("until=2026-11-29T20:00:00%2B02:00", "2026-11-29T10:00:00Z", "2026-11-29T18:00:00Z"),
        ("until=2026-11-29", "2026-11-28T16:00:00Z", "2026-11-29T00:00:00Z"),
        ("", "2026-11-29T04:00:00Z", "2026-11-29T12:00:00Z"),
    ],
)
def test_what_is_shown_again_unchanged_is_the_same_span(query: str, since: str, until: str) -> None:
    """The fields had the address's letters, but are of UTC: Show moved the span by two hours."""
    pages, asked = _asked(since, until)
    told = " ".join(pages.show("handover", query=query))
    wanted = {name: values for name, values in parse_qs(query).items() if name != "list"}
    assert wanted.items() <= asked[0].items()
    assert "until" in asked[0], "the last whole minute, where none is said"
    assert "bad-query" not in told
    assert pages.run(FIELDS) == [since[:16], until[:16]]
    assert parse_qs(urlsplit(pages.run("noted")).query) == {"since": [since], "until": [until]}
    again = parse_qs(urlsplit(pages.run(PRESSED)).query)
    assert again == {"since": [since], "until": [until]}


def test_seconds_of_an_address_stay() -> None:
    since, until = "2026-11-29T04:00:30Z", "2026-11-29T18:00:00.250000Z"
    pages, _ = _asked(since, until)
    pages.show("handover", query=f"since={since}&until={until}")
    again = parse_qs(urlsplit(pages.run(PRESSED)).query)
    assert again == {"since": [since], "until": ["2026-11-29T18:00:00Z"]}


def test_the_time_that_a_page_is_of_has_its_field_in_utc_too() -> None:
    """A field of the browser takes no offset: it was empty, and Show went to now."""
    pages = Pages("en")
    fields = '["at", "known"].map((name) => form.querySelector(`#asof-${name}`).value)'
    shown = ('((form) => FIELDS)(moduleOf("asof.js").asOf(new URLSearchParams(query)))').replace(
        "FIELDS", fields
    )
    query = "at=2026-11-29T06:00:00%2B02:00&known=2026-11-29"
    assert pages.run(shown, query=query) == ["2026-11-29T04:00:00", "2026-11-29T00:00:00"]
    query = "at=2026-11-29T06:00&known=2026-11-29T04:00:30.5Z"
    assert pages.run(shown, query=query) == ["2026-11-29T06:00:00", "2026-11-29T04:00:30"]
    assert pages.run(shown, query="at=tomorrow") == ["", ""]


def test_a_time_that_is_none_is_refused_in_the_consoles_words() -> None:
    """``?until=yesterday`` was "The console does not answer", and a script's own fault."""
    pages, _ = _asked("", "")
    told = " ".join(pages.show("handover", query="until=yesterday"))
    assert "does not answer" not in told
    assert "until=yesterday: a time such as" in pages.run("shown.textContent")
    assert pages.run("shown.querySelector('form') !== null"), "there he can say another"


def test_the_figures_count_what_is_left_out_too() -> None:
    """Of 5,001 deeds the figure said 5,000, and nothing said that one was missing."""
    pages, _ = _asked("2026-11-29T04:00:00Z", "2026-11-29T12:00:00Z", {"deeds": 1_201})
    told = " ".join(pages.show("handover"))
    assert pages.run("[...shown.querySelectorAll('dd')].map((one) => one.textContent)") == [
        "0", "0", "1201", "0", "0",
    ]  # fmt: skip
    assert "and 1201 more:" in told
    whole = " ".join(pages.show("handover", query="list=deeds"))
    assert "1201 more are left out; SQL has them all." in whole
