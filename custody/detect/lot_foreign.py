"""Foreign material as it is: neither the lot nor what was mixed in is its site's mean.

The mixture detector seeks it along fixed directions, from mean to mean: that is quick, and enough
to be noticed. To be named and sized, a large share of it needs the spread of both sites: with s the
part of an analyte that comes from the other site,

    d ~ N(d0, Q),  Q = s s' (covariance of the other site, and of the lot's own but at the origin)
    ln LR = d0'g - d0'J d0 / 2 - ln|I + J Q| / 2 + r'Q (I + J Q)^-1 r / 2,  r = g - J d0

without which anything large would be called a free change. As a ratio of densities, with u = W R
(orthonormal columns, triangle), t = W'z, M = R Q R':

    ln LR = ln N(t; R d0, I + M) - ln N(t; 0, I)

so one Cholesky factor of [I + M, s; s', 1 + s's], s = t - R d0, holds both its determinant and its
square.

Source:
    docs/detection/mixture.md
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Floats, Model, Site
from custody.detect.lot_families import RATIO_LN_MAX, foreign_sites, ratios
from custody.detect.lot_fit import Expected
from custody.detect.mixture import Detector


class Material(NamedTuple):
    """Material of S sites that may be in a lot.

    Attributes:
        ratio: ln b - ln a by analyte, zero where either is unknown, (S, analytes).
        covariance: Of the site's ln c, and of the lot's own but at the origin, (S, analytes,
            analytes).
    """

    ratio: Floats
    covariance: Floats

    def of(self, which: Sequence[int]) -> "Material":
        """Return that of some of the sites."""
        mine = list(which)
        return Material(self.ratio[mine], self.covariance[mine])


class Seen(NamedTuple):
    """What values measured say of a composition, as R and t above: (k, analytes) and (k,)."""

    r: Floats
    t: Floats


def materials(detector: Detector, *, at_origin: bool) -> Material:
    """Return the material of all other sites, in the order of the detector's.

    Args:
        detector: Its model.
        at_origin: The lot's own spread is in what is expected there already.
    """
    model, prior = detector.model, detector.prior
    others, n = foreign_sites(model), len(model.analytes)
    ratio = np.array([ratios(model, prior, other) for other in others]).reshape(-1, n)
    own = 0.0 if at_origin else prior.covariance
    spreads = [spread_of(model, other) + own for other in others]
    ratio = np.clip(ratio, -RATIO_LN_MAX, RATIO_LN_MAX)
    return Material(ratio, np.array(spreads).reshape(-1, n, n))


def spread_of(model: Model, site: Site) -> Floats:
    """Return the covariance of ln c of a site's lots, zero for analytes it is not known for."""
    place = {analyte: at for at, analyte in enumerate(site.analytes)}
    wanted = [place.get(analyte, -1) for analyte in model.analytes]
    known = np.array(wanted) >= 0
    return np.where(known[:, None] & known, site.covariance[np.ix_(wanted, wanted)], 0.0)


def seen(u: Floats, z: Floats) -> Seen:
    """Return what standardised values say of a composition.

    Args:
        u: What a shift of each ln c does to them, (n, analytes).
        z: The values, (n,).
    """
    w, r = np.linalg.qr(u)
    return Seen(r, w.T @ z)


def ln_lr(material: Material, sizes: Floats, told: Seen) -> Floats:
    """Return ln LR of shares of each site's material, (S, K).

    Args:
        material: Of S sites.
        sizes: Shares of the dry mass exchanged, (S, K).
        told: What was measured.
    """
    r, t = told
    shift, part = _mixed(material, sizes)
    s = t - shift @ r.T
    # R diag(part): covariances are scaled by their rows and columns.
    scaled = part[:, :, None, :] * r
    m = (scaled @ material.covariance[:, None]) @ np.swapaxes(scaled, 2, 3)
    size = len(t)
    bordered = np.empty((*s.shape[:2], size + 1, size + 1))
    bordered[:, :, :size, :size] = m + np.eye(size)
    # Only the lower triangle is read.
    bordered[:, :, size, :size] = s
    bordered[:, :, size, size] = 1.0 + (s * s).sum(axis=2)
    factor = np.linalg.cholesky(bordered)
    last, diagonal = factor[:, :, size, :size], np.diagonal(factor, axis1=2, axis2=3)
    ln_det = np.log(diagonal[:, :, :size]).sum(axis=2)
    return np.asarray(0.5 * float(t @ t) - ln_det - 0.5 * (last * last).sum(axis=2))


def fitted(material: Material, size: float, told: Seen) -> Floats:
    """Return the change of ln c that fits best what was measured, of the first site's material.

    Args:
        material: Of a site.
        size: Share of the dry mass exchanged.
        told: What was measured.
    """
    r, t = told
    shift, spread = expected(material, size)[:2]
    pulled = np.linalg.solve(np.eye(len(t)) + r @ spread @ r.T, t - r @ shift)
    return np.asarray(shift + spread @ r.T @ pulled)


def expected(material: Material, size: float) -> Expected:
    """Return what a share of the first site's material makes of ln c.

    Args:
        material: Of a site.
        size: Share of the dry mass exchanged.
    """
    ratio = material.ratio[0]
    shift, part = (one[0, 0] for one in _mixed(material.of([0]), np.array([[size]])))
    spread = part[:, None] * part * material.covariance[0]
    return Expected(shift, spread, ratio != 0.0, np.abs(ratio) >= RATIO_LN_MAX)


def _mixed(material: Material, sizes: Floats) -> tuple[Floats, Floats]:
    """Return the change of ln c, and which part of an analyte is foreign; (S, K, analytes)."""
    more = sizes[:, :, None] * np.expm1(material.ratio)[:, None]
    there = np.where(material.ratio == 0.0, 0.0, np.exp(material.ratio))
    return np.log1p(more), sizes[:, :, None] * there[:, None] / (1.0 + more)
