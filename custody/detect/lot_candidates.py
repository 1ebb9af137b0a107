"""All that may have happened to a lot and has a size: each with what its measurements say of that.

What takes or adds shifts along one line by ln(1 - x) or ln(1 + x), so score and information of that
line are all it needs, and where more has gone than the grid of sizes has they say how much;
material of another site needs the spread of both sites (``lot_foreign``). A change of composition
that has no direction has no size, and is not among them.

Source:
    docs/detection/mixture.md, "What is said of it"
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Floats
from custody.detect.lot_families import (
    AT_ORIGIN,
    IN_TRANSIT,
    PLAIN,
    SIZE_MAX,
    USUAL_AT_ORIGIN,
    USUAL_IN_TRANSIT,
    WASTE_MAX,
    Family,
    shift,
)
from custody.detect.lot_fit import WASTE_LN, Expected
from custody.detect.lot_foreign import Material, Seen, expected, fitted, ln_lr, materials, seen
from custody.detect.lot_pattern import COMPOSITION, Onset, Prepared
from custody.detect.lot_sizes import SIZE_LEAST, Sizes, refined
from custody.detect.mixture import PARTS_SHARE, Detector

MASS_FAMILIES = (Family.LOSS, Family.GAIN)
"""Families that may be confined to one part."""

FEW = 24
"""Sizes that tell which sites are out of the question."""

OUT_OF_QUESTION = 40.0
"""How far below the best a site's ln LR is that counts as none: 10^17 times less likely."""

BEYOND_LN_MAX = 14.0
"""Greatest shift along one line that is believed, either way: a part in a million is left."""

What = tuple[Family, Onset, str | None]
"""Family, where it began, and whose material it is."""


class Candidates(NamedTuple):
    """Things that may have happened, sized by one grid; H of them.

    Attributes:
        causes: What they are.
        sizes: What the measurements say of their sizes.
        ln: ln(weight x mean LR), (H,).
        size: From the number of one to its size and the u of that.
        moved: From the number of one to what it adds to z, at its size.
        makes: From the number of one to what it makes of ln c, at its best size; None where they
            are of the mass or of water.
    """

    causes: Sequence[What]
    sizes: Sizes
    ln: Floats
    size: Callable[[int], tuple[float, float]]
    moved: Callable[[int], Floats]
    makes: Callable[[int], Expected] | None


def candidates(detector: Detector, prepared: Prepared, z: Floats) -> list[Candidates]:
    """Return all that may have happened to a lot and has a size.

    Args:
        detector: The one that has judged it.
        prepared: What the lot's pattern makes of the model.
        z: Innovations of its values.
    """
    waste, others = (Family.WASTE,), tuple(f for f in PLAIN if f is not Family.WASTE)
    found = [
        _lines(detector, prepared, z, others, SIZE_MAX),
        _lines(detector, prepared, z, waste, WASTE_MAX),
    ]
    for at_origin in (True, False) if detector.directions.sites else ():
        material = materials(detector, at_origin=at_origin)
        for onset, u in zip(prepared.onsets, prepared.u, strict=True):
            if (onset.stations[0] == 0) is at_origin:
                found.append(_foreign(detector, material, onset, u[:, COMPOSITION:], z))
    return found


def _lines(
    detector: Detector, prepared: Prepared, z: Floats, families: Sequence[Family], most: float
) -> Candidates:
    """Return what shifts along one line up to a size, of the whole lot and of single parts."""
    causes: list[What] = []
    rows: list[Floats] = []
    for onset, u in zip(prepared.onsets, prepared.u, strict=True):
        causes += [(plain, onset, None) for plain in families]
        rows += [u @ _line(plain, u.shape[1]) for plain in families]
    of_parts = [family for family in families if family in MASS_FAMILIES]
    for onset, u in zip(prepared.parts, prepared.part_u, strict=True):
        causes += [(of_mass, onset, None) for of_mass in of_parts]
        rows += [u for _ in of_parts]
    row = np.array(rows).reshape(-1, len(z))
    score, information = row @ z, (row * row).sum(axis=1)
    sign = np.array([1.0 if family is Family.GAIN else -1.0 for family, _, _ in causes])

    def ln_lr_at(sizes: Floats) -> Floats:
        d = np.log1p(sign[:, None] * sizes)
        return np.asarray(d * score[:, None] - 0.5 * d * d * information[:, None])

    def size(number: int) -> tuple[float, float]:
        beyond = None
        if causes[number][0] is not Family.WASTE:
            line = float(score[number]), float(information[number])
            beyond = _beyond(float(sign[number]), *line, most)
        return beyond or sizes.of([number]).mean()

    def moved(number: int) -> Floats:
        return np.asarray(np.log1p(sign[number] * size(number)[0]) * row[number])

    makes = _thinned(detector, score, information) if Family.WASTE in families else None
    sizes = refined(ln_lr_at, len(causes), most)
    several, ln = bool(prepared.parts), np.full(len(causes), -np.inf)
    for family in dict.fromkeys(one for one, _, _ in causes):
        mine = [number for number, what in enumerate(causes) if what[0] is family]
        weights = [_weights(detector, family, causes[no][1], several=several) for no in mine]
        ln[mine] = _ln_of(family, sizes.of(mine), np.array(weights).reshape(-1, 2))
    return Candidates(causes, sizes, ln, size, moved, makes)


