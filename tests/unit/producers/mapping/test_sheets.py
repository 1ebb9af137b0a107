"""Spreadsheets: typed cells, several sheets, and files made to do harm."""

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import pytest
import xlsxwriter

from producers.mapping import sheet_table, zip_guard
from producers.mapping.bounds import COLUMNS_MAX, UNPACKED_BYTES_MAX
from producers.mapping.faults import BadTable
from producers.mapping.form import FileRule
from producers.mapping.load import parse
from producers.mapping.read import read, rows_of
from producers.mapping.refused import RefusedFile
from producers.mapping.suggest import suggest
from tests.support.tables import faults, made, requests, weighing

Sheet = Callable[..., Path]
AT = datetime(2026, 11, 3, 6, 42, 10)


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    def write(*rows: tuple[object, ...], names: tuple[str, ...] = ("Tickets",)) -> Path:
        path = tmp_path / "table.xlsx"
        book = xlsxwriter.Workbook(path)
        dated = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        for name in names:
            page = book.add_worksheet(name)
            for no, row in enumerate(rows):
                for at, cell in enumerate(row):
                    if isinstance(cell, datetime | date | time):
                        page.write_datetime(no, at, cell, dated)
                    else:
                        page.write(no, at, cell)
        book.close()
        return path

    return write


HEAD = ("ticket", "at", "lot", "net")


def test_numbers_and_dates_are_taken_as_the_sheet_has_them(sheet: Sheet) -> None:
    path = sheet(HEAD, (88121, AT, "L-1", 30020.5), ("T-2", AT, "L-2", 0.1 + 0.2))
    first, second = requests(made(path, weighing()))
    assert first["ticket_no"] == "88121"
    assert first["occurred_at"] == "2026-11-03T06:42:10+00:00"
    assert first["net_kg"] == "30020.5"
    assert second["net_kg"] == "0.3"


@pytest.mark.parametrize("no", [1_234_567_890_123_456, 999_999_999_999_999, 2**53 - 1, 0, -7])
def test_a_whole_number_keeps_all_its_digits(sheet: Sheet, no: int) -> None:
    """Of a ticket's 16 digits the last was rounded, so that it was another ticket than in a CSV."""
    [request] = requests(made(sheet(HEAD, (no, AT, "L-1", 1)), weighing()))
    assert request["ticket_no"] == str(no)


def test_rows_and_columns_keep_their_numbers_where_the_sheet_begins_with_empty_ones(
    sheet: Sheet,
) -> None:
    path = sheet((), ("", *HEAD), ("", "T-1", AT, "L-1", "thirty"))
    assert faults(made(path, weighing("heading_rows = [2]"))) == [
        (3, "not_a_number", "net_kg", "net")
    ]


def test_a_lot_that_the_sheet_made_a_date_of_is_refused(sheet: Sheet) -> None:
    rows = made(sheet(HEAD, ("T-1", AT, date(2026, 3, 11), 30020)), weighing())
    assert faults(rows) == [(2, "bad_value", "lot_id", "lot")]


def test_of_several_sheets_one_has_to_be_named(sheet: Sheet) -> None:
    path = sheet(HEAD, ("T-1", AT, "L-1", 1), names=("Tickets", "Notes"))
    with pytest.raises(BadTable, match="2 sheets, and none is named"):
        made(path, weighing())
    assert len(made(path, weighing('sheet = "Notes"'))) == 1
    with pytest.raises(BadTable, match="no sheet 'Other'"):
        made(path, weighing('sheet = "Other"'))


def test_a_spreadsheet_is_known_by_its_content_and_not_by_its_name(sheet: Sheet) -> None:
    path = sheet(HEAD, ("T-1", AT, "L-1", 1))
    assert len(made(path.rename(path.with_suffix(".csv")), weighing())) == 1


def test_refused_rows_of_a_sheet_are_read_back_by_the_same_mapping(sheet: Sheet) -> None:
    mapping = weighing("decimal = ','")
    path = sheet(HEAD, (88121, AT, "", 30020.5), ("T-2", AT, "L-2", 1))
    rules = parse(mapping)
    reading = read(path, rules)
    kept = RefusedFile(path, rules.file, reading.top)
    for one in reading.made:
        if one.fault is not None:
            kept.add(one.row, one.fault.code, one.fault.field, "empty")
    written = kept.finish()
    assert written is not None
    mended = written.read_text("utf-8-sig").replace("10,,", "10,L-1,")
    written.write_text(mended)
    (request,) = requests(made(written, mapping))
    assert (request["ticket_no"], request["lot_id"]) == ("88121", "L-1")
    assert request["net_kg"] == "30020.5"
    assert request["occurred_at"] == "2026-11-03T06:42:10+00:00"


DAY = date(2026, 11, 3)


