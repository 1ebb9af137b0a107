"""What a process of the stack is started with, and a way to hold one for as long as a block."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from custody.errors import Unavailable

_POLL_S = 0.1


class NotReady(Unavailable):
    """A process was started and does not answer in time."""

    def __init__(self, what: str, timeout_s: float, next_step: str) -> None:
        super().__init__(
            f"{what} is not ready", expected=f"within {timeout_s:g} s", next_step=next_step
        )


@dataclass(frozen=True, slots=True)
class Command:
    """One process of the stack.

    Attributes:
        name: Name in the supervisor, in ``custody status`` and of the log file.
        argv: Program and arguments.
        environment: Variables added to the ones we run with.
        directory: Working directory.
        stop_timeout_s: How long it may take from SIGTERM until it is killed, seconds.
    """

    name: str
    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_timeout_s: float = 15.0


def wait_until(ready: Callable[[], bool], what: str, timeout_s: float, next_step: str) -> None:
    """Poll ``ready`` until it is true. Blocks for at most about ``timeout_s`` seconds.

    Raises:
        Unavailable: It did not become true in time.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise NotReady(what, timeout_s, next_step)
        time.sleep(_POLL_S)


@contextmanager
def running(command: Command, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for as long as the block lasts, without a supervisor.

    SIGTERM at the end of the block, SIGKILL after the command's own stop time.

    Args:
        command: What to run.
        log: File that takes its output, appended to.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603  the argument list is ours, no shell
            command.argv,
            cwd=command.directory,
            env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(command.stop_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
