"""How large a fraud the day's measurements can show, from their stated uncertainties alone.

Written independently of the detector, as an auditor would with a pocket calculator: class limits
of the scales, the certificates' u, and what is known of XRF guns.

Source:
    OIML R 76-1, class III, in service; docs/demo.md, "Sizes".
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from demo.fingerprints import Fingerprint
from demo.plant import (
    ASSAY_U_REL,
    DRYING_EXPECTED,
    LOSS_EXPECTED,
    MOISTURE_U,
    SCALE_INTERVAL_KG,
    TARE_SPREAD_KG,
    XRF_BIAS_U,
    XRF_HETEROGENEITY,
    XRF_MATRIX,
    Composition,
    counting_sigma_ppm,
)

LEVEL = 5e-4
"""One clean lot in two thousand may alarm per kind of test: on mass, on composition."""
Z_POWER = 1.2816
"""The normal quantile of 0.9: what must be added so that nine of ten are found."""
LOSS_U = LOSS_EXPECTED
"""The loss on the road is known to about its own size."""


@dataclass(frozen=True, slots=True)
class Station:
    """What one side of a leg measures: shots of one gun, and an assay or none."""

    shots: int
    assayed: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """How well a composition, or a ratio of two, is known, in logarithms.

    Attributes:
        u: Standard uncertainty of each analyte for itself.
        common: Of what all analytes share.
    """

    u: Mapping[str, float]
    common: float

    def of_differences(self) -> "Doubt":
        """Return the same, with nothing known of what all analytes share."""
        return replace(self, common=math.inf)


def scale_limit_kg(load_kg: float) -> float:
    """Return the largest permitted error of a class III scale in service, kilograms."""
    intervals = load_kg / SCALE_INTERVAL_KG
    factor = 1.0 if intervals <= 500 else 2.0 if intervals <= 2_000 else 3.0
    return factor * SCALE_INTERVAL_KG


def net_u_kg(gross_kg: float, tare_kg: float, *, stored_tare: bool) -> float:
    """Return the standard uncertainty of a net mass by scale class and rounding."""
    parts = [scale_limit_kg(gross_kg) / math.sqrt(3), SCALE_INTERVAL_KG / math.sqrt(12)]
    parts += [scale_limit_kg(tare_kg) / math.sqrt(3), SCALE_INTERVAL_KG / math.sqrt(12)]
    parts += [TARE_SPREAD_KG] if stored_tare else []
    return math.hypot(*parts)


def z_threshold(tests: int) -> float:
    """Return the z at which one of so many tests of a lot is called an alarm."""
    return NormalDist().inv_cdf(1.0 - LEVEL / tests)


def detectable_theft_kg(
    gross_kg: float, tare_kg: float, *, stored_tare: bool, trucks: int
) -> float:
    """Return the wet mass that, taken from one of a lot's trucks, is found nine times in ten."""
    sent = net_u_kg(gross_kg, tare_kg, stored_tare=stored_tare)
    received = net_u_kg(gross_kg, tare_kg, stored_tare=False)
    road = LOSS_U * (gross_kg - tare_kg)
    # Each truck is tested for loss and for gain.
    return (z_threshold(2 * trucks) + Z_POWER) * math.hypot(sent, received, road)


def detectable_water(moisture: float) -> float:
    """Return the share of the dry mass that, made up with water, is found nine times in ten.

    The truck weighs the same, so only the two moisture certificates tell: each dry share is known
    to ``MOISTURE_U`` of the wet mass, and the road may dry a load.
    """
    oven = MOISTURE_U / (1 - moisture)
    u = math.hypot(oven, oven, DRYING_EXPECTED)
    return -math.expm1(-(z_threshold(2) + Z_POWER) * u)


def difference_u(
    composition: Composition, moisture: float, sent: Station, received: Station
) -> Doubt:
    """Return the uncertainty of ln(received / sent) over all comparisons made."""
    sides = [station_u(composition, moisture, side) for side in (sent, received)]
    u = {a: math.hypot(*(side.u[a] for side in sides)) for a in composition}
    return Doubt(u, math.hypot(*(side.common for side in sides)))


