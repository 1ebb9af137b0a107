"""What processes said of a material that they handed over, all of it together."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody import metrology
from custody.estimate import Estimate, over, relative, total
from custody.held import Held
from custody.process import held_estimates, unmeasured


class Handed(NamedTuple):
    """What processes said of a material: dry share and grades in relative form, attributes.

    ``expected`` are the analytes that nobody had measured in all of it.
    """

    dryness: Estimate
    grades: Mapping[str, Estimate]
    attributes: Mapping[str, int]
    expected: frozenset[str]


def handed_over(given: Sequence[Held]) -> Handed | None:
    """Return what processes said of the material they handed over; water alone has no dry share.

    None where no mass was handed over, or less than nothing.
    """
    known = [held_estimates(held) for held in given]
    wet, dry = (total(masses) for masses in zip(*[(k.wet, k.dry) for k in known], strict=True))
    if wet.value <= 0.0 or dry.value < 0.0:
        return None
    share = over(relative(dry), relative(wet))
    # A relative u of nothing says nothing.
    parts = {**share.parts, metrology.MOISTURE: math.sqrt(share.var)} if dry.value else {}
    grades: dict[str, Estimate] = {}
    for analyte in sorted({name for held in given for name in held.metals}):
        metal = total(one.metals[analyte] for one in known if analyte in one.metals)
        grades[analyte] = _handed_grade(metal, dry)
    amounts: dict[str, int] = {}
    for held in given:
        for key, value in held.carried.attributes.items():
            amounts[key] = amounts.get(key, 0) + value
    attributes = dict(sorted(amounts.items()))
    # Water is known to hold none.
    expected = frozenset(unmeasured(given)) if dry.value else frozenset[str]()
    return Handed(Estimate(dry.value / wet.value, 0.0, parts), grades, attributes, expected)


def _handed_grade(metal: Estimate, dry: Estimate) -> Estimate:
    """Return the grade of what was handed over: milligrams in grams, a fraction."""
    if metal.value <= 0.0 or dry.value <= 0.0:
        return Estimate(0.0, 0.0, {})
    grade = over(relative(metal), relative(dry))
    return grade._replace(value=metal.value / dry.value / 1000.0)
