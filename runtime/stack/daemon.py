"""The supervisor process: circus's arbiter over the commands of a plan.

``python -m runtime.stack.daemon DIRECTORY`` reads ``plan.json`` there and runs until it is told to
quit or gets SIGTERM. Its control socket is a file in that directory, which only the user may
enter.
"""

import fcntl
import json
import os
import resource
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from circus import logger  # type: ignore[import-untyped]  # circus has no types
from circus.arbiter import Arbiter  # type: ignore[import-untyped]  # as above
from circus.stream import FileStream  # type: ignore[import-untyped]  # as above
from circus.util import configure_logger  # type: ignore[import-untyped]  # as above
from circus.watcher import Watcher  # type: ignore[import-untyped]  # as above

from runtime.stack.alive import lock_file
from runtime.stack.command import Command
from runtime.stack.guard import Guard, write

_CHECK_DELAY_S = 0.5
_FILES_WANTED = 65_536
_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the supervisor runs.

    Attributes:
        commands: The processes, the ones others need first.
        logs: Directory of the log files.
        control: Endpoint of the supervisor's control socket.
        events: Endpoint of its events.
        exits_max: So many exits within the window, and a process is left stopped.
        exits_window_s: The window, seconds.
        log_bytes_max: A log file is rotated at this size.
        log_files: Rotated files kept per process.
    """

    commands: tuple[Command, ...]
    logs: Path
    control: str
    events: str
    exits_max: int = 5
    exits_window_s: float = 60.0
    log_bytes_max: int = 10 * 1024 * 1024
    log_files: int = 3


def save(plan: Plan, directory: Path) -> None:
    """Write the plan for a supervisor to be started in this directory."""
    text = json.dumps(asdict(plan), default=str, indent=1)
    (directory / "plan.json").write_text(text, encoding="utf-8")


def load(directory: Path) -> Plan:
    """Return the plan of the supervisor of this directory."""
    plan = json.loads((directory / "plan.json").read_text("utf-8"))
    commands = tuple(
        Command(**{**c, "argv": tuple(c["argv"]), "directory": Path(c["directory"])})
        for c in plan.pop("commands")
    )
    return Plan(commands=commands, logs=Path(plan.pop("logs")), **plan)


def exits_file(directory: Path, name: str) -> Path:
    """Return where the exits of a process are kept."""
    return directory / f"{name}.exits.json"


def main(directory: Path) -> int:
    """Run the supervisor until it is told to quit. Blocks.

    Returns:
        0 after a clean stop; 1 where another supervisor has this directory.
    """
    held = os.open(lock_file(directory, "supervisor"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 1
    os.ftruncate(held, 0)
    os.write(held, str(os.getpid()).encode())
    _allow_files()
    plan = load(directory)
    configure_logger(logger, "WARNING", "-")
    watchers = [
        _watcher(command, plan, directory, priority=len(plan.commands) - n)
        for n, command in enumerate(plan.commands)
    ]
    Arbiter(watchers, plan.control, plan.events, check_delay=_CHECK_DELAY_S).start()
    return 0


def _allow_files() -> None:
    """Raise the limit of open files for all processes: the warehouse engine holds hundreds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(_FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _watcher(command: Command, plan: Plan, directory: Path, priority: int) -> Watcher:
    guard = Guard(plan.exits_max, plan.exits_window_s)
    log = FileStream(
        filename=str(plan.logs / f"{command.name}.log"),
        max_bytes=plan.log_bytes_max,
        backup_count=plan.log_files,
    )
    lock = lock_file(directory, command.name)
    argv = (sys.executable, "-I", str(_CHILD), str(lock), str(os.getpid()), *command.argv)
    return Watcher(
        name=command.name,
        cmd=shlex.join(argv),
        env={**os.environ, **command.environment, "PYTHONUNBUFFERED": "1"},
        working_dir=str(command.directory),
        stdout_stream={"stream": log},
        stderr_stream={"stream": log},
        priority=priority,
        graceful_timeout=command.stop_timeout_s,
        # `custody up` starts each when what it needs is there.
        autostart=False,
        hooks=_Hooks(guard, exits_file(directory, command.name)).table(),
    )


class _Hooks:
    """What circus calls around one process; the guard counts and decides."""

    def __init__(self, guard: Guard, file: Path) -> None:
        self._guard = guard
        self._file = file
        self._spawned = False

    def table(self) -> Mapping[str, tuple[object, bool]]:
        """Return them by circus's names; the flag says whether a failing one is passed over."""
        return {
            "before_start": (self._before_start, False),
            "before_spawn": (self._before_spawn, False),
            "after_reap": (self._after_reap, True),
        }

    def _before_start(self, **_: object) -> bool:
        self._spawned = False
        self._guard.forgive()
        write(self._file, self._guard.exits)
        return True

    def _before_spawn(self, **_: object) -> bool:
        if self._spawned:
            # A process that ends between circus's two looks is dropped without being reaped.
            self._exited(None)
        self._spawned = self._guard.may_start()
        return self._spawned

    def _after_reap(self, *, watcher: Watcher, exit_code: int, **_: object) -> None:
        self._spawned = False
        if watcher.status() != "stopping":
            self._exited(exit_code)

    def _exited(self, code: int | None) -> None:
        self._guard.exited(code, time.monotonic())
        write(self._file, self._guard.exits)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
