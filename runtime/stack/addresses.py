"""Which process listens where, recorded and read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runtime import whole_file
from runtime.settings import Settings

MAIN = ("kafka", "registry", "gateway", "console")
"""The addresses people ask for; the others are each process's own."""


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
    whole_file.write(path, json.dumps(found, indent=1) + "\n")


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
