"""What the core keeps: rows by key prefix, and the reduced facts they are made of.

The worker stores rows as msgpack, so everything here is plain: records are named tuples, because
those are written as arrays without field names. A named tuple is never changed; a row is copied
before it is changed (``LotRow.copy``), because the worker keeps what it handed out.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from custody.events import Micros


class FactHead(NamedTuple):
    """What orders and identifies a fact.

    Attributes:
        event_id: Idempotency key.
        at: occurred_at.
        known: recorded_at.
        site: Where it happened.
        corrects: Event it replaces.
        void: It only withdraws that event.
        gateway: Gateway that took it; '' in rows written before it was kept.
    """

    event_id: str
    at: Micros
    known: Micros
    site: str
    corrects: str | None
    void: bool
    gateway: str = ""


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
    """A certificate; ``stage`` is its rank (``reduce.STAGES``), ``party`` who ordered it.

    ``number`` is the laboratory's of the certificate, ``sample`` its sample; '' where not said.
    ``below`` has what was found below detection: analyte, limit, and whether of the dry mass.
    """

    lab: str
    stage: int
    party: str
    moisture: float | None
    moisture_u: float | None
    results: dict[str, Value]
    number: str = ""
    sample: str = ""
    below: tuple[tuple[str, float, bool], ...] = ()


class Scanned(NamedTuple):
    """One XRF shot; ``results`` holds fraction and counting error (one sigma) by analyte.

    Both in whole parts per billion: a handheld instrument resolves a part per million, and a
    shot of eight elements is half as long as with floats. ``below`` holds what is below
    detection: analyte and limit.
    """

    device: str
    dry: bool
    results: dict[str, tuple[int, int]]
    below: tuple[tuple[str, int], ...] = ()


class Moved(NamedTuple):
    """A shipment record.

    ``party`` is the counterparty it names, ``position`` where it was written (degrees), ``expired``
    what its documents are whose last day was over: type and number, and that day as a date.
    """

    kind: str
    movement: str | None
    vehicle: str | None
    from_site: str | None
    to_site: str | None
    party: str | None
    seals: tuple[str, ...] = ()
    position: tuple[float, float] | None = None
    expired: tuple[tuple[str, str], ...] = ()


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
    """What a lot is said to be.

    Attributes:
        commodity: What it is of.
        form: Ore, concentrate, ...
        route: Route it is meant to take.
        contract: Contract it is sold under.
        dry: Declared dry mass, grams.
        origins: (level, id, share).
        composition: By analyte.
        attributes: (name, amount, unit, per, quality).
        tags: Bag tags and the like that are on it.
        hands: Owner, custodian and custody model. The books ask them nothing; two declarations
            that name others differ.
    """

    commodity: str
    form: str
    route: str | None
    contract: str | None
    dry: int | None
    origins: list[tuple[str, str, float]]
    composition: dict[str, Value]
    attributes: list[tuple[str, float, str, str, str]]
    tags: tuple[str, ...] = ()
    hands: tuple[str | None, str | None, str] = (None, None, "")


@dataclass(slots=True)
class FactRow:
    """One fact as a re-fold needs it; at most one of the bodies is set (a claim has none).

    ``rival`` is another event that came under its id, and has none itself.
    """

    head: FactHead
    weighed: Weighed | None = None
    assayed: Assayed | None = None
    scanned: Scanned | None = None
    moved: Moved | None = None
    side: Side | None = None
    declared: Declared | None = None
    rival: "FactRow | None" = None

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


class Fed(NamedTuple):
    """A process input the lot gave."""

    event_id: str
    at: Micros
    known: Micros
    site: str
    side: Side


class Finding(NamedTuple):
    """Something an exact rule has found: its rule, what it is about, and a sentence."""

    rule: str
    about: str
    detail: str


class Hold(NamedTuple):
    """A person held the lot, or one load of it, or released it.

    ``ends`` is the hold that a release ends; None for all of the lot, or of the load, before it.
    """

    at: Micros
    event_id: str
    held: bool
    actor: str
    movement: str | None = None
    ends: str | None = None


class AlertState(NamedTuple):
    """What is remembered of an alert between its versions.

    ``about`` is set where an exact rule raised it; ``sentence`` then stands for what it said last,
    else for the trip it named. ``severity`` is that of the last version; ``assignee``, ``until``
    (of a shelved alert) and ``resolution`` (of a resolved one) are what people said. ``unchanged``
    is the number of last versions that only answered an action with a conflict.
    """

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
    about: str | None = None
    sentence: int = 0
    severity: str = "low"
    assignee: str | None = None
    until: Micros | None = None
    resolution: str | None = None
    unchanged: int = 0


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
class LibraryRow:
    """Ids of the reference records of a kind that is read as a whole, in order."""

    ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ThingRow:
    """A device with quality-control facts, or another shared thing: how often and when last."""

    count: int = 0
    last_at: Micros | None = None


@dataclass(slots=True)
class UseRow:
    """An owner has used a reference record; the key says which and who."""
