"""How long a worker without a store of its own takes until it applies facts again.

    python -m bench.restore
    python -m bench.restore --lots 10000 --fold trivial

A worker applies ``--facts`` weighings of each of ``--lots`` lots and is ended; another starts in an
empty directory: everything comes back from the changelog, on all partitions. Printed are the time
from the start of the process until a fact that was sent meanwhile is applied, and the CPU it took;
beside them the same of a worker that has nothing to restore, as process and group take that long,
too. The goal is 20 s for 100,000 lots. One JSON object; nothing else may run.
"""

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas import topics
from schemas.partition import partition_of
from streams.config import CHANGELOG
from tests.support import stack
from tests.support.ledger_topics import Lag
from tests.support.streams import PARTITIONS, WorkerProcess, ended, framed, make_topics, weighing

GOAL_S = 20.0
TIMEOUT_S = 1_800.0
POLL_S = 0.1


class Start(NamedTuple):
    """What a worker took from its start until it applied a fact."""

    seconds: float
    cpu_s: float
    rss_mb: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lots", type=int, default=100_000)
    parser.add_argument("--facts", type=int, default=1, help="of each lot")
    parser.add_argument("--fold", choices=["custody", "trivial"], default="custody")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with stack.running_kafka(directory / "kafka") as bootstrap:
            make_topics(bootstrap)
            empty = _started(bootstrap, directory / "empty", given.fold, "L-EMPTY")
            _apply(bootstrap, directory / "first", given)
            changelog = _changelog(bootstrap)
            restored = _started(bootstrap, directory / "second", given.fold, "L-0")
    figure = {
        "lots": given.lots,
        "facts_per_lot": given.facts,
        "fold": given.fold,
        "changelog_records": changelog,
        "restore_s": restored.seconds,
        "restore_cpu_s": restored.cpu_s,
        "rss_mb": restored.rss_mb,
        "empty_s": empty.seconds,
        "empty_cpu_s": empty.cpu_s,
        "goal_s": GOAL_S,
        "held": restored.seconds <= GOAL_S,
    }
    print(json.dumps(figure))


def _apply(bootstrap: str, directory: Path, given: argparse.Namespace) -> None:
    """Let a worker apply all facts, and end it."""
    options = {"bootstrap.servers": bootstrap, "linger.ms": 20, "log_level": 0}
    producer = Producer({**options, "queue.buffering.max.messages": 10**6})
    for no in range(given.facts):
        for lot in range(given.lots):
            _produce(producer, f"L-{lot}", no * given.lots + lot + 10)
            producer.poll(0)
    producer.flush(120)
    worker, lag = WorkerProcess(bootstrap, directory, fold=given.fold), Lag(bootstrap)
    with ended([worker]):
        worker.start()
        _until(lambda: lag.records() == 0, 0.5)
        # By SIGTERM: the group would wait a session for one that was killed, and so would we.
        worker.end()
    lag.close()


def _produce(producer: Producer, lot: str, seq: int) -> None:
    key = lot.encode()
    value = framed(weighing(lot, 30_000_000, seq))
    producer.produce(topics.FACT, value, key, partition_of(key, PARTITIONS))


def _started(bootstrap: str, directory: Path, fold: str, lot: str) -> Start:
    """Start a worker in an empty directory and wait until it applies a fact of a lot."""
    worker = WorkerProcess(bootstrap, directory, fold=fold)
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    with ended([worker]):
        begun = time.monotonic()
        worker.start()
        assert worker.process is not None
        _produce(producer, lot, 1)
        producer.flush(30)
        _until(lambda: _applied(worker.port) > 0, POLL_S)
        seconds, process = time.monotonic() - begun, psutil.Process(worker.process.pid)
        used = process.cpu_times()
        start = Start(
            round(seconds, 2),
            round(used.user + used.system, 2),
            round(process.memory_info().rss / 1e6, 1),
        )
        worker.end()
    return start


def _applied(port: int) -> int:
    """Return facts applied, as the worker's own ``/metrics`` says."""
    name = f'custody_chunk_records_total{{topic="{topics.FACT}"}}'
    lines = [line for line in _page(port, "metrics").splitlines() if line.startswith(name)]
    return int(float(lines[0].rpartition(" ")[2])) if lines else 0


def _page(port: int, name: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def _changelog(bootstrap: str) -> int:
    """Return how many records the changelog has, over all partitions."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-restore"})
    try:
        ends = [
            reader.get_watermark_offsets(TopicPartition(CHANGELOG, p), timeout=10)[1]
            for p in range(PARTITIONS)
        ]
    finally:
        reader.close()
    return sum(ends)


def _until(done: Callable[[], bool], every_s: float) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not done():
        if time.monotonic() > deadline:
            sys.exit("the worker did not get there")
        time.sleep(every_s)


if __name__ == "__main__":
    main()
