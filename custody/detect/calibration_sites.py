"""Fingerprints of origins from what was first said of their lots.

Lots that look unlike the others of their site are left out by a distance whose correlations all
sites give together; what is left makes mean and covariance. Correlations of few lots are drawn
towards the common ones, what the laboratory's own errors add is taken off, and what few lots do
not tell widens the result.

Source:
    docs/detection/calibrate.md; Ledoit, Wolf: A well-conditioned estimator for large-dimensional
    covariance matrices, Journal of Multivariate Analysis 88 (2004) 365-411.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from custody.detect import threshold
from custody.detect.calibration_robust import alike, shrunk, widened
from custody.detect.lot_facts import Bools, Floats

SITE_LOTS_MIN = 8
"""With fewer lots a site is thought to be as sites are."""

SITES_MIN = 5
"""Well-known sites that must be there to say how sites are."""

SEEN_SHARE = 0.8
"""Share of a site's lots that must show an analyte for it to be in the fingerprint."""

ALPHA = 1e-3
"""Chance that a clean lot of a well-known site is left out."""

LEFT_OUT_MAX = 0.1
"""Greatest share of a site's lots that is left out."""

CLIPPED = 2.5
"""Deviations to which a value counts where correlations are first taken."""

EIGEN_MIN = 0.05
"""Least share of a variance that is left in any direction once measurement error is off."""

_NORMAL = 1.4826


class SiteFound(NamedTuple):
    """A fingerprint.

    Attributes:
        analytes: Order of mean and covariance.
        mean: ln fraction.
        covariance: Of single lots.
        n: Lots it rests on.
        left_out: Lots unlike the others.
        between: It rests on how other sites differ as well.
    """

    analytes: tuple[str, ...]
    mean: Floats
    covariance: Floats
    n: int
    left_out: int
    between: bool


class Rows(NamedTuple):
    """Lots of a site: ln fractions, (lots, analytes), NaN where not seen, and error variances."""

    ln: Floats
    var: Floats


def sites(
    told: Mapping[str, Rows], analytes: Sequence[str]
) -> tuple[dict[str, SiteFound], dict[str, int]]:
    """Return fingerprints, and of how many lots those are that have none.

    Args:
        told: Lots by site.
        analytes: Of the history, columns of the rows.
    """
    usable: dict[str, tuple[tuple[int, ...], Rows]] = {}
    for site, rows in sorted(told.items()):
        usable[site] = _complete(rows)
    found: dict[str, SiteFound] = {}
    thin: dict[str, int] = {}
    for columns in sorted({columns for columns, _ in usable.values()}):
        mine = {site: rows for site, (known, rows) in usable.items() if known == columns}
        names = tuple(analytes[at] for at in columns)
        well = {site: rows for site, rows in mine.items() if len(rows.ln) >= SITE_LOTS_MIN}
        known = _well_known(well, names) if columns and well else {}
        found.update(known)
        few = {site: rows for site, rows in mine.items() if site not in well}
        guessed = _between(few, known, names) if columns else {}
        found.update(guessed)
        thin.update({site: len(rows.ln) for site, rows in few.items() if site not in guessed})
    return found, thin


def _complete(rows: Rows) -> tuple[tuple[int, ...], Rows]:
    """Return the analytes that most lots show, and the lots that show all of them."""
    often = np.flatnonzero((~np.isnan(rows.ln)).mean(axis=0) >= SEEN_SHARE)
    full = ~np.isnan(rows.ln[:, often]).any(axis=1)
    return tuple(often.tolist()), Rows(rows.ln[full][:, often], rows.var[full][:, often])


def _well_known(told: Mapping[str, Rows], names: tuple[str, ...]) -> dict[str, SiteFound]:
    apart = {site: _standardised(rows.ln) for site, rows in told.items()}
    together = np.concatenate(list(apart.values()))
    first = _correlations(np.clip(together, -CLIPPED, CLIPPED))
    kept = {site: _like_the_others(x, first) for site, x in apart.items()}
    common = _correlations(np.concatenate([x[kept[site]] for site, x in apart.items()]))
    used = {site: Rows(r.ln[kept[site]], r.var[kept[site]]) for site, r in told.items()}
    spreads = _spreads([rows.ln for rows in used.values()])
    found: dict[str, SiteFound] = {}
    for (site, mine), spread in zip(used.items(), spreads, strict=True):
        # Alone it cannot be drawn towards what others show.
        target = common if len(told) > 1 else np.eye(len(names))
        covariance = _covariance(mine, target, spread, len(together))
        out = len(told[site].ln) - len(mine.ln)
        mean = mine.ln.mean(axis=0)
        found[site] = SiteFound(names, mean, covariance, len(mine.ln), out, between=False)
    return found


