"""One worker process: settings in, Faust run to its end, exit code out."""

import asyncio
import gc
import logging
from collections.abc import Callable
from contextlib import ExitStack

import faust

from custody.fold import Fold
from schemas import codec
from schemas.registry import Catalog, RegistryCatalog
from schemas.routes import BY_TYPE, Record
from streams import stop
from streams.app import GuardedApp, make_app
from streams.config import WorkerConfig
from streams.health import watch
from streams.preflight import prepare
from streams.protocol import Protocol
from streams.ticks import Heads, Silence, TickWriter, wall_clock_us
from telemetry import logs
from telemetry.http import OpsServer
from telemetry.metrics import Metrics

BROKER_WAIT_S = 300.0

GC_THRESHOLDS = (100_000, 20, 50)
"""Cached rows are many and acyclic: each full collection walks them all for nothing."""

log = logging.getLogger("streams")


def run(config: WorkerConfig, fold: Fold, catalog: Catalog | None = None) -> None:
    """Run a worker until SIGTERM or SIGINT; blocks.

    Args:
        config: Its settings.
        fold: The core.
        catalog: Schema ids; the registry of the settings by default.

    Raises:
        Unavailable: No broker or no topics within five minutes, or other library versions.
        SystemExit: Always, with 0 after a clean stop; the guards end the process with 70 (start
            again) or 4 (a person must look) without raising.
    """
    logs.configure("worker", config.log_level)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    partitions = asyncio.run(prepare(config.bootstrap, BROKER_WAIT_S, config.security))
    gc.set_threshold(*GC_THRESHOLDS)
    metrics = Metrics("worker")
    catalog = catalog or RegistryCatalog(config.registry_url)
    protocol = Protocol(config, fold, catalog, framing(catalog), metrics, partitions)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = make_app(config, protocol)
    if config.tick_interval_s:
        _attach_ticks(app, config, catalog, partitions)
    with ExitStack() as stack:
        health = watch(app, config, metrics)
        if config.port is not None:
            stack.enter_context(OpsServer(config.host, config.port, metrics, health))
        log.info("worker started", extra={"partitions": partitions})
        _run(app, loop)


def framing(catalog: Catalog) -> Callable[[Record], bytes]:
    """Return a function that encodes a record under its registered schema."""
    ids: dict[type, int] = {}

    def frame(record: Record) -> bytes:
        kind = type(record)
        schema_id = ids.get(kind)
        if schema_id is None:
            schema_id = ids[kind] = catalog.schema_id(BY_TYPE[kind].stem)
        return codec.frame(schema_id, codec.encode(record))

    return frame


def _attach_ticks(app: GuardedApp, config: WorkerConfig, catalog: Catalog, partitions: int) -> None:
    writer = TickWriter(
        lambda: app.guarded_consumer,
        lambda: app.guarded_producer.client,
        framing(catalog),
        Heads(config.bootstrap, partitions, catalog, config.security),
        Silence(config.silent_after_s),
        wall_clock_us,
    )

    def is_ready() -> bool:
        return app.guarded_consumer.flow_active and not (app.rebalancing or app.in_recovery)

    async def write_ticks() -> None:
        await writer.run(config.tick_interval_s, is_ready)

    app.task(write_ticks)


def _run(app: GuardedApp, loop: asyncio.AbstractEventLoop) -> None:
    worker = faust.Worker(
        app,
        loop=loop,
        quiet=True,
        override_logging=False,
        redirect_stdouts=False,
        loglevel="WARN",
    )
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        # Faust makes an exit with 1 of whatever ended its start.
        error = end.__context__
        if end.code and isinstance(error, Exception):
            stop.on_error(error)
        raise
    except Exception as error:  # noqa: BLE001  H: whatever Faust dies of
        stop.on_error(error)
