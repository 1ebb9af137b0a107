"""What outsiders may send: one model per stem, with the frozen JSON names of the API.

A model turns JSON into typed values (grams, fractions, micros) and knows nothing of identity,
clock or the fact it becomes. Attribute names carry the unit the value has *here*; the JSON name,
where it differs, is the alias. Published at ``/schemas/request-<stem>.json``; the frozen copies
lie in ``schemas/json/`` and a test compares them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from custody import metrology, stated, units
from producers.attribute import Attributes
from producers.composition import check_elements, check_once
from producers.fields import (
    TEXT_CHARS_MAX,
    ConcentrationUnit,
    Day,
    EventId,
    Exact,
    Fraction,
    JsonObject,
    MassG,
    Read,
    Text,
    Time,
    bounded,
    converted,
    count,
    fault,
    names,
)
from producers.outcome import Code
from producers.request_base import (
    ITEMS_MAX,
    Basis,
    CustodyModel,
    FactRequest,
    Model,
    Request,
)
from producers.request_measured import AssayRequest, WeighingRequest, XrfRequest

ORIGINS_MAX = 256
TAGS_MAX = 2_000
PARTS_MAX = 1_000
PARTS = ("inputs", "outputs", "losses", "stock", "attributes", "close")
REFERENCE_KINDS = (
    "site",
    "party",
    "device",
    "laboratory",
    "route",
    "contract",
    "process",
    "commodity",
    "fingerprint",
    "calibration",
    "gateway",
    "price",
    "detection",
)


class Origin(Model):
    """A declared share of a lot's dry mass."""

    level: Annotated[str, names("site", "region", "country", "unknown")]
    id: Annotated[str, Field(max_length=1_024)] = ""
    share: Fraction


class Declared(Model):
    """A declared concentration."""

    analyte: Text
    value: Exact
    unit: ConcentrationUnit
    basis: Basis

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        converted(self.value, self.unit)
        return self

    @property
    def fraction(self) -> float:
        """The value as a fraction of one."""
        return units.fraction(self.value, self.unit)


class LotRequest(FactRequest):
    """A lot is declared."""

    type: Literal["lot"]
    lot_id: Text
    commodity: Text
    form: Annotated[
        str,
        names(
            "ore",
            "concentrate",
            "hydroxide",
            "carbonate",
            "brine",
            "matte",
            "slag",
            "cathode",
            "metal",
            "powder",
            "precursor",
            "black_mass",
            "scrap",
            "other",
        ),
    ]
    custodian: Text | None = None
    owner: Text | None = None
    custody_model: CustodyModel
    declared_origins: Annotated[tuple[Origin, ...], Field(max_length=ORIGINS_MAX)] = ()
    declared_composition: Annotated[tuple[Declared, ...], Field(max_length=ITEMS_MAX)] = ()
    declared_mass_dry_g: Annotated[MassG | None, Field(alias="declared_mass_dry_kg")] = None
    tags: Annotated[tuple[Text, ...], Field(max_length=TAGS_MAX)] = ()
    route_id: Text | None = None
    attributes: Attributes = ()
    contract_id: Text | None = None

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        shares = sum(origin.share for origin in self.declared_origins)
        # Thirds written with seven digits must pass; a hundredth too much must not.
        if shares > 1 + 1e-6:
            allowed = "shares of declared_origins: at most 1"
            raise fault(Code.FRACTIONS_EXCEED_ONE, shares, allowed, "declared_origins")
        once = ((d.analyte, d.basis) for d in self.declared_composition)
        check_once("declared_composition", once)
        declared = ((d.analyte, d.basis, d.fraction) for d in self.declared_composition)
        check_elements("declared_composition", declared)
        return self


class Position(Model):
    """A place on Earth, WGS 84 degrees."""

    lat: Annotated[float, bounded(-90, 90)]
    lon: Annotated[float, bounded(-180, 180)]


class Paper(Model):
    """A document that travels with a shipment."""

    type: Text
    number: Text
    issued: Day | None = None
    expires: Day | None = None


