"""Bad XRF shots, found before anything else is computed: a shot must agree with its neighbours.

Two shots of one series differ by counting error and heterogeneity alone, so

    Q = sum over analytes of (ln a - ln b)^2 / (var a + var b)

is chi-square with as many degrees of freedom as analytes that both report, one of them at least
above detection (the other counts as at its limit); beyond the quantile at ``ALPHA`` they disagree.
Kept is the closest pair and every shot that agrees with all
that is kept. Where no two agree, the one nearest to what is known otherwise of the lot is kept,
and where nothing is known, none: which of them is bad cannot be told.

A bad shot is never clipped or down-weighted: it says nothing of the lot.

Source:
    docs/detection/shot-gate.md
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np

from custody.detect import threshold
from custody.detect.lot_facts import Bools, Floats, Ints

ALPHA = 1.25e-4
"""Chance that two honest shots disagree."""


class Why(StrEnum):
    """Reason for which a shot is not used."""

    DISAGREES = "disagrees"
    """Others agree with each other and not with it."""
    FURTHER = "further"
    """No two agree, and another is nearer to what is known otherwise."""
    UNDECIDED = "undecided"
    """No two agree, and nothing tells which is right."""


class Reference(NamedTuple):
    """What is known of a lot without the series, for where no two shots agree.

    Attributes:
        ln: Expected logarithm by analyte, NaN where unknown.
        var: Variance of each.
        common_var: Variance of what all analytes share.
    """

    ln: Floats
    var: Floats
    common_var: float


class Dropped(NamedTuple):
    """A shot that is not used.

    Attributes:
        number: Which of the series, from 0.
        why: Reason.
        statistic: Q to the kept shot it agrees with least; where none is kept, to the nearest.
        limit: What Q must not exceed.
        degrees: Degrees of freedom of Q.
    """

    number: int
    why: Why
    statistic: float
    limit: float
    degrees: int


class Gated(NamedTuple):
    """Indices of the shots that are used, in order, and the others with their reason."""

    kept: tuple[int, ...]
    dropped: tuple[Dropped, ...]


def distances(ln: Floats, var: Floats, below: Bools | None = None) -> tuple[Floats, Floats]:
    """Return Q and its degrees of freedom of every pair of shots.

    Args:
        ln: Logarithms of fractions, shape (..., shots, analytes); NaN is not seen.
        var: Variance of one shot, same shape.
        below: Where ``ln`` is a limit of detection that the shot is below, same shape.

    Returns:
        Two arrays of shape (..., pairs), pairs in the order of ``itertools.combinations``.
    """
    a, b = _pairs(ln.shape[-2])
    q = (ln[..., a, :] - ln[..., b, :]) ** 2 / (var[..., a, :] + var[..., b, :])
    if below is not None:
        q[below[..., a, :] & below[..., b, :]] = np.nan
    seen = ~np.isnan(q)
    return np.where(seen, q, 0.0).sum(axis=-1), seen.sum(axis=-1).astype(np.float64)


def agreeing(q: Floats, degrees: Floats) -> Bools:
    """Return which pairs agree, by their Q and its degrees of freedom; nothing shared agrees."""
    return q <= _limits(int(degrees.max(initial=0.0)))[degrees.astype(np.int64)]


def all_agree(ln: Floats, var: Floats, ends: tuple[int, ...], below: Bools | None = None) -> bool:
    """Tell whether all shots of all series agree with those of their own series.

    Args:
        ln: Logarithms of fractions, all series in turn, shape (shots, analytes).
        var: Variance of one shot, same shape.
        ends: Where each series ends.
        below: As in ``distances``.
    """
    a, b = _pairs_within(ends)
    if not len(a):
        return True
    d = ln[a] - ln[b]
    q = d * d / (var[a] + var[b])
    if below is not None:
        q[below[a] & below[b]] = np.nan
    seen = q == q  # noqa: PLR0124  # a NaN is not itself
    degrees = np.add.reduce(seen, axis=1)
    if degrees.min() < seen.shape[1]:
        q = np.where(seen, q, 0.0)
    return bool((np.add.reduce(q, axis=1) <= _limits(seen.shape[1])[degrees]).all())


def limit(degrees: int) -> float:
    """Return the Q that two honest shots exceed with probability ``ALPHA``."""
    return threshold.chi2_quantile(ALPHA, degrees) if degrees else 0.0


def gate(
    ln: Floats, var: Floats, reference: Reference | None = None, below: Bools | None = None
) -> Gated:
    """Return which shots of a series are used.

    Args:
        ln: Logarithms of fractions, shape (shots, analytes); NaN is not seen.
        var: Variance of one shot, same shape.
        reference: What is known of the lot without this series.
        below: As in ``distances``.
    """
    shots = len(ln)
    if shots < 2:
        return Gated(tuple(range(shots)), ())
    q, degrees = distances(ln, var, below)
    agree = agreeing(q, degrees)
    if agree.all():
        return Gated(tuple(range(shots)), ())
    pairs = list(combinations(range(shots), 2))
    table = {
        pair: (float(q[at]), int(degrees[at]), bool(agree[at])) for at, pair in enumerate(pairs)
    }
    kept, why = _kept(table, shots), Why.DISAGREES
    if not kept:
        if below is not None and reference is not None:
            # Of what is said to be below its limit anyway, a limit says nothing.
            ln = np.where(below & (ln > reference.ln), np.nan, ln)
        kept, why = _nearest(ln, var, reference)
    return Gated(kept, tuple(_dropped(i, why, kept, table) for i in range(shots) if i not in kept))


@lru_cache(maxsize=64)
def _limits(most: int) -> Floats:
    return np.array([limit(degrees) for degrees in range(most + 1)])


@lru_cache(maxsize=256)
def _pairs_within(ends: tuple[int, ...]) -> tuple[Ints, Ints]:
    starts = (0, *ends[:-1])
    both = [
        pair for a, b in zip(starts, ends, strict=True) for pair in combinations(range(a, b), 2)
    ]
    pairs = np.array(both, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _pairs(shots: int) -> tuple[Sequence[int], Sequence[int]]:
    both = list(combinations(range(shots), 2))
    return [a for a, _ in both], [b for _, b in both]


def _kept(table: dict[tuple[int, int], tuple[float, int, bool]], shots: int) -> tuple[int, ...]:
    """Return the closest pair and all that agree with it and each other; empty where none does."""
    # By degrees: a pair that shares few analytes is not close for that.
    order = sorted(table, key=lambda pair: (table[pair][0] / max(table[pair][1], 1), pair))
    first = next((pair for pair in order if table[pair][2] and table[pair][1]), None)
    if first is None:
        return ()
    kept = list(first)
    joined = sorted(set(range(shots)) - set(first), key=lambda i: _total(i, first, table))
    for i in joined:
        if all(table[min(i, j), max(i, j)][2] for j in kept):
            kept.append(i)
    return tuple(sorted(kept))


def _total(
    i: int, others: Sequence[int], table: dict[tuple[int, int], tuple[float, int, bool]]
) -> tuple[float, int]:
    return sum(table[min(i, j), max(i, j)][0] for j in others), i


def _nearest(ln: Floats, var: Floats, reference: Reference | None) -> tuple[tuple[int, ...], Why]:
    if reference is None:
        return (), Why.UNDECIDED
    far = [_distance(x, v, reference) for x, v in zip(ln, var, strict=True)]
    if all(np.isinf(far)):
        return (), Why.UNDECIDED
    return (int(np.argmin(far)),), Why.FURTHER


def _distance(ln: Floats, var: Floats, reference: Reference) -> float:
    """Return the mean squared distance per analyte, what all share taken out by its variance."""
    d = ln - reference.ln
    w = 1.0 / (var + reference.var)
    seen = ~np.isnan(d * w)
    if not seen.any():
        return float("inf")
    d, w = d[seen], w[seen]
    wd = float(w @ d)
    common = reference.common_var / (1.0 + reference.common_var * float(w.sum()))
    return (float(w @ (d * d)) - common * wd * wd) / len(d)


def _dropped(
    i: int,
    why: Why,
    kept: tuple[int, ...],
    table: dict[tuple[int, int], tuple[float, int, bool]],
) -> Dropped:
    others = [j for pair in table if i in pair for j in pair if j != i]
    pairs = [table[min(i, j), max(i, j)] for j in kept or others]
    # One kept shot that it contradicts is the reason, however well it agrees with another.
    worst = max if kept else min
    q, degrees, _ = worst(pairs, key=lambda pair: pair[0] / max(limit(pair[1]), 1.0))
    return Dropped(i, why, q, limit(degrees), degrees)
