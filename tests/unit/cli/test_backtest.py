"""``custody backtest``: a planted swap is found by its lot, and files do not depend on order."""

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from demo.day import Day, make_day, recorded
from runtime.cli import main as edge
from tests.support import recomputed, tree

SEED = 5
PLANTED = 2
"""A day without a bad shot: one day in three has one, and the gate says so."""
SWAP = ("swap",)
LOTS = 120
"""Lots of the planted file: enough to be silent about, and quick."""


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(SEED)


def written(path: Path, requests: Iterable[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in requests), "utf-8")
    return str(path)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_frauds_are_found_by_lot_and_the_rest_is_silent(
    day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, alerts = written(tmp_path / "day.ndjson", day.sent), tmp_path / "alerts.ndjson"
    # One line of the day is refused: its net is not gross less tare.
    assert edge.run(["backtest", "--facts", facts, "--alerts", str(alerts)]) == edge.FOUND
    last = {str(one["alert_id"]): one for one in lines(alerts)}
    tests = {o["lot_id"] for o in last.values() if o["state"] == "open" and o["family"] != "ledger"}
    frauds = {fraud.lot_id for fraud in day.frauds}
    assert frauds <= tests
    # One clean lot in a thousand may be doubted, and there are some 300.
    assert len(tests - frauds) <= 1
    said = capsys.readouterr()
    assert "1 repeated, 1 refused" in said.out
    assert "net_mismatch" in said.err
    assert {str(o["rule"]) for o in last.values()} >= {"lot_eprocess", "instrument_bias"}
    for script in recomputed.names():
        assert recomputed.said_by(script, lines(alerts)) == (0, [])


def test_a_number_for_two_lots_and_a_copied_receipt_are_found(tmp_path: Path) -> None:
    """A certificate without sample and id of its own; a second receiver's papers as they were."""
    facts: list[dict[str, object]] = []
    for no, lot in enumerate(("L-1", "L-2")):
        facts.append(
            {
                "type": "assay", "site_id": "MINE", "lot_id": lot, "lab_id": "LAB",
                "occurred_at": f"2026-11-0{3 + no}T15:00:00Z", "certificate_no": "A-9917",
                "method": "ICP-OES", "stage": "final", "party": "seller",
                "results": [{"analyte": "Cu", "value": 2.5, "unit": "pct", "basis": "dry"}],
            }
        )  # fmt: skip
    for no, (kind, site) in enumerate(
        (("dispatch", "MINE"), ("receipt", "DEPOT"), ("receipt", "PORT"))
    ):
        facts.append(
            {
                "type": "shipment", "site_id": site, "lot_id": "L-1", "kind": kind,
                "occurred_at": f"2026-11-05T1{no}:00:00Z", "movement_id": "WAY-1",
                "from_site": "MINE", "to_site": "DEPOT", "vehicle_id": "CGO 1",
            }
        )  # fmt: skip
    alerts = tmp_path / "alerts"
    edge.run(["backtest", "--facts", written(tmp_path / "facts", facts), "--alerts", str(alerts)])
    found = {(one["rule"], one["subject"]) for one in lines(alerts) if one["state"] == "open"}
    assert {
        ("double_receipt", "lot/L-1"),
        ("certificate_reused", "certificate/LAB|A-9917"),
    } <= found


@pytest.mark.slow
def test_of_copies_that_differ_the_earlier_counts_and_it_is_found(tmp_path: Path) -> None:
    """As in the worker, in any order of the lines; the least content counted, and nothing said."""
    declared: dict[str, object] = {
        "type": "lot", "site_id": "MINE", "lot_id": "L-1", "commodity": "copper", "form": "ore",
        "custody_model": "segregated", "occurred_at": "2026-11-02T06:00:00Z",
        "event_id": str(UUID(int=1, version=4)),
    }  # fmt: skip
    copies: list[dict[str, object]] = [
        {
            "type": "weighing", "site_id": "MINE", "lot_id": "L-1", "device_id": "WB",
            "purpose": "stock", "net_kg": net, "event_id": str(UUID(int=2, version=4)),
            "occurred_at": f"2026-11-02T{occurred}:00Z",
            "recorded_at": f"2026-11-02T{recorded}:00:00Z",
        }
        for net, occurred, recorded in (
            (100_000, "07:00", "10"), (90_000, "07:00", "11"), (80_000, "06:54", "12"),
        )
    ]  # fmt: skip
    said: list[object] = []
    for order in ([declared, *copies], [*reversed(copies), copies[0], declared]):
        facts = written(tmp_path / "facts.ndjson", order)
        alerts, books = tmp_path / "alerts.ndjson", tmp_path / "books.ndjson"
        files = ["--alerts", str(alerts), "--balances", str(books)]
        assert edge.run(["backtest", "--facts", facts, *files]) == 0
        last = {str(one["alert_id"]): one for one in lines(alerts)}
        assert [(o["rule"], o["state"]) for o in last.values()] == [("event_id_conflict", "open")]
        (held,) = [one for one in lines(books) if str(one["owner"]) == "lot/L-1"]
        assert held["mass_wet_g"]["value"] == 80_000_000  # type: ignore[index]
        said.append((lines(alerts), held))
    assert said[0] == said[1]


def test_a_planted_swap_is_found_by_its_lot_in_a_file_that_is_silent_without_it(
    tmp_path: Path,
) -> None:
    days = {name: make_day(PLANTED, kinds) for name, kinds in (("as it is", ()), ("one", SWAP))}
    [fraud] = days["one"].frauds
    said: dict[str, list[dict[str, object]]] = {}
    for name, day in days.items():
        facts = written(tmp_path / name, recorded(some_of(day, fraud.lot_id)))
        alerts = tmp_path / f"{name}.alerts"
        edge.run(["backtest", "--facts", facts, "--alerts", str(alerts)])
        said[name] = lines(alerts)
    assert said["as it is"] == []
    assert {one["lot_id"] for one in said["one"]} == {fraud.lot_id}
    last = {str(one["alert_id"]): one for one in said["one"]}
    tests = [one for one in last.values() if one["family"] != "ledger"]
    assert [(one["state"], one["family"]) for one in tests] == [("open", "foreign_material")]


def some_of(day: Day, lot_id: str) -> list[dict[str, object]]:
    """Return what is said of some lots of a day, one lot among them, and of the plant."""
    kept = {lot_id, *(lot.lot_id for lot in day.departed if len(lot.loads) < 8)}
    kept = {lot_id, *sorted(kept)[:LOTS]}
    return [r for r in day.sent if r["type"] == "reference" or r.get("lot_id") in kept]


def test_shuffled_lines_with_repeats_give_the_same_files(
    day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The morning: what a record leads to does not depend on how many there are.
    sent = list(day.sent)[:2500]
    other = sent + Random(1).sample(sent, len(sent) // 10)
    Random(2).shuffle(other)
    one, two = tmp_path / "one", tmp_path / "two"
    for path, requests, against in ((one, sent, []), (two, other, [f"{one}.alerts"])):
        edge.run(
            [
                "backtest", "--json", "--facts", written(path, requests),
                "--alerts", f"{path}.alerts", "--balances", f"{path}.balances",
                *(word for name in against for word in ("--against", name)),
            ]
        )  # fmt: skip
    for kind in ("alerts", "balances"):
        assert Path(f"{one}.{kind}").read_bytes() == Path(f"{two}.{kind}").read_bytes()
    assert Path(f"{one}.balances").stat().st_size > 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["record"] for line in said].count("run") == 2
    assert not [line for line in said if line["record"] == "difference"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no history to run over"),
        (["--facts", "{facts}", "--against", "{facts}"], "line 1 is no alert"),
        (["--facts", "{facts}", "--against", "{dir}/none"], "does not exist"),
        (["--facts", "{facts}", "--against", "{dir}"], "is a directory"),
        (["--facts", "{facts}", "--alerts", "{dir}/none/a"], "not written"),
        (["--facts", "{dir}/none"], "No such file"),
        (["--facts", "{facts}", "--set", "detection.alpha=1"], "detection.threshold"),
        (["--facts", "{facts}", "--since", "2026-03-01"], "--from-warehouse"),
        (["--from-warehouse", "--since", "2026-03-02", "--until", "2026-03-01"], "before --until"),
    ],
)
def test_wrong_use_is_said_in_a_line(
    arguments: list[str], words: str, day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = written(tmp_path / "facts", day.sent[:5])
    filled = [one.format(facts=facts, dir=tmp_path) for one in arguments]
    assert edge.run(["backtest", *filled]) in (edge.WRONG_USE, edge.OUTSIDE)
    assert words in capsys.readouterr().err


def test_a_byte_that_is_no_utf8_refuses_its_line_and_no_more(
    day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "latin.ndjson"
    some = [
        json.dumps(one | {"note": "Soci\u00e9t\u00e9"}, ensure_ascii=False) for one in day.sent[:3]
    ]
    # A mark of byte order, a line as it should be, one in Latin-1, one as it should be.
    facts.write_bytes(
        b"\xef\xbb\xbf" + f"{json.dumps(day.sent[0])}\n".encode()
        + f"{some[1]}\n".encode("latin-1") + f"{json.dumps(day.sent[2])}\n".encode()
    )  # fmt: skip
    assert edge.run(["backtest", "--facts", str(facts)]) == edge.FOUND
    out, err = capsys.readouterr()
    assert f"{facts}:2: bad_value" in err
    assert "text in UTF-8" in err
    assert "2 records, 0 repeated, 1 refused" in out
    assert edge.run(["backtest", "--facts", str(facts), "--against", str(facts)]) == edge.WRONG_USE
    assert "line 1 is no alert" in capsys.readouterr().err


def test_a_set_threshold_is_used_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    facts = tree.ROOT / "examples/lot.ndjson"
    command = ["backtest", "--facts", str(facts), "--set", "detection.threshold=50"]
    assert edge.run(command) == edge.DONE
    assert "set for this run: detection.threshold = 50\n" in capsys.readouterr().out
    assert edge.run([*command, "--json"]) == edge.DONE
    run = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (run["record"], run["set"]) == ("run", {"detection.threshold": 50})
