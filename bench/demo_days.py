"""The demo's days by backtest, without a stack: is what was put in found, and under its name?

    python -m bench.demo_days --seeds 20

Sketched before measuring: 120 of 120 found, 117 under their name, 5 of 5,880 clean lots with an
alert. Prints a line per seed and what was not found or called otherwise; writes them to
``bench/results/demo_days.json``. Exit 1 where a fraud was missed or more than three clean lots of a
day ever had an alert.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from custody.core import CustodyFold
from custody.records import Alert
from demo.day import make_day, ndjson, recorded
from demo.outcome import CLEAN_LOTS_MAX, LEDGER, Measured, Raised, clean_with_alert, judge
from producers.known import Known
from runtime.backtest import history
from runtime.backtest.replay import Replay

RESULTS = Path("bench/results/demo_days.json")


@dataclass(frozen=True, slots=True)
class Day:
    """One seed's day.

    Attributes:
        seed: Its seed.
        frauds: How many were put in.
        found: Those with an open alert of a test on their lot.
        named: Those of them called what they are, on their truck, of the right sign.
        lacks: What the others lack.
        clean: Lots that nobody touched and that ever had an alert.
        log10_e: Of each fraud's alert, by its lot and kind.
    """

    seed: int
    frauds: int
    found: int
    named: int
    lacks: tuple[str, ...]
    clean: tuple[str, ...]
    log10_e: dict[str, float]


def judged(seed: int) -> Day:
    """Return what a backtest says of a seed's day."""
    day = make_day(seed)
    lines = [line.decode() for line in ndjson(list(recorded(day.sent)))]
    told = history.read(history.lines_of("day", lines), Known())
    last = _last(
        one
        for outputs in Replay(CustodyFold()).run(told.records)
        for one in outputs
        if isinstance(one, Alert)
    )
    alerts = [_raised(one) for one in last]
    answers = judge(day.frauds, alerts)
    tested = {a.lot_id for a in alerts if a.state == "open" and a.family != LEDGER}
    values = {one.lot_id: one.value for one in last if one.family != LEDGER}
    return Day(
        seed,
        len(day.frauds),
        sum(fraud.lot_id in tested for fraud in day.frauds),
        sum(not one.lacks for one in answers),
        tuple(f"{a.fraud.kind} on {a.fraud.lot_id}: {a.lacks}" for a in answers if a.lacks),
        tuple(
            f"{a.lot_id}: {a.family}, {a.state}, {a.reason}"
            for a in clean_with_alert(day.frauds, alerts)
        ),
        {
            f"{f.lot_id} {f.kind}": round(math.log10(values.get(f.lot_id, 1.0)), 1)
            for f in day.frauds
        },
    )


def _last(alerts: Iterable[Alert]) -> list[Alert]:
    found: dict[str, Alert] = {}
    for alert in alerts:
        found[alert.alert_id] = alert
    return list(found.values())


def _raised(alert: Alert) -> Raised:
    """Return an alert as the demo reads it from the warehouse."""
    return Raised(
        alert_id=alert.alert_id,
        state=alert.state,
        family=alert.family,
        subject=alert.subject,
        lot_id=alert.lot_id or "",
        movement_id=alert.movement_id,
        size=alert.size,
        size_u=alert.size_u,
        severity=alert.severity,
        reason=alert.reason,
        evidence=tuple(
            Measured(m.quantity, m.analyte, m.expected, m.observed, m.u, m.z, m.unit, m.instruments)
            for m in alert.evidence
        ),
    )


def main() -> int:
    """Judge all seeds, print and store what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=2, help="days judged at a time")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the figures go")
    options = parser.parse_args()
    days: list[Day] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for day in pool.map(judged, range(options.first, options.first + options.seeds)):
            days.append(day)
            print(json.dumps(asdict(day)), flush=True)
    frauds, found = sum(d.frauds for d in days), sum(d.found for d in days)
    named, clean = sum(d.named for d in days), sum(len(d.clean) for d in days)
    print(f"{found} of {frauds} frauds found, {named} named; {clean} clean lots with an alert")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(d) for d in days], indent=1) + "\n", "utf-8")
    return int(found < frauds or any(len(d.clean) > CLEAN_LOTS_MAX for d in days))


if __name__ == "__main__":
    sys.exit(main())
