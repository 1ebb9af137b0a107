"""What ways do to lots, and what instruments say beyond those where the way begins.

A leg's mean loss and drying are those of all lots on it. What is left of a lot's weighings,
moistures and grades is a difference of two instruments: their mean errors by way follow from it,
where the instruments at the beginning are the standard. A loss below zero is not believed: what is
missing is then an error of the scale.

Source:
    docs/detection/calibrate.md
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from custody.detect.calibration_lots import Composition, Lot, Weighed, weighed
from custody.detect.calibration_robust import Effect, Pair, alike, effects, trimmed, widened
from custody.detect.calibration_rounding import Rounding, rounding_of
from custody.detect.calibration_scatter import Noise, Scatter, by_station, seen_between
from custody.detect.lot_facts import MASS, MOISTURE, Known

LEG_LOTS_MIN = 8
"""With fewer lots a leg is as reference data says."""

ERROR_LOTS_MIN = 3
"""With fewer lots an instrument's mean error on a way is not said."""

SPREAD_MIN = 2e-4
"""Least deviation of loss and drying from lot to lot that is written: 0.02 %."""

LegName = tuple[str, str, str]
"""Route record, from, to."""


class LegFound(NamedTuple):
    """A leg; a figure that too few lots tell is None.

    Attributes:
        loss: Share of the dry mass lost, and its spread over lots.
        drying: What it adds to ln(1 - moisture), and its spread.
        loss_n: Trips behind it.
        drying_n: Lots behind it.
    """

    loss: Known | None
    drying: Known | None
    loss_n: int
    drying_n: int


class Error(NamedTuple):
    """An instrument's mean error on ways that begin at one site.

    Attributes:
        begins: Where the ways begin.
        instrument: Scale, laboratory or XRF instrument.
        quantity: ``mass``, ``moisture`` or an analyte.
        site: Where it stands; None where it was used at several stations.
        effect: The error.
    """

    begins: str
    instrument: str
    quantity: str
    site: str | None
    effect: Effect


def leg_name(lot: Lot, leg: int) -> LegName:
    """Return the name of a leg's record and its ends."""
    ends = lot.thought.stations[leg], lot.thought.stations[leg + 1]
    return lot.route or "-".join(ends), *ends


class _Drying(NamedTuple):
    leg: LegName
    value: float
    noise: Noise
    scatter: float
    legs: int
    rounded: float


def legs(
    lots: Sequence[Lot],
    errors: Mapping[tuple[str, str, str], Effect],
    scatter: Mapping[str, Scatter],
) -> dict[LegName, LegFound]:
    """Return what legs do, by lots in the order given.

    Args:
        lots: Lots.
        errors: Mean errors by way, instrument and quantity, taken off before spreads are taken;
            means are those of what instruments said.
        scatter: By site where ways begin how much of what laboratories call their own is scatter.
    """
    rounding = rounding_of(lots)
    dryings: dict[LegName, list[_Drying]] = {}
    for lot in lots:
        least = scatter[lot.begins].least if lot.begins in scatter else 0.0
        for one in _dryings(lot, least, rounding):
            dryings.setdefault(one.leg, []).append(one)
    losses: dict[LegName, list[tuple[Weighed, float]]] = {}
    for lot in lots:
        for trip in weighed(lot):
            ours = [errors.get((lot.begins, scale, MASS)) for scale in trip.scales]
            off = [0.0 if one is None else one.mean for one in ours]
            losses.setdefault(leg_name(lot, trip.leg), []).append((trip, off[1] - off[0]))
    # What the masses vary by no drying can exceed, whatever laboratories state.
    alone = {name: _lost(told, Known(0.0, 0.0), rounding) for name, told in sorted(losses.items())}
    most = {name: one.known.u**2 for name, one in _spread(alone).items() if one.known}
    of_drying = _spread({name: _dried(told) for name, told in sorted(dryings.items())}, most)
    lost = _spread(
        {
            name: _lost(told, of_drying.get(name, _UNKNOWN).known or Known(0.0, 0.0), rounding)
            for name, told in sorted(losses.items())
        }
    )
    return {
        name: _leg(lost.get(name, _UNKNOWN), of_drying.get(name, _UNKNOWN))
        for name in sorted({*of_drying, *lost})
    }


