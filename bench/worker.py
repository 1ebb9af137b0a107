"""The worker against a plain Faust table agent and a bare loop, in one run.

    python -m bench.worker --lots 1000 10000 200000
    python -m bench.worker --lots 200000 --live 1000

Prints one JSON line per variant and size: events per second in backlog, CPU seconds per million
events (of the process alone, over the second half of the backlog), memory, and at the end the
ratios. Variants: ``worker`` (trivial fold, rows of about 1 kB, all guards; with ``--says`` also a
transfer per fact and every fourth handed on), ``faust`` (one event at a time, durable table),
``bare`` (confluent-kafka, fastavro, a dict, nothing durable).
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from confluent_kafka import Producer

from bench.plant_day import draw_day
from custody.events import LotFact
from runtime.stack import ports
from schemas import topics
from schemas.partition import partition_of
from schemas.routes import fact_key
from tests.support import stack
from tests.support.streams import PARTITIONS, framed, make_topics, reference, weighing

TIMEOUT_S = 900.0
POLL_S = 0.25
"""How often ``/metrics`` is read; twenty times a second cost the worker 7 % of its CPU."""
Count = Callable[[], int]


@dataclass(frozen=True)
class Figure:
    """One measured line."""

    variant: str
    lots: int
    events: int
    events_per_s: float
    cpu_s_per_million: float
    rss_mb: float
    cores: float


def main() -> None:
    """Measure and print."""
    options = _parser().parse_args()
    figures: list[Figure] = []
    for lots in options.lots:
        for variant in options.variants:
            figures.append(_measure(variant, lots, options))
            print(json.dumps(asdict(figures[-1])), flush=True)
    for line in _ratios(figures):
        print(json.dumps(line), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lots", type=int, nargs="+", default=[1_000, 10_000, 200_000])
    parser.add_argument("--variants", nargs="+", default=["worker", "faust", "bare"])
    parser.add_argument("--events", type=int, default=400_000, help="of worker and bare loop")
    parser.add_argument("--faust-events", type=int, default=40_000)
    parser.add_argument("--fold", choices=["trivial", "custody"], default="trivial")
    parser.add_argument("--says", action="store_true", help="a transfer per fact, 1/4 handed on")
    parser.add_argument("--cache-mb", type=int, default=1, help="decoded rows per partition")
    parser.add_argument("--chunk", type=int, default=4_000, help="records of one chunk")
    parser.add_argument("--live", type=int, default=0, help="events/s for 30 s instead of backlog")
    parser.add_argument("--live-s", type=int, default=30)
    return parser


def _measure(variant: str, lots: int, options: argparse.Namespace) -> Figure:
    events = options.faust_events if variant == "faust" else options.events
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with stack.running_kafka(directory / "kafka") as bootstrap:
            make_topics(bootstrap)
            producer = _Load(bootstrap, _facts(options.fold, lots, events))
            if options.live:
                producer.send(max(lots, 10_000))
                with _process(variant, bootstrap, directory, options) as (process, count):
                    return _live(variant, lots, producer, process, count, options)
            events = producer.send(events)
            with _process(variant, bootstrap, directory, options) as (process, count):
                return _backlog(variant, lots, events, process, count)


def _facts(fold: str, lots: int, events: int) -> Iterator[LotFact]:
    """Yield a plant's days, or weighings where every lot comes once before any comes again."""
    if fold == "custody":
        yield from draw_day(lots, max(1, events // lots // 20), 7)
        return
    order = list(range(lots))
    random.Random(7).shuffle(order)
    for seq in itertools.count(1):
        yield weighing(f"L-{order[seq % lots]}", 30_000_000, seq)


class _Load:
    """Writes facts, and a reference record to every partition with each hundredth of them."""

    def __init__(self, bootstrap: str, facts: Iterator[LotFact]) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 20,
                "queue.buffering.max.messages": 10**6,
                "log_level": 0,
            }
        )
        self._facts = facts
        self.count = 0

    def send(self, events: int) -> int:
        """Write so many facts or as many as there are; return how many."""
        for fact in itertools.islice(self._facts, events):
            key = fact_key(fact).encode()
            self.count += 1
            self._producer.produce(topics.FACT, framed(fact), key, partition_of(key, PARTITIONS))
            if self.count % 100 == 0:
                self._reference()
                self._producer.poll(0)
        self._producer.flush(60)
        return self.count

    def _reference(self) -> None:
        """Write one reference record to every partition, as the gateway does."""
        for partition in range(PARTITIONS):
            record = reference(f"D-{self.count % 5_000}", partition, self.count)
            self._producer.produce(topics.CONTROL, framed(record), record.id.encode(), partition)