class ShipmentRequest(FactRequest):
    """A dispatch, checkpoint, border, receipt or handover."""

    type: Literal["shipment"]
    lot_id: Text
    kind: Annotated[str, names("dispatch", "checkpoint", "border", "receipt", "handover")]
    movement_id: Text | None = None
    from_site: Text | None = None
    to_site: Text | None = None
    carrier: Text | None = None
    vehicle_id: Text | None = None
    seals: Annotated[tuple[Text, ...], Field(max_length=ITEMS_MAX)] = ()
    position: Position | None = None
    documents: Annotated[tuple[Paper, ...], Field(max_length=ITEMS_MAX)] = ()
    counterparty: Text | None = None
    counterpart_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Side(Model):
    """What every side of a process states: a mass, wet or dry or both."""

    mass_wet_g: Annotated[MassG | None, Field(alias="mass_wet_kg")] = None
    mass_dry_g: Annotated[MassG | None, Field(alias="mass_dry_kg")] = None
    moisture_fraction: Fraction | None = None
    u_mass_g: Annotated[MassG | None, Field(alias="u_mass_kg")] = None

    @model_validator(mode="after")
    def _has_mass(self) -> Self:
        if self.mass_wet_g is None and self.mass_dry_g is None:
            raise fault(Code.MISSING_FIELD, None, ["mass_wet_kg", "mass_dry_kg"], "mass_wet_kg")
        self._check_dry()
        return self

    def _check_dry(self) -> None:
        """Refuse more dry mass than there is with its water."""
        wet, dry = self.mass_wet_g, self.mass_dry_g
        if wet is not None and dry is not None and dry > wet:
            allowed = f"at most mass_wet_kg: {wet / 1000:.15g}"
            raise fault(Code.DRY_ABOVE_WET, dry / 1000, allowed, "mass_dry_kg")
        u = self.u_mass_g, metrology.MOISTURE_U
        counted = stated.contradicted((wet, dry), self.moisture_fraction, u)
        if counted is not None:
            allowed = f"{counted / 1000:.15g}: mass_wet_kg less its moisture_fraction"
            raise fault(Code.MOISTURE_MISMATCH, (dry or 0) / 1000, allowed, "mass_dry_kg")


class LotSide(Side):
    """An input or output lot of a process."""

    lot_id: Text


class Loss(Side):
    """What a process lost, by kind (tailings, dust, ...)."""

    kind: Text


class PartIdentity(Model):
    """One part of a process as another gateway took it: ``custody publish`` of an export."""

    event_id: EventId
    no: Annotated[int, Read(count, {"type": "integer", "minimum": 0})]


class ProcessingRequest(FactRequest):
    """One side of a process, or a whole one; the gateway cuts it into one record per side.

    ``attributes`` are what the plant itself adds, such as its energy; they are one part together.
    With ``part`` the request has that one part, under its own event id.
    """

    type: Literal["processing"]
    process_id: Text
    kind: Annotated[
        str,
        names(
            "blend",
            "split",
            "crush",
            "concentrate",
            "leach",
            "smelt",
            "refine",
            "repack",
            "stockpile",
            "other",
        ),
    ]
    inputs: tuple[LotSide, ...] = ()
    outputs: tuple[LotSide, ...] = ()
    losses: tuple[Loss, ...] = ()
    stock: tuple[Side, ...] = ()
    close: StrictBool = False
    attributes: Attributes = ()
    part: PartIdentity | None = None

    @model_validator(mode="after")
    def _has_parts(self) -> Self:
        sides = (self.inputs, self.outputs, self.losses, self.stock)
        parts = sum(len(side) for side in sides) + self.close + bool(self.attributes)
        if parts > PARTS_MAX:
            raise fault(Code.TOO_MANY_ITEMS, parts, PARTS_MAX)
        if not parts:
            raise fault(Code.MISSING_FIELD, None, list(PARTS), PARTS[0])
        if self.corrects is not None and parts > 1:
            # Each side would replace the one target, and only one of them can.
            raise fault(Code.CORRECTION_MISMATCH, f"{parts} parts", "one part", "corrects")
        if self.part is not None and (parts > 1 or self.event_id is not None):
            found = f"{parts} parts" if parts > 1 else "event_id"
            raise fault(Code.BAD_VALUE, found, "one part, and no other event_id", "part")
        return self


