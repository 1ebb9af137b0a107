"""What was posted, from the records a stranger reads: no code of ours, only the documents.

Written without a look at the code, so that it fails where a record does not hold what was said.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

Record = dict[str, Any]

FACTORS = {"pct": 100.0, "ppm": 1e6, "g_per_t": 1e6, "kg_per_t": 1e3, "fraction": 1.0}
QUALIFIERS = {"eq": "=", "lt": "<", "gt": ">"}
GATEWAYS_OWN = {
    "gateway_id", "gateway_epoch", "gateway_seq", "recorded_at", "time_zone_offset_min",
    "clock_skew_ms",
}  # fmt: skip


def request_of(stem: str, records: list[Record]) -> Record:
    """Return the request that led to these records."""
    if stem == "processing":
        return process(records)
    return REQUESTS.get(stem, fact)(records[0])


def fact(record: Record) -> Record:
    zone = timezone(timedelta(minutes=record.get("time_zone_offset_min") or 0))
    out: Record = {}
    for name, value in record.items():
        if name in GATEWAYS_OWN or value in (None, [], False):
            continue
        if name.endswith("_g") and not isinstance(value, dict):
            out[name.removesuffix("g") + "kg"] = value / 1000
        elif name.endswith("_at"):
            out[name] = time(value).astimezone(zone).isoformat()
        else:
            out[name] = value
    return out


def lot(record: Record) -> Record:
    declared = [
        {
            "analyte": one["analyte"],
            "value": value(one["fraction"], one["unit"]),
            "unit": one["unit"],
            "basis": one["basis"],
        }
        for one in record["declared_composition"]
    ]
    return fact(record) | {"declared_composition": declared}


def assay(record: Record) -> Record:
    out = fact(record | {"moisture_fraction": None, "moisture_unit": None})
    out.pop("moisture_u_fraction", None)
    unit = record["moisture_unit"]
    out["moisture"] = {
        "value": value(record["moisture_fraction"], unit),
        "unit": unit,
        "u": value(record["moisture_u_fraction"], unit),
    }
    out["results"] = [result(one, "u_fraction", "u") for one in record["results"]]
    return out


def xrf(record: Record) -> Record:
    results = [result(one, "error_2sigma_fraction", "error_2sigma") for one in record["results"]]
    return fact(record) | {"results": results}


def result(one: Record, u_name: str, u_posted: str) -> Record:
    unit = one["unit"]
    out = {"analyte": one["analyte"], "value": value(one["fraction"], unit), "unit": unit}
    if "basis" in one:
        out["basis"] = one["basis"]
    out["qualifier"] = QUALIFIERS[one["qualifier"]]
    if one[u_name] is not None:
        out[u_posted] = value(one[u_name], unit)
    if one["detection_limit_fraction"] is not None:
        out["detection_limit"] = value(one["detection_limit_fraction"], unit)
    return out


def shipment(record: Record) -> Record:
    out = fact(record)
    if record["latitude_deg"] is not None:
        out["position"] = {"lat": out.pop("latitude_deg"), "lon": out.pop("longitude_deg")}
    out["documents"] = [
        {
            "type": one["type"],
            "number": one["number"],
            "issued": day(one["issued_day"]),
            "expires": day(one["expires_day"]),
        }
        for one in record["documents"]
    ]
    return out


def process(records: list[Record]) -> Record:
    first = fact(records[0])
    shared = ("site_id", "process_id", "occurred_at", "kind")
    out: Record = {name: first[name] for name in shared}
    out |= {"inputs": [], "outputs": [], "losses": []}
    for record in records:
        side = fact(record)
        masses = {n: v for n, v in side.items() if n.startswith(("mass_", "moisture_"))}
        match record["part"]:
            case "input":
                out["inputs"].append({"lot_id": record["lot_id"], **masses})
            case "output":
                out["outputs"].append({"lot_id": record["output_lot_id"], **masses})
            case "loss":
                out["losses"].append({"kind": record["loss_kind"], **masses})
            case "close":
                out["close"] = True
            case "added":
                out["attributes"] = [
                    {name: value for name, value in one.items() if value is not None}
                    for one in record["attributes"]
                ]
            case part:
                raise AssertionError(part)
    return out


def reference(record: Record) -> Record:
    return {
        "kind": record["kind"],
        "id": record["id"],
        "valid_from": zulu(record["valid_from"]),
        "valid_to": None if record["valid_to"] is None else zulu(record["valid_to"]),
        "body": json.loads(record["body"]),
    }


REQUESTS = {
    "lot": lot,
    "assay": assay,
    "xrf": xrf,
    "shipment": shipment,
    "reference": reference,
}


def value(fraction: float | None, unit: str) -> float | None:
    return None if fraction is None else float(f"{fraction * FACTORS[unit]:.12g}")


def time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def zulu(text: str) -> str:
    return time(text).isoformat().replace("+00:00", "Z")


def day(number: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).date().isoformat()
