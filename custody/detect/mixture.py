"""The mixture detector: one e-value for a lot, over all families, onsets and sizes of fraud.

With z and u of ``lot_pattern``, g = sum u z and J = sum u'u:

    fixed direction   ln LR(d) = d'g - d'J d / 2
    free composition  ln LR = g'(J + P^-1)^-1 g / 2 - ln|I + J P| / 2
    E = sum over weights of LR, weight of what shows nowhere included (its LR is one)

For an honest lot E has expectation one at any moment and P(E ever >= 1/alpha) <= alpha (Ville), if
the noise model is right. E depends on the set of readings alone, not on their order. What costs
depends on the pattern of measurements and is kept; a lot's own part is a few products.

Source:
    docs/detection/mixture.md
"""

import math
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np

from custody.detect.kept import Kept
from custody.detect.lot_facts import Floats, Model, Readings, Xrf
from custody.detect.lot_families import (
    FAMILIES,
    OMNIBUS_U,
    Directions,
    Family,
    directions,
    omnibus_weight,
)
from custody.detect.lot_layout import Arranger, Layout
from custody.detect.lot_pattern import (
    COMPOSITION,
    DRY_MASS,
    Onset,
    Prepared,
    composition_prior,
    prepare,
)
from custody.detect.pattern_rows import Pattern, numbered

KEPT_BYTES = 32 * 1024 * 1024
"""What all detectors of a process may keep of patterns, 20 to 90 kB each; beyond it those used
longest ago are forgotten."""

ALPHA = 1e-3
"""Chance that an honest lot ever alarms, where the threshold is the proved one, 1 / alpha."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """A pattern with the directions weighed; O onsets, K directions, T deviations, P parts.

    Attributes:
        mean: Expected values, (n,).
        onsets: As in ``Prepared``.
        parts: Likewise.
        g: From values minus mean to g, all onsets in one, (n, O C).
        constant: ln weight - d'J d / 2, (O, K); minus infinity where a family does not begin.
        free: From values minus mean to what is squared for the free change, (n, O T E).
        free_constant: ln weight - ln|I + J P| / 2, (O, T).
        part_g: From values minus mean to g of single parts, (n, P).
        part_constant: (P, sizes) as ``constant``, for losses and gains.
        rest: Weight of what shows nowhere.
    """

    mean: Floats
    onsets: tuple[Onset, ...]
    parts: tuple[Onset, ...]
    g: Floats
    constant: Floats
    free: Floats
    free_constant: Floats
    part_g: Floats
    part_constant: Floats
    rest: float

    @property
    def arrays(self) -> tuple[Floats, ...]:
        """All that takes room."""
        both = (self.mean, self.g, self.constant, self.free, self.free_constant)
        return (*both, self.part_g, self.part_constant)


_Known = tuple[Xrf | None, tuple[float | None, ...]]
"""What is known of an instrument: its class, and by analyte the u of its mean error."""

Key = tuple[int, Pattern, tuple[_Known, ...]]
"""What a pattern makes of a model is kept under: lots measured alike, by whatever instruments of
which the same is known."""

_KEPT: Kept[Key, Weighted] = Kept(
    KEPT_BYTES, lambda weighted: sum(array.nbytes for array in weighted.arrays)
)
"""What patterns make of models, bounded over all of them."""

NAMES = count()
"""Detectors by number: one that is gone never lends its name to another."""


class Terms(NamedTuple):
    """ln(weight x LR) of everything, for L lots.

    Attributes:
        fixed: (L, O, K).
        free: (L, O, T).
        parts: (L, P, sizes).
    """

    fixed: Floats
    free: Floats
    parts: Floats


class _Share(NamedTuple):
    """What is thought of an onset before anything is measured.

    Attributes:
        ln: Logarithm of each direction's weight, (K,).
        ln_free: The same of a free change.
        whole: All weights together.
    """

    ln: Floats
    ln_free: float
    whole: float


class Judged(NamedTuple):
    """A lot's readings as laid out, and ln E."""

    layout: Layout
    ln_e: float


