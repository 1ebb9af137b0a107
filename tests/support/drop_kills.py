"""A gateway with a file drop that is killed at its n-th step, for every n, and started again.

One process that forks for every life of the gateway, so that a hundred lives cost seconds.
"""

import errno
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from producers import drop_place
from producers.drop_state import DropState
from producers.outbox import Outbox
from tests.support import gateway as support
from tests.support import inlets

STEPS: tuple[tuple[Any, str], ...] = (
    (drop_place, "move"),
    (drop_place, "write_result"),
    (Path, "replace"),
    (Path, "unlink"),
    (Outbox, "_write"),
    *((DropState, name) for name in ("begin", "add", "settle", "close_moved", "forget")),
)
"""Everything that leaves a trace on a disk; a life may end before and after each."""

TICKETS = 5
BATCH = 2


class Life:
    """Counts steps and ends the process at one of them."""

    def __init__(self, ends_at: int) -> None:
        self._ends_at = ends_at
        self._count = 0

    def step(self) -> None:
        self._count += 1
        if self._count == self._ends_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., object]) -> Callable[..., object]:
        @wraps(function)
        def stepped(*given: object, **named: object) -> object:
            self.step()
            answer = function(*given, **named)
            self.step()
            return answer

        return stepped


def live(directory: Path, ends_at: int, *, apart: bool) -> None:
    """Run a gateway until its folder is empty, or until it dies of its n-th step."""
    life = Life(ends_at)
    if apart:
        Path.rename = _other_file_system  # type: ignore[method-assign,assignment]  # on purpose
    for owner, name in STEPS:
        setattr(owner, name, life.around(getattr(owner, name)))
    folder = directory / "drop"
    with support.running(support.config(directory / "gateway"), publish=False) as gateway:
        one = inlets.drop(gateway, folder, batch_requests_max=BATCH)
        deadline = time.monotonic() + 60
        while any(not path.is_dir() for path in [*folder.iterdir(), *folder.glob("taking/*")]):
            assert time.monotonic() < deadline, one.state()
            one._look_once()
    os._exit(0)


def outcome(directory: Path) -> dict[str, object]:
    """What is there in the end."""
    folder = directory / "drop"
    return {
        "files": inlets.names(folder),
        "events": inlets.event_ids(directory / "gateway" / "outbox.sqlite3"),
        "results": [
            json.loads((folder / name).read_text())
            for name in inlets.names(folder)
            if name.endswith("result.json")
        ],
    }


def main() -> None:
    """For every n: a life that ends at step n, one that does not; print what came of it."""
    root, apart = Path(sys.argv[1]), sys.argv[2] == "apart"
    refused = [{"type": "?"}] if sys.argv[3] == "refused" else []
    content = inlets.ndjson([*(support.ticket(no) for no in range(TICKETS)), *refused])
    ends_at, killed = 0, True
    while killed:
        ends_at += 1
        directory = root / str(ends_at)
        (directory / "drop").mkdir(parents=True)
        (directory / "drop" / "day.ndjson").write_text(content)
        killed = _lived(directory, ends_at, apart=apart) == -signal.SIGKILL
        ended = _lived(directory, 0, apart=apart)
        print(json.dumps({"step": ends_at, "killed": killed, "end": ended, **outcome(directory)}))


def _lived(directory: Path, ends_at: int, *, apart: bool) -> int:
    child = os.fork()
    if child == 0:
        live(directory, ends_at, apart=apart)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _other_file_system(_source: Path, _target: Path) -> Path:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


if __name__ == "__main__":
    main()
