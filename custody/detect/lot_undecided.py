"""Water or barren material: whether anything measured of a lot tells which of the two it is.

Either makes less of every analyte in wet ore by the same share, and neither changes what the truck
weighs. Shots as is read ln c + ln(1 - w): of the two directions their rows are the same, so the
likelihoods are equal and only what was thought beforehand would choose. A moisture sees water, a
grade of dried material sees barren rock; an oven that may have been told what to say sees neither.
Where so little tells that the less probable is still no less than ``UNDECIDED`` of both, both are
said, with what would tell.

Source:
    docs/detection/mixture.md, "Water or barren material"
"""

from collections.abc import Sequence
from typing import NamedTuple

from custody.detect.lot_facts import MOISTURE
from custody.detect.lot_families import Family
from custody.detect.lot_suspicion import Suspicion

WATER_OR_WASTE = "water_or_waste"
"""Family of an alert that cannot say which of the two it is."""

WATERED = frozenset({Family.WATER, Family.WATER_FALSIFIED})

UNDECIDED = 0.05
"""Least share of the less probable of the two; odds of 19 to 1 and more decide."""


class Undecided(NamedTuple):
    """Two things that may have happened alike.

    Attributes:
        water: Probability of water, with honest moisture or falsified, among all families.
        waste: Likewise of barren material.
        would_tell: The measurement that tells them apart, in words.
    """

    water: float
    waste: float
    would_tell: str

    @property
    def both(self) -> float:
        """Probability that it is one of the two."""
        return min(self.water + self.waste, 1.0)

    def sentence(self) -> str:
        """Return what an alert says of it."""
        return (
            f", water or barren material (probability {self.water:.2f} and {self.waste:.2f}): "
            f"nothing measured tells which, {self.would_tell} would"
        )


def undecided(found: Suspicion, stations: Sequence[str]) -> Undecided | None:
    """Return the two where a lot's measurements do not choose; None where they do.

    Args:
        found: What its e-value says.
        stations: Sites along its way.
    """
    if found.named.family not in {*WATERED, Family.WASTE}:
        return None
    water = sum(p for family, p in found.families if family in WATERED)
    waste = sum(p for family, p in found.families if family is Family.WASTE)
    if min(water, waste) < UNDECIDED * (water + waste):
        return None
    return Undecided(water, waste, _would_tell(found, stations))


def _would_tell(found: Suspicion, stations: Sequence[str]) -> str:
    """Return the measurement that tells: where the lot was seen last, of what it still lacks."""
    begin = stations.index(found.named.stations[0])
    since = [one for one in found.contributions if stations.index(one.station) >= begin]
    last = max((stations.index(one.station) for one in since), default=len(stations) - 1)
    oven = any(one.quantity == MOISTURE for one in since)
    moisture = "an umpire's moisture" if oven else "a moisture"
    return f"{moisture} or grades of a dried sample at {stations[last]}"
