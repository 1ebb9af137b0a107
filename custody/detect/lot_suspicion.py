"""What a lot's e-value says: which fraud, from where on, how large, and by which measurements.

All of it follows from the readings alone and is computed where somebody asks: for an alert, for a
page about a lot. Probabilities are those within what may have happened; they say nothing of how
often frauds happen.

Source:
    docs/detection/mixture.md
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from custody.detect.lot_facts import MASS, MOISTURE, Floats
from custody.detect.lot_families import (
    FAMILIES,
    OMNIBUS_U,
    ORIGIN_MISMATCH,
    SIZE_MAX,
    Family,
    foreign_sites,
    shift,
)
from custody.detect.lot_foreign import all_mixed, fitted, ln_lr, mixed
from custody.detect.lot_layout import GatedShot
from custody.detect.lot_pattern import COMPOSITION, Onset, Prepared, prepare
from custody.detect.mixture import Detector, Judged, Terms, Weighted, logarithms
from custody.detect.pattern_rows import AssayRows, MassRow, Pattern, ShotRows

POINTS = 200
"""Sizes at which the posterior of the size is taken, evenly in logarithms."""
FOREIGN_POINTS = 80
SIZE_LEAST = 1e-3


class Suspect(NamedTuple):
    """One thing that may have happened.

    Attributes:
        family: Kind.
        stations: Sites it may begin at; the measurements do not tell them apart.
        part: The part it is confined to; None for all.
        site: Where foreign material may be from; None otherwise.
        probability: Of all that may have happened.
    """

    family: Family
    stations: tuple[str, ...]
    part: str | None
    site: str | None
    probability: float


def name_of(one: Suspect, first: str) -> str:
    """Return its name in an alert; foreign material from the first station on has its own.

    Args:
        one: What may have happened.
        first: The first station of the way.
    """
    from_the_first = one.family is Family.FOREIGN and first in one.stations
    return ORIGIN_MISMATCH if from_the_first else one.family.value


class Contribution(NamedTuple):
    """One measured quantity.

    Attributes:
        event_ids: Facts.
        station: Where.
        quantity: ``mass``, ``moisture`` (as ln(1 - moisture)) or an analyte.
        instrument: Scale, laboratory or XRF.
        expected: Logarithm expected after all that was measured before, on the way.
        observed: Logarithm measured, known errors of the instrument taken off.
        u: Of their difference.
        z: Difference over u: standard normal when nothing is wrong.
        shift: What the named fraud would add to z.
        ln_lr: shift z - shift^2 / 2; they add up to ``Suspicion.ln_lr``.
    """

    event_ids: tuple[str, ...]
    station: str
    quantity: str
    instrument: str
    expected: float
    observed: float
    u: float
    z: float
    shift: float
    ln_lr: float


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a suspicion rests on.

    Attributes:
        prepared: What the pattern makes of the model.
        z: Innovations of the values, standard normal when nothing is wrong.
        suspects: All that may have happened, the most probable first.
    """

    prepared: Prepared
    z: Floats
    suspects: Sequence[tuple[Suspect, Onset]]


class Suspicion(NamedTuple):
    """What is said of a lot.

    Attributes:
        ln_e: ln E.
        named: The most probable.
        size: Share taken, added or exchanged; of a free change the root mean square of ln c.
        size_u: Its standard uncertainty.
        families: Probability by family, greatest first.
        suspects: The most probable, greatest first; at most ``SUSPECTS_MAX``.
        ln_lr: ln LR of the named fraud at its size.
        contributions: In the order of the way.
        by_quantity: Sum of ``ln_lr`` by quantity.
        gated: Shots not used.
        left_out: Facts of which nothing could be used.
        ground: What all of it rests on.
    """

    ln_e: float
    named: Suspect
    size: float
    size_u: float
    families: tuple[tuple[Family, float], ...]
    suspects: tuple[Suspect, ...]
    ln_lr: float
    contributions: tuple[Contribution, ...]
    by_quantity: tuple[tuple[str, float], ...]
    gated: tuple[GatedShot, ...]
    left_out: tuple[str, ...]
    ground: Ground


SUSPECTS_MAX = 8


