"""What would be known of a world from its clean history: a detector's model for every site.

Estimates only from what instruments read of honest lots (bad shots among them, which the shot gate
takes out), by moments. The origin's laboratory is the standard: what other instruments read beyond
it is their mean residual on that way. ``truth`` is never looked at.
"""

from dataclasses import dataclass

import numpy as np

from bench.detection.world import Floats, Ints, Lots, World
from custody.detect import shot_gate
from custody.detect.lot_facts import MASS, MOISTURE, Known, Leg, Model, Site, Xrf

SHRINK_LOTS = 24.0
"""The pooled covariance counts as so many lots of a site."""


def scale(station: int, site: int) -> str:
    """Return the id of a scale as a site's way has it."""
    return f"scale-{station}-{site}"


def xrf(station: int, site: int) -> str:
    """Return the id of an XRF instrument as a site's way has it."""
    return f"xrf-{station}-{site}"


def laboratory(station: int, site: int) -> str:
    """Return the id of a laboratory as a site's way has it."""
    return f"lab-{station}-{site}"


@dataclass(slots=True)
class _Residuals:
    """Logarithms of a history: what was read beyond the origin's laboratory, NaN where nothing."""

    origin: Ints
    composition: Floats
    share: Floats
    mass: Floats
    shots: Floats
    assay: Floats


def models(world: World, history: Lots) -> list[Model]:
    """Return what is thought of lots of each site.

    Args:
        world: For the kind of stations and what instruments state of themselves.
        history: Honest lots.
    """
    spec = world.spec
    heterogeneity = _heterogeneity(world, history)
    residuals = _residuals(world, history, heterogeneity)
    legs, pooled_share = _legs(world, history.origin, residuals)
    matrix = _matrix(world, residuals)
    sites = _sites(world, history.origin, residuals.composition)
    per_site = len(history.origin) / spec.sites
    # What a way's mean residuals of all analytes are off by together adds to the matrix factor.
    instrument = Xrf(
        bias_rel=spec.xrf_bias_u,
        matrix_rel=matrix * (1.0 + widened(per_site, 1) / per_site) ** 0.5,
        heterogeneity_rel=heterogeneity,
        counting_rel=float(world.counting.mean()),
    )
    names = tuple(one.name for one in spec.stations)
    analytes = sites[0].analytes
    found = []
    for site in range(spec.sites):
        mine = np.flatnonzero(history.origin == site)
        share = np.nanmean(residuals.share[mine, 0])
        found.append(
            Model(
                analytes=analytes,
                stations=names,
                legs=legs,
                origin=sites[site],
                library=tuple(sites),
                dry_share=(float(share), pooled_share),
                xrf={xrf(s, site): instrument for s in range(len(names))},
                errors=_errors(world, mine, residuals, matrix),
            )
        )
    return found


def _heterogeneity(world: World, history: Lots) -> float:
    """Return the spread of shots of a series beyond counting, by the median of differences."""
    found = []
    for s, at in enumerate(world.spec.stations):
        if at.shots >= 2:
            seen = history.shots[:, s, :, world.spec.xrf_blind :]
            d = np.log(seen[:, 0]) - np.log(seen[:, 1])
            sd = np.nanmedian(np.abs(d), axis=0) / 0.6745 / np.sqrt(2.0)
            found.append(np.nanmean(sd**2 - world.counting[world.spec.xrf_blind :] ** 2))
    return float(np.sqrt(max(np.mean(found), 1e-4))) if found else 0.05


def _residuals(world: World, history: Lots, heterogeneity: float) -> _Residuals:
    spec = world.spec
    assay = np.log(history.assay)
    share = np.log1p(-history.moisture)
    composition = assay[:, 0]
    first_share = share[:, 0] if spec.stations[0].moisture else np.zeros(len(share))
    lots, stations, _, e = history.shots.shape
    shots = np.full((lots, stations, e), np.nan)
    for s, at in enumerate(spec.stations):
        if at.shots:
            ln = np.log(history.shots[:, s, : at.shots])
            var = np.broadcast_to(heterogeneity**2 + world.counting**2, ln.shape)
            q, degrees = shot_gate.distances(ln, var)
            good = shot_gate.agreeing(q, degrees).all(axis=-1)
            shots[good, s] = ln[good].mean(axis=1) - composition[good] - first_share[good, None]
    mass = np.log(history.net) - np.log(history.net[:, :1])
    return _Residuals(
        history.origin, composition, share, mass, shots, assay - composition[:, None, :]
    )


def _within(values: Floats, origin: Ints) -> Floats:
    """Return values less their site's mean."""
    found = values.copy()
    for site in np.unique(origin):
        mine = origin == site
        found[mine] -= np.nanmean(found[mine], axis=0)
    return found


