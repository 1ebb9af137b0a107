"""From request to fact: pure functions of the request, the time and what the gateway knows.

One function per stem maps its request to its fact, field by field; beside it stands its natural
key. ``producers/judge.py`` calls them through ``WAYS``. Nothing here reads a clock or a disk.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from custody import events, units
from custody.events import Micros
from producers.envelope import attributes, envelope
from producers.outcome import Record
from producers.request_base import Model
from producers.request_measured import (
    AssayItem,
    AssayRequest,
    WeighingRequest,
    XrfItem,
    XrfRequest,
)
from producers.requests import (
    ActionRequest,
    ClaimRequest,
    LotRequest,
    ReferenceRequest,
    ShipmentRequest,
)

Gateway = tuple[str, int]
"""Gateway id and epoch."""

Key = Mapping[str, str | int | None]
"""A natural key: request field to value, in the order in which it is hashed."""

OTHER = "other"
"""What a closed list holds where the sender said nothing."""

_QUALIFIERS = {"=": "eq", "<": "lt", ">": "gt"}

R = TypeVar("R", bound=Model)


def accept_lot(request: LotRequest, event_id: str, gateway: Gateway, now: Micros) -> Record:
    """Return the declaration of a lot."""
    return events.LotDeclared(
        **envelope(request, event_id, gateway, now),
        lot_id=request.lot_id,
        commodity=request.commodity,
        form=request.form,
        custodian=request.custodian,
        owner=request.owner,
        custody_model=request.custody_model,
        declared_origins=tuple(
            events.DeclaredOrigin(level=o.level, id=o.id, share=o.share)
            for o in request.declared_origins
        ),
        declared_composition=tuple(
            events.DeclaredAnalyte(
                analyte=d.analyte, fraction=d.fraction, unit=d.unit, basis=d.basis
            )
            for d in request.declared_composition
        ),
        declared_mass_dry_g=request.declared_mass_dry_g,
        tags=request.tags,
        route_id=request.route_id,
        attributes=attributes(request.attributes),
        contract_id=request.contract_id,
    )


def key_lot(request: LotRequest) -> Key:
    """Return site and lot."""
    return {"site_id": request.site_id, "lot_id": request.lot_id}


def accept_weighing(
    request: WeighingRequest, event_id: str, gateway: Gateway, now: Micros
) -> Record:
    """Return the weighing of a ticket; net is as sent, or else what the ticket's masses give."""
    return events.LotWeighed(
        **envelope(request, event_id, gateway, now),
        lot_id=request.lot_id,
        ticket_no=request.ticket_no or "",
        movement_id=request.movement_id,
        device_id=request.device_id,
        purpose=request.purpose,
        direction=request.direction or OTHER,
        gross_g=request.gross_g,
        tare_g=request.tare_g,
        net_g=net_g(request),
        tare_kind=request.tare_kind or OTHER,
        gross_at=None if request.gross_at is None else request.gross_at.at,
        tare_at=None if request.tare_at is None else request.tare_at.at,
        vehicle_id=request.vehicle_id,
        u_random_g=request.u_random_g,
        u_systematic_g=request.u_systematic_g,
        volume_m3=request.volume_m3,
        density_kg_m3=request.density_kg_m3,
    )


def net_g(request: WeighingRequest) -> int:
    """Return net as sent, else gross minus tare, else volume times density, grams."""
    if request.net_g is not None:
        return request.net_g
    if request.gross_g is not None and request.tare_g is not None:
        return request.gross_g - request.tare_g
    assert request.volume_m3 is not None, "the model demands one of the three"
    assert request.density_kg_m3 is not None, "the model demands one of the three"
    return units.grams(request.volume_m3 * request.density_kg_m3, "kg")


def key_weighing(request: WeighingRequest) -> Key:
    """Return device and ticket."""
    return {"device_id": request.device_id, "ticket_no": request.ticket_no}


def accept_assay(request: AssayRequest, event_id: str, gateway: Gateway, now: Micros) -> Record:
    """Return a certificate."""
    moisture = request.moisture
    unit = None if moisture is None else moisture.unit
    return events.LotAssayed(
        **envelope(request, event_id, gateway, now),
        lot_id=request.lot_id,
        certificate_no=request.certificate_no or "",
        lab_id=request.lab_id,
        method=request.method,
        sample_id=request.sample_id,
        stage=request.stage,
        party=request.party,
        sampled_at=None if request.sampled_at is None else request.sampled_at.at,
        moisture_fraction=None if moisture is None else _fraction(moisture.value, unit),
        moisture_unit=unit,
        moisture_u_fraction=None if moisture is None else _fraction(moisture.u, unit),
        results=tuple(
            events.AssayResult(
                analyte=item.analyte,
                fraction=_measured(item),
                unit=item.unit,
                basis=item.basis,
                qualifier=_QUALIFIERS[item.qualifier],
                u_fraction=_fraction(item.u, item.unit),
                detection_limit_fraction=_limit(item),
            )
            for item in request.results
        ),
    )


def key_assay(request: AssayRequest) -> Key:
    """Return laboratory, certificate, sample (may be absent), stage and party."""
    return {
        "lab_id": request.lab_id,
        "certificate_no": request.certificate_no,
        "sample_id": request.sample_id,
        "stage": request.stage,
        "party": request.party,
    }


def accept_xrf(request: XrfRequest, event_id: str, gateway: Gateway, now: Micros) -> Record:
    """Return one shot."""
    return events.LotScanned(
        **envelope(request, event_id, gateway, now),
        lot_id=request.lot_id,
        device_id=request.device_id,
        shot_no=request.shot_no or 0,
        mode=request.mode,
        live_time_s=request.live_time_s,
        basis=request.basis,
        results=tuple(
            events.ScanResult(
                analyte=item.analyte,
                fraction=_measured(item),
                unit=item.unit,
                qualifier=_QUALIFIERS[item.qualifier],
                error_2sigma_fraction=_fraction(item.error_2sigma, item.unit),
                detection_limit_fraction=_limit(item),
            )
            for item in request.results
        ),
    )


