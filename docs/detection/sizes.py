"""Mean likelihood ratios over sizes, finer about the best, for the scripts beside this one."""

import math
from bisect import bisect

from likelihood import dot

POINTS, LEAST = 80, 0.001


def refined(ln_lr, most: float) -> list:  # noqa: ANN001  from a size to its ln LR, and more
    """Return (size, ln LR, (from, to) of each half beside it) at POINTS sizes and as many finer."""
    coarse = [LEAST * (most / LEAST) ** (no / (POINTS - 1)) for no in range(POINTS)]
    known = [ln_lr(x) for x in coarse]
    best = max(range(POINTS), key=lambda no: known[no])
    first, last = max(best - 1, 0), min(best + 1, POINTS - 1)
    low, high = coarse[first], coarse[last]
    fine = [low * (high / low) ** (no / (POINTS - 1)) for no in range(POINTS)]
    found = [*zip(coarse, known, strict=True), *((x, ln_lr(x)) for x in fine)]
    beside = [[] for _ in found]
    for no in range(POINTS - 1):
        for i in ([no] if not first <= no < last else []) + [POINTS + no]:
            for end in (i, i + 1):
                beside[end].append((found[i][0], found[i + 1][0]))
    return [(x, ln, near) for (x, ln), near in zip(found, beside, strict=True)]


def below(x: float, most: float, usual: tuple | None) -> float:
    """Return which share of what is thought lies below a size, beyond usual ones a tenth."""
    low, high = usual or (LEAST, most)
    ends = [LEAST, max(low, LEAST), min(high, most), most]
    parts = [k * math.log(b / a) for k, a, b in zip((0.1, 1, 0.1), ends, ends[1:], strict=False)]
    here = min(max(bisect(ends, x) - 1, 0), 2)
    more = (0.1, 1, 0.1)[here] * math.log(x / ends[here])
    return (sum(parts[:here]) + more) / sum(parts)


def shares(sizes: list, most: float, usual: tuple | None = None) -> list:
    """Return what is thought of each size: half of the intervals beside it."""
    return [
        sum(below(b, most, usual) - below(a, most, usual) for a, b in near) / 2
        for _, _, near in sizes
    ]


def ln_mean(sizes: list, thought: list) -> float:
    """Return ln of the mean LR."""
    top = max(ln for _, ln, _ in sizes)
    return top + math.log(dot(thought, [math.exp(ln - top) for _, ln, _ in sizes]))


def mean(sizes: list, most: float) -> tuple[float, float]:
    """Return mean and deviation of the size, thought even in its logarithm."""
    top = max(ln for _, ln, _ in sizes)
    p = [s * math.exp(o[1] - top) for s, o in zip(shares(sizes, most), sizes, strict=True)]
    size = sum(one * o[0] for one, o in zip(p, sizes, strict=True)) / sum(p)
    square = sum(one * (o[0] - size) ** 2 for one, o in zip(p, sizes, strict=True)) / sum(p)
    step = size * (sizes[POINTS + 1][0] / sizes[POINTS][0] - 1)  # between the finer ones
    return size, math.sqrt(square + step**2 / 12)
