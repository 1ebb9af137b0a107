"""Bring the local stack up and take it down: every step harmless to repeat.

Order of a start: check the disk, choose ports, download what is not there, format, start the
supervisor, then broker and registry, topics, compatibility rule and schemas, then our own
processes. What is there already is left as it is, so a second ``custody up`` finishes an
interrupted first one and heals a process that was left stopped.
"""

import errno
import hashlib
import shutil
import ssl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from custody.errors import Unavailable
from runtime import wiring
from runtime.client import Endpoint, Gateway
from runtime.paths import DataDir, cache_dir
from runtime.settings import DELIMITER, PREFIX, Settings
from runtime.stack import addresses as where
from runtime.stack import cluster, daemon, jars, kafka, plan, prepare, registry
from runtime.stack.addresses import Addresses
from runtime.stack.command import Command, wait_until
from runtime.stack.java import find_java
from runtime.stack.status import ProcessStatus, Status, probe, status
from runtime.stack.supervise import Supervisor
from runtime.trust import gateway_trust

_MB = 1_000_000
_FOUNDATION = ("kafka", "registry")
"""What the others stand on: started first, stopped last."""


class Steps(Protocol):
    """Tells a person what is going on."""

    def download(self, title: str, size_bytes: int) -> AbstractContextManager[jars.Advance]:
        """Show a download for the length of the block."""
        ...

    def waiting(self, title: str) -> AbstractContextManager[None]:
        """Show a step for the length of the block."""
        ...

    def remark(self, text: str) -> None:
        """Say something a person should know."""
        ...


_FREE_SOME = "free some, or set CUSTODY_DATA_DIR to a directory on another disk"
_PERMIT = "give yourself the right to write there, or set CUSTODY_DATA_DIR to a directory of yours"
_CORRECT = "a part of the path is no directory: set CUSTODY_DATA_DIR to another path"
_HINTS = {
    errno.EACCES: _PERMIT,
    errno.EPERM: _PERMIT,
    errno.EROFS: _PERMIT,
    errno.ENOTDIR: _CORRECT,
    errno.EEXIST: _CORRECT,
    errno.ENOENT: _CORRECT,
}
"""What to do about a failure to write; any other may well be a full disk."""


class NoRoom(Unavailable):
    """The data directory cannot be written, or its disk is nearly full."""

    def __init__(
        self, directory: Path, found: str, free_mb_min: int, next_step: str = _FREE_SOME
    ) -> None:
        super().__init__(
            f"data directory {directory}: {found}",
            expected=f"a directory we may write with {free_mb_min} MB free",
            next_step=next_step,
        )


class LeftStopped(Unavailable):
    """A process does not come up."""

    def __init__(self, process: ProcessStatus, logs: Path) -> None:
        super().__init__(
            f"{process.name} does not run: {process.reason}",
            expected="a healthy process",
            next_step=f"read {logs / process.name}.log, then custody up",
        )


@dataclass(frozen=True, slots=True)
class Down:
    """What a stop did.

    Attributes:
        stopped: Names of the processes that ran and no longer do.
        took_s: How long it took, seconds.
    """

    stopped: tuple[str, ...]
    took_s: float


def up(settings: Settings, steps: Steps) -> Status:
    """Start what does not run and wait until all of it is healthy. Blocks.

    Raises:
        NoRoom: The data directory cannot be used.
        PortTaken: A port that was set is taken.
        StrangeBroker, BrokerLost: The broker is of another cluster than the directory was made
            with, or the stack's own has lost its log.
        CannotDownload, WrongChecksum: The broker or the registry is not to be had.
        NotReady, LeftStopped: A process does not come up.
    """
    data = DataDir(settings.data_dir.resolve())
    check_room(data.root, settings.stack.disk_free_mb_min)
    if settings.kafka.bootstrap is not None:
        # Before anything is started or written: another address may be another cluster.
        cluster.check(data, wiring.kafka_options(settings, settings.kafka.bootstrap))
    else:
        cluster.check_own(data)
    supervisor = Supervisor(data.supervisor)
    if supervisor.pid() is None:
        supervisor.wait_for_the_last()
        _start_supervisor(settings, data, supervisor, steps)
    elif _started_with(data).read_text("utf-8") != _digest(settings):
        steps.remark("the stack runs with other settings; custody down, then up, to use these")
    names = [c.name for c in daemon.load(data.supervisor).commands]
    foundation = [name for name in names if name in _FOUNDATION]
    _start_and_wait(foundation, data, supervisor, settings, steps)
    cluster.check(data, wiring.kafka_options(settings, wiring.bootstrap(settings)))
    with steps.waiting("topics and schemas"):
        prepare.prepare(settings)
    _start_and_wait([n for n in names if n not in foundation], data, supervisor, settings, steps)
    trust = gateway_trust(settings.gateway)
    _make_key_known(data, trust, steps)
    return _all_running(status(data, trust), data.logs)


