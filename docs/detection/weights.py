"""What the mixture thinks before anything is measured, for the scripts beside this one."""

import math

FOREIGN, FREE = "foreign_material", (0.03, 0.08, 0.2)  # and the deviations of a free change
# Weight in transit and its usual sizes, weight at the origin and its usual sizes.
FAMILIES = {
    "loss": (0.15, (0.01, 0.07), 0.0, (0, 1)),
    "gain": (0.03, (0.01, 0.07), 0.0, (0, 1)),
    "water": (0.10, (0.01, 0.15), 0.0, (0, 1)),
    "water_falsified": (0.02, (0.07, 0.40), 0.0, (0, 1)),
    "waste": (0.08, (0.01, 0.25), 0.02, (0.10, 0.60)),
    FOREIGN: (0.48, (0.02, 0.40), 0.055, (0.10, 1.0)),
}
SIZES = (0.01, 0.014, 0.02, 0.03, 0.045, 0.07, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0)


def shift(family: str, x: float, ratios: list) -> list:
    """Return what a size does to dry mass, dry share, what is said of that, and analytes."""
    if family == FOREIGN:
        return [0, 0, 0, *(math.log1p(x * math.expm1(ratio)) for ratio in ratios)]
    ln = math.log1p(x if family == "gain" else -min(x, 0.6))
    water = family in ("water", "water_falsified")
    first = [ln * (family != "waste"), ln * water, -ln * (family == "water_falsified")]
    return [*first, *[ln * (family == "waste") for _ in ratios]]


def where(alert: dict, onset: dict) -> tuple[float, bool]:
    """Return which share of the legs an onset may begin on, and whether at the origin."""
    origin = alert["way"][0] in onset["stations"]
    return (len(onset["stations"]) - origin) / max(len(alert["way"]) - 1, 1), origin


def over(sizes: tuple, usual: tuple) -> list:
    """Return weights of sizes that add up to one, of those that are not usual a tenth."""
    raw = [1.0 if usual[0] <= x <= usual[1] else 0.1 for x in sizes]
    return [one / sum(raw) for one in raw]


def directions(alert: dict, onset: dict) -> list:
    """Return (family, other site, size, weight, shift) of all that may begin at an onset."""
    found, (legs, origin) = [], where(alert, onset)
    for family, (weight, usual, weight_0, usual_0) in FAMILIES.items():
        sites = alert["other_sites"] if family == FOREIGN else [{"ln_ratios": alert["shifts"][3:]}]
        sizes = SIZES if family == FOREIGN else SIZES[:-1]
        for site in sites:
            for x, p, p_0 in zip(sizes, over(sizes, usual), over(sizes, usual_0), strict=True):
                w = (weight * p * legs + weight_0 * p_0 * origin) / len(sites)
                if w > 0:
                    found.append((family, site, x, w, shift(family, x, site["ln_ratios"])))
    return found


def free_weight(alert: dict, onset: dict) -> float:
    """Return the weight of a free change; where no site is known it is foreign material's too."""
    (legs, origin), alone = where(alert, onset), not alert["other_sites"]
    return (0.045 + 0.48 * alone) * legs + (0.02 + 0.055 * alone) * origin
