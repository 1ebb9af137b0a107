"""A real browser without a window, driven over its own debugging pipe. For pages of ours only."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers, and open nothing but our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

_EXEC = """
import os, sys
ends = [os.dup(int(number)) for number in sys.argv[1:3]]
for number, end in zip((3, 4), ends):
    os.dup2(end, number)
    os.set_inheritable(number, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""A browser looks for its pipe's ends at 3 and 4."""

TIMEOUT_S = 60.0
PHONE_WIDTH = 360
"""Width of a cheap phone, CSS pixels."""


def found() -> str | None:
    """Path of a browser on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class PageError(AssertionError):
    """A script of a page failed."""


@dataclass(slots=True)
class Page:
    """A tab. ``told`` holds what it wrote to its console and every breach of its policy."""

    browser: "Browser"
    session: str
    told: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        return self.browser.call(method, parameters, self.session)

    def run(self, script: str) -> Any:  # noqa: ANN401  whatever the script says
        """The value of a script, awaited where it is a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise PageError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, condition: str) -> Any:  # noqa: ANN401  whatever the script says
        """Block until a script is true; fail the test where it never is."""
        deadline = time.monotonic() + TIMEOUT_S
        while not (value := self.run(condition)):
            assert time.monotonic() < deadline, (condition, self.run("document.body.innerText"))
            self.browser.listen(0.02)
        return value

    def open(self, url: str) -> None:
        """Go to an address as from a bookmark, and wait until its words are there."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait(
            "!!document.body && !!document.body.dataset.title && document.title !== 'custody'"
        )

    def type(self, name: str, text: str) -> None:
        """Put a text into the field of a name, as typing it does."""
        self.run(
            f"(() => {{ const e = document.getElementById('f-' + {json.dumps(name)});"
            f" e.value = {json.dumps(text)};"
            " e.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def press(self, selector: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def close(self) -> None:
        """Forget everything of the page's host, as a phone that is given to somebody else."""
        self.run("localStorage.clear()")
        self.call("Page.close")

    def picture(self, path: Path) -> None:
        """Save how it looks, whole."""
        import base64

        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(taken["data"]))


class Browser:
    """A running browser; see ``running``."""

    def __init__(self, write_fd: int, read_fd: int) -> None:
        self._write_fd = write_fd
        self._read_fd = read_fd
        self._last = 0
        self._buffer = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self._pages: dict[str, Page] = {}

    def page(self) -> Page:
        """A new tab of its own."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, attached["sessionId"])
        self._pages[page.session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=PHONE_WIDTH,
            height=740,
            deviceScaleFactor=1,
            mobile=True,
        )
        return page

    def call(
        self, method: str, parameters: Mapping[str, object], session: str | None = None
    ) -> dict[str, Any]:
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": dict(parameters)}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write_fd, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + TIMEOUT_S
        while number not in self._answers:
            assert time.monotonic() < deadline, method
            self.listen(1.0)
        answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    def listen(self, timeout_s: float) -> None:
        """Take what the browser says within a time."""
        ready, _, _ = select.select([self._read_fd], [], [], timeout_s)
        if not ready:
            return
        self._buffer += os.read(self._read_fd, 1 << 16)
        *messages, self._buffer = self._buffer.split(b"\0")
        for text in messages:
            self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        page = self._pages.get(message.get("sessionId", ""))
        if page is not None and message["method"] in {
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
        }:
            page.told.append(json.dumps(message["params"]))


@contextmanager
def running(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; ended by its process id."""
    path = found()
    assert path is not None
    to_browser, from_us = os.pipe()
    from_browser, to_us = os.pipe()
    wrapped = [sys.executable, "-c", _EXEC, str(to_browser), str(to_us)]
    process = subprocess.Popen(
        [*wrapped, path, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(to_browser, to_us),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(to_us)
    browser = Browser(from_us, from_browser)
    try:
        yield browser
    finally:
        with suppress(OSError, AssertionError):
            browser.call("Browser.close", {})
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_us)
        os.close(from_browser)
