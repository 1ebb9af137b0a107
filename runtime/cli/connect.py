"""From the settings and a running stack's addresses to clients."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.client import Endpoint, Gateway, NotStarted, Warehouse
from runtime.paths import DataDir


def addresses(data_dir: DataDir) -> dict[str, str]:
    """Return the addresses a running stack has left: kafka, registry, gateway, console.

    Raises:
        Unavailable: There are none.
    """
    try:
        found = json.loads(data_dir.addresses.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotStarted(data_dir.addresses) from error
    return {str(name): str(address) for name, address in found.items()}


def data_dir() -> DataDir:
    """Return the data directory in effect."""
    return DataDir(Path(os.environ.get("CUSTODY_DATA_DIR", ".custody")))


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Open a client of the gateway; closed at the end of the block."""
    place = data_dir()
    client = Gateway(Endpoint("gateway", addresses(place)["gateway"], place.gateway_token))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def warehouse() -> Iterator[Warehouse]:
    """Open a client of the warehouse; closed at the end of the block."""
    place = data_dir()
    client = Warehouse(Endpoint("warehouse", addresses(place)["console"], place.sink_token))
    try:
        yield client
    finally:
        client.close()
