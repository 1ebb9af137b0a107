"""The facts: what happened at a plant, one frozen class per stem.

Field names and order equal those of ``schemas/avsc/<stem>.avsc``; a contract test holds them
together. Masses are integers in grams, shares and concentrations are fractions 0 to 1, times are
integers in microseconds since the epoch (UTC), so that canonical order is plain comparison.
Closed lists are strings here and Avro enums with default ``other`` on the wire.

JSON names of requests and answers are another matter: see ``producers/requests.py``.
"""

from dataclasses import dataclass
from typing import NewType

Micros = NewType("Micros", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

NOT_CONTENT = frozenset(
    {
        "event_id",
        "gateway_id",
        "gateway_epoch",
        "gateway_seq",
        "recorded_at",
        # The same instant and the same side, whatever offset or place in a list it came with.
        "time_zone_offset_min",
        "part_no",
        "partition",
        # Measured anew at every sending.
        "clock_skew_ms",
    }
)
"""Fields that do not count where two records are asked whether they say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every fact carries: who says it, about what, when, and what it replaces.

    Attributes:
        event_id: UUID text, lower case; the idempotency key. Never random.
        gateway_id: Gateway that took the fact.
        gateway_epoch: Grows by one when the outbox is made anew or restored from a copy.
        gateway_seq: 1, 2, 3, ... without holes within gateway and epoch.
        site_id: Where it happened.
        lot_id: What it is about; None for facts keyed by a device or a process.
        occurred_at: When it happened.
        time_zone_offset_min: Offset the sender wrote, minutes east of UTC (EPCIS
            eventTimeZoneOffset).
        recorded_at: When the gateway took it.
        corrects: Event this one replaces (EPCIS errorDeclaration); None for a first statement.
        void: With ``corrects``: only withdraws it.
        source_ref: The sender's own document or row.
        clock_skew_ms: Measured skew of the sender's clock, where known.
    """

    event_id: str
    gateway_id: str
    gateway_epoch: int
    gateway_seq: int
    site_id: str
    lot_id: str | None
    occurred_at: Micros
    time_zone_offset_min: int | None
    recorded_at: Micros
    corrects: str | None
    void: bool
    source_ref: str | None
    clock_skew_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredOrigin:
    """A share of a lot's dry mass by origin. ``level``: site, region, country, unknown, other."""

    level: str
    id: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredAnalyte:
    """A declared concentration. ``unit`` is the one the sender wrote; ``basis``: dry, as_is."""

    analyte: str
    fraction: float
    unit: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A travelling attribute as declared: an amount of something, absolute or per mass.

    ``per``: total, t_wet, t_dry or t_<analyte>; ``quality``: measured, declared, default.
    """

    name: str
    amount: float
    unit: str
    per: str
    quality: str
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotDeclared(Fact):
    """A lot comes into being on paper: what it is said to be, whose it is, where from."""

    commodity: str
    form: str
    custodian: str | None
    owner: str | None
    custody_model: str
    declared_origins: tuple[DeclaredOrigin, ...]
    declared_composition: tuple[DeclaredAnalyte, ...]
    declared_mass_dry_g: int | None
    tags: tuple[str, ...]
    route_id: str | None
    attributes: tuple[Attribute, ...]
    contract_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotWeighed(Fact):
    """A weighbridge ticket.

    ``purpose``: dispatch, receipt, stock, check. ``direction``: in, out. ``tare_kind``: weighed,
    stored. ``movement_id`` joins all weighings of one vehicle trip.
    """

    ticket_no: str
    movement_id: str | None
    device_id: str
    purpose: str
    direction: str
    gross_g: int | None
    tare_g: int | None
    net_g: int
    tare_kind: str
    gross_at: Micros | None
    tare_at: Micros | None
    vehicle_id: str | None
    u_random_g: int | None
    u_systematic_g: int | None
    volume_m3: float | None
    density_kg_m3: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayResult:
    """One analyte of a certificate.

    ``fraction`` is None where the laboratory found it below (or above) its limit;
    ``qualifier``: eq, lt, gt, other. ``unit`` is the one the sender wrote.
    """

    analyte: str
    fraction: float | None
    unit: str
    basis: str
    qualifier: str
    u_fraction: float | None
    detection_limit_fraction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotAssayed(Fact):
    """A laboratory certificate: moisture, analytes or both.

    ``occurred_at`` is the certificate's time, ``sampled_at`` the sample's. ``stage``:
    provisional, exchanged, umpire, final. ``party``: seller, buyer, umpire, plant.
    """

    certificate_no: str
    lab_id: str
    method: str | None
    sample_id: str | None
    stage: str
    party: str
    sampled_at: Micros | None
    moisture_fraction: float | None
    moisture_unit: str | None
    moisture_u_fraction: float | None
    results: tuple[AssayResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """One element of an XRF shot. ``error_2sigma_fraction`` is counting error only."""

    analyte: str
    fraction: float | None
    unit: str
    qualifier: str
    error_2sigma_fraction: float | None
    detection_limit_fraction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotScanned(Fact):
    """One shot of a handheld XRF. ``basis``: as_is, dried."""

    device_id: str
    shot_no: int
    mode: str | None
    live_time_s: float | None
    basis: str
    results: tuple[ScanResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper that travels with a shipment; dates are days since 1970-01-01."""

    type: str
    number: str
    issued_day: int | None
    expires_day: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotMoved(Fact):
    """A dispatch, checkpoint, border, receipt or handover of a lot."""

    kind: str
    movement_id: str | None
    from_site: str | None
    to_site: str | None
    carrier: str | None
    vehicle_id: str | None
    seals: tuple[str, ...]
    latitude_deg: float | None
    longitude_deg: float | None
    documents: tuple[Document, ...]
    counterparty: str | None
    counterpart_digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialProcessed(Fact):
    """One side of a process; the gateway cuts a request into one record per side.

    ``part``: input (keyed by its lot), output, loss, stock, close, added (keyed by process_id).
    ``added`` has no mass: ``attributes`` are what the plant itself adds, such as its energy.
    ``kind``: blend, split, crush, concentrate, leach, smelt, refine, repack, stockpile, other.
    An output names its lot in ``output_lot_id`` and leaves ``lot_id`` empty, being keyed by
    the process.
    """

    process_id: str
    kind: str
    part: str
    part_no: int
    output_lot_id: str | None
    loss_kind: str | None
    mass_wet_g: int | None
    mass_dry_g: int | None
    moisture_fraction: float | None
    u_mass_g: int | None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMade(Fact):
    """A claim on a quantity of material with a characteristic, under a custody model."""

    claim_id: str
    custody_model: str
    characteristic: str
    quantity_g: int
    analyte: str | None
    period: str | None
    counterparty: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSet:
    """A reference record as each partition gets it; ``body`` is canonical JSON text.

    ``kind``: site, party, device, laboratory, route, contract, process, commodity, fingerprint,
    calibration, gateway, price. ``partition`` is checked against the record's own.
    """

    event_id: str
    gateway_id: str
    gateway_epoch: int
    gateway_seq: int
    kind: str
    id: str
    valid_from: Micros
    valid_to: Micros | None
    recorded_at: Micros
    partition: int
    corrects: str | None
    void: bool
    body: str


SHELVED_US_MAX = 90 * 86_400_000_000
"""No shelving that is taken ends later than this after it was said: a quarter of a year waits for
any umpire. What was taken before there was a bound, or without an end, stands as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTaken:
    """What a person did with an alert or a lot; the worker decides whether it takes effect.

    ``action``: acknowledge, assign, comment, shelve, resolve, reopen, hold, release. ``version`` is
    the alert's version the person saw (None for hold and release). ``movement_id`` is the one load
    that is held, ``assignee`` who is to see to the alert, ``until`` the end of shelving,
    ``resolution`` what it turned out to be, ``hold_id`` the hold that a release ends (None for all
    before it). Keyed by the bare id of ``subject``'s owner.
    """

    event_id: str
    gateway_id: str
    gateway_epoch: int
    gateway_seq: int
    action: str
    alert_id: str | None
    version: int | None
    subject: str
    actor: str
    reason: str | None
    recorded_at: Micros
    movement_id: str | None = None
    assignee: str | None = None
    until: Micros | None = None
    resolution: str | None = None
    hold_id: str | None = None


LotFact = (
    LotDeclared | LotWeighed | LotAssayed | LotScanned | LotMoved | MaterialProcessed | ClaimMade
)
"""Any fact of the fact topic."""
