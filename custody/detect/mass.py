"""Mass in transit: the receipt of a trip against its dispatch.

    difference = receipt - dispatch (1 - expected loss)
    z = difference / u(difference)

A bridge that weighed both ends shares its systematic part, which then cancels; two bridges do
not. ``size`` is the difference as a fraction of the expected receipt: below zero is a loss, above
zero a gain.

Source:
    docs/detection/mass-in-transit.md
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from custody import metrology
from custody.alerts import Verdict
from custody.detect import threshold
from custody.estimate import Estimate, add, sigma
from custody.lot_rows import Mass, Trip
from custody.records import Evidence
from custody.reference import References

RULE = "mass_in_transit"
LOSS, GAIN = "loss", "gain"
PRIOR_SIZE = 0.05
"""Deviation of the sizes a loss or gain is thought to have, as a fraction of the mass."""


class Compared(NamedTuple):
    """Both weighings of a trip: expected and observed receipt, and the u of their difference."""

    expected: Estimate
    observed: Estimate
    difference: float
    u: float


def compared(trip: Trip, route: str | None, references: References) -> Compared | None:
    """Return the comparison of a trip that was weighed at both ends."""
    out, back = trip.dispatch, trip.receipt
    if out is None or back is None or out.weighed.net <= 0:
        return None
    leg = references.leg(route, (out.site, back.site), out.at)
    sent = _net(out, references)
    kept = 1.0 - leg.loss
    expected = Estimate(
        sent.value * kept,
        sent.var * kept * kept + (leg.loss_u * sent.value) ** 2,
        {source: u * kept for source, u in sent.parts.items()},
    )
    observed = _net(back, references)
    difference = add(observed, expected, -1.0)
    return Compared(expected, observed, difference.value, sigma(difference))


def _net(mass: Mass, references: References) -> Estimate:
    return metrology.net_mass(mass.weighed, references.device(mass.weighed.device, mass.at))


def verdicts(
    trips: Mapping[str, Trip], weighed: int, route: str | None, references: References
) -> dict[str, Verdict]:
    """Return what the test says of trips, by movement, where it passes its threshold.

    Args:
        trips: Trips to look at.
        weighed: Trips of the lot that were weighed at both ends: they share the level.
        route: Declared route.
        references: Bridges and expected losses.
    """
    if not weighed:
        return {}
    limit = threshold.normal_quantile(threshold.ALPHA_MASS / 2.0 / weighed)
    found: dict[str, Verdict] = {}
    for name, trip in trips.items():
        test = compared(trip, route, references)
        if test is not None and abs(test.difference) >= limit * test.u:
            found[name] = _verdict(name, trip, test, weighed)
    return found


def smallest_detectable(test: Compared, trips: int) -> float:
    """Return the size found with probability 0.9 on a trip of a lot that has ``trips`` of them."""
    limit = threshold.normal_quantile(threshold.ALPHA_MASS / 2.0 / trips)
    return (limit + threshold.normal_quantile(1.0 - threshold.POWER)) * test.u / test.expected.value


def _verdict(name: str, trip: Trip, test: Compared, trips: int) -> Verdict:
    assert trip.dispatch is not None
    assert trip.receipt is not None
    z = test.difference / test.u
    size = test.difference / test.expected.value
    value = threshold.minus_log10_normal(abs(z)) - math.log10(2.0 * trips)
    family, other = (LOSS, GAIN) if z < 0 else (GAIN, LOSS)
    # Sizes of either sign are thought normal before the weighing; the rest is the normal integral.
    u = test.u / test.expected.value
    wrong = 0.5 * math.erfc(abs(z) / math.sqrt(2.0) / math.sqrt(1.0 + (u / PRIOR_SIZE) ** 2))
    return Verdict(
        RULE,
        name,
        family,
        size,
        u,
        value,
        -math.log10(threshold.ALPHA_MASS),
        f"normal, two-sided, {threshold.ALPHA_MASS:g} per lot over {trips} weighed trips",
        ((family, 1.0 - wrong), (other, wrong)),
        (trip.dispatch.event_id, trip.dispatch.at, trip.receipt.at),
        _evidence(trip.dispatch, trip.receipt, test),
        f"receipt {size:+.2%} (sigma {u:.2%}) against dispatch of trip {name}; this trip shows "
        f"{smallest_detectable(test, trips):.2%} with probability {threshold.POWER:g}",
    )


def _evidence(out: Mass, back: Mass, test: Compared) -> tuple[Evidence, ...]:
    """Return both ends and their difference; the last is what z is of."""
    ends = (out.event_id, back.event_id)
    devices = (out.weighed.device, back.weighed.device)
    sent = float(out.weighed.net)
    expected, observed = test.expected, test.observed
    return (
        _item("dispatched", (sent, sent, sigma(expected)), ends[:1], devices[:1]),
        _item("received", (expected.value, observed.value, sigma(observed)), ends[1:], devices[1:]),
        _item("difference", (0.0, test.difference, test.u), ends, devices),
    )


def _item(
    name: str,
    values: tuple[float, float, float],
    events: tuple[str, ...],
    devices: tuple[str, ...],
) -> Evidence:
    expected, observed, u = values
    return Evidence(
        quantity=f"mass_wet_{name}",
        analyte=None,
        expected=expected,
        observed=observed,
        u=u,
        z=(observed - expected) / u if u else 0.0,
        unit="g",
        event_ids=events,
        instruments=devices,
    )
