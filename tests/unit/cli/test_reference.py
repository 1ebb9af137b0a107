"""A reference record's body is judged here before it is sent."""

import io
import json

import pytest

from runtime.cli.events import Run, lines_of, send
from runtime.cli.reference import judged, refusal_of
from tests.unit.cli.test_events import Gateway

DEVICE = {
    "type": "reference",
    "kind": "device",
    "id": "WB-1",
    "valid_from": "2026-01-01T00:00:00Z",
}
WRONG = {"class": "III", "interval_kg": -20, "u_systematic_rel": "two"}


def test_all_that_is_wrong_with_a_body_is_told_and_the_line_counts_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = json.dumps({**DEVICE, "body": WRONG}) + "\n"
    gateway, run = Gateway(), Run(as_json=False)
    send(gateway, judged(lines_of(io.StringIO(text))), run, {}, 200, lambda _: None)
    assert gateway.lists == []
    assert run.finish() == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in said[1:3]] == [
        ["1", "bad_body", "body.interval_kg"],
        ["1", "bad_body", "body.u_systematic_rel"],
    ]
    assert said[-1] == "accepted 0, duplicate 0, refused 1"


def test_in_json_the_others_stand_beside_the_first_and_one_fault_stands_alone() -> None:
    refusal = refusal_of({**DEVICE, "body": WRONG})
    assert refusal is not None
    first = {"result": "refused", "code": "bad_body", "field": "body.interval_kg", "found": -20}
    assert refusal.items() >= first.items()
    other = {"field": "body.u_systematic_rel", "found": "two", "allowed": "number"}
    assert refusal["also"] == [other]
    alone = refusal_of({**DEVICE, "body": {"class": "III", "interval_kg": -20}})
    assert alone is not None
    assert "also" not in alone
