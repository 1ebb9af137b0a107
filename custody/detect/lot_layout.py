"""A lot's readings laid out as one vector, and the pattern that lots measured alike share.

What says nothing usable is left out: a net mass not above zero, a moisture beyond
``MOISTURE_MAX``, one that is much drier than one before it, an analyte below detection, a station
that is not on the way. Where one of several
shots does not see an analyte, the series says nothing of it: the mean of the others is too high.

Weighings of a part enter relative to its first, so its mass need not be known beforehand.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from custody.detect.lot_facts import (
    MASS,
    MOISTURE,
    UNKNOWN_XRF,
    Assay,
    Floats,
    Ints,
    Known,
    Model,
    Moisture,
    Readings,
    Shot,
    Weighing,
)
from custody.detect.lot_moisture import Dried, is_drier
from custody.detect.pattern_rows import (
    STEP,
    U_MAX,
    U_MIN,
    AssayRows,
    MassRow,
    MoistureRow,
    Pattern,
    Rows,
    ShotRows,
    snapped,
    snapped_together,
)
from custody.detect.shot_gate import Dropped, Reference, all_agree, gate

MOISTURE_MAX = 0.999
"""Beyond it there is no dry matter to speak of."""
SHOTS_MAX, PARTS_MAX, PAPERS_MAX = 32, 64, 16
"""Most shots of a series, parts of a lot, and moistures or certificates that are looked at."""
USUAL_WITHIN = 0.15
"""How far the u of a series may be from the usual one, in logarithms, and count as that."""
COARSE = 4 * STEP
"""Logarithmic step of the u of other series of shots."""
REFERENCE_U = 0.05
"""How far two instruments may differ, per analyte and in common, where shots are compared."""


class GatedShot(NamedTuple):
    """A shot that is not used, and why."""

    event_id: str
    device: str
    station: str
    dropped: Dropped


class Layout(NamedTuple):
    """A lot's readings in the order of the way.

    Attributes:
        pattern: What was measured, hashable.
        values: Logarithms, instrument errors known taken off; one per row of the pattern.
        events: Facts behind each block of the pattern.
        gated: Shots not used.
        left_out: Facts of which nothing could be used.
    """

    pattern: Pattern
    values: Floats
    events: tuple[tuple[str, ...], ...]
    gated: tuple[GatedShot, ...]
    left_out: tuple[str, ...]


class _Reading(Protocol):
    @property
    def event_id(self) -> str: ...
    @property
    def station(self) -> str: ...


_R = TypeVar("_R", bound=_Reading)
_Name = tuple[int, str, bool]
"""Of a series of shots: station, device, dry."""


class _Block(NamedTuple):
    """Rows of one reading or series; ``order`` is station, kind of quantity, name."""

    order: tuple[int, int, str]
    rows: Rows
    values: Sequence[float]
    events: tuple[str, ...]


class Arranger:
    """Lays out the readings of lots that have one model.

    Args:
        model: What is thought of such lots.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._stations = {name: at for at, name in enumerate(model.stations)}
        self._means: dict[str, Floats] = {}

    def layout(self, readings: Readings) -> Layout:
        """Return the readings laid out; the same facts in any order give the same layout."""
        left: list[str] = []
        gated: list[GatedShot] = []
        blocks = self._masses(self._usable(readings.weighings, left), left)
        blocks += self._moistures(self._usable(readings.moistures, left), left)
        blocks += self._assays(self._usable(readings.assays, left), left)
        blocks += self._series(self._usable(readings.shots, left), gated, left)
        blocks.sort(key=_order)
        return Layout(
            tuple([block.rows for block in blocks]),
            np.array([value for block in blocks for value in block.values]),
            tuple([block.events for block in blocks]),
            tuple(gated),
            tuple(left),
        )

    def _usable(self, readings: Iterable[_R], left: list[str]) -> list[_R]:
        """Return readings at stations of the way, each once, in order of station and event."""
        known, by_id = self._stations, dict[str, _R]()
        for reading in readings:
            if reading.station in known:
                # Copies that differ are told apart by what they say, not by which came first.
                before = by_id.setdefault(reading.event_id, reading)
                if before is not reading and before != reading:
                    by_id[reading.event_id] = min(before, reading, key=repr)
            else:
                left.append(reading.event_id)
        return sorted(by_id.values(), key=lambda one: (known[one.station], one.event_id))

    def _masses(self, weighings: Sequence[Weighing], left: list[str]) -> list[_Block]:
        parts: dict[str, list[Weighing]] = {}
        for one in weighings:
            if 0.0 < one.net < math.inf:
                parts.setdefault(one.part, []).append(one)
            else:
                left.append(one.event_id)
        blocks: list[_Block] = []
        for part in sorted(parts)[:PARTS_MAX]:
            first = parts[part][0]
            start = self._stations[first.station]
            weighed = math.log(first.net) - self._known(first.scale, MASS).mean
            for one in parts[part][1:PAPERS_MAX]:
                station = self._stations[one.station]
                ends = *self._weighed(first), station, *self._weighed(one)
                row = MassRow(part, start, *ends)
                value = math.log(one.net) - self._known(one.scale, MASS).mean - weighed
                events = (first.event_id, one.event_id)
                blocks.append(_Block((station, 0, part + events[1]), row, [value], events))
        return blocks

    def _weighed(self, one: Weighing) -> tuple[str, int, int]:
        """Return scale, random u and the scale's own u."""
        known = self._model.errors.get((one.scale, MASS))
        return one.scale, snapped(one.u_rel), snapped(one.scale_u_rel if known is None else known.u)

    def _known(self, instrument: str, quantity: str) -> Known:
        return self._model.errors.get((instrument, quantity), _NOTHING_KNOWN)

    def _moistures(self, moistures: Sequence[Moisture], left: list[str]) -> list[_Block]:
        blocks: list[_Block] = []
        kept: list[Dried] = []
        for one in moistures:
            known = self._model.errors.get((one.laboratory, MOISTURE))
            dry = 1.0 - (one.fraction - (known.mean if known else 0.0))
            if not (0.0 <= one.fraction <= MOISTURE_MAX and dry >= 1.0 - MOISTURE_MAX):
                left.append(one.event_id)
                continue
            shared = one.laboratory_u if known is None else known.u
            station = self._stations[one.station]
            own = Dried(station, math.log(dry), one.laboratory, one.u / dry, shared / dry)
            if any(is_drier(before, own, self._model.legs) for before in kept):
                left.append(one.event_id)
                continue
            kept.append(own)
            row = MoistureRow(station, one.laboratory, snapped(own.u), snapped(own.shared))
            blocks.append(_Block((station, 1, one.event_id), row, [own.ln_dry], (one.event_id,)))
        return blocks[:PAPERS_MAX]

    def _assays(self, assays: Sequence[Assay], left: list[str]) -> list[_Block]:
        blocks: list[_Block] = []
        for one in assays:
            mean = self._mean(one.laboratory)
            seen: list[int] = []
            values: list[float] = []
            u: list[float] = []
            for at, analyte in enumerate(self._model.analytes):
                fraction = one.fractions.get(analyte, 0.0)
                if 0.0 < fraction < math.inf:
                    seen.append(at)
                    values.append(math.log(fraction) - mean[at])
                    u.append(one.u_rel.get(analyte, one.u_rel_default))
            if not seen:
                left.append(one.event_id)
                continue
            station = self._stations[one.station]
            shared = snapped(one.laboratory_u_rel)
            row = AssayRows(
                station, one.laboratory, one.dry, tuple(seen), snapped_together(u), shared
            )
            blocks.append(_Block((station, 3, one.event_id), row, values, (one.event_id,)))
        return blocks[:PAPERS_MAX]

    def _mean(self, instrument: str) -> Floats:
        """Return an instrument's known mean error by analyte."""
        mean = self._means.get(instrument)
        if mean is None:
            named = [self._known(instrument, a).mean for a in self._model.analytes]
            mean = self._means[instrument] = np.array(named)
        return mean

    def _series(
        self, shots: Sequence[Shot], gated: list[GatedShot], left: list[str]
    ) -> list[_Block]:
        """Return the means of all series of shots, bad shots taken out."""
        series = self._by_series(shots, left)
        if not series:
            return []
        # All shots of the lot at once: an array costs more than the numbers in it.
        ends = tuple(accumulate(len(fractions) for _, _, fractions in series))
        every = [shot for _, members, _ in series for shot in members]
        ln = logarithms(np.array([row for _, _, rows in series for row in rows]))
        ln -= np.array([self._mean(shot.device) for shot in every])
        var = self._variances(every)
        kept: list[Sequence[int]] = [
            range(start, end) for start, end in zip((0, *ends), ends, strict=False)
        ]
        if not all_agree(ln, var, ends):
            kept = self._all_gated([members for _, members, _ in series], kept, (ln, var), gated)
        names = [name for (name, _, _), at in zip(series, kept, strict=True) if at]
        kept = [at for at in kept if at]
        if not kept:
            return []
        mean, u = (_means(one, kept) for one in (ln, var))
        usual = np.array([self._usual_ln_u(device) for _, device, _ in names])
        steps = _steps(np.sqrt(u), usual)
        events = [tuple([every[i].event_id for i in at]) for at in kept]
        told = zip(names, mean.tolist(), steps.tolist(), events, strict=True)
        return [block for one in told if (block := _mean_of(*one)) is not None]

    def _by_series(
        self, shots: Sequence[Shot], left: list[str]
    ) -> list[tuple[_Name, list[Shot], list[tuple[float, ...]]]]:
        """Return shots by station, device and basis, in order, with their fractions."""
        analytes = self._model.analytes
        by_name: dict[_Name, dict[tuple[float, ...], Shot]] = {}
        for shot in shots:
            get = shot.fractions.get
            fractions = tuple([get(a, 0.0) for a in analytes])
            if not any(0.0 < x < math.inf for x in fractions):
                left.append(shot.event_id)
                continue
            name = (self._stations[shot.station], shot.device, shot.dry)
            # No two shots are alike to the last digit: the same figures are the same shot again.
            by_name.setdefault(name, {}).setdefault(fractions, shot)
        return [
            (name, list(one.values())[:SHOTS_MAX], list(one)[:SHOTS_MAX])
            for name, one in sorted(by_name.items())
        ]

    def _all_gated(
        self,
        series: Sequence[Sequence[Shot]],
        shots: Sequence[Sequence[int]],
        ln_var: tuple[Floats, Floats],
        gated: list[GatedShot],
    ) -> list[Sequence[int]]:
        """Return which shots of each series are used, and write down the others."""
        kept: list[Sequence[int]] = []
        before: Floats | None = None
        for members, at in zip(series, shots, strict=True):
            ln, var = (one[at] for one in ln_var)
            found = gate(ln, var)
            if not found.kept:
                found = gate(ln, var, self._reference(before))
            for dropped in found.dropped:
                shot = members[dropped.number]
                gated.append(GatedShot(shot.event_id, shot.device, shot.station, dropped))
            kept.append([at[i] for i in found.kept])
            if kept[-1]:
                before = _means(ln_var[0], kept[-1:])[0]
        return kept

    def _usual_ln_u(self, device: str) -> float:
        """Return the logarithm of the u of a usual shot of an instrument."""
        xrf = self._model.xrf.get(device, UNKNOWN_XRF)
        usual = math.hypot(xrf.heterogeneity_rel, xrf.counting_rel)
        # Written so that a NaN counts as the widest.
        return math.log(max(usual, U_MIN) if usual <= U_MAX else U_MAX)

    def _variances(self, shots: Sequence[Shot]) -> Floats:
        """Return the variance of each shot by analyte; counting u as stated, where it is."""
        analytes, known = self._model.analytes, self._model.xrf
        rows: list[list[float]] = []
        ore: list[float] = []
        for shot in shots:
            xrf, get = known.get(shot.device, UNKNOWN_XRF), shot.counting_rel.get
            usual = xrf.counting_rel
            rows.append([get(a, usual) for a in analytes])
            ore.append(xrf.heterogeneity_rel**2)
        counting = np.array(rows)
        # Written so that a NaN counts as the widest.
        counting = np.where(np.abs(counting) <= U_MAX, counting, U_MAX)
        return np.asarray(np.maximum(counting * counting + np.array(ore)[:, None], U_MIN**2))

    def _reference(self, before: Floats | None) -> Reference | None:
        """Return what a shot should see: what was seen at the station before, or the origin."""
        share_u = self._model.dry_share[1] ** 2
        if before is not None:
            var = np.full(len(self._model.analytes), 2.0 * REFERENCE_U**2)
            return Reference(before, var, REFERENCE_U**2 + share_u)
        origin = self._model.origin
        if origin is None:
            return None
        place = {analyte: at for at, analyte in enumerate(origin.analytes)}
        at = [place.get(analyte, -1) for analyte in self._model.analytes]
        missing = np.array(at) < 0
        mean = np.where(missing, np.nan, origin.mean[at]) + self._model.dry_share[0]
        var = np.diag(origin.covariance)[at] + 2.0 * REFERENCE_U**2
        return Reference(mean, var, REFERENCE_U**2 + share_u)


