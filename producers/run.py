"""The gateway process: start, serve until told to stop, leave the outbox in order."""

import contextlib
import ctypes
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator

from custody.events import Micros
from producers.access import open_access
from producers.config import GatewayConfig
from producers.http import make_app
from producers.server import server, unencrypted
from producers.service import Gateway
from schemas.registry import Catalog
from web.listen import listen

PORT_SETTING = "CUSTODY_GATEWAY__PORT"

GC_THRESHOLDS = (50_000, 20, 50)
"""Every full collection in the default rhythm cost an answer 50 ms: 32 senders of single events
waited 84 to 93 ms at the 99th percentile, and 45 ms since."""

LARGE_BYTES = 1 << 18
"""A block of this size is given back to the system with the body that it was part of."""

_M_MMAP_THRESHOLD = -3
"""Its name in glibc's ``malloc.h``."""

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
        OutboxNotOpened: It cannot be opened or made, on a full disk for one.
        TokenUnreadable: The operator's token is open to others.
        TokensUnreadable: The other tokens cannot be read.
        CertificateUnusable: A certificate cannot be used.
    """
    _give_back_large_blocks()
    with contextlib.closing(listen(config.http.host, config.http.port, PORT_SETTING)) as listener:
        gateway = Gateway(config, catalog, registry, clock)
        try:
            with contextlib.closing(open_access(config.outbox.directory, clock)) as access:
                served = server(make_app(gateway, access), config.http)
                gateway.start()
                _spare_collections()
                _say_started(gateway, listener)
                with _stopped_by_uvicorn():
                    served.run(sockets=[listener])
        finally:
            gateway.close()
            log.info("gateway stopped", extra={"waiting": gateway.outbox.depth})


def _give_back_large_blocks() -> None:
    """Keep no large block that was let go.

    Left to itself, glibc's heap takes the first 8 MB that it is given back for the usual size, cuts
    all later ones out of one stretch, and keeps the holes: some 15 MB of a dozen large lists.
    """
    # Other libraries of C have no such knob, and no such habit.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)


def _spare_collections() -> None:
    """Collect garbage seldom: what is here now stays, and requests leave no rings to speak of."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _say_started(gateway: Gateway, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    facts = {"host": host, "port": port, "epoch": gateway.outbox.gateway[1]}
    log.info("gateway started", extra={**facts, "tls": gateway.config.http.tls is not None})
    warning = unencrypted(gateway.config.http)
    if warning:
        log.warning("gateway listens unencrypted", extra={"what": warning})


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