class Detector:
    """Judges lots that have one model; keeps what depends on patterns alone.

    Args:
        model: What is thought of such lots.
        ground: Number of all detectors whose models differ only in instruments; None where there
            is no other.
    """

    def __init__(self, model: Model, ground: int | None = None) -> None:
        self.model = model
        self.prior = composition_prior(model)
        self.directions: Directions = directions(model, self.prior)
        self._arranger = Arranger(model, self.prior)
        self.name = next(NAMES)
        """Number of the detector in this process."""
        self._ground = self.name if ground is None else ground
        self._known: dict[str, _Known] = {}
        self._of_mass = np.isin(self.directions.family, _MASS_FAMILIES)
        self._mass_shift = self.directions.shifts[self._of_mass, DRY_MASS]
        self._mass_weight = self.directions.in_transit[self._of_mass]
        self._shares: dict[tuple[tuple[int, ...], bool], _Share] = {}

    def layout(self, readings: Readings) -> Layout:
        """Return readings laid out, bad shots taken out."""
        return self._arranger.layout(readings)

    def judge(self, readings: Readings) -> Judged:
        """Return ln E of a lot, 0 where nothing measured can show any fraud."""
        return self.judged(self.layout(readings))

    def judged(self, layout: Layout) -> Judged:
        """Return likewise ln E of readings that are laid out."""
        if not layout.pattern:
            return Judged(layout, 0.0)
        return Judged(layout, float(self.ln_e(layout.pattern, layout.values[None])[0]))

    def ln_e(self, pattern: Pattern, values: Floats) -> Floats:
        """Return ln E of lots measured alike.

        Args:
            pattern: How they were measured.
            values: As in ``Layout``, shape (lots, n).

        Returns:
            Shape (lots,).
        """
        weighted = self.weighted(pattern)
        terms = self.terms(weighted, values)
        lots = len(values)
        parts = [terms.fixed.reshape(lots, -1), terms.free.reshape(lots, -1)]
        if terms.parts.size:
            parts.append(terms.parts.reshape(lots, -1))
        tops = [part.max(axis=1) for part in parts if part.shape[1]]
        top = np.maximum(np.max(tops, axis=0), 0.0) if tops else np.zeros(lots)
        total = weighted.rest * np.exp(-top)
        for part in parts:
            total += np.exp(part - top[:, None]).sum(axis=1)
        return np.asarray(top + np.log(total))

    def terms(self, weighted: Weighted, values: Floats) -> Terms:
        """Return ln(weight x LR) of everything, for lots measured alike."""
        r = values - weighted.mean
        lots, onsets = len(r), len(weighted.onsets)
        g = (r @ weighted.g).reshape(lots, onsets, self.directions.shifts.shape[1])
        fixed = g @ self.directions.shifts.T + weighted.constant
        free = (r @ weighted.free).reshape(lots, onsets, len(OMNIBUS_U), len(self.model.analytes))
        squares = 0.5 * np.einsum("lote,lote->lot", free, free) + weighted.free_constant
        part_g = r @ weighted.part_g
        parts = part_g[:, :, None] * self._mass_shift + weighted.part_constant
        return Terms(fixed, squares, parts)

    def weighted(self, pattern: Pattern) -> Weighted:
        """Return what a pattern makes of the model; kept."""
        return _KEPT.get(self.key(pattern), lambda: self._weigh(pattern))

    def key(self, pattern: Pattern) -> Key:
        """Return what is kept of a pattern under, where it does not depend on names."""
        rows, names = numbered(pattern)
        return self._ground, rows, tuple([self._known_of(name) for name in names])

    def _known_of(self, instrument: str) -> _Known:
        known = self._known.get(instrument)
        if known is None:
            model = self.model
            errors = [model.errors.get((instrument, analyte)) for analyte in model.analytes]
            u = tuple([None if one is None else one.u for one in errors])
            known = self._known[instrument] = model.xrf.get(instrument), u
        return known

    def _weigh(self, pattern: Pattern) -> Weighted:
        prepared = prepare(self.model, self.prior, pattern)
        d, legs = self.directions, len(self.model.legs)
        several = bool(prepared.parts)
        shares = [self._share(onset.stations, several=several) for onset in prepared.onsets]
        power = 0.5 * ((d.shifts @ prepared.j) * d.shifts).sum(axis=2)
        constant = np.array([one.ln for one in shares]).reshape(power.shape) - power
        free, free_constant = _free(prepared)
        free_constant += np.array([one.ln_free for one in shares])[:, None]
        part_weight = np.array([1.0 / (p.number * (p.number + 1)) for p in prepared.parts])
        part_weight = PARTS_SHARE / max(legs, 1) * part_weight[:, None] * self._mass_weight
        part_j = (prepared.part_u**2).sum(axis=1)[:, None]
        part_constant = logarithms(part_weight) - 0.5 * part_j * self._mass_shift**2
        inverse = prepared.inverse
        g = np.swapaxes(prepared.u, 1, 2).reshape(-1, len(inverse)) @ inverse
        spent = sum(one.whole for one in shares) + float(part_weight.sum())
        return Weighted(
            prepared.mean,
            prepared.onsets,
            prepared.parts,
            np.ascontiguousarray(g.T),
            constant,
            np.ascontiguousarray((free @ inverse).T),
            free_constant,
            np.ascontiguousarray((prepared.part_u @ inverse).T),
            part_constant,
            max(1.0 - spent, 0.0),
        )

    def _share(self, stations: tuple[int, ...], *, several: bool) -> _Share:
        """Return what is thought of an onset; there are few, and many patterns have them."""
        found = self._shares.get((stations, several))
        if found is None:
            legs = len(self.model.legs)
            weight = self.directions.onset_weights(stations, legs)
            if several:
                weight = np.where(self._of_mass, weight * (1.0 - PARTS_SHARE), weight)
            free = omnibus_weight(stations, legs, alone=not self.directions.sites)
            ln_free = float(logarithms(np.array(free / len(OMNIBUS_U))))
            found = _Share(logarithms(weight), ln_free, float(weight.sum()) + free)
            self._shares[stations, several] = found
        return found