def _all_running(found: Status, logs: Path) -> Status:
    """Return how the stack is, unless a process that was up has been left stopped since."""
    for process in found.processes:
        if process.reason is not None:
            raise LeftStopped(process, logs)
    return found


def _make_key_known(data: DataDir, trust: ssl.SSLContext | None, steps: Steps) -> None:
    """Enter the gateway's own key into reference data: here one operator has all of it.

    Elsewhere that is the operator's to do and not the gateway's. The same record again is a
    duplicate; of another key that was entered for the same time the first one stays.
    """
    known = where.read(data.addresses)
    if known is None:
        return
    endpoint = Endpoint("gateway", known.gateway, data.gateway_token, trust)
    with closing(Gateway(endpoint)) as gateway:
        said = gateway.health()
        record = {
            "type": "reference",
            "kind": "gateway",
            "id": said["gateway_id"],
            "valid_from": KNOWN_SINCE,
            "body": {"key_id": said["key_id"], "public_key": said["public_key"]},
        }
        answer = gateway.publish([record])[0]
    if answer.get("code") == "duplicate_conflict":
        steps.remark(
            "the gateway signs with another key than reference data names: after a rotation load"
            " its record (custody gateway-key show --reference)"
        )


KNOWN_SINCE = "2020-01-01T00:00:00Z"
"""From when a local gateway's first key holds: before any of its heads."""


def down(settings: Settings, steps: Steps) -> Down:
    """Stop everything of this data directory. Blocks until all of it is gone.

    Our own processes go first, so that they finish what they hold while the broker is there.
    """
    data = DataDir(settings.data_dir.resolve())
    supervisor = Supervisor(data.supervisor)
    began_s = time.monotonic()
    if supervisor.pid() is None:
        return Down((), 0.0)
    running = [p.name for p in supervisor.processes() if p.pid is not None]
    ours = [name for name in running if name not in _FOUNDATION]
    foundation = [name for name in running if name in _FOUNDATION]
    for names in (ours, foundation):
        with steps.waiting(f"stopping {', '.join(names)}"):
            supervisor.stop_processes(names)
    with steps.waiting("stopping the supervisor"):
        supervisor.quit()
    return Down(tuple(running), time.monotonic() - began_s)


def check_room(directory: Path, free_mb_min: int) -> None:
    """Make the data directory and see that it can be written and has room.

    Raises:
        NoRoom: It cannot be written, or has less room than asked for.
    """
    probe_file = directory / ".writable"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe_file.write_bytes(b"1")
        probe_file.unlink()
        free_mb = shutil.disk_usage(directory).free // _MB
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, _FREE_SOME)
        raise NoRoom(directory, error.strerror or str(error), free_mb_min, hint) from error
    if free_mb < free_mb_min:
        raise NoRoom(directory, f"{free_mb} MB free", free_mb_min)


def _start_supervisor(
    settings: Settings, data: DataDir, supervisor: Supervisor, steps: Steps
) -> None:
    planned = plan.addresses_of(settings, where.read(data.addresses))
    commands = [*_foreign(settings, data, planned, steps), *_ours(data, planned)]
    control, events = supervisor.endpoints()
    stack = settings.stack
    where.write(data.addresses, planned)
    _started_with(data).write_text(_digest(settings), "utf-8")
    supervisor.start(
        daemon.Plan(
            commands=tuple(commands),
            logs=data.logs,
            control=control,
            events=events,
            exits_max=stack.exits_max,
            exits_window_s=stack.exits_window_s,
            log_bytes_max=stack.log_bytes_max,
            log_files=stack.log_files,
        )
    )


