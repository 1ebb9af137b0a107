"""A lot's books from its facts and from what processes handed over: all of it, anew."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import unquote

from custody.events import Fact, LotDeclared, LotWeighed, MaterialProcessed
from tests.support.oracle import beyond, declared, own
from tests.support.oracle.amounts import (
    Amounts,
    Carried,
    Handed,
    added,
    attributes_of,
    mixture,
    unmeasured,
)
from tests.support.oracle.known import U_MOISTURE, U_MOISTURE_MIN, Knowledge, as_wet_as_before
from tests.support.oracle.own import Back
from tests.support.oracle.postings import TRANSIT, Flow, Place, Posting, account_of, sums_of
from tests.support.oracle.refs import References
from tests.support.oracle.scales import sigma
from tests.support.oracle.sides import differs
from tests.support.oracle.stand import kept_stocks, standing, when
from tests.support.oracle.trips import Trip, trips_of

SIGMAS = 4
U_INPUT_REL = 0.002
"""Of an input that states no u."""


class Moved(NamedTuple):
    """What a posting moves, its dry mass unrounded (attributes go by that), whether of its own."""

    amounts: Amounts
    dry: float
    own: bool = False


class LotBooks:
    """One lot.

    Args:
        lot_id: The lot.
        facts: Its facts as they came.
        handed: What processes handed over, by process, in order of cause.
        refs: Reference data.
        rules: Which rules hold.
        back: What is known of a lot that comes back from a process.
    """

    def __init__(
        self,
        lot_id: str,
        facts: Sequence[Fact],
        handed: dict[str, list[Handed]],
        refs: References,
        rules: Mapping[str, bool],
        back: Back,
    ) -> None:
        self.lot_id = lot_id
        self.back = back
        self.refs = refs
        self.handed = handed
        stand = standing(sorted(facts, key=when))
        self.findings = stand.findings
        self.facts = sorted(stand.facts, key=when)
        lots = [fact for fact in self.facts if isinstance(fact, LotDeclared)]
        self.lot = lots[-1] if lots else None
        self.given = [one for some in handed.values() for one in some]
        mine = back._replace(at=None)
        self.bare = LotBooks(lot_id, facts, {}, refs, rules, mine) if self.given else None
        self.own = own.part(self.bare, self.facts, back) if self.bare else None
        self.parts = [*self.given, self.own] if self.own else self.given
        whole = added(*((1, one.amounts) for one in self.parts))
        self.knowledge = Knowledge(refs, self.lot, whole)
        self.now = self.knowledge.of(self.facts)
        as_fed = as_wet_as_before(self.facts, back.at)
        self.went_in = self.now if back.at is None else self.knowledge.of(as_fed)
        self.unmeasured = self.knowledge.of([]).moisture
        self.findings |= self.now.findings
        self.marked = frozenset(unmeasured(self.parts))
        self.expected = self.marked & self.now.handed
        found, self.unclear = beyond.said(self.now, self.expected, self.lot)
        self.findings |= found
        self.carried = self._carried()
        self.postings: list[Posting] = []
        self.places: dict[str, Place] = {}
        self.gives: list[tuple[str, Handed]] = []
        self._trips()
        self._stocks()
        self.intensity = declared.intensities(self, whole) if rules["attributes"] else {}
        self._attribute_movements()
        self._inputs()
        if rules["measured_outputs"]:
            self._measured()
        for site in list(self.places):
            self._true_up(site)

    def _carried(self) -> Carried:
        said = declared.carried(self.lot, self.refs)
        if sum(one.amounts["dry"] for one in self.parts) <= 0:
            return said
        given = mixture([(one.amounts, one.carried) for one in self.parts], None)
        named = {dimension for dimension, _ in given.shares}
        more = {key: share for key, share in said.shares.items() if key[0] not in named}
        if self.lot is not None:
            more = {key: share for key, share in more.items() if key[0] not in declared.STAGES}
        given.shares |= more
        return given

    def entered(self) -> int:
        """The wet mass of first weighings."""
        return sum(p.amounts["wet"] for p in self.postings if p.kind == "first_weighing")

    def attributes(self, wet: float, dry: float) -> Amounts:
        names = [name for some in self.intensity.values() for name in some]
        per_dry, per_wet = self.intensity.get("dry", {}), self.intensity.get("wet", {})
        return {n: round(dry * per_dry.get(n, 0.0) + wet * per_wet.get(n, 0.0)) for n in names}

    def _attribute_movements(self) -> None:
        for at, posting in enumerate(self.postings):
            by = self.bare if posting.own and self.bare and self.own else self
            moved = by.attributes(posting.amounts["wet"], posting.dry)
            if posting.kind == "unaccounted":
                sent, got = self.postings[at - 2], self.postings[at - 1]
                moved = attributes_of(added((1, sent.amounts), (-1, got.amounts)))
            posting.amounts |= moved

    def _account(self, place: str) -> str:
        return account_of(self.lot_id, place)

    def _post(self, kind: str, cause: str, ends: tuple[str, str], moved: Moved) -> None:
        source, target = ends
        amounts, dry = dict(moved.amounts), moved.dry
        self.postings.append(Posting(kind, cause, source, target, amounts, dry, moved.own))
        for account in ends:
            if account.startswith("lot/"):
                self._place(unquote(account.split("/")[-1])).postings += 1

    def _place(self, site: str) -> Place:
        return self.places.setdefault(site, Place())

    def _flow(self, site: str, sign: int, weighed: LotWeighed, by: Fact | None = None) -> None:
        self._place(site).flows.append(Flow(when(by or weighed), sign, weighed.net_g, weighed))

    def _then(self, weighed: LotWeighed, wet: int, *, mine: bool = False) -> Moved:
        """What a mass held by what the lot's own facts had said before a weighing.

        Args:
            weighed: The weighing.
            wet: The mass.
            mine: It is of the lot's own: nothing that a process handed over is in it.
        """
        before = [fact for fact in self.facts if when(fact) < when(weighed)]
        by = self.bare if mine and self.bare and self.own else self
        known = by.knowledge.of(before)
        dry = wet * (1 - (known.moisture or 0.0))
        return Moved(known.content(wet, dry), dry, mine)

    def _trips(self) -> None:
        trips, inferred = trips_of(self.facts)
        if inferred:
            self.findings.add("pair_inferred")
        if any(trip.weighed_twice for trip in trips):
            self.findings.add("weighed_twice")
        self.trucked = {trip.target for trip in trips if trip.arrival}
        self.arrivals = set(self.trucked)
        self._supplied_by_processes()
        for one in self.given:
            place = self._place(one.site)
            place.flows.append(self._came(one))
            place.postings += 1
        self.opened = self._opened()
        for trip in trips:
            if trip.weighed_out is not None:
                self._weighed_out(trip, trip.weighed_out)
            elif trip.weighed_in is not None and not trip.sold_to:
                self._only_weighed_in(trip, trip.weighed_in)

    def _came(self, one: Handed) -> Flow:
        """An output as what came in; whose wet mass a moisture tells is known by that as well."""
        wet, u = self.now.wet_of(one), one.u_wet
        if one.dry_alone and "moisture" in self.now.certified:
            rel = one.u_wet / one.amounts["wet"] if one.amounts["wet"] else 0.0
            u = wet * math.hypot(rel, self.now.u_moisture / (1 - (self.now.moisture or 0.0)))
        return Flow((one.at, 0, one.cause), 1, wet, None, u)

    def _supplied_by_processes(self) -> None:
        """By site the first input into a process that gave the lot back there; else arrivals."""
        self.returned: dict[str, int] = {}
        self.came: dict[str, int] = {}
        for (process, site), since in self.back.supplies.items():
            inputs = [
                f.occurred_at
                for f in self.facts
                if isinstance(f, MaterialProcessed) and (f.process_id, f.site_id) == (process, site)
            ]
            if inputs:
                self.returned[site] = min([*inputs, self.returned.get(site, inputs[0])])
            else:
                self.arrivals.add(site)
                self.came[site] = min(since, self.came.get(site, since))

    def _stock_weighings(self) -> list[LotWeighed]:
        return [f for f in self.facts if isinstance(f, LotWeighed) and f.purpose == "stock"]

    def _opened(self) -> dict[str, int]:
        """By site the first time that all that lay there was weighed."""
        first: dict[str, int] = {}
        for fact in self._stock_weighings():
            first.setdefault(fact.site_id, fact.occurred_at)
        return first

    def _in_the_books(self, site: str, leaves: Fact) -> bool:
        """Whether what leaves a site had come there in some other way before."""
        if site in self.arrivals:
            return True
        since = [times[site] for times in (self.opened, self.returned) if site in times]
        return bool(since) and min(since) <= leaves.occurred_at

    def _weighed_out(self, trip: Trip, out: LotWeighed) -> None:
        source, target = trip.source, trip.target
        first = not self._in_the_books(source, out)
        sent = self._then(out, out.net_g, mine=first)
        here, way = self._account(source), self._account(TRANSIT)
        if first:
            self._post("first_weighing", out.event_id, (f"origin/{source}", here), sent)
            self._flow(source, 1, out)
        if not trip.gone:
            return
        self._post("dispatch", out.event_id, (here, way), sent)
        self._flow(source, -1, out)
        if trip.sold_to:
            self._post("sale", out.event_id, (way, f"outside/{trip.sold_to}"), sent)
        elif trip.arrival is None:
            self._flow(TRANSIT, 1, out)
        else:
            self._arrived(trip, out, sent, target)

    def _arrived(self, trip: Trip, out: LotWeighed, sent: Moved, target: str) -> None:
        weighed = trip.weighed_in or out
        got = self._then(out, weighed.net_g, mine=sent.own)
        way = self._account(TRANSIT)
        cause = weighed.event_id
        self._post("receipt", cause, (way, self._account(target)), got)
        self._flow(target, 1, weighed, trip.arrival)
        if got.amounts["wet"] != sent.amounts["wet"]:
            route = self.lot.route_id if self.lot else None
            where = f"unaccounted/{route or trip.source + '-' + target}"
            lost = added((1, sent.amounts), (-1, got.amounts))
            self._post("unaccounted", cause, (way, where), Moved(lost, 0.0))

    def _only_weighed_in(self, trip: Trip, back: LotWeighed) -> None:
        source, target = trip.source, trip.target
        first = source == target or not self._in_the_books(source, trip.left or back)
        got = self._then(back, back.net_g, mine=first)
        way, there = self._account(TRANSIT), self._account(target)
        if not first:
            # Taken anew from an origin it would be there twice.
            self._post("dispatch", back.event_id, (self._account(source), way), got)
            self._flow(source, -1, back, trip.left)
            self._post("receipt", back.event_id, (way, there), got)
        else:
            party = trip.bought_from
            giver = f"outside/{party}" if party else f"origin/{source}"
            self._post("first_weighing", back.event_id, (giver, there), got)
        self._flow(target, 1, back)

    def _stocks(self) -> None:
        seen: set[str] = set()
        kept = kept_stocks(self.facts, self.findings)
        for fact in self._stock_weighings():
            site = fact.site_id
            back = site in self.returned and self.returned[site] < fact.occurred_at
            back |= site in self.came and self.came[site] <= fact.occurred_at
            if site not in self.trucked and site not in seen and not back:
                amounts = self._then(fact, fact.net_g, mine=True)
                ends = f"origin/{site}", self._account(site)
                self._post("first_weighing", fact.event_id, ends, amounts)
            seen.add(site)
            if fact.event_id in kept:
                self._flow(site, 0, fact)

    def _inputs(self) -> None:
        sides = [f for f in self.facts if isinstance(f, MaterialProcessed)]
        self.findings |= {"stated_dry_differs" for side in sides if differs(side, self.refs)}
        for side in sides:
            wet, dry = (round(mass) for mass in self._masses(side))
            amounts = self.went_in.fed(wet, dry)
            amounts |= self.attributes(amounts["wet"], amounts["dry"])
            carried, expected = self.carried, self.marked & self.went_in.handed
            if side.event_id in self.back.fed:
                before = self.back.fed[side.event_id]
                amounts, carried, expected = before.amounts, before.carried, before.expected
                wet = amounts["wet"]
            place = self._place(side.site_id)
            u = U_INPUT_REL * wet if side.u_mass_g is None else float(side.u_mass_g)
            place.flows.append(Flow(when(side), -1, wet, None, u))
            ends = self._account(side.site_id), f"process/{side.process_id}"
            self._post("process_input", side.event_id, ends, Moved(amounts, dry))
            handed = Handed(side.event_id, side.occurred_at, side.site_id, amounts, carried)
            self.gives.append((side.process_id, replace(handed, expected=expected, kind=side.kind)))

    def _masses(self, side: MaterialProcessed) -> tuple[float, float]:
        moisture = side.moisture_fraction
        if moisture is None:
            moisture = self.went_in.moisture or 0.0
        wet: float
        if side.mass_wet_g is not None:
            wet = side.mass_wet_g
        elif side.mass_dry_g is not None:
            wet = side.mass_dry_g / (1 - moisture) if moisture <= 0.999 else side.mass_dry_g
        else:
            wet = self._lies(self._place(side.site_id).since_stock(side.occurred_at))[0]
        return wet, side.mass_dry_g if side.mass_dry_g is not None else wet * (1 - moisture)

    def _lies(self, flows: list[Flow]) -> tuple[int, bool]:
        """The wet mass that is there by its weighings, and whether too much of it left."""
        wet = sum((flow.sign or 1) * flow.wet for flow in flows)
        off = SIGMAS * self._sigma(flows)
        left = any(flow.sign < 0 for flow in flows)
        if wet < 0 or (left and wet <= off):
            return 0, wet < -off
        return wet, False

    def _measured(self) -> None:
        """Tell the processes that handed this lot over what their outputs really were.

        Several are told no more than the water of what states its dry mass: a certificate is of
        what they gave together.
        """
        alone = len(self.handed) == 1 and self.own is None
        for process, outputs in self.handed.items():
            for one in outputs:
                if alone and self._contradicted(one):
                    self.findings.add("stated_dry_differs")
                back = self._back(one, alone=alone)
                if any(back.values()):
                    ends = self._account(one.site), f"process/{process}"
                    self._post("measured", one.cause, ends, Moved({"wet": 0, "dry": 0} | back, 0.0))

    def _contradicted(self, one: Handed) -> bool:
        """Whether the certificate's moisture is far from the one that two stated masses have."""
        wet = one.amounts["wet"]
        if not one.both or "moisture" not in self.now.certified or wet <= 0:
            return False
        lab = ("laboratory", one.site, one.at)
        u = max(self.refs.number(*lab, "moisture_u", U_MOISTURE) or U_MOISTURE, U_MOISTURE_MIN)
        apart = abs(1 - one.amounts["dry"] / wet - (self.now.moisture or 0.0))
        return apart > SIGMAS * math.hypot(u, self.now.u_moisture)

    def _back(self, one: Handed, *, alone: bool) -> Amounts:
        """What was handed over less what it really was, of the figures that certificates give."""
        certified = self.now.certified
        wet = self.now.wet_of(one)
        dry: float = one.amounts["dry"]
        if "moisture" in certified:
            dry = wet * (1 - (self.now.moisture or 0.0))
        measured = self.now.content(wet, dry)
        figures = {"wet", "dry", *certified} & measured.keys() if alone else {"wet"}
        return {n: one.amounts.get(n, 0) - measured[n] for n in figures}

    def _true_up(self, site: str) -> None:
        """Bring a place to what is known now."""
        account, place = self._account(site), self.places[site]
        held = added((1, sums_of(self.postings).get(account, {})), (1, self._given_at(site)))
        wet, overdrawn = self._lies(place.since_stock())
        if self._gone_by_dry_mass(site, held.get("dry", 0)):
            wet, overdrawn = 0, False
        if overdrawn:
            self.findings.add("overdrawn")
        dry = wet * (1 - (self.now.moisture or 0.0))
        target = self.now.content(wet, dry) | self.attributes(wet, dry)
        rest = {n: target.get(n, 0) - held.get(n, 0) for n in target.keys() | held.keys()}
        most = place.postings if wet else 0
        if rest.get("wet") == 0 and all(abs(value) <= most for value in rest.values()):
            return
        if any(rest.values()):
            ends = f"unaccounted/{self.lot_id}", account
            self.postings.append(Posting("measurement", "", ends[0], ends[1], rest))

    def _gone_by_dry_mass(self, site: str, dry: int) -> bool:
        """Whether all of a dry mass that nobody weighed wet has left; its water was a guess."""
        flows = self.places[site].flows
        guessed = any(one.dry_alone for one in self.given if one.site == site)
        if not guessed or "moisture" in self.now.certified or any(f.sign == 0 for f in flows):
            return False
        off = SIGMAS * self._sigma(flows) * (1 - (self.now.moisture or 0.0))
        return any(flow.sign < 0 for flow in flows) and abs(dry) <= off

    def _sigma(self, flows: list[Flow]) -> float:
        weighed = [(f.sign or 1, f.weighing) for f in flows if f.weighing is not None]
        others = sum(flow.u**2 for flow in flows)
        return math.sqrt(sigma(weighed, self.refs) ** 2 + others)

    def _given_at(self, site: str) -> Amounts:
        return added(*((1, one.amounts) for one in self.given if one.site == site))
