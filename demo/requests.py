"""The JSON a plant sends: one function per stem, names as the gateway's API has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from demo.plant import ASSAY_U_REL, MOISTURE_U, ORE_GHG_KG_PER_T, Composition, Shot

Request = dict[str, object]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A weighbridge ticket; masses in kilograms, ``tare_at`` None for a stored tare."""

    ticket_no: str
    device_id: str
    purpose: str
    gross_kg: int
    tare_kg: int
    gross_at: datetime
    tare_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trip:
    """One truck's way from site to site."""

    movement_id: str
    vehicle_id: str
    from_site: str
    to_site: str
    seals: tuple[str, ...]


def lot_request(
    head: Request, form: str, composition: Composition, dry_kg: float, source: str
) -> Request:
    """Return a declaration; what is declared is the planner's guess, to two digits."""
    declared = [
        {"analyte": a, "value": float(f"{composition[a] * 100:.2g}"), "unit": "pct", "basis": "dry"}
        for a in ("Cu", "Ni")
    ]
    origins = [{"level": "site", "id": head["site_id"], "share": 1.0}] if form == "ore" else []
    # Only ore brings emissions of its own; what a process makes carries those of what went in.
    attributes = [_ghg()] if form == "ore" else []
    return {
        "type": "lot",
        **head,
        "commodity": "copper_nickel",
        "form": form,
        "custodian": head["site_id"],
        "owner": head["site_id"],
        "custody_model": "segregated" if form == "ore" else "mass_balance",
        "declared_origins": origins,
        "declared_composition": declared,
        "declared_mass_dry_kg": round(dry_kg, -2),
        "attributes": attributes,
        "source_ref": source,
    }


def _ghg() -> Request:
    """Return what mining a tonne of ore emitted, as the mine declares it."""
    amount: Request = {"name": "ghg", "amount": ORE_GHG_KG_PER_T, "unit": "kgCO2e"}
    return {**amount, "per": "t_dry", "quality": "declared"}


def weighing_request(head: Request, ticket: Ticket, trip: Trip) -> Request:
    """Return a weighbridge ticket of one trip."""
    request: Request = {
        "type": "weighing",
        **head,
        "ticket_no": ticket.ticket_no,
        "movement_id": trip.movement_id,
        "device_id": ticket.device_id,
        "purpose": ticket.purpose,
        "direction": "out" if ticket.purpose == "dispatch" else "in",
        "gross_kg": ticket.gross_kg,
        "tare_kg": ticket.tare_kg,
        "net_kg": ticket.gross_kg - ticket.tare_kg,
        "tare_kind": "stored" if ticket.tare_at is None else "weighed",
        "gross_at": ticket.gross_at.isoformat(),
        "vehicle_id": trip.vehicle_id,
    }
    if ticket.tare_at is not None:
        request["tare_at"] = ticket.tare_at.isoformat()
    return request


def shipment_request(
    head: Request, kind: str, trip: Trip, position: tuple[float, float]
) -> Request:
    """Return a dispatch, checkpoint or receipt of one trip."""
    return {
        "type": "shipment",
        **head,
        "kind": kind,
        "movement_id": trip.movement_id,
        "from_site": trip.from_site,
        "to_site": trip.to_site,
        "carrier": "NORTHLINE",
        "vehicle_id": trip.vehicle_id,
        "seals": list(trip.seals),
        "position": {"lat": position[0], "lon": position[1]},
    }


def xrf_request(head: Request, device_id: str, shot_no: int, shots: Sequence[Shot]) -> Request:
    """Return one shot at the material as it lies there."""
    return {
        "type": "xrf",
        **head,
        "device_id": device_id,
        "shot_no": shot_no,
        "mode": "mining_plus",
        "live_time_s": 60,
        "basis": "as_is",
        "results": [_scan_result(shot) for shot in shots],
    }


def _scan_result(shot: Shot) -> Request:
    if shot.ppm is None:
        limit = {"qualifier": "<", "detection_limit": shot.detection_ppm}
        return {"analyte": shot.analyte, "value": None, "unit": "ppm", **limit}
    error = round(2 * shot.sigma_ppm, 1)
    return {"analyte": shot.analyte, "value": shot.ppm, "unit": "ppm", "error_2sigma": error}


def assay_request(head: Request, certificate: Request, moisture: float | None) -> Request:
    """Return a certificate; ``certificate`` names laboratory, number, sample and party."""
    request = {"type": "assay", **head, "method": "loss on drying", **certificate, "results": []}
    if moisture is not None:
        request["moisture"] = {
            "value": round(moisture * 100, 2),
            "unit": "pct",
            "u": round(MOISTURE_U * 100, 3),
        }
    return request


def assay_result(analyte: str, fraction: float) -> Request:
    """Return one analyte of a certificate, percent of dry mass, with the laboratory's own u."""
    pct = float(f"{fraction * 100:.6g}")
    return {
        "analyte": analyte,
        "value": pct,
        "unit": "pct",
        "basis": "dry",
        "qualifier": "=",
        "u": float(f"{pct * ASSAY_U_REL[analyte]:.3g}"),
    }


def reference_request(kind: str, ident: str, body: Request) -> Request:
    """Return a reference record, valid from the start of 2026."""
    return {
        "type": "reference",
        "kind": kind,
        "id": ident,
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": None,
        "body": body,
    }
