"""Where each process of a start will listen: chosen before any is started.

Apart from the addresses themselves, which every process reads: what keeps a port from other starts
is a lock that Windows does not have, and a gateway runs there.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from custody.errors import Unavailable
from runtime.settings import DELIMITER, PREFIX, Settings
from runtime.stack.addresses import Addresses, gateway_scheme, port_of
from runtime.stack.ports import is_free
from runtime.stack.registry import url_at

_LOOPBACK = "127.0.0.1"
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


def addresses_of(settings: Settings, before: Addresses | None) -> Addresses:
    """Choose an address for every process.

    A port of the last start is taken again where it is free, then the default, then the next
    free one. A port that is set is used or refused.

    Raises:
        PortTaken: A port that is set is taken.
    """
    taken: set[int] = set()

    def port(group: str, field: str, last: str, shift: int = 0) -> int:
        values = getattr(settings, group)
        fixed = field in values.model_fields_set
        default = getattr(values, field) + shift
        again = None if fixed else port_of(last)
        if again is not None and again not in taken and reserve(again):
            taken.add(again)
            return again
        name = f"{PREFIX}{group}{DELIMITER}{field}".upper()
        return claim(name, default, taken, fixed=fixed)

    last = before or Addresses("", "", "", "", "", ())
    own_kafka = settings.kafka.bootstrap is None
    own_registry = settings.registry.url is None
    kafka, controller = settings.kafka.bootstrap or "", ""
    registry = settings.registry.url or ""
    if own_kafka:
        kafka = f"{_LOOPBACK}:{port('stack', 'kafka_port', last.kafka)}"
        controller = f"{_LOOPBACK}:{port('stack', 'controller_port', last.controller)}"
    if own_registry:
        registry = url_at(port("stack", "registry_port", last.registry))
    gateway = port("gateway", "port", last.gateway)
    console = port("console", "port", last.console)
    workers = [
        port("worker", "port", "".join(last.workers[n : n + 1]), shift=n)
        for n in range(settings.worker.count)
    ]
    return Addresses(
        kafka,
        controller,
        registry,
        f"{gateway_scheme(settings)}://{settings.gateway.host}:{gateway}",
        f"http://{settings.console.host}:{console}",
        tuple(f"http://{settings.worker.host}:{number}" for number in workers),
    )


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