class ClaimRequest(FactRequest):
    """A claim on a quantity of material."""

    type: Literal["claim"]
    lot_id: Text
    claim_id: Text | None = None
    custody_model: CustodyModel
    characteristic: Text
    quantity_g: Annotated[MassG, Field(alias="quantity_kg")]
    analyte: Text | None = None
    period: Text | None = None
    counterparty: Text | None = None


class ReferenceRequest(Request):
    """A version of a reference record; ``body`` follows the JSON Schema of its kind."""

    type: Literal["reference"]
    kind: Annotated[str, names(*REFERENCE_KINDS)]
    id: Text
    valid_from: Time
    valid_to: Time | None = None
    body: JsonObject

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.valid_to is not None and self.valid_to.at <= self.valid_from.at:
            raise fault(Code.BAD_VALUE, "valid_to not after valid_from", "a later time or null")
        return self


ALERT_ACTIONS = ("acknowledge", "assign", "comment", "shelve", "resolve", "reopen")
HOLD_ACTIONS = ("hold", "release")
RESOLUTIONS = ("confirmed_fraud", "measurement_error", "explained", "false_alarm")
_ONLY_WITH = {
    "movement_id": HOLD_ACTIONS,
    "assignee": ("assign",),
    "until": ("shelve",),
    "resolution": ("resolve",),
    "hold_id": ("release",),
}


class ActionRequest(Model):
    """What a person did with an alert (on the version they saw), a lot, or a load of it."""

    type: Literal["action"]
    event_id: EventId | None = None
    action: Annotated[str, names(*ALERT_ACTIONS, *HOLD_ACTIONS)]
    alert_id: Text | None = None
    version: Annotated[int, Read(count, {"type": "integer", "minimum": 0})] | None = None
    subject: Annotated[str, Field(pattern=r"^[a-z_]+/.+$", max_length=TEXT_CHARS_MAX)]
    actor: Text
    reason: Text | None = None
    movement_id: Text | None = None
    assignee: Text | None = None
    until: Time | None = None
    resolution: Annotated[str, names(*RESOLUTIONS)] | None = None
    hold_id: EventId | None = None

    @model_validator(mode="after")
    def _names_what_was_seen(self) -> Self:
        on_alert = self.action in ALERT_ACTIONS
        if on_alert and (self.alert_id is None or self.version is None):
            unsaid = "alert_id" if self.alert_id is None else "version"
            raise fault(Code.MISSING_FIELD, None, ["alert_id", "version"], unsaid)
        if self.action == "comment" and self.reason is None:
            raise fault(Code.MISSING_FIELD, None, "the comment", "reason")
        for name, actions in _ONLY_WITH.items():
            if getattr(self, name) is not None and self.action not in actions:
                raise fault(Code.UNKNOWN_FIELD, self.action, f"with {' or '.join(actions)}", name)
        return self


AnyRequest = (
    LotRequest
    | WeighingRequest
    | AssayRequest
    | XrfRequest
    | ShipmentRequest
    | ProcessingRequest
    | ClaimRequest
    | ReferenceRequest
    | ActionRequest
)

MODELS: Mapping[str, type[AnyRequest]] = MappingProxyType(
    {
        "lot": LotRequest,
        "weighing": WeighingRequest,
        "assay": AssayRequest,
        "xrf": XrfRequest,
        "shipment": ShipmentRequest,
        "processing": ProcessingRequest,
        "claim": ClaimRequest,
        "reference": ReferenceRequest,
        "action": ActionRequest,
    }
)
"""Model by the request's ``type``, which is the stem."""
