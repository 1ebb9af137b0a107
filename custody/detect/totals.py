"""Totals over a period: what a plant, a mine and a country should add up to, and how sure that is.

    recovery           R = c (f - t) / (f (c - t)) of two products, by ``recovery.separation`` of n
    undeclared_feed    more metal came out of processes than went in
    missing_feed       mined = received + on the way + in stock + sold + usual loss + missing
    implausible_output more was made than is licensed, or was ever made

Each has z = difference over its u. Of m tests of one answer a z speaks beyond the quantile of
``ALPHA`` over all of them (Sidak).

Source:
    docs/detection/totals.md
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from custody.detect import several
from custody.estimate import Estimate, add, sigma

if TYPE_CHECKING:
    from custody.recovery import Grade

ALPHA = 1e-3
"""Chance that one answer has a finding where every figure is as good as its u says."""

UNDECLARED, MISSING = "undeclared_feed", "missing_feed"
IMPLAUSIBLE, RECOVERY = "implausible_output", "recovery_impossible"

DAYS_PER_YEAR = 365.25


class Total(NamedTuple):
    """One test of a total.

    Attributes:
        family: What it is a sign of, where it speaks.
        subject: Site or country.
        quantity: Dry mass, or a metal.
        expected: In the quantity's unit; a fraction for a recovery.
        found: The same.
        u: Standard uncertainty of their difference; None where it is not known.
        excess: Of one sign only: what speaks is this, positive. For a missing feed what is missing
            beyond the usual.
        usual: What was to go missing without anyone's doing, such as by handling.
    """

    family: str
    subject: str
    quantity: str
    expected: float
    found: float
    u: float | None
    excess: float
    usual: float = 0.0

    @property
    def z(self) -> float | None:
        """What speaks over its u; None without one."""
        return self.excess / self.u if self.u else None


class Recovered(NamedTuple):
    """A recovery from assays and what was expected.

    Attributes:
        value: Share of the metal that went into the first product.
        u: Its standard uncertainty, to first order.
        z: Value minus expected over the u of both.
    """

    value: float
    u: float
    z: float


def recovery(
    feed: Sequence["Grade"],
    products: Sequence[Sequence["Grade"]],
    expected: "Grade",
    analyte: int = 0,
) -> Recovered:
    """Compare the recovery that assays tell with what is expected of a plant.

    Args:
        feed: Grades of the feed, one per analyte.
        products: Grades of n products by n - 1 analytes, the product first and tailings among them.
        expected: Recovery and its standard uncertainty, fractions.
        analyte: Number of the analyte whose recovery it is.

    Raises:
        Inseparable: The assays do not tell the products apart.
    """
    # Whoever only asks the books has no NumPy installed.
    from custody.recovery import separation

    found = separation(feed, products)
    value, u = found.recoveries[0][analyte], found.recoveries_u[0][analyte]
    both = math.hypot(u, expected.u)
    return Recovered(value, u, (value - expected.value) / both if both > 0.0 else 0.0)


def out_beyond_in(subject: str, quantity: str, into: Estimate, out_of: Estimate) -> Total:
    """Test whether more came out of a site's processes than went in.

    Parts of one source in both cancel as far as they are the same.
    """
    difference = add(out_of, into, -1.0)
    u = sigma(difference)
    return Total(UNDECLARED, subject, quantity, into.value, out_of.value, u, difference.value)


def missing(
    subject: str,
    quantity: str,
    produced: float,
    gone: tuple[float, float],
    u: float | None,
) -> Total:
    """Test whether all that was produced is accounted for: received, on its way, in stock, sold.

    Args:
        subject: Country or site.
        quantity: Dry mass, or a metal.
        produced: What was mined, bought, and came out of processes.
        gone: What of it is nowhere, and what was to be lost without anyone's doing.
        u: Standard uncertainty of the difference of these two; None where it is not known.
    """
    lost, usual = gone
    return Total(MISSING, subject, quantity, produced, produced - lost, u, lost - usual, usual)


def beyond_capacity(
    subject: str,
    quantity: str,
    made: tuple[float, float],
    per_year: tuple[float, float],
    days: float,
) -> Total:
    """Test whether a site made more than it can.

    Args:
        subject: The site.
        quantity: Dry mass, or a metal.
        made: Amount over the period and its standard uncertainty.
        per_year: Capacity of a year and its standard uncertainty, in the same unit.
        days: Length of the period.
    """
    share = days / DAYS_PER_YEAR
    allowed = per_year[0] * share
    u = math.hypot(made[1], per_year[1] * share)
    return Total(IMPLAUSIBLE, subject, quantity, allowed, made[0], u, made[0] - allowed)


def limit(tests: int, alpha: float = ALPHA) -> float:
    """Return the z, one-sided, that the largest of so many passes with probability ``alpha``."""
    return NormalDist().inv_cdf(1.0 - several.each(alpha, tests))


def speaking(totals: Sequence[Total], alpha: float = ALPHA) -> list[Total]:
    """Return the totals that do not add up, those furthest off first."""
    tested = [(one.z, one) for one in totals if one.z is not None]
    least = limit(len(tested), alpha)
    found = [(z, one) for z, one in tested if z > least]
    return [one for _, one in sorted(found, key=lambda pair: (-pair[0], pair[1][:3]))]