PARTS_SHARE = 0.5
"""Share of the weight of losses and gains that is for single parts, where parts have names.

Also where only one has come: a weight that changed with the second would break the bound.
"""

_MASS_FAMILIES = [FAMILIES.index(Family.LOSS), FAMILIES.index(Family.GAIN)]


def logarithms(weight: Floats) -> Floats:
    """Return logarithms of weights, minus infinity for a weight of zero."""
    return np.log(weight, where=weight > 0.0, out=np.full(weight.shape, -math.inf))


def _free(prepared: Prepared) -> tuple[Floats, Floats]:
    """Return rows whose squares add up to g'(J + P^-1)^-1 g, and minus ln|I + J P| / 2.

    Returns:
        Shapes (onsets T E, n), to be multiplied by whitened values, and (onsets, T).
    """
    j = prepared.j[:, None, COMPOSITION:, COMPOSITION:]
    u = np.swapaxes(prepared.u[:, None, :, COMPOSITION:], 2, 3)
    size = j.shape[-1]
    s = np.array(OMNIBUS_U)
    # P = s^2 I: J + I / s^2 = F F', so the square is of F^-1 g.
    factor = np.linalg.cholesky(j + np.eye(size) / (s * s)[:, None, None])
    rows = np.linalg.solve(factor, u)
    diagonal = np.diagonal(factor, axis1=2, axis2=3)
    ln_det = 2.0 * np.log(diagonal).sum(axis=2) + 2.0 * size * np.log(s)
    return np.asarray(rows.reshape(-1, u.shape[-1])), np.asarray(-0.5 * ln_det)