class _Told(NamedTuple):
    """What lots of a leg say: mean, variance and what measuring adds to it, and how many they are.

    ``share`` is the share of a measured change that is the leg's; ``stated`` all that instruments
    are said to add, where less is known to be noise.
    """

    mean: float
    var: float
    noise: float
    n: int
    share: float = 1.0
    stated: float = math.inf


class _Figure(NamedTuple):
    known: Known | None
    n: int


_UNKNOWN = _Figure(None, 0)


def _leg(loss: _Figure, drying: _Figure) -> LegFound:
    return LegFound(loss.known, drying.known, loss.n, drying.n)


def _spread(
    told: Mapping[LegName, _Told], most: Mapping[LegName, float] | None = None
) -> dict[LegName, _Figure]:
    """Return means and deviations over lots: what is seen, less what measuring adds.

    Args:
        told: What lots say, by leg.
        most: Variances that are no greater, where something else tells. What is beyond all that
            instruments state is left nevertheless: the test of a lot has no other place for it.
    """
    found = {name: _Figure(None, one.n) for name, one in told.items()}
    well = [name for name, one in told.items() if one.n >= LEG_LOTS_MIN]
    if not well:
        return found
    var = np.array([max(told[name].var, SPREAD_MIN**2) for name in well])
    drawn = alike(var, np.array([float(told[name].n) for name in well]))
    for name, seen, degrees in zip(well, *drawn, strict=True):
        one, wide = told[name], float(seen) * widened(float(degrees))
        left = min((wide - one.noise) * one.share, (most or {}).get(name, math.inf))
        left = max(left, (wide - one.stated) * one.share)
        # The mean is known as well as so many lots tell it.
        u = math.sqrt(max(left, SPREAD_MIN**2) + wide * one.share / one.n)
        found[name] = _Figure(Known(one.mean, u), one.n)
    return found


def _dryings(lot: Lot, scatter: float, rounding: Rounding) -> Iterator[_Drying]:
    """Yield what lay between two moistures; one that spans several legs is spread evenly."""
    for here, there in pairwise(by_station(lot)):
        span = there.station - here.station
        both = seen_between(here, there, rounding)
        for leg in range(here.station, there.station):
            name, change = leg_name(lot, leg), both.moisture / span
            yield _Drying(name, change, both.noise, scatter, span, both.rounded)


def _dried(found: Sequence[_Drying]) -> _Told:
    # Whoever measured both ends of the leg knows more of it than who measured further apart.
    least = min(one.legs for one in found)
    mine = [one for one in found if one.legs == least]
    rounded = float(np.median([one.rounded for one in mine]))
    kept = trimmed(np.array([one.value * least for one in mine]), rounded)
    noise = float(np.mean([one.noise.random + one.scatter * one.noise.own for one in mine]))
    stated = float(np.mean([sum(one.noise) for one in mine]))
    return _Told(max(kept.mean / least, 0.0), kept.var, noise, kept.n, 1.0 / least, stated)


def _lost(found: Sequence[tuple[Weighed, float]], drying: Known, rounding: Rounding) -> _Told:
    rounded = float(np.median([rounding.of_trip(trip) for trip, _ in found]))
    kept = trimmed(np.array([trip.ln for trip, _ in found]), rounded)
    loss = max(-math.expm1(kept.mean + drying.mean), 0.0)
    left = trimmed(np.array([trip.ln - off for trip, off in found]), rounded)
    noise = float(np.mean([trip.var for trip, _ in found])) + drying.u**2
    return _Told(loss, left.var, noise, left.n)


class Asking(NamedTuple):
    """What mean errors follow from.

    Attributes:
        lots: Lots of one beginning.
        compositions: Of each lot.
        analytes: Of the history.
        checks: What check weights and reference materials said, by instrument and quantity.
    """

    lots: Sequence[Lot]
    compositions: Sequence[Sequence[Composition]]
    analytes: Sequence[str]
    checks: Mapping[tuple[str, str], Known]


