"""How much of what laboratories call their own is scatter, as their moistures show it.

What a laboratory states is one figure; which part of it differs from certificate to certificate is
a guess (``systematic_share``). Two laboratories at one station say it themselves: they saw the same
material. Else the weighings do. What dried on the way is in the moistures and in the masses, and
errors of ovens and scales have nothing to do with each other, so

    cov(ln(1 - w) there - here, ln(net there / net here)) = -var(drying)

whatever anyone states, and what the moistures vary by beyond that is the laboratories' scatter.

Source:
    docs/detection/calibrate.md
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from custody.detect.calibration_lots import Dried, Lot, dried, weighed
from custody.detect.calibration_robust import trimmed
from custody.detect.calibration_rounding import Rounding
from custody.detect.lot_facts import Floats

LOTS_MIN = 8
"""With fewer lots a way says nothing of its laboratories."""

OWN_MIN = 0.01
"""Share of a variance that must be called a laboratory's own for its scatter to show."""


class Noise(NamedTuple):
    """Stated variance of ln(1 - w) there less here: what differs from lot to lot, and their own."""

    random: float
    own: float


class Scatter(NamedTuple):
    """Share of the own variance that is scatter, its standard uncertainty and lots behind it."""

    share: float
    u: float
    n: int

    @property
    def least(self) -> float:
        """What it is at least: too little taken off leaves a leg wider, never surer than it is."""
        return min(max(self.share - self.u, 0.0), 1.0)


def noise_of(here: Dried, there: Dried) -> Noise:
    """Return what is stated of the difference of two moistures."""
    dry2 = (1.0 - here.fraction) ** 2
    own = (here.laboratory_u**2 + there.laboratory_u**2) / dry2
    return Noise((here.u**2 + there.u**2) / dry2, own)


def by_station(lot: Lot) -> list[Dried]:
    """Return one moisture of each station."""
    return list({one.station: one for one in reversed(dried(lot))}.values())[::-1]


def scatters(lots: Sequence[Lot], rounding: Rounding) -> dict[str, Scatter]:
    """Return by site where ways begin how much of the own variance is scatter.

    Ways are drawn towards their common mean as far as they do not differ by more than chance.

    Args:
        lots: Lots in order of their id.
        rounding: Of their instruments.
    """
    of_way: dict[str, list[Lot]] = {}
    for lot in lots:
        of_way.setdefault(lot.begins, []).append(lot)
    told: dict[str, Scatter] = {}
    for begins, mine in sorted(of_way.items()):
        found = _by_pairs(mine, rounding) or _by_masses(mine, rounding)
        if found is not None:
            told[begins] = found
    return _drawn(told)


class Seen(NamedTuple):
    """Of one lot: what two moistures differ by, what was weighed meanwhile, and what is stated.

    ``moisture`` is of ln(1 - w), ``rounded`` what both readings are rounded to, in the same.
    """

    moisture: float
    mass: float
    noise: Noise
    rounded: float


def seen_between(here: Dried, there: Dried, rounding: Rounding, mass: float = 0.0) -> Seen:
    """Return what two moistures of a lot say, and what was weighed between them where asked."""
    change = math.log1p(-there.fraction) - math.log1p(-here.fraction)
    rounded = rounding.of_moistures(here, there) / (1.0 - here.fraction)
    return Seen(change, mass, noise_of(here, there), rounded)


def _by_pairs(lots: Sequence[Lot], rounding: Rounding) -> Scatter | None:
    """Return the share by what two laboratories say at one station of the same lot."""
    groups: dict[tuple[str, str], list[Seen]] = {}
    for lot in lots:
        for one, other in combinations(dried(lot), 2):
            if one.station == other.station and one.laboratory != other.laboratory:
                names = one.laboratory, other.laboratory
                groups.setdefault(names, []).append(seen_between(one, other, rounding))
    return _together([_of_pairs(seen) for seen in groups.values() if len(seen) >= LOTS_MIN])


def _by_masses(lots: Sequence[Lot], rounding: Rounding) -> Scatter | None:
    """Return the share by moistures and masses of lots along the way."""
    groups: dict[tuple[int, int], list[Seen]] = {}
    for lot in lots:
        for span, seen in _dryings(lot, rounding):
            groups.setdefault(span, []).append(seen)
    return _together([_of_masses(seen) for seen in groups.values() if len(seen) >= LOTS_MIN])


def _dryings(lot: Lot, rounding: Rounding) -> Iterator[tuple[tuple[int, int], Seen]]:
    legs: dict[int, list[float]] = {}
    for trip in weighed(lot):
        legs.setdefault(trip.leg, []).append(trip.ln)
    for here, there in pairwise(by_station(lot)):
        span = range(here.station, there.station)
        if all(leg in legs for leg in span):
            mass = math.fsum(math.fsum(legs[leg]) / len(legs[leg]) for leg in span)
            yield (here.station, there.station), seen_between(here, there, rounding, mass)


def _of_pairs(seen: Sequence[Seen]) -> Scatter | None:
    kept = trimmed(_column(seen, "moisture"), float(np.median(_column(seen, "rounded"))))
    return _scatter(seen, kept.var, kept.var * math.sqrt(2.0 / max(kept.n - 1, 1)), kept.n)


def _of_masses(seen: Sequence[Seen]) -> Scatter | None:
    moisture, mass = _column(seen, "moisture"), _column(seen, "mass")
    kept = trimmed(moisture, float(np.median(_column(seen, "rounded")))).kept & trimmed(mass).kept
    n = int(kept.sum())
    if n < LOTS_MIN:
        return None
    both = np.cov(moisture[kept], mass[kept])
    # Scatter is the variance of the moisture, less that of the drying: the covariance with what
    # is weighed and dried, of which the variance is that of two normal variables.
    left = both[0, 0] + both[0, 1]
    u2 = (both[0, 0] * (both[0, 0] + both[1, 1] + 2.0 * both[0, 1]) + left**2) / (n - 1)
    return _scatter(seen, float(left), math.sqrt(float(u2)), n)


def _column(seen: Sequence[Seen], name: str) -> Floats:
    return np.array([getattr(one, name) for one in seen])


def _scatter(seen: Sequence[Seen], var: float, u: float, n: int) -> Scatter | None:
    random = float(np.mean([one.noise.random for one in seen]))
    own = float(np.mean([one.noise.own for one in seen]))
    if own <= OWN_MIN * random:
        return None
    return Scatter((var - random) / own, u / own, n)


def _together(told: Sequence[Scatter | None]) -> Scatter | None:
    """Return the mean of several, each counted as well as it is known."""
    found = [one for one in told if one is not None]
    if not found:
        return None
    weight = [one.u**-2 for one in found]
    mean = math.fsum(w * one.share for w, one in zip(weight, found, strict=True)) / math.fsum(
        weight
    )
    return Scatter(mean, math.fsum(weight) ** -0.5, sum(one.n for one in found))


def _drawn(told: Mapping[str, Scatter]) -> dict[str, Scatter]:
    common = _together(list(told.values()))
    if common is None or len(told) < 2:
        return dict(told)
    beyond = [(one.share - common.share) ** 2 - one.u**2 for one in told.values()]
    between = max(math.fsum(beyond) / len(beyond), 0.0) + common.u**2
    drawn: dict[str, Scatter] = {}
    for begins, one in told.items():
        weight = one.u**-2, 1.0 / between
        share = (weight[0] * one.share + weight[1] * common.share) / sum(weight)
        drawn[begins] = Scatter(share, sum(weight) ** -0.5, one.n)
    return drawn