@pytest.mark.parametrize(
    ("cells", "rule", "said"),
    [((AT,), 'column = "at", format = "dd/MM/yyyy HH:mm"', "2026-11-03T06:42:10+00:00"),
     ((DAY,), 'column = "at", format = "dd/MM/yyyy", time_of_day = "12:00"',
      "2026-11-03T12:00:00+00:00"),
     ((DAY, time(6, 42)), 'columns = ["at", "clock"], format = "dd/MM/yyyy HH:mm"',
      "2026-11-03T06:42:00+00:00")],
)  # fmt: skip
def test_refused_rows_with_typed_times_are_read_back_beside_a_format_of_text(
    sheet: Sheet, cells: tuple[object, ...], rule: str, said: str
) -> None:
    """They stand there as ISO 8601, which was refused anew because no format reads it."""
    head = ("ticket", "lot", "net", "at", "clock")[: 3 + len(cells)]
    path = sheet(head, ("T-1", "L-1", "one", *cells))
    mapping = weighing().replace('column = "at"', rule)
    rules = parse(mapping)
    reading = read(path, rules)
    kept = RefusedFile(path, rules.file, reading.top)
    [one] = reading.made
    kept.add(one.row, "not_a_number", "net_kg", "text")
    written = kept.finish()
    assert written is not None
    written.write_text(written.read_text("utf-8-sig").replace("one", "30020"))
    [request] = requests(made(written, mapping))
    assert request["occurred_at"] == said


def test_a_proposal_for_a_sheet_needs_no_format_of_its_dates(sheet: Sheet) -> None:
    draft = suggest(sheet(("Ticket", "Date", "Lot", "Net (kg)"), ("T-1", AT, "L-1", 1)), "Tickets")
    fields = {line.key: line.value for line in draft.fields}
    assert fields["occurred_at"] == {"column": "Date", "zone": "?"}
    assert fields["net_kg"] == {"column": "Net (kg)", "unit": "kg"}


@pytest.mark.parametrize(
    "content",
    [
        zip_guard.MAGIC,
        zip_guard.MAGIC + b"\x00" * 100,
        sheet_table.OLE_MAGIC,
        sheet_table.OLE_MAGIC + b"\xff" * 2000,
    ],
)
def test_what_only_begins_like_a_spreadsheet_is_a_named_error(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(content)
    with pytest.raises(BadTable):
        made(path, weighing())


def test_an_archive_without_a_sheet_is_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(BadTable, match="no spreadsheet"):
        made(path, weighing())


def _bomb(path: Path, size: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * size)


def test_an_archive_that_unpacks_to_too_much_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    _bomb(path, 40_000_000)
    with pytest.raises(BadTable, match="unpacks to 40000000"):
        made(path, weighing())


def test_an_archive_whose_directory_lies_is_refused_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    _bomb(path, 40_000_000)
    data = path.read_bytes()
    true, lie = struct.pack("<I", 40_000_000), struct.pack("<I", 1_000)
    assert data.count(true) == 2, "in the header of the member and in the directory"
    path.write_bytes(data.replace(true, lie))
    with pytest.raises(BadTable, match="unpacks to"):
        made(path, weighing())


def test_an_archive_of_many_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for no in range(2_001):
            archive.writestr(f"{no}", b"")
    with pytest.raises(BadTable, match="2001 members"):
        made(path, weighing())


def test_cells_in_the_last_corner_of_a_sheet_are_no_harm(tmp_path: Path) -> None:
    """A reader would claim room for 17 thousand million cells, which ends its process."""
    path = tmp_path / "corner.xlsx"
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet("A")
    page.write(0, 0, "ticket")
    page.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(BadTable):
        list(rows_of(path, FileRule()))


def test_a_sheet_with_too_many_columns_is_refused(sheet: Sheet) -> None:
    with pytest.raises(BadTable, match=f"at most {COLUMNS_MAX}"):
        made(sheet(tuple("x" * (COLUMNS_MAX + 1))), weighing())


def test_a_file_too_large_to_be_a_spreadsheet_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.write(zip_guard.MAGIC)
        file.truncate(UNPACKED_BYTES_MAX)
    with pytest.raises(BadTable, match="save the sheet as CSV"):
        made(path, weighing())


def test_without_the_extra_a_spreadsheet_says_what_to_install(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_table, "find_spec", lambda _: None)
    path = sheet(HEAD)
    with pytest.raises(sheet_table.NoSpreadsheets, match=r"custody\[gateway\]"):
        made(path, weighing())


def test_a_reader_that_says_nothing_is_ended_and_one_that_nobody_waits_for_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sheet_table, "READER_S_MAX", 0.001)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        watch = sheet_table._Watch(child)
        watch.waits, watch.is_waiting = 1, True
        watch.run()
        assert child.wait(30) != 0
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        watch = sheet_table._Watch(child)
        ticks = iter([False, False, False, True])
        monkeypatch.setattr(watch.over, "wait", lambda _: next(ticks))
        watch.run()
        child.communicate()
        assert child.returncode == 0
