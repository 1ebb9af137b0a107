"""The lots of a shift that a chart has found: what they say of it, or why it is said no more.

Source:
    docs/detection/charts.md
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from custody import blame
from custody.alerts import ROUTE_LOSS
from custody.detect.cusum import CLIP
from custody.detect.drift import Chart
from custody.detect.residuals import stands
from custody.drifts import Level
from custody.events import Micros
from custody.heard import OF, Heard
from custody.records import Residual
from custody.rows import AlertState

LOTS_MAX = 64
"""Lots of a chart that are kept one by one, the last ones; what comes later than that changes
nothing any more. So many an alert names at most."""


RIVALS = "; of all they are off by "
"""Begins who they are; pages tell by it that a sentence says more than an alert's figures."""

RIVALS_SAID, SHARE_SAID = 3, 0.01
"""How many a sentence names that explain of a shift, and the least share that it says."""


class Means(NamedTuple):
    """What lots say of a shift, logarithms; means are weighted by 1/u^2, zero where no lot is.

    Attributes:
        left: What others leave of the residuals.
        clipped: The same, clipped as in the sums: what one lot lost to a thief is not left of a
            road whose scale has drifted.
        explained: What others explain of them.
        u: Standard uncertainty of ``left``, what lots have in common included.
    """

    left: float = 0.0
    clipped: float = 0.0
    explained: float = 0.0
    u: float = 0.0


def lots_of(quantity: str, level: Level, heard: Sequence[Heard]) -> Sequence[Heard]:
    """Return the lots that a level is said of, ``LOTS_MAX`` at most.

    They are those it is estimated from; where the first of those are forgotten, all that are left.
    """
    lots = [one for one in heard if one.at >= level.since and quantity in one.quantities]
    forgotten = not lots or lots[0].at > level.since
    # Of a chunk more lots may be here than a row remembers, and than an alert may name.
    return (lots if forgotten else lots[: level.lots])[-LOTS_MAX:]


def means(quantity: str, lots: Sequence[Heard]) -> Means:
    """Return what lots say of a shift of a quantity."""
    weight = left = clipped = explained = common = 0.0
    for one in lots:
        value, u, shared, others = one.of(quantity)
        z = (value - others) / u
        weight += 1.0 / u**2
        left += z / u
        clipped += min(max(z, -CLIP), CLIP) / u
        explained += others / u**2
        common += shared / len(lots)
    if not weight:
        return Means()
    both = math.hypot(1.0 / math.sqrt(weight), common)
    return Means(*[x / 1e6 for x in (left / weight, clipped / weight, explained / weight, both)])


def explained_by(quantity: str, found: Means, lots: Sequence[Heard]) -> str:
    """Return who else explains of a shift, and which share of all that its lots are off by.

    A cause moves the charts of whatever it is compared with: those that are suspected more strongly
    are its rivals. Empty where there is none.

    Args:
        quantity: Of what.
        found: What the lots say of the shift.
        lots: They.
    """
    whole = found.left + found.explained
    weight, parts = 0.0, dict[str, float]()
    for one in lots:
        _, u, _, _ = one.of(quantity)
        weight += 1.0 / u**2
        for of, rival, part in one.rivals:
            if of == quantity:
                parts[rival] = parts.get(rival, 0.0) + part / u**2
    shares = {rival: part / 1e6 / weight / whole for rival, part in parts.items() if whole}
    ranked = sorted(shares.items(), key=lambda one: (-abs(one[1]), one[0]))
    said = [
        f"{name.partition('/')[2]} ({of}) {'explains' if share > 0.0 else 'hides'} {abs(share):.0%}"
        for rival, share in ranked[:RIVALS_SAID]
        for name, _, of in [rival.rpartition(OF)]
        if abs(share) >= SHARE_SAID
    ]
    return RIVALS + ", ".join(said) if said else ""


def why_gone(
    said: AlertState,
    chart: Chart,
    told: Sequence[Level],
    heard: Sequence[Heard],
    words: Sequence[Residual],
) -> str:
    """Return why a shift that was said is said no more.

    Args:
        said: The alert.
        chart: Of the quantity now.
        told: Levels that were told before.
        heard: Lots that are remembered.
        words: What lots have just said.
    """
    quantity, level = said.about or "", chart.level
    before = told[-1].since if told else None
    ended = next((one.until for one in chart.levels if one.since == before), None)
    if ended is not None:
        return f"its lots since {minute_of(ended)} are not off by it any more"
    if level is None:
        newest = max(words, key=lambda word: word.known_at, default=None)
        of = f"; the last is {newest.lot_id}, event {newest.cause_event_id}" if newest else ""
        return f"nothing is left of it as lots are measured now{of}"
    against = None if said.rule == ROUTE_LOSS else blame.objection(quantity, level, heard)
    if against is not None:
        return f"it can no longer be said to be its own: {against}"
    found = means(quantity, lots_of(quantity, level, heard))
    if stands(quantity, found.clipped, found.explained, level.u) and level.since != before:
        return "too few lots show it as they are measured now"
    whole = found.left + found.explained
    who = explained_by(quantity, found, lots_of(quantity, level, heard))
    return f"what else is known to be off explains {found.explained:+.2%} of {whole:+.2%}{who}"


def minute_of(at: Micros) -> str:
    """Return a time as sentences say it."""
    return f"{datetime.fromtimestamp(at // 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"
