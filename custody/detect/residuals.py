"""What one lot says of each instrument that measured it, and of each way it went.

A residual is the shift of an instrument's readings of one quantity (of all its readings of the lot
together) that fits best, everything else being as thought: generalised least squares,

    w = V^-1 h / (h' V^-1 h),   residual = w'(values - mean)

with h what a shift of one does to the values (``lot_pattern``). An instrument is so compared with
all others of the lot at once, and its own error does not hide behind theirs. Of a way the residual
is the loss of dry mass on it. What differs from lot to lot and what instruments have in common
over many lots (``shared``) are told apart: the first averages out.

An instrument that is off moves the residuals of those it is compared with, by w'h times as much.
So of what charts suspect the strongest is taken first, then what it leaves of the others
(``cleared``). Residuals themselves are never corrected: charts would then follow each other.

Source:
    A. C. Aitken, On least squares and linear combination of observations, Proc. Roy. Soc. Edinburgh
    55 (1936) 42-48. docs/detection/charts.md
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from custody.detect.kept import Kept
from custody.detect.lot_facts import MASS, MOISTURE, Floats, Model
from custody.detect.lot_layout import Layout
from custody.detect.lot_pattern import Builder, whitening
from custody.detect.mixture import Detector
from custody.detect.pattern_rows import AssayRows, MassRow, MoistureRow, Pattern, ShotRows

U_MAX = 0.2
"""A residual less certain says nothing of an instrument within a year."""

J_MIN = U_MAX**-2 / 100.0
"""Likewise one of which less is known than this, inverse variance, shared errors included."""

KEPT_MAX = 256
"""Patterns whose weights are kept, some 60 kB each."""

INSTRUMENT, WAY = "instrument", "way"
"""Kinds of what has a chart."""

TO = ">"
"""Between the sites of a way."""

CLEAR = 2.0
"""What is left of a suspicion is none within so many of its standard uncertainties."""

SECOND = 4.0
"""Likewise of a composition or a moisture of which a stronger suspicion explains more than one
standard uncertainty: two instruments that drift in one quantity at once are rarer than one whose
size is not known well."""

LABORATORY_REL = 0.85
"""What a laboratory's strength counts beside that of X-ray guns. Where a gun is off, the laboratory
it is compared with looks half as strong as the gun, and the other way round; errors within their
class can bring one to the other's, and of the two it is the gun that drifts more often."""


WAY_REL = 0.85
"""Likewise that of a way beside that of scales at its ends. Of what such a scale reads of one way a
loss on that way looks the same; but a scale is suspected only where it is off on others, too."""


RIVALS_MAX = 4
"""Those who explain most of a residual; so many are told by name."""


class Subject(NamedTuple):
    """Whose residual it is: kind, name (of a way ``from>to``), quantity, of a scale its visit."""

    kind: str
    name: str
    quantity: str
    visit: int = 0


class Shift(NamedTuple):
    """A lasting shift in logarithms, its standard uncertainty, and on how many ways it shows."""

    mean: float
    u: float
    ways: int = 1


class Residual(NamedTuple):
    """A residual in logarithms, its standard uncertainties, and what others explain of it.

    ``rivals`` are those others and how much each explains, the greatest part first.
    """

    value: float
    u: float
    shared: float
    explained: float
    rivals: tuple[tuple[Subject, float], ...] = ()


class _Weights(NamedTuple):
    """By subject S, over n values.

    Attributes:
        subjects: In order.
        mean: Expected values, (n,).
        weights: (S, n).
        u: What differs from lot to lot, (S,).
        shared: What lots have in common, (S,).
        moves: What a shift of one (columns) does to the residual of another (rows), (S, S).
        laboratories: Names of those that wrote certificates.
    """

    subjects: tuple[Subject, ...]
    mean: Floats
    weights: Floats
    u: Floats
    shared: Floats
    moves: Floats
    laboratories: frozenset[str]


_KEPT: Kept[tuple[int, Pattern], _Weights] = Kept(KEPT_MAX)


