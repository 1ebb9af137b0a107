"""How every process of the stack is: from the supervisor, and from the process itself."""

import ssl
from dataclasses import dataclass

import httpx

from runtime.paths import DataDir
from runtime.stack import addresses as where
from runtime.stack import kafka, registry
from runtime.stack.addresses import Addresses
from runtime.stack.guard import Exits
from runtime.stack.supervise import Process, Supervisor

_PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process.

    Attributes:
        name: Its name.
        state: ``running``, ``stopped``, or in between.
        pid: Process id; None where none runs.
        healthy: It runs and does its work.
        health: ``ok``, or what is wrong in its own words.
        restarts: Times it was started again since the supervisor started.
        reason: Why it is left stopped; None where it is not.
        address: Where it listens.
        warning: What it warns of although it does its work; empty for nothing.
    """

    name: str
    state: str
    pid: int | None
    healthy: bool
    health: str
    restarts: int
    reason: str | None
    address: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole stack; no process at all where it is down.

    Attributes:
        addresses: Effective addresses by name: kafka, registry, gateway, console.
        processes: Every process, the ones others need first.
        first_password_file: Holds the password of the console's first user until it is changed.
    """

    addresses: dict[str, str]
    processes: tuple[ProcessStatus, ...]
    first_password_file: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether it is up and nothing is wrong."""
        return bool(self.processes) and all(p.healthy for p in self.processes)


def status(data: DataDir, trust: ssl.SSLContext | None = None) -> Status:
    """Return how everything is. Blocks for a few seconds at most.

    Args:
        data: The stack's directory.
        trust: Whom to trust where the gateway speaks TLS; None for those the system trusts.

    Raises:
        NotAnswering: A supervisor is there and does not answer.
    """
    supervisor = Supervisor(data.supervisor)
    found = where.read(data.addresses)
    if supervisor.pid() is None or found is None:
        return Status({}, ())
    processes = tuple(_status(process, found, trust) for process in supervisor.processes())
    first = data.first_password
    return Status(
        {name: getattr(found, name) for name in where.MAIN},
        processes,
        str(first) if first.exists() else None,
    )


def probe(name: str, data: DataDir, trust: ssl.SSLContext | None = None) -> ProcessStatus:
    """Return how one process is. Blocks for about two seconds at most."""
    found = where.read(data.addresses)
    assert found is not None
    process = Supervisor(data.supervisor).process(name)
    return _status(process, found, trust)


def _status(process: Process, found: Addresses, trust: ssl.SSLContext | None) -> ProcessStatus:
    address = _address(process.name, found)
    health, warning = _health(process, address, trust)
    return ProcessStatus(
        name=process.name,
        state=process.state,
        pid=process.pid,
        healthy=health == "ok",
        health=health,
        restarts=_restarts(process.exits),
        reason=process.exits.reason,
        address=address,
        warning=warning,
    )


def _restarts(exits: Exits) -> int:
    """Every exit was followed by a start, but for the one after which it was left stopped."""
    return exits.count - (exits.reason is not None)


def _address(name: str, found: Addresses) -> str:
    if name.startswith("worker-"):
        return found.workers[int(name.removeprefix("worker-")) - 1]
    if name == "warehouse":
        return found.console
    return str(getattr(found, name))


def _health(process: Process, address: str, trust: ssl.SSLContext | None) -> tuple[str, str]:
    """Return ``ok`` or what is wrong, and what it warns of."""
    if process.pid is None:
        return "not running", ""
    if process.name == "kafka":
        return "ok" if kafka.is_ready(address) else "answers no admin request", ""
    if process.name == "registry":
        return "ok" if registry.is_ready(address) else "does not answer", ""
    return _asked(address, process.pid, trust)


def _asked(address: str, pid: int, trust: ssl.SSLContext | None) -> tuple[str, str]:
    try:
        answer = httpx.get(f"{address}/health", timeout=_PROBE_TIMEOUT_S, verify=trust or True)
    except httpx.HTTPError as error:
        return f"does not answer: {type(error).__name__}", ""
    try:
        body = answer.json()
    except ValueError:
        body = None
    said = body if isinstance(body, dict) else {}
    if answer.is_success:
        # Another stack's process may have taken the port between planning and listening.
        if said.get("pid") != pid:
            return f"another process listens at {address}", ""
        return "ok", str(said.get("warning") or "")
    wrong = said.get("reason") or said.get("detail") or f"answers {answer.status_code}"
    return str(wrong), str(said.get("warning") or "")
