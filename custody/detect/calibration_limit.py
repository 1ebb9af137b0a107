"""The e-value that one clean lot in a thousand ever passes, from the history itself.

A lot's greatest E is taken over its life: it is judged after every fact that says something of it,
on its way as far as it was known then. Beyond the hundredth greatest of a hundred lots ln E is
thought to fall off exponentially, which a mean of many excesses tells better than the rank of the
one lot in a thousand.

Source:
    docs/detection/calibrate.md; Coles: An Introduction to Statistical Modeling of Extreme Values
    (2001), chapter 4.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from custody.detect.calibration_lots import Lot
from custody.detect.lot_asked import AS_IS
from custody.detect.lot_facts import Readings
from custody.detect.lot_model import Thought, detector
from custody.detect.mixture import ALPHA

LOTS_MIN = 3_000
"""With fewer lots the limit is the proved one."""

TAIL = 0.01
"""Share of lots whose excess tells how fast ln E falls off."""

DOUBTED_MAX = 0.05
"""With a greater share of lots beyond the proved limit the history is not clean."""

LN_E_LEAST = 0.0


class LimitFound(NamedTuple):
    """What a history says of the limit.

    Attributes:
        threshold: E; None where the proved limit stays.
        basis: Why, in words.
        lots: Clean lots it rests on.
        doubted: Lots beyond the proved limit; they are not counted among the clean ones.
    """

    threshold: float | None
    basis: str
    lots: int
    doubted: tuple[str, ...]


def limit_of(lot_ids: Sequence[str], greatest: Sequence[float]) -> LimitFound:
    """Return the calibrated limit.

    Args:
        lot_ids: Lots of the history.
        greatest: ln E each has ever had.
    """
    proved = -math.log(ALPHA)
    doubted = tuple(name for name, ln_e in zip(lot_ids, greatest, strict=True) if ln_e >= proved)
    clean = np.sort([ln_e for ln_e in greatest if ln_e < proved])
    n = len(clean)
    if n < LOTS_MIN:
        why = f"proved: {n} clean lots are too few to calibrate, {LOTS_MIN} are needed"
        return LimitFound(None, why, n, doubted)
    if len(doubted) > DOUBTED_MAX * len(lot_ids):
        why = f"proved: {len(doubted)} of {len(lot_ids)} lots are doubted, the history is not clean"
        return LimitFound(None, why, n, doubted)
    tail = clean[-max(int(n * TAIL), 1) :]
    begin = float(tail[0])
    # The chance of ALPHA is ln(TAIL / ALPHA) mean excesses beyond the beginning of the tail.
    ln_e = begin + float((tail - begin).mean()) * math.log(TAIL / ALPHA)
    ln_e = min(max(ln_e, LN_E_LEAST), proved)
    return LimitFound(math.exp(ln_e), f"one clean lot in {round(1 / ALPHA):,} ever", n, doubted)


def greatest_ln_e(lot: Lot, thought: Thought) -> float:
    """Return the greatest ln E of a lot's life.

    Args:
        lot: The lot.
        thought: What is thought of it; its whole way.
    """
    greatest = 0.0
    for readings in _life(lot):
        stations = _as_far(thought, readings)
        if stations:
            cut = thought._replace(
                stations=thought.stations[:stations], legs=thought.legs[: stations - 1]
            )
            greatest = max(greatest, detector(cut).judge(readings).ln_e)
    return greatest


def last_ln_e(lot: Lot, thought: Thought) -> float:
    """Return ln E of all that was measured of a lot."""
    return detector(thought).judge(lot.readings).ln_e


def _life(lot: Lot) -> list[Readings]:
    """Return a lot's readings after each fact that adds one; a trip counts from its second end."""
    place = {event_id: number for number, event_id in enumerate(lot.order)}

    def at(event_id: str) -> int:
        return place.get(event_id.removesuffix(AS_IS), len(place))

    ends: dict[str, int] = {}
    for weighing in lot.readings.weighings:
        ends[weighing.part] = max(ends.get(weighing.part, 0), at(weighing.event_id))
    weighings = [(ends[w.part] if w.part else at(w.event_id), w) for w in lot.readings.weighings]
    moistures = [(at(m.event_id), m) for m in lot.readings.moistures]
    shots = [(at(s.event_id), s) for s in lot.readings.shots]
    assays = [(at(a.event_id), a) for a in lot.readings.assays]
    times = {known for known, _ in (*weighings, *moistures, *shots, *assays)}
    return [
        Readings(
            weighings=tuple(w for known, w in weighings if known <= now),
            moistures=tuple(m for known, m in moistures if known <= now),
            shots=tuple(s for known, s in shots if known <= now),
            assays=tuple(a for known, a in assays if known <= now),
        )
        for now in sorted(times)
    ]


def _as_far(thought: Thought, readings: Readings) -> int:
    """Return how many stations are known of: up to the last at which anything was measured."""
    seen = {one.station for one in readings.weighings}
    seen.update(one.station for one in readings.moistures)
    seen.update(one.station for one in readings.shots)
    seen.update(one.station for one in readings.assays)
    known = [number for number, name in enumerate(thought.stations) if name in seen]
    return known[-1] + 1 if known else 0
