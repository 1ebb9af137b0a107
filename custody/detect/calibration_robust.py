"""Estimates that a few bad lots do not move, and that say how little few lots tell.

Source:
    docs/detection/calibrate.md; Huber, Ronchetti: Robust Statistics, 2nd ed. (2009), 5.1 for the
    median absolute deviation; OIML R 76-1 for the form of a scale interval.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special  # type: ignore[import-untyped]  # it ships no types

from custody.detect.lot_facts import Bools, Floats, Ints, Known
from custody.detect.threshold import chi2_quantile

CUT = 3.5
"""What is further from the middle, in deviations, is not used: one normal value in 2,000."""

TRIMMED_MIN = 5
"""With fewer values nothing is told from anything, and all are used."""

ROUNDS = 4
U_MIN = 1e-5
FIRM = 1e-9
"""Deviation of what is held in place: the instruments that others are measured by."""

DEGREES_MIN = 2.0
TAIL = 1e-3
"""How rare, both sides together, a value is that few lots must not make less rare."""

ALIKE_MIN = 3
"""Fewer variances say nothing of how far they differ."""

DAY_US = 86_400_000_000
BLOCK_LOTS = 5
"""Lots that a stretch of time must have to say what an instrument was like then."""

VARIES = 0.01
"""Chance that an instrument which never changes counts as one that does."""

SHOWN_SHARE = 0.9
"""Of an instrument's values, whole multiples of its interval: somebody types one by hand."""

INTERVALS = (20.0, 1e6)
"""Intervals in a usual value: moistures of 2 % are given to 0.1 %, few things finer than 1e-6."""

WHOLE = 2e-3
"""How far a value may be from a multiple and be one, in intervals: of others one in 250 is."""

_NORMAL = 1.4826


class Trimmed(NamedTuple):
    """Mean and variance of those values that are kept.

    Attributes:
        mean: Mean.
        var: Of single values.
        n: How many are kept.
        kept: Which.
    """

    mean: float
    var: float
    n: int
    kept: Bools


def trimmed(values: Floats, least: float = 0.0) -> Trimmed:
    """Return mean and variance without what lies beyond ``CUT`` deviations of the middle.

    Args:
        values: Shape (n,), n at least 1, no NaN.
        least: What a deviation is at least, by the rounding of what was displayed. Where most
            values show the same step, half of them are no distance apart, and one step more
            would be infinitely far.
    """
    kept = np.ones(len(values), dtype=np.bool_)
    if len(values) >= TRIMMED_MIN:
        middle = float(np.median(values))
        scale = max(_NORMAL * float(np.median(np.abs(values - middle))), least)
        if scale > 0.0:
            kept = np.abs(values - middle) <= CUT * scale
    left = values[kept]
    var = float(left.var(ddof=1)) if len(left) > 1 else 0.0
    return Trimmed(float(left.mean()), var, len(left), kept)


def rounding(values: Sequence[float]) -> float:
    """Return the standard uncertainty of an instrument's rounding, as its own values show it.

    Its interval is the greatest of 1, 2 and 5 times a power of ten that ``SHOWN_SHARE`` of the
    values are whole multiples of. 0 where there is none, or too few values differ to tell.

    Args:
        values: What it displayed; the result is in their unit.
    """
    seen = np.unique(np.asarray(values, dtype=np.float64))
    seen = seen[seen > 0.0]
    if len(seen) < TRIMMED_MIN:
        return 0.0
    usual = float(np.median(seen))
    for step in _steps(usual / INTERVALS[0], usual / INTERVALS[1]):
        told = seen / step
        if np.mean(np.abs(told - np.rint(told)) <= WHOLE) >= SHOWN_SHARE:
            return step / math.sqrt(12.0)
    return 0.0


def _steps(most: float, least: float) -> Iterator[float]:
    """Yield 1, 2 and 5 times powers of ten from the greatest down."""
    first, last = math.floor(math.log10(most)), math.floor(math.log10(least))
    every = (k * 10.0**n for n in range(first, last - 1, -1) for k in (5.0, 2.0, 1.0))
    return (step for step in every if least <= step <= most)


