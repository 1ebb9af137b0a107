"""The file of refused rows: as they were, with reasons, and read back once mended."""

import csv
from pathlib import Path

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
