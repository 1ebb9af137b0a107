"""What a lot holds at one place: the sum of its postings, and what was weighed in and out.

``total``, ``settled`` and ``lay_there`` read a place; ``of_place`` says what must be posted so
that the place holds what is known now.

Source:
    docs/ledger.md, "Measurement".
"""

from collections.abc import Mapping
from typing import NamedTuple

from custody import accounts, turns
from custody.estimate import NOTHING, Estimate, sigma
from custody.events import Micros
from custody.flow_pages import in_order
from custody.held import BEGINNING, Posted, Sums
from custody.knowledge import Amount, Knowledge, last_of
from custody.lot import STOCKS_MAX
from custody.lot_rows import Cause, Flow, Mass, PlaceRow
from custody.postings import Context, Made, expired_devices, minus, plus, weighed_flow
from custody.rows import Finding

SETTLED_SIGMAS = 4.0
"""A rest within so many sigma of the weighings in and out is a difference of weighings.

What is left of a lot after all its trucks have gone is the difference of two measurements of the
same mass. It is posted to unaccounted/<lot>, so that a lot that has left has left.
"""

_NO_AMOUNT = Amount(0, 0, {})


class Settled(NamedTuple):
    """What lies at a place by its weighings: grams, and how well that is known."""

    wet: int
    estimate: Estimate


def put(place: PlaceRow, posted: Posted, sign: int) -> None:
    """Add to a place what a posting moves in (1) or out (-1)."""
    _shift(place, posted, sign)
    place.postings += 1
    if place.marks:
        turns.note(place, posted, sign, 1)


def withdraw(place: PlaceRow, posted: Posted, sign: int) -> None:
    """Undo ``put``."""
    _shift(place, posted, -sign)
    place.postings -= 1
    if place.marks:
        turns.note(place, posted, sign, -1)


def _shift(place: PlaceRow, posted: Posted, sign: int) -> None:
    """Add a posting to the sums; a figure of zero leaves no trace, however it came about."""
    place.wet += sign * posted.wet
    place.dry += sign * posted.dry
    amounts = place.amounts
    for key, value in posted.amounts.items():
        figure = amounts.get(key, 0) + sign * value
        if figure:
            amounts[key] = figure
        elif key in amounts:
            del amounts[key]


def total(place: PlaceRow, account: str) -> Amount:
    """Return what a place holds, its own postings included."""
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
    if place.wet or place.dry or place.flows or place.stocks:
        return False
    return not any(place.amounts.values())


def settled(place: PlaceRow, context: Context) -> Settled:
    """Decide what wet mass is at a place and how well that is known.

    Args:
        place: The place.
        context: Instruments.

    Returns:
        Zero where what is left is only a difference of weighings, or less than nothing.
    """
    if place.stocks:
        return _settled(_since_stock(place, place.stocks[-1], context))
    if _gone_by_dry_mass(place, context):
        return Settled(0, NOTHING)
    return _settled(_ordered(place.flows), place.wet)


def _gone_by_dry_mass(place: PlaceRow, context: Context) -> bool:
    """Tell whether all has left by its dry mass, whatever its wet mass says.

    An output that states its dry mass alone was taken to be as wet as what went into its process.
    Until a certificate says how wet it is, what it weighs wet is no measurement and its dry mass
    is one: where that has left, no water of it lies there.
    """
    if place.stocks or context.unwatered.isdisjoint(place.flows):
        return False
    if all(flow.sign > 0 for flow in place.flows.values()):
        return False
    off = SETTLED_SIGMAS * sigma(sum_of(place)) * context.knowledge.dryness.value
    return abs(place.dry) <= off


def lay_there(place: PlaceRow, at: Micros, context: Context) -> int:
    """Return the wet mass that lay at a place at a time, by what was weighed till then, grams.

    What came in or went out at that very time has.
    """
    stocks = [stock for stock in place.stocks if stock.at <= at]
    flows = _since_stock(place, stocks[-1], context) if stocks else _ordered(place.flows)
    return _settled([flow for flow in flows if flow.at <= at]).wet


def _since_stock(place: PlaceRow, mass: Mass, context: Context) -> list[Flow]:
    """Return a weighing of all that was there, and those in and out that followed it.

    At its moment what comes in is weighed with it, what goes out leaves after it.
    """
    stock = weighed_flow(mass, context)
    later = [
        flow
        for flow in _ordered(place.flows)
        if flow.at > stock.at or (flow.at == stock.at and flow.sign < 0)
    ]
    return [stock, *later]


def _settled(flows: list[Flow], wet: int | None = None) -> Settled:
    if wet is None:
        wet = sum([flow.sign * flow.grams for flow in flows])
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
    there = settled(place, context)
    here = context.here(name)
    causes = [flow.cause for flow in place.flows.values()]
    moved = Amount(place.wet, place.dry, place.amounts)
    unaccounted = accounts.unaccounted(context.lot_id)
    short_by = last_of(causes) if _overdrawn(place, context) else None
    if short_by is not None:
        short = minus(_NO_AMOUNT, moved)
        made.post("topped_up", short_by, unaccounted, here, short, account=here)
        detail = f"{name}: {-place.wet / 1e6:.3f} t more went out than came in"
        made.findings.append(Finding("overdrawn", name, detail))
        moved = Amount(0, 0, dict.fromkeys(moved.amounts, 0))
    rest = minus(context.knowledge.amount(there.wet), moved)
    postings = place.postings + len(made.posted)
    if _is_rounding(rest, postings if there.wet else 0):
        rest = _NO_AMOUNT
    newest = _cause(causes, context.knowledge, place)
    for cause, amount in _measured(name, place, (rest, newest), context):
        if amount != _NO_AMOUNT:
            made.post("measurement", cause, unaccounted, here, amount, account=here)
    return made, there


