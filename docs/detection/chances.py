"""Chances as minus their decimal logarithms, for the scripts beside this one."""

import math


def tail(z: float) -> float:
    """Return minus the decimal logarithm of the chance of exceeding z."""
    if z < 5:
        return -math.log10(math.erfc(z / math.sqrt(2)) / 2)
    below = z
    for no in range(60, 0, -1):
        below = z + no / below
    return (z * z / 2 + math.log(below * math.sqrt(2 * math.pi))) / math.log(10)


def of_all(value: float, tests: int) -> float:
    """Return the same of the best of so many tests."""
    if not 0 < value <= 12:
        return max(value - math.log10(tests), 0)
    return -math.log10(-math.expm1(tests * math.log1p(-(10**-value))))


def nearest(said: float, some: list) -> float:
    """Return what is said if it is one of some, else the nearest of them."""
    return min(some, key=lambda one: abs(one - said))
