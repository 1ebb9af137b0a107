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
import time
from dataclasses import dataclass, field

import click

from bench.drive import drive, target
from bench.load import FACTS_PER_LOT, Plan
from bench.watch import Watch, quantile
from custody.records import Alert
from schemas import topics
from schemas.routes import Record

WARM_UP_S = 5


@dataclass(slots=True)
class Ages:
    """The age of each first version of an alert of one run, milliseconds."""

    run: str
    ages_ms: list[float] = field(default_factory=list)

    def take(self, record: Record, now_us: int) -> None:
        """Look at one alert."""
        if not isinstance(record, Alert) or record.version != 1:
            return
        if str(record.lot_id).startswith(self.run):
            self.ages_ms.append((now_us - record.raised_at) / 1e3)


@click.command()
@click.option("--rate", "rates", type=int, multiple=True, default=(300, 1000), show_default=True)
@click.option("--seconds", type=int, default=30, show_default=True)
def main(rates: tuple[int, ...], seconds: int) -> None:
    """Print one JSON line per rate."""
    to = target()
    for rate in rates:
        run = f"LAT{rate}-{int(time.time())}"
        alerts = Ages(run)
        watch = Watch(to, topics.ALERT, run, alerts.take)
        watch.start()
        drive(to, Plan(run=f"W{run}", lots=rate * WARM_UP_S // FACTS_PER_LOT), rate=rate)
        plan = Plan(run=run, lots=rate * seconds // FACTS_PER_LOT, short_every=4)
        sent = drive(to, plan, rate=rate)
        expected = (plan.lots + plan.short_every - 1) // plan.short_every
        watch.wait(alerts.ages_ms, expected, 60)
        watch.close()
        click.echo(
            json.dumps(
                {
                    "bench": "accept_to_alert",
                    "rate_asked": rate,
                    "rate_reached": round(sent.events / sent.seconds),
                    "alerts": len(alerts.ages_ms),
                    "alerts_expected": expected,
                    "p50_ms": round(quantile(alerts.ages_ms, 0.5)),
                    "p99_ms": round(quantile(alerts.ages_ms, 0.99)),
                }
            )
        )


if __name__ == "__main__":
    main()
