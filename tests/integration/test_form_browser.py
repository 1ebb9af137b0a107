"""The pages in a real browser at a phone's width: what a person at a weighbridge goes through."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from producers.access import Access
from producers.http import make_app
from producers.service import Gateway
from tests.support import browser as browsers
from tests.support import gateway as support
from tests.support.browser import PHONE_WIDTH, Browser, Page, PageError
from web.listen import listen

TOKEN = "the-token-of-the-test"  # noqa: S105  it opens nothing
HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
LANGUAGES = ("en", "fr", "es", "pt", "sw", "zh")
FORMS = ("ticket", "bag", "seal", "handover", "moisture")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(browsers.found() is None, reason="no browser on this machine"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsers.running(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose broker and registry do not exist."""
    with support.running(support.config(tmp_path)) as running:
        yield running


@contextmanager
def serving(gateway: Gateway, port: int = 0) -> Iterator[str]:
    with closing(listen("127.0.0.1", port, "none")) as listener:
        app = make_app(gateway, Access.single(TOKEN))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # What the browser holds open would be waited for.
            server.force_exit = True
            server.should_exit = True
            thread.join()


@pytest.fixture
def url(gateway: Gateway) -> Iterator[str]:
    with serving(gateway) as open_url:
        yield open_url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The form with a token, on a phone that was never used; nothing may break its policy."""
    tab = browser.page()
    tab.open(f"{url}/form#token={TOKEN}&site=MINE-KOV&device=WB-KOV-1&lang=en")
    yield tab
    refused = [text for text in tab.told if "ecurity" in text or "exceptionDetails" in text]
    tab.close()
    assert not refused


def ticket(page: Page, no: str, lot: str = "L-1", gross: str = "45,0") -> None:
    typed = {
        "ticket_no": no,
        "lot_id": lot,
        "purpose": "dispatch",
        "gross_kg": gross,
        "tare_kg": "15",
    }
    for name, text in typed.items():
        page.type(name, text)
    page.press("#f-unit-t")
    # A time that does not run on, so that the same again is the same.
    page.type("occurred_at", "2026-11-05T08:30")


def send(page: Page) -> None:
    """Press send, once it can be pressed again after the last time."""
    page.wait("document.getElementById('submit').disabled === false")
    page.press("#submit")


def outcome(page: Page, state: str) -> str:
    page.wait(f"document.getElementById('outcome').className === 'outcome {state}'")
    text: str = page.run("document.getElementById('outcome').innerText")
    return text


def unsent(page: Page) -> int:
    kept: int = page.run(
        "Object.keys(localStorage).filter(k => k.startsWith('custody.entry.'))"
        ".map(k => JSON.parse(localStorage[k])).filter(e => e.state === 'unsent').length"
    )
    return kept


def seqs(url: str) -> dict[str, Any]:
    health = httpx.get(f"{url}/health").json()
    return {"last": health["gateway_seq"], **health["last_day"]}


def test_a_first_ticket_by_phone_is_accepted_with_its_number(page: Page, url: str) -> None:
    assert page.run("location.href") == f"{url}/form", "the token is not left in the address"
    ticket(page, "WB1-1")
    assert page.run("document.getElementById('net').textContent") == "Net 30 t = 30\u202f000 kg"
    send(page)
    said = outcome(page, "sent")
    assert "Accepted as number 1." in said
    assert "this site is not in the lists yet" in said
    (event_id,) = [part for part in said.split() if part.count("-") == 4]
    way = httpx.get(f"{url}/v1/events/{event_id}", headers={"Authorization": f"Bearer {TOKEN}"})
    assert way.json()["state"] == "waiting"
    # The next one finds site, scale and unit as they were, and an empty ticket.
    values = "['site_id','device_id','ticket_no'].map(n => document.getElementById('f-' + n).value)"
    assert page.run(values) == ["MINE-KOV", "WB-KOV-1", ""]
    assert page.run("document.getElementById('f-unit-t').checked") is True


def test_two_taps_are_one_event_and_the_same_again_is_a_duplicate(page: Page, url: str) -> None:
    ticket(page, "WB1-2")
    page.run("document.getElementById('submit').click(); document.getElementById('submit').click()")
    outcome(page, "sent")
    assert seqs(url)["accepted"] == {"weighing": 1}
    ticket(page, "WB1-2")
    send(page)
    assert "The same was entered on this phone" in outcome(page, "attention")
    send(page)
    assert "Already there" in outcome(page, "sent")
    assert seqs(url)["duplicate"] == {"weighing": 1}


def test_an_unclear_number_is_asked_about_and_sent_as_chosen(page: Page, url: str) -> None:
    ticket(page, "WB1-3", gross="45,123")
    send(page)
    assert "Please look" in outcome(page, "attention")
    buttons = "[...document.querySelectorAll('[data-field=gross_kg] button')].map(b => b.innerText)"
    assert page.run(buttons) == ["45\u202f123 t", "45.123 t"]
    assert seqs(url)["last"] == 0
    page.press("[data-field=gross_kg] button:last-child")
    assert page.run("document.getElementById('net').textContent").startswith("Net 30.123 t")
    send(page)
    outcome(page, "sent")


def test_a_refused_entry_comes_back_into_the_form_and_is_mended(page: Page, url: str) -> None:
    ticket(page, "WB1-4")
    send(page)
    outcome(page, "sent")
    ticket(page, "WB1-4", gross="46,5")
    send(page)
    outcome(page, "attention")
    send(page)
    page.wait("document.querySelector('.entry.attention') !== null")
    assert "already sent with something else in it" in outcome(page, "attention")
    assert page.run("document.getElementById('f-gross_kg').value") == "46,5"
    page.type("ticket_no", "WB1-5")
    send(page)
    outcome(page, "sent")
    assert page.run("document.querySelectorAll('.entry.attention').length") == 0
    assert seqs(url)["accepted"] == {"weighing": 2}


def test_another_token_keeps_the_entry_until_the_right_one_comes(page: Page, url: str) -> None:
    page.run("localStorage.setItem('custody.token', 'old')")
    ticket(page, "WB1-6")
    send(page)
    assert "token is missing, expired or withdrawn" in outcome(page, "unsent")
    assert unsent(page) == 1
    page.run(f"document.getElementById('token').value = {json.dumps(TOKEN)}")
    page.press("#token-form button")
    page.wait("document.querySelectorAll('.entry.sent').length === 1")
    assert seqs(url)["accepted"] == {"weighing": 1}


def test_hostile_text_is_shown_and_never_run(page: Page, url: str) -> None:
    ticket(page, "WB1-7", lot=HOSTILE)
    send(page)
    assert HOSTILE in outcome(page, "sent")
    refused = {"type": "weighing", "lot_id": HOSTILE, "net_kg": HOSTILE, "site_id": HOSTILE}
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.post(f"{url}/v1/events", json=refused, headers=bearer).status_code == 202
    page.open(f"{url}/status")
    page.wait("document.querySelectorAll('#refused .entry').length === 1")
    assert HOSTILE in page.run("document.getElementById('refused').innerText")
    assert page.run("document.querySelectorAll('main img, main script').length") == 0
    assert page.run("window.hit") is None


def test_the_browser_itself_forbids_markup_from_text(page: Page) -> None:
    with pytest.raises(PageError, match="TrustedHTML"):
        page.run("document.getElementById('outcome').innerHTML = '<b>x</b>'")
    page.told.clear()


def test_without_the_gateway_entries_wait_on_the_phone_and_go_when_it_is_back(
    browser: Browser, gateway: Gateway
) -> None:
    page = browser.page()
    with serving(gateway) as url:
        page.open(f"{url}/form#token={TOKEN}&site=MINE-KOV&device=WB-KOV-1&lang=en")
        page.wait("navigator.serviceWorker.ready.then(r => r.active !== null)")
    for no in ("WB2-1", "WB2-2"):
        ticket(page, no)
        send(page)
        assert "Kept here. The gateway cannot be reached" in outcome(page, "unsent")
    assert page.run("document.getElementById('line').innerText").startswith("Unsent: 2")
    # A phone that was restarted meanwhile has the page and the entries.
    page.open(f"{url}/form")
    assert unsent(page) == 2
    ticket(page, "WB2-3")
    send(page)
    page.wait("document.querySelectorAll('.entry.unsent').length === 3")
    blob = "fetch(document.getElementById('save').href).then(a => a.text()).catch(() => 'blob')"
    assert page.run(blob) == "blob", "the policy lets no script read it; a person saves it"
    with serving(gateway, int(url.rpartition(":")[2])):
        page.press("#send")
        page.wait("document.querySelectorAll('.entry.sent').length === 3")
        day = seqs(url)
        assert (day["accepted"], day["refused"]) == ({"weighing": 3}, {})
        assert page.run("document.getElementById('line').innerText").startswith("Unsent: 0")
    page.close()


def test_the_status_page_works_while_broker_and_registry_are_away(page: Page, url: str) -> None:
    support.wait_for(lambda: httpx.get(f"{url}/health").json()["broker"] == "away")
    page.open(f"{url}/status")
    page.wait("document.querySelector('[data-about=broker]') !== null")
    said = page.run("document.querySelector('[data-about=broker]').innerText")
    assert "Away since" in said
    assert "Nothing is lost meanwhile" in said
    assert "It takes what is sent" in page.run("document.body.innerText")
    asked: list[str] = page.run("performance.getEntriesByType('resource').map(r => r.name)")
    assert asked
    assert all(name.startswith(url) for name in asked), "nothing from another host"


UNLABELLED = """
[...document.querySelectorAll('main input, main select, main textarea')]
  .filter(e => !e.getAttribute('aria-label') && ![...e.labels].some(l => l.innerText.trim()))
  .map(e => e.id)
