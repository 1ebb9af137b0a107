"""Quantiles and tails of the normal and chi-square distributions, as the tests need them."""

import math
from functools import lru_cache

from scipy import special  # type: ignore[import-untyped]  # it ships no types

POWER = 0.9
"""Detection probability that "smallest detectable size" refers to."""
LOG10_P_MAX = 1e300
"""Beyond it not even the logarithm of a p-value is a number that can be said."""
P_LEAST = 1e-280
"""Below it a p-value loses digits, and its logarithm is computed without it."""
TINY = 1e-300
"""Stands for zero where a continued fraction begins."""
FRACTION_STEPS = 1_000
"""Most steps of a continued fraction; as far out as it is asked, some ten are enough."""

_LN10 = math.log(10.0)


@lru_cache(maxsize=1024)
def normal_quantile(alpha: float) -> float:
    """Return the z that a standard normal passes with probability ``alpha`` (one side)."""
    return -float(special.ndtri(alpha))


@lru_cache(maxsize=4096)
def chi2_quantile(alpha: float, degrees: int) -> float:
    """Return the value that chi-square passes with probability ``alpha``."""
    return float(special.chdtri(degrees, alpha))


def minus_log10_normal(z: float) -> float:
    """Return minus the decimal logarithm of the chance of exceeding z (one side)."""
    return min(-float(special.log_ndtr(-z)) / _LN10, LOG10_P_MAX)


def minus_log10_chi2(value: float, degrees: int) -> float:
    """Return minus the decimal logarithm of the chance of exceeding a chi-square value."""
    if value >= LOG10_P_MAX:
        return LOG10_P_MAX
    p = float(special.chdtrc(degrees, value))
    if p > P_LEAST:
        return max(-math.log10(p), 0.0)
    return min(-_ln_chi2_tail(0.5 * degrees, 0.5 * value) / _LN10, LOG10_P_MAX)


def _ln_chi2_tail(a: float, x: float) -> float:
    """Return ln Q(a, x), the regularised upper incomplete gamma function, where x is far above a.

    By Legendre's continued fraction from the left (modified Lentz).

    Source:
        NIST Digital Library of Mathematical Functions, 8.9.2; W. H. Press et al., Numerical
        Recipes, 3rd ed., section 6.2.
    """
    b = x + 1.0 - a
    d = 1.0 / b
    c, h = 1.0 / TINY, d
    for step in range(1, FRACTION_STEPS):
        term = -step * (step - a)
        b += 2.0
        d = 1.0 / (term * d + b)
        c = b + term / c
        h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return a * math.log(x) - x - math.lgamma(a) + math.log(h)
