"""Whether the material that a cause names is what was measured since it began.

Probabilities compare what can be named. Barren rock, or ore of a mine in no library, is none of
that, and of what is wrong the least wrong would be certain. So the change of ln c since the onset,
whatever it is, is set against the one that the cause makes at its best size:

    c = J^-1 g         change that fits best, covariance J^-1
    T = e'S^-1 e       e = c - d0,  S = J^-1 + Q

with score g and information J of the analytes seen since, d0 and Q mean and spread of what the
cause makes of them (``lot_foreign``; Q = 0 of waste). If it is the cause, T is chi-square with as
many degrees of freedom as analytes. Only what is measured counts: an analyte below detection of
which the cause leaves less, one that it changes by the most it can say or more, and one that
either site is not known for are left out.

Source:
    docs/detection/mixture.md, "What fits nothing known"
"""

import math
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Bools, Floats
from custody.detect.lot_families import WASTE_MAX
from custody.detect.threshold import chi2_quantile

FIT_MIN = 1e-9
"""Chance of a T as great of the true cause below which a cause is not named.

Models are not exact: where all u are half as great again as thought, of twelve analytes the true
cause is still named in 99 of 100 lots.
"""


WASTE_LN = math.log1p(-WASTE_MAX)
"""Change of every ln c by the most waste that is told from less; more is no contradiction."""

ROUNDS = 4
"""How often the share of waste is sought again where that changes which limits it contradicts."""


class Expected(NamedTuple):
    """What a cause makes of ln c, at its best size.

    Attributes:
        change: Mean, (analytes,).
        spread: Covariance, (analytes, analytes).
        known: Analytes of which it says something.
        at_most: Analytes it changes by the most that can be said; more is no contradiction.
        even: It changes all alike, by however much it takes.
    """

    change: Floats
    spread: Floats
    known: Bools
    at_most: Bools
    even: bool = False


class Fit(NamedTuple):
    """How far a cause is from what was measured.

    Attributes:
        value: T.
        analytes: How many were compared: its degrees of freedom.
        worst: Index of the analyte that is furthest off; -1 where none was compared.
        z: How far: change seen beyond the expected one, over the deviation of their difference.
    """

    value: float
    analytes: int
    worst: int
    z: float

    @property
    def is_bad(self) -> bool:
        """Whether the true cause hardly ever is so far off."""
        return self.analytes > 0 and self.value > chi2_quantile(FIT_MIN, self.analytes)


FITS = Fit(0.0, 0, -1, 0.0)
"""Of a cause that nothing measured contradicts or bears out."""


def fit(u: Floats, z: Floats, expected: Expected, below: Bools) -> Fit:
    """Return how far a cause is from what was measured.

    Args:
        u: What a shift of each ln c does to the standardised values, (n, analytes).
        z: The values, (n,).
        expected: What the cause makes of ln c.
        below: Analytes with a reading below detection.
    """
    seen = np.flatnonzero((u != 0.0).any(axis=0))
    covariance = np.linalg.inv(u[:, seen].T @ u[:, seen])
    c = covariance @ (u[:, seen].T @ z)
    s = covariance + expected.spread[np.ix_(seen, seen)]
    change, at_most = expected.change[seen], expected.at_most[seen]
    found: list[Fit] = []
    for _ in range(ROUNDS if expected.even else 1):
        off = c - change
        silent = (below[seen] & (off > 0.0)) | (at_most & (off * np.sign(change) > 0.0))
        told = np.flatnonzero(expected.known[seen] & ~silent)
        if not len(told):
            return FITS
        inverse = np.linalg.inv(s[np.ix_(told, told)])
        value = float(off[told] @ inverse @ off[told])
        apart = off[told] / np.sqrt(np.diag(s)[told])
        worst = int(np.abs(apart).argmax())
        found.append(Fit(value, len(told), int(seen[told[worst]]), float(apart[worst])))
        weight = inverse.sum(axis=0)
        change = np.full(len(seen), max(float(weight @ c[told] / weight.sum()), WASTE_LN))
        at_most = change <= WASTE_LN
    return min(found, key=lambda one: one.value - chi2_quantile(FIT_MIN, one.analytes))