def errors_of_way(asking: Asking, found: Mapping[LegName, LegFound]) -> list[Error]:
    """Return mean errors of the instruments on ways that begin at one site.

    Args:
        asking: Lots.
        found: Legs, whose means are taken off first.
    """
    rounding = rounding_of(asking.lots)
    all_pairs = {
        MASS: _mass_pairs(asking.lots, found, rounding),
        MOISTURE: _moisture_pairs(asking, found, rounding),
    }
    for number, analyte in enumerate(asking.analytes):
        all_pairs[analyte] = _grade_pairs(asking, number)
    errors: list[Error] = []
    for quantity, (pairs, own_u, places) in all_pairs.items():
        prior = {
            name: asking.checks.get((name, quantity), Known(0.0, u)) for name, u in own_u.items()
        }
        errors += [
            Error(asking.lots[0].begins, name, quantity, _site(asking, places[name]), effect)
            for name, effect in effects(pairs, prior, _standard(places)).items()
            if effect.n >= ERROR_LOTS_MIN
        ]
    return errors


_Pairs = tuple[list[Pair], dict[str, float], dict[str, set[tuple[int, bool]]]]
"""Comparisons, what instruments are thought to be off by, where they stand and whether XRF."""


def _standard(places: Mapping[str, set[tuple[int, bool]]]) -> list[str]:
    """Return the instruments at the first station, laboratories before others."""
    first = min((min(there) for there in places.values()), default=(0, False))
    return [name for name, there in places.items() if first in there]


def _site(asking: Asking, places: set[tuple[int, bool]]) -> str | None:
    names = {
        lot.thought.stations[station]
        for station, _ in places
        for lot in asking.lots
        if station < len(lot.thought.stations)
    }
    return names.pop() if len(names) == 1 else None


def _mass_pairs(
    lots: Sequence[Lot], found: Mapping[LegName, LegFound], rounding: Rounding
) -> _Pairs:
    pairs: list[Pair] = []
    own_u: dict[str, float] = {}
    places: dict[str, set[tuple[int, bool]]] = {}
    for lot in lots:
        for trip in weighed(lot):
            leg = found[leg_name(lot, trip.leg)]
            expected = math.log1p(-leg.loss.mean) if leg.loss else 0.0
            expected -= leg.drying.mean if leg.drying else 0.0
            rounded = rounding.of_trip(trip)
            pairs.append(Pair(*trip.scales[::-1], trip.ln - expected, lot.at, rounded))
            for scale, u, at in zip(trip.scales, trip.scale_u, (0, 1), strict=True):
                own_u[scale] = max(own_u.get(scale, 0.0), u)
                places.setdefault(scale, set()).add((trip.leg + at, False))
    return pairs, own_u, places


def _moisture_pairs(
    asking: Asking, found: Mapping[LegName, LegFound], rounding: Rounding
) -> _Pairs:
    pairs: list[Pair] = []
    own_u: dict[str, float] = {}
    places: dict[str, set[tuple[int, bool]]] = {}
    for lot in asking.lots:
        told = by_station(lot)
        for one in told:
            own_u[one.laboratory] = max(own_u.get(one.laboratory, 0.0), one.laboratory_u)
            places.setdefault(one.laboratory, set()).add((one.station, False))
        for here, there in pairwise(told):
            on_the_way = [
                found[leg_name(lot, n)].drying for n in range(here.station, there.station)
            ]
            drying = sum(one.mean for one in on_the_way if one is not None)
            expected = 1.0 - (1.0 - here.fraction) * math.exp(drying)
            off, rounded = there.fraction - expected, rounding.of_moistures(here, there)
            pairs.append(Pair(there.laboratory, here.laboratory, off, lot.at, rounded))
    return pairs, own_u, places


def _grade_pairs(asking: Asking, analyte: int) -> _Pairs:
    """Return comparisons of grades with the first that a lot has, laboratories before others."""
    pairs: list[Pair] = []
    own_u: dict[str, float] = {}
    places: dict[str, set[tuple[int, bool]]] = {}
    for lot, told in zip(asking.lots, asking.compositions, strict=True):
        seen = [one for one in told if not math.isnan(one.ln[analyte])]
        for one in seen:
            own_u[one.instrument] = max(own_u.get(one.instrument, 0.0), one.own_u)
            places.setdefault(one.instrument, set()).add((one.station, one.is_xrf))
        pairs += [
            Pair(
                one.instrument,
                seen[0].instrument,
                float(one.ln[analyte] - seen[0].ln[analyte]),
                lot.at,
            )
            for one in seen[1:]
        ]
    return pairs, own_u, places
