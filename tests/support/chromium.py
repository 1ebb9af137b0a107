"""The machine's Chromium, driven by Playwright: what a person does on the console's pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.support.browser import found
from tests.support.visitors import PASSWORD

WIDE, PHONE = 1400, 360
"""Widths in CSS pixels: a control room's screen, a cheap phone."""

PATIENCE_MS = 60_000
"""For a busy machine; a page that does what it should is waited for no longer than it takes."""

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@contextmanager
def running() -> Iterator[Browser]:
    """A browser without a window for the length of the block."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found(), args=_FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A person at a page. ``told`` holds every error of a script and every breach of the policy."""

    page: Page
    url: str
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.told.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # A refused or failed request is told by the page itself, in words.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.told.append(message.text)

    def log_in(self, name: str, password: str = PASSWORD, then: str = "/now") -> None:
        """Log in by hand, from the page that one wanted."""
        # A tab without a name may share its browser with somebody who has logged in by hand.
        self.page.context.clear_cookies()
        self.page.goto(f"{self.url}{then}")
        self.page.fill("#user", name)
        self.page.fill("#password", password)
        self.page.click("button")
        self.ready()

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector("body.is-ready")

    def numbers(self, title: str, trace: int = 0) -> dict[str, list[Any]]:
        """What a chart draws: x, y, and the half widths of its intervals."""
        figure = self.page.locator("figure.chart", has=self.page.get_by_text(title, exact=True))
        plot = figure.locator(".plot.js-plotly-plot")
        plot.wait_for()
        found: dict[str, list[Any]] = plot.evaluate(
            "(plot, no) => ({x: [...plot.data[no].x], y: [...plot.data[no].y],"
            " spread: plot.data[no].error_x ? [plot.data[no].error_x.value] : []})",
            trace,
        )
        return found

    def shut_out(self) -> list[str]:
        """What axe-core finds that shuts people out."""
        found = Axe().run(self.page, options=_RULES).response["violations"]
        return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found]

    def bar_rows(self) -> int:
        """How many rows the bar above the page has: its parts by where their middle is."""
        rows: int = self.page.evaluate(
            "new Set([...document.querySelector('header.top').children].map((one) => {"
            " const place = one.getBoundingClientRect();"
            " return Math.round((place.top + place.bottom) / 8); })).size"
        )
        return rows

    def overflow_px(self) -> int:
        """How much wider than the window the page is."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return max(0, wide)


@dataclass
class Visitors:
    """People with a browser of their own each; a page of theirs is a tab of it.

    What a browser has it keeps, and the drawing library is large: who comes again has it already.
    """

    browser: Browser
    url: str
    contexts: dict[tuple[str, int], BrowserContext] = field(default_factory=dict)

    @contextmanager
    def visit(self, name: str = "", path: str = "", width: int = WIDE) -> Iterator[Visit]:
        """A tab of a person, who is logged in where a name is given."""
        context = self.contexts.get((name, width)) or self._arrive(name, width)
        visit = Visit(context.new_page(), self.url)
        if path:
            visit.open(path)
        yield visit
        visit.page.close()

    def _arrive(self, name: str, width: int) -> BrowserContext:
        made = self.browser.new_context(viewport={"width": width, "height": 900})
        made.set_default_timeout(PATIENCE_MS)
        if name:
            body = {"user": name, "password": PASSWORD}
            answer = made.request.post(f"{self.url}/login", data=body)
            assert answer.ok, answer.text()
        self.contexts[name, width] = made
        return made

    def close(self) -> None:
        for context in self.contexts.values():
            context.close()
