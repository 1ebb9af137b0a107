"""What the rounding of scales and laboratories alone makes of a difference between two of them.

Instruments show it themselves: all that one displays are multiples of its interval. Reference data
often has none, and laboratories have none there.

Source:
    docs/detection/calibrate.md
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from custody.detect.calibration_lots import Dried, Lot, Weighed, dried, weighed
from custody.detect.calibration_robust import rounding

READINGS = 2.0
"""Of a net mass: gross and tare."""


class Rounding(NamedTuple):
    """Standard uncertainties by rounding.

    Attributes:
        scales: Of one reading of each, in the unit of its nets.
        laboratories: Of one moisture of each, a fraction of the wet mass.
    """

    scales: dict[str, float]
    laboratories: dict[str, float]

    def of_trip(self, trip: Weighed) -> float:
        """Return u of ln(net there / net here)."""
        both = zip(trip.scales, trip.net, strict=True)
        return math.sqrt(READINGS * sum((self.scales[name] / net) ** 2 for name, net in both))

    def of_moistures(self, here: Dried, there: Dried) -> float:
        """Return u of the difference of two fractions."""
        return math.hypot(self.laboratories[here.laboratory], self.laboratories[there.laboratory])


def rounding_of(lots: Sequence[Lot]) -> Rounding:
    """Return what all readings of lots show of their instruments."""
    nets: dict[str, list[float]] = {}
    fractions: dict[str, list[float]] = {}
    for lot in lots:
        for trip in weighed(lot):
            for name, net in zip(trip.scales, trip.net, strict=True):
                nets.setdefault(name, []).append(net)
        for one in dried(lot):
            fractions.setdefault(one.laboratory, []).append(one.fraction)
    return Rounding(
        {name: rounding(seen) for name, seen in nets.items()},
        {name: rounding(seen) for name, seen in fractions.items()},
    )
