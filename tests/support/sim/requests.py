"""Requests as a plant would post them, of the facts that tests make; and some that are refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from custody.events import (
    AssayResult,
    Attribute,
    LotAssayed,
    LotDeclared,
    LotFact,
    LotMoved,
    LotScanned,
    LotWeighed,
    MaterialProcessed,
    Micros,
    ReferenceSet,
)
from custody.ids import derived_id
from tests.support.facts import event_id

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LISTS = {"input": "inputs", "output": "outputs", "loss": "losses", "stock": "stock"}
_QUALIFIERS = {"eq": "=", "lt": "<", "gt": ">"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the ids of the records it becomes if it is taken.

    Attributes:
        body: The JSON.
        ids: Event id and partition of each record; the partition is None but for references.
        good: Whether it is to be taken; None where that depends on what came before it.
    """

    body: Json
    ids: tuple[tuple[str, int | None], ...]
    good: bool | None


def fact_id(fact: LotFact) -> str:
    """Return the id a fact gets at the gateway: a side's is made from its request's."""
    if not isinstance(fact, MaterialProcessed):
        return fact.event_id
    number = 0 if fact.part in ("added", "close") else 1
    return derived_id("processing", [fact.event_id, fact.part, number])


def asked_of(fact: LotFact, names: Mapping[str, str]) -> Asked:
    """Return the request of a fact.

    Args:
        fact: The fact.
        names: Id at the gateway by id, of all facts, for corrections.
    """
    corrects = None if fact.corrects is None else names.get(fact.corrects, fact.corrects)
    head: Json = {
        "event_id": fact.event_id,
        "site_id": fact.site_id,
        "occurred_at": text_of(fact.occurred_at),
        "corrects": corrects,
        "void": fact.void,
    }
    if not isinstance(fact, MaterialProcessed):
        head["lot_id"] = fact.lot_id
    return Asked(head | _body(fact), ((fact_id(fact), None),), None)


def asked_reference(record: ReferenceSet, partitions: int) -> Asked:
    """Return the request of a reference record; it becomes a copy per partition."""
    body: Json = {
        "type": "reference",
        "event_id": record.event_id,
        "corrects": record.corrects,
        "void": record.void,
        "kind": record.kind,
        "id": record.id,
        "valid_from": text_of(record.valid_from),
        "valid_to": None if record.valid_to is None else text_of(record.valid_to),
        "body": json.loads(record.body, parse_float=Decimal),
    }
    return Asked(body, tuple((record.event_id, p) for p in range(partitions)), good=None)


def refusable(good: Sequence[Asked], rng: Random, number: int) -> Asked:
    """Return a request like a good one that is to be refused, under an id of its own."""
    body = dict(rng.choice(good).body)
    body["event_id"] = event_id(f"refused {number}")
    body.pop("corrects", None)
    body.pop("void", None)
    match rng.randrange(3):
        case 0:
            body["weather"] = "dry"
        case 1:
            body["type"] = "telegram"
        case _:
            body["occurred_at" if "occurred_at" in body else "valid_from"] = "yesterday"
    return Asked(body, ((body["event_id"], None),), good=False)


def text_of(at: Micros) -> str:
    """Return a time as RFC 3339."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds")


def _body(fact: LotFact) -> Json:
    match fact:
        case LotDeclared():
            return _declared(fact)
        case LotWeighed():
            return _weighed(fact)
        case LotAssayed():
            return _assayed(fact)
        case LotScanned():
            return _scanned(fact)
        case LotMoved():
            return _moved(fact)
        case MaterialProcessed():
            return _processed(fact)
        case _:
            raise AssertionError(fact)


def _declared(fact: LotDeclared) -> Json:
    return {
        "type": "lot",
        **{n: getattr(fact, n) for n in ("commodity", "form", "custody_model", "contract_id")},
        "declared_origins": [
            {"level": o.level, "id": o.id, "share": _number(o.share)} for o in fact.declared_origins
        ],
        "declared_composition": [
            {
                "analyte": d.analyte,
                "value": _number(d.fraction),
                "unit": "fraction",
                "basis": d.basis,
            }
            for d in fact.declared_composition
        ],
        "tags": list(fact.tags),
        "attributes": _attributes(fact.attributes),
    }


def _weighed(fact: LotWeighed) -> Json:
    names = ("ticket_no", "movement_id", "device_id", "purpose", "vehicle_id", "tare_kind")
    net = fact.net_g
    gross = net + (fact.tare_g or 0)
    return {
        "type": "weighing",
        **{name: getattr(fact, name) for name in names},
        "gross_kg": _kilograms(gross),
        "tare_kg": _kilograms(fact.tare_g),
        "net_kg": _kilograms(net),
    }


def _assayed(fact: LotAssayed) -> Json:
    names = ("certificate_no", "lab_id", "sample_id", "stage", "party")
    body: Json = {"type": "assay", **{name: getattr(fact, name) for name in names}}
    if fact.moisture_fraction is not None:
        body["moisture"] = {
            "value": _number(fact.moisture_fraction),
            "unit": "fraction",
            "u": _number(fact.moisture_u_fraction),
        }
    body["results"] = [_result(one) for one in fact.results]
    return body


def _result(one: AssayResult) -> Json:
    return {
        "analyte": one.analyte,
        "value": _number(one.fraction),
        "unit": "fraction",
        "basis": one.basis,
        "qualifier": _QUALIFIERS[one.qualifier],
        "u": _number(one.u_fraction),
    }


def _scanned(fact: LotScanned) -> Json:
    return {
        "type": "xrf",
        **{name: getattr(fact, name) for name in ("device_id", "shot_no", "basis")},
        "results": [
            {
                "analyte": one.analyte,
                "value": _number(one.fraction),
                "unit": "fraction",
                "error_2sigma": _number(one.error_2sigma_fraction),
            }
            for one in fact.results
        ],
    }


def _moved(fact: LotMoved) -> Json:
    names = ("kind", "movement_id", "from_site", "to_site", "vehicle_id", "counterparty")
    return {
        "type": "shipment",
        **{name: getattr(fact, name) or None for name in names},
        "seals": list(fact.seals),
    }


def _processed(fact: MaterialProcessed) -> Json:
    body: Json = {"type": "processing", "process_id": fact.process_id, "kind": fact.kind}
    if fact.part == "close":
        return body | {"close": True}
    if fact.part == "added":
        return body | {"attributes": _attributes(fact.attributes)}
    side: Json = {
        "mass_wet_kg": _kilograms(fact.mass_wet_g),
        "mass_dry_kg": _kilograms(fact.mass_dry_g),
        "moisture_fraction": _number(fact.moisture_fraction),
    }
    match fact.part:
        case "input":
            side["lot_id"] = fact.lot_id
        case "output":
            side["lot_id"] = fact.output_lot_id
        case "loss":
            side["kind"] = fact.loss_kind
        case _:
            pass
    return body | {_LISTS[fact.part]: [side]}


def _attributes(found: Sequence[Attribute]) -> list[Json]:
    names = ("name", "unit", "per", "quality")
    return [{**{n: getattr(a, n) for n in names}, "amount": _number(a.amount)} for a in found]


def _number(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))


def _kilograms(grams: int | None) -> Decimal | None:
    return None if grams is None else Decimal(grams) / 1000
