"""The file of refused rows: as they were, with reasons, and read back once mended."""

import csv
from pathlib import Path

import pytest

from producers.mapping.load import load, parse
from producers.mapping.read import read
from producers.mapping.reasons import reason
from producers.mapping.refused import ADDED, RefusedFile
from tests.support.tables import made, requests, weighing
from tests.support.tree import ROOT

HEAD = "ticket,at,lot,net"


def _refuse(path: Path, mapping: str) -> Path | None:
    rules = parse(mapping)
    reading = read(path, rules)
    kept = RefusedFile(path, rules.file, reading.top)
    for one in reading.made:
        if one.fault is not None:
            kept.add(one.row, one.fault.code, one.fault.field, str(one.fault.allowed))
    return kept.finish()


def test_refused_rows_keep_delimiter_encoding_and_what_is_above_them(tmp_path: Path) -> None:
    content = (ROOT / "examples/pont-bascule.csv").read_bytes()
    path = tmp_path / "pont-bascule.csv"
    path.write_bytes(content.replace(b"PB-88122;01/11/2026", b"PB-88122;31/11/2026"))
    mapping = (ROOT / "examples/pont-bascule.toml").read_text("utf-8")
    written = _refuse(path, mapping)
    assert written == tmp_path / "pont-bascule.csv.refused.csv"
    rows = list(csv.reader(written.read_text("cp1252").splitlines(), delimiter=";"))
    assert len(rows) == 5
    assert tuple(rows[3][-4:]) == ADDED
    assert rows[4][:2] == ["PB-88122", "31/11/2026"]
    assert rows[4][-4:-1] == ["6", "bad_value", "occurred_at"]


def test_a_mended_row_is_read_back_and_a_row_refused_again_has_its_reasons_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "table.csv"
    at = "2026-11-03 06:42"
    path.write_text(f"{HEAD}\nT-1,{at},L-1,one\nT-2,{at},L-2,two\nT-3,{at},L-3,3\n")
    written = _refuse(path, weighing())
    assert written is not None
    written.write_text(written.read_text().replace("L-1,one", "L-1,1"))
    (request,) = [m for m in made(written, weighing()) if m.request is not None]
    assert request.request is not None
    assert request.request["net_kg"] == "1"
    again = _refuse(written, weighing())
    assert again is not None
    assert again.read_text().splitlines()[0].count("refused_reason") == 1
    assert len(again.read_text().splitlines()) == 2


def test_bytes_that_are_no_text_are_written_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(HEAD.encode() + b"\nT-\xe9\xff,2026-11-03 06:42,L-1,1\n")
    written = _refuse(path, weighing())
    assert written is not None
    assert b"\nT-\xe9\xff,2026-11-03 06:42,L-1,1," in written.read_bytes()


def test_mended_rows_are_not_left_out_where_the_table_had_rows_to_skip(tmp_path: Path) -> None:
    """The second refused row stood in row 3, which the mapping leaves out, and was lost."""
    path = tmp_path / "table.csv"
    at = "2026-11-03 06:42"
    rows = [f"T-{no},{at},L-{no},x{no}" for no in range(1, 6)]
    path.write_text("\n".join([HEAD, rows[0], ",,,kg", rows[1], "end,,,", *rows[2:]]) + "\n")
    mapping = weighing("skip_rows = [3, 5]")
    assert len(made(path, mapping)) == 5
    written = _refuse(path, mapping)
    assert written is not None
    written.write_text(written.read_text().replace(",x", ",100"))
    assert [one["ticket_no"] for one in requests(made(written, mapping))] == [
        f"T-{no}" for no in range(1, 6)
    ]


def test_an_older_file_of_refused_rows_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"{HEAD}\nT-1,2026-11-03 06:42,L-1,one\n")
    written = _refuse(path, weighing())
    assert written is not None
    written.write_text("mended by hand")
    path.write_text(f"{HEAD}\nT-1,2026-11-03 06:42,L-1,1\n")
    assert _refuse(path, weighing()) is None
    assert not written.exists()
    assert (tmp_path / "table.csv.refused.old.csv").read_text() == "mended by hand"


