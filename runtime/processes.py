"""The long-running processes: each built from the settings and run to its end.

Composition in one place per process; heavy packages are imported by the process that needs them.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from custody.errors import Refused
from custody.events import Micros
from runtime import wiring
from runtime.settings import Settings

if TYPE_CHECKING:
    from console.reader import Reader
    from runtime.client import JsonObject
    from runtime.passes import Course, Findings
    from runtime.watermark import Watermark


PLACEHOLDER = "GW-CHANGE-ME"
"""The gateway's name in the settings that a bundle brings."""


class NotNamed(Refused):
    """A gateway is started for the first time, and nobody has given it its name."""

    def __init__(self) -> None:
        super().__init__(
            f"CUSTODY_GATEWAY__GATEWAY_ID is {PLACEHOLDER}, the name in the example",
            expected="a name of this gateway's own, such as GW-KOV; it has it for ever",
            next_step="set it in gateway.env (Windows: .env), then start the gateway again",
        )


def gateway(settings: Settings) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. Blocks.

    It starts and accepts without broker or registry; what it accepts waits in the outbox.

    Raises:
        PortTaken: The address is in use.
        OutboxInUse, OutboxUnreadable, OutboxNotOpened: The outbox cannot be used.
        TokenUnreadable: The token's file is unusable.
        NotNamed: The settings have the name of the bundle's example still.
    """
    from producers.run import run
    from schemas.registry import RegistryCatalog
    from telemetry import logs

    _require_name(settings)
    logs.configure("gateway", settings.log_level)
    registry = wiring.registry_url(settings)
    with RegistryCatalog(registry) as catalog:
        run(wiring.gateway_config(settings), catalog=catalog, registry=registry, clock=now)


def _require_name(settings: Settings) -> None:
    outbox = wiring.data_dir(settings).gateway / "outbox.sqlite3"
    # One that took facts under that name has it for ever: it would never publish them.
    if settings.gateway.gateway_id == PLACEHOLDER and not outbox.exists():
        raise NotNamed


def worker(settings: Settings, no: int) -> None:
    """Run the worker with this number, from 1, until SIGTERM or Ctrl-C. Blocks.

    Raises:
        Unavailable: No broker or no topics within five minutes.
        SystemExit: Always, with the worker's exit code.
    """
    from custody.core import CustodyFold
    from streams.worker import run

    run(wiring.worker_config(settings, no), CustodyFold())


def warehouse(settings: Settings) -> None:
    """Run sink and console in one process until SIGTERM or Ctrl-C. Blocks.

    One process, because the embedded engine lets one process open its path.

    Raises:
        Unavailable: Kafka or the warehouse stays away; a restart may help.
        Corrupt: Stored history contradicts itself; a person is needed.
    """
    from console.access import load_access
    from console.http import Process, make_app
    from console.reader import Reader
    from console.server import Server
    from runtime import passes
    from runtime.desk import Parts, desk
    from runtime.watermark import log
    from schemas.registry import RegistryCatalog
    from sinks import sink
    from sinks.progress import Progress
    from telemetry import logs
    from telemetry.metrics import Metrics

    logs.configure("warehouse", settings.log_level)
    config, console = wiring.sink_config(settings), wiring.console_config(settings)
    metrics = Metrics("warehouse")
    progress = Progress(metrics, config.stuck_after_s)
    stop, ready = _stopped_by_signal(), threading.Event()
    reader = Reader(console)
    watermark = _watermark(settings, reader)
    # Both are told of, also where a pass is switched off: then it is well.
    audit = passes.Course("audit", metrics, now)
    # Until its first pass no answer says up to when it is complete.
    told = passes.Course("watermark", metrics, now, at_once=True)
    findings = passes.Findings()
    process = Process(
        metrics,
        lambda: passes.beside(progress.health(), (audit, told), findings),
        ready.is_set,
        lambda: watermark.complete_to,
        lambda: watermark.sites,
    )
    access = load_access(console)
    app = make_app(console, reader, access, process)
    registry = wiring.registry_url(settings)
    catalog = RegistryCatalog(registry)
    audited = _audited(settings, reader, (audit, findings), ready, stop)
    lent = Parts(access, console, reader, catalog, progress, metrics, now, stop)
    people = desk(app, wiring.desk_config(settings), lent)
    serving = Server(
        app, console.host, console.port, proxied=settings.console.public_url is not None
    )
    every_s = settings.sink.watermark_interval_s
    watched = _repeated(watermark.go_over, told, log, every_s, ready, stop)
    with closing(reader), catalog, people, serving, audited, watched:
        sink.run(config, catalog, progress, now, stop, ready.set)


@contextmanager
def _audited(
    settings: Settings,
    reader: "Reader",
    told: "tuple[Course, Findings]",
    ready: threading.Event,
    stop: threading.Event,
) -> Iterator[None]:
    """Run the auditor for the length of the block, where the settings want one.

    Args:
        settings: Say how often.
        reader: Runs its SQL.
        told: Told how its passes go, and what they find.
        ready: Set when the tables are there.
        stop: Set when the process ends.
    """
    from runtime.audit.live import Auditor, log
    from runtime.audit.standing import Standing, fingerprints_of
    from runtime.client import rows_of
    from schemas import avro
    from schemas.registry import RegistryCatalog

    own = settings.sink
    if not own.audit_interval_s:
        yield
        return

    def ask(statement: str, values: Mapping[str, str]) -> "list[JsonObject]":
        return list(rows_of(reader.ask(statement, "JSONEachRow", values)))

    with RegistryCatalog(wiring.registry_url(settings)) as catalog:

        def text(number: int) -> str | None:
            writer = catalog.writer(number)
            return None if writer is None else writer.text

        standing = Standing(
            ask,
            lambda: fingerprints_of(ask, text, avro.fingerprint_of),
            int(own.audit_grace_s * 1e6),
        )
        auditor = Auditor(
            ask,
            standing,
            wiring.auditor_options(settings, wiring.bootstrap(settings)),
            catalog=catalog,
            partitions=settings.kafka.partitions,
            clock=now,
        )
        course, findings = told

        def go_over() -> None:
            auditor.go_over()
            if auditor.done_at is not None:
                findings.tell(auditor.found)

        with _repeated(go_over, course, log, own.audit_interval_s, ready, stop):
            yield


def _watermark(settings: Settings, reader: "Reader") -> "Watermark":
    """Return what says up to when everything is in; it opens its clients when it needs them."""
    from runtime.client import rows_of
    from runtime.complete import OUTPUTS, Progress
    from runtime.ends import committed, ends
    from runtime.watermark import COLUMNS, TABLE, Said, Watermark
    from sinks.client import open_warehouse
    from streams.config import APP_ID, SOURCES

    def ask(statement: str, values: Mapping[str, str]) -> "list[JsonObject]":
        return list(rows_of(reader.ask(statement, "JSONEachRow", values)))

    def say(rows: Sequence[Said]) -> None:
        with closing(open_warehouse(wiring.warehouse(settings))) as store:
            store.insert_rows(TABLE, COLUMNS, rows)

    def progress() -> Progress:
        kafka = wiring.auditor_options(settings, wiring.bootstrap(settings))
        applied = committed(kafka, APP_ID, SOURCES)
        said = ends(kafka, OUTPUTS)
        last = {t: {p: end for p, (_, end) in some.items()} for t, some in said.items()}
        return Progress(applied, last)

    return Watermark(ask, say, progress, now)


@contextmanager
def _repeated(
    go_over: Callable[[], None],
    course: "Course",
    log: logging.Logger,
    interval_s: float,
    ready: threading.Event,
    stop: threading.Event,
) -> Iterator[None]:
    """Make passes in a thread for the length of the block; none where the interval is 0."""
    from runtime.passes import repeat

    if not interval_s:
        yield
        return
    asked = (go_over, course, log, interval_s, ready, stop)
    thread = threading.Thread(target=repeat, args=asked, name=course.name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def now() -> Micros:
    """Return the time of day, microseconds since the epoch."""
    return Micros(time.time_ns() // 1000)


def _stopped_by_signal() -> threading.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