def _thinned(detector: Detector, score: Floats, information: Floats) -> Callable[[int], Expected]:
    """Return what waste makes of ln c at the size that fits best, by the number of a candidate."""

    def makes(number: int) -> Expected:
        n = len(detector.model.analytes)
        best = score[number] / information[number] if information[number] else 0.0
        change = np.full(n, max(best, WASTE_LN))
        at_most = change <= WASTE_LN
        return Expected(change, np.zeros((n, n)), np.ones(n, np.bool_), at_most, even=True)

    return makes


def _beyond(
    sign: float, score: float, information: float, most: float
) -> tuple[float, float] | None:
    """Return size and u of a shift along one line; None where the grid has the size.

    The ln(1 - x) that fits best is score / information, normal with the root of 1 / information.
    Of waste no more is told than the grid has: what is below detection may be anything.
    """
    if information <= 0.0:
        return None
    kept = math.exp(min(max(score / information, -BEYOND_LN_MAX), BEYOND_LN_MAX))
    size = sign * (kept - 1.0)
    return (size, kept / math.sqrt(information)) if size > most else None


def _line(family: Family, columns: int) -> Floats:
    """Return what a family shifts for each unit of ln(1 - x), or of ln(1 + x), (C,)."""
    half = shift(family, np.array([0.5]), columns - COMPOSITION)[0]
    return np.asarray(half / np.log1p(0.5 if family is Family.GAIN else -0.5))


def _foreign(
    detector: Detector, material: Material, onset: Onset, u: Floats, z: Floats
) -> Candidates:
    """Return material of every other site from one onset on."""
    told: Seen = seen(u, z)
    sites = detector.directions.sites
    asked = _in_question(material, told)
    sizes = refined(partial(ln_lr, material.of(asked), told=told), len(asked), 1.0)

    def size(number: int) -> tuple[float, float]:
        return sizes.of([number]).mean()

    def moved(number: int) -> Floats:
        mine = material.of([asked[number]])
        return np.asarray(u @ fitted(mine, sizes.of([number]).best(), told))

    def makes(number: int) -> Expected:
        return expected(material.of([asked[number]]), sizes.of([number]).best())

    weights = _weights(detector, Family.FOREIGN, onset, several=False) / len(sites)
    ln = _ln_of(Family.FOREIGN, sizes, np.tile(weights, (len(asked), 1)))
    causes = [(Family.FOREIGN, onset, sites[no]) for no in asked]
    return Candidates(causes, sizes, ln, size, moved, makes)


def _in_question(material: Material, told: Seen) -> list[int]:
    """Return the sites that are not out of the question, by a few sizes of each.

    Between the sizes the greatest ln LR lies about as far above those beside it as that of a
    parabola through them; twice as far is allowed.
    """
    few = np.geomspace(SIZE_LEAST, 1.0, FEW)
    ln = ln_lr(material, np.tile(few, (len(material.ratio), 1)), told)
    middle = np.clip(ln.argmax(axis=1), 1, FEW - 2)
    a, b, c = (ln[np.arange(len(ln)), middle + by] for by in (-1, 0, 1))
    bent = 2.0 * b - a - c
    above = np.where(bent > 0.0, (c - a) ** 2 / (8.0 * np.where(bent > 0.0, bent, 1.0)), 0.0)
    reached = np.maximum(b + 2.0 * above, ln.max(axis=1))
    return [int(no) for no in np.flatnonzero(reached >= ln.max(initial=0.0) - OUT_OF_QUESTION)]


def _weights(detector: Detector, family: Family, onset: Onset, *, several: bool) -> Floats:
    """Return what is thought of a family at an onset: in transit, and at the origin, (2,).

    As E has it, sizes added up; ``several`` where parts have names.
    """
    legs = max(len(detector.model.legs), 1)
    if onset.part is not None:
        each = PARTS_SHARE / (onset.number * (onset.number + 1) * legs)
        return np.array([IN_TRANSIT[family] * each, 0.0])
    in_transit = IN_TRANSIT[family] * sum(station > 0 for station in onset.stations) / legs
    both = np.array([in_transit, AT_ORIGIN.get(family, 0.0) * (0 in onset.stations)])
    return both * (1.0 - PARTS_SHARE) if several and family in MASS_FAMILIES else both


def _ln_of(family: Family, sizes: Sizes, weights: Floats) -> Floats:
    """Return ln(weight x mean LR) of things of one family, (H,)."""
    shares = weights[:, :1] * sizes.shares(USUAL_IN_TRANSIT[family])
    if family in USUAL_AT_ORIGIN:
        shares += weights[:, 1:] * sizes.shares(USUAL_AT_ORIGIN[family])
    return sizes.ln_sum(shares)
