"""Gross errors: which single fault explains best what measurements miss their constraints by.

A fault shifts r by its size b times a known direction f over the constraints: a biased measurement
by its column of A, a leak at a node by minus the rows of that node. Of each, by least squares,

    b = f' S^-1 r / f' S^-1 f          u(b)^2 = 1 / f' S^-1 f
    T = (f' S^-1 r)^2 / f' S^-1 f      what b takes off the global test statistic

T is the generalised likelihood ratio: chi-square with one degree of freedom when there is no fault.
Faults whose directions are parallel where it counts are one test, and nothing measured here tells
them apart. Of m tests the best is judged by ``several``.

Source:
    S. Narasimhan, R. S. H. Mah, AIChE Journal 33 (1987) 1514. docs/detection/network.md.
"""

import math
from typing import NamedTuple

import numpy as np

from custody.detect import several, threshold
from custody.detect.network import VISIBLE, Bools, Floats, Solved

ALIKE = 1e-7
"""Directions closer than this angle, in radians, are parallel."""


class Ratio(NamedTuple):
    """Likelihood ratios of faults (f), each by itself.

    Attributes:
        size: Best-fitting size, in the unit of the fault.
        u: Its standard uncertainty.
        seen: The constraints can tell this fault from none; else size and u are not numbers.
        group: Number of the test a fault belongs to, from 0; -1 where it is not ``seen``.
    """

    size: Floats
    u: Floats
    seen: Bools
    group: tuple[int, ...]

    @property
    def tests(self) -> int:
        """How many tests these are: faults that cannot be told apart are one."""
        return max(self.group, default=-1) + 1


def ratios(solved: Solved, directions: Floats) -> Ratio:
    """Return the likelihood ratio of each fault.

    Args:
        solved: A reconciliation.
        directions: One column per fault: the shift of A y - b per unit of its size (m, f).
    """
    shown = solved.whiten @ directions
    length = np.sqrt((shown**2).sum(axis=0))
    bound = np.sqrt(((np.abs(solved.whiten) @ np.abs(directions)) ** 2).sum(axis=0))
    seen: Bools = length > VISIBLE * bound
    u = np.divide(1.0, length, out=np.full_like(length, np.nan), where=seen)
    return Ratio((solved.score @ shown) * u**2, u, seen, _groups(shown * u, seen))


def _groups(units: Floats, seen: Bools) -> tuple[int, ...]:
    """Number the faults' tests in the order of their first faults."""
    numbers = np.full(len(seen), -1)
    firsts: list[int] = []
    for fault in np.flatnonzero(seen):
        for number, first in enumerate(firsts):
            sign = np.sign(units[:, fault] @ units[:, first])
            if np.linalg.norm(units[:, fault] - sign * units[:, first]) < ALIKE:
                numbers[fault] = number
                break
        else:
            numbers[fault] = len(firsts)
            firsts.append(int(fault))
    return tuple(numbers.tolist())


def p_two_sided(z: float) -> float:
    """Return the chance that a standard normal is further from zero than z."""
    return min(1.0, 2.0 * math.pow(10.0, -threshold.minus_log10_normal(abs(z))))


def p_chi2(statistic: float, degrees: int) -> float:
    """Return the chance of a larger chi-square value; 1 with no degree of freedom."""
    # What one fault explains is taken off: where it explains all, rounding may leave less than 0.
    squares = max(0.0, statistic)
    return math.pow(10.0, -threshold.minus_log10_chi2(squares, degrees)) if degrees else 1.0


def limit(alpha: float, tests: int) -> float:
    """Return the z that the largest of ``tests`` passes with probability ``alpha``, two-sided."""
    return threshold.normal_quantile(several.each(alpha, tests) / 2.0)


def smallest_detectable(u: float, alpha: float, tests: int) -> float:
    """Return the size that is found with probability 0.9 at level ``alpha``."""
    return (limit(alpha, tests) + threshold.normal_quantile(1.0 - threshold.POWER)) * u
