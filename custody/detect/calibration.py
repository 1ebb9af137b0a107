"""Everything that must be estimated, from a history declared clean.

A fit is a function of the lots alone, whatever their order. The limit is judged with several fits,
each from part of the lots, so that no lot is judged by what it has told.

Source:
    docs/detection/calibrate.md; detection.md section 2
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody.detect import calibration_limit
from custody.detect.calibration_fit import Fit, fit
from custody.detect.calibration_limit import LimitFound
from custody.detect.calibration_lots import Lot
from custody.detect.calibration_records import Bodies, Thoughts, bodies_of, with_limit
from custody.detect.calibration_robust import Effect

FOLDS = 5
"""Parts of a history, each judged by the others. With two, half the lots would tell less than all,
be widened more and find a limit that all of them pass too often."""


class Calibrated(NamedTuple):
    """A fit, and what the history says of the limit."""

    fit: Fit
    limit: LimitFound

    def bodies(self, known: Bodies, date: str) -> dict[tuple[str, str], dict[str, object]]:
        """Return the bodies of the records to be written, by kind and id.

        Args:
            known: Records there are.
            date: Day of the newest fact.
        """
        made = bodies_of(self.fit, known, date)
        made["detection", "lot"] = with_limit(made["detection", "lot"], self.limit)
        return made


def calibrate(
    lots: Sequence[Lot], checks: Mapping[tuple[str, str], Effect], known: Bodies
) -> Calibrated:
    """Return what a history tells.

    Args:
        lots: Lots of the history, bad ones left out as far as they are known.
        checks: What check weights and reference materials said.
        known: Reference records there are, by kind and id.
    """
    ordered = sorted(lots, key=lambda lot: lot.lot_id)
    whole = fit(ordered, checks)
    if len(ordered) < calibration_limit.LOTS_MIN:
        thoughts = Thoughts(known, bodies_of(whole, known))
        greatest = [calibration_limit.last_ln_e(lot, thoughts.of(lot)) for lot in ordered]
    else:
        greatest = _judged_by_the_others(ordered, checks, known)
    return Calibrated(whole, calibration_limit.limit_of([lot.lot_id for lot in ordered], greatest))


def _judged_by_the_others(
    lots: Sequence[Lot], checks: Mapping[tuple[str, str], Effect], known: Bodies
) -> list[float]:
    """Return the greatest ln E of every lot, by what the lots of other parts tell."""
    found = [0.0] * len(lots)
    for fold in range(FOLDS):
        others = [lot for number, lot in enumerate(lots) if number % FOLDS != fold]
        thoughts = Thoughts(known, bodies_of(fit(others, checks), known))
        # What depends on the way is kept for the next lot on it.
        mine = sorted(range(fold, len(lots), FOLDS), key=lambda number: lots[number].begins)
        for number in mine:
            thought = thoughts.of(lots[number])
            found[number] = calibration_limit.greatest_ln_e(lots[number], thought)
    return found
