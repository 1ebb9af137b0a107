"""Several tests of one thing: the chance that the best of them is so good though nothing is wrong.

Of m tests each at its own p the least is below p with chance 1 - (1 - p)^m where they are
independent, and never more for normal statistics of any correlation.

Source:
    Z. Sidak, Rectangular confidence regions for the means of multivariate normal distributions,
    Journal of the American Statistical Association 62 (1967) 626-633.
"""

import math

P_SMALL = 1e-12
"""Below it 1 - (1 - p)^m is m p to more digits than a double has."""


def adjusted(p: float, tests: int) -> float:
    """Return the chance that the smallest of ``tests`` p-values is below p, with no fault."""
    return 1.0 if p >= 1.0 else max(p, -math.expm1(tests * math.log1p(-p)))


def adjusted_log10(value: float, tests: int) -> float:
    """Return the same as minus a decimal logarithm, of one: p may be less than a double can be."""
    p = math.pow(10.0, -value)
    if p < P_SMALL:
        return max(value - math.log10(tests), 0.0)
    return max(-math.log10(adjusted(p, tests)), 0.0)


def each(alpha: float, tests: int) -> float:
    """Return the level of each of ``tests`` so that all of them together have level ``alpha``."""
    return -math.expm1(math.log1p(-alpha) / max(tests, 1))
