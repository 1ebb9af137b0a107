"""The pattern of a lot's measurements: what was measured where, with what and how well.

Lots measured alike share a pattern, and with it all that costs. Uncertainties are taken to the
nearest step of a tenth (``STEP``), so that lots on the same instruments do share it.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Floats

STEP = 0.1
"""Logarithmic step of uncertainties in a pattern."""
TOGETHER = 1.1
"""Factor within which the u of a certificate's grades count as equal."""
U_MIN, U_MAX = 1e-5, 3.0
"""Uncertainties are taken into this range; what is not a number counts as the widest."""


class MassRow(NamedTuple):
    """A weighing relative to the first of its part; uncertainties in steps.

    ``first_visit`` and ``visit`` number the visits to the scales (``lot_visits``).
    """

    part: str
    first: int
    first_scale: str
    first_u: int
    first_scale_u: int
    station: int
    scale: str
    u: int
    scale_u: int
    first_visit: int = 0
    visit: int = 0


class MoistureRow(NamedTuple):
    """A moisture as ln(1 - moisture)."""

    station: int
    laboratory: str
    u: int
    laboratory_u: int


class ShotRows(NamedTuple):
    """The mean of the shots of an instrument at a station; ``u`` is of one shot, by analyte.

    ``alone`` is a shot that no other agrees with: nothing vouches for it.
    """

    station: int
    device: str
    dry: bool
    shots: int
    analytes: tuple[int, ...]
    u: tuple[int, ...]
    alone: bool = False


class AssayRows(NamedTuple):
    """A certificate."""

    station: int
    laboratory: str
    dry: bool
    analytes: tuple[int, ...]
    u: tuple[int, ...]
    laboratory_u: int


Rows = MassRow | MoistureRow | ShotRows | AssayRows
Pattern = tuple[Rows, ...]


def numbered(pattern: Pattern) -> tuple[Pattern, tuple[str, ...]]:
    """Return a pattern with its instruments numbered as they come, and their names in that order.

    Lots that are measured alike by other instruments of the same kind have one pattern so.
    """
    numbers: dict[str, str] = {}

    def of(name: str) -> str:
        return numbers.setdefault(name, str(len(numbers)))

    rows: list[Rows] = []
    for row in pattern:
        match row:
            case MassRow():
                rows.append(row._replace(first_scale=of(row.first_scale), scale=of(row.scale)))
            case MoistureRow(station, laboratory, u, laboratory_u):
                rows.append(MoistureRow(station, of(laboratory), u, laboratory_u))
            case ShotRows(station, device, dry, shots, analytes, us, alone):
                rows.append(ShotRows(station, of(device), dry, shots, analytes, us, alone))
            case AssayRows(station, laboratory, dry, analytes, us, laboratory_u):
                rows.append(AssayRows(station, of(laboratory), dry, analytes, us, laboratory_u))
    return tuple(rows), tuple(numbers)


@lru_cache(maxsize=4096)
def snapped(u: float) -> int:
    """Return an uncertainty in steps; what is not a number counts as the widest."""
    # Written so that a NaN ends at the widest.
    return round(math.log(max(u, U_MIN) if u <= U_MAX else U_MAX) / STEP)


def snapped_together(us: Sequence[float]) -> tuple[int, ...]:
    """Return uncertainties in steps; those about as great as the middle one as that.

    A certificate says a u for each analyte. About equal ones on both sides of the border of a step
    made two of them unlike each other for nothing.
    """
    # In this order a NaN counts as the widest.
    us = [min(U_MAX, u) for u in us]
    middle = sorted(us)[len(us) // 2]
    low, high = middle / TOGETHER, middle * TOGETHER
    steps = snapped(middle)
    return tuple([steps if low <= u <= high else snapped(u) for u in us])


def unsnapped(steps: int) -> float:
    """Return the uncertainty that steps stand for."""
    return math.exp(steps * STEP)


def unsnapped_all(steps: tuple[int, ...]) -> Floats:
    """Return the uncertainties that steps stand for."""
    return np.exp(np.array(steps) * STEP)
