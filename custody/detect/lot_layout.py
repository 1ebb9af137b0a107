"""A lot's readings laid out as one vector, and the pattern that lots measured alike share.

What says nothing usable is left out: a net mass not above zero, a moisture beyond
``MOISTURE_MAX``, one that is much drier than one before it, an analyte that is not
seen or not far enough below detection (``lot_below``), a station that is not on the way.

Weighings of a part enter relative to its first, so its mass need not be known beforehand.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate, compress, count
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from custody.detect.lot_below import LIMIT_REL, Floors
from custody.detect.lot_facts import (
    MASS,
    MOISTURE,
    Assay,
    Floats,
    Known,
    Model,
    Moisture,
    Readings,
    Weighing,
)
from custody.detect.lot_moisture import Dried, is_drier
from custody.detect.lot_pattern import Prior
from custody.detect.lot_series import Block, GatedShot, Series
from custody.detect.pattern_rows import (
    AssayRows,
    MassRow,
    MoistureRow,
    Pattern,
    snapped,
    snapped_together,
)
from custody.metrology import MOISTURE_MAX

PARTS_MAX, PAPERS_MAX = 64, 16
"""Most parts of a lot, and moistures or certificates that are looked at."""


class Layout(NamedTuple):
    """A lot's readings in the order of the way.

    Attributes:
        pattern: What was measured, hashable.
        values: Logarithms, instrument errors known taken off; one per row of the pattern.
        events: Facts behind each block of the pattern.
        gated: Shots not used.
        left_out: Facts of which nothing could be used.
        below: Numbers of the rows whose value is at most what is said: below detection.
    """

    pattern: Pattern
    values: Floats
    events: tuple[tuple[str, ...], ...]
    gated: tuple[GatedShot, ...]
    left_out: tuple[str, ...]
    below: frozenset[int] = frozenset()


class _Reading(Protocol):
    @property
    def event_id(self) -> str: ...
    @property
    def station(self) -> str: ...


_R = TypeVar("_R", bound=_Reading)


class Arranger:
    """Lays out the readings of lots that have one model.

    Args:
        model: What is thought of such lots.
        prior: Their expected composition.
    """

    def __init__(self, model: Model, prior: Prior) -> None:
        self._model = model
        self._stations = {name: at for at, name in enumerate(model.stations)}
        self._means: dict[str, Floats] = {}
        self._floors = Floors(model, prior)
        self._series = Series(model, self._stations, self._mean, self._floors)

    def layout(self, readings: Readings) -> Layout:
        """Return the readings laid out; the same facts in any order give the same layout."""
        left: list[str] = []
        gated: list[GatedShot] = []
        blocks = self._masses(self._usable(readings.weighings, left), left)
        blocks += self._moistures(self._usable(readings.moistures, left), left)
        blocks += self._assays(self._usable(readings.assays, left), left)
        blocks += self._series.blocks(self._usable(readings.shots, left), gated, left)
        blocks.sort(key=_order)
        return Layout(
            tuple([block.rows for block in blocks]),
            np.array([value for block in blocks for value in block.values]),
            tuple([block.events for block in blocks]),
            tuple(gated),
            tuple(left),
            _below(blocks),
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

    def _masses(self, weighings: Sequence[Weighing], left: list[str]) -> list[Block]:
        parts: dict[str, list[Weighing]] = {}
        for one in weighings:
            if 0.0 < one.net < math.inf:
                parts.setdefault(one.part, []).append(one)
            else:
                left.append(one.event_id)
        blocks: list[Block] = []
        for part in sorted(parts)[:PARTS_MAX]:
            first = parts[part][0]
            start = self._stations[first.station]
            weighed = math.log(first.net) - (self._of_scale(first) or _NOTHING_KNOWN).mean
            for one in parts[part][1:PAPERS_MAX]:
                station = self._stations[one.station]
                ends = *self._weighed(first), station, *self._weighed(one)
                row = MassRow(part, start, *ends, first.visit, one.visit)
                known = self._of_scale(one) or _NOTHING_KNOWN
                value = math.log(one.net) - known.mean - weighed
                events = (first.event_id, one.event_id)
                blocks.append(Block((station, 0, part + events[1]), row, [value], events))
        return blocks

    def _weighed(self, one: Weighing) -> tuple[str, int, int]:
        """Return scale, random u and the scale's own u."""
        known = self._of_scale(one)
        return one.scale, snapped(one.u_rel), snapped(one.scale_u_rel if known is None else known.u)

    def _of_scale(self, one: Weighing) -> Known | None:
        """Return what is known of a scale's error when it weighed."""
        model = self._model
        return model.visits.get((one.scale, one.visit)) or model.errors.get((one.scale, MASS))

    def _known(self, instrument: str, quantity: str) -> Known:
        return self._model.errors.get((instrument, quantity), _NOTHING_KNOWN)

    def _moistures(self, moistures: Sequence[Moisture], left: list[str]) -> list[Block]:
        blocks: list[Block] = []
        kept: list[Dried] = []
        for one in moistures:
            known = self._model.errors.get((one.laboratory, MOISTURE))
            dry = 1.0 - (one.fraction - (known.mean if known else 0.0))
            if not (0.0 <= one.fraction <= MOISTURE_MAX and dry >= 1.0 - MOISTURE_MAX):
                left.append(one.event_id)
                continue
            shared = one.laboratory_u if known is None else known.u
            station = self._stations[one.station]
            u = _scatter(one.u, one.laboratory_u, known)
            own = Dried(station, math.log(dry), one.laboratory, u / dry, shared / dry)
            if any(is_drier(before, own, self._model.legs) for before in kept):
                left.append(one.event_id)
                continue
            kept.append(own)
            row = MoistureRow(station, one.laboratory, snapped(own.u), snapped(own.shared))
            blocks.append(Block((station, 1, one.event_id), row, [own.ln_dry], (one.event_id,)))
        return blocks[:PAPERS_MAX]

    def _assays(self, assays: Sequence[Assay], left: list[str]) -> list[Block]:
        blocks: list[Block] = []
        for one in assays:
            station, shared = self._stations[one.station], snapped(one.laboratory_u_rel)
            row = AssayRows(station, one.laboratory, one.dry, (), (), shared)
            graded = self._graded(one, row)
            if not graded:
                left.append(one.event_id)
                continue
            seen, values, u, of_limit = zip(*graded, strict=True)
            row = row._replace(analytes=seen, u=snapped_together(u))
            below = tuple(compress(count(), of_limit))
            blocks.append(Block((station, 3, one.event_id), row, values, (one.event_id,), below))
        return blocks[:PAPERS_MAX]

    def _graded(self, one: Assay, row: AssayRows) -> list[tuple[int, float, float, bool]]:
        """Return analyte, logarithm, u of each grade, and whether it is below that."""
        mean = self._mean(one.laboratory)
        found: list[tuple[int, float, float, bool]] = []
        for at, analyte in enumerate(self._model.analytes):
            fraction, limit = one.fractions.get(analyte, 0.0), one.below.get(analyte, 0.0)
            if 0.0 < fraction < math.inf:
                known = self._model.errors.get((one.laboratory, analyte))
                u = one.u_rel.get(analyte, one.u_rel_default)
                u = _scatter(u, one.laboratory_u_rel, known)
                found.append((at, math.log(fraction) - mean[at], u, False))
            elif 0.0 < limit < math.inf:
                ln = math.log(limit) - mean[at]
                usual = math.hypot(one.u_rel_default, one.laboratory_u_rel)
                if ln <= self._floors.of(row, usual)[at]:
                    found.append((at, ln, LIMIT_REL, True))
        return found

    def _mean(self, instrument: str) -> Floats:
        """Return an instrument's known mean error by analyte."""
        mean = self._means.get(instrument)
        if mean is None:
            named = [self._known(instrument, a).mean for a in self._model.analytes]
            mean = self._means[instrument] = np.array(named)
        return mean


def _scatter(u: float, own: float, known: Known | None) -> float:
    """Return the random u of a laboratory's figure, by its random and its own u as stated.

    Which part of what it states is its own is a guess. Where its mean error is known, what is left
    of that is no guess, and all else that it states is scatter.
    """
    if known is None:
        return u
    return math.sqrt(u * u + max(own * own - known.u * known.u, 0.0))


def _below(blocks: Sequence[Block]) -> frozenset[int]:
    """Return the numbers of the rows, over all blocks, whose value is at most what is said."""
    if not any(block.below for block in blocks):
        return frozenset()
    starts = accumulate((len(block.values) for block in blocks), initial=0)
    return frozenset(
        start + row for start, block in zip(starts, blocks, strict=False) for row in block.below
    )


def _order(block: Block) -> tuple[int, int, str]:
    return block.order


_NOTHING_KNOWN = Known(0.0, 0.0)
