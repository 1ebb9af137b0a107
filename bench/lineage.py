"""How long a lineage takes: a million edges, ten of them deep, back and forward, now and then.

A seeded history of processes with two inputs and one output, lots drawn from the 20,000 before
(paths meet again), every hundredth output posted anew and compensated, is put into the embedded
engine as rows of ``edge`` and merged, as the table is by itself a day later. Lots are asked for
one after the other as the command line asks, by ``runtime.lineage.walk`` over a reader with the
limits of SQL over HTTP (one thread); what comes back is compared with a breadth-first search over
the same edges in memory. HTTP itself adds some 3 ms per statement and is not in the figure. A busy
machine shows in the difference between the time and the CPU of this process.

The goal is a p50 below 60 ms at depth 10, in each direction. Expected: ten look-ups of 4 ms each in
two statements of 2 ms, and 5 ms for what they find: 50 ms. Prints one JSON object per line.

    python bench/lineage.py --edges 1000000 --queries 15
"""

import argparse
import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import Micros
from runtime.lineage import BACK, FORWARD, NOW, Ask, Direction, Moment, walk
from sinks import migrate
from sinks.client import Warehouse, open_warehouse

_EXPECTED_MS = 60.0
_EXPECTED_DEPTH = 10
_BASE_LOTS = 1_000
_WINDOW_LOTS = 20_000
_PARTS = "SELECT count() FROM system.parts WHERE table = 'edge' AND active"
_START_US = 1_790_000_000_000_000
_ROWS_PER_INSERT = 100_000


@dataclass(slots=True)
class History:
    """Edges as columns; ``net`` as (parent, child) to (when, known) lists of grams."""

    parents: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    grams: list[int] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    known_us: list[int] = field(default_factory=list)

    def add(self, parent: str, child: str, grams: int, at_us: int, known_us: int) -> None:
        """Add one transfer."""
        self.parents.append(parent)
        self.children.append(child)
        self.grams.append(grams)
        self.at_us.append(at_us)
        self.known_us.append(known_us)

    def neighbours(self, direction: Direction, until_us: int) -> dict[str, list[str]]:
        """Return who leads to whom by what was known and so at a time."""
        net: dict[tuple[str, str], int] = {}
        rows = zip(self.parents, self.children, self.grams, self.at_us, self.known_us, strict=True)
        for parent, child, grams, at_us, known_us in rows:
            if at_us <= until_us and known_us <= until_us:
                net[parent, child] = net.get((parent, child), 0) + grams
        found: dict[str, list[str]] = {}
        for (parent, child), grams in net.items():
            if grams:
                near, far = (child, parent) if direction == BACK else (parent, child)
                found.setdefault(near, []).append(far)
        return found