def station_u(composition: Composition, moisture: float, station: Station) -> Doubt:
    """Return how well a station knows a composition.

    Its best estimate is the weighted mean of its shots and its assay. What all analytes of a series
    share counts by the mean weight of the shots.
    """
    shots = {a: _shots_u(a, f * (1 - moisture) * 1e6, station) for a, f in composition.items()}
    common = math.hypot(XRF_MATRIX, MOISTURE_U)
    if not station.assayed:
        return Doubt(shots, common)
    weight = {a: ASSAY_U_REL[a] ** 2 / (ASSAY_U_REL[a] ** 2 + u * u) for a, u in shots.items()}
    u = {a: 1.0 / math.hypot(1.0 / one, 1.0 / ASSAY_U_REL[a]) for a, one in shots.items()}
    return Doubt(u, common * sum(weight.values()) / len(weight))


def _shots_u(analyte: str, ppm: float, station: Station) -> float:
    counting = counting_sigma_ppm(analyte, ppm) / ppm
    one = math.hypot(XRF_HETEROGENEITY, counting)
    return math.hypot(one / math.sqrt(station.shots), XRF_BIAS_U)


def mixed(composition: Composition, material: Composition, share: float) -> dict[str, float]:
    """Return the composition after ``share`` of the dry mass was replaced by ``material``."""
    return {a: (1 - share) * f + share * material[a] for a, f in composition.items()}


def distance(before: Composition, after: Composition, doubt: Doubt) -> float:
    """Return how far two compositions are apart, in standard uncertainties.

    The root of d'C^-1 d with C = diag(u^2) + common^2 for every pair, by Sherman and Morrison. An
    infinite ``common`` takes out what all analytes do alike.
    """
    d = {a: math.log(after[a] / before[a]) for a in before}
    weight = {a: doubt.u[a] ** -2 for a in before}
    alike = sum(weight[a] * d[a] for a in d)
    own = 1.0 / doubt.common**2 if doubt.common else math.inf
    square = sum(weight[a] * d[a] ** 2 for a in d) - alike**2 / (sum(weight.values()) + own)
    return math.sqrt(max(square, 0.0))


def standing_out(before: Composition, after: Composition, own: Fingerprint, doubt: Doubt) -> float:
    """Return how far a change leads out of a mine's ore, in the deviations of its lots.

    The root of d'C^-1 d, C of single lots with what a mean of n leaves open and what is measured.
    """
    d = np.array([math.log(after[a] / before[a]) for a in own.analytes])
    u = np.array([doubt.u[a] for a in own.analytes])
    covariance = own.covariance * (1.0 + 1.0 / own.samples) + np.diag(u**2) + doubt.common**2
    return math.sqrt(float(d @ np.linalg.solve(covariance, d)))


def detectable_share(
    composition: Composition,
    material: Composition,
    seen: Callable[[Composition, Composition], float],
    needed: float,
) -> float | None:
    """Return the smallest share of ``material`` that is seen from far enough.

    Args:
        composition: What there was.
        material: What is put in its place.
        seen: Distance between two compositions, as ``distance`` gives it.
        needed: Distance at which the test finds nine of ten; see ``needed_for_change``.

    Returns:
        The share, or None where even a full swap would stay below.
    """
    if seen(composition, mixed(composition, material, 1.0)) < needed:
        return None
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        reached = seen(composition, mixed(composition, material, middle)) >= needed
        low, high = (low, middle) if reached else (middle, high)
    return high


def needed_for_direction() -> float:
    """Return the distance at which a test that knows what to look for finds nine of ten.

    That all analytes fall alike: it needs less than the test for any change. The two share the
    level.
    """
    return z_threshold(2) + Z_POWER


def needed_for_change(analytes: Collection[str]) -> float:
    """Return the distance at which a chi-square test over these analytes finds nine of ten.

    The threshold by Wilson and Hilferty; the noncentrality follows from the normal approximation
    of the noncentral chi-square. The result is within 3 % of the exact one for 3 to 12 analytes.
    """
    k = len(analytes)
    spread = 2.0 / (9.0 * k)
    threshold = k * (1.0 - spread + z_threshold(2) * math.sqrt(spread)) ** 3
    # threshold = k + x - z sqrt(2 (k + 2 x)), solved for x by a few steps of the fixed point.
    x = threshold
    for _ in range(60):
        x = threshold - k + Z_POWER * math.sqrt(2.0 * (k + 2.0 * x))
    return math.sqrt(x)
