"""What the core keeps: rows by key prefix, and the reduced facts they are made of.

The worker stores rows as msgpack, so everything here is plain: records are named tuples, because
those are written as arrays without field names. A named tuple is never changed; a row is copied
before it is changed (``LotRow.copy``), because the worker keeps what it handed out.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from custody.events import Micros
from custody.held import Held, Posted


class FactHead(NamedTuple):
    """What orders and identifies a fact.

    Attributes:
        event_id: Idempotency key.
        at: occurred_at.
        known: recorded_at.
        site: Where it happened.
        corrects: Event it replaces.
        void: It only withdraws that event.
    """

    event_id: str
    at: Micros
    known: Micros
    site: str
    corrects: str | None
    void: bool


class Weighed(NamedTuple):
    """A weighbridge ticket, masses in grams."""

    movement: str | None
    vehicle: str | None
    purpose: str
    device: str
    gross: int | None
    tare: int | None
    net: int
    stored_tare: bool
    u_random: int | None
    u_systematic: int | None


class Value(NamedTuple):
    """A measured fraction, its stated standard uncertainty, and whether of the dry mass."""

    fraction: float
    u: float | None
    dry: bool


class Assayed(NamedTuple):
    """A certificate; ``stage`` is its rank (``lot.STAGES``)."""

    lab: str
    stage: int
    moisture: float | None
    moisture_u: float | None
    results: dict[str, Value]


class Scanned(NamedTuple):
    """One XRF shot; ``results`` holds fraction and counting variance by analyte."""

    device: str
    dry: bool
    results: dict[str, tuple[float, float]]


class Moved(NamedTuple):
    """A shipment record."""

    kind: str
    movement: str | None
    vehicle: str | None
    from_site: str | None
    to_site: str | None


class Side(NamedTuple):
    """One side of a process, masses in grams.

    ``attributes`` are (key as in ``carried.attribute_key``, amount in its unit, per what).
    """

    process: str
    kind: str
    part: str
    part_no: int
    lot: str | None
    loss_kind: str | None
    wet: int | None
    dry: int | None
    moisture: float | None
    u_mass: int | None
    attributes: tuple[tuple[str, float, str], ...] = ()


class Declared(NamedTuple):
    """What a lot is said to be; ``origins`` are (level, id, share)."""

    commodity: str
    form: str
    route: str | None
    origins: list[tuple[str, str, float]]
    composition: dict[str, Value]


@dataclass(slots=True)
class FactRow:
    """One fact as a re-fold needs it; at most one of the bodies is set (a claim has none)."""

    head: FactHead
    weighed: Weighed | None = None
    assayed: Assayed | None = None
    scanned: Scanned | None = None
    moved: Moved | None = None
    side: Side | None = None
    declared: Declared | None = None

    @property
    def is_bare(self) -> bool:
        """Nothing but a head: a fact that is kept and counted and changes no amount."""
        return (
            self.weighed is None
            and self.assayed is None
            and (self.side is None and self.declared is None)
        )

    @property
    def order(self) -> tuple[int, int, str]:
        """Place in canonical order."""
        head = self.head
        return head.at, head.known, head.event_id


class Mass(NamedTuple):
    """A weighing kept for a trip or a place.

    ``basis`` is the index in ``Book.bases`` of what was known of the lot at that time.
    """

    event_id: str
    at: Micros
    known: Micros
    site: str
    basis: int
    weighed: Weighed


class Leg(NamedTuple):
    """A dispatch or receipt kept for a trip."""

    event_id: str
    at: Micros
    known: Micros
    from_site: str | None
    to_site: str | None


class Trip(NamedTuple):
    """Both ends of one vehicle's way. ``inferred``: paired without a movement_id."""

    dispatch: Mass | None = None
    receipt: Mass | None = None
    left: Leg | None = None
    arrived: Leg | None = None
    inferred: bool = False


