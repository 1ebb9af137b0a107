"""The outputs contract: whatever dies when, what is sent is what is received, to the gram."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from custody.records import Content
from schemas import topics
from schemas.codec import FRAME_BYTES, decode
from streams.config import CHANGELOG, Stage
from tests.support.folds import RelayFold, Sum
from tests.support.streams import (
    PARTITIONS,
    Changelog,
    Facts,
    Follow,
    WorkerProcess,
    ended,
    eventually,
)

PAUSE_S = 0.05
LOTS = 40
PAUSED = (Stage.LOGGED, Stage.STORED)
RATE_PER_S = 400
SETTLE_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """What a crash run came to, grams."""

    weighed_g: int
    facts: int
    rows_g: int
    rows_facts: int
    sent_g: int
    received_g: int
    on_topic_g: int
    duplicates: int
    kills: int

    @property
    def exact(self) -> bool:
        """Nothing lost, nothing doubled."""
        return (
            self.rows_g == self.weighed_g
            and self.rows_facts == self.facts
            and self.sent_g == self.received_g == self.on_topic_g
        )


def run_crashes(
    bootstrap: str,
    directory: Path,
    seed: int,
    kills: int,
    workers: int,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Kill workers at random moments under load, then let the last ones finish.

    Args:
        bootstrap: A broker with fresh topics.
        directory: For the workers' stores and logs.
        seed: Of lots, amounts and moments.
        kills: kill -9 so often.
        workers: 1: the same worker starts again. 2: the killed one stays away until the other is
            killed, so that the partitions move each time.
        say: Told what happens.
    """
    rng = random.Random(seed)
    facts = Facts(bootstrap, rng, LOTS, PARTITIONS)
    progress = Follow(bootstrap, CHANGELOG, PARTITIONS)
    pool = [WorkerProcess(bootstrap, directory / f"worker-{no}") for no in range(workers)]
    with ended(pool):
        running = 0
        _start(pool[running], rng)
        for kill in range(kills):
            _load(facts, pool[running], progress, rng.random() * 3.0)
            pool[running].kill()
            say(f"kill {kill + 1} of {kills}: worker {running}, {facts.count} facts sent")
            running = (running + 1) % workers
            _start(pool[running], rng)
        return _settle(bootstrap, facts, pool[running], kills, say)


def _start(worker: WorkerProcess, rng: random.Random) -> None:
    worker.hook = ["pause", rng.choice(PAUSED).value, PAUSE_S]
    worker.start()


def _load(facts: Facts, worker: WorkerProcess, progress: Follow, seconds: float) -> None:
    """Send facts until the worker has written rows for so long: only then is a kill worth it."""
    begin, until = progress.end(), 0.0
    while not until or time.monotonic() < until:
        facts.send(RATE_PER_S // 10)
        time.sleep(0.1)
        worker.restart_if_dead()
        if not until and progress.end() > begin:
            until = time.monotonic() + seconds


def _settle(
    bootstrap: str, facts: Facts, worker: WorkerProcess, kills: int, say: Callable[[str], None]
) -> Outcome:
    fold = RelayFold()
    changelog = Changelog(bootstrap, fold)
    flow = Follow(bootstrap, topics.FLOW, PARTITIONS)
    heard: dict[tuple[int, str], int] = {}
    sums = {"topic": 0, "duplicates": 0}
    last: list[Outcome] = []

    def look() -> bool:
        worker.restart_if_dead()
        for partition, _, value in flow.read():
            assert value is not None
            record = decode("content", value[FRAME_BYTES:])
            assert isinstance(record, Content)
            if record.n <= heard.get((partition, record.sender), 0):
                sums["duplicates"] += 1
                continue
            heard[partition, record.sender] = record.n
            sums["topic"] += record.mass_wet_g
        rows = [row for row in changelog.rows().values() if isinstance(row, Sum)]
        last[:] = [
            Outcome(
                weighed_g=facts.sum_g,
                facts=facts.count,
                rows_g=sum(row.total_g for row in rows),
                rows_facts=sum(row.facts for row in rows),
                sent_g=sum(row.sent_g for row in rows),
                received_g=sum(row.received_g for row in rows),
                on_topic_g=sums["topic"],
                duplicates=sums["duplicates"],
                kills=kills,
            )
        ]
        say(str(last[0]))
        return last[0].exact

    eventually(look, SETTLE_S, every_s=1.0)
    return last[0]