def _measured(
    name: str, place: PlaceRow, whole: tuple[Amount, Cause | None], context: Context
) -> list[tuple[Cause, Amount]]:
    """Return what measures a place, in parts: at each turn, and at its newest cause what is left.

    The parts add up to the whole. Where only rounding is left it goes with the last turn: so it
    does not make a posting of its own.
    """
    rest, newest = whole
    parts, last = _by_turns(name, place, context)
    for _, amount in parts:
        rest = minus(rest, amount)
    if parts and (newest is None or newest.at <= last or _is_small(rest, place, parts)):
        cause, amount = parts.pop()
        parts.append((cause, plus(amount, rest)))
    elif newest is not None:
        parts.append((newest, rest))
    return parts


def _by_turns(
    name: str, place: PlaceRow, context: Context
) -> tuple[list[tuple[Cause, Amount]], Micros]:
    """Return what brings a place, at each turn, to what was known with it.

    What was learnt of material when all of it had gone counts from when the last of it went: what
    it moved into a process is as known now, and the place would hold less than nothing till then.

    Returns:
        Cause and amount of each part, and the time of the last turn among them.
    """
    parts: list[tuple[Cause, Amount]] = []
    last = before = BEGINNING
    done = _NO_AMOUNT
    for cause, basis in turns.of_place(name, place, context.turns):
        sums = place.marks.get(cause.at)
        if sums is None or not (sums.postings or parts or place.stocks):
            continue  # nothing had come yet
        wet = _lay_by(place, sums, cause.at, context)
        known = context.knowledge.amount_on(wet, basis)
        rest = minus(known, plus(Amount(sums.wet, sums.dry, sums.amounts), done))
        if not _is_rounding(rest, sums.postings + len(parts)):
            parts.append((_when_gone(place, cause, before, context), rest))
            done = plus(done, rest)
            last = cause.at
        before = cause.at
    return parts, last


def _when_gone(place: PlaceRow, cause: Cause, before: Micros, context: Context) -> Cause:
    """Return a turn at the time the last of a place went, where it had gone since the turn before.

    Args:
        place: The place.
        cause: The turn.
        before: The time of the turn before it.
        context: Instruments.
    """
    if lay_there(place, cause.at, context) > 0:
        return cause
    went = [f.at for f in place.flows.values() if f.sign < 0 and before < f.at <= cause.at]
    return cause._replace(at=max(went)) if went else cause


def _lay_by(place: PlaceRow, sums: Sums, at: Micros, context: Context) -> int:
    """Return the wet mass that lay at a place at a turn: by postings, since a stock by weighings.

    A load between its weighing and its departure is posted and is no weighing in or out. What is
    only a difference of weighings stays here, for the newest cause to settle: more may come.
    """
    if not place.stocks or place.stocks[0].at > at:
        return sums.wet
    mass = [stock for stock in place.stocks if stock.at <= at][-1]
    flows = _since_stock(place, mass, context)
    return sum([flow.sign * flow.grams for flow in flows if flow.at <= at])


def _is_small(rest: Amount, place: PlaceRow, parts: list[tuple[Cause, Amount]]) -> bool:
    return _is_rounding(rest, place.postings + len(parts))


def doubts(name: str, place: PlaceRow, context: Context) -> list[Finding]:
    """Return what is found of a place's stock weighings."""
    found = expired_devices(place.stocks, context)
    if place.stocks_left_out:
        detail = (
            f"{name}: more than {STOCKS_MAX} stock weighings with inputs without a mass between"
        )
        detail = f"{detail}; older inputs are taken without some"
        found.append(Finding("too_many_stocks", name, detail))
    return found


def _cause(causes: list[Cause], knowledge: Knowledge, place: PlaceRow) -> Cause | None:
    newest = list(causes)
    if knowledge.cause is not None:
        newest.append(knowledge.cause)
    if place.stocks:
        mass = place.stocks[-1]
        newest.append(Cause(mass.at, mass.known, mass.event_id))
    return last_of(newest)


def _overdrawn(place: PlaceRow, context: Context) -> bool:
    """Tell whether more went out than came in, beyond what weighings explain."""
    if place.wet >= 0 or _gone_by_dry_mass(place, context):
        return False
    return -place.wet > SETTLED_SIGMAS * sigma(sum_of(place))


def sum_of(place: PlaceRow) -> Estimate:
    """Return the sum of what was weighed in and out of a place, grams."""
    return _sum(_ordered(place.flows))


def _ordered(flows: Mapping[str, Flow]) -> list[Flow]:
    """Return flows in an order that does not depend on which came first: floats are summed."""
    if len(flows) == 1:
        return list(flows.values())
    return [flow for _, flow in in_order(flows)]


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
