"""Foreign material as it is: neither the lot nor what was mixed in is its site's mean.

The mixture detector seeks it along fixed directions, from mean to mean: that is quick, and enough
to be noticed. To be named and sized, a large share of it needs the spread of both sites: with s the
part of an analyte that comes from the other site,

    d ~ N(d0, Q),  Q = s s' (covariance of the other site, and of the lot's own but at the origin)
    ln LR = d0'g - d0'J d0 / 2 - ln|I + J Q| / 2 + r'Q (I + J Q)^-1 r / 2,  r = g - J d0

without which anything large would be called a free change.

Source:
    docs/detection/mixture.md
"""

from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Floats, Model, Site
from custody.detect.lot_families import RATIO_LN_MAX, foreign_shift, foreign_sites, ratios
from custody.detect.lot_pattern import COMPOSITION
from custody.detect.mixture import Detector


class Mixed(NamedTuple):
    """Shares of a site's material in a lot; K of them.

    Attributes:
        shift: Expected change of ln c, (K, analytes).
        spread: Its covariance, (K, analytes, analytes).
    """

    shift: Floats
    spread: Floats


def mixed(detector: Detector, site: Site, sizes: Floats, *, at_origin: bool) -> Mixed:
    """Return what shares of a site's material do to a lot's composition.

    Args:
        detector: Its model.
        site: Where the material is from.
        sizes: Shares of the dry mass exchanged, (K,).
        at_origin: The lot's own spread is in what is expected there already.
    """
    model = detector.model
    ratio = ratios(model, detector.prior, site)
    there = np.exp(np.clip(ratio, -RATIO_LN_MAX, RATIO_LN_MAX))
    part = sizes[:, None] * there / (1.0 + sizes[:, None] * (there - 1.0))
    spread = spread_of(model, site)
    if not at_origin:
        spread = spread + detector.prior.covariance
    part = np.where(ratio == 0.0, 0.0, part)
    return Mixed(
        foreign_shift(ratio, sizes)[:, COMPOSITION:],
        part[:, :, None] * part[:, None, :] * spread,
    )


def spread_of(model: Model, site: Site) -> Floats:
    """Return the covariance of ln c of a site's lots, zero for analytes it is not known for."""
    place = {analyte: at for at, analyte in enumerate(site.analytes)}
    wanted = [place.get(analyte, -1) for analyte in model.analytes]
    known = np.array(wanted) >= 0
    return np.where(known[:, None] & known, site.covariance[np.ix_(wanted, wanted)], 0.0)


def all_mixed(detector: Detector, *, at_origin: bool) -> Mixed | None:
    """Return shares of all other sites on the grid, in the order of the detector's directions."""
    d = detector.directions
    found = [
        mixed(detector, other, d.size[d.site == site], at_origin=at_origin)
        for site, other in enumerate(foreign_sites(detector.model))
    ]
    if not found:
        return None
    return Mixed(
        np.concatenate([one.shift for one in found]), np.concatenate([one.spread for one in found])
    )


def ln_lr(material: Mixed, g: Floats, j: Floats) -> Floats:
    """Return ln LR of each share, (K,).

    Args:
        material: The shares.
        g: For composition, (analytes,).
        j: Likewise, (analytes, analytes).
    """
    moved = material.shift @ j
    r = g - moved
    inner = np.eye(len(g)) + j @ material.spread
    pulled = (material.spread @ np.linalg.solve(inner, r[:, :, None]))[:, :, 0]
    ln_det = np.linalg.slogdet(inner)[1]
    straight = material.shift @ g - 0.5 * (moved * material.shift).sum(axis=1)
    return np.asarray(straight - 0.5 * ln_det + 0.5 * (r * pulled).sum(axis=1))


def fitted(material: Mixed, number: int, g: Floats, j: Floats) -> Floats:
    """Return the change of ln c that fits best what was measured, for one of the shares."""
    spread = material.spread[number]
    r = g - j @ material.shift[number]
    found = material.shift[number] + spread @ np.linalg.solve(np.eye(len(g)) + j @ spread, r)
    return np.asarray(found)
