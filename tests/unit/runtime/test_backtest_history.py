"""Requests to a history: order, repeats, refusals. Source: docs/detection/backtest.md."""

import json
from pathlib import Path
from random import Random

import pytest

from custody.events import Fact, LotWeighed
from demo.day import make_day
from producers.known import Known
from runtime.backtest import history
from runtime.backtest.history import History
from tests.support import tree

LOT = json.loads((tree.ROOT / "examples/lot.ndjson").read_text("utf-8").splitlines()[0])
WEIGHED = {
    "type": "weighing",
    "site_id": "MINE-KOV",
    "lot_id": "L-1",
    "occurred_at": "2026-11-03T06:00:00Z",
    "ticket_no": "1",
    "device_id": "WB-1",
    "purpose": "dispatch",
    "net_kg": 30_000,
}
REFERENCE = {
    "type": "reference",
    "kind": "device",
    "id": "WB-1",
    "valid_from": "2026-01-01T00:00:00Z",
    "body": {"class": "III", "interval_kg": 20},
}


def read(*requests: object) -> History:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in requests]
    return history.read(history.lines_of("facts", lines), Known())


def codes(found: History) -> list[tuple[int, object, object]]:
    return [(one.line.no, one.answer["code"], one.answer["field"]) for one in found.refused]


def test_a_fact_was_recorded_when_it_says_or_else_when_it_occurred() -> None:
    said = WEIGHED | {"ticket_no": "2", "recorded_at": "2026-11-05T00:00:00+02:00"}
    first, second = read(said, WEIGHED).records
    assert isinstance(first, Fact)
    assert isinstance(second, Fact)
    assert first.recorded_at == first.occurred_at
    assert second.recorded_at - second.occurred_at == (40 * 3600) * 1_000_000


def test_reference_data_stands_before_facts_of_the_same_moment() -> None:
    late = REFERENCE | {"recorded_at": WEIGHED["occurred_at"]}
    found = read(WEIGHED, late)
    assert [type(one).__name__ for one in found.records] == ["ReferenceSet", "LotWeighed"]


def test_reference_data_is_known_to_the_judge_wherever_it_stands() -> None:
    """An interval of 20 kg takes 15 kg between net and gross less tare, one of 1 kg does not."""
    fact = WEIGHED | {"gross_kg": 45_000, "tare_kg": 15_015}
    assert read(fact, REFERENCE).refused == []
    fine = REFERENCE | {"body": {"class": "III", "interval_kg": 1}}
    assert codes(read(fact, fine)) == [(1, "net_mismatch", "net_kg")]


def test_a_repeat_counts_once_and_as_early_as_it_was_told() -> None:
    later = WEIGHED | {"recorded_at": "2026-11-09T00:00:00Z"}
    for order in ([WEIGHED, later], [later, WEIGHED]):
        found = read(*order)
        [fact] = found.records
        assert isinstance(fact, Fact)
        assert (found.repeated, fact.recorded_at) == (1, fact.occurred_at)


def test_other_content_under_a_known_id_is_counted_and_told_in_one_order() -> None:
    other, repeat = WEIGHED | {"net_kg": 31_000}, WEIGHED | {"recorded_at": "2026-11-09T00:00:00Z"}
    one, two = read(WEIGHED, other, repeat), read(repeat, other, WEIGHED)
    assert (one.differing, one.repeated) == (two.differing, two.repeated) == (1, 1)
    assert one.records == two.records
    facts = [fact for fact in one.records if isinstance(fact, LotWeighed)]
    assert len({fact.event_id for fact in facts}) == 1
    assert sorted((fact.net_g, fact.recorded_at - fact.occurred_at) for fact in facts) == [
        (30_000_000, 0),
        (31_000_000, 0),
    ]


def test_of_other_contents_of_a_reference_record_the_same_one_stands_in_any_order() -> None:
    other = REFERENCE | {"body": {"class": "III", "interval_kg": 1}}
    one, two = read(REFERENCE, other), read(other, REFERENCE)
    assert (one.differing, len(one.records)) == (two.differing, len(two.records)) == (1, 1)
    assert one.records == two.records


def test_a_correction_speaks_for_whichever_content_stands_under_the_id() -> None:
    other = WEIGHED | {"net_kg": 31_000}
    [first] = read(WEIGHED).records
    right = WEIGHED | {
        "ticket_no": "2", "corrects": first.event_id, "recorded_at": "2026-11-09T00:00:00Z",
    }  # fmt: skip
    found = read(WEIGHED, other, right)
    assert codes(found) == []
    assert len(found.records) == 3