@contextmanager
def _process(
    variant: str, bootstrap: str, directory: Path, options: argparse.Namespace
) -> Iterator[tuple[psutil.Process, Count]]:
    port = ports.any_free()
    settings = {
        "bootstrap": bootstrap,
        "data_dir": str(directory / variant),
        "port": port,
        "fold": options.fold,
        "says": options.says,
        "cache_mb": options.cache_mb,
        "chunk": options.chunk,
    }
    with (directory / f"{variant}.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", f"bench.variants.{variant}", json.dumps(settings)],
            stdout=log,
            stderr=log,
        )
        try:
            yield psutil.Process(child.pid), lambda: _applied(port)
        finally:
            child.kill()
            child.wait()


def _applied(port: int) -> int:
    """Facts applied, as the process's own ``/metrics`` says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            page = answer.read().decode()
    except OSError:
        return 0
    for line in page.splitlines():
        if line.startswith('custody_chunk_records_total{topic="custody.fact.v1"}'):
            return int(float(line.rpartition(" ")[2]))
    return 0


def _backlog(variant: str, lots: int, events: int, process: psutil.Process, count: Count) -> Figure:
    _until(lambda: count() >= events // 2, process)
    began, cpu, from_count = time.monotonic(), _cpu_s(process), count()
    _until(lambda: count() >= events, process)
    seconds, cpu_s, done = time.monotonic() - began, _cpu_s(process) - cpu, count() - from_count
    return _figure(variant, lots, process, done, seconds, cpu_s)


def _live(
    variant: str,
    lots: int,
    producer: _Load,
    process: psutil.Process,
    count: Count,
    options: argparse.Namespace,
) -> Figure:
    _until(lambda: count() >= producer.count, process)
    began, cpu, from_count = time.monotonic(), _cpu_s(process), producer.count
    while (elapsed := time.monotonic() - began) < options.live_s:
        producer.send(max(0, int(elapsed * options.live) - (producer.count - from_count)))
        time.sleep(0.01)
    seconds, cpu_s = time.monotonic() - began, _cpu_s(process) - cpu
    return _figure(variant, lots, process, producer.count - from_count, seconds, cpu_s)


def _figure(
    variant: str, lots: int, process: psutil.Process, events: int, seconds: float, cpu_s: float
) -> Figure:
    return Figure(
        variant,
        lots,
        events,
        round(events / seconds, 1),
        round(cpu_s / events * 1e6, 2),
        round(process.memory_info().rss / 1e6, 1),
        round(cpu_s / seconds, 3),
    )


def _until(reached: Callable[[], bool], process: psutil.Process) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not reached():
        if time.monotonic() > deadline or process.status() == psutil.STATUS_ZOMBIE:
            sys.exit("the variant did not get there; see its log")
        time.sleep(POLL_S)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _ratios(figures: list[Figure]) -> Iterator[dict[str, object]]:
    by = {(f.variant, f.lots): f for f in figures}
    for (variant, lots), figure in by.items():
        worker = by.get(("worker", lots))
        if worker is not None and variant != "worker":
            yield {
                "ratio": f"{variant} CPU seconds per million / worker's",
                "lots": lots,
                "value": round(figure.cpu_s_per_million / worker.cpu_s_per_million, 2),
            }


if __name__ == "__main__":
    main()
