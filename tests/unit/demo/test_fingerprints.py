"""The demo's reference data about ore is what ``custody calibrate`` says of days before its own."""

import json
from pathlib import Path
from typing import cast

import pytest

from demo.day import FIRST_DAY, ndjson
from demo.fingerprints import fingerprints, records
from demo.history import DAYS, history
from demo.plant import ANALYTES, MINES
from demo.references import references
from demo.requests import Request
from runtime.cli import main as edge


@pytest.mark.slow
def test_what_is_kept_is_what_calibrate_says_of_the_history(tmp_path: Path) -> None:
    facts, out = tmp_path / "history.ndjson", tmp_path / "calibrated.ndjson"
    facts.write_bytes(b"".join(ndjson(list(history()))))
    assert edge.run(["calibrate", "--facts", str(facts), "--out", str(out)]) == edge.DONE
    written = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    found = [one for one in written if one["kind"] == "fingerprint"]
    assert [one["id"] for one in found] == sorted(MINES)
    for one, kept in zip(found, records(), strict=True):
        new, old = one.pop("body"), cast("Request", kept.pop("body"))
        # Another build of the linear algebra may differ in a last digit.
        for name in ("ln_mean", "ln_covariance"):
            flat, there = _flat(new.pop(name)), _flat(old.pop(name))
            assert flat == pytest.approx(there, rel=1e-4, abs=1e-6)
        assert (one, new) == (kept, old)


def _flat(value: object) -> list[float]:
    if isinstance(value, list):
        return [x for part in value for x in _flat(part)]
    return [float(str(value))]


def test_the_history_is_of_days_before_the_first() -> None:
    assert max(DAYS) < 0
    for one in records():
        body = cast("Request", one["body"])
        assert str(body["date"]) < FIRST_DAY.date().isoformat()
        assert str(one["valid_from"]) < FIRST_DAY.isoformat()


def test_both_mines_are_known_from_hundreds_of_lots_and_announced_with_the_plant() -> None:
    assert set(fingerprints()) == set(MINES)
    assert all(set(one.analytes) == set(ANALYTES) for one in fingerprints().values())
    assert min(one.samples for one in fingerprints().values()) > 500
    told = [r for r in references() if r["kind"] == "fingerprint"]
    assert told == records()
