"""An export read back: each record restated as the request that gives the same one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal

import pytest

from custody.events import Micros
from producers.judge import accept
from producers.outcome import Accepted, Record
from producers.requests import MODELS
from producers.strict_json import parsed
from runtime.restated import request_of
from tests.support.gateway import NOW, golden, terms


@pytest.mark.parametrize("stem", list(MODELS))
def test_a_record_restated_as_a_request_is_the_same_record(stem: str) -> None:
    """Of requests that say all there is: a field that is added later has to be said here, too."""
    unsaid: set[str] | None = None
    for raw in rich(stem):
        outcome = accept(raw, NOW, terms())
        assert isinstance(outcome, Accepted), outcome
        for draft in outcome.drafts:
            text = json.dumps(request_of(stem, draft.record))
            again = accept(parsed(text), Micros(NOW + 1), terms(gateway=("GW-OTHER", 7)))
            assert isinstance(again, Accepted), (again, text)
            same = {d.record.event_id: (d.content, d.part) for d in again.drafts}
            assert same == {draft.record.event_id: (draft.content, draft.part)}
            assert said(again.drafts[0].record) == said(draft.record)
            silent = {n for n, v in said(draft.record).items() if not v or v == "other"}
            unsaid = silent if unsaid is None else unsaid & silent
    assert unsaid == set()


def said(record: Record) -> Mapping[str, object]:
    """What a record says but for who took it when; a broadcast's copies differ by partition."""
    gateways = {"gateway_id", "gateway_epoch", "gateway_seq", "recorded_at", "partition"}
    return {name: value for name, value in asdict(record).items() if name not in gateways}


def rich(stem: str) -> Iterator[dict[str, object]]:
    """The example of a stem as it is, with everything it may say, and as a withdrawal."""
    whole = golden(stem) | RICH[stem]
    yield golden(stem)
    yield whole
    yield {name: value for name, value in whole.items() if name != "event_id"} | golden(stem)
    if stem == "action":
        yield from (golden(stem) | more for more in ACTIONS)
    if stem == "processing":
        whole = process_of_one_input(whole)
    if stem != "action":
        yield whole | {"corrects": OTHER_ID, "void": True}


def process_of_one_input(whole: Mapping[str, object]) -> dict[str, object]:
    sides = ("outputs", "losses", "stock", "attributes", "close", "event_id")
    kept = {name: value for name, value in whole.items() if name not in sides}
    return kept | {"inputs": [SIDE | {"lot_id": "L-1"}]}


OWN_ID, OTHER_ID = (f"0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f1{no}" for no in (0, 1))
EVERY: dict[str, object] = {
    "event_id": OWN_ID,
    "source_ref": "row 7 \u00e9",
    "clock_skew_ms": -70,
    "occurred_at": "2026-11-03T06:10:00.123456-03:30",
}
SIDE = {"mass_wet_kg": Decimal("2450.123"), "mass_dry_kg": "2300.5", "u_mass_kg": 3}
CENSORED: list[dict[str, object]] = [
    {"analyte": "As", "value": None, "unit": "pct", "qualifier": "<", "detection_limit": "0.01"},
    {"analyte": "U", "value": Decimal("8.1"), "unit": "g_per_t", "qualifier": ">"},
    {"analyte": "Cu", "value": Decimal("0.1") / 3, "unit": "fraction", "detection_limit": "1e-9"},
]
GHG = {"name": "ghg", "amount": Decimal("-4.2"), "unit": "kgCO2e", "per": "t_Cu"}
ACTIONS: list[dict[str, object]] = [
    {"action": "assign", "assignee": "someone else"},
    {"action": "shelve", "until": "2026-12-01T06:00:00+02:00"},
    {"action": "resolve", "resolution": "confirmed_fraud"},
    {"action": "hold", "movement_id": "WAY-5531", "alert_id": None, "version": None},
    {"action": "release", "hold_id": OTHER_ID, "alert_id": None, "version": None},
]
RICH: Mapping[str, dict[str, object]] = {
    "lot": EVERY
    | {
        "declared_origins": [{"level": "unknown", "share": Decimal(1) / 3}],
        "declared_composition": [
            {"analyte": "Co", "value": Decimal("0.1") / 7, "unit": "pct", "basis": "as_is"}
        ],
        "declared_mass_dry_kg": {"value": "27.6", "unit": "t"},
        "tags": ["Z-1", "Z-2"],
        "attributes": [GHG | {"quality": "measured"}],
        **dict.fromkeys(("custodian", "owner", "route_id", "contract_id"), "K-1"),
    },
    "weighing": EVERY
    | {
        "lot_id": None,
        "gross_kg": None,
        "tare_kg": None,
        "net_kg": None,
        "volume_m3": Decimal("17.3"),
        "density_kg_m3": Decimal("1700.25"),
        "tare_kind": "stored",
        "gross_at": "2026-11-03T06:42:10Z",
        "direction": "in",
        "u_random_kg": Decimal("0.5"),
        "u_systematic_kg": 7,
        "ticket_no": None,
    },
    "assay": EVERY
    | {
        "moisture": {"value": Decimal("0.3"), "unit": "fraction", "u": "0.0025"},
        "results": [item | {"basis": "dry", "u": "0.00001"} for item in CENSORED],
        "sampled_at": "2026-11-02T06:42:10+02:00",
        "lot_id": None,
        "certificate_no": None,
        "sample_id": None,
        "method": "ICP",
    },
    "xrf": EVERY
    | {"results": [item | {"error_2sigma": "0.00007"} for item in CENSORED]}
    | {"lot_id": None, "shot_no": None, "mode": "soil", "live_time_s": Decimal("60.5")},
    "shipment": EVERY
    | {
        "documents": [{"type": "permit", "number": "7", "issued": "1969-02-01"}],
        "counterpart_digest": "0f" * 32,
        "position": {"lat": Decimal("-0.1"), "lon": 180},
        **dict.fromkeys(("carrier", "vehicle_id", "counterparty", "from_site"), "K-1"),
    },
    "processing": EVERY
    | {
        "inputs": [SIDE | {"lot_id": "L-1"}] * 2,
        "outputs": [SIDE | {"lot_id": "L-2", "moisture_fraction": Decimal("0.55") / 9}],
        "losses": [{"kind": "dust", "mass_wet_kg": 1}],
        "stock": [{"mass_dry_kg": 12}],
    },
    "claim": EVERY | {"claim_id": None, "analyte": "Cu", "period": "2026-11", "quantity_kg": "0.5"},
    "reference": {
        "event_id": OWN_ID,
        "valid_to": "2027-01-01T00:00:00+05:00",
        "body": {"a": [Decimal("1e-7"), 2**60, None, "\u00e9"], "b": {"c": Decimal("1.10")}},
    },
    "action": {"reason": "because", "actor": "someone"},
}