def key_xrf(request: XrfRequest) -> Key:
    """Return device, shot and time."""
    return {
        "device_id": request.device_id,
        "shot_no": request.shot_no,
        "occurred_at": request.occurred_at.at,
    }


def accept_shipment(
    request: ShipmentRequest, event_id: str, gateway: Gateway, now: Micros
) -> Record:
    """Return a step of a movement."""
    return events.LotMoved(
        **envelope(request, event_id, gateway, now),
        lot_id=request.lot_id,
        kind=request.kind,
        movement_id=request.movement_id,
        from_site=request.from_site,
        to_site=request.to_site,
        carrier=request.carrier,
        vehicle_id=request.vehicle_id,
        seals=request.seals,
        latitude_deg=None if request.position is None else request.position.lat,
        longitude_deg=None if request.position is None else request.position.lon,
        documents=tuple(
            events.Document(
                type=paper.type,
                number=paper.number,
                issued_day=paper.issued,
                expires_day=paper.expires,
            )
            for paper in request.documents
        ),
        counterparty=request.counterparty,
        counterpart_digest=request.counterpart_digest,
    )


def key_shipment(request: ShipmentRequest) -> Key:
    """Return movement, lot, kind, site and time."""
    return {
        "movement_id": request.movement_id,
        "lot_id": request.lot_id,
        "kind": request.kind,
        "site_id": request.site_id,
        "occurred_at": request.occurred_at.at,
    }


def accept_claim(request: ClaimRequest, event_id: str, gateway: Gateway, now: Micros) -> Record:
    """Return a claim."""
    return events.ClaimMade(
        **envelope(request, event_id, gateway, now),
        lot_id=request.lot_id,
        claim_id=request.claim_id or "",
        custody_model=request.custody_model,
        characteristic=request.characteristic,
        quantity_g=request.quantity_g,
        analyte=request.analyte,
        period=request.period,
        counterparty=request.counterparty,
    )


def key_claim(request: ClaimRequest) -> Key:
    """Return the claim's own id."""
    return {"claim_id": request.claim_id}


def accept_reference(
    request: ReferenceRequest, event_id: str, gateway: Gateway, now: Micros
) -> Record:
    """Return a reference record for partition 0; the judge copies it for the others."""
    gateway_id, epoch = gateway
    body = json.dumps(request.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return events.ReferenceSet(
        event_id=event_id,
        gateway_id=gateway_id,
        gateway_epoch=epoch,
        gateway_seq=0,
        kind=request.kind,
        id=request.id,
        valid_from=request.valid_from.at,
        valid_to=None if request.valid_to is None else request.valid_to.at,
        recorded_at=now,
        partition=0,
        corrects=request.corrects,
        void=request.void,
        body=body,
    )


def key_reference(request: ReferenceRequest) -> Key:
    """Return kind, id and start of validity."""
    return {"kind": request.kind, "id": request.id, "valid_from": request.valid_from.at}


def accept_action(request: ActionRequest, event_id: str, gateway: Gateway, now: Micros) -> Record:
    """Return what a person did."""
    gateway_id, epoch = gateway
    return events.ActionTaken(
        event_id=event_id,
        gateway_id=gateway_id,
        gateway_epoch=epoch,
        gateway_seq=0,
        action=request.action,
        alert_id=request.alert_id,
        version=request.version,
        subject=request.subject,
        actor=request.actor,
        reason=request.reason,
        recorded_at=now,
        movement_id=request.movement_id,
        assignee=request.assignee,
        until=None if request.until is None else request.until.at,
        resolution=request.resolution,
        hold_id=request.hold_id,
    )


def key_action(request: ActionRequest) -> Key:
    """Return nothing that could serve: a person may well do the same thing twice."""
    return {"event_id": request.event_id}


@dataclass(frozen=True, slots=True)
class Way(Generic[R]):
    """How the request of one stem becomes its fact.

    Attributes:
        accept: Request, event id, gateway and time to the record.
        key: Natural key of a request.
        optional: Fields of the key that may be absent.
    """

    accept: Callable[[R, str, Gateway, Micros], Record]
    key: Callable[[R], Key]
    optional: frozenset[str] = frozenset()


WAYS: Mapping[str, Way[Any]] = MappingProxyType(
    {
        "lot": Way(accept_lot, key_lot),
        "weighing": Way(accept_weighing, key_weighing),
        "assay": Way(accept_assay, key_assay, frozenset({"sample_id"})),
        "xrf": Way(accept_xrf, key_xrf),
        "shipment": Way(accept_shipment, key_shipment),
        "claim": Way(accept_claim, key_claim),
        "reference": Way(accept_reference, key_reference),
        "action": Way(accept_action, key_action),
    }
)
"""By stem; ``processing`` is cut into parts by ``producers/processing.py``."""


def _measured(item: AssayItem | XrfItem) -> float | None:
    """Return the fraction of a measured analyte; censored data has none."""
    return _fraction(item.value, item.unit) if item.qualifier == "=" else None


def _limit(item: AssayItem | XrfItem) -> float | None:
    """Return the limit; ``{"value": 0.01, "qualifier": "<"}`` names it as the value."""
    censored = item.qualifier != "=" and item.detection_limit is None
    return _fraction(item.value if censored else item.detection_limit, item.unit)


def _fraction(value: units.Number | None, unit: str | None) -> float | None:
    return None if value is None or unit is None else units.fraction(value, unit)
