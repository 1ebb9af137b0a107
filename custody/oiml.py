"""How wrong a scale may be: the limits of error of the OIML recommendations, as data.

A limit in service is what a scale may be wrong by between two verifications; at verification it
must do better (``initial``). Loads of R 76-1 are in verification intervals e, limits too; those of
R 134-1 and R 50-1 are fractions of the load.

Source:
    OIML R 76-1:2006, table 6 and 3.5.2 (non-automatic); R 134-1:2006, 2.2.1.1 (road vehicles in
    motion; R 106-1 has the same percentages for rail); R 50-1:2014, table 1 (belt weighers).
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

NON_AUTOMATIC, IN_MOTION, BELT = "non_automatic", "in_motion", "belt"


class Limit(NamedTuple):
    """Maximum permissible error as a fraction of the load, either sign."""

    initial: float
    in_service: float


R76: Mapping[str, tuple[tuple[float, float], ...]] = {
    "I": ((50_000, 0.5), (200_000, 1.0), (math.inf, 1.5)),
    "II": ((5_000, 0.5), (20_000, 1.0), (100_000, 1.5)),
    "III": ((500, 0.5), (2_000, 1.0), (10_000, 1.5)),
    "IIII": ((50, 0.5), (200, 1.0), (1_000, 1.5)),
}
"""Per class: up to a load, included, this error at verification; no scale has more intervals."""

IN_SERVICE = 2.0
"""In service the permissible error is twice that of verification (R 76-1, 3.5.2)."""

R134: Mapping[str, Limit] = {
    "0.2": Limit(0.0010, 0.0020),
    "0.5": Limit(0.0025, 0.0050),
    "1": Limit(0.0050, 0.0100),
    "2": Limit(0.0100, 0.0200),
    "5": Limit(0.0250, 0.0500),
    "10": Limit(0.0500, 0.1000),
}
"""Vehicle mass, per class."""

R134_IN_SERVICE_INTERVALS = 2.0
"""In service no limit of R 134-1 is less than so many intervals d (one weighing of the vehicle)."""

R50: Mapping[str, Limit] = {name: R134[name] for name in ("0.2", "0.5", "1", "2")}
"""Totalised load of at least the instrument's minimum, per class."""

PERCENT: Mapping[str, Mapping[str, Limit]] = {IN_MOTION: R134, BELT: R50}
"""Principles whose classes are percentages of the load."""

CLASS_DEFAULT: Mapping[str, str] = {NON_AUTOMATIC: "III", IN_MOTION: "2", BELT: "2"}
"""Class of a scale whose class nobody knows, by principle.

III is the class of weighbridges. 2 is the coarsest of R 50-1, and of R 134-1 the coarsest that
goods are commonly sold by: who has a better scale says so and is believed.
"""


def class_of(principle: str, said: str) -> str | None:
    """Return the class that is meant, as its norm writes it; None where the norm has no such class.

    Args:
        principle: ``non_automatic``, ``in_motion`` or ``belt``; any other is none of these.
        said: What reference data says; ``1.0`` means class 1.
    """
    classes = PERCENT.get(principle)
    if classes is None:
        return said if principle == NON_AUTOMATIC and said in R76 else None
    try:
        name = f"{float(said):g}"
    except ValueError:
        return None
    return name if name in classes else None


def r76_in_service(load: float, product_class: str) -> float:
    """Return the permissible error of a non-automatic scale in service.

    The norm ends at the class's greatest load. Beyond it the error is let grow with the load: a
    scale loaded so is not what its reference says (an interval typed in tonnes, a class too
    coarse), and a limit that stood still would make it look ever better.

    Args:
        load: What stands on the scale, intervals e, >= 0. Below Min the first step holds too.
        product_class: I to IIII; any other counts as the default.

    Returns:
        Intervals e.
    """
    steps = R76.get(product_class, R76[CLASS_DEFAULT[NON_AUTOMATIC]])
    for up_to, error in steps:
        if load <= up_to:
            return error * IN_SERVICE
    most, error = steps[-1]
    return error * IN_SERVICE * load / most


def percent_in_service(load: float, principle: str, product_class: str) -> float:
    """Return the permissible error of a scale in motion or a belt in service.

    Args:
        load: Intervals d, >= 0.
        principle: ``in_motion`` or ``belt``.
        product_class: A percentage; any that the norm does not have counts as the default.

    Returns:
        Intervals d.
    """
    classes = PERCENT[principle]
    limit = classes.get(product_class, classes[CLASS_DEFAULT[principle]]).in_service * load
    return max(limit, R134_IN_SERVICE_INTERVALS) if principle == IN_MOTION else limit
