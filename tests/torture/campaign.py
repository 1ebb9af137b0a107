"""Repetitions one after another on one broker, each judged while the next one runs."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from tests.torture.plan import HISTORIES, Plan, plan
from tests.torture.run import Repetition, Unexplained, fresh_topics
from tests.torture.verdict import Spoken, Verdict, judge, listen


@dataclass(frozen=True)
class Outcome:
    """What a repetition came to."""

    seed: int
    workers: int
    faults: list[str]
    facts: int
    transfers: int
    repeats: int
    exits: list[int]
    uncommitted: int
    seconds: float
    wrong: list[str]
    again: str


@dataclass(frozen=True)
class Ran:
    """A repetition that is over and not judged yet."""

    planned: Plan
    exits: list[int]
    uncommitted: int
    seconds: float
    spoken: Spoken | None
    unexplained: str


def run(bootstrap: str, directory: Path, planned: Plan) -> Ran:
    """Run one repetition on a broker without topics of ours, and read what was said."""
    begun = time.monotonic()
    repetition = Repetition(bootstrap, directory, planned)
    spoken, unexplained = None, ""
    try:
        repetition.run()
        spoken = listen(bootstrap)
    except Unexplained as error:
        unexplained = str(error)
    seconds = round(time.monotonic() - begun, 1)
    return Ran(planned, repetition.exits, repetition.uncommitted, seconds, spoken, unexplained)


def judged(ran: Ran) -> Outcome:
    """Return what a repetition came to; called in a process of its own."""
    found = Verdict([ran.unexplained])
    if ran.spoken is not None:
        found = judge(ran.spoken, ran.planned.histories)
    return Outcome(
        seed=ran.planned.seed,
        workers=ran.planned.workers,
        faults=[fault.value for fault in ran.planned.faults],
        facts=len(ran.planned.histories.sent),
        transfers=found.transfers,
        repeats=found.repeats,
        exits=ran.exits,
        uncommitted=ran.uncommitted,
        seconds=ran.seconds,
        wrong=found.wrong,
        again=ran.planned.again,
    )


def repetitions(
    bootstrap: str, directory: Path, seeds: range, histories: int = HISTORIES
) -> Iterator[Outcome]:
    """Run repetitions one after another, each judged while the next one runs.

    The directory of one that is wrong is kept.
    """
    # Spawned: a fork would hold this process's connections to the broker.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as judges:
        waiting: list[Future[Outcome]] = []
        for seed in seeds:
            with fresh_topics(bootstrap):
                ran = run(bootstrap, _own(directory, seed), plan(seed, histories))
            yield from _done(waiting, directory)
            waiting = [judges.submit(judged, ran)]
        yield from _done(waiting, directory)


def _done(waiting: list[Future[Outcome]], directory: Path) -> Iterator[Outcome]:
    for one in waiting:
        outcome = one.result()
        if not outcome.wrong:
            shutil.rmtree(_own(directory, outcome.seed))
        yield outcome


def _own(directory: Path, seed: int) -> Path:
    return directory / f"seed-{seed}"
