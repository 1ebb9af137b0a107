"""Lots of a world through the detector: the greatest ln E of a lot's life.

Lots whose shots all agree are laid out as arrays and judged together; the few others go the way
that live facts go. A lot's life is its stations in order, and at each mass, moisture, shots, assay.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.detection.history import laboratory, scale, xrf
from bench.detection.world import Floats, Ints, Lots, World
from custody.detect import shot_gate
from custody.detect.lot_facts import Assay, Model, Moisture, Readings, Shot, Weighing
from custody.detect.lot_layout import Layout
from custody.detect.mixture import Detector
from custody.detect.pattern_rows import AssayRows, MassRow, MoistureRow, Pattern, ShotRows

CHUNK = 1_000


class Judge:
    """Detectors of all sites of a world."""

    def __init__(self, world: World, models: Sequence[Model]) -> None:
        self.world = world
        self.detectors = [Detector(model) for model in models]

    def ever(self, lots: Lots, *, shot_by_shot: bool) -> Floats:
        """Return the greatest ln E of every lot's life.

        Args:
            lots: Lots.
            shot_by_shot: Ask after every shot, as a live lot is, and not only after each series.
        """
        plain = self._all_agree(lots)
        found = np.full(len(lots.origin), -np.inf)
        for site in np.unique(lots.origin):
            mine = np.flatnonzero((lots.origin == site) & plain)
            for pattern, rows, values in self._together(lots, int(site), mine):
                self._follow(found, lots, int(site), (pattern, rows, values), shot_by_shot)
        for i in np.flatnonzero(~plain).tolist():
            found[i] = self._followed(lots, i, shot_by_shot=shot_by_shot)
        return found

    def _follow(
        self,
        found: Floats,
        lots: Lots,
        site: int,
        alike: tuple[Pattern, Ints, Floats],
        shot_by_shot: bool,  # noqa: FBT001  # private
    ) -> None:
        """Follow lots that are measured alike through their lives."""
        pattern, rows, values = alike
        end = 0
        for moment, block in enumerate(pattern):
            start, end = end, end + _size(block)
            if shot_by_shot and isinstance(block, ShotRows):
                before = values[:, :start]
                for k in range(1, block.shots):
                    part = (*pattern[:moment], block._replace(shots=k, alone=k == 1))
                    seen = self._values(lots, site, rows, part[-1:])
                    self._judge(found, site, part, rows, np.concatenate([before, seen], axis=1))
            self._judge(found, site, pattern[: moment + 1], rows, values[:, :end])

    def _judge(
        self, found: Floats, site: int, pattern: Pattern, rows: Ints, values: Floats
    ) -> None:
        for start in range(0, len(rows), CHUNK):
            at = slice(start, start + CHUNK)
            ln_e = self.detectors[site].ln_e(pattern, values[at])
            found[rows[at]] = np.maximum(found[rows[at]], ln_e)

    def _followed(self, lots: Lots, i: int, *, shot_by_shot: bool) -> float:
        """Follow one lot the way of live facts, whose gate may change its mind."""
        detector, whole = self.detectors[int(lots.origin[i])], readings(self.world, lots, i)
        if shot_by_shot:
            layouts = [detector.layout(part) for part in _lives(whole)]
        else:
            one = detector.layout(whole)
            ends = np.cumsum([_size(block) for block in one.pattern])
            layouts = [
                one._replace(pattern=one.pattern[: n + 1], values=one.values[:end])
                for n, end in enumerate(ends.tolist())
            ]
        return max(
            float(detector.ln_e(layout.pattern, layout.values[None])[0])
            for layout in layouts
            if layout.pattern
        )

    def layout(self, lots: Lots, i: int) -> Layout:
        """Return one lot laid out as a live one."""
        return self.detectors[int(lots.origin[i])].layout(readings(self.world, lots, i))

    def _all_agree(self, lots: Lots) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
        fine = np.ones(len(lots.origin), dtype=np.bool_)
        one = self.detectors[0].model
        for s, at in enumerate(self.world.spec.stations):
            if at.shots > 1:
                ln = np.log(lots.shots[:, s, : at.shots])
                ore = one.xrf[xrf(s, 0)].heterogeneity_rel
                var = np.broadcast_to(ore**2 + self.world.counting**2, ln.shape)
                fine &= shot_gate.agreeing(*shot_gate.distances(ln, var)).all(axis=-1)
        return fine

    def _together(self, lots: Lots, site: int, mine: Ints) -> list[tuple[Pattern, Ints, Floats]]:
        """Lay out lots of a site that are measured alike, but for the step of moisture's u."""
        if not len(mine):
            return []
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        steps = [
            np.round(np.log(at.moisture_u / (1.0 - self._moisture(lots, site, s)[mine])) / 0.1)
            for s, at in enumerate(self.world.spec.stations)
            if at.moisture
        ]
        for i, step in zip(mine.tolist(), np.array(steps).T.tolist(), strict=True):
            groups[tuple(step)].append(i)
        found = []
        for members in groups.values():
            rows = np.array(members)
            pattern = self.layout(lots, members[0]).pattern
            found.append((pattern, rows, self._values(lots, site, rows, pattern)))
        return found

    def _moisture(self, lots: Lots, site: int, s: int) -> Floats:
        known = self.detectors[site].model.errors[laboratory(s, site), "moisture"]
        return np.asarray(lots.moisture[:, s] - known.mean)

    def _values(self, lots: Lots, site: int, rows: Ints, pattern: Pattern) -> Floats:
        model = self.detectors[site].model
        columns = []
        for block in pattern:
            s = block.station
            if isinstance(block, MassRow):
                mean = model.errors[block.scale, "mass"].mean
                mean -= model.errors[block.first_scale, "mass"].mean
                ratio = np.log(lots.net[rows, s]) - np.log(lots.net[rows, block.first])
                columns.append((ratio - mean)[:, None])
            elif isinstance(block, MoistureRow):
                columns.append(np.log1p(-self._moisture(lots, site, s)[rows])[:, None])
            else:
                by = block.device if isinstance(block, ShotRows) else block.laboratory
                means = [model.errors[by, model.analytes[a]].mean for a in block.analytes]
                if isinstance(block, ShotRows):
                    ln = np.log(lots.shots[rows, s, : block.shots]).mean(axis=1)
                else:
                    ln = np.log(lots.assay[rows, s])
                columns.append(ln[:, list(block.analytes)] - means)
        return np.concatenate(columns, axis=1)


