"""How well a weighing is known, as far as the four-sigma rules need it (OIML R 76-1)."""

import math
from collections.abc import Sequence

from custody.events import LotWeighed
from tests.support.oracle.refs import References

STEPS = {
    "I": (50_000, 200_000), "II": (5_000, 20_000), "III": (500, 2_000), "IIII": (50, 200),
}  # fmt: skip
"""Loads in intervals up to which 1 and 2 intervals are permissible in service; 3 above."""
STORED_TARE_G = 30_000.0
Flow = tuple[int, LotWeighed]


def of_weighing(fact: LotWeighed, refs: References) -> tuple[float, float]:
    """Random variance (g2) and systematic standard uncertainty (g) of a net."""
    body = refs.body("device", fact.device_id, fact.occurred_at)
    e = float(body.get("interval_kg", 20.0)) * 1000
    spread = float(body.get("repeatability_kg", e / 4000)) * 1000
    share = float(body.get("systematic_share", 0.5))
    first, second = STEPS[str(body.get("class", "III"))]
    limits = 0.0
    for load in (fact.gross_g or fact.net_g, fact.tare_g or 0):
        steps = 1 if load <= first * e else 2 if load <= second * e else 3
        limits += (steps * e) ** 2 / 3
    random = limits * (1 - share) + 2 * (e**2 / 12 + spread**2)
    if fact.tare_kind == "stored":
        random += STORED_TARE_G**2
    if fact.u_random_g is not None:
        random = float(fact.u_random_g) ** 2
    systematic = math.sqrt(limits * share)
    if fact.u_systematic_g is not None:
        systematic = float(fact.u_systematic_g)
    return random, systematic


def sigma(flows: Sequence[Flow], refs: References) -> float:
    """Standard uncertainty of a sum of weighings with signs; one bridge's errors add up first."""
    variance = 0.0
    by_device: dict[str, float] = {}
    for sign, fact in flows:
        random, systematic = of_weighing(fact, refs)
        variance += random
        by_device[fact.device_id] = by_device.get(fact.device_id, 0.0) + sign * systematic
    return math.sqrt(variance + sum(u * u for u in by_device.values()))
