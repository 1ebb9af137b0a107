"""The gateway process: start, serve until told to stop, leave the outbox in order."""

import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from custody.errors import Unavailable
from custody.events import Micros
from producers.config import GatewayConfig, HttpConfig
from producers.http import make_app
from producers.schema_ids import Catalog
from producers.service import Gateway
from producers.token import load_or_make

_BACKLOG = 1_024
_DRAIN_S = 5
"""How long a stop waits for answers that are due."""

log = logging.getLogger(__name__)


class PortTaken(Unavailable):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(
            f"cannot listen on {host}:{port}: {why}",
            expected="a free port",
            next_step="set CUSTODY_GATEWAY__PORT, or stop what listens there",
        )


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
    with contextlib.closing(listen(config.http)) as listener:
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


def listen(config: HttpConfig) -> socket.socket:
    """Return a listening socket.

    Its protocol is named, not 0 as ``socket.create_server`` leaves it: asyncio switches Nagle's
    algorithm off only where it reads TCP, and with it an answer waits 40 ms for the sender's
    delayed acknowledgement.

    Raises:
        PortTaken: The address is in use.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((config.host, config.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(config.host, config.port, error.strerror or str(error)) from error
    return listener
