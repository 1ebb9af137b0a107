"""Likelihood ratios by score g and information j, for the scripts beside this one."""

import math
from operator import mul


def dot(a: list, b: list) -> float:
    """Return a'b."""
    return sum(map(mul, a, b))


def times(matrix: list, b: list) -> list:
    """Return the matrix times b."""
    return [dot(row, b) for row in matrix]


def square(low: list) -> list:
    """Return a symmetric matrix by its lower triangle, row by row."""
    n = math.isqrt(2 * len(low))
    return [[low[max(i, k) * (max(i, k) + 1) // 2 + min(i, k)] for k in range(n)] for i in range(n)]


def solve(matrix: list, b: list) -> tuple[list, float]:
    """Return x of matrix x = b, and ln of its determinant, by Gauss and Jordan."""
    rows, n, ln_det = [[*row, one] for row, one in zip(matrix, b, strict=True)], len(b), 0.0
    for i in range(n):
        best = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        ln_det += math.log(abs(rows[i][i]))
        rows[i] = [one / rows[i][i] for one in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[n] for row in rows], ln_det


def fixed(d: list, g: list, j: list) -> float:
    """Return ln LR of one shift: d'g - d'j d / 2."""
    return dot(d, g) - dot(d, times(j, d)) / 2


def free(s: float, g: list, j: list) -> tuple[float, list]:
    """Return ln LR of any change with deviation s of each, and the change that fits best."""
    plus = [[one + (i == k) / s**2 for k, one in enumerate(row)] for i, row in enumerate(j)]
    d, ln_det = solve(plus, g)
    return dot(g, d) / 2 - ln_det / 2 - len(g) * math.log(s), d


def mixed(d: list, spread: list, g: list, j: list) -> tuple[float, list]:
    """Return ln LR of material with mean shift d and a spread of it, and the best fit."""
    r = [x - y for x, y in zip(g, times(j, d), strict=True)]
    columns = list(zip(*spread, strict=True))
    inner = [[(i == k) + dot(row, c) for k, c in enumerate(columns)] for i, row in enumerate(j)]
    y, ln_det = solve(inner, r)
    more = times(spread, y)
    ln = fixed(d, g, j) - ln_det / 2 + dot(r, more) / 2
    return ln, [x + one for x, one in zip(d, more, strict=True)]
