"""Whether more left a place than came because a scale has drifted, not because a load is missing.

A depot weighs a lot in by a scale that reads right, and out by the same scale once it reads high.
The books stay as the tickets have them: what is short is topped up, and found again as unaccounted.
But nobody has to look for a load once the instrument is named.

Source:
    docs/detection/charts.md, "What follows"
"""

import math
from collections.abc import Mapping

from custody.alerts import INSTRUMENT_BIAS, alert_id
from custody.detect.lot_facts import MASS
from custody.estimate import sigma
from custody.lot_rows import PlaceRow
from custody.place import SETTLED_SIGMAS, sum_of
from custody.reference import References

RULE = "overdrawn"


def explained(place: PlaceRow, references: References) -> str | None:
    """Return what explains that a place is overdrawn, in words; None where nothing does.

    Args:
        place: What it holds by its movements, and the weighings in and out.
        references: What charts say of its scales, each as of its weighing.
    """
    more, of_scales, drifts = _beyond(place, references)
    if not drifts:
        return None
    u = math.hypot(sigma(sum_of(place)), *of_scales.values())
    if -place.wet - more > SETTLED_SIGMAS * u:
        return None
    said = "; ".join(
        f"{scale} reads {MASS} {mean:+.2%} "
        f"(alert {alert_id(INSTRUMENT_BIAS, f'instrument/{scale}', None, MASS)})"
        for scale, mean in sorted(drifts.items())
    )
    return f"nothing is left of it without instruments' drifts: {said}"


def _beyond(
    place: PlaceRow, references: References
) -> tuple[float, Mapping[str, float], Mapping[str, float]]:
    """Return how much more went out than came in by drifts alone, grams, by scale its u, and them.

    Of one scale what it read in and out is off alike, and cancels.
    """
    more, of_scales, drifts = 0.0, dict[str, float](), dict[str, float]()
    for flow in place.flows.values():
        for scale in flow.parts:
            for quantity, level in references.drifts(f"instrument/{scale}", flow.at):
                if quantity == MASS:
                    grams = -flow.sign * flow.grams
                    more -= grams * math.expm1(-level.mean)
                    of_scales[scale] = of_scales.get(scale, 0.0) + grams * level.u
                    drifts[scale] = level.mean
    return more, of_scales, drifts
