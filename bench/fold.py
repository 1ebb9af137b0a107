"""What a fact costs in the core: ``python -m bench.fold``.

``CustodyFold.step`` alone, over facts already decoded, one record per step (live) and in chunks
of 2,000 records grouped by owner (backlog). Expected before measuring: 60 to 80 us per fact, most
of it in the tests and the postings; nine tenths of the facts come last in canonical order.

Then, of lots one by one, the median cost of a step: a re-fold (all facts of a lot are in but its
first weighing, which comes late) and three facts in one chunk as the last of a lot. Expected: 50
facts in 3 ms; three facts in 1.5 ms more with tests than without.

The yardstick is taken in turns with the facts: 15,000 facts/s, 67 us, where the goal was set, are
5.6 yardsticks.

Options: ``--lots``, ``--legs``, ``--shuffle`` (share of facts that come late), ``--encode`` (rows
through msgpack, as the worker stores them), ``--books`` (the ledger alone: no lot is tested).
"""

import argparse
import gc
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from statistics import median
from unittest.mock import patch

import msgspec

from bench.plant_day import draw_day
from bench.yardstick import SET_AT_US, Yardstick
from custody.core import CustodyFold
from custody.detect import lot_asked
from custody.events import LotDeclared, LotFact, LotMoved, LotScanned, LotWeighed
from streams.worker import GC_THRESHOLDS
from tests.support.facts import Rows

STEMS: dict[type, str] = {
    LotDeclared: "lot",
    LotMoved: "shipment",
    LotScanned: "xrf",
    LotWeighed: "weighing",
}

TURN_FACTS = 2_000
"""Facts between two turns of the yardstick."""


@dataclass(slots=True)
class Decoded:
    """A fact as the worker hands it over once it is decoded."""

    stem: str
    offset: int
    event: LotFact


@dataclass(slots=True)
class Result:
    """What a run cost."""

    name: str
    facts: int
    cpu_s: float
    outputs: Counter[str]
    row_bytes: float
    yardstick_us: float


def run(name: str, facts: list[LotFact], chunk: int, *, encode: bool) -> Result:
    """Fold all facts in chunks of ``chunk`` records."""
    fold, rows = CustodyFold(), Rows()
    encoder = msgspec.msgpack.Encoder()
    gc.set_threshold(*GC_THRESHOLDS)
    entries = [Decoded(STEMS.get(type(f), "assay"), i, f) for i, f in enumerate(facts)]
    outputs: Counter[str] = Counter()
    yardstick, between_s = Yardstick(), 0.0
    gc.collect()
    began = time.process_time()
    for start in range(0, len(entries), chunk):
        if start % TURN_FACTS == 0:
            between_s += yardstick.turn()
        owned: dict[str, list[Decoded]] = defaultdict(list)
        for entry in entries[start : start + chunk]:
            owned[fold.owner(entry, entry.event.lot_id or "")].append(entry)
        for owner, mine in owned.items():
            step = fold.step(owner, rows.get(owner), mine, rows)
            for key, row in step.rows.items():
                rows[key] = row
            rows[owner] = step.row
            if encode:
                encoder.encode(step.row)
                for row in step.rows.values():
                    encoder.encode(row)
            outputs.update([type(output).__name__ for output in step.outputs])
    cpu_s = time.process_time() - began - between_s
    heads = [len(encoder.encode(row)) for key, row in rows.items() if key.startswith("lot/")]
    return Result(name, len(facts), cpu_s, outputs, sum(heads) / len(heads), yardstick.us)


def step_us(facts: list[LotFact], last: Sequence[LotFact]) -> float:
    """Return the CPU of the step that brings ``last`` to a lot that has all other facts, in us."""
    fold, rows = CustodyFold(), Rows()
    before = [fact for fact in facts if fact not in last]
    spent = 0.0
    for chunk in (before, last):
        entries = [Decoded(STEMS.get(type(f), "assay"), i, f) for i, f in enumerate(chunk)]
        owner = fold.owner(entries[0], chunk[0].lot_id or "")
        began = time.process_time()
        step = fold.step(owner, rows.get(owner), entries, rows)
        spent = time.process_time() - began
        for key, row in step.rows.items():
            rows[key] = row
        rows[owner] = step.row
    return spent * 1e6


def steps(lots: int, legs: int) -> Iterator[tuple[str, int, float]]:
    """Yield what is stepped, how many facts its lots have, and the median of its CPU in us."""
    by_lot: dict[str | None, list[LotFact]] = defaultdict(list)
    for fact in draw_day(lots, legs, seed=3):
        by_lot[fact.lot_id].append(fact)
    mine = list(by_lot.values())
    size = round(sum(map(len, mine)) / len(mine))
    late = [next(f for f in facts if isinstance(f, LotWeighed)) for facts in mine]
    lone = zip(mine, late, strict=True)
    yield "re-fold for a late weighing", size, median([step_us(f, [one]) for f, one in lone])
    yield "the last three facts in one chunk", size, median([step_us(f, f[-3:]) for f in mine])


def _nothing_asked(*_: object) -> None:
    """Stand in for what asks a lot's test; a mock's own call would be half of what is measured."""


def untested() -> AbstractContextManager[object]:
    """Leave out the test of lots: what the ledger costs without it."""
    return patch.object(lot_asked, "asked_of", _nothing_asked)


def main() -> None:
    """Print one line per run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lots", type=int, default=500)
    parser.add_argument("--legs", type=int, default=2)
    parser.add_argument("--shuffle", type=float, default=0.0)
    parser.add_argument("--encode", action="store_true")
    parser.add_argument("--books", action="store_true")
    options = parser.parse_args()
    facts = draw_day(options.lots, options.legs, seed=1)
    rng = Random(2)
    late = [fact for fact in facts if rng.random() < options.shuffle]
    lateness = {fact.event_id for fact in late}
    facts = [fact for fact in facts if fact.event_id not in lateness] + late
    print(f"{len(facts)} facts, {options.lots} lots, {len(facts) / options.lots:.0f} each")
    for name, chunk in (("live, chunk 1", 1), ("backlog, chunk 2000", 2000)):
        with untested() if options.books else nullcontext():
            result = run(name, facts, chunk, encode=options.encode)
        us = result.cpu_s / result.facts * 1e6
        said = sum(result.outputs.values()) / result.facts
        print(
            f"{result.name:22} {us:7.1f} us per fact, {us / result.yardstick_us:.1f} yardsticks of "
            f"{result.yardstick_us:.1f} us ({SET_AT_US:g} where the goals were set), "
            f"{said:.2f} outputs per fact {dict(result.outputs)}, row {result.row_bytes:.0f} B"
        )
    for legs in (1, 3):
        for alone in (True, False):
            with untested() if alone else nullcontext():
                for name, size, us in steps(50, legs):
                    of = "books alone" if alone else "books and tests"
                    print(f"{name}, lots of {size} facts, {of}: {us:.0f} us")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
