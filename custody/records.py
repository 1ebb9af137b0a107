"""What the worker says: transfers, balances, alerts, and what partitions tell each other.

Field names and order equal those of ``schemas/avsc/<stem>.avsc``. A record is identified by the
partition that sends it and its number ``n`` there: what is not above the highest is dropped.
"""

from dataclasses import dataclass

from custody.events import Micros
from custody.information import Cause, Onset, OtherSite, TripOnset


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One source of a systematic uncertainty, and what it does: signed, in the value's unit."""

    source: str
    u: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metal:
    """Contained metal of one analyte with its u, milligrams; ``expected``: nobody measured it."""

    analyte: str
    value_mg: int
    u_random_mg: float
    u_systematic_mg: tuple[Part, ...]
    expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Contained metal moved by a transfer, milligrams."""

    analyte: str
    value_mg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginShare:
    """A share of the dry mass by origin, 0 to 1."""

    level: str
    id: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetalOrigin:
    """A share of one contained metal by origin, 0 to 1; said where it is not the dry mass's."""

    analyte: str
    level: str
    id: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of the dry mass in another dimension than origin; what is missing to 1 is unknown.

    ``dimension``: a stage (mined, refined, metal, magnet) whose ``label`` is a country, recycled or
    verified with label ``yes``, ``score/<scheme>`` with a band.
    """

    dimension: str
    label: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeAmount:
    """An amount of a travelling attribute, millionths of its unit. ``quality``: how it is known."""

    name: str
    unit: str
    quality: str
    value_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """An amount moved from one account (debit) to another (credit).

    A compensation has the amounts of what it replaces negated and names it by
    ``replaces_event_id`` and ``replaces_kind``: the last transfer before it (same sender, debit
    and credit) with that cause and kind; the core knows no numbers. ``effective_at``: when it was
    so; ``known_at``: recorded_at of the record that made it.
    """

    sender: str
    n: int
    kind: str
    cause_event_id: str
    debit: str
    credit: str
    mass_wet_g: int
    mass_dry_g: int
    metals: tuple[Amount, ...]
    effective_at: Micros
    known_at: Micros
    replaces_event_id: str | None
    replaces_kind: str | None
    lot_id: str | None
    process_id: str | None
    movement_id: str | None
    origins: tuple[OriginShare, ...]
    metal_origins: tuple[MetalOrigin, ...] = ()
    shares: tuple[Share, ...] = ()
    attributes: tuple[AttributeAmount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account holds now, with its uncertainty. A mass not known yet is None."""

    sender: str
    n: int
    owner: str
    account: str
    lot_id: str | None
    process_id: str | None
    place: str
    status: str
    at: Micros
    known_at: Micros
    mass_wet_g: int
    mass_wet_u_random_g: float
    mass_wet_u_systematic_g: tuple[Part, ...]
    moisture_fraction: float | None
    moisture_u_fraction: float | None
    mass_dry_g: int
    mass_dry_u_random_g: float
    mass_dry_u_systematic_g: tuple[Part, ...]
    metals: tuple[Metal, ...]
    origins: tuple[OriginShare, ...]
    metal_origins: tuple[MetalOrigin, ...] = ()
    shares: tuple[Share, ...] = ()
    attributes: tuple[AttributeAmount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Probability of one competing family. ``ln_e``: ln of what it adds to an e-value."""

    family: str
    probability: float
    ln_e: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One quantity an alert rests on: what was expected, what was seen, how sure.

    ``z`` = (observed - expected) / u; ``unit`` is the unit of the three values. ``shift`` is what
    the named family adds to z, ``ln_ratio`` = shift z - shift^2 / 2. ``u_shared`` is what the row
    has in common with the others, beside u.
    """

    quantity: str
    analyte: str | None
    expected: float
    observed: float
    u: float
    z: float
    unit: str
    event_ids: tuple[str, ...]
    instruments: tuple[str, ...]
    shift: float = 0.0
    ln_ratio: float = 0.0
    u_shared: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedShot:
    """An XRF shot that was not used: ``why``, its chi-square and the limit of that."""

    event_id: str
    device_id: str
    site_id: str
    why: str
    value: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """Smallest size of a family that a lot's measurements show with probability 0.9."""

    family: str
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedUntil:
    """An instrument and the first moment it is out of calibration; None where nobody says."""

    device_id: str
    until: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One version of an alert. ``state``: open, acknowledged, shelved, resolved, retracted."""

    sender: str
    n: int
    alert_id: str
    version: int
    state: str
    rule: str
    family: str
    subject: str
    lot_id: str | None
    process_id: str | None
    movement_id: str | None
    onset_event_id: str | None
    raised_by_event_id: str
    raised_at: Micros
    occurred_at: Micros
    size: float
    size_u: float
    unit: str
    statistic: str
    value: float
    threshold: float
    threshold_basis: str
    severity: str
    posterior: tuple[Posterior, ...]
    onset_at: Micros | None
    onset_u_s: float | None
    evidence: tuple[Evidence, ...]
    reason: str
    cause: str | None
    actor: str | None
    action_id: str | None
    gated: tuple[GatedShot, ...] = ()
    unobserved: tuple[str, ...] = ()
    detectable: tuple[Detectable, ...] = ()
    calibrations: tuple[CalibratedUntil, ...] = ()
    assignee: str | None = None
    until: Micros | None = None
    resolution: str | None = None
    causes: tuple[Cause, ...] = ()
    way: tuple[str, ...] = ()
    shifts: tuple[str, ...] = ()
    onsets: tuple[Onset, ...] = ()
    trips: tuple[TripOnset, ...] = ()
    other_sites: tuple[OtherSite, ...] = ()
    own_spread: tuple[float, ...] = ()
    stake_share: float | None = None
    stake_amount: float | None = None
    stake_currency: str | None = None
    stake_analytes: tuple[str, ...] = ()
    stake_priced_on: str | None = None
    stake_price_source: str | None = None
    stoppable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one owner hands to another, in full, as now known (a later one replaces it).

    Keyed by the receiver's bare id. ``void``: nothing is handed any more. ``mass_stated``: what an
    output states, dry, both or None for its wet mass alone. ``process_kind``: what an input names.
    """

    sender: str
    n: int
    cause_event_id: str
    from_owner: str
    to_owner: str
    place: str
    generation: int
    effective_at: Micros
    known_at: Micros
    void: bool
    mass_wet_g: int
    mass_wet_u_random_g: float
    mass_wet_u_systematic_g: tuple[Part, ...]
    moisture_fraction: float | None
    moisture_u_fraction: float | None
    mass_dry_g: int
    mass_dry_u_random_g: float
    mass_dry_u_systematic_g: tuple[Part, ...]
    metals: tuple[Metal, ...]
    origins: tuple[OriginShare, ...]
    metal_origins: tuple[MetalOrigin, ...] = ()
    shares: tuple[Share, ...] = ()
    attributes: tuple[AttributeAmount, ...] = ()
    mass_stated: str | None = None
    process_kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a fact says of a shared thing (seal, tag, vehicle, certificate, gateway).

    Likewise what a tick says to an owner that waits, or a reference record to one that uses it.
    """

    sender: str
    n: int
    cause_event_id: str
    thing: str
    lot_id: str | None
    site_id: str | None
    occurred_at: Micros
    known_at: Micros
    quantity: str
    value: float | None
    u: float | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualFigure:
    """Residual of one quantity in logarithms; ``u_shared``: what many lots have in common.

    ``explained``: by others that are off, ``rivals`` by ``rival_parts``. Later visits have a time.
    """

    quantity: str
    value: float
    u: float
    u_shared: float
    explained: float
    occurred_at: Micros | None = None
    event_id: str | None = None
    ways: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    rival_parts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """What one lot says of an instrument or a way; without figures it says nothing any more."""

    sender: str
    n: int
    cause_event_id: str
    thing: str
    lot_id: str
    occurred_at: Micros
    known_at: Micros
    ways: tuple[str, ...]
    figures: tuple[ResidualFigure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLevel:
    """A shift in logarithms that lasts from one lot on; ``until`` is None where it still does."""

    since: Micros
    until: Micros | None
    mean: float
    u: float
    lots: int
    ways: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What an instrument or a way has been off by in one quantity; a copy for each partition."""

    sender: str
    n: int
    cause_event_id: str
    partition: int
    thing: str
    quantity: str
    known_at: Micros
    levels: tuple[DriftLevel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A partition's clock: takes effect when all facts before ``fact_end_offset`` are applied."""

    partition: int
    now: Micros
    fact_end_offset: int
    silent_sites: tuple[str, ...]  # ids of gateways; the name is frozen with the schema


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that could not be read: its bytes untouched, why, and where it stood."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    header_names: tuple[str, ...]
    header_values: tuple[bytes, ...]
