"""Waiting events to a broker per second: ``python -m bench.drain --events 1000000``.

Fills an outbox while there is no broker (``bench/outbox.py``), starts a broker on this machine and
publishes until nothing waits. Broker and publisher share the machine. ``cpu_us_per_event`` is the
publishing process's alone. The outbox's directory is on ``/var/tmp``: a disk, where there is one.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from bench.outbox import fill
from custody.events import Micros
from producers.config import OutboxConfig, PublisherConfig
from producers.outbox import Outbox
from producers.publisher import Publisher
from producers.schema_ids import SchemaIds
from runtime.stack import kafka
from schemas.registry import StaticCatalog
from telemetry.metrics import Metrics
from tests.support import gateway as support
from tests.support import stack

TIMEOUT_S = 600.0


@contextmanager
def broker(directory: Path) -> Iterator[str]:
    """A broker as ``custody up`` starts it, not the short-lived one of the tests."""
    node = replace(stack.kafka_node(directory), short_lived=False, heap_mb=384)
    with stack.started(kafka.command(node), lambda: kafka.is_ready(node.bootstrap)):
        support.ensure_topics(node.bootstrap)
        yield node.bootstrap


def drain(outbox: Outbox, bootstrap: str, scratch: Path) -> dict[str, object]:
    """Publish all that waits; return how long it took."""
    ids = SchemaIds(StaticCatalog(), scratch / "ids.json", "static")
    publisher = Publisher(
        PublisherConfig(kafka={"bootstrap.servers": bootstrap}),
        outbox,
        partitions=support.PARTITIONS,
        ids=ids,
        clock=lambda: Micros(time.time_ns() // 1000),
        counts=Metrics("gateway"),
    )
    waiting = outbox.depth
    cpu, started = time.process_time(), time.perf_counter()
    publisher.start()
    support.wait_for(lambda: outbox.depth == 0, TIMEOUT_S)
    took_s = time.perf_counter() - started
    cpu_s = time.process_time() - cpu
    publisher.stop()
    return {
        "bench": "drain",
        "events": waiting,
        "drained_per_s": round(waiting / took_s),
        "cpu_us_per_event": round(cpu_s / waiting * 1e6, 1),
    }


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=200_000, show_default=True)
def main(events: int) -> None:
    """Fill an outbox, then drain it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        directory = Path(scratch)
        config = OutboxConfig(directory=directory / "gateway", gateway_id="GW-BENCH")
        with closing(Outbox(config, lambda: Micros(time.time_ns() // 1000))) as outbox:
            fill(outbox, events)
            with broker(directory / "kafka") as bootstrap:
                print(json.dumps(drain(outbox, bootstrap, directory)))


if __name__ == "__main__":
    sys.exit(main())
