"""The one way to open a listening socket."""

import socket

from custody.errors import Unavailable

_BACKLOG = 1_024

_OPTION: int = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
"""Elsewhere reuse means that dying connections do not hold the port. On Windows it would let a
second process listen on the same port, and that system has an option against it."""


class PortTaken(Unavailable):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, why: str, setting: str) -> None:
        super().__init__(
            f"cannot listen on {host}:{port}: {why}",
            expected="a free port",
            next_step=f"set {setting}, or stop what listens there",
        )


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a listening socket.

    Its protocol is named, not 0 as ``socket.create_server`` leaves it: asyncio switches Nagle's
    algorithm off only where it reads TCP, and with it an answer waits 40 ms for the sender's
    delayed acknowledgement.

    Args:
        host: Address to listen on.
        port: Port; 0 takes a free one.
        setting: Name of the setting to change where the port is taken.

    Raises:
        PortTaken: The address is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, _OPTION, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(host, port, error.strerror or str(error), setting) from error
    return listener
