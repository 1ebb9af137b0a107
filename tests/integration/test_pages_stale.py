"""A page says that it is stale when worker, sink or stream stops, and when nobody answers."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console.live.places import TOPICS
from custody.events import Micros
from runtime.stack import kafka, ports
from telemetry.http import Health, OpsServer
from telemetry.metrics import Metrics
from tests.support import browser, chromium, consoles, stack
from tests.support.chromium import Visit, Visitors
from tests.support.consoles import Console

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(browser.found() is None, reason="no browser on this machine"),
]

AS_OF = Micros(1_793_862_720_000_000)


@dataclass(slots=True)
class Worker:
    """A worker's health, as it answers it; stopped and started on one port."""

    port: int = field(default_factory=ports.any_free)
    server: OpsServer | None = None

    def start(self) -> None:
        made = OpsServer("127.0.0.1", self.port, Metrics("worker"), lambda: Health(ok=True))
        made.start()
        self.server = made

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None


@dataclass(slots=True)
class System:
    console: Console
    worker: Worker
    broker: int

    @property
    def parts(self) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
        """What the page says of each part, how to stop it and how to have it go on."""
        sink = self.console.sink.stopped
        return [
            ("The worker has not been well", self.worker.stop, self.worker.start),
            ("The warehouse has not taken anything in", sink.set, sink.clear),
            (
                "The event stream has been silent",
                lambda: os.kill(self.broker, signal.SIGSTOP),
                lambda: os.kill(self.broker, signal.SIGCONT),
            ),
        ]


@contextmanager
def system(directory: Path) -> Iterator[System]:
    node = stack.kafka_node(directory / "kafka")
    with stack.started(kafka.command(node), lambda: kafka.is_ready(node.bootstrap)) as broker:
        stack.create_topics(node.bootstrap, list(TOPICS), partitions=1)
        worker = Worker()
        worker.start()
        urls = [f"http://127.0.0.1:{worker.port}"]
        try:
            with consoles.running(directory / "c", node.bootstrap, worker_urls=urls) as console:
                console.complete_to[0] = AS_OF
                yield System(console, worker, broker.pid)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
            worker.stop()


def is_live(visit: Visit) -> None:
    expect(visit.page.locator("#light")).to_contain_text("live · complete to")
    expect(visit.page.locator("#stale")).to_be_hidden()
    verdict = visit.page.locator(".verdict .huge:not(.quiet)")
    expect(verdict).to_contain_text("No open alert as of")


def is_stale(visit: Visit, why: str) -> None:
    expect(visit.page.locator("#stale")).to_contain_text(why)
    expect(visit.page.locator("body.is-stale")).to_be_visible()
    expect(visit.page.locator("#light")).to_contain_text("not live")
    # Nothing open is no good news any more.
    expect(visit.page.locator(".verdict .huge.quiet")).to_be_visible()


def test_a_page_is_stale_while_a_part_stands_still_and_after_nobody_answers(tmp_path: Path) -> None:
    with chromium.running() as browser, ExitStack() as whole:
        running = whole.enter_context(system(tmp_path))
        people = Visitors(browser, running.console.url)
        with closing(people), people.visit("the-viewer", "/now") as visit:
            is_live(visit)
            for why, stop, go_on in running.parts:
                stop()
                is_stale(visit, why)
                go_on()
                is_live(visit)
            whole.close()
            is_stale(visit, "The console has said nothing")
