"""The long-running processes: each built from the settings and run to its end.

Composition in one place per process; heavy packages are imported by the process that needs them.
"""

import signal
import time

from custody.events import Micros
from runtime import wiring
from runtime.settings import Settings


def gateway(settings: Settings) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. Blocks.

    It starts and accepts without broker or registry; what it accepts waits in the outbox.

    Raises:
        OutboxInUse, OutboxUnreadable, OutboxClosed: The outbox cannot be used.
        TokenUnreadable: The token's file is unusable.
    """
    import uvicorn

    from producers.http import make_app
    from producers.service import Gateway
    from producers.token import load_or_make
    from schemas.registry import RegistryCatalog
    from telemetry import logs

    logs.configure("gateway", settings.log_level)
    config = wiring.gateway_config(settings)
    config.outbox.directory.mkdir(parents=True, exist_ok=True)
    token = load_or_make(wiring.data_dir(settings).gateway_token)
    registry = wiring.registry_url(settings)
    service = Gateway(config, RegistryCatalog(registry), registry, now)
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(service, token),
            host=config.http.host,
            port=config.http.port,
            log_config=None,
            log_level="warning",
            access_log=False,
            # A sender that holds its connection open must not hold up a stop.
            timeout_graceful_shutdown=5,
        )
    )
    _end_after_cleaning()
    service.start()
    try:
        server.run()
    finally:
        service.close()


def worker(settings: Settings, no: int) -> None:
    """Run the worker with this number, from 1, until SIGTERM or Ctrl-C. Blocks.

    Raises:
        Unavailable: No broker or no topics within five minutes.
        SystemExit: Always, with the worker's exit code.
    """
    from custody.core import CustodyFold
    from streams.worker import run

    run(wiring.worker_config(settings, no), CustodyFold())


def now() -> Micros:
    """Return the time of day, microseconds since the epoch."""
    return Micros(time.time_ns() // 1000)


def _end_after_cleaning() -> None:
    """Make SIGTERM end ``server.run()`` and nothing more.

    uvicorn raises the signal it was stopped by once more when it is done; by its default that
    would end the process before what stands behind the server is closed.
    """
    signal.signal(signal.SIGTERM, lambda *_: None)
