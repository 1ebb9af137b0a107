"""Reconciliation with linear constraints on plain arrays, and what it leaves to test.

Measurements y with covariance V, some quantities not measured, and constraints A x = b that hold
exactly: of all x that satisfy them, the one with the smallest (x - y)' V^-1 (x - y).

    A = [A_y A_u]          columns of what is measured and of what is not
    P A_u = 0              P: rows, or sums of rows, that nothing unmeasured takes part in
    r = P (A_y y - b)      what the measurements miss the constraints by
    S = P A_y V A_y' P'    its covariance
    x = y - V A_y' P' S^-1 r
    W = V A_y' P' S^-1 P A_y V, the covariance of the adjustments; that of x is V - W
    r' S^-1 r              chi-square with rank(S) degrees of freedom, when nothing is wrong

Nothing is inverted: V = L L', and the singular values of P A_y L tell what S would hide when rows
depend on each other or figures are exact. The covariance of x is a product B B', so no variance is
ever below zero or above that of its measurement.

The functions know no node and no flow: one process node, a network or the linear step of another
problem are all rows and columns here.

Source:
    F. Madron, Process Plant Performance (1992), chapters 3 and 4; S. Narasimhan, C. Jordache, Data
    Reconciliation and Gross Error Detection (2000), chapter 3. docs/detection/network.md.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custody.errors import Refused

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RANK = 1e-9
"""Singular values below this share of the largest are rounding."""
EXACT = 1e-10
"""A sum of rows whose u is below this share of the u that went into it has none."""
SCALINGS = 12
"""Rounds of scaling; each halves the powers of ten that entries are apart."""
SATISFIED = 1e-8
"""Share of the largest term by which figures without uncertainty may miss a constraint."""
VISIBLE = 1e-7
"""Part of a unit vector, below which it is none."""
ROUNDING = 1e-10
"""Entry of an orthonormal basis, below which it is zero."""


class Contradiction(Refused):
    """Figures that are stated as exact miss a constraint, and nothing may be adjusted.

    Attributes:
        rows: The constraints they miss; of a sum of several, all.
        gap: By how much, in the unit of the constraint.
        shared: Some have an uncertainty, but what they share cancels in these constraints.
    """

    def __init__(self, rows: tuple[int, ...], gap: float, *, shared: bool) -> None:
        self.rows = rows
        self.gap = gap
        self.shared = shared
        named = ", ".join(map(str, rows))
        super().__init__(
            f"constraints {named}: figures without uncertainty miss them by {gap:.6g}",
            expected=f"at least one figure with an uncertainty {'of its own ' * shared}above zero",
            next_step=f"state the {'random ' * shared}uncertainty of the figures",
        )


class Solved(NamedTuple):
    """What the constraints make of the measurements. n quantities, m constraints.

    Attributes:
        values: Estimates of all quantities (n); where not ``known``, one solution of many.
        covariance: Their covariance (n, n).
        adjustments: Estimate minus measurement (n); not a number where nothing was measured.
        adjustments_var: Variances of the adjustments (n), zero where there is none.
        known: Measured, or following from what is (n).
        redundant: Measured, and following from the other measurements, too (n).
        score: r in units where its parts are independent with variance 1 (degrees of freedom).
        whiten: What makes such units of a vector over the constraints (degrees of freedom, m).
    """

    values: Floats
    covariance: Floats
    adjustments: Floats
    adjustments_var: Floats
    known: Bools
    redundant: Bools
    score: Floats
    whiten: Floats

    @property
    def statistic(self) -> float:
        """The global test statistic r' S^-1 r."""
        return float(self.score @ self.score)

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the global test: how many constraints test anything."""
        return len(self.score)

    def z(self) -> Floats:
        """Return each adjustment over its deviation (n); not a number where it has none."""
        sigma = np.sqrt(self.adjustments_var)
        return np.divide(
            self.adjustments, sigma, out=np.full_like(sigma, np.nan), where=sigma > 0.0
        )


def reconcile(
    values: Floats,
    covariance: Floats,
    constraints: Floats,
    right: Floats | None = None,
    guess: Floats | None = None,
) -> Solved:
    """Return the estimates that satisfy the constraints, and what is left to test.

    Args:
        values: Measurements (n); not a number where nothing was measured.
        covariance: Their covariance (n, n), any rank; rows of what was not measured are ignored.
        constraints: A (m, n), any rank.
        right: b (m); zero if not given.
        guess: Estimates (n) that unmeasured quantities stay near where nothing determines them.

    Raises:
        Contradiction: Exact figures miss a constraint.
    """
    b = np.zeros(len(constraints)) if right is None else right
    measured = ~np.isnan(values)
    a_y, a_u = constraints[:, measured], constraints[:, ~measured]
    split = _split(a_u)
    y, root = values[measured], _root(covariance[np.ix_(measured, measured)])
    whiten, weights = _whitened(split.free, a_y, root, y, b)
    score = whiten @ (a_y @ y - b)
    adjusted = root @ weights
    # B B' is the covariance: V - W without a difference of nearly equal numbers.
    factor = root - adjusted @ weights.T
    estimate = y - adjusted @ score
    near = np.zeros(a_u.shape[1]) if guess is None else guess[~measured]
    rest = near + split.solve @ (b - a_y @ estimate - a_u @ near)
    carried = -split.solve @ a_y @ factor
    return _joined(measured, (estimate, rest), (factor, carried))._replace(
        adjustments=_spread(measured, estimate - y, np.nan),
        adjustments_var=_spread(measured, _visible_var(adjusted, root), 0.0),
        known=_spread_flags(~measured, split.determined, rest=True),
        redundant=_spread_flags(measured, _taking_part(split.free, a_y), rest=False),
        score=score,
        whiten=whiten,
    )


class _Split(NamedTuple):
    """The constraints, parted by what is not measured.

    Attributes:
        free: Sums of rows without anything unmeasured (k, m): P.
        solve: Gives unmeasured quantities of what the measured ones leave over (u, m).
        determined: Unmeasured quantities that have one solution only (u).
    """

    free: Floats
    solve: Floats
    determined: Bools


def _split(a_u: Floats) -> _Split:
    """Part the constraints; rows that nothing unmeasured is in stay as they are."""
    count, unknown = a_u.shape
    there = (a_u != 0.0).any(axis=1)
    mixed, plain = np.flatnonzero(there), np.flatnonzero(~there)
    height, width = _scales(a_u[mixed])
    left, singular, right = np.linalg.svd(height[:, None] * a_u[mixed] * width)
    rank = int((singular > RANK * singular.max(initial=0.0)).sum())
    free = np.zeros((len(plain) + len(mixed) - rank, count))
    free[np.arange(len(plain)), plain] = 1.0
    basis = left[:, rank:].T
    # A row that no such sum needs has a share of 1e-17 in it, and would pass for a test of it.
    free[len(plain) :, mixed] = np.where(np.abs(basis) > ROUNDING, basis, 0.0) * height
    solve = np.zeros((unknown, count))
    inverse = (right[:rank].T / singular[:rank]) @ left[:, :rank].T
    solve[:, mixed] = width[:, None] * inverse * height
    loose = np.sqrt((right[rank:] ** 2).sum(axis=0))
    return _Split(free, solve, loose < VISIBLE)


def _scales(matrix: Floats) -> tuple[Floats, Floats]:
    """Return factors for rows and columns that make their largest entries about 1.

    Masses, grades and contained metal differ by powers of ten, and what is rounding beside one of
    them is not beside another.
    """
    height, width = np.ones(matrix.shape[0]), np.ones(matrix.shape[1])
    if not matrix.size:
        return height, width
    for _ in range(SCALINGS):
        scaled = np.abs(height[:, None] * matrix * width)
        rows, columns = scaled.max(axis=1), scaled.max(axis=0)
        height /= np.sqrt(rows)
        width /= np.sqrt(np.where(columns > 0.0, columns, 1.0))
    return height, width


def _root(covariance: Floats) -> Floats:
    """Return L with L L' = V, by way of the correlations: units differ by many powers of ten."""
    u = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    safe = np.where(u > 0.0, u, 1.0)
    if np.count_nonzero(covariance) <= np.count_nonzero(u):
        return np.diag(u)
    spread, vectors = np.linalg.eigh(covariance / np.outer(safe, safe))
    root: Floats = u[:, None] * vectors * np.sqrt(np.maximum(spread, 0.0))
    return root


