"""Cumulative sums: a small shift that lasts is found as soon as it can be.

Of standard normal residuals z, one after the other, with k and h in their deviations:

    S+ <- max(0, S+ + z - k)        S- <- max(0, S- - z - k)

and a shift is there where one of them reaches h. A sum is quickest for a shift of 2 k; so there is
a bank of three, each with such an h that all of them together are wrong once in ``RUN_LENGTH``
residuals (a sixth of that for each sum; sums of one chart are not independent, so it is a bound).
A fourth is for masses that are far off at once: each lot may be an alert of its own until the scale
is named, and of residuals clipped at 3 the third in a row is the first that can say so. Its h asks
for three that are all but clipped, so its share of the false alarms is half a percent. It is not
for compositions: three loads of another material in a row are no bias of a gun; nor for roads,
where it may be the scale at one end.

Of a road only losses are said, so only the sums of one side can be wrong: four of them, each with
a fourth of the false alarms.

Source:
    E. S. Page, Continuous inspection schemes, Biometrika 41 (1954) 100-115; D. Brook and
    D. A. Evans, An approach to the probability distribution of CUSUM run length, Biometrika 59
    (1972) 539-549. docs/detection/charts.md
"""

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]  # it ships no types

RUN_LENGTH = 10_000
"""Residuals of a healthy instrument between two false alarms of its whole chart, on average."""

BANK = ((0.05, 56.2), (0.14, 26.6), (0.5, 9.2), (1.5, 4.4))
"""k and h of each pair of sums of an instrument; the last is of scales alone."""

WAY_BANK = ((0.05, 52.2), (0.14, 25.2), (0.3, 13.7), (0.5, 8.8))
"""The same of ways; sums of gains, which are never said, have these limits, too."""

CLIP = 3.0
"""Greatest |z| that counts: one lot that somebody stole from is no drift, three in a row may be."""


def run_length(k: float, h: float, shift: float = 0.0, states: int = 400) -> float:
    """Return how many residuals a single sum takes to reach h, on average, from zero on.

    Args:
        k: Reference value, deviations.
        h: Limit, deviations.
        shift: Mean of the residuals, deviations.
        states: Of the Markov chain that stands for the sum; the error falls with their square.
    """
    width = 2.0 * h / (2 * states - 1)
    middle = np.arange(states) * width
    # From a state to another: the next residual lies between the edges of that one, less k.
    edge = middle[None, :] - middle[:, None] + k - shift
    step = ndtr(edge + width / 2) - ndtr(edge - width / 2)
    step[:, 0] = ndtr(edge[:, 0] + width / 2)
    return float(np.linalg.solve(np.eye(states) - step, np.ones(states))[0])
