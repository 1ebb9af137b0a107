"""The demo's days by backtest, without a stack: is what was put in found, and under its name?

    python -m bench.demo_days --seeds 20

Sketched before measuring: 120 of 120 found, 117 under their name, 5 of 5,880 clean lots with an
alert. Prints a line per seed and what was not found or called otherwise; writes them to
``bench/results/demo_days.json``. Exit 1 where a fraud was missed, a drift
not named, or more than three clean lots of a day ever had an alert.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from custody.core import CustodyFold
from custody.records import Alert, Residual
from demo import day as days_of
from demo import instrument
from demo.day import make_day, ndjson, recorded
from demo.drift import Drift, weighed_by
from demo.outcome import CLEAN_LOTS_MAX, LEDGER, Measured, Raised, clean_with_alert, judge
from producers.known import Known
from runtime.backtest import history
from runtime.backtest.replay import Replay

RESULTS = Path("bench/results/demo_days.json")


@dataclass(frozen=True, slots=True)
class Named:
    """What was said of a scale that drifts.

    Attributes:
        device_id: Which.
        weighed: Lots it weighed before, and since.
        lacks: Why it counts as not named; empty text where it is.
        after: How many of the lots weighed since had told its chart when it was first named.
        size: What the alert says at last; what was put in is ``demo.drift.SIZE``.
        size_u: Its standard uncertainty.
        minutes: From the true begin to the one said.
        doubted: Lots left in doubt.
    """

    device_id: str
    weighed: tuple[int, int]
    lacks: str
    after: int = 0
    size: float = 0.0
    size_u: float = 0.0
    minutes: float = 0.0
    doubted: tuple[str, ...] = ()


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
        drift: How the scale that drifts was named.
    """

    seed: int
    frauds: int
    found: int
    named: int
    lacks: tuple[str, ...]
    clean: tuple[str, ...]
    log10_e: dict[str, float]
    drift: Named


def judged(seed: int) -> Day:
    """Return what a backtest says of a seed's day."""
    day = make_day(seed)
    lines = [line.decode() for line in ndjson(list(recorded(day.sent)))]
    told = history.read(history.lines_of("day", lines), Known())
    said = [
        one
        for outputs in Replay(CustodyFold()).run(told.records)
        for one in outputs
        if isinstance(one, Alert | Residual)
    ]
    last = _last(one for one in said if isinstance(one, Alert))
    alerts = [_raised(one) for one in last]
    answers = judge(day.frauds, alerts)
    drifts = None if day.drift is None else instrument.subject_of(day.drift)
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
            for a in clean_with_alert(day.frauds, [x for x in alerts if x.subject != drifts])
        ),
        {
            f"{f.lot_id} {f.kind}": round(math.log10(values.get(f.lot_id, 1.0)), 1)
            for f in day.frauds
        },
        _named(day, said),
    )


def _named(day: days_of.Day, said: Sequence[Alert | Residual]) -> Named:
    drift = day.drift
    assert drift is not None
    alerts = [_raised(one) for one in said if isinstance(one, Alert)]
    own = instrument.Said(instrument.of_day(alerts, day, drift))
    last = [_raised(one) for one in _last(one for one in said if isinstance(one, Alert))]
    found = instrument.judge(day, drift, own, last)
    if found.alert is None or found.alert.onset_at is None:
        return Named(drift.device_id, found.weighed, found.lacks, doubted=found.doubted)
    return Named(
        drift.device_id,
        found.weighed,
        found.lacks,
        _lots_until(day, drift, said),
        round(found.alert.size, 5),
        round(found.alert.size_u, 5),
        round((found.alert.onset_at - drift.since).total_seconds() / 60, 1),
        found.doubted,
    )


def _lots_until(day: days_of.Day, drift: Drift, said: Sequence[Alert | Residual]) -> int:
    """Return how many lots weighed since a drift had told the chart when it was first named."""
    first = weighed_by(drift.device_id, day.requests)
    subject, told = instrument.subject_of(drift), set[str]()
    for one in said:
        if isinstance(one, Alert):
            if one.subject == subject:
                break
        elif one.thing == subject and first[one.lot_id] >= drift.since:
            told.add(one.lot_id)
    return len(told)


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
        statistic=alert.statistic,
        onset_at=None
        if alert.onset_at is None
        else datetime.fromtimestamp(alert.onset_at / 1e6, UTC),
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
    drifts = [d.drift for d in days if not d.drift.lacks]
    doubted = sum(len(d.drift.doubted) for d in days)
    print(f"{len(drifts)} of {len(days)} drifts named, {doubted} lots in doubt")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(d) for d in days], indent=1) + "\n", "utf-8")
    missed = found < frauds or any(d.drift.lacks or d.drift.doubted for d in days)
    return int(missed or any(len(d.clean) > CLEAN_LOTS_MAX for d in days))


if __name__ == "__main__":
    sys.exit(main())