def residuals(
    detector: Detector, layout: Layout, suspected: Mapping[Subject, Shift]
) -> dict[Subject, Residual]:
    """Return what a lot says of instruments and ways.

    Args:
        detector: What is thought of the lot, without any drift.
        layout: Its readings, laid out by that detector.
        suspected: What charts say at present.
    """
    if not layout.pattern:
        return {}
    found = _weights(detector, layout.pattern)
    values = found.weights @ (layout.values - found.mean)
    _, moves = _clear(found, suspected)
    return {
        subject: Residual(float(value), float(u), float(shared), *_explained(moves, at))
        for at, (subject, value, u, shared) in enumerate(
            zip(found.subjects, values, found.u, found.shared, strict=True)
        )
    }


def _explained(
    moves: Sequence[tuple[Subject, Floats]], at: int
) -> tuple[float, tuple[tuple[Subject, float], ...]]:
    """Return what others explain of a residual, and the greatest parts of that."""
    parts = [(by, float(moved[at])) for by, moved in moves if moved[at]]
    parts.sort(key=lambda one: (-abs(one[1]), one[0]))
    return math.fsum(part for _, part in parts), tuple(parts[:RIVALS_MAX])


def cleared(
    detector: Detector, layout: Layout, suspected: Mapping[Subject, Shift]
) -> dict[Subject, Shift]:
    """Return what is left of suspicions once each is cleared of what stronger ones explain.

    Args:
        detector: As in ``residuals``.
        layout: Likewise.
        suspected: Likewise; what the lot does not tell apart from others is left out.
    """
    if not layout.pattern:
        return {}
    return _clear(_weights(detector, layout.pattern), suspected)[0]


def _clear(
    found: _Weights, suspected: Mapping[Subject, Shift]
) -> tuple[dict[Subject, Shift], list[tuple[Subject, Floats]]]:
    """Return what is left, and by how much each of those moves the residuals that hear of it.

    Of itself, and of what is weaker, a suspicion hears nothing.
    """
    place = {subject: at for at, subject in enumerate(found.subjects)}
    here = [(subject, shift) for subject, shift in suspected.items() if subject in place]
    here = _ranked(here, found.laboratories)
    moved = np.zeros(len(found.subjects))
    open_to = np.ones(len(found.subjects), dtype=np.bool_)
    left: dict[Subject, Shift] = {}
    moves: list[tuple[Subject, Floats]] = []
    for subject, shift in here:
        at = place[subject]
        open_to[at] = False
        rest = shift.mean - float(moved[at])
        if stands(subject.quantity, rest, float(moved[at]), shift.u):
            left[subject] = shift._replace(mean=rest)
            by = found.moves[:, at] * rest
            moved += by
            moves.append((subject, np.where(open_to, by, 0.0)))
    return left, moves


def _ranked(
    here: Sequence[tuple[Subject, Shift]], laboratories: frozenset[str]
) -> list[tuple[Subject, Shift]]:
    """Return suspicions of a lot in the order in which they are taken: the strongest first.

    Of those in one quantity what shows on several ways is one cause in place of one on each: its
    likelihood gains on all of them, so its strength counts root of their number. The lot itself
    sees a single way. Between quantities that would be no comparison.
    """
    # The name settles ties.
    order = sorted(here, key=lambda one: (-_strength(one[0], one[1], laboratories), one[0]))
    alike: dict[str, list[tuple[float, int]]] = {}
    for at, (subject, shift) in enumerate(order):
        counts = _strength(subject, shift, laboratories) * math.sqrt(shift.ways)
        alike.setdefault(subject.quantity, []).append((-counts, at))
    taken = {quantity: iter(sorted(of)) for quantity, of in alike.items()}
    return [order[next(taken[subject.quantity])[1]] for subject, _ in order]


def _strength(subject: Subject, shift: Shift, laboratories: frozenset[str]) -> float:
    """Return how much a suspicion counts among others of the same lot."""
    if subject.kind == WAY:
        share = WAY_REL
    else:
        share = LABORATORY_REL if subject.name in laboratories else 1.0
    return abs(shift.mean) / shift.u * share


def stands(quantity: str, left: float, explained: float, u: float) -> bool:
    """Tell whether what others leave of a suspicion is still one.

    Args:
        quantity: Of what.
        left: What is left, logarithm.
        explained: What stronger suspicions explain.
        u: Standard uncertainty of the suspicion.
    """
    second = quantity != MASS and abs(explained) > u
    return abs(left) > (SECOND if second else CLEAR) * u


