"""The linear-Gaussian model of a lot, for one pattern of measurements.

In logarithms, with s the station of a measurement:

    weighing    ln net       = ln dry mass(s) - ln dry share(s)      relative to the part's first
    moisture    ln(1 - w)    = ln dry share(s)
    shot as is  ln reading   = ln c + ln dry share(s) + bias + matrix + heterogeneity + counting
    certificate ln grade     = ln c + bias + error

Latent are ln dry share at the origin, loss and drying of every leg, ln c (the origin's fingerprint)
and the errors that measurements share. All are normal, so the values are: V = B B' + diag(noise),
one column of B for each latent. A fraud that begins at station o shifts the latents from there on;
``h`` holds what that does to the values, per unit of shift of

    ln dry mass, ln dry share, ln of what the moisture certificate says, ln c by analyte.

With V = L L', z = L^-1 (values - mean) is N(0, I) when nothing is wrong, and its rows are the
innovations in the order of the way. All that is stored depends on the pattern alone.
"""

import math
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack  # type: ignore[import-untyped]  # it ships no types

from custody.detect.lot_facts import MASS, MOISTURE, UNKNOWN_XRF, Bools, Floats, Ints, Model
from custody.detect.pattern_rows import (
    AssayRows,
    MassRow,
    MoistureRow,
    Pattern,
    Rows,
    ShotRows,
    unsnapped,
    unsnapped_all,
)

BROAD_LN = (-7.0, 5.0)
"""Mean and deviation of ln c of an analyte of which nothing is known."""

ALONE_REL, ALONE_MATRIX_REL = 0.6, 0.6
"""What is added to a shot that no other vouches for, by analyte and in common.

One shot in a hundred is bad, and by about so much. Without this the first shot of a series would
raise an alert that the second retracts; a second shot is cheaper than either.
"""

LOST_BITS = 1e-12
"""Share of the greatest variance below which noise is lost in the rounding of sums."""

DRY_MASS, DRY_SHARE, MOISTURE_SAID, COMPOSITION = 0, 1, 2, 3
"""Columns of a shift; analytes begin at ``COMPOSITION``."""


class Prior(NamedTuple):
    """Expected ln c of a lot, shape (analytes,), and its covariance."""

    mean: Floats
    covariance: Floats


