"""How far the sink falls behind Kafka while analysts ask the worst.

A local stack of its own takes a steady load through its gateway. Four analysts ask, one after the
other and all at once, what the drill in tests/integration/test_worst_queries.py asks; two run, the
others wait. Four times a second the facts that Kafka has acknowledged are held against those that
are rows: the lag is the age of the oldest that is not. The same before, with nobody asking.

Goal: below 5 s. Expected before measuring: 1 to 2 s, the interval of flushes and a busy core.
Prints one JSON object per part.

    python -m bench.worst_queries --seconds 120
"""

import argparse
import itertools
import json
import re
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from bench.drive import Target, drive
from bench.load import FACTS_PER_LOT, Plan
from bench.watch import quantile
from tests.integration.test_worst_queries import WORST
from tests.support import system as stacks

_GOAL_S = 5.0
_EVERY_S = 0.25
_ANALYSTS = 4
_PUBLISHED = re.compile(
    r'^custody_published_records_total{topic="custody\.fact\.v1"} (\S+)', re.MULTILINE
)
_STORED = re.compile(
    r'^custody_rows_total{stem="(?:lot|weighing|assay|xrf|shipment|processing|claim)"} (\S+)',
    re.MULTILINE,
)


def lags(
    published: Sequence[tuple[float, float]], stored: Sequence[tuple[float, float]]
) -> list[float]:
    """Return at each look how long the oldest fact without a row has been in Kafka, seconds.

    Args:
        published: Time and count of facts that Kafka has, in order.
        stored: Time and count of facts that are rows, looked at together with ``published``.
    """
    counts = [count for _, count in published]
    found = []
    for at, rows in stored:
        first = bisect_right(counts, rows)
        found.append(max(0.0, at - published[first][0]) if first < len(published) else 0.0)
    return found


class Watch:
    """Looks at both counters until it is told to stop."""

    def __init__(self, gateway: str, warehouse: str) -> None:
        self._addresses = gateway, warehouse
        self._over = threading.Event()
        self.published: list[tuple[float, float]] = []
        self.stored: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        gateway, warehouse = self._addresses
        with httpx.Client(timeout=60) as client:
            while not self._over.wait(_EVERY_S):
                # The rows first: what comes between the two looks is no lag.
                rows = sum(map(float, _STORED.findall(client.get(f"{warehouse}/metrics").text)))
                sent = sum(map(float, _PUBLISHED.findall(client.get(f"{gateway}/metrics").text)))
                now = time.monotonic()
                self.stored.append((now, rows))
                self.published.append((now, sent))


def measured(
    to: Target, warehouse: str, rate: int, seconds: int, token: str = ""
) -> dict[str, object]:
    """Send a load, with analysts where there is a token, and return what the lag was."""
    over, answers = threading.Event(), list[str]()

    def ask(first: int) -> None:
        with httpx.Client(auth=("analyst", token), timeout=120) as client:
            for statement in itertools.islice(itertools.cycle(WORST), first, None):
                if over.is_set():
                    return
                said = client.post(warehouse, content=statement)
                answers.append(said.headers.get("x-clickhouse-exception-code", "answered"))

    threads = [threading.Thread(target=ask, args=(no,)) for no in range(_ANALYSTS if token else 0)]
    run = f"W{'A' if token else 'Q'}{int(time.time())}"
    with Watch(to.gateway, warehouse) as watch:
        for thread in threads:
            thread.start()
        sent = drive(to, Plan(run=run, lots=rate * seconds // FACTS_PER_LOT), rate=rate)
        over.set()
    for thread in threads:
        thread.join()
    found = lags(watch.published, watch.stored)
    return {
        "bench": "worst_queries",
        "analysts": len(threads),
        "facts_per_s": round(sent.events / sent.seconds),
        "lag_p50_s": round(quantile(found, 0.5), 2),
        "lag_max_s": round(max(found), 2),
        "goal_s": _GOAL_S,
        "answers": {code: answers.count(code) for code in sorted(set(answers))},
        "looks": len(found),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a stack, measure quiet and beside analysts, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--rate", type=int, default=300, help="facts per second")
    parsed = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, stacks.running(Path(folder) / "data") as stack:
        addresses = json.loads((stack.data_dir / "addresses.json").read_text("utf-8"))
        token = (stack.data_dir / "sink" / "analyst_token").read_text("utf-8").strip()
        for who, seconds in (("", parsed.seconds // 4), (token, parsed.seconds)):
            line = measured(stack.target, addresses["console"], parsed.rate, seconds, who)
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
