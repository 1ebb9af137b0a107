"""False alarms after ``custody calibrate`` on a history: ``python -m bench.detection.calibrated``.

Draws a history of so many clean lots per site (and a share of bad ones that nobody knows of),
calibrates on it, and follows fresh clean lots through their lives, fact by fact, as live ones are.

Expected before measuring, on one core: 8 ms per fresh lot, so six minutes for three worlds of
15,000 lots.
"""

import argparse
import math
import time
from dataclasses import replace

import numpy as np

from bench.detection.told import lots_of
from bench.detection.world import Fraud, World, WorldSpec
from custody.detect.calibration import calibrate
from custody.detect.calibration_limit import LOTS_MIN, greatest_ln_e
from custody.detect.calibration_lots import Lot
from custody.detect.calibration_records import Thoughts
from custody.detect.mixture import ALPHA

BAD = ("theft", "waste", "foreign")


def history(world: World, lots: int, bad: float, seed: int) -> list[Lot]:
    """Return lots of a history, so many in all, a share of them bad and not known to be."""
    count = round(lots * bad)
    drawn = lots_of(world, world.draw(lots - count, (seed, 1)), "H")
    for number, kind in enumerate(BAD):
        mine = count // len(BAD) + (number < count % len(BAD))
        if mine:
            fraud = Fraud(kind, 0.15)
            drawn += lots_of(world, world.draw(mine, (seed, 2, number), fraud), f"B{number}")
    return drawn


def false_alarms(world: World, told: list[Lot], fresh: int, seed: int) -> tuple[int, int, float]:
    """Return how many of fresh lots pass the proved limit, and the history's own, and that one."""
    calibrated = calibrate(told, {}, {})
    thoughts = Thoughts({}, calibrated.bodies({}, ""))
    lots = lots_of(world, world.draw(fresh, (seed, 9)), "F")
    # What depends on the way is kept for the next lot on it.
    lots.sort(key=lambda lot: lot.begins)
    ln_e = np.array([greatest_ln_e(lot, thoughts.of(lot)) for lot in lots])
    proved = -math.log(ALPHA)
    own = math.log(calibrated.limit.threshold) if calibrated.limit.threshold else proved
    return int((ln_e >= proved).sum()), int((ln_e >= own).sum()), own


def main() -> None:
    """Print one line per world."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.calibrated")
    parser.add_argument("--per-site", type=int, default=20)
    parser.add_argument("--sites", type=int, default=40)
    parser.add_argument("--analytes", type=int, default=12)
    parser.add_argument("--fresh", type=int, default=15_000)
    parser.add_argument("--bad", type=float, default=0.0, help="share of bad lots in the history")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    given = parser.parse_args()
    spec = replace(WorldSpec(), sites=given.sites, analytes=given.analytes)
    proved = own = 0
    for seed in given.seeds:
        began = time.monotonic()
        world = World(spec, seed)
        told = history(world, given.per_site * given.sites, given.bad, seed)
        at_proved, at_own, ln_e = false_alarms(world, told, given.fresh, seed)
        proved, own = proved + at_proved, own + at_own
        kind = "calibrated" if len(told) >= LOTS_MIN else "proved"
        print(
            f"seed {seed}: {len(told)} lots of history; of {given.fresh} clean lots {at_proved} "
            f"pass 1000, {at_own} the {kind} limit, ln E {ln_e:.2f} "
            f"({time.monotonic() - began:.0f} s)",
            flush=True,
        )
    lots = given.fresh * len(given.seeds)
    print(f"per 1000: {1e3 * proved / lots:.2f} at 1000, {1e3 * own / lots:.2f} at the own limit")


if __name__ == "__main__":
    main()
