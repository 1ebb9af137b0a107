"""What a side of a process states of itself, and whether that can be."""

import math
from collections.abc import Sequence

from custody.events import MaterialProcessed
from tests.support.oracle.known import U_MOISTURE, U_MOISTURE_MIN
from tests.support.oracle.refs import References

SIGMAS = 4


def differs(side: MaterialProcessed, refs: References) -> bool:
    """Whether its two masses are another moisture than the one beside them."""
    wet, dry, said = side.mass_wet_g, side.mass_dry_g, side.moisture_fraction
    if not wet or dry is None or said is None:
        return False
    lab = ("laboratory", side.site_id, side.occurred_at)
    u = max(refs.number(*lab, "moisture_u", U_MOISTURE) or U_MOISTURE, U_MOISTURE_MIN)
    return abs(1 - dry / wet - said) > SIGMAS * math.hypot(u, (side.u_mass_g or 0) / wet)


def most_named(sides: Sequence[MaterialProcessed]) -> str | None:
    """The kind that most sides name, of equals the first by name; None where there are none."""
    names = [side.kind for side in sides]
    return min(names, key=lambda name: (-names.count(name), name), default=None)
