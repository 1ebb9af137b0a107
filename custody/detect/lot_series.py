"""Series of XRF shots as readings: the mean of those of an instrument at a station that agree.

Where one of several shots does not see an analyte, the series says nothing of it: the mean of the
others is too high. One that is below detection counts as at its limit, where that is far below what
a clean lot shows (``lot_below``); in a shot that no other vouches for it says nothing.

Source:
    docs/detection/shot-gate.md
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from custody.detect.lot_below import LIMIT_REL, Floors
from custody.detect.lot_facts import UNKNOWN_XRF, Bools, Floats, Ints, Model, Shot
from custody.detect.pattern_rows import STEP, U_MAX, U_MIN, Rows, ShotRows
from custody.detect.shot_gate import Dropped, Reference, all_agree, gate

SHOTS_MAX = 32
"""Most shots of a series that are looked at."""
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


_Name = tuple[int, str, bool]
"""Of a series of shots: station, device, dry."""


class Block(NamedTuple):
    """Rows of one reading or series; ``order`` is station, kind of quantity, name.

    ``below`` are the numbers of the rows whose value is at most what is said, from 0.
    """

    order: tuple[int, int, str]
    rows: Rows
    values: Sequence[float]
    events: tuple[str, ...]
    below: tuple[int, ...] = ()


class Series:
    """Lays out the shots of lots that have one model.

    Args:
        model: What is thought of such lots.
        stations: Numbers of the stations by name.
        mean_of: Known mean errors of an instrument by analyte, (analytes,).
        floors: What limits of detection must not pass.
    """

    def __init__(
        self,
        model: Model,
        stations: Mapping[str, int],
        mean_of: Callable[[str], Floats],
        floors: Floors,
    ) -> None:
        self._model, self._stations, self._mean_of = model, stations, mean_of
        self._floors = floors

    def blocks(self, shots: Sequence[Shot], gated: list[GatedShot], left: list[str]) -> list[Block]:
        """Return the means of all series of shots, bad shots taken out."""
        series = self._by_series(shots, left)
        if not series:
            return []
        # All shots of the lot at once: an array costs more than the numbers in it.
        ends = tuple(accumulate(len(fractions) for _, _, fractions in series))
        every = [shot for _, members, _ in series for shot in members]
        ln = logarithms(np.array([row for _, _, rows in series for row in rows]))
        below = self._at_limits(every, ln)
        ln -= np.array([self._mean_of(shot.device) for shot in every])
        var = self._variances(every, below)
        kept: list[Sequence[int]] = [
            range(start, end) for start, end in zip((0, *ends), ends, strict=False)
        ]
        if not all_agree(ln, var, ends, below):
            taken = [members for _, members, _ in series]
            kept = self._all_gated(taken, kept, (ln, var, below), gated)
        names = [name for (name, _, _), at in zip(series, kept, strict=True) if at]
        kept = [at for at in kept if at]
        if not kept:
            return []
        if below is not None:
            self._silence(names, kept, ln, below)
        mean, u = (_means(one, kept) for one in (ln, var))
        usual = np.array([self._usual_ln_u(device) for _, device, _ in names])
        steps = _steps(np.sqrt(u), usual)
        events = [tuple([every[i].event_id for i in at]) for at in kept]
        at_most = [_seen_below(below, at) for at in kept]
        told = zip(names, mean.tolist(), steps.tolist(), events, at_most, strict=True)
        return [block for one in told if (block := _mean_of(*one)) is not None]

    def _by_series(
        self, shots: Sequence[Shot], left: list[str]
    ) -> list[tuple[_Name, list[Shot], list[tuple[float, ...]]]]:
        """Return shots by station, device and basis, in order, with their fractions."""
        analytes = self._model.analytes
        by_name: dict[_Name, dict[tuple[tuple[float, ...], str], Shot]] = {}
        for shot in shots:
            get = shot.fractions.get
            fractions = tuple([get(a, 0.0) for a in analytes])
            measured = any(0.0 < x < math.inf for x in fractions)
            if not measured and not any(a in shot.below for a in analytes):
                left.append(shot.event_id)
                continue
            name = (self._stations[shot.station], shot.device, shot.dry)
            # No two shots are alike to the last digit: the same figures are the same shot again.
            # Limits of detection are alike in all of them.
            same = fractions, "" if measured else shot.event_id
            by_name.setdefault(name, {}).setdefault(same, shot)
        return [
            (name, list(one.values())[:SHOTS_MAX], [row for row, _ in one][:SHOTS_MAX])
            for name, one in sorted(by_name.items())
        ]

    def _all_gated(
        self,
        series: Sequence[Sequence[Shot]],
        shots: Sequence[Sequence[int]],
        told: tuple[Floats, Floats, Bools | None],
        gated: list[GatedShot],
    ) -> list[Sequence[int]]:
        """Return which shots of each series are used, and write down the others."""
        kept: list[Sequence[int]] = []
        before: Floats | None = None
        every, var, below = told
        for members, at in zip(series, shots, strict=True):
            mine = None if below is None else below[at]
            found = gate(every[at], var[at], None, mine)
            if not found.kept:
                found = gate(every[at], var[at], self._reference(before), mine)
            for dropped in found.dropped:
                shot = members[dropped.number]
                gated.append(GatedShot(shot.event_id, shot.device, shot.station, dropped))
            kept.append([at[i] for i in found.kept])
            if kept[-1]:
                before = _means(every, kept[-1:])[0]
        return kept

    def _at_limits(self, shots: Sequence[Shot], ln: Floats) -> Bools | None:
        """Put limits of detection where shots are below them; return where, None if nowhere."""
        if not any(shot.below for shot in shots):
            return None
        rows = [[shot.below.get(a, 0.0) for a in self._model.analytes] for shot in shots]
        limits = logarithms(np.array(rows))
        below = np.isnan(ln) & ~np.isnan(limits)
        ln[below] = limits[below]
        return below

    def _silence(
        self, names: Sequence[_Name], kept: Sequence[Sequence[int]], ln: Floats, below: Bools
    ) -> None:
        """Take out what is below detection and says nothing."""
        for (station, device, dry), at in zip(names, kept, strict=True):
            one = ShotRows(station, device, dry, 1, (), ())
            floors = self._floors.of(one, math.exp(self._usual_ln_u(device)))
            if len(at) == 1:
                floors = np.full_like(floors, -math.inf)
            mine = ln[at]
            ln[at] = np.where(below[at] & (mine > floors), np.nan, mine)

    def _usual_ln_u(self, device: str) -> float:
        """Return the logarithm of the u of a usual shot of an instrument."""
        xrf = self._model.xrf.get(device, UNKNOWN_XRF)
        usual = math.hypot(xrf.heterogeneity_rel, xrf.counting_rel)
        # Written so that a NaN counts as the widest.
        return math.log(max(usual, U_MIN) if usual <= U_MAX else U_MAX)

    def _variances(self, shots: Sequence[Shot], below: Bools | None) -> Floats:
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
        if below is not None:
            counting[below] = LIMIT_REL
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
    name: _Name,
    mean: Sequence[float],
    u: Sequence[int],
    events: tuple[str, ...],
    below: Sequence[bool],
) -> Block | None:
    """Return the mean of a series of shots; None where they see nothing in common."""
    station, device, dry = name
    seen = tuple([at for at, value in enumerate(mean) if not math.isnan(value)])
    if not seen:
        return None
    steps, alone = tuple([u[at] for at in seen]), len(events) == 1
    rows = ShotRows(station, device, dry, len(events), seen, steps, alone)
    at_most = tuple([row for row, at in enumerate(seen) if below[at]]) if below else ()
    name_of = f"{device} {dry}"
    return Block((station, 2, name_of), rows, [mean[at] for at in seen], events, at_most)


def _seen_below(below: Bools | None, shots: Sequence[int]) -> Sequence[bool]:
    """Return by analyte whether one of some shots is below detection; empty where none is."""
    return () if below is None else np.any(below[shots], axis=0).tolist()


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