def explain(detector: Detector, judged: Judged) -> Suspicion | None:
    """Return what a lot's readings say of it; None where they cannot show any fraud.

    Args:
        detector: The one that has judged them.
        judged: The readings as it has laid them out, and ln E.
    """
    layout = judged.layout
    if not layout.pattern:
        return None
    weighted = detector.weighted(layout.pattern)
    terms = detector.terms(weighted, layout.values[None])
    prepared = prepare(detector.model, detector.prior, layout.pattern)
    z = prepared.inverse @ (layout.values - prepared.mean)
    suspects = _suspects(detector, weighted, terms, _foreign(detector, prepared, z))
    if not suspects:
        return None
    best = suspects[0]
    size, size_u, moved = _sized(detector, prepared, best, z)
    rows = _rows(detector, layout.pattern, layout.events)
    contributions = _contributions(prepared, rows, layout.values, z, moved)
    by_quantity: dict[str, float] = {}
    for one in contributions:
        by_quantity[one.quantity] = by_quantity.get(one.quantity, 0.0) + one.ln_lr
    return Suspicion(
        judged.ln_e,
        best[0],
        size,
        size_u,
        _by_family([one for one, _ in suspects]),
        tuple([one for one, _ in suspects[:SUSPECTS_MAX]]),
        sum(one.ln_lr for one in contributions),
        contributions,
        tuple(sorted(by_quantity.items(), key=lambda one: -one[1])),
        layout.gated,
        layout.left_out,
        Ground(prepared, z, suspects),
    )


def _foreign(detector: Detector, prepared: Prepared, z: Floats) -> list[Floats]:
    """Return ln(weight x LR) of foreign material by onset, spread of sites included.

    Returns:
        By onset an array over all directions, those of other families zero.
    """
    d, legs = detector.directions, len(detector.model.legs)
    found = [np.zeros(len(d.site)) for _ in prepared.onsets]
    for at_origin in (True, False):
        material = all_mixed(detector, at_origin=at_origin)
        for number, onset in enumerate(prepared.onsets):
            if material is None or (onset.stations[0] == 0) is not at_origin:
                continue
            u = prepared.u[number][:, COMPOSITION:]
            ln = ln_lr(material, u.T @ z, prepared.j[number][COMPOSITION:, COMPOSITION:])
            weight = d.onset_weights(onset.stations, legs)[d.site >= 0]
            found[number][d.site >= 0] = logarithms(weight) + ln
    return found


def _suspects(
    detector: Detector,
    weighted: Weighted,
    terms: Terms,
    foreign: Sequence[Floats],
) -> list[tuple[Suspect, Onset]]:
    """Return all that may have happened, sizes added up, the most probable first."""
    d, names = detector.directions, detector.model.stations
    found: list[tuple[Family, Onset, str | None, float]] = []
    for number, onset in enumerate(weighted.onsets):
        fixed = terms.fixed[0, number]
        for family, site in {(int(f), int(s)) for f, s in zip(d.family, d.site, strict=True)}:
            mine = (d.family == family) & (d.site == site)
            named = d.sites[site] if site >= 0 else None
            ln = foreign[number][mine] if site >= 0 else fixed[mine]
            found.append((FAMILIES[family], onset, named, _ln_sum(ln)))
        if detector.model.analytes:
            found.append((Family.OMNIBUS, onset, None, _ln_sum(terms.free[0, number])))
    half = terms.parts.shape[2] // 2
    for number, onset in enumerate(weighted.parts):
        sums = terms.parts[0, number]
        found.append((Family.LOSS, onset, None, _ln_sum(sums[:half])))
        found.append((Family.GAIN, onset, None, _ln_sum(sums[half:])))
    found = [one for one in found if one[3] > -math.inf]
    total = _ln_sum(np.array([one[3] for one in found]))
    suspects = [
        (
            Suspect(f, tuple(names[s] for s in o.stations), o.part, site, math.exp(ln - total)),
            o,
        )
        for f, o, site, ln in found
    ]
    # The name settles ties, so that equal lots get equal alerts.
    return sorted(suspects, key=lambda one: (-one[0].probability, str(one[0])))


def _by_family(suspects: Sequence[Suspect]) -> tuple[tuple[Family, float], ...]:
    sums = dict.fromkeys(FAMILIES, 0.0)
    for one in suspects:
        sums[one.family] += one.probability
    return tuple(sorted(sums.items(), key=lambda one: -one[1]))


