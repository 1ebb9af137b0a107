"""What a fact costs in a backtest: ``python -m bench.backtest``.

The lots of ``bench.plant_day``, recorded over half a day, through ``runtime.backtest`` with all
tests on. Sketched before measuring 10,000 lots, from what 1,000 cost: 1,900 facts/s on one core,
where the goal is 2,500, and 3,300 on two; judged one by one 1,000.

Prints a JSON line per run: facts per second of CPU and of time, in one process and as the command
runs it, and the yardstick taken in turns with it. What it costs to read requests is not in it: 150
us a line, on all cores. Options: ``--lots``, ``--legs``, ``--one-by-one``.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Sequence

from bench.plant_day import draw_day
from bench.yardstick import Yardstick
from custody.events import LotFact
from custody.records import Alert
from runtime.backtest.processes import replayed
from runtime.backtest.rounds import BY_SERIES, ONE_BY_ONE, Pace

TURNS_EVERY_S = 1.0
"""CPU between two turns of the yardstick."""


def run(facts: Sequence[LotFact], pace: Pace, processes: int) -> dict[str, object]:
    """Return what one run over a history cost."""
    yardstick, alerts, between_s = Yardstick(), 0, 0.0
    yardstick.turn()
    began, cpu_began, turned_at = time.perf_counter(), _cpu_s(), time.process_time()
    for said in replayed(facts, pace, processes):
        alerts += sum(isinstance(one, Alert) for one in said)
        if time.process_time() - turned_at > TURNS_EVERY_S:
            between_s += yardstick.turn()
            turned_at = time.process_time()
    seconds = time.perf_counter() - began - between_s
    cpu_s = _cpu_s() - cpu_began - between_s
    return {
        "bench": "backtest",
        "processes": processes,
        "one_by_one": pace == ONE_BY_ONE,
        "facts": len(facts),
        "alerts": alerts,
        "facts_per_s": round(len(facts) / seconds, 1),
        "facts_per_cpu_s": round(len(facts) / cpu_s, 1),
        "yardstick_us": round(yardstick.us, 2),
        "yardsticks_per_fact": round(cpu_s / len(facts) * 1e6 / yardstick.us, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1),
    }


def _cpu_s() -> float:
    """Return the CPU of this process and of those that it has waited for, seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lots", type=int, default=10_000)
    parser.add_argument("--legs", type=int, default=1)
    parser.add_argument("--one-by-one", action="store_true")
    options = parser.parse_args()
    facts = draw_day(options.lots, options.legs, 7)
    facts.sort(key=lambda fact: (fact.recorded_at, fact.event_id))
    pace = ONE_BY_ONE if options.one_by_one else BY_SERIES
    for processes in sorted({1, min(os.cpu_count() or 1, 4)}):
        print(json.dumps(run(facts, pace, processes)), flush=True)


if __name__ == "__main__":
    main()