class Onset(NamedTuple):
    """Where a shift begins.

    Attributes:
        stations: First stations it may begin at; the measurements do not tell them apart.
        part: The part it is confined to; None for all.
        number: Which of the leg's parts, from 1.
    """

    stations: tuple[int, ...]
    part: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a pattern makes of the model; n values, C shift columns.

    Attributes:
        mean: Expected values, (n,).
        inverse: L^-1, (n, n).
        onsets: Those of the whole lot; a shift that shows nowhere is not among them.
        h: Shift of the values, (onsets, n, C).
        u: L^-1 h, (onsets, n, C).
        j: u'u, (onsets, C, C).
        parts: Onsets of single parts.
        part_u: L^-1 times the shift of a part's mass, (parts, n).
    """

    mean: Floats
    inverse: Floats
    onsets: tuple[Onset, ...]
    h: Floats
    u: Floats
    j: Floats
    parts: tuple[Onset, ...]
    part_u: Floats


def composition_prior(model: Model) -> Prior:
    """Return the expected composition: the origin's, else that nothing is known of it.

    The covariance is that of a new lot: wider by what n lots do not tell of their mean. Other sites
    do not say how one that nobody knows is: three of them span two directions, and however many
    they are, all lots of a mine of other ore would alarm.
    """
    size = len(model.analytes)
    ln, var = np.full(size, BROAD_LN[0]), np.eye(size) * BROAD_LN[1] ** 2
    site = model.origin
    if site is not None:
        place = {analyte: at for at, analyte in enumerate(model.analytes)}
        known = [at for at, analyte in enumerate(site.analytes) if analyte in place]
        to = [place[site.analytes[at]] for at in known]
        ln[to] = site.mean[known]
        new_lot = site.covariance * (1.0 + 1.0 / max(site.lots, 1))
        var[np.ix_(to, to)] = new_lot[np.ix_(known, known)]
    return Prior(ln, var)


def prepare(model: Model, prior: Prior, pattern: Pattern) -> Prepared:
    """Return what a pattern makes of the model."""
    built = Builder(model, prior, pattern)
    inverse = whitening(built.covariance())
    onsets, h = built.onsets()
    u = inverse @ h
    parts, part_h = built.parts()
    return Prepared(
        built.mean(),
        inverse,
        onsets,
        h,
        u,
        np.swapaxes(u, 1, 2) @ u,
        parts,
        part_h @ inverse.T,
    )


def whitening(covariance: Floats) -> Floats:
    """Return L^-1, where the covariance is L L'.

    Every row has noise of its own, so there is such an L; where what rows share is so much greater
    that the noise is lost in the last bits, a little is added.
    """
    least = LOST_BITS * float(np.diag(covariance).max())
    factor, failed = lapack.dpotrf(covariance, lower=1, clean=1)
    while failed:
        covariance = covariance + least * np.eye(len(covariance))
        least *= 10.0
        factor, failed = lapack.dpotrf(covariance, lower=1, clean=1)
    return np.asarray(lapack.dtrtri(factor, lower=1)[0])


GUESSED = math.sqrt(0.5)
"""Share of the u of a loss that nobody described which is the guess's, all parts of a lot alike;
as much is for how parts differ."""


class Builder:
    """Collects the rows of a pattern; n of them, E analytes."""

    def __init__(self, model: Model, prior: Prior, pattern: Pattern) -> None:
        self.model, self.prior, self.pattern = model, prior, pattern
        sizes = [len(r.analytes) if isinstance(r, ShotRows | AssayRows) else 1 for r in pattern]
        ends = np.cumsum([0, *sizes])
        self.n = int(ends[-1])
        self.at = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.station = np.repeat([r.station for r in pattern], sizes).astype(np.int64)
        # A weighing is relative to its part's first: what began before that one cancels.
        firsts = [r.first if isinstance(r, MassRow) else len(model.stations) for r in pattern]
        self.first = np.repeat(firsts, sizes).astype(np.int64)
        self.mass = np.repeat([float(isinstance(r, MassRow)) for r in pattern], sizes)
        self.moisture = np.repeat([float(isinstance(r, MoistureRow)) for r in pattern], sizes)
        self.share = np.repeat([_share(r) for r in pattern], sizes)
        self.analyte = np.array(
            [
                a
                for r in pattern
                for a in (r.analytes if isinstance(r, ShotRows | AssayRows) else (-1,))
            ],
            dtype=np.int64,
        )

    def since(self, station: int) -> Floats:
        """Return by row how much of a shift from a station on it sees."""
        seen = (self.station >= station).astype(np.float64)
        return np.asarray(seen - (self.first >= station) * self.mass)

    def mean(self) -> Floats:
        """Return the expected values."""
        model = self.model
        of_analytes = np.append(self.prior.mean, 0.0)[self.analyte]
        mean = of_analytes + model.dry_share[0] * self.share * (1.0 - self.mass)
        for number, leg in enumerate(model.legs):
            seen = self.since(number + 1)
            mean += seen * (leg.loss * self.mass + leg.drying * self.share)
        return mean

    def covariance(self) -> Floats:
        """Return V."""
        own, shared = self.covariances()
        return own + shared

    def guesses(self) -> Floats:
        """Return by row what one deviation of each guess does to it, (guesses, n).

        The usual ln(1 - moisture), and loss and drying of legs that no record describes: how far
        they are from the truth, lots have in common.
        """
        columns = [self._usual_share()]
        for number, leg in enumerate(self.model.legs, start=1):
            if not leg.described:
                seen = self.since(number)
                columns += [leg.loss_u * self.mass * seen, leg.drying_u * self.share * seen]
        return np.array(columns)

    def _usual_share(self) -> Floats:
        return self.model.dry_share[1] * self.share * (1.0 - self.mass)

    def covariances(self, *, by_visit: bool = False) -> tuple[Floats, Floats]:
        """Return V in two parts: what differs from lot to lot, and instruments' own errors.

        Args:
            by_visit: A scale's error may be another at each visit. What a visit says of the scale
                is then not held against what another says of it.
        """
        columns = [self._usual_share()]
        for number, leg in enumerate(self.model.legs):
            columns.append(leg.drying_u * self.share * self.since(number + 1))
        noise, bias, source = np.zeros(self.n), np.zeros(self.n), np.zeros(self.n, dtype=np.int64)
        named: dict[tuple[str, object], Floats] = {}
        sources: dict[str, int] = {}
        for at, row in zip(self.at, self.pattern, strict=True):
            if isinstance(row, MassRow):
                noise[at] = unsnapped(row.u) ** 2
                self._mass(row, at.start, named, by_visit=by_visit)
            elif isinstance(row, MoistureRow):
                noise[at] = unsnapped(row.u) ** 2
                self._column(named, (MOISTURE, row.laboratory))[at] = unsnapped(row.laboratory_u)
            elif isinstance(row, ShotRows):
                noise[at] = unsnapped_all(row.u) ** 2 / row.shots
                xrf = self.model.xrf.get(row.device, UNKNOWN_XRF)
                matrix = math.hypot(xrf.matrix_rel, ALONE_MATRIX_REL * row.alone)
                self._column(named, ("matrix", at.start))[at] = matrix
                noise[at] += (ALONE_REL * row.alone) ** 2
                bias[at] = self._bias(row.device, row.analytes, xrf.bias_rel)
                source[at] = sources.setdefault(row.device, len(sources))
            else:
                noise[at] = unsnapped_all(row.u) ** 2
                bias[at] = self._bias(row.laboratory, row.analytes, unsnapped(row.laboratory_u))
                source[at] = sources.setdefault(row.laboratory, len(sources))
        of_instruments = [name[0] in (MASS, MOISTURE) for name in named]
        mine = [column for column, of in zip(named.values(), of_instruments, strict=True) if not of]
        b = np.array([*columns, *mine]).reshape(-1, self.n)
        own: Floats = b.T @ b + np.diag(noise)
        b = np.array(list(compress(named.values(), of_instruments))).reshape(-1, self.n)
        shared: Floats = b.T @ b
        self._add_composition(own, shared, bias, source)
        return own, shared

    def _mass(
        self, row: MassRow, at: int, named: dict[tuple[str, object], Floats], *, by_visit: bool
    ) -> None:
        """Add the first weighing of a part, losses on the way and the scales."""
        self._column(named, ("first", row.part))[at] = -unsnapped(row.first_u)
        for number, leg in enumerate(self.model.legs):
            if row.first <= number < row.station:
                # How wrong a guess is, all parts have in common; the rest is each one's own.
                own = leg.loss_u if leg.described else leg.loss_u * GUESSED
                self._column(named, (row.part, number))[at] = own
                if not leg.described:
                    self._column(named, ("leg", number))[at] = own
        there, first = (row.visit, row.first_visit) if by_visit else (0, 0)
        self._column(named, (MASS, (row.scale, there)))[at] += unsnapped(row.scale_u)
        self._column(named, (MASS, (row.first_scale, first)))[at] -= unsnapped(row.first_scale_u)

    def _column(self, named: dict[tuple[str, object], Floats], name: tuple[str, object]) -> Floats:
        return named.setdefault(name, np.zeros(self.n))

    def _bias(self, instrument: str, analytes: tuple[int, ...], usual: float) -> Floats:
        """Return what is not known of an instrument's error, by analyte."""
        names, errors = self.model.analytes, self.model.errors
        known = [errors.get((instrument, names[a])) for a in analytes]
        return np.array([usual if one is None else one.u for one in known])

    def _add_composition(self, own: Floats, shared: Floats, bias: Floats, source: Ints) -> None:
        """Add the fingerprint, and the bias that rows of one instrument and analyte share."""
        rows = np.flatnonzero(self.analyte >= 0)
        of, by, u = self.analyte[rows], source[rows], bias[rows]
        same = (of[:, None] == of) & (by[:, None] == by)
        own[np.ix_(rows, rows)] += self.prior.covariance[np.ix_(of, of)]
        shared[np.ix_(rows, rows)] += same * np.outer(u, u)

    def onsets(self) -> tuple[tuple[Onset, ...], Floats]:
        """Return the onsets that the values tell apart, and the shifts of the values."""
        groups: dict[bytes, tuple[list[int], Floats]] = {}
        for station in range(len(self.model.stations)):
            seen = self.since(station)
            if seen.any():
                groups.setdefault(seen.tobytes(), ([], seen))[0].append(station)
        h = np.zeros((len(groups), self.n, COMPOSITION + len(self.model.analytes)))
        rows = np.flatnonzero(self.analyte >= 0)
        for number, (_, seen) in enumerate(groups.values()):
            h[number, :, DRY_MASS] = seen * self.mass
            h[number, :, DRY_SHARE] = seen * self.share
            h[number, :, MOISTURE_SAID] = seen * self.moisture
            h[number, rows, COMPOSITION + self.analyte[rows]] = seen[rows]
        return tuple(Onset(tuple(stations)) for stations, _ in groups.values()), h

    def parts(self) -> tuple[tuple[Onset, ...], Floats]:
        """Return the onsets of single parts, those that have a name, and the shift of the mass."""
        parts = sorted({row.part for row in self.pattern if isinstance(row, MassRow) and row.part})
        found: list[Onset] = []
        shifts: list[Floats] = []
        for station in range(1, len(self.model.stations)):
            seen = self.since(station) * self.mass
            here = [part for part in parts if seen[self._rows_of(part)].any()]
            for number, part in enumerate(here, start=1):
                found.append(Onset((station,), part, number))
                shifts.append(np.where(self._rows_of(part), seen, 0.0))
        return tuple(found), np.array(shifts).reshape(len(found), self.n)

    def _rows_of(self, part: str) -> Bools:
        mine = np.zeros(self.n, dtype=np.bool_)
        for at, row in zip(self.at, self.pattern, strict=True):
            if isinstance(row, MassRow) and row.part == part:
                mine[at] = True
        return mine


def _share(row: Rows) -> float:
    """Return what a shift of ln dry share does to a row."""
    if isinstance(row, MassRow):
        return -1.0
    if isinstance(row, MoistureRow):
        return 1.0
    return 0.0 if row.dry else 1.0
