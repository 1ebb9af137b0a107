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

from custody.detect.lot_candidates import Candidates, What, candidates
from custody.detect.lot_facts import MASS, MOISTURE, Bools, Floats
from custody.detect.lot_families import (
    FAMILIES,
    OMNIBUS_U,
    ORIGIN_MISMATCH,
    Family,
)
from custody.detect.lot_fit import Fit, fit
from custody.detect.lot_layout import Layout
from custody.detect.lot_pattern import COMPOSITION, Onset, Prepared, prepare
from custody.detect.lot_series import GatedShot
from custody.detect.mixture import Detector, Judged, Terms, Weighted
from custody.detect.pattern_rows import AssayRows, MassRow, Pattern, ShotRows


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
        below: It is below detection, so at most ``observed``.
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
    below: bool


class Nearest(NamedTuple):
    """The site whose material comes nearest to what was measured, and how near that is.

    ``analyte`` is the one that is furthest off.
    """

    site: str
    analyte: str
    fit: Fit


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a suspicion rests on.

    Attributes:
        prepared: What the pattern makes of the model.
        z: Innovations of the values, standard normal when nothing is wrong.
        suspects: All that may have happened, the most probable first.
        nearest: Of a free change that no known site explains.
    """

    prepared: Prepared
    z: Floats
    suspects: Sequence[tuple[Suspect, Onset]]
    nearest: Nearest | None


class Suspicion(NamedTuple):
    """What is said of a lot.

    Attributes:
        ln_e: ln E.
        named: The most probable.
        size: Share taken, added or exchanged; of a free change 1 - exp(-root mean square of ln c).
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

    def sites(self) -> dict[str, float]:
        """Return how likely foreign material is each site's, if it is any; greatest first."""
        found: dict[str, float] = {}
        for one, _ in self.ground.suspects:
            if one.site is not None:
                found[one.site] = found.get(one.site, 0.0) + one.probability
        whole = sum(found.values()) or 1.0
        return {site: p / whole for site, p in sorted(found.items(), key=lambda one: -one[1])}


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
    every = _candidates(detector, weighted, terms, candidates(detector, prepared, z))
    fits = _Fits(prepared, z, _below(detector, layout))
    ranked = _that_fit(every, fits)
    if not ranked:
        return None
    size, size_u, moved = _size(prepared, ranked[0], z)
    suspects = _suspects(detector.model.stations, ranked)
    rows = _rows(detector, layout.pattern, layout.events)
    contributions = _contributions(prepared, rows, layout, z, moved)
    by_quantity: dict[str, float] = {}
    for one in contributions:
        by_quantity[one.quantity] = by_quantity.get(one.quantity, 0.0) + one.ln_lr
    return Suspicion(
        judged.ln_e,
        suspects[0][0],
        size,
        size_u,
        _by_family([one for one, _ in suspects]),
        tuple([one for one, _ in suspects[:SUSPECTS_MAX]]),
        sum(one.ln_lr for one in contributions),
        contributions,
        tuple(sorted(by_quantity.items(), key=lambda one: -one[1])),
        layout.gated,
        layout.left_out,
        Ground(prepared, z, suspects, _nearest(detector, every, ranked[0], fits)),
    )


def _below(detector: Detector, layout: Layout) -> Bools:
    """Return the analytes with a reading below detection, (analytes,)."""
    found = np.zeros(len(detector.model.analytes), dtype=np.bool_)
    of = [at for row in layout.pattern for at in getattr(row, "analytes", (-1,))]
    found[[of[row] for row in layout.below]] = True
    return found


class _Sized(NamedTuple):
    """What may have happened, with what it takes to size it; ``sizes`` is None for a free change.

    ``ln`` is ln(weight x mean LR).
    """

    what: What
    ln: float
    sizes: Candidates | None
    number: int

    @property
    def onset(self) -> Onset:
        return self.what[1]


def _candidates(
    detector: Detector, weighted: Weighted, terms: Terms, sized: Sequence[Candidates]
) -> list[_Sized]:
    """Return all that may have happened, sizes added up, the most probable first."""
    found = [
        _Sized(what, float(ln), some, number)
        for some in sized
        for number, (what, ln) in enumerate(zip(some.causes, some.ln, strict=True))
    ]
    for number, onset in enumerate(weighted.onsets if detector.model.analytes else ()):
        free = _ln_sum(terms.free[0, number])
        found.append(_Sized((Family.OMNIBUS, onset, None), free, None, 0))
    # The name settles ties, so that equal lots get equal alerts.
    return sorted(
        (one for one in found if one.ln > -math.inf), key=lambda one: (-one.ln, str(one.what))
    )