class Certificate(NamedTuple):
    """A certificate kept for the lot."""

    event_id: str
    at: Micros
    known: Micros
    site: str
    assayed: Assayed


class Shots(NamedTuple):
    """All shots of one device at one site on one basis.

    ``taken`` is the number of shots; ``sums`` holds per analyte: number of shots that saw it,
    sum of fractions, sum of counting variances.
    """

    site: str
    device: str
    dry: bool
    event_id: str
    at: Micros
    known: Micros
    taken: int
    sums: dict[str, tuple[int, float, float]]


class Fed(NamedTuple):
    """A process input the lot gave."""

    event_id: str
    at: Micros
    known: Micros
    site: str
    side: Side


class Basis(NamedTuple):
    """What was known of a lot's material at one moment of canonical order.

    Grades are fractions by analyte; ``as_is`` ones are of the wet mass. ``moisture`` is None
    until a certificate gives it.
    """

    moisture: float | None
    dry: dict[str, float]
    as_is: dict[str, float]


@dataclass(slots=True)
class Book:
    """What the facts of a lot add up to, folded in canonical order."""

    declared: Declared | None = None
    declared_by: FactHead | None = None
    first: FactHead | None = None
    trips: dict[str, Trip] = field(default_factory=dict)
    stock: dict[str, tuple[Mass, Mass]] = field(default_factory=dict)
    certificates: list[Certificate] = field(default_factory=list)
    shots: dict[str, Shots] = field(default_factory=dict)
    inputs: list[Fed] = field(default_factory=list)
    bases: list[Basis] = field(default_factory=list)

    def copy(self) -> "Book":
        """Return a copy whose containers may be changed."""
        return Book(
            self.declared,
            self.declared_by,
            self.first,
            dict(self.trips),
            dict(self.stock),
            list(self.certificates),
            dict(self.shots),
            list(self.inputs),
            list(self.bases),
        )


class AlertState(NamedTuple):
    """What is remembered of an alert between its versions."""

    version: int
    state: str
    rule: str
    family: str
    movement: str | None
    value: float
    size: float
    size_u: float
    threshold: float
    raised_by: str
    raised_at: Micros
    at: Micros
    action_id: str | None


@dataclass(slots=True)
class LotRow:
    """The head of a lot.

    Attributes:
        facts: Number of ``fact/<lot>/<n>`` rows.
        seen: One character per fact, a hash of its event_id; see ``lot.mark``.
        last: Place of the last fact in canonical order.
        targets: Events that corrections name and that have not been seen.
        book: The facts, added up.
        given: Contents received, by their cause.
        posted: Postings that stand, by ``kind|event_id`` (``|account`` where one event has many).
        handed: Digest of what was handed to processes, by input event.
        alerts: Alerts by alert_id.
    """

    facts: int = 0
    seen: str = ""
    last: tuple[int, int, str] | None = None
    targets: list[str] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    given: dict[str, Held] = field(default_factory=dict)
    posted: dict[str, Posted] = field(default_factory=dict)
    handed: dict[str, Held] = field(default_factory=dict)
    alerts: dict[str, AlertState] = field(default_factory=dict)

    def copy(self) -> "LotRow":
        """Return a copy whose fields may be set; containers are still shared."""
        return LotRow(
            self.facts,
            self.seen,
            self.last,
            self.targets,
            self.book,
            self.given,
            self.posted,
            self.handed,
            self.alerts,
        )


class RefVersion(NamedTuple):
    """One version of a reference record; ``body`` is canonical JSON text."""

    event_id: str
    valid_from: Micros
    valid_to: Micros | None
    known: Micros
    corrects: str | None
    void: bool
    body: str


@dataclass(slots=True)
class RefRow:
    """All versions of one reference record, in order (valid_from, known, event_id)."""

    versions: list[RefVersion] = field(default_factory=list)


@dataclass(slots=True)
class ThingRow:
    """A device with quality-control facts, or another shared thing: how often and when last."""

    count: int = 0
    last_at: Micros | None = None
