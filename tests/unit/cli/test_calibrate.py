"""``custody calibrate``: what it writes is read back, and makes a backtest name the swap."""

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from custody.detect.calibration_report import _mean
from custody.detect.lot_facts import Known
from custody.detect.lot_model import errors, fingerprint
from demo.day import make_day
from runtime.cli import main as edge
from runtime.json_schema import faults
from tests.support import tree
from tests.support.facts import event_id

HISTORY = (10, 11, 12)
JUDGED = 40
CLEAN_LOTS = 70
"""Lots of a day that are told, besides those with a fraud: enough to learn from, and quick."""

Request = dict[str, object]


def requests_of(seed: int, *, frauds: bool) -> list[Request]:
    """Some lots of a day, reference records of the plant with them; processes are left out."""
    day = make_day(seed)
    told = [r for r in day.sent if r.get("kind") != "fingerprint"]
    bad = {fraud.lot_id for fraud in day.frauds}
    clean = [lot.lot_id for lot in day.departed if lot.lot_id not in bad and len(lot.loads) == 1]
    kept = {*clean[:CLEAN_LOTS], *(bad if frauds else ())}
    return [r for r in told if r["type"] == "reference" or r.get("lot_id") in kept]


def written(path: Path, requests: Iterable[Request]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in requests), "utf-8")
    return str(path)


def lines(path: Path) -> list[Request]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def history() -> list[Request]:
    return [one for seed in HISTORY for one in requests_of(seed, frauds=False)]


