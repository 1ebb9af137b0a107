"""After how many lots charts name a scale, an XRF instrument or a road that is off; and nothing.

    python -m bench.charts --seeds 20

Sketched before measuring: a scale 0.3 % off after 12 lots, an element seen a tenth too high after
8, a loss of 0.25 % after 18 lots of its road; no more than one false alarm in 20 fleets in order.
A fleet is some mines, a depot and a port (``tests/support/fleet.py``); lots are counted of the
instrument, or of the road. Writes ``bench/results/charts.json``.
"""

import argparse
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from custody.alerts import CHARTS, LOT
from custody.core import CustodyFold
from custody.fold import Output
from custody.records import Alert, Residual
from runtime.backtest.replay import Replay
from tests.support.fleet import Fleet

RESULTS = Path("bench/results/charts.json")
SINCE = 20


@dataclass(frozen=True, slots=True)
class Case:
    """What is off from lot ``SINCE`` on, and what is asked of it.

    Attributes:
        name: In words.
        lots: Of each fleet.
        wrong: As ``Fleet`` takes it.
        subject: Who must be named; empty for nobody.
        every: Of so many lots one is of the subject.
        asked: After how many of its lots it must be named.
    """

    name: str
    lots: int
    wrong: Mapping[str, Any]
    subject: str = ""
    every: int = 1
    asked: int = 0

    def fleet(self, seed: int) -> Fleet:
        """Return the fleet of a seed."""
        return Fleet(seed, self.lots, since=SINCE, **self.wrong)


_SCALE, _GUN, _ROAD = "WB-DEPOT", "XRF-DEPOT", "MINE-B>DEPOT"
CASES = (
    Case("scale 0.3 % high", 60, {"scale": (_SCALE, 0.003)}, f"instrument/{_SCALE}", 1, 60),
    Case("scale 0.3 % low", 60, {"scale": (_SCALE, -0.003)}, f"instrument/{_SCALE}", 1, 60),
    Case(
        "XRF, one element 10 % high", 50, {"xrf": (_GUN, "Co", 0.10), "composition": True},
        f"instrument/{_GUN}", 1, 60,
    ),
    Case("0.25 % lost on a road", 140, {"stolen": (_ROAD, 0.0025)}, f"way/{_ROAD}", 3, 25),
    Case("nothing", 80, {}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One fleet.

    Attributes:
        lots: After how many lots it was named; None where it was not.
        before: Lots that had an alert before that.
        after: Lots that had one open afterwards.
        others: Instruments and roads named that are in order.
    """

    lots: int | None
    before: int
    after: int
    others: tuple[str, ...]


def found(case: Case, outputs: Iterable[Output]) -> Found:
    """Return what a fleet's alerts say."""
    newest, named = 0, None
    before, after, others = set[str](), set[str](), set[str]()
    for one in outputs:
        if isinstance(one, Residual):
            newest = max(newest, int(one.lot_id.removeprefix("L-")))
        if not isinstance(one, Alert) or one.state != "open":
            continue
        if one.subject == case.subject:
            named = newest if named is None else named
        elif one.rule == LOT:
            (before if named is None else after).add(one.subject)
        elif one.rule in CHARTS:
            others.add(one.subject)
    count = None if named is None else (named - SINCE) // case.every + 1
    return Found(count, len(before), len(after - before), tuple(sorted(others)))


def line(case: Case, every: Sequence[Found]) -> str:
    """Return a row of the table."""
    counts = sorted(one.lots for one in every if one.lots is not None)
    others = sum(bool(one.others) for one in every)
    words = "-"
    if counts:
        words = f"{statistics.median(counts):.0f}, at most {counts[-1]}"
    before, after = (max(getattr(one, name) for one in every) for name in ("before", "after"))
    named = f"{len(counts)} of {len(every)}" if case.subject else "-"
    return (
        f"| {case.name} | {named} | {words} | {case.asked or '-'} | {before} | {after} | {others} |"
    )


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    print("| off | named | lots: median, most | asked | lot alerts before | after | others named |")
    print("|---|---|---|---|---|---|---|")
    results: dict[str, list[dict[str, object]]] = {}
    for case in CASES:
        every = []
        for seed in range(1, seeds + 1):
            told = Replay(CustodyFold()).run(case.fleet(seed).records())
            every.append(found(case, [one for said in told for one in said]))
        results[case.name] = [asdict(one) for one in every]
        print(line(case, every), flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
