"""Free ports on loopback."""

import fcntl
import os
import socket
import tempfile
from contextlib import closing
from pathlib import Path

from custody.errors import Unavailable

_TRIES_MAX = 200

_RESERVED: dict[int, int] = {}
"""Ports this process has chosen, with the locks that say so: open files, until it ends."""


class PortTaken(Unavailable):
    """A port we have to listen on is somebody else's."""

    def __init__(self, setting: str, port: int) -> None:
        super().__init__(
            f"port {port} of {setting} is taken on 127.0.0.1",
            expected="a free port",
            next_step=f"stop what listens there, or set {setting} to another port",
        )


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a port can be listened on."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # As servers do: a port whose old connections are still dying counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def reserve(port: int) -> bool:
    """Return whether a port is ours to start on, and keep other starts from it.

    Between the choice and the moment a process listens there it is free to everybody's eye: two
    starts at once chose the same, and the second took the first one's registry for its own. The
    reservation ends with this process, when what it started listens.
    """
    if not is_free(port):
        return False
    if port in _RESERVED:
        return True
    path = Path(tempfile.gettempdir()) / f"custody-port-{os.getuid()}-{port}.lock"
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return False
    _RESERVED[port] = held
    return True


def any_free() -> int:
    """Return a port that was free a moment ago, of the system's choice."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def claim(setting: str, wanted: int, taken: set[int], *, fixed: bool) -> int:
    """Return the wanted port, or the next free one where the port was not asked for by name.

    Args:
        setting: Environment name of the port, for the message.
        wanted: Port to start from.
        taken: Ports given to others in this plan; the result is added to it.
        fixed: The port was configured explicitly, so another one is no answer.

    Raises:
        PortTaken: A fixed port is taken, or 200 ports in a row are.
    """
    for port in range(wanted, min(wanted + _TRIES_MAX, 65_536)):
        if port not in taken and reserve(port):
            taken.add(port)
            return port
        if fixed:
            break
    raise PortTaken(setting, wanted)
