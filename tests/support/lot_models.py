"""A small world for the mixture detector: three sites, four analytes, three stations."""

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from custody.detect import lot_families
from custody.detect.lot_facts import (
    Assay,
    Floats,
    Known,
    Leg,
    Model,
    Moisture,
    Readings,
    Shot,
    Site,
    Weighing,
    Xrf,
)
from custody.detect.lot_families import Family

ANALYTES = ("Co", "Cu", "Fe", "Ni")
STATIONS = ("mine", "hub", "port")
MEANS = ((-6.0, -3.5, -1.5, -4.5), (-5.4, -4.0, -1.2, -4.9), (-6.5, -3.1, -1.9, -4.1))
U = [math.exp(0.1 * steps) for steps in range(-80, 0)]
"""Uncertainties that a pattern keeps as they are."""


def u(about: float) -> float:
    """Return the one of ``U`` that is nearest."""
    return min(U, key=lambda one: abs(math.log(one / about)))


def sites() -> tuple[Site, ...]:
    """Return the sites; their analytes go together by a third."""
    covariance = 0.1**2 * (0.3 + 0.7 * np.eye(4))
    return tuple(
        Site(
            site_id=f"S{number}",
            analytes=ANALYTES,
            mean=np.array(mean),
            covariance=covariance * (1.0 + 0.2 * number),
            lots=50,
        )
        for number, mean in enumerate(MEANS)
    )


def a_model(**changes: object) -> Model:
    """Return what is thought of lots of the first site."""
    model = Model(
        analytes=ANALYTES,
        stations=STATIONS,
        legs=(Leg(-0.001, 0.0015, 0.002, 0.0015), Leg(-0.0005, 0.001, 0.001, 0.002)),
        origin=sites()[0],
        library=sites(),
        dry_share=(-0.08, 0.02),
        xrf={
            "gun": Xrf(bias_rel=0.03, matrix_rel=0.03, heterogeneity_rel=u(0.05), counting_rel=0.0),
            "hub-gun": Xrf(
                bias_rel=0.04, matrix_rel=0.02, heterogeneity_rel=u(0.06), counting_rel=0.0
            ),
        },
        errors={
            ("gun", "Cu"): Known(0.01, 0.004),
            ("lab", "moisture"): Known(0.001, 0.001),
            ("lab", "Fe"): Known(-0.004, u(0.005)),
            ("bridge", "mass"): Known(0.0002, u(0.0004)),
        },
    )
    return replace(model, **changes)  # type: ignore[arg-type]  # any of its fields


def an_honest_lot(seed: int, shift: Sequence[float] = (0.0,) * 7, onset: int = 3) -> Readings:
    """Return readings of a lot of the first site; ``shift`` as ``lot_pattern`` has it."""
    return _Drawn(Random(seed), a_model(), np.array(shift), onset).readings()


def shifted(family: Family, size: float, onset: int, seed: int = 1) -> Readings:
    """Return readings of a lot that suffers a fraud of a size from a station on."""
    shift = lot_families.shift(family, np.array([size]), len(ANALYTES))[0]
    return an_honest_lot(seed, shift.tolist(), onset)


class _Drawn:
    def __init__(self, rng: Random, model: Model, shift: Floats, onset: int) -> None:
        self.rng, self.model, self.shift, self.onset = rng, model, shift, onset
        origin = sites()[0]
        factor = np.linalg.cholesky(origin.covariance * (1.0 + 1.0 / origin.lots))
        self.c = origin.mean + factor @ np.array([rng.gauss(0, 1) for _ in ANALYTES])
        self.share = model.dry_share[0] + rng.gauss(0, model.dry_share[1])
        self.mass = math.log(30_000.0) + rng.gauss(0, 0.1)
        self.bias = {
            name: np.array([rng.gauss(0, 1) for _ in ANALYTES])
            for name in ("gun", "hub-gun", "lab")
        }
        self.bridge, self.oven = rng.gauss(0, 1), rng.gauss(0, 1)

    def error(self, instrument: str, at: int, usual: float) -> float:
        known = self.model.errors.get((instrument, ANALYTES[at]), Known(0.0, usual))
        return known.mean + known.u * float(self.bias[instrument][at])

    def readings(self) -> Readings:
        rng, weighings, moistures, shots, assays = self.rng, [], [], [], []
        for s, station in enumerate(STATIONS):
            if s:
                leg = self.model.legs[s - 1]
                self.mass += leg.loss + rng.gauss(0, leg.loss_u)
                self.share += leg.drying + rng.gauss(0, leg.drying_u)
            on = self.shift if s >= self.onset else np.zeros(7)
            mass, share, said, c = (
                self.mass + on[0],
                self.share + on[1],
                self.share + on[1] + on[2],
                self.c + on[3:],
            )
            known = self.model.errors["bridge", "mass"]
            error = known.mean + known.u * self.bridge + rng.gauss(0, u(0.001))
            weighings.append(
                Weighing(
                    event_id=f"w{s}",
                    station=station,
                    net=math.exp(mass - share + error),
                    u_rel=u(0.001),
                    scale="bridge",
                )
            )
            gun = "hub-gun" if s == 1 else "gun"
            shots += [self._shot(f"x{s}{k}", station, gun, c + share) for k in self._matrix(gun, s)]
            if s != 1:
                moistures.append(self._moisture(f"m{s}", station, said))
                assays.append(self._assay(f"a{s}", station, c))
        return Readings(
            weighings=tuple(weighings),
            moistures=tuple(moistures),
            shots=tuple(shots),
            assays=tuple(assays),
        )

    def _matrix(self, gun: str, s: int) -> range:
        self.matrix = self.rng.gauss(0, self.model.xrf[gun].matrix_rel)
        return range(2 if s == 1 else 3)

    def _shot(self, event_id: str, station: str, gun: str, ln: Floats) -> Shot:
        xrf = self.model.xrf[gun]
        seen = {
            analyte: math.exp(
                float(ln[at])
                + self.error(gun, at, xrf.bias_rel)
                + self.matrix
                + self.rng.gauss(0, xrf.heterogeneity_rel)
            )
            for at, analyte in enumerate(ANALYTES)
        }
        return Shot(event_id=event_id, station=station, device=gun, fractions=seen)

    def _moisture(self, event_id: str, station: str, said: float) -> Moisture:
        known = self.model.errors["lab", "moisture"]
        fraction = -math.expm1(said) + known.mean + known.u * self.oven + self.rng.gauss(0, 0.002)
        # Relative to the dry share it is one that a pattern keeps.
        spread = u(0.0022) * (1.0 - fraction + known.mean)
        return Moisture(
            event_id=event_id, station=station, fraction=fraction, u=spread, laboratory="lab"
        )

    def _assay(self, event_id: str, station: str, c: Floats) -> Assay:
        seen = {
            analyte: math.exp(
                float(c[at]) + self.error("lab", at, u(0.005)) + self.rng.gauss(0, u(0.015))
            )
            for at, analyte in enumerate(ANALYTES)
        }
        return Assay(
            event_id=event_id,
            station=station,
            laboratory="lab",
            fractions=seen,
            u_rel_default=u(0.015),
            laboratory_u_rel=u(0.005),
        )
