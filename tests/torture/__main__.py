"""Workers killed, stopped, slowed and moved, on a real broker, until the books are wrong.

    python -m tests.torture --repetitions 100 --seed 1
    python -m tests.torture --repetitions 1 --seed 17        one of them again

One broker, and for each repetition fresh topics, two or three workers, four chains of processes
and three of the eight faults of ``tests.torture.plan``. What then stands on the topics must be
what the rules demand of the facts, to the gram, each alert once. ``--json`` prints a line for each
repetition and one for all. Exit 1 where one is wrong; its command is printed, and its stores and
logs are kept.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from random import SystemRandom

from tests.support import stack
from tests.torture.campaign import Outcome, repetitions
from tests.torture.plan import HISTORIES


def main() -> int:
    """Run what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1, 10**6))
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--directory", type=Path, help="for stores and logs; a new one by default")
    parser.add_argument("--json", action="store_true", help="one JSON object per repetition")
    given = parser.parse_args()
    directory = given.directory or Path(tempfile.mkdtemp(prefix="custody-torture-"))
    seeds = range(given.seed, given.seed + given.repetitions)
    print(f"seeds {seeds.start} to {seeds.stop - 1}, in {directory}", file=sys.stderr)
    begun, found = time.monotonic(), list[Outcome]()
    with stack.running_kafka(directory / "kafka") as bootstrap:
        for outcome in repetitions(bootstrap, directory, seeds, given.histories):
            found.append(outcome)
            _say(outcome, len(found), len(seeds), as_json=given.json)
    _sum_up(found, time.monotonic() - begun, as_json=given.json)
    if all(not one.wrong for one in found) and given.directory is None:
        shutil.rmtree(directory)
    return int(any(one.wrong for one in found))


def _say(one: Outcome, done: int, total: int, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(one)), flush=True)
    print(
        f"{done} of {total}: seed {one.seed}, {one.workers} workers, {'; '.join(one.faults)}:"
        f" {one.facts} facts, {one.transfers} transfers, {one.repeats} said again,"
        f" exits {one.exits}, {one.seconds} s: {'WRONG' if one.wrong else 'exact'}",
        file=sys.stderr,
    )
    for sentence in one.wrong:
        print(f"    {sentence}", file=sys.stderr)
    if one.wrong:
        print(f"    again: {one.again}", file=sys.stderr)


def _sum_up(found: list[Outcome], seconds: float, *, as_json: bool) -> None:
    faults = Counter(fault for one in found for fault in one.faults)
    totals = {
        "repetitions": len(found),
        "wrong": sum(bool(one.wrong) for one in found),
        "seeds": [one.seed for one in found if one.wrong],
        "facts": sum(one.facts for one in found),
        "transfers": sum(one.transfers for one in found),
        "repeats": sum(one.repeats for one in found),
        "exits": dict(Counter(str(code) for one in found for code in one.exits)),
        "faults": dict(faults),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(totals) if as_json else "\n".join(f"{k}: {v}" for k, v in totals.items()))


if __name__ == "__main__":
    sys.exit(main())
