"""Which process listens where: planned before a start, recorded, and kept over a restart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runtime.settings import DELIMITER, PREFIX, Settings
from runtime.stack import ports

MAIN = ("kafka", "registry", "gateway", "console")
"""The addresses people ask for; the others are each process's own."""

_LOOPBACK = "127.0.0.1"
_CONFLUENT_API = "/apis/ccompat/v7"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Effective addresses of a stack.

    Attributes:
        kafka: ``host:port,...`` of the broker.
        controller: ``host:port`` of the local broker's controller; unused with a foreign broker.
        registry: Base URL of the registry's Confluent API.
        gateway: Base URL of the gateway.
        console: Base URL of the warehouse process: SQL, ``/health``, ``/metrics``.
        workers: Base URL of each worker's ``/health`` and ``/metrics``.
    """

    kafka: str
    controller: str
    registry: str
    gateway: str
    console: str
    workers: tuple[str, ...]


def plan(settings: Settings, before: Addresses | None) -> Addresses:
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
        if again is not None and again not in taken and ports.reserve(again):
            taken.add(again)
            return again
        name = f"{PREFIX}{group}{DELIMITER}{field}".upper()
        return ports.claim(name, default, taken, fixed=fixed)

    last = before or Addresses("", "", "", "", "", ())
    own_kafka = settings.kafka.bootstrap is None
    own_registry = settings.registry.url is None
    kafka, controller = settings.kafka.bootstrap or "", ""
    registry = settings.registry.url or ""
    if own_kafka:
        kafka = f"{_LOOPBACK}:{port('stack', 'kafka_port', last.kafka)}"
        controller = f"{_LOOPBACK}:{port('stack', 'controller_port', last.controller)}"
    if own_registry:
        number = port("stack", "registry_port", last.registry)
        registry = f"http://{_LOOPBACK}:{number}{_CONFLUENT_API}"
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


def gateway_scheme(settings: Settings) -> str:
    """Return ``https`` where the gateway has a certificate, else ``http``."""
    return "http" if settings.gateway.tls_cert_file is None else "https"


def port_of(address: str) -> int | None:
    """Return the port of ``host:port`` or of a URL; None where it names none."""
    return urlsplit(address if "//" in address else f"//{address}").port


def write(path: Path, addresses: Addresses) -> None:
    """Record the addresses, one name and one text each, at once as a whole."""
    found = {
        "kafka": addresses.kafka,
        "kafka-controller": addresses.controller,
        "registry": addresses.registry,
        "gateway": addresses.gateway,
        "console": addresses.console,
        **{f"worker-{no}": url for no, url in enumerate(addresses.workers, start=1)},
    }
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def read(path: Path) -> Addresses | None:
    """Return the recorded addresses; None where there are none or they cannot be read."""
    try:
        found: Mapping[str, str] = json.loads(path.read_text("utf-8"))
        workers = sorted((n for n in found if n.startswith("worker-")), key=lambda n: int(n[7:]))
        return Addresses(
            found["kafka"],
            found["kafka-controller"],
            found["registry"],
            found["gateway"],
            found["console"],
            tuple(found[name] for name in workers),
        )
    except (OSError, ValueError, KeyError):
        # It is a memory of convenience: without it the defaults are tried.
        return None
