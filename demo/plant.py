"""The plant of the demo: sites, routes, scales, XRF guns and laboratories with their errors.

Errors are drawn from the seed, within what each instrument's class or certificate promises.
Nothing here knows how a measurement is judged afterwards.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

MINE_DUN = "MINE-DUN"
MINE_BIR = "MINE-BIR"
MINES = (MINE_DUN, MINE_BIR)
DEPOT = "DEPOT-EMB"
CONCENTRATOR = "CONC-HOY"
PORT = "PORT-TWO"
SMELTER = "SMELT-SUP"
SITES = (*MINES, DEPOT, CONCENTRATOR, PORT, SMELTER)

REAL_ANALYTES = ("Cu", "Ni", "S")
"""From the drill holes."""
SYNTHETIC_ANALYTES = ("Fe", "Co", "Zn")
"""Invented, correlated with the real ones; see ``lots.synthetic_analytes``."""
ANALYTES = REAL_ANALYTES + SYNTHETIC_ANALYTES

Composition = Mapping[str, float]
"""Fraction of the dry mass by analyte."""


@dataclass(frozen=True, slots=True)
class Route:
    """A way between two sites; ``hours`` is the driving time on a quiet day."""

    from_site: str
    to_site: str
    hours: float

    @property
    def route_id(self) -> str:
        """Its name in reference data: the two sites it joins."""
        return f"{self.from_site}-{self.to_site}"


ROUTES = (
    Route(MINE_DUN, DEPOT, 0.8),
    Route(MINE_DUN, CONCENTRATOR, 1.1),
    Route(MINE_BIR, DEPOT, 0.6),
    Route(MINE_BIR, CONCENTRATOR, 1.0),
    Route(DEPOT, CONCENTRATOR, 0.7),
    Route(CONCENTRATOR, PORT, 1.4),
    Route(PORT, SMELTER, 0.9),
)
LOSS_EXPECTED = 0.0004
"""Expected loss of wet mass on any route (dust and drying), as a share."""
DRYING_EXPECTED = 0.00015
"""What any route is expected to add to the dry share of the wet mass, known to its own size."""

ORE_GHG_KG_PER_T = 50.0
"""Emissions of mining one tonne of dry ore, kg CO2e, as both mines declare them; invented."""

SCALE_INTERVAL_KG = 20
"""Verification interval e of every weighbridge: class III, 60 t."""
SCALE_SPAN_MAX = 0.0009
"""Largest span error: 40 kg at 45 t, where class III allows 60 kg in service (OIML R 76-1)."""
SCALE_REPEATABILITY_KG = 8.0
TARE_SPREAD_KG = 30.0
"""Standard deviation of a truck's tare around its stored value."""

XRF_HETEROGENEITY = 0.05
"""Relative standard deviation of one shot around the lot's mean."""
XRF_MATRIX = 0.02
"""Stated standard uncertainty of what all elements of one series share: surface, packing. The guns
here have none of it."""
XRF_BIAS_U = 0.03
"""Stated standard uncertainty of the calibration per instrument and element."""
XRF_BIAS_MAX = 0.045
"""Largest true calibration error; uniform, so its deviation 0.026 is within the stated one."""

ASSAY_U_REL = {"Cu": 0.012, "Ni": 0.014, "S": 0.015, "Fe": 0.010, "Co": 0.03, "Zn": 0.03}
"""Relative standard uncertainty the laboratories state, sampling included."""
MOISTURE_U = 0.0020
"""Standard uncertainty the laboratories state for moisture, as a fraction of the wet mass."""

