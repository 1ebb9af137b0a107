"""The gateway process: start, serve until told to stop, leave the outbox in order."""

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator

import uvicorn

from custody.events import Micros
from producers.config import GatewayConfig
from producers.http import make_app
from producers.service import Gateway
from schemas.registry import Catalog
from web.listen import listen
from web.token import load_or_make

PORT_SETTING = "CUSTODY_GATEWAY__PORT"
_DRAIN_S = 5
"""How long a stop waits for answers that are due."""

log = logging.getLogger(__name__)


def run(
    config: GatewayConfig, *, catalog: Catalog, registry: str, clock: Callable[[], Micros]
) -> None:
    """Run a gateway until SIGTERM or Ctrl-C. Blocks.

    It starts and accepts without broker and registry. On a stop it answers what is due, gives
    Kafka a moment to acknowledge, and leaves the rest in the outbox.

    Args:
        config: The whole of it.
        catalog: Who gives schema ids.
        registry: Name of the registry, such as its URL.
        clock: Time of day, UTC.

    Raises:
        PortTaken: The address is in use.
        OutboxInUse: Another process has the outbox open.
        OutboxUnreadable: The outbox is of another format or gateway.
        OutboxClosed: Its disk cannot be written.
        TokenUnreadable: The token's file is open to others.
    """
    with contextlib.closing(listen(config.http.host, config.http.port, PORT_SETTING)) as listener:
        gateway = Gateway(config, catalog, registry, clock)
        try:
            token = load_or_make(config.outbox.directory / "token")
            gateway.start()
            _, epoch = gateway.outbox.gateway
            host, port = listener.getsockname()[:2]
            log.info("gateway started", extra={"host": host, "port": port, "epoch": epoch})
            server = uvicorn.Server(
                uvicorn.Config(
                    make_app(gateway, token),
                    log_config=None,
                    access_log=False,
                    lifespan="off",
                    timeout_graceful_shutdown=_DRAIN_S,
                )
            )
            with _stopped_by_uvicorn():
                server.run(sockets=[listener])
        finally:
            gateway.close()
            log.info("gateway stopped", extra={"waiting": gateway.outbox.depth})


@contextlib.contextmanager
def _stopped_by_uvicorn() -> Iterator[None]:
    """Let the server end on SIGTERM or Ctrl-C, and us after it.

    Having ended, uvicorn raises the signal once more for whoever was there before; the default of
    SIGTERM would then end the process before the outbox is closed.
    """
    before = signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
