"""What XRF instruments are like: how shots of one lot differ, and what a series has in common.

Source:
    docs/detection/calibrate.md
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special  # type: ignore[import-untyped]  # it ships no types

from custody.detect import shot_gate
from custody.detect.calibration_lots import Composition, Lot, series, shot_rows
from custody.detect.calibration_robust import DEGREES_MIN, Effect, alike, trimmed, widened
from custody.detect.lot_facts import UNKNOWN_XRF, Floats, Xrf

PAIRS_MIN = 10
"""Pairs of shots below which heterogeneity is as reference data says."""

MATRIX_LOTS_MIN = 8
MATRIX_ANALYTES_MIN = 3
SEEN_SHARE = 0.8
"""Share of lots that must show an analyte for it to count."""

LEAST = 1e-3
"""Least spread that is written, relative."""

_NORMAL = 0.6745

DEGREES_OF_PAIR = 0.37 * 2.0 / 3.0
"""Degrees of freedom of the variance that a pair of shots adds: a median tells 0.37 of what a mean
square does, and neighbouring pairs of three shots have the middle one in common."""


class Spread(NamedTuple):
    """A relative deviation and what it rests on; None where that is too little."""

    value: float | None
    n: int


def heterogeneity(
    lots: Sequence[Lot], analytes: Sequence[str], xrf: Mapping[str, Xrf]
) -> dict[str, Spread]:
    """Return the spread of shots of one series beyond counting, by instrument.

    By the median of what neighbouring shots differ by, so that a bad shot in ten moves little.
    """
    apart: dict[str, list[Floats]] = {}
    counting: dict[str, list[Floats]] = {}
    for lot in lots:
        for (_, device, _), shots in series(lot).items():
            known = xrf.get(device, UNKNOWN_XRF)
            ln, var = shot_rows(shots, analytes, known)
            apart.setdefault(device, []).extend(np.diff(ln, axis=0))
            both = 0.5 * (var[1:] + var[:-1])
            counting.setdefault(device, []).extend(both - known.heterogeneity_rel**2)
    return {
        device: _beyond(np.array(rows), np.array(counting[device]))
        for device, rows in sorted(apart.items())
        if rows
    }


def _beyond(apart: Floats, counting: Floats) -> Spread:
    """Return the spread of single shots beyond counting, over analytes."""
    if len(apart) < PAIRS_MIN:
        return Spread(None, len(apart))
    seen = ~np.isnan(apart)
    often = seen.sum(axis=0) >= PAIRS_MIN
    found = [
        (
            float(np.median(np.abs(apart[seen[:, a], a])) / _NORMAL) ** 2 / 2.0,
            float(np.median(counting[seen[:, a], a])),
            float(seen[:, a].sum()),
        )
        for a in np.flatnonzero(often)
    ]
    if not found:
        return Spread(None, len(apart))
    total, told, pairs = np.array(found).T
    # What counts badly says little of the ore. By how much is told by what counting says and what
    # all have in common: weights by each estimate would favour those that came out small.
    usual = max(float(np.median(total - told)), LEAST**2)
    weight = pairs / (usual + told) ** 2
    var = max(float(weight @ (total - told) / weight.sum()), LEAST**2)
    degrees = DEGREES_OF_PAIR * float(weight.sum() ** 2 / (weight**2 / pairs).sum())
    return Spread(math.sqrt(var * _gate_widened(len(pairs), degrees)), len(apart))


def _gate_widened(analytes: int, degrees: float) -> float:
    """Return the factor on a variance by which the gate drops clean shots no oftener for thin data.

    Q over a variance that is estimated is no chi-square but follows Fisher's F, whose tail is the
    longer the fewer degrees of freedom the estimate has.
    """
    far = special.fdtri(analytes, max(degrees, DEGREES_MIN), 1.0 - shot_gate.ALPHA)
    return analytes * float(far) / shot_gate.limit(analytes)


def matrix(
    told: Sequence[tuple[str, Sequence[Composition]]],
    analytes: Sequence[str],
    errors: Mapping[tuple[str, str, str], Effect],
) -> dict[str, Spread]:
    """Return the spread of what all analytes of a series have in common, by instrument.

    Args:
        told: Where the way of each lot begins, and what was said of it.
        analytes: Those of the history.
        errors: Mean errors by way, instrument and analyte.
    """
    rows: dict[str, list[Floats]] = {}
    for begins, said in told:
        papers = [one for one in said if not one.is_xrf]
        for one in said:
            if one.is_xrf and papers:
                paper = min(papers, key=lambda p: (abs(p.station - one.station), p.station))
                off = [
                    _mean(errors, begins, one, a) - _mean(errors, begins, paper, a)
                    for a in analytes
                ]
                rows.setdefault(one.instrument, []).append(one.ln - paper.ln - np.array(off))
    found = {device: _common(np.array(mine)) for device, mine in sorted(rows.items())}
    well = [device for device, spread in found.items() if spread.value is not None]
    if well:
        squares = np.array([(found[device].value or 0.0) ** 2 for device in well])
        n = np.array([found[device].n for device in well], dtype=np.float64)
        for device, var, degrees, lots in zip(well, *alike(squares, n), n, strict=True):
            # What mean errors of all analytes are off by together counts as of this.
            wide = float(var) * widened(float(degrees)) * (1.0 + 1.0 / float(lots))
            found[device] = Spread(math.sqrt(wide), int(lots))
    return found


def _mean(
    errors: Mapping[tuple[str, str, str], Effect], begins: str, by: Composition, analyte: str
) -> float:
    found = errors.get((begins, by.instrument, analyte))
    return 0.0 if found is None else found.mean


def _common(rows: Floats) -> Spread:
    """Return the spread of the common part: p var(mean) = mean of var + (p - 1) common."""
    often = (~np.isnan(rows)).mean(axis=0) >= SEEN_SHARE
    rows = rows[:, often]
    rows = rows[~np.isnan(rows).any(axis=1)]
    p = rows.shape[1]
    if len(rows) < MATRIX_LOTS_MIN or p < MATRIX_ANALYTES_MIN:
        return Spread(None, len(rows))
    mean = trimmed(rows.mean(axis=1))
    single = [trimmed(rows[:, a]).var for a in range(p)]
    common = (p * mean.var - float(np.mean(single))) / (p - 1)
    return Spread(math.sqrt(max(common, LEAST**2)), mean.n)