def _weights(detector: Detector, pattern: Pattern) -> _Weights:
    return _KEPT.get((detector.name, pattern), lambda: _weighed(detector, pattern))


def _weighed(detector: Detector, pattern: Pattern) -> _Weights:
    built = Builder(detector.model, detector.prior, pattern)
    own, shared = built.covariances(by_visit=True)
    subjects, directions = zip(*_directions(detector, pattern, built), strict=True)
    h = np.array(directions)
    inverse = whitening(own + shared)
    told = (h @ inverse.T) @ inverse
    j = (told * h).sum(axis=1)
    # Of what hardly shows only the u is wanted, to leave it out.
    weights = told / np.maximum(j, J_MIN)[:, None]
    u = np.sqrt(((weights @ own) * weights).sum(axis=1))
    # How far what is usual is from what these lots hold of water, and lose on a road that nobody
    # described, is the same error in all of them; of one lot it counts among what differs, and has
    # its part in the weights as such.
    guessed = ((weights @ built.guesses().T) ** 2).sum(axis=1)
    both = np.sqrt(np.maximum(((weights @ shared) * weights).sum(axis=1), 0.0) + guessed)
    both = _as_in_history(detector.model, pattern, subjects, u, both)
    kept = np.flatnonzero((u <= U_MAX) & (j > J_MIN))
    weights = weights[kept]
    return _Weights(
        tuple([subjects[at] for at in kept]),
        built.mean(),
        weights,
        u[kept],
        both[kept],
        weights @ h[kept].T,
        frozenset([r.laboratory for r in pattern if isinstance(r, MoistureRow | AssayRows)]),
    )


def _as_in_history(
    model: Model, pattern: Pattern, subjects: Sequence[Subject], u: Floats, shared: Floats
) -> Floats:
    """Return what lots have in common, of ways by what their history tells of it.

    Mean errors and the legs' means are of the same lots, of which residuals were zero on average:
    what n lots leave unknown is u/sqrt(n), however badly or well each figure is known by itself.
    That is so where the same instruments measure; of one that is not known nothing follows.
    """
    of = [(MASS, r.scale) for r in pattern if isinstance(r, MassRow)]
    of += [(MASS, r.first_scale) for r in pattern if isinstance(r, MassRow)]
    of += [(MOISTURE, r.laboratory) for r in pattern if isinstance(r, MoistureRow)]
    if not all((name, quantity) in model.errors for quantity, name in of):
        return shared
    legs = dict(zip(map(TO.join, pairwise(model.stations)), model.legs, strict=True))
    n = np.array([legs[one.name].lots if one.kind == WAY else 0 for one in subjects])
    return np.where(n > 0, u / np.sqrt(np.maximum(n, 1)), shared)


def _directions(
    detector: Detector, pattern: Pattern, built: Builder
) -> Iterator[tuple[Subject, Floats]]:
    """Yield whose shift does what to the values; what cancels is left out."""
    model = detector.model
    for number, ends in enumerate(pairwise(model.stations), start=1):
        h = built.since(number) * built.mass
        if h.any():
            yield Subject(WAY, TO.join(ends), MASS), h
    yield from _of_instruments(model.analytes, pattern, built)


def _of_instruments(
    analytes: Sequence[str], pattern: Pattern, built: Builder
) -> Iterator[tuple[Subject, Floats]]:
    found: dict[Subject, Floats] = {}

    def of(name: str, quantity: str, visit: int = 0) -> Floats:
        return found.setdefault(Subject(INSTRUMENT, name, quantity, visit), np.zeros(built.n))

    for at, row in zip(built.at, pattern, strict=True):
        if isinstance(row, MassRow):
            of(row.scale, MASS, row.visit)[at] += 1.0
            of(row.first_scale, MASS, row.first_visit)[at] -= 1.0
        elif isinstance(row, MoistureRow):
            of(row.laboratory, MOISTURE)[at] = 1.0
        elif isinstance(row, ShotRows | AssayRows):
            by = row.device if isinstance(row, ShotRows) else row.laboratory
            for place, analyte in enumerate(row.analytes, start=at.start):
                of(by, analytes[analyte])[place] = 1.0
    yield from ((subject, h) for subject, h in sorted(found.items()) if h.any())
