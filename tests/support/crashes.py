"""The outputs contract: whatever dies when, what is sent is what is received, to the gram."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from confluent_kafka import Producer

from custody.records import Content
from schemas import topics
from schemas.codec import FRAME_BYTES, decode
from schemas.partition import partition_of
from streams.config import CHANGELOG, Stage
from tests.support.folds import RelayFold, Sum, content
from tests.support.streams import (
    PARTITIONS,
    Changelog,
    Facts,
    Follow,
    WorkerProcess,
    ended,
    eventually,
    framed,
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


class Load:
    """Facts to a broker, and what the rows and the flow topic make of them.

    Args:
        bootstrap: A broker with fresh topics.
        rng: Of lots, amounts and moments.
        say: Told what happens.
    """

    def __init__(
        self, bootstrap: str, rng: random.Random, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.facts = Facts(bootstrap, rng, LOTS, PARTITIONS)
        self.rng = rng
        self.say = say
        self._bootstrap = bootstrap
        self._progress = Follow(bootstrap, CHANGELOG, PARTITIONS)
        self._flow = Follow(bootstrap, topics.FLOW, PARTITIONS)
        self._changelog = Changelog(bootstrap, RelayFold())
        self._heard: dict[tuple[int, str], int] = {}
        self._on_topic_g = 0
        self._duplicates = 0

    def run(self, worker: WorkerProcess, seconds: float, *, restart: bool = True) -> None:
        """Send facts until the worker has written rows for so long: only then a kill is worth it.

        Args:
            worker: Started again when it ends, as the supervisor does.
            seconds: Of sending after its first rows.
            restart: False: leave a dead worker dead.
        """
        begin, until = self._progress.end(), 0.0
        while not until or time.monotonic() < until:
            self.facts.send(RATE_PER_S // 10)
            time.sleep(0.1)
            if restart:
                worker.restart_if_dead()
            if not until and self._progress.end() > begin:
                until = time.monotonic() + seconds

    def outcome(self, kills: int) -> Outcome:
        """Read what is new and say where things stand."""
        for partition, _, value in self._flow.read():
            assert value is not None
            record = decode("content", value[FRAME_BYTES:])
            assert isinstance(record, Content)
            if record.n <= self._heard.get((partition, record.sender), 0):
                self._duplicates += 1
                continue
            self._heard[partition, record.sender] = record.n
            self._on_topic_g += record.mass_wet_g
        rows = self.sums()
        return Outcome(
            weighed_g=self.facts.sum_g,
            facts=self.facts.count,
            rows_g=sum(row.total_g for row in rows),
            rows_facts=sum(row.facts for row in rows),
            sent_g=sum(row.sent_g for row in rows),
            received_g=sum(row.received_g for row in rows),
            on_topic_g=self._on_topic_g,
            duplicates=self._duplicates,
            kills=kills,
        )

    def sums(self) -> list[Sum]:
        """All rows, as the changelog has them."""
        return [row for row in self._changelog.rows().values() if isinstance(row, Sum)]

    def rows_facts(self) -> int:
        """Facts that reached a row."""
        return sum(row.facts for row in self.sums())

    def stray_content(self, count: int) -> None:
        """Put handovers of nobody on the flow topic, of no mass."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "log_level": 0})
        for n in range(1, count + 1):
            for no in range(LOTS):
                record = replace(content("lot/L-0", f"lot/L-{no}", 0, 99), sender="test/0", n=n)
                key = f"L-{no}".encode()
                producer.produce(topics.FLOW, framed(record), key, partition_of(key, PARTITIONS))
        producer.flush(30)


def settle(load: Load, worker: WorkerProcess, kills: int = 0) -> Outcome:
    """Wait until all facts and handovers are applied; return where things stand then."""
    last: list[Outcome] = []

    def look() -> bool:
        worker.restart_if_dead()
        last[:] = [load.outcome(kills)]
        load.say(str(last[0]))
        return last[0].exact

    eventually(look, SETTLE_S, every_s=1.0)
    return last[0]


def run_crashes(
    bootstrap: str,
    directory: Path,
    seed: int,
    kills: int,
    workers: int,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Kill workers at random moments under load, then let the last one finish.

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
    load = Load(bootstrap, rng, say)
    pool = [WorkerProcess(bootstrap, directory / f"worker-{no}") for no in range(workers)]
    with ended(pool):
        running = 0
        _start(pool[running], rng)
        for kill in range(kills):
            load.run(pool[running], rng.random() * 3.0)
            pool[running].kill()
            say(f"kill {kill + 1} of {kills}: worker {running}, {load.facts.count} facts sent")
            running = (running + 1) % workers
            _start(pool[running], rng)
        return settle(load, pool[running], kills)


def _start(worker: WorkerProcess, rng: random.Random) -> None:
    worker.hook = ["pause", rng.choice(PAUSED).value, PAUSE_S]
    worker.start()
