"""What a lot was before the fraud that is suspected of it: the dry mass that left, and its grades.

The books go by what was measured last, and that may be what somebody put in its place. What is
expected of the lot before that follows from readings in the order of the way, the first k of them:

    ln c = prior + P u'z        P: covariance of the origin's fingerprint
                                u: what a change from the first station on adds to z

Of what was exchanged k ends where the fraud began: a certificate from before it counts most, else
shots of then, else the fingerprint. What was taken or watered is still the same ore, so all
readings count, without what the fraud adds to z. The moisture likewise.

Source:
    docs/detection/severity.md, "Of the test of a lot"
"""

import math
from collections.abc import Sequence

import numpy as np

from custody.detect.lot_asked import Asked
from custody.detect.lot_facts import Floats
from custody.detect.lot_families import Family
from custody.detect.lot_pattern import COMPOSITION, DRY_SHARE
from custody.detect.lot_suspicion import Suspicion
from custody.detect.mixture import Detector
from custody.worth import Sent

SAME_ORE = frozenset({Family.LOSS, Family.GAIN, Family.WATER, Family.WATER_FALSIFIED})
"""Families that leave its composition as it was."""


def sent_of(judge: Detector, found: Suspicion, asked: Asked) -> Sent:
    """Return what a lot, or the trip that is suspected, was when it left.

    Args:
        judge: The detector that has judged it.
        found: What it says.
        asked: What it was asked.
    """
    model, prepared = judge.model, found.ground.prepared
    seen = next((no for no, onset in enumerate(prepared.onsets) if 0 in onset.stations), None)
    ln_dry_share, u_dry_share = model.dry_share
    ln_c = judge.prior.mean
    if seen is not None:
        z = _as_sent(found, asked.thought.stations)
        score = prepared.u[seen, : len(z)].T @ z
        ln_dry_share += u_dry_share**2 * float(score[DRY_SHARE])
        ln_c = ln_c + judge.prior.covariance @ score[COMPOSITION:]
    begin, grams = _weighed(found, asked)
    ln_dry_share += sum(leg.drying for leg in model.legs[:begin])
    known = {one.quantity for one in found.contributions}
    known.update(() if model.origin is None else model.origin.analytes)
    grades = np.exp(np.minimum(ln_c, 0.0)).tolist()
    return Sent(
        None if grams is None else grams * math.exp(min(ln_dry_share, 0.0)),
        {a: c for a, c in zip(model.analytes, grades, strict=True) if a in known},
        least=not found.named.part and found.named.family is not Family.GAIN,
    )


def _as_sent(found: Suspicion, stations: Sequence[str]) -> Floats:
    """Return the innovations that tell what the lot was, the first ones of all."""
    if found.named.family in SAME_ORE:
        return np.asarray(found.ground.z - [one.shift for one in found.contributions])
    first = stations.index(found.named.stations[0])
    before = [one for one in found.contributions if stations.index(one.station) < first]
    return found.ground.z[: len(before)]


def _weighed(found: Suspicion, asked: Asked) -> tuple[int, float | None]:
    """Return the leg on which the fraud began, and what left on it, net grams.

    Of a leg that was weighed at one end only, or not at all, the loads of that on which most left.
    """
    named, stations = found.named, asked.thought.stations
    ends: dict[str, dict[int, float]] = {}
    for one in [one for one in asked.readings.weighings if 0.0 < one.net < math.inf]:
        ends.setdefault(one.part, {})[stations.index(one.station)] = one.net
    left: dict[int, float] = {}
    for part, masses in ends.items():
        if not named.part or part == named.part:
            left[min(masses)] = left.get(min(masses), 0.0) + masses[min(masses)]
    begin = max(stations.index(named.stations[0]) - 1, 0)
    if begin in left or not left:
        return begin, left.get(begin)
    begin = max(left, key=lambda leg: left[leg])
    return begin, left[begin]
