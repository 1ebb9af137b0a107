"""What the sink costs from Kafka's bytes to rows: CPU per row and rows per second.

One broker with one partition of weighings is filled, then a sink process of its own stores them
in an embedded warehouse; CPU is user and system time of that whole process from the first flush
to the last full batch, the engine's threads and merges included. The yardstick is taken just before
and just after. Prints one JSON object.

    python bench/sink.py --rows 500000
"""

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from confluent_kafka import Producer

from bench.yardstick import Yardstick
from runtime.stack.topics import NewTopics, ensure
from schemas.registry import StaticCatalog
from sinks.config import SinkConfig
from sinks.progress import Progress
from sinks.sink import run
from telemetry import metrics as names
from telemetry.metrics import Metrics
from tests.support import stack
from tests.support.sinks import Gateway, now, weighing

_YARDSTICK_TURNS = 20
_EXPECTED_US = 8.0
"""CPU per row that the sink is meant to stay within; docs/warehouse.md has what was measured."""


class Meter:
    """Watches the sink's counter of rows and takes the process's times at both ends.

    The end is the first flush after which less than a batch is left: the rest waits for its age.
    """

    def __init__(self, metrics: Metrics, rows: int) -> None:
        self._metrics = metrics
        self._rows = rows
        self.begin = (0, 0.0, 0.0)
        self.end = (0, 0.0, 0.0)

    def watch(self, stop: threading.Event) -> None:
        """Note both ends, then stop the sink."""
        while self._stored() == 0:
            time.sleep(0.005)
        self.begin = self._sample()
        while self._stored() < self._rows:
            time.sleep(0.05)
        self.end = self._sample()
        stop.set()

    def _stored(self) -> int:
        return int(self._metrics.value(names.SINK_ROWS, "weighing"))

    def _sample(self) -> tuple[int, float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return self._stored(), used.ru_utime + used.ru_stime, time.monotonic()


def _fill(gateway: Gateway, producer: Producer, rows: int) -> None:
    """Publish weighings over 50 lots, recorded now: partitions of the tables are by that month."""
    while gateway.seq < rows:
        gateway.seq += 1
        lot_id = f"L-{gateway.seq % 50}"
        fact = replace(weighing(lot_id, gateway.seq), recorded_at=now())
        gateway.send(producer, fact, lot_id.encode())
        if gateway.seq % 10_000 == 0 or gateway.seq == rows:
            assert producer.flush(60) == 0


def measure(directory: Path, rows: int, batch: int) -> dict[str, float]:
    """Return the figures of one run."""
    with stack.running_kafka(directory / "kafka") as bootstrap:
        ensure({"bootstrap.servers": bootstrap}, NewTopics(4, 1, "changelog", 60))
        gateway = Gateway(bootstrap)
        producer = gateway.producer()
        _fill(gateway, producer, rows)
        config = SinkConfig(
            bootstrap=bootstrap,
            warehouse=f"chdb://{directory / 'warehouse'}",
            batch_rows_max=batch,
        )
        metrics, stop = Metrics("warehouse"), threading.Event()
        meter = Meter(metrics, rows - batch)
        threading.Thread(target=meter.watch, args=(stop,), daemon=True).start()
        yardstick = Yardstick()
        yardstick.turns(_YARDSTICK_TURNS)
        run(config, StaticCatalog(), Progress(metrics, 30.0), now, stop)
    (first, cpu0, at0), (last, cpu1, at1) = meter.begin, meter.end
    stored = last - first
    yardstick.turns(_YARDSTICK_TURNS)
    us, fastavro_us = (cpu1 - cpu0) / stored * 1e6, yardstick.us
    return {
        "rows": stored,
        "batch_rows": batch,
        "expected_cpu_us_per_row_max": _EXPECTED_US,
        "cpu_us_per_row": round(us, 2),
        "fastavro_us_per_record": round(fastavro_us, 2),
        "ratio": round(us / fastavro_us, 2),
        "rows_per_s": round(stored / (at1 - at0)),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--batch", type=int, default=50_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="custody-bench-") as directory:
        json.dump(measure(Path(directory), options.rows, options.batch), sys.stdout)
    print()


if __name__ == "__main__":
    main()
