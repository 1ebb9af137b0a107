"""What the e-value of a lot follows from, as an alert says it: its sums can be done again from it.

Names are those of ``schemas/avsc/alert.avsc``. Shifts are of natural logarithms, in the order that
``Information.shifts`` names; a symmetric matrix is its lower triangle, row by row.

Source:
    docs/detection/mixture.md, "The sums again"
"""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that may have happened: a family, where it began, on which trip, whose material.

    ``stations``: measurements do not tell apart which of them came first. ``movement_id`` is None
    for all of the lot, ``site_id`` where no other site's material is in it.
    """

    family: str
    stations: tuple[str, ...]
    movement_id: str | None
    site_id: str | None
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """What all measurements say of a shift that begins at one of some stations.

    ``score`` is u'z and ``information`` u'u, with u what a shift does to the standardised
    innovations z.
    """

    stations: tuple[str, ...]
    probability: float
    score: tuple[float, ...]
    information: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TripOnset:
    """The same of the dry mass of one trip, which is the ``number``-th to its station, from 1."""

    movement_id: str
    station: str
    number: int
    probability: float
    score: float
    information: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSite:
    """A site that foreign material may be from.

    ``ln_ratios`` is by analyte ln of its mean over the lot's, 0 where either is unknown, at most
    6 either way. ``spread`` is the covariance of ln c of its lots, none where it is hardly in
    question, or has no room.
    """

    site_id: str
    probability: float
    ln_ratios: tuple[float, ...]
    spread: tuple[float, ...]


class Information(NamedTuple):
    """What an e-value follows from.

    Attributes:
        causes: What may have happened, the most probable first: that is the one named.
        way: Sites along the lot's way, the origin first.
        shifts: What may be shifted: dry mass, dry share, what the oven says of that, analytes.
        onsets: Of the whole lot.
        trips: Of single trips.
        other_sites: The library without the lot's own.
        own_spread: Covariance of ln c of a lot of its origin.
    """

    causes: tuple[Cause, ...] = ()
    way: tuple[str, ...] = ()
    shifts: tuple[str, ...] = ()
    onsets: tuple[Onset, ...] = ()
    trips: tuple[TripOnset, ...] = ()
    other_sites: tuple[OtherSite, ...] = ()
    own_spread: tuple[float, ...] = ()


NO_INFORMATION = Information()
