"""A worker process for tests: ``python -m tests.support.streams_worker '<json>'``.

Runs the real worker with a small fold or with the core, ids from the static table, and, where
asked, a pause or a kill between two stages of the protocol.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from custody.core import CustodyFold
from custody.fold import Fold
from schemas.registry import StaticCatalog
from streams.config import Pause, Stage, WorkerConfig
from streams.worker import run
from tests.support.folds import RelayFold, TrivialFold

FOLDS: dict[str, Callable[[], Fold]] = {
    "relay": RelayFold,
    "trivial": TrivialFold,
    "custody": CustodyFold,
}


def pausing(stage: Stage, seconds: float) -> Pause:
    async def pause(at: Stage, partition: int) -> None:  # noqa: ARG001  the hook's signature
        if at is stage:
            await asyncio.sleep(seconds)

    return pause


def killing(stage: Stage, after: int) -> Pause:
    """kill -9 ourselves when a stage is reached for the ``after``-th time."""
    seen = 0

    async def pause(at: Stage, partition: int) -> None:  # noqa: ARG001  the hook's signature
        nonlocal seen
        if at is stage:
            seen += 1
            if seen >= after:
                os.kill(os.getpid(), signal.SIGKILL)

    return pause


def ordered(order: Path) -> Pause:
    """Do what a file says, once, at the stage it names: faults for a worker that runs already."""

    async def pause(at: Stage, partition: int) -> None:  # noqa: ARG001  the hook's signature
        match _taken(order, at):
            case [str(what), _, float(seconds)]:
                await _obey(what, seconds)
            case _:
                pass

    return pause


def _taken(order: Path, at: Stage) -> object:
    """Return an order for a stage, and take its file away; None where there is none."""
    if not order.exists():
        return None
    found: list[object] = json.loads(order.read_text("utf-8"))
    if found[1] != at.value:
        return None
    order.unlink()
    return found


async def _obey(what: str, seconds: float) -> None:
    match what:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            message = "planted"
            raise ValueError(message)
        case "block":
            time.sleep(seconds)  # noqa: ASYNC251  the event loop stands still, as in a long step
        case "wait":
            await asyncio.sleep(seconds)
        case _:
            raise AssertionError(what)


def raising(stage: Stage, after: int) -> Pause:
    """Fail once, inside a chunk."""
    seen = 0

    async def pause(at: Stage, partition: int) -> None:  # noqa: ARG001  the hook's signature
        nonlocal seen
        seen += at is stage
        if seen == after:
            message = "planted"
            raise ValueError(message)

    return pause


def main(options: dict[str, object]) -> None:
    pause: Pause | None = None
    match options.get("hook"):
        case ["pause", str(stage), float(seconds)]:
            pause = pausing(Stage(stage), seconds)
        case ["kill", str(stage), int(after)]:
            pause = killing(Stage(stage), after)
        case ["raise", str(stage), int(after)]:
            pause = raising(Stage(stage), after)
        case ["ordered", str(order)]:
            pause = ordered(Path(order))
        case _:
            pass
    fold = FOLDS[str(options["fold"])]()
    config = WorkerConfig(
        bootstrap=str(options["bootstrap"]),
        registry_url="",
        data_dir=Path(str(options["data_dir"])),
        session_timeout_s=6.0,
        commit_interval_s=0.5,
        tick_interval_s=float(str(options["ticks_s"])),
        port=int(str(options["port"])),
        log_level="WARNING",
        pause=pause,
    )
    run(config, fold, StaticCatalog())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
