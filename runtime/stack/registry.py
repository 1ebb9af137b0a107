"""One Apicurio Registry on loopback, its schemas in an H2 file below the data directory."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from custody.errors import Unavailable
from runtime.stack.command import Command
from schemas.registry import COMPATIBILITY

_PROBE_TIMEOUT_S = 2.0
_CONFIG_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class RegistryNode:
    """A registry to run.

    Attributes:
        directory: Where its database lives.
        jars: Directory of its distribution.
        java: Java executable.
        port: Port on loopback.
        heap_mb: Largest Java heap, megabytes.
    """

    directory: Path
    jars: Path
    java: Path
    port: int
    heap_mb: int = 192

    @property
    def url(self) -> str:
        """Address of the Confluent-compatible API, for clients."""
        return url_at(self.port)


def url_at(port: int) -> str:
    """Return the address of the Confluent-compatible API of a registry on a port of loopback."""
    return f"http://127.0.0.1:{port}/apis/ccompat/v7"


class RuleNotTaken(Unavailable):
    """The registry did not take its compatibility rule."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the registry at {url} does not take its compatibility rule: {reason}",
            expected=f"{COMPATIBILITY} as the rule for every subject",
            next_step="custody status, and the log of the registry",
        )


def prepare(node: RegistryNode) -> None:
    """Make the directory of the database. Harmless to repeat."""
    node.directory.mkdir(parents=True, exist_ok=True)


def command(node: RegistryNode) -> Command:
    """Return the command that runs the registry."""
    database = node.directory.resolve() / "registry"
    return Command(
        name="registry",
        argv=(
            str(node.java),
            f"-Xmx{node.heap_mb}m",
            "-XX:+UseSerialGC",
            # It answers a few requests and then rests: the second compiler would cost a third of
            # its start.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-jar",
            str(node.jars / "quarkus-run.jar"),
        ),
        directory=node.directory,
        environment={
            "QUARKUS_HTTP_HOST": "127.0.0.1",
            "QUARKUS_HTTP_PORT": str(node.port),
            "QUARKUS_LOG_LEVEL": "WARN",
            "QUARKUS_LOG_CATEGORY__IO_APICURIO__LEVEL": "WARN",
            "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
            # Health would be a second listener on all interfaces.
            "QUARKUS_MANAGEMENT_HOST": "127.0.0.1",
            "QUARKUS_MANAGEMENT_PORT": "0",
            "QUARKUS_OTEL_SDK_DISABLED": "true",
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            # Written at once: H2 otherwise waits half a second, and a schema id that was given out
            # and lost in a kill would be given to another schema.
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{database};WRITE_DELAY=0"
            # Closed with its last connection, not by a hook that races the server's own stop.
            ";DB_CLOSE_ON_EXIT=FALSE",
        },
    )


def require_full_transitive(url: str) -> None:
    """Make FULL_TRANSITIVE the rule for every subject. Blocks; harmless to repeat.

    The registry itself starts with no rule at all.

    Raises:
        RuleNotTaken: The registry does not answer, or refuses.
    """
    try:
        answer = httpx.put(
            f"{url}/config", json={"compatibility": COMPATIBILITY}, timeout=_CONFIG_TIMEOUT_S
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise RuleNotTaken(url, str(error)) from error


def is_ready(url: str) -> bool:
    """Return whether the registry answers. Blocks for two seconds at most."""
    try:
        return httpx.get(f"{url}/subjects", timeout=_PROBE_TIMEOUT_S).is_success
    except httpx.HTTPError:
        return False
