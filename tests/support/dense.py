"""ln E of a lot by brute force: whole covariance matrices, every shot a row, every fraud a density.

Written from docs/detection/mixture.md alone and shares no line with what it checks: the lot's mass
is a latent of great variance, shots are not averaged, and a likelihood ratio is the difference of
two log densities.
"""

import math
from collections import Counter

import numpy as np
from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped]  # it ships no types

from custody.detect.lot_facts import Floats, Known, Model, Readings, Xrf

NOBODY_KNOWS = 1e4


class Dense:
    """Rows of one lot: value, mean, station, and what each kind of shift does to it."""

    def __init__(self, model: Model, readings: Readings) -> None:
        self.model = model
        self.values: list[float] = []
        self.means: list[float] = []
        self.stations: list[int] = []
        self.maps: list[Floats] = []
        self.loads: list[dict[str, float]] = []
        self.noises: list[float] = []
        self._weighings(readings)
        self._moistures(readings)
        self._shots(readings)
        self._assays(readings)

    def _row(
        self,
        station: str,
        value: float,
        mean: float,
        shift: dict[int, float],
        loads: dict[str, float],
        noise: float,
    ) -> None:
        column = np.zeros(3 + len(self.model.analytes))
        for at, by in shift.items():
            column[at] = by
        self.values.append(value)
        self.means.append(mean)
        self.stations.append(self.model.stations.index(station))
        self.maps.append(column)
        self.loads.append(loads)
        self.noises.append(noise)

    def _share(self, station: str, sign: float) -> tuple[float, dict[str, float]]:
        """Return mean and loadings of sign x ln dry share at a station."""
        at = self.model.stations.index(station)
        mean, loads = self.model.dry_share[0], {"share": sign * self.model.dry_share[1]}
        for leg in range(at):
            mean += self.model.legs[leg].drying
            loads[f"drying{leg}"] = sign * self.model.legs[leg].drying_u
        return sign * mean, loads

    def _error(self, instrument: str, quantity: str, u: float) -> Known:
        return self.model.errors.get((instrument, quantity), Known(0.0, u))

    def _guessed(self, laboratory: str, quantity: str, own: float) -> float:
        """Return what of a laboratory's own variance is scatter: all beyond what is known of it."""
        known = self.model.errors.get((laboratory, quantity))
        return 0.0 if known is None else max(own**2 - known.u**2, 0.0)

    def _weighings(self, readings: Readings) -> None:
        for one in readings.weighings:
            mean, loads = self._share(one.station, -1.0)
            known = self._error(one.scale, "mass", one.scale_u_rel)
            loads[f"part{one.part}"] = math.sqrt(NOBODY_KNOWS)
            loads[f"scale{one.scale}"] = known.u
            for leg in range(self.model.stations.index(one.station)):
                mean += self.model.legs[leg].loss
                of = self.model.legs[leg]
                each = of.loss_u if of.described else of.loss_u / math.sqrt(2.0)
                loads[f"loss{one.part}{leg}"] = each
                loads[f"loss of all{leg}"] = 0.0 if of.described else each
            shift = {0: 1.0, 1: -1.0}
            self._row(one.station, math.log(one.net) - known.mean, mean, shift, loads, one.u_rel**2)

    def _moistures(self, readings: Readings) -> None:
        for one in readings.moistures:
            known = self._error(one.laboratory, "moisture", one.laboratory_u)
            dry = 1.0 - one.fraction + known.mean
            mean, loads = self._share(one.station, 1.0)
            loads[f"moisture{one.laboratory}"] = known.u / dry
            noise = (
                one.u**2 + self._guessed(one.laboratory, "moisture", one.laboratory_u)
            ) / dry**2
            self._row(one.station, math.log(dry), mean, {1: 1.0, 2: 1.0}, loads, noise)

    def _shots(self, readings: Readings) -> None:
        series = Counter((one.station, one.device) for one in readings.shots)
        for one in readings.shots:
            xrf = self.model.xrf.get(one.device, Xrf())
            alone = series[one.station, one.device] == 1
            for at, analyte in enumerate(self.model.analytes):
                if analyte not in one.fractions:
                    continue
                known = self._error(one.device, analyte, xrf.bias_rel)
                mean, loads = (0.0, {}) if one.dry else self._share(one.station, 1.0)
                loads[f"bias{one.device}{analyte}"] = known.u
                loads[f"matrix{one.device}{one.station}{one.dry}"] = math.hypot(
                    xrf.matrix_rel, 0.6 * alone
                )
                shift = {3 + at: 1.0} | ({} if one.dry else {1: 1.0})
                counting = one.counting_rel.get(analyte, xrf.counting_rel)
                noise = xrf.heterogeneity_rel**2 + counting**2 + (0.6 * alone) ** 2
                value = math.log(one.fractions[analyte]) - known.mean
                self._row(one.station, value, mean, shift, loads, noise)

    def _assays(self, readings: Readings) -> None:
        for one in readings.assays:
            for at, analyte in enumerate(self.model.analytes):
                if analyte not in one.fractions:
                    continue
                known = self._error(one.laboratory, analyte, one.laboratory_u_rel)
                mean, loads = (0.0, {}) if one.dry else self._share(one.station, 1.0)
                loads[f"bias{one.laboratory}{analyte}"] = known.u
                shift = {3 + at: 1.0} | ({} if one.dry else {1: 1.0})
                noise = one.u_rel.get(analyte, one.u_rel_default) ** 2
                noise += self._guessed(one.laboratory, analyte, one.laboratory_u_rel)
                value = math.log(one.fractions[analyte]) - known.mean
                self._row(one.station, value, mean, shift, loads, noise)

    def covariance(self) -> Floats:
        """Return the whole covariance."""
        names = sorted({name for loads in self.loads for name in loads})
        b = np.array([[loads.get(name, 0.0) for name in names] for loads in self.loads])
        composition = np.array(self.maps)[:, 3:]
        assert self.model.origin is not None
        prior = self.model.origin.covariance * (1.0 + 1.0 / self.model.origin.lots)
        return np.asarray(b @ b.T + np.diag(self.noises) + composition @ prior @ composition.T)

    def residual(self) -> Floats:
        """Return values less their means."""
        assert self.model.origin is not None
        composition = np.array(self.maps)[:, 3:] @ self.model.origin.mean
        return np.asarray(np.array(self.values) - np.array(self.means) - composition)

    def ln_lr(self, station: int, shift: Floats) -> float:
        """Return ln LR of a shift that begins at a station."""
        moved = (np.array(self.stations) >= station) * (np.array(self.maps) @ shift)
        covariance = self.covariance()
        return _ln_density(self.residual() - moved, covariance) - _ln_density(
            self.residual(), covariance
        )

    def ln_lr_free(self, station: int, deviation: float) -> float:
        """Return ln LR of a free change of composition that begins at a station."""
        seen = (np.array(self.stations) >= station)[:, None] * np.array(self.maps)[:, 3:]
        covariance = self.covariance()
        wider = covariance + deviation**2 * seen @ seen.T
        return _ln_density(self.residual(), wider) - _ln_density(self.residual(), covariance)

    def ln_lr_spread(self, station: int, change: Floats, spread: Floats) -> float:
        """Return ln LR of a change of composition that is normal with a mean and covariance."""
        seen = (np.array(self.stations) >= station)[:, None] * np.array(self.maps)[:, 3:]
        covariance = self.covariance()
        wider = covariance + seen @ spread @ seen.T
        moved = self.residual() - seen @ change
        return _ln_density(moved, wider) - _ln_density(self.residual(), covariance)


def _ln_density(x: Floats, covariance: Floats) -> float:
    """Return the log density of a normal, without the constant."""
    factor = cho_factor(covariance, lower=True)
    ln_det = 2.0 * float(np.log(np.diag(factor[0])).sum())
    return -0.5 * float(x @ cho_solve(factor, x)) - 0.5 * ln_det