def logarithms(fractions: Floats) -> Floats:
    """Return logarithms, NaN where there is nothing above zero to take one of."""
    usable = (fractions > 0.0) & (fractions < math.inf)
    return np.log(
        np.where(usable, fractions, 1.0), where=usable, out=np.full(fractions.shape, np.nan)
    )


def _mean_of(
    name: _Name, mean: Sequence[float], u: Sequence[int], events: tuple[str, ...]
) -> _Block | None:
    """Return the mean of a series of shots; None where they see nothing in common."""
    station, device, dry = name
    seen = tuple([at for at, value in enumerate(mean) if not math.isnan(value)])
    if not seen:
        return None
    steps, alone = tuple([u[at] for at in seen]), len(events) == 1
    rows = ShotRows(station, device, dry, len(events), seen, steps, alone)
    return _Block((station, 2, f"{device} {dry}"), rows, [mean[at] for at in seen], events)


def _means(rows: Floats, series: Sequence[Sequence[int]]) -> Floats:
    """Return the means of rows by series, shape (series, analytes)."""
    counts = np.array([len(at) for at in series])
    starts = np.cumsum(counts) - counts
    sums = np.add.reduceat(rows[[i for at in series for i in at]], starts)
    return np.asarray(sums / counts[:, None])


def _steps(u: Floats, usual: Floats) -> Ints:
    """Return the u of shots in steps.

    Counting errors differ from shot to shot and matter little beside heterogeneity: shots that are
    about as good as usual share a pattern; traces are taken in coarser steps.

    Args:
        u: Of one shot, shape (series, analytes).
        usual: Logarithm of the u that is usual, (series,).
    """
    ln_u = np.log(np.clip(u, U_MIN, U_MAX))
    coarse = np.rint(ln_u / COARSE) * COARSE
    near = np.abs(ln_u - usual[:, None]) <= USUAL_WITHIN
    return np.rint(np.where(near, usual[:, None], coarse) / STEP).astype(np.int64)


def _order(block: _Block) -> tuple[int, int, str]:
    return block.order


_NOTHING_KNOWN = Known(0.0, 0.0)
