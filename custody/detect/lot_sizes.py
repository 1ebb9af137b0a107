"""What measurements say of the size of a fraud, over all sizes it may have.

A grid as coarse as that of E leaves out the sizes that fit best: good measurements tell a swap of
32 % from one of 25 or 40 %, and of two mines that resemble each other the one whose share lies
nearer to a point of the grid would be named. So sizes are ``POINTS``, evenly in logarithms, and as
many again between the neighbours of the best; each stands for half of what is thought of the two
intervals beside it (the trapezoid rule).

Source:
    docs/detection/mixture.md, "What is said of it"
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import Bools, Floats
from custody.detect.lot_families import UNUSUAL

POINTS = 80
SIZE_LEAST = 1e-3

LnLr = Callable[[Floats], Floats]
"""From sizes, (H, K), to ln LR at each of them."""


class Sizes(NamedTuple):
    """Sizes of H things that may have happened, K of them each.

    Attributes:
        sizes: (H, K), the finer ones last.
        ln_lr: At each, (H, K).
        most: Greatest size.
        inside: Intervals of the coarse grid in whose place are the finer ones, (H, K / 2 - 1).
    """

    sizes: Floats
    ln_lr: Floats
    most: float
    inside: Bools

    def shares(self, usual: tuple[float, float] | None = None) -> Floats:
        """Return what is thought of each size before anything is measured; they add up to one.

        Args:
            usual: Sizes beyond these are thought ``UNUSUAL`` as likely; None for all alike. Both
                evenly in logarithms.

        Returns:
            (H, K).
        """
        below = _thought(np.log(self.sizes), math.log(self.most), usual)
        between = np.diff(below, axis=1)
        coarse, fine = between[:, : POINTS - 1], between[:, POINTS:]
        return np.hstack([_halves(np.where(self.inside, 0.0, coarse)), _halves(fine)])

    def ln_sum(self, shares: Floats) -> Floats:
        """Return ln of the mean LR over sizes, (H,); minus infinity where nothing is thought of it.

        Args:
            shares: What is thought of each size, (H, K) or (K,).
        """
        top = self.ln_lr.max(axis=1)
        mean = (shares * np.exp(self.ln_lr - top[:, None])).sum(axis=1)
        return np.asarray(np.log(mean, where=mean > 0.0, out=np.full(len(top), -math.inf)) + top)

    def of(self, which: Sequence[int]) -> "Sizes":
        """Return those of some of the things."""
        mine = list(which)
        return Sizes(self.sizes[mine], self.ln_lr[mine], self.most, self.inside[mine])

    def mean(self) -> tuple[float, float]:
        """Return mean and deviation of the first thing's size, thought even in its logarithm.

        Of nearly all of a lot the finer sizes are not fine enough: theirs is the deviation of a
        rectangle as wide as their step.
        """
        p = self.shares()[0] * np.exp(self.ln_lr[0] - self.ln_lr[0].max())
        p /= p.sum()
        size = float(p @ self.sizes[0])
        step = size * (float(self.sizes[0, POINTS + 1] / self.sizes[0, POINTS]) - 1.0)
        return size, math.sqrt(float(p @ (self.sizes[0] - size) ** 2) + step**2 / 12.0)

    def best(self) -> float:
        """Return the size of the first thing that fits best."""
        return float(self.sizes[0, int(np.argmax(self.ln_lr[0]))])


def refined(ln_lr: LnLr, things: int, most: float) -> Sizes:
    """Return sizes of some things, finer about the best of each.

    Args:
        ln_lr: ln LR at sizes of all of them.
        things: How many.
        most: Greatest size.
    """
    steps = np.linspace(0.0, 1.0, POINTS)
    coarse = np.tile(SIZE_LEAST * (most / SIZE_LEAST) ** steps, (things, 1))
    known = ln_lr(coarse)
    best = known.argmax(axis=1)
    first, last = np.maximum(best - 1, 0), np.minimum(best + 1, POINTS - 1)
    which = np.arange(things)
    low, high = coarse[which, first][:, None], coarse[which, last][:, None]
    fine = low * (high / low) ** steps
    intervals = np.arange(POINTS - 1)
    inside = (intervals >= first[:, None]) & (intervals < last[:, None])
    return Sizes(np.hstack([coarse, fine]), np.hstack([known, ln_lr(fine)]), most, inside)


def _thought(ln: Floats, ln_most: float, usual: tuple[float, float] | None) -> Floats:
    """Return which share of what is thought lies below sizes."""
    ends = [math.log(SIZE_LEAST), ln_most]
    if usual is None:
        return np.interp(ln, ends, [0.0, 1.0])
    low, high = max(math.log(usual[0]), ends[0]), min(math.log(usual[1]), ends[1])
    outside = UNUSUAL * (low - ends[0])
    whole = outside + (high - low) + UNUSUAL * (ends[1] - high)
    below = [0.0, outside / whole, (outside + high - low) / whole, 1.0]
    return np.interp(ln, [ends[0], low, high, ends[1]], below)


def _halves(between: Floats) -> Floats:
    """Return what points stand for: half of the intervals on both sides, (H, K + 1)."""
    half = 0.5 * between
    return np.pad(half, ((0, 0), (0, 1))) + np.pad(half, ((0, 0), (1, 0)))
