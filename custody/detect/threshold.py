"""Quantiles and tails of the normal and chi-square distributions, as the tests need them."""

import math
from functools import lru_cache

from scipy import special  # type: ignore[import-untyped]  # it ships no types

POWER = 0.9
"""Detection probability that "smallest detectable size" refers to."""
LOG10_P_MAX = 300.0
"""Beyond it a p-value is smaller than a double can tell."""

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
    p = float(special.chdtrc(degrees, value))
    return LOG10_P_MAX if p <= 0.0 else min(-math.log10(p), LOG10_P_MAX)
