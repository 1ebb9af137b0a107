"""Lots of a world through the detector: sup over a lot's life of ln E.

Lots whose shots all agree are laid out as arrays and judged together; the few others go the way
that live facts go. A lot's life is its stations in order, and at each mass, moisture, shots, assay.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from bench.detection.history import laboratory, scale, xrf
from bench.detection.world import Floats, Ints, Lots, World
from custody.detect import shot_gate
from custody.detect.lot_facts import Assay, Model, Moisture, Readings, Shot, Weighing
from custody.detect.lot_layout import AssayRows, Layout, MassRow, MoistureRow, Pattern, ShotRows
from custody.detect.mixture import Detector

CHUNK = 1_000


class Judge:
    """Detectors of all sites of a world."""

    def __init__(self, world: World, models: Sequence[Model]) -> None:
        self.world = world
        self.detectors = [Detector(model) for model in models]

    def life(self, lots: Lots) -> Floats:
        """Return ln E by moment of life, shape (lots, moments), -inf where there is none."""
        plain = self._all_agree(lots)
        groups: dict[tuple[int, Pattern], list[tuple[int, Floats]]] = defaultdict(list)
        for site in np.unique(lots.origin):
            mine = np.flatnonzero((lots.origin == site) & plain)
            for pattern, rows, values in self._together(lots, int(site), mine):
                groups[int(site), pattern] += list(zip(rows.tolist(), values, strict=True))
        for i in np.flatnonzero(~plain).tolist():
            layout = self.layout(lots, i)
            groups[int(lots.origin[i]), layout.pattern].append((i, layout.values))
        found = np.full((len(lots.origin), 24), -np.inf)
        for (site, pattern), members in groups.items():
            rows = np.array([i for i, _ in members])
            values = np.array([v for _, v in members])
            ends = np.cumsum([_size(row) for row in pattern])
            for moment, end in enumerate(ends):
                for start in range(0, len(rows), CHUNK):
                    at = slice(start, start + CHUNK)
                    part = pattern[: moment + 1]
                    found[rows[at], moment] = self.detectors[site].ln_e(part, values[at, :end])
        return found

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
