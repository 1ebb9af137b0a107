"""Two people at the console's pages, through every part of a running stack."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.e2e.test_cli import FACTS, TRIP
from tests.e2e.test_desk import console
from tests.support import browser, chromium
from tests.support.chromium import Visit, Visitors
from tests.support.own_names import owned
from tests.support.system import System
from tests.support.visitors import PASSWORD

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(browser.found() is None, reason="no browser on this machine"),
]

LOT = "L-PAGE-1"


@pytest.fixture
def people(system: System) -> Iterator[Visitors]:
    for name in ("rosa", "sami"):
        system.custody("user", "add", name, "--role", "operator", "--keep", stdin=PASSWORD)
    with chromium.running() as browser, closing(Visitors(browser, console(system))) as found:
        yield found


def act(visit: Visit, action: str, **fields: str) -> None:
    """Press a button of the alert's page, fill in what it asks for, send it."""
    visit.page.locator(f"[data-action={action}]").click()
    for name, value in fields.items():
        field = visit.page.locator(f"#act-{name}")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    visit.page.locator("form.act button.main:visible").click()


def test_two_people_see_an_alert_come_and_what_the_other_does_and_do_not_overwrite_him(
    system: System, people: Visitors
) -> None:
    with people.visit("rosa", "/now") as rosa, people.visit("sami", "/now") as sami:
        expect(rosa.page.locator("#light")).to_contain_text("live")
        rosa.page.evaluate("window.sameDocument = true")
        system.publish(owned((*FACTS, *TRIP), "PAGE"))
        hers, his = (who.page.locator("tr", has_text=LOT).first for who in (rosa, sami))
        for row in (hers, his):
            expect(row).to_be_visible(timeout=90_000)
        his.locator("a.what").click()
        expect(sami.page.locator("h1")).to_contain_text(LOT)
        act(sami, "acknowledge", reason="calling the depot")
        expect(sami.page.locator(".head .state")).to_have_text("acknowledged")
        expect(hers.locator(".state")).to_have_text("acknowledged")
        assert rosa.page.evaluate("window.sameDocument"), "without a reload"

        # Rosa's page stands still while sami acts: what she sends is on what she saw.
        hers.locator("a.what").click()
        expect(rosa.page.locator(".head .state")).to_have_text("acknowledged")
        rosa.page.locator("[data-action=resolve]").click()
        act(sami, "assign", assignee="sami")
        expect(sami.page.locator(".head")).to_contain_text("seen to by sami")
        rosa.page.locator("#act-resolution").select_option("explained")
        rosa.page.locator("#act-reason").fill("wet belt")
        rosa.page.locator("form.act button.main:visible").click()
        conflict = rosa.page.locator(".conflict")
        expect(conflict).to_contain_text("Not taken: somebody was first.")
        expect(conflict).to_contain_text("sami")
        conflict.get_by_role("button").click()
        expect(conflict).to_have_count(0)
        act(rosa, "resolve", resolution="explained", reason="wet belt")
        expect(rosa.page.get_by_role("region", name="What to do")).to_contain_text("Taken.")
        expect(sami.page.locator(".head .state")).to_have_text("resolved")
        expect(sami.page.locator("main")).to_contain_text("calling the depot")

        sami.page.locator("[data-action=hold]").click()
        sami.page.locator("form.act:visible #act-reason").fill("seal broken")
        sami.page.locator("form.act button.main:visible").click()
        expect(rosa.page.locator(".gate")).to_have_text("Held")
        assert rosa.told + sami.told == []
