"""Whether a shift that a chart has found can be said to be an instrument's own.

An instrument that is named is judged without: its lots are looked at again as if it read right. So
whoever cheats often enough would be excused by his own frauds, and honest lots be accused in their
place, if each shift were called the instrument's. It is called so only where

- its lots agree on it: they scatter about the shift no more than they may, some frauds among them
  apart. Lots of which every second is another material have a mean that none of them shows;
- it is off with material of other origins, too. A swap is made where the material is, a bias goes
  wherever the instrument looks. A scale is so told from a loss on its only road; for all others the
  origin counts, and one that only ever sees one may be named;
- of an instrument with one origin no more than ``ANALYTES_MAX`` analytes are off at once. Another
  material differs in all of them;
- it is off by less than ``FACTOR_MAX``, a third: whoever works with an instrument that is off by
  more sees it;
- of a laboratory, it has lasted for ``LABORATORY_LOTS``, over which it is said. An X-ray gun that
  is off by a tenth moves the residuals of the only laboratory it is compared with, too, and may do
  so sooner than its own; by then it has been named, and lots say what it explains.

Source:
    docs/detection/charts.md, "Who it was"
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from custody.detect import cusum
from custody.detect.lot_facts import MASS, MOISTURE
from custody.drifts import Level
from custody.heard import Heard

SIGMAS = 2.0
"""By how many standard uncertainties an instrument must be off on other ways than its busiest."""

ANALYTES_MAX = 2
"""Analytes that an instrument may be off in at once where all its lots come from one place."""

OFF = 3.0
"""Standard uncertainties, what is shared included, from which an analyte counts as off."""

FACTOR_MAX = math.log(4.0 / 3.0)
"""Greatest shift of an instrument, either way."""

CLIP = 9.0
"""Most that one lot counts in the scatter, as z^2."""

THEFT = cusum.CLIP
"""Most standard uncertainties by which one lot counts as off a level, as in the sums."""

LABORATORY_LOTS = 24
"""Lots for which a laboratory must have been off; a gun that is off by a tenth shows in half of
them."""

FRAUDS = 0.1
"""Share of lots that may be far off a shift without speaking against it."""

CHANCE = 4.0
"""Standard deviations of the mean of z^2 that a scatter may have beyond what is expected."""


def own(
    quantity: str,
    levels: Sequence[Level],
    said: Sequence[Level],
    heard: Sequence[Heard],
    lots_min: int = 1,
) -> tuple[Level, ...]:
    """Return the levels of an instrument that are its own.

    Args:
        quantity: Of what.
        levels: As the chart has them, in order.
        said: Those that were told before: a level whose first lots are forgotten stays what it was.
        heard: The lots that are remembered, in the order of time.
        lots_min: How many lots must show a level that has not been told.
    """
    before = {one.since: one for one in said}
    return tuple(
        one._replace(ways=_shown(quantity, one, before.get(one.since), heard))
        for one in levels
        if objection(quantity, one, heard, 0 if one.since in before else lots_min) is None
    )


def objection(quantity: str, level: Level, heard: Sequence[Heard], lots_min: int = 0) -> str | None:
    """Return why a level cannot be said to be an instrument's own; None where it can.

    Args:
        quantity: Of what.
        level: A shift of its chart.
        heard: The lots that are remembered, in the order of time.
        lots_min: How many lots must show it; 0 for a level that has been told, which is not taken
            back for that its lots are forgotten.
    """
    lots = _lots(level, heard)
    mine = [one for one in lots if quantity in one.quantities]
    forgotten = not heard or heard[0].at > level.since
    if forgotten or len(mine) < max(lots_min, 1):
        return "too few of its lots are known" if lots_min else None
    if quantity != MASS and abs(level.mean) > FACTOR_MAX:
        return "it is off by more than a third"
    if not _agree(quantity, mine):
        return "its lots do not agree on it"
    if quantity == MASS or _ways(mine) > 1:
        return None if _is_shared(quantity, level, mine) else "beside its busiest way it is not off"
    return None if _is_alone(quantity, lots) else "its lots are off in other analytes, too"


def _shown(quantity: str, level: Level, before: Level | None, heard: Sequence[Heard]) -> int:
    """Return on how many ways a level shows, rounded down to a power of two: few are told anew.

    A way shows it from the lot on at which its lots so far are ``OFF`` off, so that the next lots
    do not take it back. Of a scale nothing is counted: a road is an end of all its lots, too.
    """
    if quantity == MASS:
        return 1
    sign = math.copysign(1.0, level.mean)
    sums: dict[tuple[str, ...], tuple[float, float]] = {}
    shown: set[tuple[str, ...]] = set()
    for one in _lots(level, heard):
        if quantity in one.quantities:
            value, u = _near(quantity, level, one)
            weight, moment = sums.get(one.ways, (0.0, 0.0))
            weight, moment = weight + 1.0 / u**2, moment + sign * value / u**2
            sums[one.ways] = weight, moment
            if moment >= OFF * math.sqrt(weight):
                shown.add(one.ways)
    known = 1 << (max(len(shown), 1).bit_length() - 1)
    forgotten = not heard or heard[0].at > level.since
    return max(known, before.ways) if before is not None and forgotten else known


def _near(quantity: str, level: Level, one: Heard) -> tuple[float, float]:
    """Return what a lot says and its u, millionths; no more than ``THEFT`` u beyond level or zero.

    One theft beside the busiest way would else say for days that an instrument is not off there.
    """
    value, u, _, _ = one.of(quantity)
    low, high = sorted((0.0, level.mean * 1e6))
    return min(max(value, low - THEFT * u), high + THEFT * u), u


def _lots(level: Level, heard: Sequence[Heard]) -> Sequence[Heard]:
    return [
        one for one in heard if one.at >= level.since and (not level.until or one.at < level.until)
    ]


def _agree(quantity: str, lots: Sequence[Heard]) -> bool:
    """Tell whether lots scatter about a level as their uncertainties say."""
    figures = np.array([one.of(quantity)[:2] for one in lots]) / 1e6
    # About their own mean: that of a level is said anew only when its lots have doubled.
    weight = figures[:, 1] ** -2
    mean = float((weight * figures[:, 0]).sum() / weight.sum())
    z2 = np.minimum(((figures[:, 0] - mean) / figures[:, 1]) ** 2, CLIP)
    # The variance of chi-square of one degree of freedom is 2.
    limit = 1.0 + FRAUDS * CLIP + CHANCE * math.sqrt(2.0 / len(lots))
    return float(z2.mean()) <= limit


def _ways(lots: Iterable[Heard]) -> int:
    return len({one.ways for one in lots})


def _is_shared(quantity: str, level: Level, lots: Iterable[Heard]) -> bool:
    """Tell whether an instrument is off on more ways than one.

    A scale at the end of a single way and a loss on that way look alike; to call it the scale's
    would be to excuse whoever takes a little from every lot.
    """
    sums: dict[tuple[str, ...], tuple[float, float]] = {}
    for one in lots:
        value, u = _near(quantity, level, one)
        weight, moment = sums.get(one.ways, (0.0, 0.0))
        sums[one.ways] = weight + 1.0 / u**2, moment + value / u**2
    busiest = max(sums, key=lambda ways: (sums[ways][0], ways), default=())
    weight = sum(w for ways, (w, _) in sums.items() if ways != busiest)
    moment = sum(m for ways, (_, m) in sums.items() if ways != busiest)
    if weight == 0.0:
        return len(busiest) > 1
    sign = 1.0 if level.mean > 0.0 else -1.0
    return sign * moment >= SIGMAS * math.sqrt(weight)


def _is_alone(quantity: str, lots: Sequence[Heard]) -> bool:
    """Tell whether few other analytes are off over the same lots."""
    others = {q for one in lots for q in one.quantities} - {quantity, MASS, MOISTURE}
    return sum(_is_off(other, lots) for other in others) < ANALYTES_MAX


def _is_off(quantity: str, lots: Iterable[Heard]) -> bool:
    figures = [one.of(quantity) for one in lots if quantity in one.quantities]
    weight = sum(u**-2 for _, u, _, _ in figures)
    mean = sum(value / u**2 for value, u, _, _ in figures) / weight
    shared = sum(shared for _, _, shared, _ in figures) / len(figures)
    return abs(mean) > OFF * math.hypot(weight**-0.5, shared)