def test_a_run_that_ends_early_leaves_no_half_written_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"{HEAD}\nT-1,2026-11-03 06:42,L-1,one\n")
    rules = load(ROOT / "examples/lims.toml")
    reading = read(path, parse(weighing()))
    kept = RefusedFile(path, rules.file, reading.top)
    (one,) = reading.made
    assert one.fault is not None
    kept.add(one.row, one.fault.code, "net_kg", "x")
    kept.abandon()
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


_AT = "2026-11-03 06:42"
_OPEN = f'T-1,{_AT},"L-1,1\nT-2,{_AT},L-2,2\n'
"""A quote is opened in the first row, and what follows is one cell with it."""


def _tickets(path: Path) -> list[tuple[object, object, object]]:
    found = requests(made(path, weighing()))
    return [(one["ticket_no"], one["lot_id"], one["net_kg"]) for one in found]


@pytest.mark.parametrize("mended", ["L-1", '"L-1"'])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_quote_left_open_is_mended_in_the_refused_rows(
    tmp_path: Path, mended: str, rounds: int
) -> None:
    """``"L-4"`` came as ``L-4\"\"\"``, so that its mended row was of a lot that nobody has."""
    path = tmp_path / "table.csv"
    path.write_text(f'{HEAD}\n{_OPEN}T-4,{_AT},"L-4",4\nT-5,{_AT},L-5,5\n')
    for _ in range(rounds):
        written = _refuse(path, weighing())
        assert written is not None
        path = written
    text = path.read_text()
    assert f'{_OPEN}T-4,{_AT},"L-4",4,2,too_many_cells,' in text
    assert text.count("too_many_cells") == 1
    path.write_text(text.replace('"L-1', mended, 1))
    assert _tickets(path) == [("T-1", "L-1", "1"), ("T-2", "L-2", "2"), ("T-4", "L-4", "4")]


def test_a_quote_open_to_the_end_of_the_file_does_not_swallow_the_reasons(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"{HEAD}\n{_OPEN}")
    for _ in range(2):
        written = _refuse(path, weighing())
        assert written is not None
        path = written
    (again,) = made(path, weighing())
    assert again.fault is not None
    assert again.fault.code == "too_many_cells"
    assert again.row.at(HEAD.count(",") + 1) == "2", "the row's number, behind all columns"


def test_refused_rows_keep_their_quotes_blanks_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    row = f'"T-1", {_AT} ,"L ""1""\nnorth",one'
    path.write_text(f"{HEAD}\n{row}\nT-2,{_AT}\n")
    written = _refuse(path, weighing())
    assert written is not None
    text = written.read_text()
    assert f"\n{row},2,not_a_number,net_kg," in text
    assert f"\nT-2,{_AT},,,3,missing_field,lot_id," in text, "reasons under their headings"


def test_without_quotes_a_reason_never_adds_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f'{HEAD}\nT-1,2026-11-03 06:42,12" pipe,one\n')
    mapping = weighing('quote = ""')
    written = _refuse(path, mapping)
    assert written is not None
    line = written.read_text().splitlines()[1]
    assert line.count(",") == HEAD.count(",") + len(ADDED)
    written.write_text(written.read_text().replace(",one,", ",1,"))
    assert requests(made(written, mapping))[0]["lot_id"] == '12" pipe'


def test_a_reason_says_where_what_and_what_to_do() -> None:
    answer = {"code": "missing_identity", "field": "ticket_no", "found": None, "allowed": ["x"]}
    assert reason(answer, "N° ticket").startswith("column 'N° ticket' is empty; without it")
    answer = {"code": "bad_value", "field": "purpose", "found": "A", "allowed": ["in", "out"]}
    assert reason(answer, "") == "field purpose has 'A'; expected: one of in, out"
