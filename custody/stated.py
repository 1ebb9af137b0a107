"""A side of a process that states a wet mass, a dry mass and a moisture: two of them say the third.

The gateway refuses what cannot be true whoever measured it; the books say it by the laboratory of
the side's site, of facts that come another way, too. The two masses count.

Source:
    docs/ledger.md, "Processes"
"""

import math

from custody.metrology import MOISTURE_U_MIN

SIGMAS = 4.0
"""Figures within so many sigma of each other do not contradict."""


def contradicted(
    masses: tuple[int | None, int | None], moisture: float | None, u: tuple[int | None, float]
) -> float | None:
    """Return the dry mass by the moisture, grams, where that contradicts the stated one; else None.

    Args:
        masses: Wet and dry grams as stated.
        moisture: As stated, a fraction of the wet mass.
        u: Of the masses, grams as stated, and of the moisture, a fraction.
    """
    wet, dry = masses
    if not wet or dry is None or moisture is None:
        return None
    by_moisture = wet * (1.0 - moisture)
    doubt = math.hypot((u[0] or 0) / wet, max(u[1], MOISTURE_U_MIN))
    return by_moisture if abs(dry - by_moisture) > SIGMAS * doubt * wet else None
