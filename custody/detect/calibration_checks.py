"""What scales, laboratories and XRF instruments say of what is known: check weights, materials.

A fact without a lot (a weighing with purpose ``check``, a shot or certificate of a reference
material) is compared with what the instrument's record says it was made on: ``check_kg``, masses
of check weights, of which the nearest is meant; ``check_fractions``, grades of the material.

Source:
    docs/detection/calibrate.md
"""

import math
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from custody.bodies import within
from custody.detect.calibration_robust import Effect, trimmed, widened
from custody.detect.lot_facts import MASS
from custody.events import LotAssayed, LotFact, LotScanned, LotWeighed

CHECKS_MIN = 3
"""With fewer checks nothing is said of an instrument."""

NEAR_LN = 0.05
"""How far a reading may be from a check weight and be of it, as a logarithm."""

GRADE_LN = 0.5
"""Likewise of a reference material."""

U_MIN = 1e-5

Bodies = Mapping[tuple[str, str], Mapping[str, object]]
"""Reference records by kind and id."""


class _Check(NamedTuple):
    ln: float
    own_u: float
    rounded: float = 0.0


def checked(facts: Iterable[LotFact], bodies: Bodies) -> dict[tuple[str, str], Effect]:
    """Return mean errors of instruments, by instrument and quantity.

    Args:
        facts: Those of a history; what is about a lot says nothing here.
        bodies: Records of devices and laboratories.
    """
    found: dict[tuple[str, str], list[_Check]] = {}
    for fact in facts:
        if fact.lot_id is None:
            for name, check in _checks(fact, bodies):
                found.setdefault(name, []).append(check)
    return {
        name: _effect(checks) for name, checks in sorted(found.items()) if len(checks) >= CHECKS_MIN
    }


def _effect(checks: list[_Check]) -> Effect:
    rounded = float(np.median([check.rounded for check in checks]))
    kept = trimmed(np.array(sorted(check.ln for check in checks)), rounded)
    of_mean = kept.var / kept.n * widened(kept.n - 1)
    u = math.sqrt(of_mean + max(check.own_u for check in checks) ** 2)
    return Effect(kept.mean, max(u, U_MIN), kept.n)


def _checks(fact: LotFact, bodies: Bodies) -> list[tuple[tuple[str, str], _Check]]:
    match fact:
        case LotWeighed(device_id=device, purpose="check", net_g=net) if net > 0:
            known = bodies.get(("device", device), {})
            weight = _nearest(net / 1e3, known.get("check_kg"))
            if weight is None:
                return []
            u = _positive(known.get("check_u_rel"))
            # Gross and tare, or zero, are rounded each. The net is too few values to show how.
            rounded = _positive(known.get("interval_kg")) / weight / math.sqrt(6.0)
            return [((device, MASS), _Check(math.log(net / 1e3 / weight), u, rounded))]
        case LotScanned(device_id=device):
            told = {one.analyte: one.fraction for one in fact.results}
            return _grades(device, told, bodies.get(("device", device), {}))
        case LotAssayed(lab_id=lab):
            told = {one.analyte: one.fraction for one in fact.results}
            return _grades(lab, told, bodies.get(("laboratory", lab), {}))
        case _:
            return []


def _grades(
    instrument: str, told: Mapping[str, float | None], known: Mapping[str, object]
) -> list[tuple[tuple[str, str], _Check]]:
    material = known.get("check_fractions")
    if not isinstance(material, Mapping):
        return []
    u = _positive(known.get("check_u_rel"))
    found = []
    for analyte, value in sorted(told.items()):
        there = _positive(material.get(analyte))
        if value and there and abs(math.log(value / there)) <= GRADE_LN:
            found.append(((instrument, analyte), _Check(math.log(value / there), u)))
    return found


def _nearest(mass_kg: float, weights: object) -> float | None:
    """Return the check weight that a reading is of; None where there is none near it."""
    known = [_positive(one) for one in weights] if isinstance(weights, list) else []
    near = [one for one in known if one and abs(math.log(mass_kg / one)) <= NEAR_LN]
    return min(near, key=lambda one: abs(math.log(mass_kg / one)), default=None)


def _positive(value: object) -> float:
    return within(value, 0.0, sys.float_info.max)