def widened(degrees: float) -> float:
    """Return the factor on a variance that is known with so many degrees of freedom.

    What is one in ``TAIL`` by Student's distribution is then one in ``TAIL`` by a normal one: a
    variance matched instead would let rare lots of thin histories alarm several times too often.
    """
    d = max(degrees, DEGREES_MIN)
    return float((special.stdtrit(d, TAIL / 2.0) / special.ndtri(TAIL / 2.0)) ** 2)


def alike(variances: Floats, n: Floats, usual: Floats | None = None) -> tuple[Floats, Floats]:
    """Return variances drawn towards each other as far as they do not differ, and their degrees.

    Their logarithms are thought to lie about a common mean; how far is told by their spread beyond
    what so few values make of it. Fewer than ``ALIKE_MIN`` stay as they are.

    Args:
        variances: Shape (k,), each above zero.
        n: Values behind each, at least 3.
        usual: What their logarithms lie about where that is not one mean.

    Returns:
        Variances and degrees of freedom, (k,) each.
    """
    d = np.maximum(n - 1.0, 2.0)
    noise = special.polygamma(1, d / 2.0)
    ln = np.log(variances) - special.digamma(d / 2.0) + np.log(d / 2.0)
    if len(variances) < ALIKE_MIN:
        return variances, d
    mean = float(np.average(ln, weights=1.0 / noise)) if usual is None else usual
    beyond = float(np.mean((ln - mean) ** 2)) - float(noise.mean())
    between = max(beyond, 0.0) + float(noise.mean()) / len(variances)
    left = 1.0 / (1.0 / noise + 1.0 / between)
    drawn = left * (ln / noise + mean / between)
    # The variance of the logarithm of a chi-square is near 2 / degrees.
    degrees = 2.0 / left + 1.0
    bias = special.digamma(degrees / 2.0) - np.log(degrees / 2.0)
    return np.asarray(np.exp(drawn + bias)), np.asarray(degrees)


class Pair(NamedTuple):
    """Two instruments at one lot: ``value`` is what the upper says beyond the lower.

    ``at`` is when, microseconds; no two lots have the same. ``rounded`` is the standard
    uncertainty that rounding alone gives ``value``.
    """

    upper: str
    lower: str
    value: float
    at: int
    rounded: float = 0.0


class Effect(NamedTuple):
    """Mean error of an instrument, u of what is left, and lots behind it."""

    mean: float
    u: float
    n: int


def effects(
    pairs: Sequence[Pair], prior: Mapping[str, Known], standard: Collection[str]
) -> dict[str, Effect]:
    """Return mean errors of instruments, relative to those that are the standard.

    Least squares with what was thought before, N(mean, u) of each: an error that n lots do not
    tell from zero stays near zero. The errors of the standard average to what was thought of them,
    weighed by their lots. An instrument that is not the same from time to time is known no better
    than it varies.

    Args:
        pairs: Comparisons, in any order that does not depend on that of the input.
        prior: What was thought of every instrument.
        standard: Instruments the others are measured by.
    """
    names = sorted({one.upper for one in pairs} | {one.lower for one in pairs})
    if not names:
        return {}
    at = {name: number for number, name in enumerate(names)}
    upper = np.array([at[one.upper] for one in pairs])
    lower = np.array([at[one.lower] for one in pairs])
    values = np.array([one.value for one in pairs])
    counts = np.bincount(upper, minlength=len(names)) + np.bincount(lower, minlength=len(names))
    thought = np.array([prior[name].mean for name in names])
    u = np.array([max(prior[name].u, U_MIN) for name in names])
    held = np.array([name in standard for name in names])
    # Others are compared with the standard, whose own error nobody sees.
    own = float(np.sqrt((u[held] ** 2).mean())) if held.any() else 0.0
    precision = 1.0 / np.where(held, u * u, u * u + own * own)
    share = np.where(held, counts, 0.0) / max(float(counts[held].sum()), 1.0)
    rounded = np.array([one.rounded for one in pairs])
    weight, kept = _noise(values, upper, rounded)
    mean, covariance = thought, np.diag(u * u)
    x = np.zeros((len(pairs), len(names)))
    x[np.arange(len(pairs)), upper], x[np.arange(len(pairs)), lower] = 1.0, -1.0
    # An instrument compared with itself says nothing of it.
    x[upper == lower] = 0.0
    for _ in range(ROUNDS):
        w = weight * kept
        a = (x * w[:, None]).T @ x + np.diag(precision) + np.outer(share, share) / FIRM**2
        covariance = np.linalg.inv(a)
        firm = share * float(share @ thought) / FIRM**2
        mean = covariance @ (x.T @ (w * values) + precision * thought + firm)
        weight, kept = _noise(values - x @ mean, upper, rounded)
    times = np.array([one.at for one in pairs])
    n = [len(np.unique(times[kept & ((upper == i) | (lower == i))])) for i in range(len(names))]
    mean = np.where(share == 1.0, thought, mean)
    wide = np.maximum(np.diag(covariance), 0.0) * [widened(count - 1) for count in n]
    left_over = values - x @ mean
    for i in np.flatnonzero(share < 1.0):
        mine = kept & (upper != lower) & ((upper == i) | (lower == i))
        sign = np.where(upper == i, 1.0, -1.0)
        wide[i] += _from_time_to_time((left_over * sign)[mine], times[mine])
    # No history leaves an instrument less known than it was.
    left = np.sqrt(np.clip(wide, U_MIN**2, 1.0 / precision))
    return {name: Effect(float(mean[i]), float(left[i]), n[i]) for i, name in enumerate(names)}


