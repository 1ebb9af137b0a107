"""Accept to alert: how long until the worker's alert about a fact can be read from Kafka.

Expected before measuring: p50 60 ms and p99 250 ms at 300 events/s (one group commit, one send,
one chunk, one changelog round trip, one output round trip); p99 below 1 s at 1,000 events/s, where
the processes share two cores with the broker.

The clock starts at the gateway's ``recorded_at`` of the fact that raised the alert and stops when
this process holds the alert record. Five seconds at the same rate go before and are not counted:
a process just started has its code and its connections still to load. Needs a running stack:
``custody up``.
"""

import json
import sys
import threading
import time
from collections.abc import Callable

import click
from confluent_kafka import Consumer

from bench.drive import Target, confluent_catalog, drive, target
from bench.load import FACTS_PER_LOT, Plan
from custody.records import Alert
from schemas import topics
from schemas.reader import read_batch

WARM_UP_S = 5


def quantile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of the sorted values lie; NaN without values."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class AlertWatch:
    """Collects the age of each first version of an alert of one run."""

    def __init__(self, to: Target, run: str, clock: Callable[[], float]) -> None:
        self._to = to
        self._prefix = run
        self._clock = clock
        self.ages_ms: list[float] = []
        self.ready = threading.Event()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        """Read the alert topic from its end until told to stop."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._to.kafka,
                "group.id": f"bench-{self._prefix}",
                "auto.offset.reset": "latest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        catalog = confluent_catalog(self._to.registry)
        consumer.subscribe([topics.ALERT], on_assign=lambda *_: self.ready.set())
        while not self.stop.is_set():
            message = consumer.poll(0.1)
            if message is None or message.error():
                continue
            now_us = self._clock() * 1e6
            batch = read_batch(
                topics.ALERT, message.partition() or 0, self._to.partitions, [message.key()],
                [message.value()], catalog,
            )  # fmt: skip
            for group in batch.groups:
                alert = group.event(0)
                if isinstance(alert, Alert) and self._first_of_run(alert):
                    self.ages_ms.append((now_us - alert.raised_at) / 1e3)
        consumer.close()

    def _first_of_run(self, alert: Alert) -> bool:
        return alert.version == 1 and str(alert.lot_id).startswith(self._prefix)


@click.command()
@click.option("--rate", "rates", type=int, multiple=True, default=(300, 1000), show_default=True)
@click.option("--seconds", type=int, default=30, show_default=True)
def main(rates: tuple[int, ...], seconds: int) -> None:
    """Print one JSON line per rate."""
    to = target()
    for rate in rates:
        run = f"LAT{rate}-{int(time.time())}"
        watch = AlertWatch(to, run, time.time)
        watch.thread.start()
        if not watch.ready.wait(30):
            sys.exit("the alert topic was not assigned within 30 s")
        drive(to, Plan(run=f"W{run}", lots=rate * WARM_UP_S // FACTS_PER_LOT), rate=rate)
        plan = Plan(run=run, lots=rate * seconds // FACTS_PER_LOT, short_every=4)
        sent = drive(to, plan, rate=rate)
        expected = (plan.lots + plan.short_every - 1) // plan.short_every
        deadline = time.monotonic() + 60
        while len(watch.ages_ms) < expected and time.monotonic() < deadline:
            watch.stop.wait(0.1)
        watch.stop.set()
        watch.thread.join()
        click.echo(
            json.dumps(
                {
                    "bench": "accept_to_alert",
                    "rate_asked": rate,
                    "rate_reached": round(sent.events / sent.seconds),
                    "alerts": len(watch.ages_ms),
                    "alerts_expected": expected,
                    "p50_ms": round(quantile(watch.ages_ms, 0.5)),
                    "p99_ms": round(quantile(watch.ages_ms, 0.99)),
                }
            )
        )


if __name__ == "__main__":
    main()
