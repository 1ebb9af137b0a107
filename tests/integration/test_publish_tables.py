"""Tables through a real gateway: refused rows are mended, and only what is new is added."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.mapping.faults import BadTable
from runtime.cli import main
from tests.support import gateway
from tests.support.commanded import commanded
from tests.support.tables import weighing
from tests.support.tree import ROOT

pytestmark = pytest.mark.integration

HEAD = "ticket,at,lot,net\n"


@pytest.fixture
def custody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with commanded(tmp_path, monkeypatch):
        yield


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    path = tmp_path / "map.toml"
    path.write_text(weighing())
    return str(path)


def _at(no: int) -> str:
    return f"2026-11-03 06:{no % 60:02}"


@pytest.mark.usefixtures("custody")
def test_mended_rows_are_added_and_the_rest_is_a_duplicate(
    tmp_path: Path, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "day.csv"
    rows = [f"T-{no},{_at(no)},L-{no % 7},{30000 + no}" for no in range(450)]
    rows[10] = f",{_at(10)},L-1,30010"
    rows[20] = f"T-20,{_at(20)},L-1,30 020"
    rows[30] = f"T-30,{_at(30)},,30030"
    table.write_text(HEAD + "\n".join(rows) + "\n")
    assert main.run(["publish", str(table), "--mapping", mapping]) == main.FOUND
    out = capsys.readouterr()
    assert "accepted 447, duplicate 0, refused 3" in out.out
    refused = tmp_path / "day.csv.refused.csv"
    assert str(refused) in out.err
    text = refused.read_text()
    assert "12,missing_identity,ticket_no,\"column 'ticket' is empty; without it" in text
    assert "22,not_a_number,net_kg," in text
    assert "32,missing_field,lot_id," in text

    mended = text.replace(f"\n,{_at(10)}", f"\nT-10,{_at(10)}").replace("30 020", "30020", 1)
    refused.write_text(mended)
    assert main.run(["publish", str(refused), "--mapping", mapping]) == main.FOUND
    assert "accepted 2, duplicate 0, refused 1" in capsys.readouterr().out

    rows[10], rows[20] = f"T-10,{_at(10)},L-1,30010", f"T-20,{_at(20)},L-1,30020"
    rows[30] = f"T-30,{_at(30)},L-2,30030"
    table.write_text(HEAD + "\n".join(rows) + "\n")
    assert main.run(["publish", str(table), "--mapping", mapping]) == 0
    assert "accepted 1, duplicate 449, refused 0" in capsys.readouterr().out
    assert not refused.exists()


@pytest.mark.usefixtures("custody")
def test_json_names_row_record_and_column(
    tmp_path: Path, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "day.csv"
    table.write_text(f"{HEAD}T-1,{_at(1)},L-1,-5\nT-2,{_at(2)},L-2,x\n")
    assert main.run(["publish", "--json", str(table), "--mapping", mapping]) == main.FOUND
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["row"] == 2
    assert (first["record"], first["column"], first["code"]) == (1, "net", "negative_mass")
    assert (second["row"], second["column"], second["code"]) == (3, "net", "not_a_number")


@pytest.mark.usefixtures("custody")
def test_a_dry_run_sends_and_writes_nothing(
    tmp_path: Path, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "day.csv"
    lines = (f"T-1,{_at(1)},L-1,1", f"T-2,{_at(2)},L-1,x", f"T-1,{_at(1)},L-1,2")
    table.write_text(HEAD + "\n".join(lines) + "\n")
    before = sorted(p.name for p in tmp_path.iterdir())
    assert main.run(["publish", str(table), "--mapping", mapping, "--dry-run"]) == main.FOUND
    out = capsys.readouterr().out
    assert "accepted 1, duplicate 0, refused 2" in out
    assert "duplicate_conflict" in out
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    good = tmp_path / "good.csv"
    good.write_text(f"{HEAD}{lines[0]}\n")
    assert main.run(["publish", str(good), "--mapping", mapping]) == 0
    assert "accepted 1, duplicate 0" in capsys.readouterr().out


@pytest.mark.usefixtures("custody")
def test_what_was_sent_before_a_broken_row_stays_and_the_error_names_the_row(
    tmp_path: Path, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "day.csv"
    table.write_text(HEAD + f"T-1,{_at(1)},L-1,1\n" + "x" * 200_000)
    arguments = ["publish", str(table), "--mapping", mapping, "--list-requests", "1"]
    assert main.run(arguments) == main.WRONG_USE
    said = capsys.readouterr().err
    assert "row 3: longer than" in said
    assert "Traceback" not in said
    assert not [p for p in tmp_path.iterdir() if "refused" in p.name]
    table.write_text(HEAD + f"T-1,{_at(1)},L-1,1\n")
    assert main.run(["publish", str(table), "--mapping", mapping]) == 0
    assert "duplicate 1" in capsys.readouterr().out


@pytest.mark.usefixtures("custody")
def test_an_example_is_published_as_the_documents_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("pont-bascule", "lims"):
        table = tmp_path / f"{name}.csv"
        table.write_bytes((ROOT / f"examples/{name}.csv").read_bytes())
        rules = str(ROOT / f"examples/{name}.toml")
        assert main.run(["mapping", "check", str(table), "--mapping", rules]) == 0
        assert main.run(["publish", str(table), "--mapping", rules]) == 0
    assert "refused 0" in capsys.readouterr().out


def test_a_mapping_to_be_filled_in_is_refused_before_a_gateway_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, rules = tmp_path / "day.csv", tmp_path / "map.toml"
    table.write_text(f"Ticket,Date,Lot,Net\nT-1,{_at(1)},L-1,1\n")
    assert main.run(["mapping", "suggest", str(table), "--out", str(rules)]) == 0
    assert main.run(["publish", str(table), "--mapping", str(rules)]) == main.WRONG_USE
    said = capsys.readouterr().err
    assert "record[1].fields.net_kg.unit (line " in said
    assert "custody up" not in said
    assert main.run(["mapping", "suggest", str(table), "--out", str(rules)]) == main.WRONG_USE
    assert "already there" in capsys.readouterr().err


def test_a_table_without_a_mapping_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "day.csv"
    table.write_text(HEAD)
    assert main.run(["publish", str(table)]) == main.WRONG_USE
    assert "custody mapping suggest" in capsys.readouterr().err
    assert main.run(["publish", "-", "--mapping", str(table)]) == main.WRONG_USE


def test_a_line_of_json_that_is_no_utf_8_is_refused_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "day.ndjson"
    ticket = json.dumps(gateway.ticket(1), default=str).encode()
    lines.write_bytes(b'{"a": "\xe9"}\n' + ticket + b"\n")
    assert main.run(["publish", str(lines), "--dry-run", "--json"]) == main.FOUND
    bad, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert (bad["line"], bad["code"]) == (1, "not_utf8")
    assert good["result"] == "accepted"


def test_the_error_of_a_table_is_one_of_ours() -> None:
    assert main.exit_code(BadTable("x")) == main.WRONG_USE


SKIPPING = 'skip_rows = [3]\nskip_where = [{ column = "ticket", matches = ["total*"] }]'


@pytest.fixture
def skipping(tmp_path: Path) -> list[str]:
    """A table with three rows that its mapping leaves out, one of them a ticket."""
    rules, table = tmp_path / "skip.toml", tmp_path / "day.csv"
    rules.write_text(weighing(SKIPPING))
    rows = [f"T-1,{_at(1)},L-1,1000", "kg,,,", f"TOTALENERGIES-1,{_at(2)},L-1,1000"]
    table.write_text(HEAD + "\n".join([*rows, "", f"T-2,{_at(3)},L-1,1000", "Total,,,3000"]) + "\n")
    return [str(table), "--mapping", str(rules)]


@pytest.mark.usefixtures("custody")
@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_rows_left_out_are_said(
    skipping: list[str], options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["publish", *skipping, *options]) == 0
    said = capsys.readouterr().out
    assert "accepted 2, duplicate 0, refused 0" in said
    assert said.endswith("; skipped 3 (rows 3, 4, 7)\n")


@pytest.mark.usefixtures("custody")
def test_rows_left_out_are_said_as_json(
    skipping: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["publish", *skipping, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["result"] for line in lines] == ["accepted", "accepted", "skipped"]
    assert lines[-1] == {"result": "skipped", "count": 3, "rows": [3, 4, 7]}


def test_a_check_says_which_rows_it_passed_over(
    skipping: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["mapping", "check", *skipping]) == 0
    assert "skipped 3 (rows 3, 4, 7)" in capsys.readouterr().err
