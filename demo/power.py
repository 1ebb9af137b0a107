"""How large a fraud the day's measurements can show, from their stated uncertainties alone.

Written independently of the detector, as an auditor would with a pocket calculator: class limits
of the scales, the certificates' u, and what is known of XRF guns.

Source:
    OIML R 76-1, class III, in service; docs/demo.md, "Sizes".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from demo.plant import (
    ASSAY_U_REL,
    LOSS_EXPECTED,
    MOISTURE_U,
    SCALE_INTERVAL_KG,
    TARE_SPREAD_KG,
    XRF_BIAS_U,
    XRF_HETEROGENEITY,
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


def ratio_u(
    composition: Composition, moisture: float, sent: Station, received: Station
) -> dict[str, float]:
    """Return, per analyte, the uncertainty of ln(received / sent) over all comparisons made.

    Each side's best estimate is the weighted mean of its shots and its assay.
    """
    found = {}
    for analyte, fraction in composition.items():
        sides = [_side_u(analyte, fraction * (1 - moisture) * 1e6, s) for s in (sent, received)]
        found[analyte] = math.hypot(*sides)
    return found


def _side_u(analyte: str, ppm: float, station: Station) -> float:
    counting = counting_sigma_ppm(analyte, ppm) / ppm
    shots = math.hypot(
        math.hypot(XRF_HETEROGENEITY, counting) / math.sqrt(station.shots), XRF_BIAS_U
    )
    shots = math.hypot(shots, MOISTURE_U)
    if not station.assayed:
        return shots
    return 1.0 / math.hypot(1.0 / shots, 1.0 / ASSAY_U_REL[analyte])


def mixed(composition: Composition, material: Composition, share: float) -> dict[str, float]:
    """Return the composition after ``share`` of the dry mass was replaced by ``material``."""
    return {a: (1 - share) * f + share * material[a] for a, f in composition.items()}


def distance(before: Composition, after: Composition, u: Mapping[str, float]) -> float:
    """Return how far two compositions are apart, in standard uncertainties (root of the sum)."""
    return math.hypot(*(math.log(after[a] / before[a]) / u[a] for a in before))


def detectable_share(
    composition: Composition, material: Composition, u: Mapping[str, float], needed: float
) -> float | None:
    """Return the smallest share of ``material`` at which ``distance`` reaches ``needed``.

    Args:
        composition: What was sent.
        material: What is put in its place.
        u: Per analyte, as ``ratio_u`` gives it.
        needed: Distance at which the test finds nine of ten; see ``needed_for_change``.

    Returns:
        The share, or None where even a full swap would stay below.
    """
    if distance(composition, mixed(composition, material, 1.0), u) < needed:
        return None
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        reached = distance(composition, mixed(composition, material, middle), u) >= needed
        low, high = (low, middle) if reached else (middle, high)
    return high


def needed_for_waste() -> float:
    """Return the distance at which a test for "all analytes fall alike" finds nine of ten.

    It knows its direction, so it needs less than the test for any change. The two share the level.
    """
    return z_threshold(2) + Z_POWER


def needed_for_change(analytes: Sequence[str]) -> float:
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
