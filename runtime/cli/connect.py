"""From the settings and a running stack's addresses to clients of its processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.client import Endpoint, Gateway, NotStarted, Warehouse
from runtime.settings import Settings, load
from runtime.stack import addresses
from runtime.stack.addresses import Addresses
from runtime.stack.alive import is_locked, lock_file
from runtime.trust import gateway_trust
from runtime.wiring import data_dir


def gateway_url(settings: Settings) -> str:
    """Return the gateway's address: the running stack's, else the one it is set to listen on.

    Raises:
        NotStarted: There is no running stack, and nothing says that parts run elsewhere.
    """
    recorded = _recorded(settings)
    if recorded is not None:
        return recorded.gateway
    scheme = addresses.gateway_scheme(settings)
    return _own(settings, settings.gateway.host, settings.gateway.port, scheme)


def warehouse_url(settings: Settings) -> str:
    """Return the warehouse's address, in the same way.

    Raises:
        NotStarted: As above.
    """
    recorded = _recorded(settings)
    if recorded is not None:
        return recorded.console
    return _own(settings, settings.console.host, settings.console.port)


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Open a client of the gateway; closed at the end of the block."""
    settings = load(os.environ)
    endpoint = Endpoint(
        "gateway",
        gateway_url(settings),
        data_dir(settings).gateway_token,
        gateway_trust(settings.gateway),
    )
    client = Gateway(endpoint)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def warehouse() -> Iterator[Warehouse]:
    """Open a client of the warehouse; closed at the end of the block."""
    settings = load(os.environ)
    endpoint = Endpoint("warehouse", warehouse_url(settings), data_dir(settings).sink_token)
    client = Warehouse(endpoint)
    try:
        yield client
    finally:
        client.close()


def _recorded(settings: Settings) -> Addresses | None:
    """Return the addresses of the stack of this directory; None where none was ever started.

    Raises:
        NotStarted: It was stopped. Somebody else may listen there now, who is not to get our token.
    """
    data = data_dir(settings)
    recorded = addresses.read(data.addresses)
    if recorded is not None and not is_locked(lock_file(data.supervisor, "supervisor")):
        raise NotStarted(data.addresses, "is of a stack that was stopped")
    return recorded


def _own(settings: Settings, host: str, port: int, scheme: str = "http") -> str:
    """Return the address of a process on this machine, as in a container of its own."""
    if settings.kafka.bootstrap is None:
        raise NotStarted(data_dir(settings).addresses)
    return f"{scheme}://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
