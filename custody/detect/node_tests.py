"""The tests of a process node: what came out against what went in, at the measured figures.

    r = out - in          for dry mass (physical kinds) and each metal
    S                     its covariance: parts of one source count together, on both sides
    global   r'S^-1 r     over all balances that are whole, chi-square
    single   r_i / root of S_ii

Where everything that leaves is measured a balance is *whole*, and tested both ways. Where a part of
it is not (the tailings of a separation, its slag), more out than in is still impossible: such a
balance is tested that way only. What does not separate has one composition: where only some of its
outputs were assayed, all that leaves counts as having theirs.

Of m tests the best is judged by 1 - (1 - p)^m.

Source:
    docs/detection/process-nodes.md
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from custody.detect import several, threshold
from custody.detect.network import Bools, Floats
from custody.detect.node_facts import Node, Stream, is_weighed

ANALYTES_MAX = 12
"""Metals tested; of more, those that are known best."""


class Balance(NamedTuple):
    """One balance.

    Attributes:
        analyte: None for dry mass.
        into: Grams, or milligrams of metal.
        out_of: The same.
        u: Standard uncertainty of out minus in.
        whole: All that leaves is measured; else only more out than in says anything.
    """

    analyte: str | None
    into: float
    out_of: float
    u: float
    whole: bool

    @property
    def z(self) -> float:
        """Out minus in over its u."""
        return (self.out_of - self.into) / self.u

    @property
    def minus_log10_p(self) -> float:
        """Minus the decimal logarithm of p: two-sided where whole, else of more out than in."""
        if not self.whole:
            return threshold.minus_log10_normal(self.z)
        return max(threshold.minus_log10_normal(abs(self.z)) - math.log10(2.0), 0.0)


class Tested(NamedTuple):
    """What the tests say.

    Attributes:
        balances: Dry mass first, then metals by name.
        statistic: Of the global test; zero where there are not two whole balances.
        degrees: Its degrees of freedom; zero likewise.
        value: Minus the decimal logarithm of p, of the best of all tests.
        tests: How many they were.
    """

    balances: tuple[Balance, ...]
    statistic: float
    degrees: int
    value: float
    tests: int


def examined(node: Node) -> Tested | None:
    """Test a node; None where nothing measured can be balanced."""
    if not node.inputs or not node.outputs or not all(is_weighed(s.dry) for s in node.inputs):
        return None
    with np.errstate(all="ignore"):
        rows = _rows(node)
        if not rows:
            return None
        covariance = _covariance(rows, node)
        u = np.sqrt(np.diag(covariance))
        if not (np.isfinite(u).all() and (u > 0.0).all()):
            return None
        balances = tuple(
            Balance(row.analyte, row.into, row.out_of, float(sigma), row.whole)
            for row, sigma in zip(rows, u, strict=True)
        )
        statistic, degrees = _global(balances, covariance)
    return _judged(balances, statistic, degrees)


def _judged(balances: tuple[Balance, ...], statistic: float, degrees: int) -> Tested:
    values = [one.minus_log10_p for one in balances]
    if degrees > 1:
        values.append(threshold.minus_log10_chi2(statistic, degrees))
    value = several.adjusted_log10(max(values), len(values))
    return Tested(balances, statistic, degrees, value, len(values))


def _global(balances: Sequence[Balance], covariance: Floats) -> tuple[float, int]:
    """Return the statistic of all whole balances together; zero where it cannot be had."""
    at = [number for number, one in enumerate(balances) if one.whole]
    if len(at) < 2:
        return 0.0, 0
    u = np.array([balances[n].u for n in at])
    z = np.array([balances[n].z for n in at])
    spread, vectors = np.linalg.eigh(covariance[np.ix_(at, at)] / np.outer(u, u))
    if not np.isfinite(spread).all():
        return 0.0, 0
    # Balances that say the same (one laboratory, nothing else) are one.
    kept = spread > 1e-9 * spread[-1]
    shown = vectors[:, kept].T @ z
    return float((shown**2 / spread[kept]).sum()), int(kept.sum())


class _Row(NamedTuple):
    """One balance, linear in the errors.

    Attributes:
        analyte: None for dry mass.
        into: As in ``Balance``.
        out_of: Likewise.
        whole: Likewise.
        by: What a gram more of each stream does to out minus in, (streams).
        own: Variance of the grades' own errors.
        parts: Contribution by source.
    """

    analyte: str | None
    into: float
    out_of: float
    whole: bool
    by: Floats
    own: float
    parts: dict[str, float]


def _rows(node: Node) -> list[_Row]:
    streams = [*node.inputs, *node.leaving]
    found: list[_Row] = []
    if node.conserves_mass:
        counted = np.array([is_weighed(one.dry) for one in streams])
        found.append(_row(None, node, streams, counted, whole=node.is_whole))
    ranked = sorted(_analytes(node), key=lambda a: (_u_rel(node, a), a))
    for analyte in sorted(ranked[:ANALYTES_MAX]):
        counted = np.array([analyte in one.grades for one in streams])
        whole = node.is_whole and (bool(counted.all()) or not node.separating)
        if whole or node.separating:
            found.append(_row(analyte, node, streams, counted, whole=whole))
    return found


def _analytes(node: Node) -> set[str]:
    """Return metals that all inputs have, and some output."""
    into = set.intersection(*(set(one.grades) for one in node.inputs))
    return into & {a for one in node.outputs for a in one.grades}


def _u_rel(node: Node, analyte: str) -> float:
    """Return how badly a metal is known where it goes in, as a mean."""
    some = [one.grades[analyte] for one in node.inputs]
    return math.fsum(math.sqrt(g.var) / g.value for g in some) / len(some)


def _row(
    analyte: str | None, node: Node, streams: Sequence[Stream], counted: Bools, *, whole: bool
) -> _Row:
    """Return a balance; of what does not separate the assayed streams speak for all.

    Args:
        analyte: None for dry mass.
        node: The process.
        streams: Its inputs, then what leaves.
        counted: Which of them are measured.
        whole: See ``Balance``.
    """
    masses = np.array([one.dry.value for one in streams])
    sign = np.where(np.arange(len(streams)) < len(node.inputs), -1.0, 1.0)
    if analyte is None:
        grades, factors = np.where(counted, 1.0, 0.0), sign
    else:
        some = [one.grades.get(analyte) for one in streams]
        grades = np.array([0.0 if one is None else one.value for one in some])
        factors = np.where(counted, sign, 0.0)
        if not node.separating:
            grades, factors = _alike(masses, grades, sign, counted)
    by = sign * grades
    into, leaving = sign < 0.0, sign > 0.0
    row = _Row(
        analyte,
        math.fsum((masses * grades)[into]),
        math.fsum((masses * grades)[leaving]),
        whole,
        by,
        0.0,
        {},
    )
    own = _parts(row, analyte, streams, (by, factors * masses))
    return row._replace(own=own)


def _alike(masses: Floats, grades: Floats, sign: Floats, counted: Bools) -> tuple[Floats, Floats]:
    """Return what a gram of each stream counts and what its grade does, where outputs are alike.

    Mass that is not assayed has the mean grade of what is, which the assayed masses weigh.
    """
    assayed, leaving = counted & (sign > 0.0), sign > 0.0
    mass = math.fsum(masses[assayed])
    factor = math.fsum(masses[leaving]) / mass
    mean = math.fsum((masses * grades)[assayed]) / mass
    spread = np.where(assayed, mean + factor * (grades - mean), mean)
    return np.where(leaving, spread, grades), np.where(
        leaving, np.where(assayed, factor, 0.0), sign
    )


def _parts(
    row: _Row, analyte: str | None, streams: Sequence[Stream], weights: tuple[Floats, Floats]
) -> float:
    """Add the parts of masses and grades by source; return the variance of the grades' own."""
    own, parts = 0.0, row.parts
    by_mass, by_grade = (one.tolist() for one in weights)
    for one, mass, weight in zip(streams, by_mass, by_grade, strict=True):
        for source, part in one.dry.parts.items():
            parts[source] = parts.get(source, 0.0) + mass * part
        grade = None if analyte is None or not weight else one.grades.get(analyte)
        if grade is None:
            continue
        own += weight * weight * grade.var
        for source, part in grade.parts.items():
            parts[source] = parts.get(source, 0.0) + weight * part
    return own


def _covariance(rows: Sequence[_Row], node: Node) -> Floats:
    var = np.array([one.dry.var for one in (*node.inputs, *node.leaving)])
    by = np.array([row.by for row in rows])
    sources = sorted({source for row in rows for source in row.parts})
    shared = np.array([[row.parts.get(source, 0.0) for source in sources] for row in rows])
    own = np.diag([row.own for row in rows])
    return np.asarray((by * var) @ by.T + shared @ shared.T + own)
