"""Many pages of one browser: they share a line, and each goes on when another is gone."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from playwright.sync_api import Locator, Page, Route, expect

from console.live.places import TOPICS
from custody.records import Alert
from schemas import topics
from schemas.partition import partition_of
from tests.support import browser, chromium, consoles, stack
from tests.support import gateway as gateways
from tests.support.alerts import alert
from tests.support.chromium import Visit, Visitors
from tests.support.consoles import Console
from tests.support.sinks import framed
from tests.support.visitors import TOKEN

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(browser.found() is None, reason="no browser on this machine"),
]

PARTITIONS = 4
TABS = 8
"""More than a browser has connections to a host."""

STANDING = alert("STANDS", version=1, n=1, severity="critical")
NUMBERS = itertools.count(time.time_ns())


def said(one: Alert, bootstrap: str) -> None:
    """Say an alert on Kafka, as a worker does."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    key = (one.lot_id or "").encode()
    place = partition_of(key, PARTITIONS)
    made = consoles.replaced(one, sender=f"tabs/{place}", n=next(NUMBERS))
    producer.produce(topics.ALERT, framed(made), key, place)
    assert producer.flush(30) == 0


@pytest.fixture(scope="module")
def console(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    known = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    missing = [name for name in TOPICS if name not in known]
    if missing:
        stack.create_topics(kafka, missing, partitions=PARTITIONS)
    directory = tmp_path_factory.mktemp("tabs")
    secret = directory / "token"
    secret.write_text(TOKEN)
    with ExitStack() as whole:
        gateway = whole.enter_context(
            gateways.running(gateways.config(directory / "gateway"), publish=False)
        )
        url = whole.enter_context(gateways.serving(gateway, TOKEN))
        (directory / "console").mkdir()
        made = whole.enter_context(
            consoles.running(directory / "console", kafka, gateway=(url, Path(secret)))
        )
        made.put(STANDING)
        yield made


@pytest.fixture(scope="module")
def visitors(console: Console) -> Iterator[Visitors]:
    with chromium.running() as chrome, closing(Visitors(chrome, console.url)) as made:
        yield made


@contextmanager
def tabs(visitors: Visitors, many: int, path: str = "/now") -> Iterator[list[Visit]]:
    """Pages of one person in one browser, each of them live."""
    with ExitStack() as whole:
        opened = [whole.enter_context(visitors.visit("the-operator", path)) for _ in range(many)]
        for one in opened:
            expect(one.page.locator("#light")).to_contain_text("live")
        yield opened


def row(page: Page, name: str) -> None:
    expect(page.locator(".alerts tr", has_text=f"L-{name}")).to_be_visible()


def outcome(page: Page) -> Locator:
    """What came of an action on an alert."""
    return page.get_by_role("region", name="What to do").locator(".outcome")


def turned(page: Page, *, hidden: bool) -> None:
    """Have a page believe that somebody sees it, or nobody: without a window it cannot know."""
    page.evaluate(
        "(hidden) => {"
        " Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_eight_pages_are_live_and_one_of_them_acts(visitors: Visitors, kafka: str) -> None:
    with tabs(visitors, TABS) as opened:
        said(alert("EIGHT", version=1, severity="critical"), kafka)
        for one in opened:
            row(one.page, "EIGHT")
        last = opened[-1]
        last.open(f"/alerts/{STANDING.alert_id}")
        last.page.click("[data-action=comment]")
        last.page.fill("#act-reason", "the ninth request of this browser")
        last.page.click("form.act button.main")
        expect(outcome(last.page)).to_contain_text("Taken")
        expect(last.page.locator("#light")).to_contain_text("live")
        # Whoever listens is gone: another goes on, and each of the others hears it.
        opened[0].page.close()
        opened[1].page.close()
        said(alert("SIX", version=1, severity="critical"), kafka)
        for one in opened[2:-1]:
            row(one.page, "SIX")
            assert one.told == []


def test_a_page_that_hangs_takes_the_line_from_nobody(visitors: Visitors, kafka: str) -> None:
    with tabs(visitors, 2) as (first, second):
        # Its script stands still, as before a dialogue; the line is its own.
        session = first.page.context.new_cdp_session(first.page)
        session.send("Debugger.enable")
        with second.page.expect_request("**/api/live?last_id=*"):
            session.send("Debugger.pause")
        said(alert("HUNG", version=1, severity="critical"), kafka)
        row(second.page, "HUNG")
        session.send("Debugger.resume")
        session.detach()
        row(first.page, "HUNG")


def test_a_page_behind_has_no_line_and_comes_back_without_a_gap(
    visitors: Visitors, kafka: str
) -> None:
    with tabs(visitors, 1) as (only,):
        said(alert("BEFORE", version=1, severity="critical"), kafka)
        row(only.page, "BEFORE")
        turned(only.page, hidden=True)
        said(alert("BEHIND", version=1, severity="critical"), kafka)
        with only.page.expect_request("**/api/live?last_id=*"):
            turned(only.page, hidden=False)
        expect(only.page.locator("#stale")).to_be_hidden()
        # The warehouse does not have it: it comes by the place that the page kept.
        row(only.page, "BEHIND")
        assert only.told == []


def test_an_action_without_an_answer_says_so_and_what_to_do(visitors: Visitors) -> None:
    held: list[Route] = []

    def hold(one: Route) -> None:
        held.append(one)

    with tabs(visitors, 1, f"/alerts/{STANDING.alert_id}") as (only,):
        only.page.route("**/actions", hold)
        only.page.click("[data-action=comment]")
        only.page.fill("#act-reason", "nobody answers")
        only.page.click("form.act button.main")
        told = outcome(only.page)
        expect(told).to_contain_text("No answer within ten seconds")
        expect(told).to_contain_text("Press again: what was taken already is not done twice")
        assert held
        only.page.unroute("**/actions")
        only.page.click("form.act button.main")
        expect(told).to_contain_text("Taken")