def _size(row: MassRow | MoistureRow | ShotRows | AssayRows) -> int:
    return len(row.analytes) if isinstance(row, ShotRows | AssayRows) else 1


def _lives(whole: Readings) -> list[Readings]:
    """Return a lot's readings as they come in: station by station, and there shot by shot."""
    order = list(dict.fromkeys(one.station for one in whole.weighings))
    found = [Readings()]
    for station in order:
        for name in ("weighings", "moistures", "shots", "assays"):
            for one in getattr(whole, name):
                if one.station == station:
                    before = found[-1]
                    found.append(replace(before, **{name: (*getattr(before, name), one)}))
    return found


def readings(world: World, lots: Lots, i: int) -> Readings:
    """Return what was measured of one lot as the detector is told it."""
    spec, site = world.spec, int(lots.origin[i])
    names = [f"a{number:02d}" for number in range(spec.analytes)]
    weighings, moistures, shots, assays = [], [], [], []
    for s, at in enumerate(spec.stations):
        if at.weighing:
            net = float(lots.net[i, s])
            weighings.append(
                Weighing(
                    event_id=f"w{s}",
                    station=at.name,
                    net=net,
                    u_rel=spec.net_u,
                    scale=scale(s, site),
                )
            )
        if at.moisture:
            w = float(lots.moisture[i, s])
            moistures.append(
                Moisture(
                    event_id=f"m{s}",
                    station=at.name,
                    fraction=w,
                    u=at.moisture_u,
                    laboratory=laboratory(s, site),
                )
            )
        for k in range(at.shots):
            seen = zip(names, lots.shots[i, s, k].tolist(), strict=True)
            shots.append(
                Shot(
                    event_id=f"x{s}-{k}",
                    station=at.name,
                    device=xrf(s, site),
                    fractions={a: x for a, x in seen if not math.isnan(x)},
                    counting_rel=dict(zip(names, world.counting.tolist(), strict=True)),
                )
            )
        if at.assay:
            assays.append(
                Assay(
                    event_id=f"a{s}",
                    station=at.name,
                    laboratory=laboratory(s, site),
                    fractions=dict(zip(names, lots.assay[i, s].tolist(), strict=True)),
                    u_rel_default=spec.assay_u,
                )
            )
    return Readings(
        weighings=tuple(weighings),
        moistures=tuple(moistures),
        shots=tuple(shots),
        assays=tuple(assays),
    )
