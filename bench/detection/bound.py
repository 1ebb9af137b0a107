"""The Neyman-Pearson bound: what the best test could find that knows the very fraud it looks for.

It knows the lot's exact shift and onset, the errors of all instruments, the sites' true means and
covariances, that no shot is bad, and is asked once, when all is measured. Its power at false-alarm
rate alpha is Phi(sqrt(d'J d) - z(1 - alpha)), averaged over lots. No detector can be better; one
that is has a leak.

Own code, like the world: rows of all stations, latents as columns.
"""

import numpy as np
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]  # it ships no types

from bench.detection.world import Floats, Lots, World


def power(world: World, lots: Lots, alpha: float = 1e-3) -> float:
    """Return the mean power over lots that carry a fraud."""
    delta = np.sqrt(separation(world, lots))
    return float(ndtr(delta + ndtri(alpha)).mean())


def separation(world: World, lots: Lots) -> Floats:
    """Return d'J d of every lot: the squared distance between what is and what is claimed."""
    found = np.zeros(len(lots.origin))
    for site in np.unique(lots.origin):
        rows, covariance = _model(world, int(site))
        factor = np.linalg.cholesky(covariance)
        for onset in np.unique(lots.onset):
            mine = np.flatnonzero((lots.origin == site) & (lots.onset == onset))
            if not len(mine) or onset >= len(world.spec.stations):
                continue
            seen = np.where(rows["station"] >= onset, 1.0, 0.0)[:, None] * rows["map"]
            u = np.linalg.solve(factor, seen) @ lots.shift[mine].T
            found[mine] = (u * u).sum(axis=0)
    return found


def _model(world: World, site: int) -> tuple[dict[str, Floats], Floats]:
    """Return stations and shift maps of all rows, and their covariance."""
    spec = world.spec
    e = spec.analytes
    share_sd = spec.moisture_sd / (1.0 - world.moisture_mean[site])
    station: list[int] = []
    maps: list[Floats] = []
    var = []
    matrix = []
    for s, at in enumerate(spec.stations):
        dry = 1.0 - world.moisture_mean[site]
        if at.weighing:
            _add(station, maps, s, [(0, 1.0), (1, -1.0)], e)
            var.append(spec.net_u**2)
            matrix.append(-1)
        if at.moisture:
            _add(station, maps, s, [(1, 1.0), (2, 1.0)], e)
            var.append((at.moisture_u / dry) ** 2)
            matrix.append(-1)
        for a in range(spec.xrf_blind, e) if at.shots else ():
            _add(station, maps, s, [(1, 1.0), (3 + a, 1.0)], e)
            var.append((spec.xrf_heterogeneity**2 + world.counting[a] ** 2) / at.shots)
            matrix.append(s)
        for a in range(e) if at.assay else ():
            _add(station, maps, s, [(3 + a, 1.0)], e)
            var.append(spec.assay_u**2)
            matrix.append(-1)
    mapped, at_station, by = np.array(maps), np.array(station), np.array(matrix)
    covariance = np.diag(var)
    covariance += spec.xrf_matrix_u**2 * ((by[:, None] == by) & (by >= 0))
    mass, share, composition = mapped[:, 0], mapped[:, 1], mapped[:, 3:]
    # The lot's own mass is known to nobody.
    covariance += 100.0 * np.outer(mass, mass) + share_sd**2 * np.outer(share, share)
    covariance += composition @ world.covariance[site] @ composition.T
    for s in range(1, len(spec.stations)):
        later = at_station >= s
        covariance += spec.loss_sd**2 * np.outer(mass * later, mass * later)
        covariance += spec.drying_sd**2 * np.outer(share * later, share * later)
    return {"station": at_station.astype(np.float64), "map": mapped}, covariance


def _add(
    station: list[int], maps: list[Floats], s: int, entries: list[tuple[int, float]], e: int
) -> None:
    row = np.zeros(3 + e)
    for column, value in entries:
        row[column] = value
    station.append(s)
    maps.append(row)
