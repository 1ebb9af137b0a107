"""The table of detection.md section 3 with our figures: ``python -m bench.detection``.

Expected before measuring, on one core: 0.3 ms per honest lot of the default world, so two minutes
for 100,000 lots three times and 2,000 lots of six frauds at eleven sizes.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.detection.picture import draw
from bench.detection.table import GOALS, Evaluation, Found, Level
from bench.detection.world import WorldSpec

WORLDS = Path(__file__).parent / "worlds"

LEAST = {"lots": 1, "frauds": 1, "history": 10, "seed": 0}
"""Least value of each number; with fewer lots of history a site may have none to learn from."""


def main() -> None:
    """Evaluate one world; a table on stdout, progress on stderr."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description=__doc__)
    parser.add_argument("--world", default="ore", help="parameters: a file, or a name in worlds/")
    parser.add_argument("--lots", type=int, default=60_000, help="honest lots of each kind")
    parser.add_argument("--frauds", type=int, default=2_000, help="lots per family and size")
    parser.add_argument(
        "--history", type=int, default=100, help="honest lots per site to learn from"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--picture", type=Path, help="draw the power curves into this SVG")
    given = parser.parse_args()
    for name, least in LEAST.items():
        if getattr(given, name) < least:
            parser.error(f"argument --{name}: at least {least}")
    spec = _spec(given.world)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", file=sys.stderr, flush=True)

    # Readings that were not taken are NaN, and their logarithms are meant to be.
    with np.errstate(invalid="ignore", divide="ignore"):
        evaluation = Evaluation(spec, given.seed, given.history)
        say(f"{spec.name}: {spec.sites} sites, {spec.analytes} analytes, seed {given.seed}")
        level, limit = evaluation.level(given.lots, say)
        found = list(evaluation.families(given.frauds, level, limit, say))
    if given.picture:
        draw(found, f"{spec.name}, seed {given.seed}", given.picture)
    asked = {"seed": given.seed, "history": given.history, "frauds": given.frauds}
    if given.json:
        families = [asdict(one) | {"ratio": one.ratio} for one in found]
        print(
            json.dumps({**asked, "world": asdict(spec), "level": asdict(level), "found": families})
        )
    else:
        print(table(spec.name, asked, level, found))


def table(name: str, asked: dict[str, int], level: Level, found: list[Found]) -> str:
    """Return the result as a Markdown table."""
    lines = [
        (
            f"World {name}, seed {asked['seed']}, {asked['history']} lots of history per site, "
            f"{level.lots} honest lots, {asked['frauds']} per fraud and size."
        ),
        "",
        "| fraud | best possible | eight classic tests | ours | ratio | goal | at ln 1000 |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.fraud} | {one.bound:.2%} | {_size(one.size_classic)} | {_size(one.size)} "
        f"| {one.ratio:.2f} | {GOALS[one.fraud]:.2f} | {_size(one.size_proved)} |"
        for one in found
    ]
    lines += [
        "",
        (
            f"Threshold ln E = {level.threshold:.2f}. False alarms per 1000 honest lots, without "
            f"and with bad shots: {level.calibrated[0]:.2f} and {level.calibrated[1]:.2f}; at "
            f"ln 1000 {level.proved[0]:.2f} and {level.proved[1]:.2f}; classic tests with bad "
            f"shots {level.classic:.2f}. Greatest power beyond the bound: "
            f"{max(one.excess for one in found):+.3f}."
        ),
    ]
    return "\n".join(lines)


def _size(size: float) -> str:
    return "never" if math.isnan(size) else f"{size:.2%}"


def _spec(name: str) -> WorldSpec:
    path = Path(name) if Path(name).suffix else WORLDS / f"{name}.json"
    try:
        return WorldSpec.load(path)
    except (OSError, ValueError) as error:
        print(f"error: no world in {path}: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
