"""The smallest fraud a lot's measurements would show, by family.

Under a fraud d the mean of g is J d, and along it g varies by what one standard deviation of
d'g / sqrt(d'J d) is. Nine lots in ten are above

    A(x) = ln sum over k of w_k exp(s d_k'J d - d_k'J d_k / 2),   s = 1 - z(0.9) / sqrt(d'J d)

and the smallest size is the least x whose A reaches the threshold. Counted are directions of the
same onset, of foreign material those of the same site; more would add little.

Source:
    docs/detection/mixture.md
"""

import math
from collections.abc import Mapping

import numpy as np

from custody.detect import threshold
from custody.detect.kept import Kept
from custody.detect.lot_facts import Floats
from custody.detect.lot_families import (
    FAMILIES,
    PLAIN,
    SIZE_MAX,
    Family,
    foreign_shift,
    foreign_sites,
    ratios,
    shift,
)
from custody.detect.lot_pattern import prepare
from custody.detect.mixture import Detector, Key
from custody.detect.pattern_rows import Pattern

POINTS = 80
SIZE_LEAST = 1e-3

KEPT_MAX = 1_024
"""Patterns kept with their sizes, a few hundred bytes each."""

_KEPT: Kept[tuple[Key, float], Mapping[Family, float]] = Kept(KEPT_MAX)


def smallest_detectable(
    detector: Detector, pattern: Pattern, ln_threshold: float
) -> Mapping[Family, float]:
    """Return by family the size found with probability 0.9; families that never are, are missing.

    It depends on what was measured, not on the values, so it is kept: every fact of a lot with an
    alert asks, and lots that are measured alike share it. Of several onsets that of the greatest
    size counts, but for those that show nothing at all; of several sites of foreign material the
    median.

    Args:
        detector: Its model and weights.
        pattern: What was measured.
        ln_threshold: ln E that alarms.
    """
    key = detector.key(pattern), ln_threshold
    return _KEPT.get(key, lambda: _sizes(detector, pattern, ln_threshold))


def _sizes(detector: Detector, pattern: Pattern, ln_threshold: float) -> dict[Family, float]:
    prepared = prepare(detector.model, detector.prior, pattern)
    legs = len(detector.model.legs)
    found: dict[Family, float] = {}
    for number, onset in enumerate(prepared.onsets):
        if onset.stations == (0,):
            continue
        weight = detector.directions.onset_weights(onset.stations, legs)
        j = prepared.j[number]
        for family in PLAIN:
            _most(found, family, _size(detector, family, -1, weight, j, ln_threshold))
        by_site = [
            _size(detector, Family.FOREIGN, site, weight, j, ln_threshold)
            for site in range(len(detector.directions.sites))
        ]
        _most(found, Family.FOREIGN, float(np.median(by_site)) if by_site else math.inf)
    return found


def _most(found: dict[Family, float], family: Family, size: float) -> None:
    if size < math.inf:
        found[family] = max(found.get(family, 0.0), size)


def _size(
    detector: Detector, family: Family, site: int, weight: Floats, j: Floats, ln_threshold: float
) -> float:
    """Return the least size of a family, and site, that is found; infinity where none is."""
    d = detector.directions
    plain = d.site == site if site >= 0 else np.ones(len(d.site), dtype=np.bool_)
    mine = plain & (weight > 0.0)
    if not weight[(d.family == FAMILIES.index(family)) & plain].any():
        return math.inf
    known, ln_weight = d.shifts[mine], np.log(weight[mine])
    sizes = np.geomspace(SIZE_LEAST, 1.0 if family is Family.FOREIGN else SIZE_MAX, POINTS)
    if family is Family.FOREIGN:
        other = foreign_sites(detector.model)[site]
        true = foreign_shift(ratios(detector.model, detector.prior, other), sizes)
    else:
        true = shift(family, sizes, len(detector.model.analytes))
    own = 0.5 * np.einsum("kc,cd,kd->k", known, j, known)
    # What cancels (water with falsified moisture, weighed alone) may end below zero by rounding.
    apart = np.sqrt(np.maximum(np.einsum("kc,cd,kd->k", true, j, true), 0.0))
    z = threshold.normal_quantile(1.0 - threshold.POWER)
    least = np.maximum(1.0 - z / np.maximum(apart, z), 0.0)
    ln = least[:, None] * (true @ j @ known.T) + (ln_weight - own)
    top = ln.max(axis=1)
    return _least(sizes, top + np.log(np.exp(ln - top[:, None]).sum(axis=1)), ln_threshold)


def _least(sizes: Floats, ln_e: Floats, wanted: float) -> float:
    """Return the first size whose ln E is the wanted one, between two of the grid."""
    seen = ln_e >= wanted
    if not seen.any():
        return math.inf
    at = int(np.argmax(seen))
    if at == 0:
        return float(sizes[0])
    below, above = ln_e[at - 1 : at + 1]
    share = (wanted - below) / (above - below)
    return float(sizes[at - 1] * (sizes[at] / sizes[at - 1]) ** share)
