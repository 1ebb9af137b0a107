"""Moistures that say nothing of a lot: nothing in moist ore, and what is drier than can be.

Source:
    docs/detection/mixture.md, "A moisture that is wrong"
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from custody.detect.lot_facts import Leg

MOIST = 0.02
"""Material that usually holds this much water is never without any: a moisture of exactly nothing
then says that the sample had been dried, or that nobody measured it."""

DRIER_U = 5.0
"""How much drier a moisture may be than one before it, in u of their difference, the road's drying
taken off. Of honest moistures one in three million is drier still. Where the drying is known as
well as the moistures are, a gain explains too little of five u to alarm."""


class Dried(NamedTuple):
    """A moisture on the way.

    Attributes:
        station: Number of the station.
        ln_dry: ln(1 - moisture), the laboratory's known mean error taken off.
        laboratory: Who measured it.
        u: Its own u, of ln_dry.
        shared: That of the laboratory.
    """

    station: int
    ln_dry: float
    laboratory: str
    u: float
    shared: float


def is_measured(moisture: float | None, usual: float) -> bool:
    """Tell whether a moisture says that somebody measured it.

    Args:
        moisture: As the certificate says it, a fraction; None where it does not.
        usual: Moisture of such material where nobody measured it.
    """
    return moisture is not None and (moisture > 0.0 or usual < MOIST)


def is_drier(before: Dried, one: Dried, legs: Sequence[Leg]) -> bool:
    """Tell whether a moisture is drier than the way makes what was measured before it.

    Nothing that is done to a lot makes it drier: it is a slip. Taken for drying in part, it would
    make a gain of the mass that did not fall with the water.

    Args:
        before: At a station before; at the same one or after, nothing is drier.
        one: The moisture.
        legs: All legs of the way.
    """
    between = legs[before.station : one.station]
    if not between:
        return False
    drier = one.ln_dry - before.ln_dry - sum(leg.drying for leg in between)
    same = one.laboratory == before.laboratory
    shared = (one.shared - before.shared,) if same else (one.shared, before.shared)
    u = math.hypot(one.u, before.u, *shared, *(leg.drying_u for leg in between))
    return drier > DRIER_U * u
