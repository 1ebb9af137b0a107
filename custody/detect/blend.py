"""Whether a blend's composition is that of any mixture of its inputs, whatever their shares.

The nearest mixture w minimises the distance of the measured composition y from C w in units of its
uncertainty, with w at least zero and adding to one:

    D^2 = (y - C w)' V^-1 (y - C w),    V = V_y + sum w_i^2 V_i

by non-negative least squares in coordinates whitened by V; V follows w in a few rounds. Where y is
a mixture of the inputs D^2 is at most chi-square with as many degrees of freedom as analytes:
whatever the true shares, the nearest mixture is not further than they are.

Source:
    C. L. Lawson, R. J. Hanson, Solving Least Squares Problems (1974), chapter 23;
    docs/detection/process-nodes.md
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize  # type: ignore[import-untyped]  # it ships no types

from custody.detect import threshold
from custody.detect.network import Floats
from custody.estimate import Estimate

ROUNDS = 5
"""Rounds of weights and their uncertainty: more change the third digit of D^2 no more."""
TOGETHER = 1e4
"""Weight of the condition that shares add to one, beside figures in units of their u."""

Composition = Mapping[str, Estimate]


class Nearest(NamedTuple):
    """The mixture of the inputs that is nearest to what was measured.

    Attributes:
        analytes: Those that all compositions have, by name.
        shares: Of each input.
        expected: Its composition.
        observed: What was measured.
        u: Of their differences.
        statistic: D^2.
        minus_log10_p: Of D^2, from above: no smaller chance is claimed than there is.
    """

    analytes: tuple[str, ...]
    shares: tuple[float, ...]
    expected: tuple[float, ...]
    observed: tuple[float, ...]
    u: tuple[float, ...]
    statistic: float
    minus_log10_p: float


def nearest(inputs: Sequence[Composition], output: Composition) -> Nearest | None:
    """Return the nearest mixture; None where they have no analyte in common.

    Args:
        inputs: Grades of each input, at least one; a figure's u is above zero.
        output: Grades of what came out, in the same units.
    """
    analytes = tuple(sorted(set(output).intersection(*inputs)))
    if not analytes:
        return None
    c = np.array([[one[a].value for one in inputs] for a in analytes])
    y = np.array([output[a].value for a in analytes])
    shares = np.full(len(inputs), 1.0 / len(inputs))
    covariance = np.zeros((len(y), len(y)))
    for _ in range(ROUNDS):
        covariance = _covariance(analytes, inputs, output, shares)
        white = np.linalg.inv(np.linalg.cholesky(covariance))
        rows = np.vstack([white @ c, np.full(len(inputs), TOGETHER)])
        shares, _ = optimize.nnls(rows, np.concatenate([white @ y, [TOGETHER]]))
        shares = shares / shares.sum()
    expected = c @ shares
    d = y - expected
    statistic = float(d @ np.linalg.solve(covariance, d))
    return Nearest(
        analytes,
        tuple(shares.tolist()),
        tuple(expected.tolist()),
        tuple(y.tolist()),
        tuple(np.sqrt(np.diag(covariance)).tolist()),
        statistic,
        threshold.minus_log10_chi2(statistic, len(analytes)),
    )


def _covariance(
    analytes: Sequence[str], inputs: Sequence[Composition], output: Composition, shares: Floats
) -> Floats:
    """Return the covariance of output minus mixture: what both share is taken off."""
    var = np.zeros(len(analytes))
    weighted = [(1.0, output), *zip((-shares).tolist(), inputs, strict=True)]
    names = {s for _, one in weighted for a in analytes for s in one[a].parts}
    parts = {source: np.zeros(len(analytes)) for source in sorted(names)}
    for weight, one in weighted:
        for at, analyte in enumerate(analytes):
            var[at] += weight * weight * one[analyte].var
            for source, part in one[analyte].parts.items():
                parts[source][at] += weight * part
    shared = sum((np.outer(part, part) for part in parts.values()), np.zeros((len(var), len(var))))
    return np.asarray(np.diag(var) + shared)
