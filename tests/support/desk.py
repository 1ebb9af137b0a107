"""A running console on the real embedded engine, with HTTP clients on it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from console.access import load_access
from console.config import ConsoleConfig
from console.http import Process, make_app
from console.reader import Reader
from console.server import Server
from custody.events import Micros
from sinks import migrate
from sinks.client import Warehouse, open_warehouse
from telemetry.http import Health
from telemetry.metrics import Metrics

ENDLESS = "SELECT sum(cityHash64(number)) FROM numbers(100000000000)"
"""Runs for minutes unless it is stopped."""

_Found = TypeVar("_Found")
_PATIENCE_S = 30.0


def config_at(directory: Path) -> ConsoleConfig:
    """Return the configuration of a console whose warehouse and tokens are in a directory."""
    return ConsoleConfig(
        warehouse=f"chdb://{directory / 'warehouse'}",
        token_file=directory / "sink" / "token",
        analyst_token_file=directory / "sink" / "analyst_token",
        port=0,
    )


class Desk:
    """A running console.

    Args:
        config: Its bounds, and where things are.
        warehouse: The tables' owner, as the sink is.
    """

    def __init__(self, config: ConsoleConfig, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.config = config
        access = load_access(self.config)
        assert config.analyst_token_file is not None
        self.token = config.token_file.read_text().strip()
        self.analyst_token = config.analyst_token_file.read_text().strip()
        self.metrics = Metrics("warehouse")
        self.health = Health(ok=True, fields={"lag_records": 0})
        self.is_ready = True
        self.reader = Reader(self.config)
        self.complete_to: Micros | None = None
        self.sites: dict[str, Micros] = {}
        process = Process(
            self.metrics,
            lambda: self.health,
            lambda: self.is_ready,
            lambda: self.complete_to,
            lambda: self.sites,
        )
        self.server = Server(
            make_app(self.config, self.reader, access, process), "127.0.0.1", self.config.port
        )
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=60.0
        )

    @property
    def port(self) -> int:
        return self.server.port

    def bearer(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token if token is None else token}"}

    def sql(self, statement: str, token: str | None = None, **params: str) -> httpx.Response:
        return self.http.post("/sql", content=statement, params=params, headers=self.bearer(token))

    def ask(self, statement: str, token: str | None = None, **params: str) -> httpx.Response:
        """Ask in ClickHouse's protocol."""
        return self.http.post("/", content=statement, params=params, headers=self.bearer(token))

    def until(self, look: Callable[[], _Found]) -> _Found:
        """Return what ``look`` finds, once it finds something."""
        pause = threading.Event()
        for _ in range(int(_PATIENCE_S / 0.02)):
            found = look()
            if found:
                return found
            pause.wait(0.02)
        raise AssertionError(json.dumps({"never": str(look)}))

    def close(self) -> None:
        self.http.close()
        self.reader.close()


@contextmanager
def open_desk(config: ConsoleConfig) -> Iterator[Desk]:
    """Open a console over a warehouse with all migrations and no rows."""
    warehouse = open_warehouse(config.warehouse)
    migrate.migrate(warehouse, Micros(0))
    made = Desk(config, warehouse)
    try:
        with made.server:
            yield made
    finally:
        made.close()
        warehouse.close()