class _Fits(NamedTuple):
    """How far candidates are from what was measured; ``below`` as ``lot_fit.fit`` has it."""

    prepared: Prepared
    z: Floats
    below: Bools

    def of(self, one: _Sized) -> Fit | None:
        """Return how far one is; None of those that name no material."""
        if one.sizes is None or one.sizes.makes is None:
            return None
        u = self.prepared.u[self.prepared.onsets.index(one.onset)][:, COMPOSITION:]
        return fit(u, self.z, one.sizes.makes(one.number), self.below)


def _that_fit(ranked: list[_Sized], fits: _Fits) -> list[_Sized]:
    """Return what may have happened without material that is not what was measured."""
    found = fits.of(ranked[0]) if ranked else None
    while found is not None and found.is_bad:
        family, _, site = ranked[0].what
        ranked = [one for one in ranked if (one.what[0], one.what[2]) != (family, site)]
        found = fits.of(ranked[0]) if ranked else None
    return ranked


def _nearest(
    detector: Detector, every: Sequence[_Sized], named: _Sized, fits: _Fits
) -> Nearest | None:
    """Return the site of a free change that comes nearest, where that is not near."""
    for one in every if named.what[0] is Family.OMNIBUS else ():
        site = one.what[2]
        found = None if site is None else fits.of(one)
        if site is not None and found is not None:
            analyte = detector.model.analytes[found.worst]
            return Nearest(site, analyte, found) if found.is_bad else None
    return None


def _suspects(stations: Sequence[str], ranked: Sequence[_Sized]) -> list[tuple[Suspect, Onset]]:
    """Return likewise what may have happened, with its probability."""
    total = _ln_sum(np.array([one.ln for one in ranked]))
    found: list[tuple[Suspect, Onset]] = []
    for (family, onset, site), ln, _, _ in ranked:
        where = tuple([stations[at] for at in onset.stations])
        found.append((Suspect(family, where, onset.part, site, math.exp(ln - total)), onset))
    return found


def _by_family(suspects: Sequence[Suspect]) -> tuple[tuple[Family, float], ...]:
    sums = dict.fromkeys(FAMILIES, 0.0)
    for one in suspects:
        sums[one.family] += one.probability
    return tuple(sorted(sums.items(), key=lambda one: -one[1]))


def _size(prepared: Prepared, best: _Sized, z: Floats) -> tuple[float, float, Floats]:
    """Return size, its u, and what the fraud of that size adds to z."""
    if best.sizes is None:
        u = prepared.u[prepared.onsets.index(best.onset)]
        return _free_change(u[:, COMPOSITION:], z)
    return *best.sizes.size(best.number), best.sizes.moved(best.number)


def _free_change(u: Floats, z: Floats) -> tuple[float, float, Floats]:
    """Return what the expected change leaves away of grades, its u, and the shift of z.

    By the root mean square of the change of ln c: as a share of the greater grade, so it is near
    that for small ones and never more than all.
    """
    j, g = u.T @ u, u.T @ z
    inverse = np.linalg.inv(j + np.eye(len(j)) / OMNIBUS_U[-1] ** 2)
    d = inverse @ g
    rms = math.sqrt(float(d @ d) / len(d))
    spread = float(d @ inverse @ d) / (len(d) * rms) ** 2 if rms else float(np.trace(inverse))
    return -math.expm1(-rms), math.sqrt(spread) * math.exp(-rms), np.asarray(u @ d)


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
    prepared: Prepared, rows: Sequence[_Row], layout: Layout, z: Floats, moved: Floats
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
            no in layout.below,
        )
        for no, (row, value, spread, one, by) in enumerate(
            zip(rows, layout.values, u, z, moved, strict=True)
        )
    )


def _ln_sum(ln: Floats) -> float:
    top = float(ln.max(initial=-math.inf))
    return top + math.log(float(np.exp(ln - top).sum())) if top > -math.inf else -math.inf