def _standardised(ln: Floats) -> Floats:
    """Return lots in deviations from the middle of their site."""
    away = ln - np.median(ln, axis=0)
    scale = _NORMAL * np.median(np.abs(away), axis=0)
    return np.asarray(away / np.maximum(scale, 1e-6))


def _correlations(x: Floats) -> Floats:
    p = x.shape[1]
    s = x.T @ x / len(x) + 1e-6 * np.eye(p)
    scale = np.sqrt(np.diag(s))
    return np.asarray(s / np.outer(scale, scale))


def _like_the_others(x: Floats, correlations: Floats) -> Bools:
    """Return which lots of a site are used: those not too far from its middle."""
    n, p = x.shape
    d = np.einsum("li,ij,lj->l", x, np.linalg.inv(correlations), x)
    scale = float(np.median(d)) / threshold.chi2_quantile(0.5, p)
    cut = threshold.chi2_quantile(ALPHA, p) * max(scale, 1e-9) * widened(n - 1)
    # Never more than some: what looks bad in so many is how the site is.
    most = np.sort(d)[n - 1 - int(n * LEFT_OUT_MAX)]
    return np.asarray(d <= max(cut, float(most)))


def _spreads(told: Sequence[Floats]) -> list[tuple[Floats, float]]:
    """Return deviations by analyte and their degrees of freedom, for every site.

    A site is about as constant as sites are, and an analyte as it is elsewhere; few lots are drawn
    to that.
    """
    var = np.array([np.maximum(ln.var(axis=0, ddof=1), 1e-12) for ln in told])
    n = np.repeat([float(len(ln)) for ln in told], var.shape[1])
    if len(told) == 1:
        return [(np.sqrt(var[0]), float(n[0] - 1.0))]
    ln_var = np.log(var)
    usual = ln_var.mean(axis=0) + ln_var.mean(axis=1)[:, None] - ln_var.mean()
    drawn, degrees = alike(var.ravel(), n, usual.ravel())
    return [
        (np.sqrt(mine), float(of.mean()))
        for mine, of in zip(drawn.reshape(var.shape), degrees.reshape(var.shape), strict=True)
    ]


def _covariance(rows: Rows, target: Floats, spread: tuple[Floats, float], lots: int) -> Floats:
    """Return the covariance of a new lot's ln composition, measurement error taken off."""
    n, p = rows.ln.shape
    correlations, share = shrunk(rows.ln, target)
    # Lots that would tell as much of correlations as these and what was known otherwise.
    worth = min(n / max(1.0 - share, 1e-9), float(lots))
    scale = spread[0] * np.sqrt(widened(min(spread[1], worth - p)))
    own = correlations - np.diag(rows.var.mean(axis=0) / (scale * scale))
    values, vectors = np.linalg.eigh(own)
    firm = (vectors * np.maximum(values, EIGEN_MIN)) @ vectors.T
    return np.asarray(0.5 * (firm + firm.T) * np.outer(scale, scale))


def _between(
    few: Mapping[str, Rows], known: Mapping[str, SiteFound], names: tuple[str, ...]
) -> dict[str, SiteFound]:
    """Return sites of few lots: between how sites are and what those lots say."""
    if len(known) < SITES_MIN:
        return {}
    means = np.array([one.mean for one in known.values()])
    within = np.mean([one.covariance for one in known.values()], axis=0)
    scale = means.std(axis=0, ddof=1) * np.sqrt(widened(len(known) - 1))
    spread = shrunk(means, np.eye(len(names)))[0] * np.outer(scale, scale)
    found: dict[str, SiteFound] = {}
    for site, rows in few.items():
        n = len(rows.ln)
        if not n:
            continue
        seen = np.median(rows.ln, axis=0)
        gain = spread @ np.linalg.inv(spread + within / n)
        mean = means.mean(axis=0) + gain @ (seen - means.mean(axis=0))
        left = spread - gain @ spread
        # A reader widens by 1 + 1/n for what n lots do not tell of a mean; that is in it already.
        covariance = (within + 0.5 * (left + left.T)) / (1.0 + 1.0 / max(n, 2))
        found[site] = SiteFound(names, mean, covariance, n, 0, between=True)
    return found