def _whitened(
    free: Floats, a_y: Floats, root: Floats, y: Floats, b: Floats
) -> tuple[Floats, Floats]:
    """Return ``whiten`` (d, m) and the directions (q, d) in L's columns that it weighs.

    Raises:
        Contradiction: A row without uncertainty is not satisfied.
    """
    noise = free @ a_y @ root
    size = np.sqrt((noise**2).sum(axis=1))
    # What a row's u would be if nothing cancelled: the measure for what is rounding.
    bound = np.abs(free) @ (np.abs(a_y) @ np.sqrt((root**2).sum(axis=1)))
    noisy = size > EXACT * bound
    scaled = free[noisy] / size[noisy, None]
    left, singular, right = np.linalg.svd(noise[noisy] / size[noisy, None], full_matrices=True)
    rank = int((singular > RANK * singular.max(initial=0.0)).sum())
    exact = np.vstack([free[~noisy], left[:, rank:].T @ scaled])
    _check(exact, a_y, y, b, np.sqrt((root**2).sum(axis=1)))
    whiten = (left[:, :rank].T @ scaled) / singular[:rank, None]
    return whiten, right[:rank].T


def _check(exact: Floats, a_y: Floats, y: Floats, b: Floats, u: Floats) -> None:
    """Raise Contradiction where sums of rows without uncertainty are not satisfied."""
    gaps = exact @ (a_y @ y - b)
    terms = np.abs(exact) @ (np.abs(a_y) @ np.abs(y) + np.abs(b))
    for row, gap, term in zip(exact, gaps, terms, strict=True):
        if abs(gap) > SATISFIED * term:
            largest = np.abs(row).max()
            rows = np.flatnonzero(np.abs(row) > VISIBLE * largest)
            shared = bool((np.abs(row @ a_y) @ u) > 0.0)
            raise Contradiction(tuple(rows.tolist()), float(abs(gap) / largest), shared=shared)