def history(edges: int, seed: int) -> History:
    """Return a history of at least so many transfers."""
    rng = random.Random(seed)
    made, lots, process = History(), _BASE_LOTS, 0
    while len(made.parents) < edges:
        at_us = _START_US + process * 1_000_000
        name = f"process/P-{process:07d}"
        for _ in range(2):
            given = rng.randrange(max(0, lots - _WINDOW_LOTS), lots)
            made.add(f"lot/L-{given:07d}", name, rng.randrange(1, 30_000_000), at_us, at_us)
        output, grams = f"lot/L-{lots:07d}", rng.randrange(1, 30_000_000)
        made.add(name, output, grams, at_us, at_us)
        if process % 100 == 0:
            later_us = at_us + 3_600_000_000
            made.add(name, output, -grams, at_us, later_us)
            if process % 200 == 0:
                made.add(name, output, grams // 2 + 1, at_us, later_us)
        process, lots = process + 1, lots + 1
    return made


def store(warehouse: Warehouse, made: History) -> None:
    """Insert a history as the sink would, some rows at a time."""
    rows = len(made.parents)
    empty = pa.array([[]] * rows, pa.list_(pa.string()))
    table = pa.table(
        {
            "topic": pa.array(["custody.transfer.v1"] * rows),
            "partition": pa.array(np.zeros(rows, np.int32)),
            "offset": pa.array(np.arange(rows)),
            "n": pa.array(np.arange(rows)),
            "sender": pa.array(["worker/0"] * rows),
            "parent": made.parents,
            "child": made.children,
            "mass_wet_g": made.grams,
            "mass_dry_g": made.grams,
            "metals.analyte": pa.array([["Cu"]] * rows),
            "metals.value_mg": pa.array([[grams * 25] for grams in made.grams]),
            "effective_at": pa.array(made.at_us).cast(pa.timestamp("us", "UTC")),
            "known_at": pa.array(made.known_us).cast(pa.timestamp("us", "UTC")),
            "origins.id": empty,
        }
    )
    for first in range(0, rows, _ROWS_PER_INSERT):
        warehouse.insert_arrow("edge", table.slice(first, _ROWS_PER_INSERT), "bench")
    warehouse.command("OPTIMIZE TABLE custody.edge FINAL")


def search(neighbours: Mapping[str, Sequence[str]], start: str, steps_max: int) -> dict[str, int]:
    """Return the steps to whatever can be reached, by a breadth-first search in memory."""
    steps, level = {start: 0}, [start]
    for step in range(1, steps_max + 1):
        level = list(
            dict.fromkeys(o for n in level for o in neighbours.get(n, ()) if o not in steps)
        )
        steps |= dict.fromkeys(level, step)
    return steps


def measure(
    reader: Reader, made: History, options: argparse.Namespace
) -> Iterator[dict[str, object]]:
    """Yield one line of figures per direction, instant and depth."""

    def ask(query: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        return [json.loads(one) for one in reader.ask(query, "JSONEachRow", params).splitlines()]

    rng = random.Random(options.seed + 1)
    half_us = _START_US + (made.at_us[-1] - _START_US) // 2
    lots = len({c for c in made.children if c.startswith("lot/")})
    for direction, share in ((BACK, 0.45), (FORWARD, 0.05)):
        starts = [
            f"lot/L-{_BASE_LOTS + int(lots * share) + rng.randrange(lots // 50):07d}"
            for _ in range(options.queries)
        ]
        for until_us, moment in ((sys.maxsize, Moment(NOW, NOW)), (half_us, _moment(half_us))):
            known = made.neighbours(direction, until_us)
            gc.freeze()  # the cycle collector would look through the history at every walk
            for steps_max in (10, 20):
                yield _timed(ask, known, Asked(direction, steps_max, moment, starts)) | {
                    "edges": len(made.parents)
                }


class Asked(NamedTuple):
    """One kind of question and the lots it is asked of."""

    direction: Direction
    steps_max: int
    moment: Moment
    starts: Sequence[str]


def _timed(ask: Ask, known: Mapping[str, Sequence[str]], asked: Asked) -> dict[str, object]:
    times_ms: list[float] = []
    cpu_ms: list[float] = []
    nodes: list[int] = []
    equal = True
    for start in (asked.starts[0], *asked.starts):  # the first one warms up
        began, cpu = time.perf_counter(), time.process_time()
        way = walk(ask, start, asked.direction, asked.steps_max // 2, asked.moment)
        times_ms.append((time.perf_counter() - began) * 1000)
        cpu_ms.append((time.process_time() - cpu) * 1000)
        equal &= dict(way.steps) == search(known, start, asked.steps_max)
        nodes.append(len(way.steps))
    return {
        "direction": "back" if asked.direction == BACK else "forward",
        "as_of": "now" if asked.moment.is_now else "half-way",
        "depth_edges": asked.steps_max,
        "nodes_p50": int(np.percentile(nodes[1:], 50)),
        "expected_p50_ms_max": _EXPECTED_MS if asked.steps_max == _EXPECTED_DEPTH else None,
        "cpu_p50_ms": round(float(np.percentile(cpu_ms[1:], 50)), 1),
        "p50_ms": round(float(np.percentile(times_ms[1:], 50)), 1),
        "p90_ms": round(float(np.percentile(times_ms[1:], 90)), 1),
        "equal_to_search": equal,
    }


def _moment(micros: int) -> Moment:
    text = str(np.datetime64(micros, "us")).replace("T", " ")
    return Moment(text, text)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    made = history(options.edges, options.seed)
    with tempfile.TemporaryDirectory(prefix="custody-bench-") as directory:
        address = f"chdb://{Path(directory) / 'warehouse'}"
        warehouse = open_warehouse(address)
        migrate.migrate(warehouse, Micros(0))
        store(warehouse, made)
        reader = Reader(ConsoleConfig(warehouse=address, token_file=Path(directory) / "token"))
        for line in measure(reader, made, options):
            [[parts]] = warehouse.rows(_PARTS)
            print(json.dumps({**line, "parts": parts}), flush=True)
        reader.close()
        warehouse.close()


if __name__ == "__main__":
    main()
