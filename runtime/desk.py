"""People's side of the console, put together from the settings."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from console.access import Access
from console.acting import Acting
from console.answering import Watermarks
from console.config import ConsoleConfig
from console.desk import Rooms, add_desk
from console.desk_config import DeskConfig
from console.gateway import Gateway
from console.http import outcome_of
from console.live.hub import Hub
from console.live.pulse import STALE_S, Part, Pulse, Workers
from console.live_http import Live
from console.lot_status import CompleteTo
from console.lots_http import Lots, status_told
from console.people.door import Door
from console.people.file import PeopleFile
from console.people.register import Register
from console.people.sessions import Sessions
from console.people.throttle import Throttle
from console.reader import Reader
from console.rows import Row, asked
from console.sql_http import Asking
from console.visits import Visits
from console.watched import Watched
from console.webhook.sender import Outside, Sender
from custody.events import Micros
from runtime.told.wired import answers
from schemas.present import rfc3339
from schemas.registry import Catalog
from sinks.progress import Progress
from telemetry import metrics as names
from telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the warehouse process lends the desk.

    Attributes:
        access: Knows the tokens of whoever has no session.
        console: Where the warehouse is, and the bounds of SQL.
        reader: Runs people's SQL.
        catalog: Where schema ids are looked up; closed by the caller.
        progress: How the sink gets on.
        metrics: Of the process.
        now: Time of day.
        stop: Set when the process ends.
    """

    access: Access
    console: ConsoleConfig
    reader: Reader
    catalog: Catalog
    progress: Progress
    metrics: Metrics
    now: Callable[[], Micros]
    stop: threading.Event


@contextmanager
def desk(app: FastAPI, config: DeskConfig, parts: Parts) -> Iterator[None]:
    """Let people use the console for the length of the block; makes the first admin.

    Args:
        app: What answers.
        config: Of the desk.
        parts: Of the process.

    Raises:
        PeopleUnreadable: The file of users cannot be used.
    """
    # Readers of its own: a gate does not wait until analysts have their answers.
    reader = Reader(parts.console)

    def ask(statement: str, values: Mapping[str, str]) -> list[Row]:
        return asked(reader, statement, values, secrets.token_hex(16))

    gateway = Gateway(config.gateway_url, config.gateway_token_file, config.gateway_trust)
    hub = Hub(config.live, parts.catalog, time.monotonic)
    workers = Workers(config.worker_urls, time.monotonic)
    pulse = Pulse(
        lambda: {"worker": workers.state(), "sink": _sink(parts), "stream": _stream(hub)},
        hub.since_record_s,
        lambda: rfc3339(parts.now()),
        time.monotonic,
    )
    with closing(PeopleFile(config.directory)) as file, closing(gateway), closing(reader):
        complete_to = Watermarks(ask, time.monotonic).get
        lots = Lots(ask, CompleteTo(ask, time.monotonic), lambda: _stores(parts), hub.recent.holds)
        rooms = Rooms(
            acting=Acting(gateway, ask, parts.now, seen=hub.recent.has, recent=hub.recent.holds),
            lots=lots,
            live=Live(hub, pulse, parts.stop.is_set),
            asking=_asking(parts),
            watched=Watched(ask, complete_to, parts.now),
            answers=answers(ask, lambda lot: status_told(lots, lot, None), complete_to),
        )
        door = _door(file, config, parts.now)
        add_desk(app, Visits(door, parts.access, config.public_url), rooms)
        bodies = {"live": hub.run, "workers": workers.run}
        if config.webhook is not None:
            given = Outside(parts.catalog, parts.metrics, parts.now)
            bodies["webhook"] = Sender(config.webhook, given, parts.stop.wait).run
        with _beside(parts.stop, bodies):
            yield


def _asking(parts: Parts) -> Asking:
    return Asking(
        parts.reader,
        parts.console.query_characters_max,
        parts.console.result_bytes_max,
        new_id=lambda: secrets.token_hex(16),
        ended=lambda error: parts.metrics.add(names.SQL_QUERIES, outcome_of(error)),
    )


def _stores(parts: Parts) -> str:
    health = parts.progress.health()
    return "" if health.ok else f"the warehouse does not get on: {health.reason}"


def _sink(parts: Parts) -> Part:
    health = parts.progress.health()
    since_s = float(str(health.fields["since_turn_s"]))
    return Part(health.ok and since_s <= STALE_S, since_s, health.reason)


def _stream(hub: Hub) -> Part:
    since_s = hub.since_heard_s()
    if since_s is None:
        return Part(ok=False, since_s=None, reason="Kafka has not answered yet")
    late = since_s > STALE_S
    return Part(not late, since_s, "Kafka does not answer" if late else "")


@contextmanager
def _beside(
    stop: threading.Event, bodies: Mapping[str, Callable[[threading.Event], None]]
) -> Iterator[None]:
    """Run functions in threads of their own for the length of the block."""
    threads = [
        threading.Thread(target=body, args=(stop,), name=f"console-{name}")
        for name, body in bodies.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _door(file: PeopleFile, config: DeskConfig, now: Callable[[], Micros]) -> Door:
    register = Register(file, config.cost)
    first = register.add_first(now())
    if first is not None:
        _LOG.warning("first user made", extra={"password_file": str(first)})
    return Door(register, Sessions(file, config.ends, now), Throttle(time.monotonic), now)
