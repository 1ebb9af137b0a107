"""How fast ``custody audit`` follows chains: digests made anew, links, trees and heads.

Gateways write weighings with their chains, in turn as several plants do, and a signed head after
each so many; the sink's own mapping puts them into the embedded engine, in batches. Then one pass
is made as ``custody audit --no-kafka --no-rows`` makes it, over a reader with the limits of SQL
over HTTP (one thread). HTTP itself is not in the figure. The CPU is that of the whole process, the
engine's threads included.

The goal is 60,000 events/s. Expected: per event 3 us of Python for the tree, and as much of the
engine for two digests: 6 us or 160,000 events/s, if no table is read more often than once.

    python -m bench.audit --events 500000 --gateways 4

A question for each stretch of each gateway read all tables again for it: 14.1 s of CPU per million
events of 40 gateways, and 6.0 of 4. One question of many gateways takes 5.0 of 40.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from custody.events import Micros
from producers.chain import Entry
from producers.outcome import Draft
from tests.support.facts import Maker
from tests.support.gateway import NOW
from tests.support.signing import Plant
from tests.support.stored import Stored, opened, standing_of

_EXPECTED_PER_S = 60_000
_BATCH = 20_000
_LOTS = 10_000
_HEAD_EVERY = 5_000


def _drafts(gateway: str, count: int) -> Iterator[Draft]:
    made = Maker("L").weighing("MINE-A", 0, "dispatch", 45_000, 15_000)
    for number in range(count):
        lot, event = f"L-{number % _LOTS}", f"{gateway}-{number:027d}"
        fact = replace(
            made,
            lot_id=lot,
            gateway_id=gateway,
            event_id=event,
            ticket_no=str(number),
            occurred_at=Micros(NOW + number),
        )
        yield Draft("weighing", fact, b"")


def _written(plants: Sequence[Plant], each: int) -> Iterator[list[Entry]]:
    """Yield batches as they reach the sink: gateways in turn."""
    drafts = [_drafts(plant.name, each) for plant in plants]
    batch: list[Entry] = []
    for number in range(1, each + 1):
        for plant, mine in zip(plants, drafts, strict=True):
            batch.append(plant.chain.append(next(mine), Micros(NOW + number)))
            if not number % _HEAD_EVERY or number == each:
                batch.append(plant.head())
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


def measure(stored: Stored, events: int, gateways: int) -> dict[str, object]:
    """Fill the tables, make one pass, and return its figures."""
    operator = Plant("GW-OPS", 99)
    plants = [Plant(f"GW-{number}", number) for number in range(1, gateways + 1)]
    stored.put_entries([plant.key(operator) for plant in (*plants, operator)])
    for batch in _written(plants, events // gateways):
        stored.put_entries(batch)
    stored.put_entries([operator.head()])
    audit = standing_of(stored)
    began, cpu = time.monotonic(), time.process_time()
    faults = audit.go_over(NOW, unsigned=True)
    wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
    assert not faults, faults[:3]
    assert audit.records >= events
    return {
        "bench": "audit",
        "events": audit.records,
        "gateways": gateways,
        "heads": audit.heads,
        "events_per_s": int(audit.records / wall_s),
        "cpu_s_per_million": round(cpu_s / audit.records * 1e6, 2),
        "seconds": round(wall_s, 1),
        "expected_per_s": _EXPECTED_PER_S,
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--gateways", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as stored:
        print(json.dumps(measure(stored, given.events, given.gateways)))


if __name__ == "__main__":
    main()
