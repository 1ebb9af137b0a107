"""Where things are on disk. The one place that knows the layout of the data directory."""

import os
from dataclasses import dataclass
from pathlib import Path


def cache_dir() -> Path:
    """Return the directory for downloads, shared by all data directories of a user."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "custody"


@dataclass(frozen=True, slots=True)
class DataDir:
    """The data directory of one local stack.

    Attributes:
        root: The directory itself.
    """

    root: Path

    @property
    def kafka(self) -> Path:
        """The broker's log and properties."""
        return self.root / "kafka"

    @property
    def registry(self) -> Path:
        """The registry's database."""
        return self.root / "registry"

    @property
    def warehouse(self) -> Path:
        """The embedded ClickHouse path; one process at a time may open it."""
        return self.root / "warehouse"

    @property
    def gateway(self) -> Path:
        """The gateway's outbox and token."""
        return self.root / "gateway"

    @property
    def sink(self) -> Path:
        """The sink's token and intent."""
        return self.root / "sink"

    @property
    def console(self) -> Path:
        """The console's users, sessions and what was done."""
        return self.root / "console"

    @property
    def first_password(self) -> Path:
        """Password of the console's first user, mode 0600, until it is changed."""
        return self.console / "first-password"

    @property
    def logs(self) -> Path:
        """One rotated file per process."""
        return self.root / "logs"

    @property
    def supervisor(self) -> Path:
        """The supervisor's configuration, pid and sockets."""
        return self.root / "supervisor"

    @property
    def addresses(self) -> Path:
        """Effective addresses of the running stack, JSON."""
        return self.root / "addresses.json"

    @property
    def cluster(self) -> Path:
        """Id of the Kafka cluster that the directory's state speaks of, JSON."""
        return self.root / "cluster.json"

    def worker(self, no: int) -> Path:
        """Return the directory of the worker with this number, from 1."""
        return self.root / f"worker-{no}"

    @property
    def gateway_token(self) -> Path:
        """The bearer token of the gateway, mode 0600."""
        return self.gateway / "token"

    @property
    def analyst_token(self) -> Path:
        """The token of analysts, who read the warehouse's views."""
        return self.root / "sink" / "analyst_token"

    @property
    def sink_token(self) -> Path:
        """The bearer token of the sink's SQL, mode 0600."""
        return self.sink / "token"
