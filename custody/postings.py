"""What a lot's postings must be, given all its facts: the wanted set.

Nothing here remembers what was posted before; ``ledger.difference`` compares. Movements are
posted on what was known when they were weighed (``Basis``), so that history reads as it happened
and a new certificate does not restate thirty trucks. What is known now is reached by one
``measurement`` posting per place. So the balance of a place is the best estimate, and it is the
sum of its transfers.

Source:
    docs/adr/0012-post-movements-on-their-basis.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from custody import accounts, metrology
from custody.accounts import TRANSIT
from custody.estimate import Estimate
from custody.events import Micros
from custody.handing import GENERATIONS_MAX, generation_after
from custody.held import Held, Posted
from custody.knowledge import Amount, Cause, Knowledge
from custody.place import Flow, Place
from custody.reference import References
from custody.rows import Book, Fed, Leg, LotRow, Mass, Trip

INPUT_U_REL = 0.002
"""Relative uncertainty of a process input's mass without a statement."""

UNKNOWN_SITE = "unknown"


@dataclass(slots=True)
class Wanted:
    """What should stand.

    Attributes:
        postings: By ``kind|event_id`` or ``kind|event_id|account``.
        places: Sums and estimates by place.
        inputs: What each process input gives, by its event.
        findings: Names for metrics.
    """

    postings: dict[str, Posted] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    inputs: dict[str, tuple[Fed, Amount, Estimate]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


class Postings:
    """Derives the wanted postings of one lot; used once.

    Args:
        lot_id: The lot.
        row: Its facts and what processes handed to it.
        knowledge: What is known of the material.
        references: Instruments and routes.
    """

    __slots__ = (
        "_book",
        "_given",
        "_knowledge",
        "_lot_id",
        "_posted",
        "_prefix",
        "_references",
        "_too_deep",
        "_wanted",
    )

    def __init__(
        self, lot_id: str, row: LotRow, knowledge: Knowledge, references: References
    ) -> None:
        self._lot_id = lot_id
        self._book: Book = row.book
        self._given: Mapping[str, Held] = row.given
        self._posted: Mapping[str, Posted] = row.posted
        self._too_deep = generation_after(row.given) > GENERATIONS_MAX
        self._knowledge = knowledge
        self._references = references
        self._prefix = f"lot/{lot_id}/"
        self._wanted = Wanted()

    def derive(self) -> Wanted:
        """Return what should stand; costs trips + places + inputs, whatever the number of facts."""
        book = self._book
        for held in self._given.values():
            self._receive(held)
        supplied = self._supplied_sites()
        for site in supplied & book.stock.keys():
            self._open_stock(site)
        for name, trip in book.trips.items():
            self._travel(name, trip, supplied)
        for site, (_, newest) in book.stock.items():
            cause = Cause(newest.at, newest.known, newest.event_id)
            self._place(site).stock = Flow(newest.at, 1.0, self._mass(newest), cause)
        for fed in book.inputs:
            self._feed(fed)
        for site in list(self._wanted.places):
            self._true_up(site)
        return self._wanted

    def _place(self, name: str) -> Place:
        places = self._wanted.places
        place = places.get(name)
        if place is None:
            place = places[name] = Place()
        return place

    def _mass(self, mass: Mass) -> Estimate:
        device = self._references.device(mass.weighed.device, mass.at)
        return metrology.net_mass(mass.weighed, device)

    def _post(  # noqa: PLR0913  a posting has so many parts
        self,
        kind: str,
        cause: Cause,
        debit: str,
        credit: str,
        amount: Amount,
        *,
        at: Micros | None = None,
        movement: str | None = None,
        process: str | None = None,
        account: str = "",
    ) -> None:
        prefix = self._prefix
        if debit.startswith(prefix):
            self._place(debit[len(prefix) :]).take(amount, -1)
        if credit.startswith(prefix):
            self._place(credit[len(prefix) :]).take(amount, 1)
        key = f"{kind}|{cause.event_id}"
        if account:
            key = f"{key}|{account}"
        self._wanted.postings[key] = Posted(
            debit,
            credit,
            amount.wet,
            amount.dry,
            amount.amounts,
            cause.at if at is None else at,
            cause.known,
            movement,
            process,
        )

    def _receive(self, held: Held) -> None:
        """Count what a process handed over; the process has posted it."""
        place = self._place(held.place)
        metals = {analyte: value for analyte, (value, _, _) in held.metals.items()}
        place.take(Amount(held.wet, held.dry, metals), 1)
        mass = Estimate(float(held.wet), held.wet_u**2, held.wet_parts)
        cause = Cause(held.at, held.known, held.cause)
        place.flows.append(Flow(held.at, 1.0, mass, cause))

    def _supplied_sites(self) -> set[str]:
        """Return the sites that get the lot otherwise than by being weighed out of them."""
        book = self._book
        sites = {held.place for held in self._given.values()}
        departures: dict[str, Micros] = {}
        for trip in book.trips.values():
            if trip.receipt is not None or trip.arrived is not None:
                sites.add(_ends(trip)[1])
            if trip.dispatch is not None:
                site = trip.dispatch.site
                departures[site] = min(departures.get(site, trip.dispatch.at), trip.dispatch.at)
        for site, (first, _) in book.stock.items():
            if site not in departures or first.at <= departures[site]:
                sites.add(site)
        return sites

    def _open_stock(self, site: str) -> None:
        """Post the first weighing of a lot that lay at its origin, whole."""
        first = self._book.stock[site][0]
        arrives = any(
            (trip.receipt or trip.arrived) and _ends(trip)[1] == site
            for trip in self._book.trips.values()
        )
        if arrives or any(held.place == site for held in self._given.values()):
            return
        self._first_weighing(first, site, self._prefix + site, None)
        cause = Cause(first.at, first.known, first.event_id)
        self._place(site).flows.append(Flow(first.at, 1.0, self._mass(first), cause))

    def _first_weighing(self, mass: Mass, site: str, credit: str, movement: str | None) -> None:
        amount = self._amount(mass)
        cause = Cause(mass.at, mass.known, mass.event_id)
        debit = accounts.origin(site)
        self._post("first_weighing", cause, debit, credit, amount, movement=movement)

    def _amount(self, mass: Mass) -> Amount:
        return self._knowledge.amount_on(mass.weighed.net, self._book.bases[mass.basis])

    def _travel(self, name: str, trip: Trip, supplied: set[str]) -> None:
        """Post one trip: first weighing where the site has no other supply, dispatch, receipt."""
        source, target = _ends(trip)
        if trip.inferred:
            self._wanted.findings.append("pair_inferred")
        if trip.dispatch is None:
            if trip.receipt is not None:
                self._arrive_unweighed(name, trip.receipt, (source, target), supplied)
            return
        dispatch = trip.dispatch
        mass = self._mass(dispatch)
        cause = Cause(dispatch.at, dispatch.known, dispatch.event_id)
        arrival = trip.receipt or trip.arrived
        gone = trip.left is not None or arrival is not None
        if source not in supplied:
            self._first_weighing(dispatch, source, self._prefix + source, name)
        # One weighing that brings a load in and takes it out again leaves no doubt behind.
        if (source in supplied) == gone:
            sign = -1.0 if gone else 1.0
            self._place(source).flows.append(Flow((trip.left or dispatch).at, sign, mass, cause))
        if not gone:
            return
        left = trip.left or dispatch
        amount = self._amount(dispatch)
        self._post(
            "dispatch",
            Cause(left.at, max(left.known, dispatch.known), dispatch.event_id),
            self._prefix + source,
            self._prefix + TRANSIT,
            amount,
            movement=name,
        )
        if arrival is None:
            self._place(TRANSIT).flows.append(Flow(left.at, 1.0, mass, cause))
            return
        self._arrive(name, trip, arrival, amount)

    def _arrive(self, name: str, trip: Trip, arrival: Mass | Leg, checked_out: Amount) -> None:
        """Post a receipt, and what the two weighings of the trip do not agree on.

        Both weighings are taken on the dispatch's basis: the difference is one of mass.
        """
        assert trip.dispatch is not None
        source, target = _ends(trip)
        cause = Cause(arrival.at, arrival.known, arrival.event_id)
        weighed = trip.receipt or trip.dispatch
        checked_in = self._knowledge.amount_on(
            weighed.weighed.net, self._book.bases[trip.dispatch.basis]
        )
        transit = self._prefix + TRANSIT
        self._post("receipt", cause, transit, self._prefix + target, checked_in, movement=name)
        self._place(target).flows.append(Flow(arrival.at, 1.0, self._mass(weighed), cause))
        if checked_in.wet != checked_out.wet:
            declared = self._book.declared
            route = declared.route if declared is not None and declared.route else None
            where = accounts.unaccounted(route or f"{source}-{target}")
            rest = _minus(checked_out, checked_in)
            self._post("unaccounted", cause, transit, where, rest, movement=name)

    def _arrive_unweighed(
        self, name: str, receipt: Mass, ends: tuple[str, str], supplied: set[str]
    ) -> None:
        """Post a trip that was weighed only where it ended."""
        source, target = ends
        mass = self._mass(receipt)
        cause = Cause(receipt.at, receipt.known, receipt.event_id)
        if source in supplied and source != target:
            amount = self._amount(receipt)
            transit = self._prefix + TRANSIT
            self._post("dispatch", cause, self._prefix + source, transit, amount, movement=name)
            self._place(source).flows.append(Flow(receipt.at, -1.0, mass, cause))
            self._post("receipt", cause, transit, self._prefix + target, amount, movement=name)
        else:
            self._first_weighing(receipt, source, self._prefix + target, name)
        self._place(target).flows.append(Flow(receipt.at, 1.0, mass, cause))

    def _feed(self, fed: Fed) -> None:
        """Post what goes into a process, on what is known now: the process needs the best.

        Deep in a ring of lots and processes the edge is frozen: what it moved last it moves still.
        """
        amount = self._input_amount(fed)
        if self._too_deep:
            self._wanted.findings.append("cycle_or_too_deep")
            last = self._posted.get(f"process_input|{fed.event_id}")
            if last is None:
                return
            amount = Amount(last.wet, last.dry, last.amounts)
        u = fed.side.u_mass if fed.side.u_mass is not None else INPUT_U_REL * amount.wet
        mass = Estimate(float(amount.wet), float(u) ** 2, {})
        cause = Cause(fed.at, fed.known, fed.event_id)
        self._post(
            "process_input",
            cause,
            self._prefix + fed.site,
            accounts.process(fed.side.process),
            amount,
            process=fed.side.process,
        )
        self._place(fed.site).flows.append(Flow(fed.at, -1.0, mass, cause))
        self._wanted.inputs[fed.event_id] = (fed, amount, mass)

    def _input_amount(self, fed: Fed) -> Amount:
        """Return what an input takes; one without a mass takes all that is there."""
        side, knowledge = fed.side, self._knowledge
        dry_share = knowledge.dryness.value if side.moisture is None else 1.0 - side.moisture
        if side.wet is not None:
            wet = side.wet
        elif side.dry is not None:
            wet = round(side.dry / dry_share) if dry_share > 0.0 else side.dry
        else:
            wet = self._place(fed.site).settle()
        dry = side.dry if side.dry is not None else round(wet * dry_share)
        metals = {a: round(dry * grade.value * 1000.0) for a, grade in knowledge.grades.items()}
        return Amount(wet, dry, metals)

    def _true_up(self, site: str) -> None:
        """Post what brings a place from the sum of its movements to what is known now."""
        place = self._wanted.places[site]
        if place.is_empty:
            return
        wet = place.settle()
        target = self._knowledge.amount(wet)
        here = self._prefix + site
        causes = [place.last_cause] if place.last_cause is not None else []
        if place.overdrawn and causes:
            self._wanted.findings.append("overdrawn")
            short = Amount(-place.wet, -place.dry, {a: -v for a, v in place.metals.items()})
            debit = accounts.unaccounted(self._lot_id)
            self._post("topped_up", causes[0], debit, here, short, account=here)
        rest = _minus(target, Amount(place.wet, place.dry, place.metals))
        if _is_rounding(rest, place.postings if wet else 0):
            return
        if self._knowledge.cause is not None:
            causes.append(self._knowledge.cause)
        if place.stock is not None:
            causes.append(place.stock.cause)
        if causes:
            debit = accounts.unaccounted(self._lot_id)
            self._post("measurement", max(causes), debit, here, rest, account=here)


def _ends(trip: Trip) -> tuple[str, str]:
    """Return where a trip begins and ends, by the scale, else by the papers."""
    source = target = None
    if trip.dispatch is not None:
        source = trip.dispatch.site
    if trip.receipt is not None:
        target = trip.receipt.site
    for leg in (trip.left, trip.arrived):
        if leg is not None:
            source = source or leg.from_site
            target = target or leg.to_site
    return source or UNKNOWN_SITE, target or UNKNOWN_SITE


def _minus(first: Amount, second: Amount) -> Amount:
    metals = dict(first.amounts)
    for analyte, value in second.amounts.items():
        metals[analyte] = metals.get(analyte, 0) - value
    return Amount(first.wet - second.wet, first.dry - second.dry, metals)


def _is_rounding(rest: Amount, postings: int) -> bool:
    """Tell whether a difference is no more than each posting's rounding."""
    return (
        rest.wet == 0
        and abs(rest.dry) <= postings
        and all(abs(value) <= postings for value in rest.amounts.values())
    )
