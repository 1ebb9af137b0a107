"""The pattern of a lot's measurements: what was measured where, with what and how well.

Lots measured alike share a pattern, and with it all that costs. Uncertainties are taken to the
nearest step of a tenth (``STEP``), so that lots on the same instruments do share it.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Floats

STEP = 0.1
"""Logarithmic step of uncertainties in a pattern."""
U_MIN, U_MAX = 1e-5, 3.0
"""Uncertainties are taken into this range; what is not a number counts as the widest."""


class MassRow(NamedTuple):
    """A weighing relative to the first of its part; uncertainties in steps."""

    part: str
    first: int
    first_scale: str
    first_u: int
    first_scale_u: int
    station: int
    scale: str
    u: int
    scale_u: int


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


@lru_cache(maxsize=4096)
def snapped(u: float) -> int:
    """Return an uncertainty in steps; what is not a number counts as the widest."""
    # Written so that a NaN ends at the widest.
    return round(math.log(max(u, U_MIN) if u <= U_MAX else U_MAX) / STEP)


def unsnapped(steps: int) -> float:
    """Return the uncertainty that steps stand for."""
    return math.exp(steps * STEP)


def unsnapped_all(steps: tuple[int, ...]) -> Floats:
    """Return the uncertainties that steps stand for."""
    return np.exp(np.array(steps) * STEP)
