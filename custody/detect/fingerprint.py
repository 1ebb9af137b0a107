"""Origin fingerprint: does one assay look like its declared origin, and which origin would fit.

Hotelling's T2 of ln grades against the declared site's lots, for where one assay is all there is;
with more, the onset at the origin of the mixture detector says the same and knows the rest.

    S  = covariance (1 + 1/n) + diag(u^2)
    T2 = d'S^-1 d,   T2 (v - p + 1) / (v p) ~ F(p, v - p + 1),   v = n - 1

The covariance is that of Ledoit and Wolf, towards a multiple of the identity in units of each
analyte's deviation. Shrinking makes T2 smaller, never greater, so with few lots the test is
careful; with fewer than p + 3 it counts as if there were so many, whose F has the longest tail.

Sites are compared by the density of Student's distribution with the same degrees of freedom, each
thought equally likely before.

Source:
    Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices, Journal
    of Multivariate Analysis 88 (2004) 365-411. docs/detection/fingerprint.md
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import linalg, special  # type: ignore[import-untyped]  # it ships no types

from custody.detect.lot_facts import Floats, Site
from custody.detect.threshold import LOG10_P_MAX

TAIL_DEGREES_MIN = 3
"""Least second degrees of freedom of F."""


class Origin(NamedTuple):
    """A site the material may be from; ``probability`` among all that were compared."""

    site_id: str
    ln_likelihood: float
    probability: float


class Fingerprint(NamedTuple):
    """What an assay says of a lot's origin.

    Attributes:
        declared: Declared site.
        analytes: Compared, in the declared site's order.
        t2: Hotelling's T2.
        minus_log10_p: Of T2.
        z: By analyte, difference over its own deviation; they depend on each other.
        contributions: By analyte, d_i (S^-1 d)_i: they add up to T2.
        origins: Likeliest first; the declared site is among them.
    """

    declared: str
    analytes: tuple[str, ...]
    t2: float
    minus_log10_p: float
    z: tuple[float, ...]
    contributions: tuple[float, ...]
    origins: tuple[Origin, ...]


def fingerprint(
    fractions: Mapping[str, float],
    u_rel: Mapping[str, float],
    declared: Site,
    library: Sequence[Site],
) -> Fingerprint | None:
    """Return what an assay says of a lot's origin; None where it has nothing to compare.

    Args:
        fractions: Dry grades by analyte; what is not above zero was not seen and is left out.
        u_rel: Their relative u, laboratory included; absent or not a number is two percent.
        declared: Where the lot is said to come from.
        library: Sites to compare with; one that lacks an analyte is passed over.
    """
    analytes = tuple(a for a in declared.analytes if 0.0 < fractions.get(a, 0.0) < math.inf)
    if not analytes:
        return None
    ln = np.log([fractions[a] for a in analytes])
    var = np.array([_u(u_rel.get(a, U_REL)) ** 2 for a in analytes])
    d, covariance = _apart(ln, var, declared, analytes)
    solved = linalg.cho_solve(linalg.cho_factor(covariance, lower=True), d)
    t2 = float(d @ solved)
    others = [site for site in library if site.site_id != declared.site_id]
    fit = [s for s in (declared, *others) if set(analytes) <= set(s.analytes)]
    return Fingerprint(
        declared.site_id,
        analytes,
        t2,
        _minus_log10_p(t2, declared.lots, len(analytes)),
        tuple((d / np.sqrt(np.diag(covariance))).tolist()),
        tuple((d * solved).tolist()),
        _origins([(s, *_apart(ln, var, s, analytes)) for s in fit]),
    )


U_REL = 0.02
"""Relative u of a grade that states none."""
U_REL_MAX = 1.0


def _u(u: float) -> float:
    return u if 0.0 <= u <= U_REL_MAX else U_REL


def ledoit_wolf(rows: Floats) -> tuple[Floats, float]:
    """Return the shrunk covariance of rows, and by how much it was shrunk, 0 to 1.

    Args:
        rows: Observations, shape (n, p), n at least 2.
    """
    n, p = rows.shape
    x = rows - rows.mean(axis=0)
    scale = np.sqrt(np.maximum((x * x).sum(axis=0) / (n - 1), 1e-12))
    x = x / scale
    s = x.T @ x / n
    mean = float(np.trace(s)) / p
    away = float(((s - mean * np.eye(p)) ** 2).sum())
    noise = float(((x * x).T @ (x * x) / n - s * s).sum()) / n
    share = 1.0 if away <= 0.0 else min(noise / away, 1.0)
    shrunk = (1.0 - share) * s + share * mean * np.eye(p)
    return np.asarray(shrunk * np.outer(scale, scale) * n / (n - 1)), share


def _apart(ln: Floats, var: Floats, site: Site, analytes: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Return the difference to a site's mean and its covariance."""
    at = [site.analytes.index(a) for a in analytes]
    covariance = site.covariance[np.ix_(at, at)] * (1.0 + 1.0 / max(site.lots, 1))
    return ln - site.mean[at], np.asarray(covariance + np.diag(var))


def _degrees(lots: int, p: int) -> int:
    return max(lots - 1, p - 1 + TAIL_DEGREES_MIN)


def _minus_log10_p(t2: float, lots: int, p: int) -> float:
    v = _degrees(lots, p)
    f = t2 * (v - p + 1) / (v * p)
    chance = float(special.fdtrc(p, v - p + 1, f))
    return LOG10_P_MAX if chance <= 0.0 else min(-math.log10(chance), LOG10_P_MAX)


def _origins(compared: Sequence[tuple[Site, Floats, Floats]]) -> tuple[Origin, ...]:
    ln = [_ln_density(d, covariance, site.lots) for site, d, covariance in compared]
    top = max(ln)
    total = sum(math.exp(one - top) for one in ln)
    found = [
        Origin(site.site_id, one, math.exp(one - top) / total)
        for (site, _, _), one in zip(compared, ln, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.ln_likelihood, one.site_id)))


def _ln_density(d: Floats, covariance: Floats, lots: int) -> float:
    """Return the log density of Student's distribution of several dimensions."""
    p = len(d)
    v = _degrees(lots, p) - p + 1
    factor = linalg.cholesky(covariance, lower=True)
    z = linalg.solve_triangular(factor, d, lower=True)
    return float(
        special.gammaln((v + p) / 2)
        - special.gammaln(v / 2)
        - 0.5 * p * math.log(v * math.pi)
        - np.log(np.diag(factor)).sum()
        - 0.5 * (v + p) * math.log1p(float(z @ z) / v)
    )
