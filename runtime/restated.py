"""From a record back to the request that gives the same one: the inverse of ``producers.gateway``.

Another gateway gives it numbers and a time of its own; id and content are the same, so that
wherever the first one came already, the second is a duplicate. Values go in the smallest unit of a
record (g), or in the one its sender wrote (concentrations), with every digit.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from custody import events
from custody.events import Micros
from custody.units import PER_FRACTION
from producers.gateway import OTHER
from runtime.client import JsonObject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_ZERO = date(1970, 1, 1).toordinal()
_SAYS_WITHOUT_LOT = frozenset({"weighing", "assay", "xrf"})
"""Requests that say null where they are about no lot."""

_QUALIFIERS = {"eq": "=", "lt": "<", "gt": ">"}


def request_of(stem: str, record: object) -> JsonObject:
    """Return the request that a gateway makes this record of, as JSON.

    Args:
        stem: Stem of the record; one of ``producers.requests.MODELS``.
        record: The record, decoded.
    """
    made = _given(_WAYS[stem](record))
    if stem in _SAYS_WITHOUT_LOT:
        made.setdefault("lot_id", None)
    return {"type": stem, **made}


def _fact(fact: events.Fact) -> JsonObject:
    return {
        "event_id": fact.event_id,
        "site_id": fact.site_id,
        "occurred_at": _time(fact.occurred_at, fact.time_zone_offset_min or 0),
        "corrects": fact.corrects,
        "void": fact.void or None,
        "source_ref": fact.source_ref,
        "clock_skew_ms": fact.clock_skew_ms,
    }


def _lot(fact: events.LotDeclared) -> JsonObject:
    return {
        **_fact(fact),
        "lot_id": fact.lot_id,
        "commodity": fact.commodity,
        "form": fact.form,
        "custodian": fact.custodian,
        "owner": fact.owner,
        "custody_model": fact.custody_model,
        "declared_origins": [
            {"level": o.level, "id": o.id, "share": o.share} for o in fact.declared_origins
        ],
        "declared_composition": [
            {"analyte": d.analyte, "value": _in_unit(d.fraction, d.unit), "unit": d.unit}
            | {"basis": d.basis}
            for d in fact.declared_composition
        ],
        "declared_mass_dry_kg": _grams(fact.declared_mass_dry_g),
        "tags": list(fact.tags),
        "route_id": fact.route_id,
        "attributes": _attributes(fact.attributes),
        "contract_id": fact.contract_id,
    }


def _weighing(fact: events.LotWeighed) -> JsonObject:
    return {
        **_fact(fact),
        "lot_id": fact.lot_id,
        "ticket_no": fact.ticket_no or None,
        "movement_id": fact.movement_id,
        "device_id": fact.device_id,
        "purpose": fact.purpose,
        "direction": _known(fact.direction),
        "gross_kg": _grams(fact.gross_g),
        "tare_kg": _grams(fact.tare_g),
        "net_kg": _grams(fact.net_g),
        "tare_kind": _known(fact.tare_kind),
        "gross_at": _time_or_none(fact.gross_at),
        "tare_at": _time_or_none(fact.tare_at),
        "vehicle_id": fact.vehicle_id,
        "u_random_kg": _grams(fact.u_random_g),
        "u_systematic_kg": _grams(fact.u_systematic_g),
        "volume_m3": fact.volume_m3,
        "density_kg_m3": fact.density_kg_m3,
    }


def _assay(fact: events.LotAssayed) -> JsonObject:
    unit = fact.moisture_unit
    moisture = None
    if unit is not None:
        moisture = _given(
            {
                "value": _in_unit(fact.moisture_fraction, unit),
                "unit": unit,
                "u": _in_unit(fact.moisture_u_fraction, unit),
            }
        )
    return {
        **_fact(fact),
        "lot_id": fact.lot_id,
        "certificate_no": fact.certificate_no or None,
        "lab_id": fact.lab_id,
        "method": fact.method,
        "sample_id": fact.sample_id,
        "stage": fact.stage,
        "party": fact.party,
        "sampled_at": _time_or_none(fact.sampled_at),
        "moisture": moisture,
        "results": [
            _item(r, {"basis": r.basis, "u": _in_unit(r.u_fraction, r.unit)}) for r in fact.results
        ],
    }


def _xrf(fact: events.LotScanned) -> JsonObject:
    return {
        **_fact(fact),
        "lot_id": fact.lot_id,
        "device_id": fact.device_id,
        "shot_no": fact.shot_no,
        "mode": fact.mode,
        "live_time_s": fact.live_time_s,
        "basis": fact.basis,
        "results": [
            _item(r, {"error_2sigma": _in_unit(r.error_2sigma_fraction, r.unit)})
            for r in fact.results
        ],
    }


def _shipment(fact: events.LotMoved) -> JsonObject:
    position = None
    if fact.latitude_deg is not None and fact.longitude_deg is not None:
        position = {"lat": fact.latitude_deg, "lon": fact.longitude_deg}
    return {
        **_fact(fact),
        "lot_id": fact.lot_id,
        "kind": fact.kind,
        "movement_id": fact.movement_id,
        "from_site": fact.from_site,
        "to_site": fact.to_site,
        "carrier": fact.carrier,
        "vehicle_id": fact.vehicle_id,
        "seals": list(fact.seals),
        "position": position,
        "documents": [
            _given(
                {
                    "type": paper.type,
                    "number": paper.number,
                    "issued": _day(paper.issued_day),
                    "expires": _day(paper.expires_day),
                }
            )
            for paper in fact.documents
        ],
        "counterparty": fact.counterparty,
        "counterpart_digest": fact.counterpart_digest,
    }


def _processing(fact: events.MaterialProcessed) -> JsonObject:
    side = _given(
        {
            "lot_id": fact.lot_id if fact.part == "input" else fact.output_lot_id,
            "kind": fact.loss_kind,
            "mass_wet_kg": _grams(fact.mass_wet_g),
            "mass_dry_kg": _grams(fact.mass_dry_g),
            "moisture_fraction": fact.moisture_fraction,
            "u_mass_kg": _grams(fact.u_mass_g),
        }
    )
    parts: Mapping[str, JsonObject] = {
        "input": {"inputs": [side]},
        "output": {"outputs": [side]},
        "loss": {"losses": [side]},
        "stock": {"stock": [side]},
        "added": {"attributes": _attributes(fact.attributes)},
        "close": {"close": True},
    }
    return {
        **_fact(fact),
        "event_id": None,
        "process_id": fact.process_id,
        "kind": fact.kind,
        "part": {"event_id": fact.event_id, "no": fact.part_no},
        **parts[fact.part],
    }


def _claim(fact: events.ClaimMade) -> JsonObject:
    return {
        **_fact(fact),
        "lot_id": fact.lot_id,
        "claim_id": fact.claim_id or None,
        "custody_model": fact.custody_model,
        "characteristic": fact.characteristic,
        "quantity_kg": _grams(fact.quantity_g),
        "analyte": fact.analyte,
        "period": fact.period,
        "counterparty": fact.counterparty,
    }


def _reference(record: events.ReferenceSet) -> JsonObject:
    return {
        "event_id": record.event_id,
        "kind": record.kind,
        "id": record.id,
        "valid_from": _time(record.valid_from),
        "valid_to": _time_or_none(record.valid_to),
        "corrects": record.corrects,
        "void": record.void or None,
        "body": json.loads(record.body),
    }


def _action(record: events.ActionTaken) -> JsonObject:
    return {
        "event_id": record.event_id,
        "action": record.action,
        "alert_id": record.alert_id,
        "version": record.version,
        "subject": record.subject,
        "actor": record.actor,
        "reason": record.reason,
        "movement_id": record.movement_id,
        "assignee": record.assignee,
        "until": _time_or_none(record.until),
        "resolution": record.resolution,
        "hold_id": record.hold_id,
    }


_WAYS: Mapping[str, Callable[[Any], JsonObject]] = MappingProxyType(
    {
        "lot": _lot,
        "weighing": _weighing,
        "assay": _assay,
        "xrf": _xrf,
        "shipment": _shipment,
        "processing": _processing,
        "claim": _claim,
        "reference": _reference,
        "action": _action,
    }
)


def _given(made: JsonObject) -> JsonObject:
    """Return an object without what says nothing."""
    return {name: value for name, value in made.items() if value is not None and value != []}


def _item(result: events.AssayResult | events.ScanResult, more: JsonObject) -> JsonObject:
    """Return an analyte; its value is said also where it is null, which is censored data."""
    limit = _in_unit(result.detection_limit_fraction, result.unit)
    return {
        "analyte": result.analyte,
        "value": _in_unit(result.fraction, result.unit),
        "unit": result.unit,
        "qualifier": _QUALIFIERS[result.qualifier],
        **_given({"detection_limit": limit, **more}),
    }


def _attributes(attributes: tuple[events.Attribute, ...]) -> list[JsonObject]:
    return [_given(asdict(one)) for one in attributes]


def _grams(mass_g: int | None) -> JsonObject | None:
    return None if mass_g is None else {"value": mass_g, "unit": "g"}


def _in_unit(fraction: float | None, unit: str) -> str | None:
    """Return a fraction in a unit; divided by it again, the nearest float is the same one."""
    return None if fraction is None else str(Decimal(repr(fraction)) * PER_FRACTION[unit])


def _known(name: str) -> str | None:
    return None if name == OTHER else name


def _time(at: Micros, offset_min: int = 0) -> str:
    zone = timezone(timedelta(minutes=offset_min))
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone).isoformat()


def _time_or_none(at: Micros | None) -> str | None:
    return None if at is None else _time(at)


def _day(day: int | None) -> str | None:
    return None if day is None else date.fromordinal(day + _DAY_ZERO).isoformat()
