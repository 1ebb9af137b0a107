"""The rows of one lot: a small head, and one row for each thing a step may touch.

    lot/<lot>                    head: counts, where it has been, alerts
    fact/<lot>|<event>           a fact as a re-fold needs it
    sealed/<lot>|<event>         a fact that came too late for a sealed lot
    material/<lot>               declaration and certificates
    station/<lot>|<site>         series of shots taken there
    trip/<lot>|<movement>        both ends of a trip, its postings
    place/<lot>|<place>          what lies there: sums of postings, weighings in and out
    flows/<lot>|<place>|<n>      earlier weighings in and out of a place that has seen many
    feed/<lot>|<event>           a process input, its posting and what was handed on
    given/<lot>|<event>          what a process handed over

A step reads and writes what its facts touch, however long the lot's history. ``|`` stands for
``BETWEEN``, which no id has. As in ``custody.rows`` everything is plain, and a row that was handed
out is never changed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import NamedTuple

from custody.deadlines import Due
from custody.events import Micros
from custody.held import BEGINNING, Held, Posted, Sums
from custody.rows import AlertState, Assayed, Declared, FactHead, Fed, Finding, Hold, Weighed


class Basis(NamedTuple):
    """What a lot's own facts said of its material when it was weighed.

    Attributes:
        moisture: Fraction of the wet mass; None until a certificate gives it.
        dry: Grade by analyte, fraction of the dry mass.
        as_is: The same of the wet mass.
        certified: Analytes whose grade a certificate gives; what a process handed over is better
            known than the others.
        shots_alone: Nobody had declared or certified a grade; those of shots count only where no
            process handed any over.
    """

    moisture: float | None
    dry: dict[str, float]
    as_is: dict[str, float]
    certified: tuple[str, ...] = ()
    shots_alone: bool = False

    def counts(self, analyte: str, handed: Collection[str]) -> bool:
        """Tell whether a grade here counts beside those that processes handed over."""
        if analyte in self.certified or not handed:
            return True
        return analyte not in handed and not self.shots_alone


NO_BASIS = Basis(None, {}, {})
"""Where nothing is posted on what was known."""


class Mass(NamedTuple):
    """A weighing kept for a trip or a place, with what was known then."""

    event_id: str
    at: Micros
    known: Micros
    site: str
    basis: Basis
    weighed: Weighed


class Papers(NamedTuple):
    """A dispatch or receipt kept for a trip; ``position``, degrees, is where it was written."""

    event_id: str
    at: Micros
    known: Micros
    from_site: str | None
    to_site: str | None
    party: str | None
    vehicle: str | None = None
    seals: tuple[str, ...] = ()
    position: tuple[float, float] | None = None


class Trip(NamedTuple):
    """Both ends of one vehicle's way.

    Attributes:
        dispatch: Weighing out; of several the last in canonical order, as in each of these.
        receipt: Weighing in.
        left: Papers of the dispatch.
        arrived: Papers of the receipt.
        inferred: Paired without a movement_id.
        dispatched_again: ``dispatch`` stands in the place of others that it does not correct.
        received_again: Likewise ``receipt``, of its own site.
        came_to: Sites that received it, the first ones in canonical order.
        resealed: Other seals than it left with that the last record on the way states.
    """

    dispatch: Mass | None = None
    receipt: Mass | None = None
    left: Papers | None = None
    arrived: Papers | None = None
    inferred: bool = False
    dispatched_again: bool = False
    received_again: bool = False
    came_to: tuple[str, ...] = ()
    resealed: tuple[str, ...] = ()


NO_TRIP = Trip()
"""A trip of which nothing is known."""


class Certificate(NamedTuple):
    """A certificate kept for the lot; ``basis`` is what was known with it."""

    event_id: str
    at: Micros
    known: Micros
    site: str
    assayed: Assayed
    basis: Basis = NO_BASIS


class Shots(NamedTuple):
    """All shots of one device at one site on one basis.

    ``taken`` is the number of shots; ``sums`` holds per analyte: number of shots that saw it, sum
    of fractions (parts per billion), sum of counting variances (their square).
    """

    site: str
    device: str
    dry: bool
    event_id: str
    at: Micros
    known: Micros
    taken: int
    sums: dict[str, tuple[int, int, float]]


class Cause(NamedTuple):
    """A fact that something is known by; compares in canonical order.

    ``known`` is ``BEGINNING`` for what a process handed over: several facts are behind it.
    """

    at: Micros
    known: Micros
    event_id: str


class Flow(NamedTuple):
    """A mass that came in (sign 1) or went out (sign -1) and how well it was measured.

    ``var`` in grams squared, ``parts`` in grams by systematic source.
    """

    at: Micros
    sign: int
    grams: int
    var: float
    parts: dict[str, float]
    cause: Cause


@dataclass(slots=True)
class LotRow:
    """The head of a lot.

    Attributes:
        known: When the newest record it took was recorded; nothing it says is known before.
        facts: Facts folded.
        sealed: Facts that came too late for a sealed lot.
        last: Place of the last fact in canonical order.
        targets: Events that corrections name and that have not been seen.
        trips: Trips begun.
        feeds: Process inputs.
        givens: Contents received.
        entered_wet: Wet mass of all first weighings, grams; None where it was never counted.
        own_wet: The same without loads that were sold at once: nothing was ever mixed with them.
        places: Where it has been, in order.
        stocks: Sites where all of it was weighed.
        series: Series of shots, in the order in which they began.
        ways: By receiving site the trip that was first to go there, and from where.
        sources: Sites that trips have left from.
        arrived: Trips arrived, by site.
        supplied: Sites that get the lot otherwise than by its first weighing, as last derived, and
            since when; None from the start.
        used: Hashes of the keys of reference records used.
        findings: What rules about the set of facts have found.
        alerts: Alerts by key.
        clocks: By site the greatest time by which its facts are known to be in.
        holds: What people held and released, in order of time.
        tells: It waits to tell charts what measured it (``charting``).
        strays: Where it was weighed or scanned though no trip had been there, and when first.
        doubts: Keys of findings that wait for what may be on its way (``custody.doubts``).
    """

    known: Micros = BEGINNING
    facts: int = 0
    sealed: int = 0
    last: tuple[int, int, str] | None = None
    targets: list[str] = field(default_factory=list)
    trips: int = 0
    feeds: int = 0
    givens: int = 0
    entered_wet: int | None = None
    own_wet: int = 0
    places: list[str] = field(default_factory=list)
    stocks: list[str] = field(default_factory=list)
    series: list[str] = field(default_factory=list)
    ways: dict[str, tuple[int, str]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    arrived: dict[str, int] = field(default_factory=dict)
    supplied: dict[str, Micros | None] = field(default_factory=dict)
    used: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    clocks: dict[str, Micros] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    strays: dict[str, Micros] = field(default_factory=dict)
    tells: bool = False
    doubts: list[str] = field(default_factory=list)

    def copy(self) -> "LotRow":
        """Return a head whose fields may be set; containers but findings are still shared."""
        after = LotRow(*_fields_of(self))
        after.findings = list(self.findings)
        return after

    def anew(self) -> "LotRow":
        """Return the head of a lot before its first fact: what people and others said stays."""
        return LotRow(
            known=self.known,
            sealed=self.sealed,
            givens=self.givens,
            used=self.used,
            alerts=self.alerts,
            clocks=self.clocks,
            holds=self.holds,
            tells=self.tells,
            doubts=self.doubts,
        )


_fields_of = attrgetter(*(one.name for one in fields(LotRow)))


@dataclass(slots=True)
class MaterialRow:
    """What was said of a lot as a whole.

    Attributes:
        first: The first fact of all.
        declared: The declaration that counts.
        declared_by: Its fact.
        certificates: In canonical order; at most ``lot.CERTIFICATES_MAX``.
        left_out: How many more there were.
        findings: What rules about certificates have found.
        shares: Stands for the shares that were last said of the lot; 0 for none.
    """

    first: FactHead | None = None
    declared: Declared | None = None
    declared_by: FactHead | None = None
    certificates: list[Certificate] = field(default_factory=list)
    left_out: int = 0
    findings: list[Finding] = field(default_factory=list)
    shares: int = 0


class TakenShot(NamedTuple):
    """One shot as the tests need it: its series, and fraction and counting error by analyte.

    Both in whole parts per billion, as in ``Scanned``; likewise ``below``.
    """

    series: str
    results: dict[str, tuple[int, int]]
    below: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class StationRow:
    """Series of shots taken at one site, by name, and the first shots of each, by event."""

    series: dict[str, Shots] = field(default_factory=dict)
    shots: dict[str, TakenShot] = field(default_factory=dict)


@dataclass(slots=True)
class TripRow:
    """One trip.

    Attributes:
        no: Number of the trip within the lot, by its first fact.
        trip: Its ends.
        posted: Postings that stand, by ``kind|event_id``.
        flows: Places and keys of the flows it has there.
        findings: What was found of it.
        due: What it waits for.
    """

    no: int = 0
    trip: Trip = NO_TRIP
    posted: dict[str, Posted] = field(default_factory=dict)
    flows: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    due: Due | None = None


@dataclass(slots=True)
class PlaceRow:
    """What a lot holds at one place.

    Attributes:
        wet: Grams, by all postings but the place's own.
        dry: Grams.
        amounts: Milligrams by analyte, millionths by attribute; those of zero are left out.
        postings: How many postings the sums have; each is rounded.
        flows: Weighings in and out, by key.
        pages: Rows that hold the earlier ones while the place is not worked on.
        stocks: Weighings of all that was there, in canonical order: the first and the newest, which
            have a basis, and those that inputs without a mass may follow.
        asked: When the newest input without a mass took what lay there.
        stocks_left_out: There was no room for all of ``stocks``.
        posted: The place's own postings: what leads from the sums to what is known.
        findings: What was found there.
        marks: What its sums were by the times that something became known (``custody.turns``).
    """

    wet: int = 0
    dry: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    postings: int = 0
    flows: dict[str, Flow] = field(default_factory=dict)
    pages: int = 0
    stocks: list[Mass] = field(default_factory=list)
    asked: Micros | None = None
    stocks_left_out: bool = False
    posted: dict[str, Posted] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    marks: dict[Micros, Sums] = field(default_factory=dict)


@dataclass(slots=True)
class FlowsRow:
    """Weighings in and out of a place, by key; empty where there are fewer than there were."""

    flows: dict[str, Flow] = field(default_factory=dict)


@dataclass(slots=True)
class FeedRow:
    """A process input.

    Attributes:
        fed: The input; None once it is withdrawn.
        posted: Its posting.
        handed: What the process was told.
        flows: Places and keys of the flows it has there.
        findings: What was found of it.
    """

    fed: Fed | None = None
    posted: dict[str, Posted] = field(default_factory=dict)
    handed: Held | None = None
    flows: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class GivenRow:
    """What a process handed over.

    Attributes:
        held: The content; None once it is withdrawn.
        posted: What was given back once the output was measured.
        handed: What the process was told of that.
        flows: Places and keys of the flows it has there.
        findings: What was found of it.
    """

    held: Held | None = None
    posted: dict[str, Posted] = field(default_factory=dict)
    handed: Held | None = None
    flows: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
