"""``python -m bench.beside``: how long analysts wait while the sink stores 5,000 rows a second.

The warehouse of ``bench.warehouse`` (ten million facts), asked as the console asks: quiet, then
with a real sink beside it in the same process, as in ``custody warehouse``, that takes weighings
from a broker of its own; a process of its own sends them at the rate. Prints one JSON object per
question, with the rows a second that came into the table meanwhile.

Goal: the 95th percentile at most three times the quiet one. Expected before measuring: 1.2 to 2,
for 5,000 rows take some 6 % of a core, and their merges and the broker as much again.
"""

import argparse
import itertools
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import warehouse as made
from bench.watch import quantile
from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import Micros
from runtime.stack.topics import NewTopics, ensure
from sinks import migrate
from sinks.client import open_warehouse
from sinks.config import SinkConfig
from telemetry import metrics as names
from telemetry.metrics import Metrics
from tests.support import stack
from tests.support.sinks import Gateway, now, running, weighing

_LOTS = 5_000
_TURNS_PER_S = 20
_SETTLED_S = 10.0
"""The sink's first seconds make its parts; what stays is measured."""


def feed(bootstrap: str, rate: int) -> None:
    """Publish weighings at a rate until the process is ended."""
    gateway = Gateway(bootstrap, "GW-BESIDE")
    producer = gateway.producer()
    began = time.monotonic()
    for turn in itertools.count(1):
        for _ in range(rate // _TURNS_PER_S):
            gateway.seq += 1
            lot_id = f"L-NEW-{gateway.seq % _LOTS}"
            fact = replace(weighing(lot_id, gateway.seq, "GW-BESIDE"), recorded_at=now())
            gateway.send(producer, fact, lot_id.encode())
        producer.poll(0)
        time.sleep(max(0.0, began + turn / _TURNS_PER_S - time.monotonic()))


@contextmanager
def storing(directory: Path, address: str, rate: int) -> Iterator[Metrics]:
    """A sink in a thread of this process, fed at a rate; its counters."""
    with stack.running_kafka(directory / "kafka") as bootstrap:
        ensure({"bootstrap.servers": bootstrap}, NewTopics(4, 1, "changelog", 60))
        feeder = multiprocessing.get_context("spawn").Process(target=feed, args=(bootstrap, rate))
        with running(SinkConfig(bootstrap=bootstrap, warehouse=address)) as sink:
            feeder.start()
            try:
                yield sink.metrics
            finally:
                feeder.terminate()
                feeder.join()


def took(ask: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each of so many askings, one after the other."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - began) * 1e3)
    return spent


def compare(directory: Path, facts: int, rate: int, times: int) -> None:
    """Fill a warehouse, ask it quiet, then beside the sink, and print what each took."""
    address, lots = f"chdb://{directory / 'warehouse'}", facts // made.LOT_SHARE
    warehouse = open_warehouse(address)
    migrate.migrate(warehouse, Micros(0))
    made.fill(warehouse, facts, lots)
    made.settle(warehouse)
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    with closing(warehouse), closing(reader):
        asked = made.questions(reader, random.Random(1), lots)
        quiet = {name: took(ask, times) for name, ask in asked.items()}
        with storing(directory, address, rate) as metrics:
            time.sleep(_SETTLED_S)
            for name, ask in asked.items():
                _tell(name, quiet[name], metrics, partial(took, ask, times))


def _tell(name: str, quiet: list[float], metrics: Metrics, ask: Callable[[], list[float]]) -> None:
    before, began = metrics.value(names.SINK_ROWS, "weighing"), time.monotonic()
    beside = ask()
    rows = metrics.value(names.SINK_ROWS, "weighing") - before
    (calm, calm95), (busy, busy95) = (
        [quantile(each, q) for q in (0.5, 0.95)] for each in (quiet, beside)
    )
    line = {
        "bench": "beside_the_sink",
        "question": name,
        "rows_per_s": round(rows / (time.monotonic() - began)),
        "quiet_p50_ms": round(calm, 1),
        "quiet_p95_ms": round(calm95, 1),
        "p50_ms": round(busy, 1),
        "p95_ms": round(busy95, 1),
        "of_quiet_p95": round(busy95 / calm95, 2),
        "goal": 3.0,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=10_000_000)
    parser.add_argument("--rate", type=int, default=5_000, help="rows a second")
    parser.add_argument("--times", type=int, default=200, help="each question, quiet and beside")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="custody-bench-") as directory:
        compare(Path(directory), options.facts, options.rate, options.times)


if __name__ == "__main__":
    main()
