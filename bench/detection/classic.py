"""Eight classic tests on the same lots, with the same knowledge, for comparison.

Each is a p-value at the end of a lot's life; a lot alarms where the least of its eight is below a
common level, calibrated on honest lots like the detector's threshold.

    mass       z of the receipt against the dispatch, by leg and over all
    moisture   z of last against first
    grades     greatest z of the last certificate against the first
    shots      greatest z of a station's mean shot against the station before
    metal      z of contained main metal, last against first
    dilution   z of the mean change of all grades
    change     chi-square of all changes of grades
    origin     Hotelling T2 of the first certificate against the origin
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import (  # type: ignore[import-untyped]  # it ships no types
    chdtrc,
    log_ndtr,
    ndtr,
)

from bench.detection.history import laboratory, scale, xrf
from bench.detection.world import Floats, Lots, World
from custody.detect.lot_facts import Model

Test = Callable[[World, Sequence[Model], Lots], Floats]


def least_p(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    """Return minus the decimal logarithm of the least of the eight p-values, by lot."""
    with np.errstate(invalid="ignore", divide="ignore"):
        every = [np.nan_to_num(-np.log10(test(world, models, lots)), nan=0.0) for test in TESTS]
    return np.asarray(np.max(every, axis=0))


def _mass(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    legs = len(world.spec.stations) - 1
    ln = np.log(lots.net) - _known(models, lots, scale, "mass")
    leg = models[0].legs[0]
    found = []
    for a, b in [(s, s + 1) for s in range(legs)] + [(0, legs)]:
        var = 2 * world.spec.net_u**2 + (b - a) * (leg.loss_u**2 + leg.drying_u**2)
        found.append(_two_sided((ln[:, b] - ln[:, a]) / var**0.5))
    return _least(found)


def _moisture(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    spec = world.spec
    at = [s for s, one in enumerate(spec.stations) if one.moisture]
    if len(at) < 2:
        return np.ones(len(lots.origin))
    w = lots.moisture - _known(models, lots, laboratory, "moisture")
    u = sum(spec.stations[s].moisture_u ** 2 for s in (at[0], at[-1]))
    u += (at[-1] - at[0]) * models[0].legs[0].drying_u ** 2
    return _two_sided((w[:, at[-1]] - w[:, at[0]]) / u**0.5)


def _changes(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    """Return changes of ln grades between first and last certificate, in their u."""
    at = [s for s, one in enumerate(world.spec.stations) if one.assay]
    known = np.array(
        [
            [
                [_mean(model, laboratory(s, site), a) for a in model.analytes]
                for s in (at[0], at[-1])
            ]
            for site, model in enumerate(models)
        ]
    )[lots.origin]
    ln = np.log(lots.assay[:, [at[0], at[-1]]]) - known
    return np.asarray((ln[:, 1] - ln[:, 0]) / (2**0.5 * world.spec.assay_u))


def _grades(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    return _least(list(_two_sided(_changes(world, models, lots)).T))


def _dilution(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    z = _changes(world, models, lots)
    return np.asarray(ndtr(z.sum(axis=1) / z.shape[1] ** 0.5))


def _change(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    z = _changes(world, models, lots)
    return np.asarray(chdtrc(z.shape[1], (z * z).sum(axis=1)))


def _metal(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    """Contained metal of the analyte that has most of the mass of grades."""
    spec = world.spec
    main = int(np.argmax(world.mean.mean(axis=0)))
    z = _changes(world, models, lots)[:, main] * 2**0.5 * spec.assay_u
    ln = np.log(lots.net) - _known(models, lots, scale, "mass")
    w = np.log1p(-(lots.moisture - _known(models, lots, laboratory, "moisture")))
    change = z + (ln[:, -1] - ln[:, 0]) + np.nan_to_num(w[:, -1] - w[:, 0])
    legs = len(spec.stations) - 1
    var = 2 * spec.assay_u**2 + 2 * spec.net_u**2 + legs * models[0].legs[0].loss_u ** 2
    var += sum(one.moisture_u**2 for one in spec.stations if one.moisture)
    return _two_sided(change / var**0.5)


def _shots(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    spec = world.spec
    found: list[Floats] = []
    before: tuple[Floats, Floats] | None = None
    for s, at in enumerate(spec.stations):
        if not at.shots:
            continue
        known = np.array(
            [
                [_mean(model, xrf(s, site), a) for a in model.analytes]
                for site, model in enumerate(models)
            ]
        )[lots.origin]
        # The median of three is what a careful plant takes; of two it is their mean.
        seen = np.median(np.log(lots.shots[:, s, : at.shots]), axis=1) - known
        one = models[0].xrf[xrf(s, 0)]
        var = (one.heterogeneity_rel**2 + world.counting**2) / at.shots * 1.35 + one.matrix_rel**2
        if before is not None:
            z = (seen - before[0]) / np.sqrt(var + before[1])
            found += list(np.nan_to_num(_two_sided(z), nan=1.0).T)
        before = seen, var
    return _least(found) if found else np.ones(len(lots.origin))


def _origin(world: World, models: Sequence[Model], lots: Lots) -> Floats:
    found = np.ones(len(lots.origin))
    for site, model in enumerate(models):
        mine = np.flatnonzero(lots.origin == site)
        assert model.origin is not None
        d = np.log(lots.assay[mine, 0]) - model.origin.mean
        covariance = model.origin.covariance + world.spec.assay_u**2 * np.eye(d.shape[1])
        t2 = np.einsum("li,ij,lj->l", d, np.linalg.inv(covariance), d)
        n = model.origin.lots
        found[mine] = chdtrc(d.shape[1], t2 / (1.0 + 1.0 / n))
    return found


TESTS: tuple[Test, ...] = (
    _mass,
    _moisture,
    _grades,
    _shots,
    _metal,
    _dilution,
    _change,
    _origin,
)


def _two_sided(z: Floats) -> Floats:
    return np.asarray(2.0 * np.exp(log_ndtr(-np.abs(z))))


def _least(p: Sequence[Floats]) -> Floats:
    """Return the least of several p-values, paid for by their number."""
    return np.asarray(np.minimum(np.nanmin(p, axis=0) * len(p), 1.0))


def _mean(model: Model, instrument: str, quantity: str) -> float:
    known = model.errors.get((instrument, quantity))
    return 0.0 if known is None else known.mean


def _known(
    models: Sequence[Model], lots: Lots, name: Callable[[int, int], str], quantity: str
) -> Floats:
    """Return known mean errors, shape (lots, stations)."""
    stations = range(len(models[0].stations))
    table = [
        [_mean(model, name(s, site), quantity) for s in stations]
        for site, model in enumerate(models)
    ]
    return np.array(table)[lots.origin]