def _from_time_to_time(residuals: Floats, times: Ints) -> float:
    """Return the variance of a mean error from one stretch of time to the next; 0 if none shows.

    Whole days are joined until they have ``BLOCK_LOTS`` lots. What few stretches make of chance
    must not count, so nothing does below the limit of a chi-square test.
    """
    order = np.argsort(times, kind="stable")
    blocks: list[list[float]] = [[]]
    day = None
    for at, value in zip((times[order] // DAY_US).tolist(), residuals[order].tolist(), strict=True):
        if at != day and len(blocks[-1]) >= BLOCK_LOTS:
            blocks.append([])
        blocks[-1].append(value)
        day = at
    told = [np.array(block) for block in blocks if len(block) >= BLOCK_LOTS]
    if len(told) < 2:
        return 0.0
    within = sum(float(b.var()) * len(b) for b in told) / sum(len(b) - 1 for b in told)
    each = np.array([within / len(b) for b in told])
    means = np.array([float(b.mean()) for b in told])
    middle = float(np.average(means, weights=1.0 / np.maximum(each, U_MIN**2)))
    apart = (means - middle) ** 2
    degrees = len(told) - 1
    if float((apart / np.maximum(each, U_MIN**2)).sum()) <= chi2_quantile(VARIES, degrees):
        return 0.0
    between = max(float(apart.sum()) / degrees - float(each.mean()), 0.0)
    return between * (1.0 + 1.0 / len(told)) * widened(degrees)


def _noise(residuals: Floats, upper: Ints, rounded: Floats) -> tuple[Floats, Bools]:
    """Return weights by the upper instrument's spread, and which pairs are kept."""
    weight, kept = np.zeros(len(residuals)), np.ones(len(residuals), dtype=np.bool_)
    for number in np.unique(upper):
        mine = upper == number
        found = trimmed(residuals[mine], float(np.median(rounded[mine])))
        kept[mine] = found.kept
        weight[mine] = 1.0 / max(found.var, U_MIN**2)
    return weight, kept


def shrunk(rows: Floats, target: Floats) -> tuple[Floats, float]:
    """Return the correlations of rows drawn towards those known otherwise, and by how much.

    After Ledoit and Wolf: the share of the target is what noise makes of the distance to it.

    Args:
        rows: Observations, (n, p), n at least 2.
        target: Correlations, (p, p).
    """
    n = len(rows)
    x = rows - rows.mean(axis=0)
    scale = np.sqrt(np.maximum((x * x).sum(axis=0) / (n - 1), 1e-12))
    x = x / scale
    s = x.T @ x / (n - 1)
    away = float(((s - target) ** 2).sum())
    noise = float(((x * x).T @ (x * x) / n - s * s).sum()) / n
    share = 1.0 if away <= 0.0 else min(max(noise / away, 0.0), 1.0)
    return np.asarray((1.0 - share) * s + share * target), share