def test_one_number_of_a_certificate_for_two_lots_is_two_facts_in_any_order() -> None:
    """Without a sample its id is of the number alone; each gateway may have taken one of them."""
    mine = {
        "type": "assay", "site_id": "MINE-KOV", "lot_id": "L-1", "lab_id": "LAB-KOV",
        "occurred_at": "2026-11-03T06:00:00Z", "certificate_no": "A-9917", "method": "ICP-OES",
        "stage": "final", "party": "seller",
        "results": [{"analyte": "Cu", "value": 2.5, "unit": "pct", "basis": "dry"}],
    }  # fmt: skip
    other = mine | {"lot_id": "L-2"}
    one, two = read(mine, other, mine), read(other, mine, other)
    assert one.records == two.records
    assert [getattr(record, "lot_id", "") for record in one.records] == ["L-1", "L-2"]
    assert (one.differing, one.repeated) == (0, 1)


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("{", "bad_value", ""),
        ("[1]", "bad_value", ""),
        ({"type": "weighing"}, "missing_field", "occurred_at"),
        (WEIGHED | {"recorded_at": "yesterday"}, "bad_value", "recorded_at"),
        (WEIGHED | {"net_kg": -1}, "negative_mass", "net_kg"),
        ({"type": "action", "event_id": "x"}, "missing_field", "recorded_at"),
    ],
)
def test_what_is_no_request_is_refused_by_its_line(line: object, code: str, field: str) -> None:
    found = read(WEIGHED, line)
    assert codes(found) == [(2, code, field)]
    assert len(found.records) == 1


def test_many_lines_are_judged_by_several_processes_to_the_same_history(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del tmp_path
    lines = [json.dumps(one) for one in make_day(3).sent[:400]]
    alone = read(*lines)
    told: list[int] = []
    monkeypatch.setattr(history, "PIECE_LINES", 100)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    shuffled = lines + lines[:40]
    Random(7).shuffle(shuffled)
    together = history.read(history.lines_of("x", shuffled), Known(), told.append)
    assert together.records == alone.records
    assert together.repeated == alone.repeated + 40
    assert sum(told) <= len(shuffled)


TOOK = {
    "type": "processing",
    "event_id": "00000000-0000-7000-8000-000000000001",
    "site_id": "PLANT",
    "process_id": "P-1",
    "kind": "blend",
    "occurred_at": "2026-11-03T06:00:00Z",
    "inputs": [{"lot_id": "L-1", "mass_wet_kg": 30_000}],
}
RIGHT = TOOK | {
    "event_id": "00000000-0000-7000-8000-000000000002",
    "inputs": [{"lot_id": "L-1", "mass_wet_kg": 3_000}],
    "recorded_at": "2026-11-05T06:00:00Z",
}


def test_a_correction_of_a_whole_process_request_is_refused_as_a_gateway_refuses_it() -> None:
    """A gateway corrects parts: with the request's own id the input counted twice."""
    [side] = read(TOOK).records
    whole = RIGHT | {"corrects": TOOK["event_id"]}
    for order in ([TOOK, whole], [whole, TOOK]):
        found = read(*order)
        assert [code for _, code, _ in codes(found)] == ["correction_mismatch"]
        assert found.records == [side]
    found = read(TOOK, RIGHT | {"corrects": side.event_id})
    assert codes(found) == []
    assert len(found.records) == 2


def test_a_correction_that_is_about_another_lot_is_refused() -> None:
    [side] = read(TOOK).records
    other = [{"lot_id": "L-2", "mass_wet_kg": 3_000}]
    found = read(TOOK, RIGHT | {"corrects": side.event_id, "inputs": other})
    assert codes(found) == [(2, "correction_mismatch", "corrects")]
    assert found.refused[0].answer["found"] == "processing of L-2"


def test_a_correction_that_a_gateway_took_before_its_target_stands() -> None:
    early = RIGHT | {"corrects": TOOK["event_id"], "recorded_at": "2026-11-03T05:00:00Z"}
    found = read(TOOK, early)
    assert codes(found) == []
    assert len(found.records) == 2
    assert codes(read(RIGHT | {"corrects": TOOK["event_id"]})) == []


def test_a_certificate_of_two_lots_is_corrected_for_either() -> None:
    certificate = {
        "type": "assay",
        "event_id": TOOK["event_id"],
        "site_id": "MINE-KOV",
        "occurred_at": "2026-11-03T06:00:00Z",
        "lab_id": "LAB",
        "stage": "final",
        "party": "seller",
        "certificate_no": "C-1",
        "results": [{"analyte": "Cu", "value": 2.5, "unit": "pct", "basis": "dry"}],
    }
    both = [certificate | {"lot_id": lot} for lot in ("L-1", "L-2")]
    right = [
        one | {"event_id": f"00000000-0000-7000-8000-00000000001{no}", "corrects": TOOK["event_id"]}
        for no, one in enumerate(both)
    ]
    assert codes(read(*both, *right)) == []
    assert [code for _, code, _ in codes(read(*both, right[0] | {"lot_id": "L-3"}))] == [
        "correction_mismatch"
    ]
