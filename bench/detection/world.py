"""A simulated world of lots, honest and not; draws what instruments would read.

Own code: nothing here imports what it is used to judge. Everything follows from the parameters
(``--world FILE``) and the seed.

Masses in kilograms, fractions of dry mass, moisture as fraction of the wet mass.
"""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FRAUDS = ("theft", "water", "water_falsified", "waste", "foreign", "blend")


@dataclass(frozen=True, slots=True)
class StationSpec:
    """What is measured at one station; the route has the same kind of station for all sites."""

    name: str
    weighing: bool = True
    moisture: bool = False
    shots: int = 0
    assay: bool = False
    moisture_u: float = 0.002
    shared_by: int = 1
    """Sites that use the same instruments there."""


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """Parameters; deviations of logarithms unless they say otherwise."""

    name: str = "ore"
    sites: int = 40
    analytes: int = 12
    analyte_ln_mean: float = -5.0
    analyte_ln_sd: float = 1.2
    between_sd: float = 0.52
    between_correlation: float = 0.3
    within_sd: float = 0.12
    within_sd_spread: float = 0.2
    """Sites differ in how constant they are, by this factor (deviation of its logarithm)."""
    within_correlation: float = 0.4
    stations: tuple[StationSpec, ...] = (
        StationSpec("mine", moisture=True, shots=3, assay=True, moisture_u=0.0025),
        StationSpec("hub", shots=2, shared_by=10),
        StationSpec("port", moisture=True, shots=3, assay=True, moisture_u=0.002, shared_by=20),
    )
    net_kg: float = 30_000.0
    net_u: float = 0.001
    scale_bias_u: float = 0.0005
    moisture_mean: float = 0.08
    moisture_sd: float = 0.012
    """Absolute."""
    moisture_bias_u: float = 0.001
    """Absolute."""
    loss_mean: float = 0.001
    loss_sd: float = 0.0017
    drying_mean: float = 0.002
    drying_sd: float = 0.0015
    xrf_bias_u: float = 0.05
    xrf_matrix_u: float = 0.0335
    xrf_heterogeneity: float = 0.05
    xrf_counting: tuple[float, float] = (0.01, 0.04)
    """Least and greatest counting u; analytes lie between."""
    xrf_blind: int = 0
    """Analytes, the first ones, that no XRF instrument sees."""
    assay_bias_u: float = 0.01
    assay_u: float = 0.015
    bad_shot: float = 0.01
    """Share of shots that are bad."""

    @classmethod
    def load(cls, path: Path) -> "WorldSpec":
        """Return the parameters in a file; what it does not say is as in the default world.

        Raises:
            ValueError: The file names a parameter that there is none of.
        """
        given = json.loads(path.read_text("utf-8"))
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(given) - known):
            msg = f"{path}: no such parameter: {', '.join(unknown)}"
            raise ValueError(msg)
        if "stations" in given:
            given["stations"] = tuple(StationSpec(**one) for one in given["stations"])
        if "xrf_counting" in given:
            given["xrf_counting"] = tuple(given["xrf_counting"])
        return cls(**given)

    def dumped(self) -> str:
        """Return the parameters as JSON."""
        return json.dumps(asdict(self), indent=2)

    def without_bad_shots(self) -> "WorldSpec":
        """Return the same world where every shot is good."""
        return replace(self, bad_shot=0.0)


@dataclass(frozen=True, slots=True)
class Fraud:
    """What is done to lots: ``size`` from ``leg`` on (1 is the first; None draws one)."""

    kind: str
    size: float
    leg: int | None = None


@dataclass(slots=True)
class Lots:
    """Readings of L lots at S stations, NaN where nothing was measured; then what is true.

    ``onset`` is the first station that sees the fraud, ``shift`` what it did to (ln dry mass, ln
    dry share, ln of the dry share said, ln c by analyte): detectors must not look at these.
    """

    origin: Ints
    net: Floats
    moisture: Floats
    shots: Floats
    assay: Floats
    onset: Ints
    shift: Floats
    counting: Floats = field(default_factory=lambda: np.empty(0))

    def of(self, rows: Ints) -> "Lots":
        """Return some of the lots."""
        return Lots(
            self.origin[rows],
            self.net[rows],
            self.moisture[rows],
            self.shots[rows],
            self.assay[rows],
            self.onset[rows],
            self.shift[rows],
            self.counting,
        )