def _sized(
    detector: Detector, prepared: Prepared, best: tuple[Suspect, Onset], z: Floats
) -> tuple[float, float, Floats]:
    """Return size, its u, and what the fraud of that size adds to z."""
    suspect, onset = best
    if onset.part is not None:
        mass = prepared.part_u[prepared.parts.index(onset)][:, None]
        return _posterior(*_candidates(detector, suspect), mass, z, columns=1)
    number = prepared.onsets.index(onset)
    u = prepared.u[number]
    if suspect.family is Family.OMNIBUS:
        return _free_change(u[:, COMPOSITION:], z)
    if suspect.family is Family.FOREIGN:
        return _foreign_size(detector, suspect, onset, u[:, COMPOSITION:], z)
    return _posterior(*_candidates(detector, suspect), u, z, columns=u.shape[1])


def _candidates(detector: Detector, suspect: Suspect) -> tuple[Floats, Floats]:
    """Return sizes and their shifts."""
    sizes = np.geomspace(SIZE_LEAST, SIZE_MAX, POINTS)
    return sizes, shift(suspect.family, sizes, len(detector.model.analytes))


def _foreign_size(
    detector: Detector, suspect: Suspect, onset: Onset, u: Floats, z: Floats
) -> tuple[float, float, Floats]:
    """Return the same as ``_posterior``, the spread of both sites included."""
    other = next(s for s in foreign_sites(detector.model) if s.site_id == suspect.site)
    sizes = np.geomspace(SIZE_LEAST, 1.0, FOREIGN_POINTS)
    material = mixed(detector, other, sizes, at_origin=onset.stations[0] == 0)
    g, j = u.T @ z, u.T @ u
    p, size, spread = _shares(sizes, ln_lr(material, g, j))
    return size, spread, np.asarray(u @ fitted(material, int(np.argmax(p)), g, j))


def _posterior(
    sizes: Floats, shifts: Floats, u: Floats, z: Floats, *, columns: int
) -> tuple[float, float, Floats]:
    """Return mean and deviation of the size, thought even in its logarithm, and the shift of z."""
    moved = shifts[:, :columns] @ u.T
    ln = moved @ z - 0.5 * (moved * moved).sum(axis=1)
    _, size, spread = _shares(sizes, ln)
    return size, spread, np.asarray(moved[int(np.argmin(np.abs(sizes - size)))])


def _shares(sizes: Floats, ln: Floats) -> tuple[Floats, float, float]:
    """Return probabilities of sizes, their mean and deviation."""
    p = np.exp(ln - ln.max())
    p /= p.sum()
    size = float(p @ sizes)
    return p, size, math.sqrt(float(p @ (sizes - size) ** 2))


def _free_change(u: Floats, z: Floats) -> tuple[float, float, Floats]:
    """Return the root mean square of the expected change of ln c, its u, and the shift of z."""
    j, g = u.T @ u, u.T @ z
    inverse = np.linalg.inv(j + np.eye(len(j)) / OMNIBUS_U[-1] ** 2)
    d = inverse @ g
    rms = math.sqrt(float(d @ d) / len(d))
    spread = float(d @ inverse @ d) / (len(d) * rms) ** 2 if rms else float(np.trace(inverse))
    return rms, math.sqrt(spread), np.asarray(u @ d)


class _Row(NamedTuple):
    event_ids: tuple[str, ...]
    station: str
    quantity: str
    instrument: str


def _rows(detector: Detector, pattern: Pattern, events: Sequence[tuple[str, ...]]) -> list[_Row]:
    model = detector.model
    rows: list[_Row] = []
    for block, behind in zip(pattern, events, strict=True):
        station = model.stations[block.station]
        if isinstance(block, ShotRows | AssayRows):
            by = block.device if isinstance(block, ShotRows) else block.laboratory
            rows += [_Row(behind, station, model.analytes[a], by) for a in block.analytes]
        elif isinstance(block, MassRow):
            rows.append(_Row(behind, station, MASS, block.scale))
        else:
            rows.append(_Row(behind, station, MOISTURE, block.laboratory))
    return rows


def _contributions(
    prepared: Prepared, rows: Sequence[_Row], values: Floats, z: Floats, moved: Floats
) -> tuple[Contribution, ...]:
    u = 1.0 / np.diag(prepared.inverse)
    return tuple(
        Contribution(
            *row,
            float(value - one * spread),
            float(value),
            float(spread),
            float(one),
            float(by),
            float(by * one - 0.5 * by * by),
        )
        for row, value, spread, one, by in zip(rows, values, u, z, moved, strict=True)
    )


def _ln_sum(ln: Floats) -> float:
    top = float(ln.max(initial=-math.inf))
    return top + math.log(float(np.exp(ln - top).sum())) if top > -math.inf else -math.inf
