"""What lots tell of sites, legs and instruments: all estimates in the order they need each other.

Source:
    docs/detection/calibrate.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from custody.detect import calibration_xrf
from custody.detect.calibration_lots import Composition, Lot, compositions
from custody.detect.calibration_robust import Effect
from custody.detect.calibration_rounding import rounding_of
from custody.detect.calibration_scatter import Scatter, scatters
from custody.detect.calibration_sites import Rows, SiteFound, sites
from custody.detect.calibration_ways import Asking, Error, LegFound, LegName, errors_of_way, legs
from custody.detect.calibration_xrf import Spread
from custody.detect.lot_facts import Floats, Known, Xrf


class Fit(NamedTuple):
    """What lots tell.

    Attributes:
        legs: By record and ends.
        errors: Mean errors of instruments by way.
        checks: Mean errors by check weights and reference materials.
        sites: Fingerprints.
        thin_sites: Sites without, and of how many lots.
        heterogeneity: By XRF instrument.
        matrix: Likewise.
        lots: How many there are.
        scatter: By site where ways begin the share of laboratories' own variance that is scatter.
    """

    legs: Mapping[LegName, LegFound]
    errors: Sequence[Error]
    checks: Mapping[tuple[str, str], Effect]
    sites: Mapping[str, SiteFound]
    thin_sites: Mapping[str, int]
    heterogeneity: Mapping[str, Spread]
    matrix: Mapping[str, Spread]
    lots: int
    scatter: Mapping[str, Scatter]


def fit(lots: Sequence[Lot], checks: Mapping[tuple[str, str], Effect]) -> Fit:
    """Return what lots tell of sites, legs and instruments.

    Args:
        lots: Lots, in order of their id.
        checks: What check weights and reference materials said.
    """
    analytes = analytes_of(lots)
    xrf: dict[str, Xrf] = {}
    for lot in lots:
        xrf.update(lot.thought.xrf)
    ore = calibration_xrf.heterogeneity(lots, analytes, xrf)
    for device, spread in ore.items():
        if spread.value is not None and device in xrf:
            xrf[device] = replace(xrf[device], heterogeneity_rel=spread.value)
    told = [compositions(lot, analytes, xrf) for lot in lots]
    thought = {name: Known(one.mean, one.u) for name, one in checks.items()}
    scatter = scatters(lots, rounding_of(lots))
    begun = legs(lots, {}, scatter)
    errors: list[Error] = []
    for begins in sorted({lot.begins for lot in lots}):
        mine = [number for number, lot in enumerate(lots) if lot.begins == begins]
        of_way = Asking([lots[i] for i in mine], [told[i] for i in mine], analytes, thought)
        errors += errors_of_way(of_way, begun)
    by_name = {(one.begins, one.instrument, one.quantity): one.effect for one in errors}
    matrix = calibration_xrf.matrix(
        [(lot.begins, said) for lot, said in zip(lots, told, strict=True)], analytes, by_name
    )
    found, thin = sites(_rows(lots, told, analytes, by_name), analytes)
    ways = legs(lots, by_name, scatter)
    return Fit(ways, errors, checks, found, thin, ore, matrix, len(lots), scatter)


def analytes_of(lots: Sequence[Lot]) -> list[str]:
    """Return all analytes that anything was measured of."""
    seen = {a for lot in lots for shot in lot.readings.shots for a in shot.fractions}
    return sorted(
        seen | {a for lot in lots for assay in lot.readings.assays for a in assay.fractions}
    )


def _rows(
    lots: Sequence[Lot],
    told: Sequence[Sequence[Composition]],
    analytes: Sequence[str],
    errors: Mapping[tuple[str, str, str], Effect],
) -> dict[str, Rows]:
    """Return by origin what was first said of its lots, known errors taken off."""
    ln: dict[str, list[Floats]] = {}
    var: dict[str, list[Floats]] = {}
    for lot, said in zip(lots, told, strict=True):
        if lot.origin is not None and said:
            ours = [errors.get((lot.begins, said[0].instrument, a)) for a in analytes]
            off = np.array([0.0 if one is None else one.mean for one in ours])
            ln.setdefault(lot.origin, []).append(said[0].ln - off)
            var.setdefault(lot.origin, []).append(said[0].var)
    return {site: Rows(np.array(rows), np.array(var[site])) for site, rows in ln.items()}
