"""Yields and recoveries of a separation from assays alone: the n-product formula.

A plant that cuts a feed into n products need not weigh them: mass and each of n - 1 analytes are
conserved, and these n equations give the yields.

    sum_k y_k = 1                     mass
    sum_k y_k c_ka = f_a              analyte a, a = 1 .. n - 1
    R_ka = y_k c_ka / f_a             recovery

With two products these are the formulas of every plant: C/F = (f - t)/(c - t) and
R = c (f - t) / (f (c - t)).

Units: grades of one analyte share a unit, any (fraction, percent, grams per tonne), and so do
their u; yields and recoveries are fractions. All of them on dry basis.

Source:
    B. A. Wills and J. A. Finch, Wills' Mineral Processing Technology, 8th ed. (2016), chapter 3;
    JCGM 100 (GUM) 5.1.2 for the propagation. docs/uncertainty.md has the worked examples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custody.errors import Refused

CONDITION_MAX = 1e8
"""Condition number of the equations, each scaled to its largest grade, beyond which products are
too much alike: what is left of double precision would be noise."""

Floats = npt.NDArray[np.float64]


class Grade(NamedTuple):
    """A grade and its standard uncertainty, in the unit of the analyte.

    ``u`` is what differs from assay to assay (sampling, analysis). A laboratory that is off by one
    factor for an analyte in feed and products alike changes no yield and no recovery.
    """

    value: float
    u: float


class Separation(NamedTuple):
    """What became of a feed; by product, and within it by analyte, in the order given.

    Attributes:
        yields: Dry mass of each product per dry mass of the feed.
        yields_u: Their standard uncertainties. Yields of one separation are correlated.
        recoveries: Share of each analyte of the feed that is in each product.
        recoveries_u: Their standard uncertainties.
    """

    yields: tuple[float, ...]
    yields_u: tuple[float, ...]
    recoveries: tuple[tuple[float, ...], ...]
    recoveries_u: tuple[tuple[float, ...], ...]


class Inseparable(Refused):
    """The assays do not tell the products apart, or are not as many as it takes."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            expected="n products that differ, n - 1 analytes, each above zero in the feed",
            next_step="choose analytes that the products differ in, or weigh the products",
        )


def separation(feed: Sequence[Grade], products: Sequence[Sequence[Grade]]) -> Separation:
    """Return yields and recoveries with first-order uncertainty.

    A yield below zero or above one is returned as it comes: the assays contradict each other, and
    its uncertainty says by how much that may be chance.

    Args:
        feed: Grades of the feed, one per analyte.
        products: Grades of each product, in the same order of analytes; tailings are a product.

    Raises:
        Inseparable: The equations have no one solution.
    """
    f, f_var, c, c_var = _arrays(feed, products)
    inverse = _inverse(f, c)
    yields: Floats = inverse @ np.concatenate([[1.0], f])
    # By feed grade [product, analyte], and by product grade [product, whose grade, analyte].
    by_f = inverse[:, 1:]
    by_c = -by_f[:, None, :] * yields[None, :, None]
    yields_var = by_f**2 @ f_var + (by_c**2 * c_var).sum(axis=(1, 2))
    recoveries = yields[:, None] * c / f
    recoveries_var = _recoveries_var((f, f_var, c, c_var), yields, by_f, by_c)
    return Separation(
        tuple(yields.tolist()),
        tuple(np.sqrt(yields_var).tolist()),
        tuple(map(tuple, recoveries.tolist())),
        tuple(map(tuple, np.sqrt(recoveries_var).tolist())),
    )


def _arrays(
    feed: Sequence[Grade], products: Sequence[Sequence[Grade]]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return values and variances: of the feed by analyte, of products by product and analyte."""
    analytes = len(feed)
    if len(products) != analytes + 1 or any(len(product) != analytes for product in products):
        what = f"{len(products)} products and {analytes} analytes, or grades are missing"
        raise Inseparable(what)
    both = np.array([feed, *products], dtype=np.float64).reshape(analytes + 2, analytes, 2)
    if not np.isfinite(both).all() or (both < 0.0).any() or (both[0, :, 0] <= 0.0).any():
        what = "a grade or its u is not a number, below zero, or zero in the feed"
        raise Inseparable(what)
    values, variances = both[..., 0], both[..., 1] ** 2
    return values[0], variances[0], values[1:], variances[1:]


def _inverse(f: Floats, c: Floats) -> Floats:
    """Return the inverse of the equations: yields per unit of mass and of each feed grade."""
    system = np.vstack([np.ones(len(c)), c.T])
    scale = np.maximum(np.concatenate([[1.0], f]), system.max(axis=1))
    scaled = system / scale[:, None]
    if not np.linalg.cond(scaled) <= CONDITION_MAX:
        what = "the products are too much alike in these analytes"
        raise Inseparable(what)
    inverse: Floats = np.linalg.inv(scaled) / scale
    return inverse


def _recoveries_var(
    grades: tuple[Floats, Floats, Floats, Floats], yields: Floats, by_f: Floats, by_c: Floats
) -> Floats:
    """Return the variances of the recoveries by product and analyte.

    Args:
        grades: Values and variances of feed and products.
        yields: By product.
        by_f: Derivatives of yields by feed grade [product, analyte].
        by_c: Derivatives of yields by product grade [product, whose grade, analyte].
    """
    f, f_var, c, c_var = grades
    per_yield = c / f
    same_analyte, same_product = np.eye(len(f)), np.eye(len(c))
    # [product, analyte, analyte that is wrong]
    rf = by_f[:, None, :] * per_yield[:, :, None]
    rf -= same_analyte * (yields[:, None] * c / f**2)[:, :, None]
    # [product, analyte, product that is wrong, analyte that is wrong]
    rc = by_c[:, None, :, :] * per_yield[:, :, None, None]
    direct = (yields[:, None] / f)[:, :, None, None]
    rc += same_product[:, None, :, None] * same_analyte[None, :, None, :] * direct
    variances: Floats = rf**2 @ f_var + (rc**2 * c_var).sum(axis=(2, 3))
    return variances
