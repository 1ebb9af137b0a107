"""What may have happened to a lot of an e-value alert, over all sizes, for the scripts beside."""

import math

from likelihood import mixed, square
from sizes import ln_mean, refined, shares
from weights import FAMILIES, FOREIGN, shift, where

MOST = {FOREIGN: 1.0, "waste": 0.9975}  # greatest sizes of the grid, of all others 0.6


def spread(alert: dict, onset: dict, site: dict, x: float) -> list:
    """Return the covariance that a share of a site's material puts on the analytes."""
    there = [math.exp(ratio) for ratio in site["ln_ratios"]]
    part = [x * one / (1 + x * (one - 1)) * (one != 1) for one in there]
    own = 0 if where(alert, onset)[1] else 1  # at the origin the lot's own is expected already
    both = zip(square(site["spread"]), square(alert["own_spread"]), strict=True)
    return [
        [part[i] * part[k] * (a + own * b) for k, (a, b) in enumerate(zip(*rows, strict=True))]
        for i, rows in enumerate(both)
    ]


def foreign(alert: dict, onset: dict, site: dict) -> list:
    """Return sizes of a site's material from an onset on."""
    g, j = onset["score"][3:], [row[3:] for row in square(onset["information"])[3:]]

    def ln_lr(x: float) -> float:
        d = shift(FOREIGN, x, site["ln_ratios"])[3:]
        return mixed(d, spread(alert, onset, site, x), g, j)[0]

    return refined(ln_lr, 1.0)


def along(family: str, score: float, information: float) -> list:
    """Return sizes of what shifts along one line, by its score and information there."""

    def ln_lr(x: float) -> float:
        t = math.log1p(x if family == "gain" else -x)
        return t * score - t * t * information / 2

    return refined(ln_lr, MOST.get(family, 0.6))


def ln_of(alert: dict, onset: dict, family: str, sizes: list, factor: float) -> float:
    """Return ln(weight x mean LR); the factor is a trip's or a site's part of the weight."""
    most, (legs, origin) = MOST.get(family, 0.6), where(alert, onset)
    w, usual, w_0, usual_0 = FAMILIES[family]
    total = [w * legs * factor * one for one in shares(sizes, most, usual)]
    if w_0 * origin:
        first = shares(sizes, most, usual_0)
        total = [a + w_0 * factor * b for a, b in zip(total, first, strict=True)]
    return ln_mean(sizes, total) if sum(total) > 0 else -math.inf
