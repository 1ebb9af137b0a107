"""A console as it runs, put together by the composition root: real engine, real desk, real Kafka.

Of the warehouse process only the sink's loop is missing: rows are put in by a test, and how the
sink gets on is said by it.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from console.access import load_access
from console.config import ConsoleConfig
from console.desk_config import DeskConfig
from console.http import Process, make_app
from console.live.hub import LiveConfig
from console.people.file import PeopleFile
from console.people.register import Register
from console.people.roles import Role
from console.reader import Reader
from console.server import Server
from custody.events import Micros
from custody.records import Alert
from runtime.desk import Parts, desk
from schemas.registry import StaticCatalog
from schemas.routes import Record
from sinks.progress import Progress
from telemetry.metrics import Metrics
from tests.support.stored import Stored, opened
from tests.support.visitors import CHEAP, PASSWORD, logged_in

STUCK_AFTER_S = 30.0
NEWCOMER = "the-newcomer"
"""A viewer whose password somebody else has seen."""


@dataclass(slots=True)
class Beating:
    """A sink's loop, as far as anybody hears: it turns but while ``stopped`` is set."""

    progress: Progress
    stopped: threading.Event

    ended: threading.Event

    def run(self) -> None:
        self.progress.started()
        while not self.ended.wait(0.5):
            if not self.stopped.is_set():
                self.progress.turned({})


@dataclass(slots=True)
class Console:
    """A running console.

    Attributes:
        url: Where browsers reach it.
        stored: Its warehouse, to put records in.
        sink: Says how the sink gets on; set ``sink.stopped`` and it says nothing.
        complete_to: Up to when everything is in, as said with every answer.
        sites: The same by site.
        people: Directory of its users.
    """

    url: str
    stored: Stored
    sink: Beating
    complete_to: list[Micros | None]
    sites: dict[str, Micros]
    people: Path

    def put(self, *records: Record) -> None:
        self.stored.put(records)

    def shut_out(self, name: str) -> None:
        """Shut a user out, as the command line does beside a running console."""
        with closing(PeopleFile(self.people)) as file:
            Register(file, CHEAP).disable(name, _now())

    def client(self, name: str) -> httpx.Client:
        """A program that has logged in as a user of a role."""
        return logged_in(httpx.Client(base_url=self.url, trust_env=False, timeout=30), name)


@contextmanager
def running(
    directory: Path,
    bootstrap: str,
    *,
    worker_urls: Sequence[str] = (),
    gateway: tuple[str, Path] | None = None,
    users: Mapping[str, Role] | None = None,
    port: int = 0,
) -> Iterator[Console]:
    """A console for the length of the block.

    Args:
        directory: Holds all of it.
        bootstrap: Kafka, for what is live.
        worker_urls: Where workers say how they are.
        gateway: Address of the one that takes actions, and the file of its token.
        users: By name; ``the-viewer``, ``the-operator`` and so on where none are said.
        port: To listen on; any free one where it is 0.
    """
    with opened(directory) as stored:
        config = ConsoleConfig(
            warehouse=f"chdb://{directory / 'warehouse'}", token_file=directory / "token"
        )
        metrics, stop = Metrics("warehouse"), threading.Event()
        progress = Progress(metrics, STUCK_AFTER_S)
        sink = Beating(progress, threading.Event(), threading.Event())
        complete_to: list[Micros | None] = [None]
        access = load_access(config)
        sites: dict[str, Micros] = {}
        process = Process(
            metrics,
            progress.health,
            ready=lambda: True,
            complete_to=lambda: complete_to[0],
            sites=lambda: sites,
        )
        told = DeskConfig(
            directory=directory / "people",
            cost=CHEAP,
            gateway_url=None if gateway is None else gateway[0],
            gateway_token_file=directory / "none" if gateway is None else gateway[1],
            live=LiveConfig(kafka={"bootstrap.servers": bootstrap}),
            worker_urls=tuple(worker_urls),
        )
        beating = threading.Thread(target=sink.run)
        with closing(Reader(config)) as reader:
            app = make_app(config, reader, access, process)
            parts = Parts(access, config, reader, StaticCatalog(), progress, metrics, _now, stop)
            with desk(app, told, parts), Server(app, "127.0.0.1", port) as server:
                usual = {f"the-{role}": role for role in Role} | {NEWCOMER: Role.VIEWER}
                _enrol(told.directory, users or usual)
                beating.start()
                try:
                    url = f"http://127.0.0.1:{server.port}"
                    yield Console(url, stored, sink, complete_to, sites, told.directory)
                finally:
                    # Lines that are watched end before the server waits for them.
                    stop.set()
                    sink.ended.set()
                    beating.join()


def replaced(one: Alert, **changes: object) -> Alert:
    """Return an alert with some fields changed."""
    return replace(one, **changes)  # type: ignore[arg-type]  # a test names fields that are there


def _now() -> Micros:
    return Micros(time.time_ns() // 1000)


def _enrol(directory: Path, users: Mapping[str, Role]) -> None:
    with closing(PeopleFile(directory)) as file:
        register = Register(file, CHEAP)
        for name, role in users.items():
            register.add(name, role, PASSWORD, _now(), must_change=name == NEWCOMER)