COUNTING_PPM = {
    # Background deviation in ppm, and variance per ppm of element, for 60 s of live time.
    "Cu": (12.0, 0.35),
    "Ni": (15.0, 0.40),
    "S": (150.0, 3.0),
    "Fe": (50.0, 1.0),
    "Co": (11.0, 0.50),
    "Zn": (5.0, 0.25),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A weighbridge and its true span error, to which ``drift`` comes from ``since`` on."""

    device_id: str
    span: float
    drift: float = 0.0
    since: datetime | None = None

    def reading_kg(self, load_kg: float, at: datetime, rng: Random) -> int:
        """Return what the indicator shows for a true load at a time, rounded to the interval."""
        span = self.span
        if self.since is not None and at >= self.since:
            span += self.drift
        seen = load_kg * (1.0 + span) + rng.gauss(0.0, SCALE_REPEATABILITY_KG)
        return round(seen / SCALE_INTERVAL_KG) * SCALE_INTERVAL_KG


@dataclass(frozen=True, slots=True)
class Shot:
    """One element of one XRF shot, ppm of the wet mass; ``ppm`` is None below detection."""

    analyte: str
    ppm: float | None
    sigma_ppm: float
    detection_ppm: float


@dataclass(frozen=True, slots=True)
class Gun:
    """A handheld XRF and its true calibration error by analyte."""

    device_id: str
    bias: Mapping[str, float]

    def shoot(self, composition: Composition, moisture: float, rng: Random) -> list[Shot]:
        """Return one shot at material as it lies there, one entry per analyte."""
        return [
            self._element(analyte, fraction * (1.0 - moisture) * 1e6, rng)
            for analyte, fraction in composition.items()
        ]

    def _element(self, analyte: str, true_ppm: float, rng: Random) -> Shot:
        local = true_ppm * math.exp(self.bias[analyte] + rng.gauss(0.0, XRF_HETEROGENEITY))
        sigma = counting_sigma_ppm(analyte, local)
        limit = 3.0 * COUNTING_PPM[analyte][0]
        seen = local + rng.gauss(0.0, sigma)
        return Shot(analyte, float(round(seen)) if seen > limit else None, sigma, limit)


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A laboratory and its true bias by analyte (relative) and for moisture (absolute)."""

    lab_id: str
    bias: Mapping[str, float]
    moisture_bias: float

    def grade(self, analyte: str, fraction: float, rng: Random) -> float:
        """Return the reported fraction of one analyte, four significant digits."""
        u = 0.8 * ASSAY_U_REL[analyte]
        return float(f"{fraction * (1.0 + self.bias[analyte] + rng.gauss(0.0, u)):.4g}")

    def moisture(self, fraction: float, rng: Random) -> float:
        """Return the reported moisture fraction, to 0.01 percent."""
        return round(fraction + self.moisture_bias + rng.gauss(0.0, 0.7 * MOISTURE_U), 4)


def counting_sigma_ppm(analyte: str, ppm: float) -> float:
    """Return the counting error of one shot, one standard deviation."""
    background, per_ppm = COUNTING_PPM[analyte]
    return math.sqrt(background**2 + per_ppm * ppm)


@dataclass(frozen=True, slots=True)
class Plant:
    """All instruments by site, with errors drawn from one seed."""

    scales: Mapping[str, tuple[Scale, ...]]
    guns: Mapping[str, tuple[Gun, ...]]
    laboratories: Mapping[str, Laboratory]
    routes: Mapping[tuple[str, str], Route] = field(
        default_factory=lambda: {(r.from_site, r.to_site): r for r in ROUTES}
    )


def draw_plant(seed: int) -> Plant:
    """Return the plant of a seed; instruments keep their names over seeds, their errors differ."""
    rng = Random(f"{seed}/plant")
    count = {PORT: 1, SMELTER: 1}
    return Plant(
        scales={
            s: tuple(_scale(s, no, rng) for no in range(1, count.get(s, 2) + 1)) for s in SITES
        },
        guns={s: tuple(_gun(s, no, rng) for no in range(1, count.get(s, 2) + 1)) for s in SITES},
        laboratories={s: _laboratory(s, rng) for s in SITES},
    )


def _scale(site: str, no: int, rng: Random) -> Scale:
    return Scale(f"WB-{place(site)}-{no}", rng.uniform(-SCALE_SPAN_MAX, SCALE_SPAN_MAX))


def _gun(site: str, no: int, rng: Random) -> Gun:
    bias = {a: rng.uniform(-XRF_BIAS_MAX, XRF_BIAS_MAX) for a in ANALYTES}
    return Gun(f"XRF-{place(site)}-{no}", bias)


def _laboratory(site: str, rng: Random) -> Laboratory:
    bias = {a: rng.uniform(-0.9, 0.9) * ASSAY_U_REL[a] * 0.6 for a in ANALYTES}
    return Laboratory(f"LAB-{place(site)}", bias, rng.uniform(-0.6, 0.6) * MOISTURE_U)


def place(site: str) -> str:
    """Return the short name of a site: ``DUN`` of ``MINE-DUN``."""
    return site.rpartition("-")[2]
