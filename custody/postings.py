"""What a lot's postings must be: one function per kind of thing that makes them.

Each returns what a trip, a stock weighing, a process input or a place should have posted, given
what is known now; nothing here remembers what was posted before (``ledger.difference`` compares).
Movements are posted on what was known when they were weighed (``Basis``), so that history reads
as it happened and a new certificate does not restate thirty trucks. What is known now is reached
by ``measurement`` postings of the place, one for each time that more became known. So the balance
of a place is the best estimate, and it is the sum of its transfers, also as of an earlier time.

Source:
    docs/ledger.md, "Postings of a lot"; docs/adr/0012-post-movements-on-their-basis.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from custody import accounts, metrology
from custody.accounts import TRANSIT
from custody.estimate import Estimate
from custody.events import Micros
from custody.held import BEGINNING, Held, Posted
from custody.knowledge import Amount, Knowledge
from custody.lot import UNKNOWN_SITE, ends_of, sold_to
from custody.lot_rows import Cause, Flow, Mass, Papers, Trip
from custody.reference import References
from custody.rows import Fed, Finding, Hold
from custody.turns import Turn

INPUT_U_REL = 0.002
"""Relative uncertainty of a process input's mass without a statement."""


Supplied = dict[str, Micros | None]
"""Sites that get the lot otherwise than by its first weighing, and since when; None from the start.
"""


class Context(NamedTuple):
    """What postings depend on beside the thing they are of.

    Attributes:
        lot_id: The lot.
        knowledge: What is known of its material.
        references: Instruments.
        route: Declared route.
        supplied: Sites that get the lot otherwise than by its first weighing.
        clocks: By site the time by which its facts are in.
        holds: What people held and released, in order of time.
        turns: When what is known of the material changed, in order.
        unwatered: Outputs of processes that state their dry mass alone and have no certificate's
            moisture, by their causes: nobody measured what they weigh wet.
    """

    lot_id: str
    knowledge: Knowledge
    references: References
    route: str | None
    supplied: Supplied
    clocks: Mapping[str, Micros] = MappingProxyType({})
    holds: Sequence[Hold] = ()
    turns: Sequence[Turn] = ()
    unwatered: frozenset[str] = frozenset()

    def supplies(self, site: str, leaves: Micros) -> bool:
        """Tell whether what leaves a site then had come there before, and is in the books."""
        if site not in self.supplied:
            return False
        since = self.supplied[site]
        return since is None or since <= leaves

    def of_own(self) -> "Context":
        """Return it for what the lot has of its own: no process had mixed anything with that."""
        own = self.knowledge.own
        return self if own is None else self._replace(knowledge=own)

    def here(self, place: str) -> str:
        """Return the lot's account at a place."""
        return accounts.lot(self.lot_id, place)