@pytest.fixture(scope="module")
def reference(history: list[Request], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrated")
    out = folder / "reference.ndjson"
    facts = written(folder / "history", history)
    assert edge.run(["calibrate", "--facts", facts, "--out", str(out)]) == edge.DONE
    return out


@pytest.mark.slow
def test_with_what_it_writes_a_swap_is_named_by_what_it_is(reference: Path, tmp_path: Path) -> None:
    facts = written(tmp_path / "day", requests_of(JUDGED, frauds=True))
    found: dict[str, dict[str, str]] = {}
    for name, more in (("before", []), ("after", ["--reference", str(reference)])):
        alerts = tmp_path / name
        edge.run(["backtest", "--facts", facts, *more, "--alerts", str(alerts)])
        last = {one["alert_id"]: one for one in lines(alerts)}
        found[name] = {
            str(one["lot_id"]): str(one["family"])
            for one in last.values()
            if one["state"] == "open" and one["rule"] == "lot_eprocess"
        }
    frauds = {fraud.lot_id: fraud.kind for fraud in make_day(JUDGED).frauds}
    assert set(found["after"]) == set(frauds)
    swaps = [lot for lot, kind in frauds.items() if kind == "swap"]
    assert {found["before"].get(lot) for lot in swaps} == {"omnibus"}
    blends = [lot for lot, kind in frauds.items() if kind == "blend"]
    assert not found["before"].keys() & blends
    assert {found["after"][lot] for lot in blends} == {"origin_mismatch"}
    assert {found["after"][lot] for lot in swaps} == {"foreign_material"}


@pytest.mark.slow
def test_records_follow_their_schemas_and_are_read_back(reference: Path) -> None:
    records = lines(reference)
    by_name = {(str(one["kind"]), str(one["id"])): one for one in records}
    assert list(by_name) == sorted(by_name)
    for (kind, _), one in by_name.items():
        schema = json.loads(tree.text(Path(f"schemas/json/reference-{kind}.json")))
        # The demo dates calibrations by a time, and what was there is kept.
        assert {fault.field for fault in faults(schema, one["body"])} <= {"calibrated_until"}
    site = by_name["fingerprint", "MINE-DUN"]["body"]
    read = fingerprint("MINE-DUN", json.dumps(site))
    assert read is not None
    assert read.analytes == ("Co", "Cu", "Fe", "Ni", "S", "Zn")
    assert read.lots > 50
    way = json.dumps(by_name["detection", "way/MINE-DUN"]["body"])
    known = errors(way, ("MINE-DUN", "CONC-HOY"))
    assert known["LAB-DUN", "Cu"] == Known(0.0, 1e-5)
    # An instrument that another day found otherwise is not known well: the demo's differ by day.
    assert known["XRF-DUN-1", "Cu"].u > 0.01
    limit = by_name["detection", "lot"]["body"]
    assert isinstance(limit, dict)
    assert "threshold" not in limit
    assert "too few to calibrate" in limit["basis"]


@pytest.mark.slow
def test_shuffled_lines_give_the_same_file_and_named_lots_are_left_out(
    history: list[Request], reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = history + Random(1).sample(history, len(history) // 10)
    Random(2).shuffle(other)
    facts, out = written(tmp_path / "facts", other), tmp_path / "out"
    edge.run(["calibrate", "--json", "--facts", facts, "--out", str(out)])
    assert out.read_bytes() == reference.read_bytes()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = {line["figure"] for line in told if line["record"] == "figure"}
    assert names >= {"fingerprint", "expected loss", "mean error", "heterogeneity", "threshold"}
    lot = next(str(one["lot_id"]) for one in history if one["type"] == "lot")
    (tmp_path / "bad").write_text(f"{lot}\n\nL-NONE\n", "utf-8")
    few = written(tmp_path / "few", [one for one in history if one["type"] == "reference"
                                     or str(one["lot_id"]).startswith("L-10")])  # fmt: skip
    action = {
        "type": "action", "action": "resolve", "alert_id": "a", "version": 1,
        "actor": "ana", "recorded_at": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    others = sorted({str(one["lot_id"]) for one in history if one["type"] == "lot"} - {lot})[:2]
    said = written(
        tmp_path / "said",
        [
            {
                **action,
                "event_id": event_id("a"),
                "subject": f"lot/{others[0]}",
                "resolution": "confirmed_fraud",
                "reason": "two bags of sand",
            },
            {
                **action,
                "event_id": event_id("b"),
                "alert_id": "b",
                "subject": f"lot/{others[1]}",
                "resolution": "false_alarm",
                "reason": "confirmed_fraud was too quick",
            },
        ],
    )  # fmt: skip
    edge.run(
        [
            "calibrate", "--json", "--facts", few, "--facts", said, "--out", str(out),
            "--exclude-lots", str(tmp_path / "bad"), "--valid-from", "2026-01-02",
        ]
    )  # fmt: skip
    run = [json.loads(line) for line in capsys.readouterr().out.splitlines()][-1]
    assert run["left_out"] == sorted([lot, others[0]])
    assert run["not_found"] == ["L-NONE"]
    assert {one["valid_from"] for one in lines(out)} == {"2026-01-02T00:00:00Z"}


def test_a_named_lot_that_the_history_does_not_have_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = [one for one in requests_of(JUDGED, frauds=False) if one["type"] != "reference"]
    some = sorted({str(one["lot_id"]) for one in day})[:3]
    facts = written(tmp_path / "facts", [one for one in day if one["lot_id"] in some])
    (tmp_path / "bad").write_bytes(
        f"\ufeff{some[0]}\nL-O815\n{some[1].lower()}\n".encode() + b"\xe9\n"
    )
    ran = edge.run(
        ["calibrate", "--facts", facts, "--out", str(tmp_path / "out"),
         "--exclude-lots", str(tmp_path / "bad")]
    )  # fmt: skip
    said = capsys.readouterr().out
    assert ran == edge.DONE
    assert "2 lots, 1 left out" in said
    [line] = [one for one in said.splitlines() if "--exclude-lots" in one]
    assert line.startswith("3 of --exclude-lots in no fact of the history")
    assert line.endswith(f": L-O815, \\xe9, {some[1].lower()}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "{dir}/out"], "custody calibrate --help"),
        (["--facts", "{facts}", "--out", "{dir}/out"], "no lot of the history was measured"),
    ],
)
def test_wrong_use_is_said_in_a_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = written(tmp_path / "facts", requests_of(JUDGED, frauds=True)[:5])
    filled = [one.format(facts=facts, dir=tmp_path) for one in arguments]
    assert edge.run(["calibrate", *filled]) == edge.WRONG_USE
    assert words in capsys.readouterr().err


def test_a_mean_that_is_what_sums_leave_of_zero_is_shown_as_zero() -> None:
    small, some = (_mean(Known(mean, 1.117e-4)) for mean in (9.938e-21, 1.2e-6))
    assert (small, some) == (0.0, 1.2e-6)
    assert str(_mean(Known(-2.254e-19, 1.4e-4))) == "0.0"
