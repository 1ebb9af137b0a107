"""Talk to the supervisor of a data directory: start it, ask it, stop it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zmq
from circus.client import CircusClient  # type: ignore[import-untyped]  # circus has no types
from circus.exc import CallError  # type: ignore[import-untyped]  # as above

from custody.errors import Unavailable
from runtime.stack import daemon, guard
from runtime.stack.alive import is_locked, lock_file
from runtime.stack.command import wait_until

_CALL_TIMEOUT_S = 40.0
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 60.0
# A socket's path may be 107 bytes on Linux and 103 on macOS; the longest name is below 20.
_SOCKET_DIRECTORY_CHARS_MAX = 80


class NotAnswering(Unavailable):
    """The supervisor is there and does not answer."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"the supervisor of {directory} does not answer: {reason}",
            expected="an answer to a local request",
            next_step="custody down, then custody up; its log is logs/supervisor.log",
        )


@dataclass(frozen=True, slots=True)
class Process:
    """One process as the supervisor sees it.

    Attributes:
        name: Its name.
        state: ``running``, ``stopped`` or what circus calls it in between.
        pid: Process id; None where none runs.
        exits: Its exits since the supervisor started.
    """

    name: str
    state: str
    pid: int | None
    exits: guard.Exits


class Supervisor:
    """The supervisor of one directory.

    Args:
        directory: Its directory; made where it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def pid(self) -> int | None:
        """Return the supervisor's process id; None where none runs."""
        lock = lock_file(self.directory, "supervisor")
        if not is_locked(lock):
            return None
        text = lock.read_text("utf-8")
        return int(text) if text else None

    def endpoints(self) -> tuple[str, str]:
        """Return endpoints for control and events: socket files only this user can reach."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        place = self.directory.resolve()
        if len(str(place)) > _SOCKET_DIRECTORY_CHARS_MAX:
            place = Path(tempfile.mkdtemp(prefix="custody-"))
        return f"ipc://{place}/control", f"ipc://{place}/events"

    def start(self, plan: daemon.Plan) -> None:
        """Start the supervisor, detached, with no process running yet. Blocks until it answers.

        Raises:
            NotReady: It does not answer in time.
        """
        plan.logs.mkdir(parents=True, exist_ok=True)
        daemon.save(plan, self.directory)
        with (plan.logs / "supervisor.log").open("ab") as log:
            started = subprocess.Popen(  # noqa: S603  the argument list is ours, no shell
                [sys.executable, "-m", "runtime.stack.daemon", str(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(
            lambda: self._answers() or started.poll() is not None,
            "the supervisor",
            _START_TIMEOUT_S,
            f"see {plan.logs / 'supervisor.log'}",
        )
        if started.poll() is not None and not self._answers():
            raise NotAnswering(self.directory, f"it exited with code {started.returncode}")
        # It outlives us on purpose: without this, Popen would warn of it.
        started.returncode = 0

    def start_process(self, name: str) -> None:
        """Start a process where it does not run. Blocks until it is spawned, not until it works.

        Raises:
            NotAnswering: The supervisor does not answer.
        """
        self._call("start", name=name, waiting=True)

    def stop_processes(self, names: Sequence[str]) -> None:
        """Stop some at once: SIGTERM, each its own time, SIGKILL. Blocks until they are gone."""
        if names:
            pattern = f"({'|'.join(map(re.escape, names))})$"
            self._call("stop", name=pattern, match="regex", waiting=True)

    def processes(self) -> list[Process]:
        """Return every process of the plan, in its order."""
        names = [c.name for c in daemon.load(self.directory).commands]
        states = self._call("status")["statuses"]
        assert isinstance(states, dict)
        return [self._process(name, str(states.get(name))) for name in names]

    def process(self, name: str) -> Process:
        """Return one process of the plan."""
        states = self._call("status")["statuses"]
        assert isinstance(states, dict)
        return self._process(name, str(states.get(name)))

    def quit(self) -> None:
        """Stop the supervisor and whatever still runs. Blocks until all of it is gone."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        self.wait_for_the_last()
        self._clear_sockets()

    def wait_for_the_last(self) -> None:
        """Wait until no process of the plan lives. Blocks for a minute at most.

        The processes of a supervisor that was killed got SIGTERM and may still be finishing.

        Raises:
            NotReady: One lives on.
        """
        wait_until(
            lambda: not self._living(),
            f"the stop of {', '.join(self._living())}",
            _STOP_TIMEOUT_S,
            f"see {self.directory.parent / 'logs'}",
        )

    def _clear_sockets(self) -> None:
        """Remove the sockets' own directory, where the path of ours was too long for them."""
        if not (self.directory / "plan.json").exists():
            return
        place = Path(daemon.load(self.directory).control.removeprefix("ipc://")).parent
        if place != self.directory.resolve():
            shutil.rmtree(place, ignore_errors=True)

    def _living(self) -> list[str]:
        if not (self.directory / "plan.json").exists():
            return []
        names = ["supervisor", *(c.name for c in daemon.load(self.directory).commands)]
        return [n for n in names if is_locked(lock_file(self.directory, n))]

    def _process(self, name: str, state: str) -> Process:
        pids = self._call("list", name=name).get("pids")
        pid = pids[0] if isinstance(pids, list) and pids else None
        exits = guard.read(daemon.exits_file(self.directory, name))
        return Process(name, "running" if state == "active" and pid else state, pid, exits)

    def _answers(self) -> bool:
        try:
            with self._client(timeout_s=1.0) as client:
                client.send_message("status")
        except CallError:
            return False
        return True

    def _call(self, command: str, **properties: object) -> dict[str, object]:
        try:
            with self._client(_CALL_TIMEOUT_S) as client:
                answer: dict[str, object] = client.send_message(command, **properties)
        except CallError as error:
            raise NotAnswering(self.directory, str(error)) from error
        if answer.get("status") != "ok":
            raise NotAnswering(self.directory, str(answer.get("reason")))
        return answer

    @contextmanager
    def _client(self, timeout_s: float) -> Iterator[CircusClient]:
        context = zmq.Context()
        client = CircusClient(
            context=context, endpoint=daemon.load(self.directory).control, timeout=timeout_s
        )
        try:
            yield client
        finally:
            client.stop()
            context.destroy(linger=0)
