"""What a lot holds at one place: the sum of its postings, and what was weighed in and out.

``total`` and ``settled`` read a place; ``of_place`` says what must be posted so that the place
holds what is known now.

Source:
    docs/ledger.md, "Measurement".
"""

from collections.abc import Mapping
from typing import NamedTuple

from custody import accounts
from custody.estimate import NOTHING, Estimate, sigma
from custody.held import Posted
from custody.knowledge import Amount, Knowledge
from custody.lot_rows import Cause, Flow, PlaceRow
from custody.postings import Context, Made, minus, weighed_flow
from custody.rows import Finding

SETTLED_SIGMAS = 4.0
"""A rest within so many sigma of the weighings in and out is a difference of weighings.

What is left of a lot after all its trucks have gone is the difference of two measurements of the
same mass. It is posted to unaccounted/<lot>, so that a lot that has left has left.
"""


class Settled(NamedTuple):
    """What lies at a place by its weighings: grams, and how well that is known."""

    wet: int
    estimate: Estimate


def put(place: PlaceRow, posted: Posted, sign: int) -> None:
    """Add to a place what a posting moves in (1) or out (-1)."""
    _shift(place, posted, sign)
    place.postings += 1


def withdraw(place: PlaceRow, posted: Posted, sign: int) -> None:
    """Undo ``put``; a figure that comes to zero leaves no trace."""
    _shift(place, posted, -sign)
    place.postings -= 1
    amounts = place.amounts
    for key in posted.amounts:
        if not amounts[key]:
            del amounts[key]


def _shift(place: PlaceRow, posted: Posted, sign: int) -> None:
    place.wet += sign * posted.wet
    place.dry += sign * posted.dry
    amounts = place.amounts
    for key, value in posted.amounts.items():
        amounts[key] = amounts.get(key, 0) + sign * value


def total(place: PlaceRow, account: str) -> Amount:
    """Return what a place holds, its own postings included; figures of zero stay."""
    wet, dry, amounts = place.wet, place.dry, dict(place.amounts)
    for posted in place.posted.values():
        sign = (posted.credit == account) - (posted.debit == account)
        wet += sign * posted.wet
        dry += sign * posted.dry
        for key, value in posted.amounts.items():
            amounts[key] = amounts.get(key, 0) + sign * value
    return Amount(wet, dry, amounts)


def is_empty(place: PlaceRow) -> bool:
    """Tell whether all that came has gone, exactly, and nothing measured says otherwise."""
    if place.wet or place.dry or place.flows or place.stock is not None:
        return False
    return not any(place.amounts.values())


def settled(place: PlaceRow, stock: Flow | None) -> Settled:
    """Decide what wet mass is at a place and how well that is known.

    Args:
        place: The place.
        stock: Newest weighing of all that was there; it replaces the flows before it.

    Returns:
        Zero where what is left is only a difference of weighings, or less than nothing.
    """
    flows, wet = _ordered(place.flows), place.wet
    if stock is not None:
        flows = [stock, *[flow for flow in flows if _follows(flow, stock)]]
        wet = sum(flow.sign * flow.grams for flow in flows)
    estimate = _sum(flows)
    gone = any(flow.sign < 0 for flow in flows)
    if wet < 0 or (gone and wet <= SETTLED_SIGMAS * sigma(estimate)):
        return Settled(0, NOTHING)
    return Settled(wet, estimate._replace(value=float(wet)))


def of_place(name: str, place: PlaceRow, context: Context) -> tuple[Made, Settled]:
    """Return what brings a place from the sum of its movements to what is known now."""
    made = Made()
    if is_empty(place):
        return made, Settled(0, NOTHING)
    stock = None if place.stock is None else weighed_flow(place.stock[1], context)
    there = settled(place, stock)
    here = context.here(name)
    causes = [max(flow.cause for flow in place.flows.values())] if place.flows else []
    moved = Amount(place.wet, place.dry, place.amounts)
    unaccounted = accounts.unaccounted(context.lot_id)
    if _overdrawn(place) and causes:
        short = minus(Amount(0, 0, {}), moved)
        made.post("topped_up", causes[0], unaccounted, here, short, account=here)
        detail = f"{name}: {-place.wet / 1e6:.3f} t more went out than came in"
        made.findings.append(Finding("overdrawn", name, detail))
        moved = Amount(0, 0, dict.fromkeys(moved.amounts, 0))
    rest = minus(context.knowledge.amount(there.wet), moved)
    postings = place.postings + len(made.posted)
    if not _is_rounding(rest, postings if there.wet else 0):
        cause = _cause(causes, context.knowledge, place)
        if cause is not None:
            made.post("measurement", cause, unaccounted, here, rest, account=here)
    return made, there


def _cause(causes: list[Cause], knowledge: Knowledge, place: PlaceRow) -> Cause | None:
    newest = list(causes)
    if knowledge.cause is not None:
        newest.append(knowledge.cause)
    if place.stock is not None:
        mass = place.stock[1]
        newest.append(Cause(mass.at, mass.known, mass.event_id))
    return max(newest, default=None)


def _follows(flow: Flow, stock: Flow) -> bool:
    """Tell whether a weighing is not in a stock: what goes out at its moment leaves after it."""
    return flow.at > stock.at or (flow.at == stock.at and flow.sign < 0)


def _overdrawn(place: PlaceRow) -> bool:
    """Tell whether more went out than came in, beyond what weighings explain."""
    return place.wet < 0 and -place.wet > SETTLED_SIGMAS * sigma(_sum(_ordered(place.flows)))


def _ordered(flows: Mapping[str, Flow]) -> list[Flow]:
    """Return flows in an order that does not depend on which came first: floats are summed."""
    if len(flows) == 1:
        return list(flows.values())
    return [flow for _, flow in sorted(flows.items(), key=_when)]


def _when(item: tuple[str, Flow]) -> tuple[int, str]:
    return item[1].at, item[0]


def _sum(flows: list[Flow]) -> Estimate:
    if len(flows) == 1:
        flow = flows[0]
        return Estimate(float(flow.sign * flow.grams), flow.var, flow.parts)
    value, var = 0, 0.0
    parts: dict[str, float] = {}
    for flow in flows:
        value += flow.sign * flow.grams
        var += flow.var
        for source, u in flow.parts.items():
            parts[source] = parts.get(source, 0.0) + flow.sign * u
    return Estimate(float(value), var, parts)


def _is_rounding(rest: Amount, postings: int) -> bool:
    """Tell whether a difference is no more than each posting's rounding."""
    return (
        rest.wet == 0
        and abs(rest.dry) <= postings
        and all(abs(value) <= postings for value in rest.amounts.values())
    )