"""

TOO_LOW = """
[...document.querySelectorAll('main button, main input:not([type=radio]), main select, .radio')]
  .filter(e => e.offsetParent && e.offsetHeight < 56).map(e => e.id || e.innerText)
"""


def test_every_form_fits_a_phone_in_every_language_and_is_labelled(page: Page) -> None:
    for language in LANGUAGES:
        page.run(
            f"(() => {{ const s = document.getElementById('language'); s.value = '{language}';"
            " s.dispatchEvent(new Event('change')); })()"
        )
        for index, form in enumerate(FORMS):
            page.run(f"document.querySelectorAll('#forms button')[{index}].click()")
            width = page.run("document.documentElement.scrollWidth")
            assert width <= PHONE_WIDTH, (language, form, width)
            assert page.run(UNLABELLED) == [], (language, form)
            assert page.run(TOO_LOW) == [], (language, form)
    page.run("document.querySelectorAll('#forms button')[0].click()")
    assert page.run("document.getElementById('f-gross_kg').inputMode") == "decimal"


def test_a_draft_survives_a_phone_that_ends_the_page(page: Page, url: str) -> None:
    ticket(page, "WB1-8")
    page.open(f"{url}/form")
    assert page.run("document.getElementById('f-ticket_no').value") == "WB1-8"
    assert page.run("document.getElementById('f-occurred_at').value") == "2026-11-05T08:30"


def test_a_refused_entry_keeps_its_time_and_zone_when_it_is_corrected(page: Page, url: str) -> None:
    ticket(page, "WB1-9")
    page.run(
        "(() => { const z = document.getElementById('f-zone'); z.value = '345';"
        " z.dispatchEvent(new Event('change')); })()"
    )
    page.type("occurred_at", "2016-11-05T08:30")
    send(page)
    assert "older than five years" in outcome(page, "attention")
    assert page.run("document.getElementById('f-occurred_at').value") == "2016-11-05T08:30"
    page.type("occurred_at", "2026-11-05T08:30")
    send(page)
    said = outcome(page, "sent")
    kept = (
        "JSON.parse(localStorage[Object.keys(localStorage)"
        ".find(k => k.startsWith('custody.entry.'))])"
    )
    assert page.run(f"{kept}.request.occurred_at") == "2026-11-05T08:30:00+05:45"
    assert "Accepted as number 1." in said
    assert seqs(url)["refused"] == {"weighing": 1}