def _legs(world: World, origin: Ints, residuals: _Residuals) -> tuple[tuple[Leg, ...], float]:
    """Return legs with the spread of loss and drying, and the spread of the dry share."""
    spec = world.spec
    legs = len(spec.stations) - 1
    per_site = len(origin) / spec.sites
    lost = per_site / max(per_site - 1.0, 1.0)
    dry = float(np.exp(np.nanmean(residuals.share[:, 0])))
    u = [one.moisture_u / dry for one in spec.stations if one.moisture]
    drying_var, share_var = 1e-6, 0.0
    measured = [s for s, one in enumerate(spec.stations) if one.moisture]
    if measured:
        share_var = float(np.nanvar(_within(residuals.share[:, 0], origin))) * lost - u[0] ** 2
    if len(measured) > 1:
        change = residuals.share[:, measured[-1]] - residuals.share[:, measured[0]]
        seen = float(np.nanvar(_within(change, origin))) * lost
        drying_var = (seen - u[0] ** 2 - u[-1] ** 2) / max(measured[-1] - measured[0], 1)
    seen = float(np.nanvar(_within(residuals.mass[:, -1], origin))) * lost
    drying_var = max(drying_var, 1e-7)
    loss_var = max((seen - 2.0 * spec.net_u**2) / legs - drying_var, 1e-7)
    leg = Leg(0.0, loss_var**0.5, 0.0, drying_var**0.5)
    return (leg,) * legs, max(share_var, 1e-6) ** 0.5


def _matrix(world: World, residuals: _Residuals) -> float:
    """Return the spread of what all analytes of a series have in common."""
    found = []
    for s, at in enumerate(world.spec.stations):
        if at.shots:
            inside = _within(residuals.shots[:, s, world.spec.xrf_blind :], residuals.origin)
            inside = inside[~np.isnan(inside[:, -1])]
            covariance = np.cov(inside.T)
            off = covariance[~np.eye(len(covariance), dtype=bool)]
            found.append(float(off.mean()))
    return max(float(np.mean(found)), 1e-5) ** 0.5 if found else 0.03


def _sites(world: World, origin: Ints, composition: Floats) -> list[Site]:
    spec = world.spec
    e = spec.analytes
    names = tuple(f"a{number:02d}" for number in range(e))
    counts = np.bincount(origin, minlength=spec.sites)
    inside = _within(composition, origin)
    pooled = inside.T @ inside / max(len(origin) - spec.sites, 1)
    sites = []
    for site in range(spec.sites):
        mine = inside[origin == site]
        n = int(counts[site])
        own = mine.T @ mine / max(n - 1, 1)
        scale_ = np.sqrt(np.diag(own) / np.diag(pooled))
        # Deviations of its own, correlations mostly pooled where lots are few.
        target = pooled * np.outer(scale_, scale_)
        mixed = (n * own + SHRINK_LOTS * target) / (n + SHRINK_LOTS)
        mixed *= widened(n + SHRINK_LOTS, e)
        covariance = mixed - spec.assay_u**2 * np.eye(e)
        least = np.linalg.eigvalsh(covariance)[0]
        if least < 1e-5:
            covariance += (1e-5 - least) * np.eye(e)
        mean = composition[origin == site].mean(axis=0)
        sites.append(
            Site(site_id=f"site-{site}", analytes=names, mean=mean, covariance=covariance, lots=n)
        )
    return sites


def _errors(
    world: World, mine: Ints, residuals: _Residuals, matrix: float
) -> dict[tuple[str, str], Known]:
    """Return mean residuals of the instruments on a site's way, and how well they are known."""
    spec, site = world.spec, int(residuals.origin[mine[0]])
    errors: dict[tuple[str, str], Known] = {}
    for s, at in enumerate(spec.stations):
        if at.weighing:
            errors[scale(s, site), MASS] = _known(residuals.mass[mine, s])
        if at.moisture:
            change = np.expm1(residuals.share[mine, 0]) - np.expm1(residuals.share[mine, s])
            errors[laboratory(s, site), MOISTURE] = _known(change)
        for a in range(spec.analytes):
            name = f"a{a:02d}"
            if at.assay:
                errors[laboratory(s, site), name] = _known(residuals.assay[mine, s, a])
            if at.shots and a >= spec.xrf_blind:
                errors[xrf(s, site), name] = _known(residuals.shots[mine, s, a], matrix)
    return errors


def _known(values: Floats, common: float = 0.0) -> Known:
    """Return the mean and its u, ``common`` being a deviation that is counted elsewhere.

    From few lots the deviation itself is not known well: Student's distribution has variance
    (n - 1) / (n - 3) of a normal's.
    """
    there = values[~np.isnan(values)]
    n = len(there)
    var = max(float(there.var(ddof=1)) - common**2, 0.25 * float(there.var(ddof=1)))
    return Known(float(there.mean()), max(var / n * widened(n, 1), 1e-10) ** 0.5)


def widened(lots: float, analytes: int) -> float:
    """Return the factor on a variance that was estimated from so many lots."""
    degrees = max(lots - analytes, 3.0)
    return degrees / (degrees - 2.0)
