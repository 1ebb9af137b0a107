"""The supervisor restarts what was killed, leaves a flapping process stopped, and stops cleanly."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runtime.stack.command import Command, wait_until
from runtime.stack.daemon import Plan
from runtime.stack.supervise import Process, Supervisor

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
_ASKS_ANEW = "import sys; sys.exit(70)"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "supervisor")
    control, events = supervisor.endpoints()
    commands = tuple(
        Command(name, (sys.executable, "-c", code), tmp_path, stop_timeout_s=5.0)
        for name, code in {"sleeper": _SLEEPS, "flapper": _ASKS_ANEW}.items()
    )
    supervisor.start(Plan(commands, tmp_path / "logs", control, events))
    yield supervisor
    supervisor.quit()


def test_killed_process_is_restarted_and_counted(supervisor: Supervisor) -> None:
    supervisor.start_process("sleeper")
    first = _process(supervisor, "sleeper").pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    _eventually(lambda: _process(supervisor, "sleeper").pid not in (None, first))
    again = _process(supervisor, "sleeper")
    assert (again.state, again.exits.count, again.exits.last_code) == ("running", 1, -9)


def test_process_that_keeps_exiting_is_left_stopped_with_a_named_reason(
    supervisor: Supervisor,
) -> None:
    supervisor.start_process("flapper")
    _eventually(lambda: _process(supervisor, "flapper").exits.reason is not None)
    _eventually(lambda: _process(supervisor, "flapper").state == "stopped")
    flapper = _process(supervisor, "flapper")
    assert flapper.exits.count == 5
    assert flapper.exits.reason == (
        "5 exits in 60 s, the last with code 70 (asked to be started anew)"
    )


def test_quit_leaves_no_process_behind(supervisor: Supervisor) -> None:
    supervisor.start_process("sleeper")
    pids = [_process(supervisor, "sleeper").pid, supervisor.pid()]
    supervisor.quit()
    assert supervisor.pid() is None
    assert not [pid for pid in pids if pid is not None and _lives(pid)]


def test_processes_end_with_a_killed_supervisor(supervisor: Supervisor) -> None:
    supervisor.start_process("sleeper")
    sleeper, own = _process(supervisor, "sleeper").pid, supervisor.pid()
    assert sleeper is not None
    assert own is not None
    os.kill(own, signal.SIGKILL)
    _eventually(lambda: not _lives(sleeper))


def _process(supervisor: Supervisor, name: str) -> Process:
    return next(p for p in supervisor.processes() if p.name == name)


def _eventually(holds: Callable[[], bool]) -> None:
    wait_until(holds, "what the test waits for", 30.0, "read the test")


def _lives(pid: int) -> bool:
    # In a test the supervisor is our own child and stays a zombie until somebody asks for it.
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