def _taking_part(free: Floats, a_y: Floats) -> Bools:
    """Return which columns take part in a constraint without anything unmeasured."""
    size = np.abs(free @ a_y).max(axis=0, initial=0.0)
    bound = (np.abs(free) @ np.abs(a_y)).max(axis=0, initial=0.0)
    part: Bools = size > VISIBLE * bound
    return part


def _visible_var(adjusted: Floats, root: Floats) -> Floats:
    """Return the variances of the adjustments; zero where only rounding is left of one."""
    of_adjustment, of_measurement = (adjusted**2).sum(axis=1), (root**2).sum(axis=1)
    visible = of_adjustment > VISIBLE**2 * of_measurement
    return np.where(visible, of_adjustment, 0.0)


def _joined(
    measured: Bools, values: tuple[Floats, Floats], factors: tuple[Floats, Floats]
) -> Solved:
    """Return measured and unmeasured estimates in one order, with their covariance."""
    count = len(measured)
    both = np.empty(count)
    both[measured], both[~measured] = values
    factor = np.empty((count, factors[0].shape[1]))
    factor[measured], factor[~measured] = factors
    none = np.zeros(count, dtype=np.bool_)
    nothing = np.zeros(0)
    return Solved(both, factor @ factor.T, nothing, nothing, none, none, nothing, np.zeros((0, 0)))


def _spread(where: Bools, values: Floats, rest: float) -> Floats:
    full = np.full(len(where), rest)
    full[where] = values
    return full


def _spread_flags(where: Bools, values: Bools, *, rest: bool) -> Bools:
    full = np.full(len(where), rest)
    full[where] = values
    return full