@dataclass(slots=True)
class Made:
    """What something should have posted.

    Attributes:
        posted: By ``kind|event_id`` (``|account`` where one event has many).
        flows: Place, key and weighing in or out.
        findings: What was found of it.
    """

    posted: dict[str, Posted] = field(default_factory=dict)
    flows: list[tuple[str, str, Flow]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def post(  # noqa: PLR0913  a posting has so many parts
        self,
        kind: str,
        cause: Cause,
        debit: str,
        credit: str,
        amount: Amount,
        *,
        movement: str | None = None,
        process: str | None = None,
        account: str = "",
    ) -> None:
        """Add a posting."""
        key = f"{kind}|{cause.event_id}"
        self.posted[f"{key}|{account}" if account else key] = Posted(
            debit,
            credit,
            amount.wet,
            amount.dry,
            amount.amounts,
            cause.at,
            movement,
            process,
        )

    def flow(self, place: str, key: str, at: Micros, sign: int, of: "Weighed") -> None:
        """Add a weighing in (1) or out (-1) of a place."""
        estimate = of.estimate
        flow = Flow(at, sign, round(estimate.value), estimate.var, dict(estimate.parts), of.cause)
        self.flows.append((place, key, flow))


class Weighed(NamedTuple):
    """A mass and the fact it is known by."""

    estimate: Estimate
    cause: Cause


def of_trip(name: str, trip: Trip, context: Context) -> Made:
    """Return what one trip posts: its way, and a first weighing where nothing else supplies."""
    made = Made()
    source, target = _ends(trip)
    if trip.inferred:
        detail = f"trip {name[1:]} is paired by vehicle and order, without a movement_id"
        made.findings.append(Finding("pair_inferred", name, detail))
    _doubt_weighings(made, name, trip)
    ends = [mass for mass in (trip.dispatch, trip.receipt) if mass is not None]
    made.findings.extend(expired_devices(ends, context))
    if trip.dispatch is None:
        if trip.receipt is not None and sold_to(trip) is None:
            _arrive_unweighed(made, name, trip, trip.receipt, context)
        return made
    dispatch = trip.dispatch
    weighed = _weighed(dispatch, context)
    # What a buyer weighs of a load that was sold is the buyer's.
    arrival = trip.receipt or trip.arrived if sold_to(trip) is None else None
    gone = trip.left is not None or arrival is not None
    here = context.here(source)
    supplied = context.supplies(source, dispatch.at)
    context = context if supplied else context.of_own()
    amount = _amount(dispatch, context)
    if not supplied:
        made.post(
            "first_weighing", weighed.cause, accounts.origin(source), here, amount, movement=name
        )
    # One weighing that brings a load in and takes it out again leaves no doubt behind.
    if supplied == gone:
        made.flow(source, name + "<", dispatch.at, -1 if gone else 1, weighed)
    if gone:
        left = _departure(trip, dispatch)
        made.post("dispatch", left, here, context.here(TRANSIT), amount, movement=name)
        if arrival is not None:
            _arrive(made, name, trip, (arrival, amount, (source, target)), context)
        else:
            _under_way(made, name, trip, (amount, weighed), context)
    return made


def _departure(trip: Trip, mass: Mass) -> Cause:
    """Return when a load left, by the weighing it is known by."""
    left = trip.left or mass
    return Cause(left.at, left.known, mass.event_id)


def _under_way(
    made: Made, name: str, trip: Trip, load: tuple[Amount, Weighed], context: Context
) -> None:
    """Leave a load in transit, or with the party outside that it was sold to."""
    amount, weighed = load
    left, party = trip.left, sold_to(trip)
    assert trip.dispatch is not None
    assert left is not None
    if party is not None:
        sold = _departure(trip, trip.dispatch)._replace(event_id=left.event_id)
        outside = accounts.outside(party)
        made.post("sale", sold, context.here(TRANSIT), outside, amount, movement=name)
    else:
        made.flow(TRANSIT, name + "=", left.at, 1, weighed)


def _arrive(
    made: Made,
    name: str,
    trip: Trip,
    way: tuple[Mass | Papers, Amount, tuple[str, str]],
    context: Context,
) -> None:
    """Post a receipt, and what the two weighings of the trip do not agree on.

    Both weighings are taken on the dispatch's basis: the difference is one of mass.
    """
    assert trip.dispatch is not None
    arrival, checked_out, (source, target) = way
    cause = Cause(arrival.at, arrival.known, arrival.event_id)
    weighed = trip.receipt or trip.dispatch
    checked_in = context.knowledge.amount_on(weighed.weighed.net, trip.dispatch.basis)
    transit = context.here(TRANSIT)
    made.post("receipt", cause, transit, context.here(target), checked_in, movement=name)
    estimate = _weighed(weighed, context).estimate
    made.flow(target, name + ">", arrival.at, 1, Weighed(estimate, cause))
    if checked_in.wet != checked_out.wet:
        where = accounts.unaccounted(context.route or f"{source}-{target}")
        rest = minus(checked_out, checked_in)
        made.post("unaccounted", cause, transit, where, rest, movement=name)


def _arrive_unweighed(made: Made, name: str, trip: Trip, receipt: Mass, context: Context) -> None:
    """Post a trip that was weighed only where it ended; it left when its papers say, if they do."""
    source, target = _ends(trip)
    weighed = _weighed(receipt, context)
    there = context.here(target)
    left = _departure(trip, receipt)
    if source != target and context.supplies(source, left.at):
        amount = _amount(receipt, context)
        transit = context.here(TRANSIT)
        made.post("dispatch", left, context.here(source), transit, amount, movement=name)
        made.flow(source, name + "<", left.at, -1, Weighed(weighed.estimate, left))
        made.post("receipt", weighed.cause, transit, there, amount, movement=name)
    else:
        party = trip.arrived.party if trip.arrived is not None else None
        debit = accounts.origin(source) if party is None else accounts.outside(party)
        amount = _amount(receipt, context.of_own())
        made.post("first_weighing", weighed.cause, debit, there, amount, movement=name)
    made.flow(target, name + ">", receipt.at, 1, weighed)


def of_stock(site: str, first: Mass, context: Context) -> Made:
    """Return what the first weighing of a lot that lay at its origin posts, whole."""
    made = Made()
    weighed = _weighed(first, context)
    made.post(
        "first_weighing",
        weighed.cause,
        accounts.origin(site),
        context.here(site),
        _amount(first, context.of_own()),
    )
    made.flow(site, "first", first.at, 1, weighed)
    return made


def of_feed(
    fed: Fed, wet_there: int, frozen: Posted | None, context: Context
) -> tuple[Made, Amount, Estimate]:
    """Return what goes into a process, on what is known now: the process needs the best.

    Args:
        fed: The input.
        wet_there: Grams that lay at its site then, for one that states no mass.
        frozen: What it moved last, where the ring is too deep for another round.
        context: What is known.

    Returns:
        Postings, the amount, and the wet mass with its uncertainty.
    """
    made = Made()
    amount = _input_amount(fed, wet_there, context.knowledge)
    if frozen is not None:
        amount = Amount(frozen.wet, frozen.dry, frozen.amounts)
    u = fed.side.u_mass if fed.side.u_mass is not None else INPUT_U_REL * amount.wet
    mass = Estimate(float(amount.wet), float(u) ** 2, {})
    cause = Cause(fed.at, fed.known, fed.event_id)
    account = accounts.process(fed.side.process)
    here = context.here(fed.site)
    made.post("process_input", cause, here, account, amount, process=fed.side.process)
    made.flow(fed.site, fed.event_id, fed.at, -1, Weighed(mass, cause))
    return made, amount, mass


def _input_amount(fed: Fed, wet_there: int, knowledge: Knowledge) -> Amount:
    """Return what an input takes; one without a mass takes all that lay there."""
    side = fed.side
    dry_share = knowledge.dryness.value if side.moisture is None else 1.0 - side.moisture
    if side.wet is not None:
        wet = side.wet
    elif side.dry is not None:
        wet = metrology.wet_of(side.dry, dry_share)
    else:
        wet = wet_there
    dry = side.dry if side.dry is not None else round(wet * dry_share)
    return Amount(wet, dry, knowledge.contained(wet, dry))


def of_given(held: Held, context: Context) -> Made:
    """Return the weighing in that a process's output is; the process has posted it."""
    made = Made()
    cause = Cause(held.at, BEGINNING, held.cause)
    mass = Weighed(context.knowledge.came(held), cause)
    made.flow(held.place, held.cause, held.at, 1, mass)
    return made


def minus(first: Amount, second: Amount) -> Amount:
    """Return the difference of two amounts; figures that do not differ are left out."""
    return _added(first, second, -1)


def plus(first: Amount, second: Amount) -> Amount:
    """Return the sum of two amounts; figures of zero are left out."""
    return _added(first, second, 1)


def _added(first: Amount, second: Amount, sign: int) -> Amount:
    amounts = dict(first.amounts)
    for key, value in second.amounts.items():
        amounts[key] = amounts.get(key, 0) + sign * value
    amounts = {key: value for key, value in amounts.items() if value}
    return Amount(first.wet + sign * second.wet, first.dry + sign * second.dry, amounts)


def _weighed(mass: Mass, context: Context) -> Weighed:
    device = context.references.device(mass.weighed.device, mass.at)
    estimate = metrology.net_mass(mass.weighed, device)
    return Weighed(estimate, Cause(mass.at, mass.known, mass.event_id))


def weighed_flow(mass: Mass, context: Context) -> Flow:
    """Return a weighing of all that was there as what came in."""
    estimate, cause = _weighed(mass, context)
    return Flow(mass.at, 1, round(estimate.value), estimate.var, dict(estimate.parts), cause)


def _amount(mass: Mass, context: Context) -> Amount:
    return context.knowledge.amount_on(mass.weighed.net, mass.basis)


def _ends(trip: Trip) -> tuple[str, str]:
    source, target = ends_of(trip)
    return source or UNKNOWN_SITE, target or UNKNOWN_SITE


def _doubt_weighings(made: Made, name: str, trip: Trip) -> None:
    """Note an end of a trip that was weighed again without a correction: one of them is wrong."""
    for purpose, again in (("dispatch", trip.dispatched_again), ("receipt", trip.received_again)):
        if again:
            # An alert says this once: it stays true whichever of them come or go.
            detail = f"trip {name}: its {purpose} is weighed more than once; the last one counts"
            made.findings.append(Finding("weighed_twice", f"{name} {purpose}", detail))


def expired_devices(weighings: Iterable[Mass], context: Context) -> list[Finding]:
    """Return a finding for each weighing on a scale whose calibration had run out by then."""
    devices = [context.references.device(one.weighed.device, one.at) for one in weighings]
    detail = "weighed out of calibration; its u is widened"
    return [
        Finding("device_out_of_calibration", device.device_id, f"{device.device_id} {detail}")
        for device in devices
        if device.expired
    ]
