"""Readings below detection: what one may count as, and when it says anything at all.

A reading x that is below its limit of detection L counts as a reading at L, where L is so far below
what a clean lot shows that hardly any clean lot has such a reading; else it says nothing:

    ln L <= mean - FAR sd,  mean and sd of one reading by one such instrument, before anything is
                            measured: the origin's fingerprint, the instrument, one shot of the ore

An e-value with such readings is another one than all x would give only where one of them counts,
and that happens to a clean lot with probability at most 2.9e-7 each, whatever else was measured
and whatever it goes with. So P(E ever >= 1/alpha) <= alpha + 2.9e-7 per reading (docs).

Source:
    docs/detection/mixture.md, "Below detection". A. Currie, Nomenclature in evaluation of
    analytical methods including detection and quantification capabilities, Pure Appl. Chem. 67
    (1995) 1699-1723: a limit of detection is some three standard deviations of a blank.
"""

import numpy as np

from custody.detect.lot_facts import Floats, Model
from custody.detect.lot_pattern import Builder, Prior
from custody.detect.pattern_rows import AssayRows, ShotRows, snapped

FAR = 5.0
"""Standard deviations that a limit must be below what a clean lot shows for a reading to count."""

LIMIT_REL = 1.0 / 3.0
"""Relative standard uncertainty of a reading at its limit of detection."""


class Floors:
    """What limits of detection must not pass, for lots that have one model.

    Args:
        model: What is thought of such lots.
        prior: Their expected composition.
    """

    def __init__(self, model: Model, prior: Prior) -> None:
        self._model, self._prior = model, prior
        self._all = tuple(range(len(model.analytes)))
        self._kept: dict[ShotRows | AssayRows, Floats] = {}

    def of(self, row: ShotRows | AssayRows, u_rel: float) -> Floats:
        """Return the greatest ln L by analyte at which a reading below it counts, (analytes,).

        Args:
            row: One shot or a certificate, whatever it has seen.
            u_rel: Random relative u of a usual reading.
        """
        whole = row._replace(analytes=self._all, u=(snapped(u_rel),) * len(self._all))
        found = self._kept.get(whole)
        if found is None:
            built = Builder(self._model, self._prior, (whole,))
            sd = np.sqrt(np.diag(built.covariance()))
            found = self._kept[whole] = np.asarray(built.mean() - FAR * sd)
        return found