class World:
    """Sites, instruments and their errors; the same for the same parameters and seed."""

    def __init__(self, spec: WorldSpec, seed: int) -> None:
        self.spec = spec
        rng = np.random.default_rng([seed, 1])
        n, e = spec.sites, spec.analytes
        base = rng.normal(spec.analyte_ln_mean, spec.analyte_ln_sd, e)
        self.mean = base + rng.multivariate_normal(
            np.zeros(e), spec.between_sd**2 * _correlated(e, spec.between_correlation), n
        )
        self.covariance = np.array([self._within(rng) for _ in range(n)])
        self.factor = np.linalg.cholesky(self.covariance)
        self.moisture_mean = np.clip(rng.normal(spec.moisture_mean, 0.02, n), 0.02, 0.9)
        self.counting = np.geomspace(*spec.xrf_counting, e)
        rng.shuffle(self.counting)
        shape = (len(spec.stations), n)
        self.scale_bias = rng.normal(0.0, spec.scale_bias_u, shape)
        self.moisture_bias = rng.normal(0.0, spec.moisture_bias_u, shape)
        self.xrf_bias = rng.normal(0.0, spec.xrf_bias_u, (*shape, e))
        self.assay_bias = rng.normal(0.0, spec.assay_bias_u, (*shape, e))

    def _within(self, rng: np.random.Generator) -> Floats:
        spec = self.spec
        e = spec.analytes
        scale = np.exp(rng.normal(0.0, spec.within_sd_spread)) * spec.within_sd
        sd = scale * np.exp(rng.normal(0.0, spec.within_sd_spread, e))
        loading = rng.normal(size=(e, 3))
        random = loading @ loading.T
        random /= np.sqrt(np.outer(np.diag(random), np.diag(random)))
        c = spec.within_correlation
        return np.asarray(np.outer(sd, sd) * (c * random + (1.0 - c) * np.eye(e)))

    def instrument(self, station: int, site: Ints | int) -> Ints | int:
        """Return which instruments of a station a site's lots meet."""
        return site // self.spec.stations[station].shared_by

    def draw(self, lots: int, seed: tuple[int, ...], fraud: Fraud | None = None) -> Lots:
        """Return lots of random sites, all with the fraud if there is one."""
        spec = self.spec
        rng = np.random.default_rng(seed)
        stations, e = len(spec.stations), spec.analytes
        origin = rng.integers(0, spec.sites, lots)
        c = self._composition(rng, origin)
        net = np.full((lots, stations), np.nan)
        moisture, assay = net.copy(), np.full((lots, stations, e), np.nan)
        most = max(1, *(one.shots for one in spec.stations))
        shots = np.full((lots, stations, most, e), np.nan)
        onset, shift, mixed = self._fraud(rng, origin, c, fraud)
        ln_dry = np.log(spec.net_kg) + rng.normal(0.0, 0.05, lots)
        w = rng.normal(self.moisture_mean[origin], spec.moisture_sd)
        ln_share = np.log1p(-np.clip(w, 0.002, 0.98))
        for s, at in enumerate(spec.stations):
            if s:
                ln_dry += rng.normal(-spec.loss_mean, spec.loss_sd, lots)
                ln_share = ln_share + rng.normal(spec.drying_mean, spec.drying_sd, lots)
                ln_share = np.minimum(ln_share, -1e-5)
            on = onset <= s
            m = ln_dry + np.where(on, shift[:, 0], 0.0)
            h = ln_share + np.where(on, shift[:, 1], 0.0)
            now = np.where(on[:, None], mixed, c)
            by = self.instrument(s, origin)
            if at.weighing:
                error = rng.normal(0.0, spec.net_u, lots) + self.scale_bias[s, by]
                net[:, s] = np.exp(m - h + error)
            if at.moisture:
                said = h + np.where(on, shift[:, 2], 0.0)
                error = rng.normal(0.0, at.moisture_u, lots) + self.moisture_bias[s, by]
                moisture[:, s] = np.maximum(-np.expm1(said) + error, 0.0)
            if at.assay:
                error = rng.normal(0.0, spec.assay_u, (lots, e)) + self.assay_bias[s, by]
                assay[:, s] = np.exp(now + error)
            if at.shots:
                shots[:, s, : at.shots] = self._shots(rng, now + h[:, None], (s, at.shots), by)
        return Lots(origin, net, moisture, shots, assay, onset, shift, self.counting)

    def _composition(self, rng: np.random.Generator, site: Ints) -> Floats:
        z = rng.normal(size=(len(site), self.spec.analytes))
        return np.asarray(self.mean[site] + np.einsum("lij,lj->li", self.factor[site], z))

    def _shots(
        self, rng: np.random.Generator, ln: Floats, at: tuple[int, int], by: Ints | int
    ) -> Floats:
        spec = self.spec
        s, count = at
        lots, e = ln.shape
        matrix = rng.normal(0.0, spec.xrf_matrix_u, (lots, 1))
        series = ln + self.xrf_bias[s, by] + matrix
        one = np.hypot(spec.xrf_heterogeneity, self.counting)
        seen = series[:, None, :] + rng.normal(size=(lots, count, e)) * one
        bad = rng.random((lots, count)) < spec.bad_shot
        seen[bad] += self._badness(rng, int(bad.sum()))
        seen[:, :, : spec.xrf_blind] = np.nan
        return np.asarray(np.exp(seen))

    def _badness(self, rng: np.random.Generator, count: int) -> Floats:
        """Return what a bad shot adds: other ground, too far away, or a few lines misread."""
        e = self.spec.analytes
        kind = rng.integers(0, 3, count)[:, None]
        other = rng.normal(0.0, 0.5, (count, e))
        far = np.log(rng.uniform(0.3, 0.8, (count, 1))) + rng.normal(0.0, 0.1, (count, e))
        misread = rng.normal(0.0, 0.7, (count, e)) * (rng.random((count, e)) < 0.3)
        return np.asarray(np.where(kind == 0, other, np.where(kind == 1, far, misread)))

    def _fraud(
        self, rng: np.random.Generator, origin: Ints, c: Floats, fraud: Fraud | None
    ) -> tuple[Ints, Floats, Floats]:
        """Return onset, shift and what composition becomes; drawn also where there is none."""
        spec = self.spec
        lots, stations = len(origin), len(spec.stations)
        leg = rng.integers(1, stations, lots)
        other = (origin + rng.integers(1, spec.sites, lots)) % spec.sites
        foreign = self._composition(rng, other)
        shift = np.zeros((lots, 3 + spec.analytes))
        if fraud is None:
            return np.full(lots, stations), shift, c
        if fraud.kind == "blend":
            leg = np.zeros(lots, dtype=np.int64)
        elif fraud.leg is not None:
            leg = np.full(lots, fraud.leg)
        if fraud.kind in {"foreign", "blend"}:
            shift[:, 3:] = np.log1p(fraud.size * np.expm1(foreign - c))
        else:
            taken = np.log1p(-min(fraud.size, 0.99))
            shift[:] = taken * _direction(fraud.kind, spec.analytes)
        return leg, shift, c + shift[:, 3:]


def _direction(kind: str, analytes: int) -> Floats:
    """Return what taking material away does, per ln of what is left."""
    mass, share, said, waste = {
        "theft": (1.0, 0.0, 0.0, 0.0),
        "water": (1.0, 1.0, 0.0, 0.0),
        "water_falsified": (1.0, 1.0, -1.0, 0.0),
        "waste": (0.0, 0.0, 0.0, 1.0),
    }[kind]
    return np.array([mass, share, said, *[waste] * analytes])


def _correlated(size: int, correlation: float) -> Floats:
    return np.asarray(correlation + (1.0 - correlation) * np.eye(size))
