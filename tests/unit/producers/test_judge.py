"""Every reason to refuse, its precedence, and what is accepted with warnings."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from custody import events, units
from custody.events import Micros
from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Accepted, Code, Refusal
from tests.support.gateway import NOW, golden, terms, ticket


def refused(raw: object, given: Terms | None = None) -> Refusal:
    outcome = accept(raw, NOW, given or terms())
    assert isinstance(outcome, Refusal), outcome
    return outcome


def taken(raw: object, given: Terms | None = None, now: Micros = NOW) -> Accepted:
    outcome = accept(raw, now, given or terms())
    assert isinstance(outcome, Accepted), outcome
    return outcome


def without(raw: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in raw.items() if name not in names}


def assay(**item: object) -> dict[str, object]:
    first = {"analyte": "Cu", "value": Decimal("2.5"), "unit": "pct", "basis": "dry", **item}
    return {**golden("assay"), "results": [first]}


WEIGHING = golden("weighing")
LOT = golden("lot")
XRF = golden("xrf")
PROCESSING = golden("processing")
SHELVING = {**golden("action"), "action": "shelve"}
VOID = {"corrects": "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10", "void": True}

REFUSED = [
    ("not an object", [1], Code.BAD_VALUE, ""),
    ("no type", without(WEIGHING, "type"), Code.UNKNOWN_TYPE, "type"),
    ("unknown type", {**WEIGHING, "type": "tick"}, Code.UNKNOWN_TYPE, "type"),
    ("typo", {**WEIGHING, "netkg": 1}, Code.UNKNOWN_FIELD, "netkg"),
    ("ours to set", {**WEIGHING, "gateway_seq": 1}, Code.UNKNOWN_FIELD, "gateway_seq"),
    ("nested typo", assay(percent=1), Code.UNKNOWN_FIELD, "results.0.percent"),
    ("no site", without(WEIGHING, "site_id"), Code.MISSING_FIELD, "site_id"),
    ("lot unsaid", without(WEIGHING, "lot_id"), Code.MISSING_FIELD, "lot_id"),
    ("empty site", {**WEIGHING, "site_id": ""}, Code.MISSING_FIELD, "site_id"),
    ("blank site", {**WEIGHING, "site_id": " "}, Code.BAD_VALUE, "site_id"),
    ("blank behind", {**WEIGHING, "lot_id": "L-1 "}, Code.BAD_VALUE, "lot_id"),
    ("tab", {**WEIGHING, "vehicle_id": "CGO\t1"}, Code.BAD_VALUE, "vehicle_id"),
    ("no width", {**LOT, "lot_id": "L\u200b-1"}, Code.BAD_VALUE, "lot_id"),
    ("backwards", {**LOT, "tags": ["ZN\u202e1"]}, Code.BAD_VALUE, "tags.0"),
    ("no mass", without(WEIGHING, "net_kg", "tare_kg"), Code.MISSING_FIELD, "net_kg"),
    ("value unsaid", assay(value=None), Code.MISSING_FIELD, "results.0.value"),
    ("void of nothing", {**WEIGHING, "void": True}, Code.MISSING_FIELD, "corrects"),
    ("void of no shot", {**without(XRF, "results"), **VOID}, Code.MISSING_FIELD, "results"),
    (
        "void of no figure",
        {**without(assay(), "results", "moisture"), **VOID},
        Code.MISSING_FIELD,
        "results",
    ),
    (
        "no parts",
        without(PROCESSING, "inputs", "outputs", "losses", "attributes", "close"),
        Code.MISSING_FIELD,
        "inputs",
    ),
    ("bad purpose", {**WEIGHING, "purpose": "sale"}, Code.BAD_VALUE, "purpose"),
    (
        "no offset",
        {**WEIGHING, "occurred_at": "2026-11-03T06:42:10"},
        Code.BAD_VALUE,
        "occurred_at",
    ),
    (
        "no such day",
        {**WEIGHING, "occurred_at": "2026-02-30T06:42:10Z"},
        Code.BAD_VALUE,
        "occurred_at",
    ),
    (
        "year 2300",
        {**WEIGHING, "occurred_at": "2300-01-01T00:00:00Z"},
        Code.BAD_VALUE,
        "occurred_at",
    ),
    ("number for text", {**WEIGHING, "site_id": 7}, Code.BAD_VALUE, "site_id"),
    ("half a surrogate", {**WEIGHING, "site_id": "\ud800"}, Code.BAD_VALUE, "site_id"),
    ("no uuid", {**WEIGHING, "event_id": "7"}, Code.BAD_VALUE, "event_id"),
    (
        "latitude",
        {**golden("shipment"), "position": {"lat": 95, "lon": 1}},
        Code.BAD_VALUE,
        "position.lat",
    ),
    ("pounds", {**WEIGHING, "net_kg": {"value": 1, "unit": "lb"}}, Code.WRONG_UNIT, "net_kg"),
    ("percent sign", assay(unit="%"), Code.WRONG_UNIT, "results.0.unit"),
    ("thousands", {**WEIGHING, "net_kg": "30,000"}, Code.NOT_A_NUMBER, "net_kg"),
    ("boolean", {**WEIGHING, "net_kg": True}, Code.NOT_A_NUMBER, "net_kg"),
    ("nan", {**WEIGHING, "net_kg": "NaN"}, Code.NOT_A_NUMBER, "net_kg"),
    ("a mountain", {**WEIGHING, "net_kg": 10**12}, Code.NOT_A_NUMBER, "net_kg"),
    ("half a shot", {**XRF, "shot_no": Decimal("1.5")}, Code.NOT_A_NUMBER, "shot_no"),
    (
        "per tonne of anything",
        {**LOT, "attributes": [{**LOT["attributes"][0], "amount": 10**6}]},  # type: ignore[index]
        Code.OUT_OF_RANGE,
        "attributes.0.amount",
    ),
    ("negative", {**WEIGHING, "gross_kg": -1}, Code.NEGATIVE_MASS, "gross_kg"),
    (
        "tare above gross",
        {**without(WEIGHING, "net_kg"), "tare_kg": 50000},
        Code.NEGATIVE_MASS,
        "net_kg",
    ),
    ("150 percent", assay(value=150), Code.FRACTION_OUT_OF_RANGE, "results.0"),
    (
        "percent for fraction",
        {**PROCESSING, "inputs": [{"lot_id": "L", "mass_wet_kg": 1, "moisture_fraction": 8}]},
        Code.FRACTION_OUT_OF_RANGE,
        "inputs.0.moisture_fraction",
    ),
    (
        "one analyte twice",
        {
            **assay(),
            "results": [
                {"analyte": "Cu", "value": n, "unit": "pct", "basis": "dry"} for n in (2, 3)
            ],
        },
        Code.BAD_VALUE,
        "results.1.analyte",
    ),
    (
        "one analyte twice in a shot",
        {**XRF, "results": [{"analyte": "Cu", "value": n, "unit": "pct"} for n in (2, 3)]},
        Code.BAD_VALUE,
        "results.1.analyte",
    ),
    (
        "one analyte twice, declared",
        {
            **LOT,
            "declared_composition": [
                {"analyte": "Cu", "value": n, "unit": "pct", "basis": "dry"} for n in (2, 3)
            ],
        },
        Code.BAD_VALUE,
        "declared_composition.1.analyte",
    ),
    (
        "shares",
        {
            **LOT,
            "declared_origins": [
                {"level": "site", "id": "A", "share": Decimal("0.7")},
                {"level": "site", "id": "B", "share": Decimal("0.4")},
            ],
        },
        Code.FRACTIONS_EXCEED_ONE,
        "declared_origins",
    ),
    (
        "elements",
        {
            **assay(),
            "results": [
                {"analyte": a, "value": 60, "unit": "pct", "basis": "dry"} for a in ("Cu", "Fe")
            ],
        },
        Code.FRACTIONS_EXCEED_ONE,
        "results",
    ),
    (
        "more dry than wet",
        {**PROCESSING, "outputs": [{"lot_id": "C-1", "mass_wet_kg": 10, "mass_dry_kg": 11}]},
        Code.DRY_ABOVE_WET,
        "outputs.0.mass_dry_kg",
    ),
    (
        "drier than its moisture",
        {
            **PROCESSING,
            "outputs": [
                {
                    "lot_id": "C-1",
                    "mass_wet_kg": 10,
                    "mass_dry_kg": 9,
                    "moisture_fraction": "0.5",
                }
            ],
        },
        Code.MOISTURE_MISMATCH,
        "outputs.0.mass_dry_kg",
    ),
    (
        "one target for five parts",
        {**PROCESSING, "corrects": "00000000-0000-8000-8000-000000000000"},
        Code.CORRECTION_MISMATCH,
        "corrects",
    ),
    ("tags", {**LOT, "tags": ["t"] * 2001}, Code.TOO_MANY_ITEMS, "tags"),
    (
        "origins",
        {**LOT, "declared_origins": [{"level": "site", "id": "A", "share": 0}] * 257},
        Code.TOO_MANY_ITEMS,
        "declared_origins",
    ),
    ("results", {**XRF, "results": [XRF["results"][0]] * 65}, Code.TOO_MANY_ITEMS, "results"),  # type: ignore[index]
    (
        "parts",
        {**PROCESSING, "inputs": [{"lot_id": str(n), "mass_wet_kg": 1} for n in range(999)]},
        Code.TOO_MANY_ITEMS,
        "",
    ),
    ("64 kB", {**LOT, "tags": [f"{n:060}" for n in range(2000)]}, Code.TOO_MANY_ITEMS, ""),
    ("net", {**WEIGHING, "net_kg": 29_979}, Code.NET_MISMATCH, "net_kg"),
    ("six years", {**WEIGHING, "occurred_at": "2020-10-01T00:00:00Z"}, Code.TOO_OLD, "occurred_at"),
    ("no ticket", without(WEIGHING, "ticket_no"), Code.MISSING_IDENTITY, "ticket_no"),
    (
        "no movement",
        without(golden("shipment"), "movement_id"),
        Code.MISSING_IDENTITY,
        "movement_id",
    ),
    (
        "no certificate",
        without(golden("assay"), "certificate_no"),
        Code.MISSING_IDENTITY,
        "certificate_no",
    ),
    ("no claim id", without(golden("claim"), "claim_id"), Code.MISSING_IDENTITY, "claim_id"),
    ("no shot", without(XRF, "shot_no"), Code.MISSING_IDENTITY, "shot_no"),
    ("action", without(golden("action"), "event_id"), Code.MISSING_IDENTITY, "event_id"),
    ("shelved for good", SHELVING, Code.MISSING_FIELD, "until"),
    (
        "shelved for a year",
        {**SHELVING, "until": "2027-11-05T00:00:00Z"},
        Code.BAD_VALUE,
        "until",
    ),
]


def test_a_shelving_ends_within_ninety_days_but_for_what_was_taken_before_it_had_to() -> None:
    end = datetime.fromtimestamp(NOW / 1e6, UTC) + timedelta(days=90)
    taken({**SHELVING, "until": end.isoformat()})
    beyond = {**SHELVING, "until": (end + timedelta(seconds=1)).isoformat()}
    allowed = refused(beyond).allowed
    assert isinstance(allowed, str)
    assert "within 90 days" in allowed
    for old in (SHELVING, beyond):
        # An outbox of old is carried to another gateway as it is.
        [draft] = taken(old, terms(backfill=True)).drafts
        assert isinstance(draft.record, events.ActionTaken)
        assert draft.record.action == "shelve"


def test_a_list_or_a_text_that_is_empty_is_refused_in_words_of_ours() -> None:
    """It was "Tuple should have at least 1 item after validation, not 0"."""
    assert refused({**XRF, "results": []}).allowed == "items: at least 1"
    assert refused({**XRF, "device_id": ""}).allowed == "characters: at least 1"


@pytest.mark.parametrize(
    ("raw", "code", "field"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_what_cannot_be_read_or_weighed_is_refused_by_name(
    raw: object, code: Code, field: str
) -> None:
    refusal = refused(raw)
    assert (refusal.code, refusal.field) == (code, field)
    answer = json.loads(json.dumps(refusal.answer()))
    assert list(answer) == ["result", "code", "field", "found", "allowed"]
    assert answer["result"] == "refused"


def test_every_code_of_the_judge_has_a_case() -> None:
    elsewhere = {Code.UNKNOWN_REFERENCE, Code.DUPLICATE_CONFLICT, Code.ATOMIC_LIST}
    assert {case[2] for case in REFUSED} == set(Code) - elsewhere


def test_of_several_faults_the_first_in_order_of_codes_is_answered() -> None:
    faults: list[tuple[Code, dict[str, object]]] = [
        (Code.UNKNOWN_TYPE, {"type": "nothing"}),
        (Code.UNKNOWN_FIELD, {"colour": "red"}),
        (Code.MISSING_FIELD, {"device_id": ""}),
        (Code.BAD_VALUE, {"purpose": "sale"}),
        (Code.WRONG_UNIT, {"tare_kg": {"value": 1, "unit": "stone"}}),
        (Code.NOT_A_NUMBER, {"volume_m3": "wide"}),
        (Code.NEGATIVE_MASS, {"u_random_kg": -1}),
        (Code.NET_MISMATCH, {"net_kg": 1}),
        (Code.TOO_OLD, {"occurred_at": "1999-01-01T00:00:00Z"}),
        (Code.MISSING_IDENTITY, {"ticket_no": None}),
    ]
    raw = dict(WEIGHING)
    for code, fault in reversed(faults):
        raw.update(fault)
        assert refused(raw).code is code


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"analyte": "Cu", "value": -5, "unit": "pct"}, Code.FRACTION_OUT_OF_RANGE),
        ({"analyte": "Cu", "value": 150, "unit": "pct"}, Code.FRACTION_OUT_OF_RANGE),
        ({"analyte": "Cu", "value": 5, "unit": "percent"}, Code.WRONG_UNIT),
    ],
)
def test_the_only_result_of_a_shot_is_named_where_it_is_bad(
    result: dict[str, object], code: Code
) -> None:
    refusal = refused({**XRF, "results": [result]})
    assert (refusal.code, refusal.field.startswith("results.0")) == (code, True)
    assert refused({**XRF, "results": []}).code is Code.MISSING_FIELD


def test_the_id_of_another_event_is_refused_and_its_own_or_a_random_one_is_not() -> None:
    own = taken(WEIGHING).event_id
    assert taken({**WEIGHING, "event_id": own}).event_id == own
    for version in "47":
        random = f"0199f3c0-6d1e-{version}c4a-9b1f-2a5d8c3e7f10"
        assert taken({**WEIGHING, "event_id": random}).event_id == random
    stolen = refused({**WEIGHING, "event_id": own, "ticket_no": "another"})
    assert (stolen.code, stolen.field, stolen.found) == (Code.BAD_VALUE, "event_id", own)
    assert isinstance(stolen.allowed, str)
    assert "device_id, ticket_no" in stolen.allowed
    assert "UUIDv4 or v7" in stolen.allowed
    # A correction derives an id of its own, not that of what it corrects.
    other = "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10"
    correction = {**WEIGHING, "corrects": other}
    mended = taken(correction).event_id
    assert mended != own
    assert taken({**correction, "event_id": mended}).event_id == mended
    assert refused({**correction, "event_id": own}).code is Code.BAD_VALUE


def test_what_is_missing_names_all_that_is_needed() -> None:
    allowed = refused(without(WEIGHING, "site_id")).allowed
    assert isinstance(allowed, list)
    assert {"type", "site_id", "lot_id"} <= set(allowed)
    assert "note" not in allowed
    no_unit = {**golden("assay"), "results": [{"analyte": "Cu", "value": 1, "basis": "dry"}]}
    assert refused(no_unit).allowed is None


def test_a_list_too_long_is_counted_and_not_repeated() -> None:
    refusal = refused({**LOT, "tags": ["t"] * 2001})
    assert (refusal.found, refusal.allowed) == (2001, 2000)


def test_a_closed_list_names_what_is_allowed() -> None:
    assert refused({**WEIGHING, "purpose": "sale"}).allowed == [
        "dispatch",
        "receipt",
        "stock",
        "check",
    ]
    allowed = refused({**WEIGHING, "netkg": 1}).allowed
    assert isinstance(allowed, list)
    assert "net_kg" in allowed
    assert "net_g" not in allowed


@pytest.mark.parametrize(
    ("written", "grams"),
    [
        (30000, 30_000_000),
        (Decimal("30000.0"), 30_000_000),
        ("30000", 30_000_000),
        ({"value": Decimal("30.00"), "unit": "t"}, 30_000_000),
        ({"value": "30000000", "unit": "g"}, 30_000_000),
        (Decimal("30000.0005"), 30_000_000),
        (Decimal("30000.0015"), 30_000_002),
    ],
)
def test_a_mass_is_exact_in_any_of_its_forms(written: object, grams: int) -> None:
    record = taken({**WEIGHING, "net_kg": written}).drafts[0].record
    assert isinstance(record, events.LotWeighed)
    assert record.net_g == grams


def test_net_is_computed_where_it_is_not_sent() -> None:
    record = taken(without(WEIGHING, "net_kg")).drafts[0].record
    assert isinstance(record, events.LotWeighed)
    assert record.net_g == 30_000_000


def test_the_interval_of_a_known_scale_decides_on_net() -> None:
    body = {"class": "III", "interval_kg": 50}
    reference = {**golden("reference"), "body": body}
    record = taken(reference).drafts[0].record
    assert isinstance(record, events.ReferenceSet)
    known = terms(known=Known([record]))
    taken({**WEIGHING, "net_kg": 29_950}, known)
    assert refused({**WEIGHING, "net_kg": 29_949}, known).code is Code.NET_MISMATCH


def test_below_detection_is_no_number() -> None:
    sent = assay(value=Decimal("0.01"), qualifier="<")
    record = taken(sent).drafts[0].record
    assert isinstance(record, events.LotAssayed)
    assert record.results[0].fraction is None
    assert record.results[0].detection_limit_fraction == 0.0001


def test_odd_but_readable_requests_are_accepted_with_warnings() -> None:
    ahead = taken(WEIGHING, now=Micros(NOW - 7 * 86_400_000_000))
    assert [warned.code for warned in ahead.warnings] == [
        "unknown_site",
        "unknown_device",
        "clock_ahead",
    ]
    old = taken({**WEIGHING, "occurred_at": "2025-11-03T06:42:10+02:00"})
    assert "old_date" in [warned.code for warned in old.warnings]


def test_known_things_are_not_remarked_upon_and_strict_refuses_the_others() -> None:
    site = {**golden("reference"), "kind": "site", "id": "MINE-KOV", "body": {}}
    records = [taken(raw).drafts[0].record for raw in (site, golden("reference"))]
    known = Known([record for record in records if isinstance(record, events.ReferenceSet)])
    assert taken(WEIGHING, terms(known=known)).warnings == ()
    strict = terms(known=known, strict_reference=True)
    taken(WEIGHING, strict)
    refusal = refused({**WEIGHING, "device_id": "WB-9"}, strict)
    assert (refusal.code, refusal.field, refusal.found) == (
        Code.UNKNOWN_REFERENCE,
        "device_id",
        "WB-9",
    )


def test_a_backfill_takes_facts_of_any_age_without_remark() -> None:
    old = {**WEIGHING, "occurred_at": "2015-11-03T06:42:10+02:00"}
    codes = [warned.code for warned in taken(old, terms(backfill=True)).warnings]
    assert codes == ["unknown_site", "unknown_device"]


def test_the_same_natural_key_gives_the_same_id_and_other_keys_others() -> None:
    first = taken(ticket(1)).event_id
    assert taken(ticket(1), now=Micros(NOW + 5)).event_id == first
    assert taken(ticket(1, net_kg=29_999)).event_id == first
    assert taken(ticket(2)).event_id != first
    assert taken(ticket(1, corrects=first)).event_id != first
    assert first[14] == "8"
    assert first[19] in "89ab"


def test_an_id_of_the_senders_own_is_kept_in_lower_case() -> None:
    own = "0199F3C0-6D1E-7C4A-9B1F-2A5D8C3E7F10"
    raw = {**without(WEIGHING, "ticket_no"), "event_id": own}
    assert taken(raw).event_id == own.lower()


def test_equal_content_has_equal_digests_however_it_is_written() -> None:
    written = {**WEIGHING, "net_kg": "30000.0", "occurred_at": "2026-11-03T04:42:10Z"}
    later = taken({**written, "clock_skew_ms": 40}, now=Micros(NOW + 1))
    assert later.drafts[0].content == taken(WEIGHING).drafts[0].content
    assert taken({**WEIGHING, "vehicle_id": "X"}).drafts[0].content != later.drafts[0].content


def test_a_process_is_cut_into_one_record_per_side() -> None:
    accepted = taken(PROCESSING)
    parts = [draft.record for draft in accepted.drafts]
    assert [draft.part for draft in accepted.drafts] == [
        "input",
        "output",
        "loss",
        "added",
        "close",
    ]
    assert all(isinstance(part, events.MaterialProcessed) for part in parts)
    lots = [part.lot_id for part in parts if isinstance(part, events.MaterialProcessed)]
    assert lots == ["L-24-0117", None, None, None, None]
    assert len({part.event_id for part in parts}) == 5


def test_a_side_has_the_same_id_alone_as_in_the_whole_process() -> None:
    alone = without(PROCESSING, "outputs", "losses", "attributes", "close")
    assert taken(alone).drafts[0].record.event_id == taken(PROCESSING).drafts[0].record.event_id


def test_a_lot_that_goes_in_twice_gives_two_records() -> None:
    side = {"lot_id": "L-1", "mass_wet_kg": 10}
    ids = [d.record.event_id for d in taken({**PROCESSING, "inputs": [side, side]}).drafts]
    assert len(set(ids)) == 6


def added(raw: object) -> events.MaterialProcessed:
    (record,) = [draft.record for draft in taken(raw).drafts if draft.part == "added"]
    assert isinstance(record, events.MaterialProcessed)
    return record


def test_what_a_plant_adds_is_one_record_without_mass_under_its_process() -> None:
    record = added(PROCESSING)
    assert (record.lot_id, record.process_id, record.part_no) == (None, "P-77", 0)
    assert (record.mass_wet_g, record.mass_dry_g, record.u_mass_g) == (None, None, None)
    assert [(a.name, a.amount, a.per) for a in record.attributes] == [
        ("ghg", 4200.0, "total"),
        ("water", 0.8, "t_dry"),
    ]
    alone = without(PROCESSING, "inputs", "outputs", "losses", "close")
    assert added(alone).event_id == record.event_id
    assert [draft.part for draft in taken(alone).drafts] == ["added"]


def test_other_amounts_of_the_same_moment_are_other_content_under_the_same_id() -> None:
    ghg = {"name": "ghg", "amount": 1, "unit": "kgCO2e", "per": "total", "quality": "measured"}
    other = {**PROCESSING, "attributes": [ghg]}
    assert added(other).event_id == added(PROCESSING).event_id
    contents = {taken(raw).drafts[3].content for raw in (other, PROCESSING)}
    assert len(contents) == 2
    own = {**PROCESSING, "event_id": "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10"}
    assert added(own).event_id != added(PROCESSING).event_id


@pytest.mark.parametrize(
    ("per", "most"),
    [("total", "9000000000000"), ("t_wet", "900000"), ("t_dry", "900000"), ("t_Cu", "900000")],
)
def test_an_amount_is_taken_up_to_what_the_books_can_hold(per: str, most: str) -> None:
    ghg = {"name": "ghg", "unit": "kgCO2e", "per": per, "quality": "measured"}
    for stem in (LOT, PROCESSING):
        for sign in "", "-":
            taken({**stem, "attributes": [{**ghg, "amount": f"{sign}{most}"}]})
            refusal = refused({**stem, "attributes": [{**ghg, "amount": f"{sign}{most}.01"}]})
            assert (refusal.code, refusal.field) == (Code.OUT_OF_RANGE, "attributes.0.amount")
            assert f"-{most} to {most}" in str(refusal.allowed)
    tonnes = 1 if per == "total" else units.MASS_G_MAX // 10**6
    assert int(most) * 10**6 * tonnes < 2**63


@pytest.mark.parametrize("name", ["recycled", "verified"])
def test_a_share_is_taken_up_to_all_in_any_unit_of_a_concentration(name: str) -> None:
    """As it was written; 95 % in ppm is more than an amount per tonne may be, and is none."""
    share = {"name": name, "per": "t_dry", "quality": "declared"}
    for unit, one in units.PER_FRACTION.items():
        for part in "0", "0.95", "1":
            amount = str(Decimal(part) * one)
            record = taken({**LOT, "attributes": [{**share, "amount": amount, "unit": unit}]})
            lot = record.drafts[0].record
            assert isinstance(lot, events.LotDeclared)
            (found,) = lot.attributes
            assert (found.amount, found.unit) == (float(amount), unit)


def test_a_score_is_no_share() -> None:
    score = {"name": "score/IRMA", "per": "t_dry", "quality": "declared", "unit": "fraction"}
    taken({**LOT, "attributes": [{**score, "amount": 75}]})


def test_a_lot_names_its_contract() -> None:
    record = taken(LOT).drafts[0].record
    assert isinstance(record, events.LotDeclared)
    assert record.contract_id == "KOV-LUBCO-2026"


def test_parts_follow_from_the_senders_id_where_there_is_one() -> None:
    own = "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10"
    accepted = taken({**PROCESSING, "event_id": own})
    assert accepted.event_id == own
    assert own not in {draft.record.event_id for draft in accepted.drafts}


def test_a_reference_becomes_one_record_per_partition_under_one_id() -> None:
    drafts = taken(golden("reference")).drafts
    records = [d.record for d in drafts if isinstance(d.record, events.ReferenceSet)]
    assert [record.partition for record in records] == [0, 1, 2, 3]
    assert {replace(record, partition=0) for record in records} == {records[0]}


@pytest.mark.parametrize(
    "raw",
    [
        {**WEIGHING, "\ud800": 1},
        {**WEIGHING, "type": "\ud800"},
        {**WEIGHING, "net_kg": "\ud800"},
        {**WEIGHING, "net_kg": {"\ud800": 1}},
        {**WEIGHING, "occurred_at": "\ud800"},
        {**LOT, "tags": ["\ud800"]},
        {**golden("reference"), "body": {"\ud800": 1}},
        "\ud800",
    ],
    ids=["name", "type", "mass", "unit", "time", "tag", "body", "whole"],
)
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(raw: object) -> None:
    json.dumps(refused(raw).answer(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("request_", "field", "some", "none"),
    [
        ({**WEIGHING, "netkg": 1}, "netkg", {"net_kg", "tare_kg"}, {"analyte"}),
        (assay(percent=1), "results.0.percent", {"analyte", "unit", "value"}, {"net_kg"}),
        (
            {**golden("shipment"), "position": {"lat": 1, "long": 1}},
            "position.long",
            {"lat", "lon"},
            {"site_id"},
        ),
    ],
)
def test_an_unknown_field_is_named_with_those_that_may_stand_there(
    request_: dict[str, object], field: str, some: set[str], none: set[str]
) -> None:
    refusal = accept(request_, NOW, terms())
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field) == (Code.UNKNOWN_FIELD, field)
    assert isinstance(refusal.allowed, list)
    assert some <= set(refusal.allowed)
    assert not none & set(refusal.allowed)