def _started_with(data: DataDir) -> Path:
    """Where the digest of the settings of the last start is."""
    return data.supervisor / "settings.sha256"


def _digest(settings: Settings) -> str:
    # Secrets are asterisks in it, so a changed password goes unseen, and none is stored.
    return hashlib.sha256(settings.model_dump_json(exclude={"data_dir"}).encode()).hexdigest()


def _foreign(
    settings: Settings, data: DataDir, planned: Addresses, steps: Steps
) -> Iterator[Command]:
    """Broker and registry, each only where it is not run elsewhere."""
    stack = settings.stack
    if settings.kafka.bootstrap is None:
        node = kafka.KafkaNode(
            directory=data.kafka,
            jars=_bundle("kafka", settings, steps),
            java=find_java(),
            port=where.port_of(planned.kafka) or 0,
            controller_port=where.port_of(planned.controller) or 0,
            partitions=settings.kafka.partitions,
            heap_mb=stack.kafka_heap_mb,
        )
        with steps.waiting("formatting the broker's log"):
            kafka.prepare(node)
        yield kafka.command(node)
    if settings.registry.url is None:
        schemas = registry.RegistryNode(
            directory=data.registry,
            jars=_bundle("registry", settings, steps),
            java=find_java(),
            port=where.port_of(planned.registry) or 0,
            heap_mb=stack.registry_heap_mb,
        )
        registry.prepare(schemas)
        yield registry.command(schemas)


def _bundle(name: str, settings: Settings, steps: Steps) -> Path:
    bundle = jars.locked(name)
    if jars.is_cached(bundle, cache_dir()):
        return cache_dir() / bundle.name
    fetch = jars.jgo_fetch(settings.stack.maven_repository_url)
    with steps.download(bundle.title, bundle.size_bytes) as advance:
        return jars.ensure(bundle, cache_dir(), fetch, advance)


def _ours(data: DataDir, planned: Addresses) -> Iterator[Command]:
    """Gateway, workers and warehouse, told the effective addresses by environment."""
    shared = {
        "data_dir": str(data.root),
        f"kafka{DELIMITER}bootstrap": planned.kafka,
        f"registry{DELIMITER}url": planned.registry,
        f"gateway{DELIMITER}port": str(where.port_of(planned.gateway)),
        f"console{DELIMITER}port": str(where.port_of(planned.console)),
    }
    yield _own("gateway", ["gateway"], shared)
    for no, url in enumerate(planned.workers, start=1):
        # `--no` shifts the port, so each worker is told its own less the shift.
        port = (where.port_of(url) or 0) - (no - 1)
        worker = {**shared, f"worker{DELIMITER}port": str(port)}
        yield _own(f"worker-{no}", ["worker", "--no", str(no)], worker)
    warehouse = {
        **shared,
        f"console{DELIMITER}gateway_url": planned.gateway,
        f"console{DELIMITER}worker_urls": ",".join(planned.workers),
    }
    yield _own("warehouse", ["warehouse"], warehouse)


def _own(name: str, arguments: Sequence[str], values: Mapping[str, str]) -> Command:
    return Command(
        name=name,
        argv=(sys.executable, "-m", "runtime.cli.main", *arguments),
        # Where `custody up` was called, so that a relative path or `.env` means the same.
        directory=Path.cwd(),
        environment={f"{PREFIX}{key}".upper(): value for key, value in values.items()},
        stop_timeout_s=20.0,
    )


def _start_and_wait(
    names: Sequence[str], data: DataDir, supervisor: Supervisor, settings: Settings, steps: Steps
) -> None:
    """Start several at once and wait for each, so that the slowest decides."""
    trust = gateway_trust(settings.gateway)
    for name in names:
        supervisor.start_process(name)
    for name in names:
        with steps.waiting(name):
            wait_until(
                lambda name=name: _is_healthy(name, data, trust),  # type: ignore[misc]  # bound early
                name,
                settings.stack.ready_timeout_s,
                f"read {data.logs / name}.log; custody status",
            )


def _is_healthy(name: str, data: DataDir, trust: ssl.SSLContext | None) -> bool:
    found = probe(name, data, trust)
    if found.reason is not None:
        raise LeftStopped(found, data.logs)
    return found.healthy
