"""Cells of a spreadsheet that do not read as they show: formulas that failed, zeros, thousands."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from producers.mapping.cells import UNCALCULATED, is_failed
from producers.mapping.form import FileRule
from producers.mapping.read import rows_of
from tests.support.tables import assay, faults, made, of_text, requests, weighing

CU = '{ column = "Cu", analyte = "Cu", unit = "pct", basis = "dry" }'
MOISTURE = 'moisture = { column = "H2O", unit = "pct" }'
HEAD = ("cert", "lot", "Cu", "H2O")

Sheet = Callable[..., Path]


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    def write(*rows: tuple[object, ...], head: tuple[str, ...] = HEAD, form: str = "0") -> Path:
        """What begins with ``#`` is a formula with that for its value, integers have the format."""
        path = tmp_path / "table.xlsx"
        with xlsxwriter.Workbook(path) as book:
            shown = book.add_format({"num_format": form})
            page = book.add_worksheet("R")
            for no, row in enumerate((head, *rows)):
                for at, cell in enumerate(row):
                    if isinstance(cell, str) and cell.startswith("#"):
                        page.write_formula(no, at, "=A1/0", None, cell)
                    else:
                        page.write(no, at, cell, *((shown,) if isinstance(cell, int) else ()))
        return path

    return write


@pytest.mark.parametrize("error", ["#DIV/0!", "#N/A", "#REF!", "#VALUE!", "#NAME?"])
def test_a_formula_that_failed_is_not_an_empty_cell(sheet: Sheet, error: str) -> None:
    """The certificate was taken without that element, or without its moisture."""
    rows = (("C-1", "L-1", error, 8.1), ("C-2", "L-1", 25.1, error), ("C-3", error, 25.1, 8.1))
    path = sheet(*rows)
    assert faults(made(path, assay(CU) + MOISTURE)) == [
        (2, "bad_value", "results.Cu", "Cu"),
        (3, "bad_value", "moisture", "H2O"),
        (4, "bad_value", "lot_id", "lot"),
    ]


def test_the_mapping_may_say_that_it_says_nothing(sheet: Sheet) -> None:
    path = sheet(("C-1", "L-1", 25.1, "#N/A"))
    [request] = requests(made(path, assay(CU, 'empty = ["#N/A"]') + MOISTURE))
    assert "moisture" not in request


def _without_values(path: Path) -> None:
    """As a program writes formulas that it leaves to a spreadsheet to calculate."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b"<v>1</v></c></row>", b"</c></row>")
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in parts.items():
            archive.writestr(each, content)


def test_a_formula_that_was_never_calculated_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("R")
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, ("C-1", "L-1", 25.1))
        page.write_formula(1, 3, "=4*2", None, 1)
    _without_values(path)
    [row] = made(path, assay(CU) + MOISTURE)
    assert row.fault is not None
    assert (row.fault.code, row.fault.found) == ("bad_value", UNCALCULATED)


def test_rows_of_formulas_alone_are_blank(sheet: Sheet) -> None:
    """Templates have them below the last row that somebody filled in."""
    path = sheet(("C-1", "L-1", 25.1, 8.1), ("", "", "#N/A", "#N/A"))
    assert len(requests(made(path, assay(CU) + MOISTURE))) == 1


@pytest.mark.parametrize(
    "cell",
    ["#¡DIV/0!", "#¿NOMBRE?", "#ЗНАЧ!", "#Н/Д", "#NV", "#N/D", "#BEZUG!", "#####", "Err:502"],
)
def test_errors_are_known_in_a_text_file_too(tmp_path: Path, cell: str) -> None:
    rows = of_text(tmp_path, weighing(), "ticket,at,lot,net", f"T-1,2026-11-03 06:42,{cell},1")
    assert faults(rows) == [(2, "bad_value", "lot_id", "lot")]


@pytest.mark.parametrize("cell", ["#12", "#A-7", "A!", "#", "lot #3!", "N/A", ""])
def test_other_texts_are_no_errors(cell: str) -> None:
    assert not is_failed(cell)


OPEN_CELL = (
    """<table:table-cell table:formula="of:=1/0" {0}><text:p>{1}</text:p></table:table-cell>"""
)
OPEN = """<?xml version="1.0"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>\
<table:table table:name="R"><table:table-row><table:table-cell office:value-type="string">\
<text:p>a</text:p></table:table-cell>{}</table:table-row></table:table></office:spreadsheet>\
</office:body></office:document-content>"""
MANIFEST = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


TEXT = 'office:value-type="string" office:string-value=""'
ZERO = 'office:value-type="float" office:value="0"'


def open_document(path: Path, cells: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", OPEN.format(cells))
    return path


def test_an_open_document_says_errors_as_text(tmp_path: Path) -> None:
    """Read as an empty cell, or as a zero."""
    cells = ((TEXT, "#DIV/0!"), (ZERO, "Err:502"), (ZERO, "0"))
    made = "".join(OPEN_CELL.format(*cell) for cell in cells)
    [row] = rows_of(open_document(tmp_path / "table.ods", made), FileRule())
    assert [is_failed(cell) for cell in row.cells] == [False, True, True, False]


def test_a_note_on_a_cell_of_an_open_document_hides_no_error(tmp_path: Path) -> None:
    """Its text ran into the cell's, which was read as a zero."""
    note = "<office:annotation><text:p>ask the laboratory</text:p></office:annotation>"
    noted = OPEN_CELL.replace("<text:p>", note + "<text:p>")
    cells = noted.format(TEXT, "#N/A") + noted.format(ZERO, "0") + OPEN_CELL.format(ZERO, "#N/A")
    [row] = rows_of(open_document(tmp_path / "table.ods", cells), FileRule())
    assert [is_failed(cell) for cell in row.cells] == [False, True, False, True]


@pytest.mark.parametrize(
    ("form", "shown"),
    [("#,##0,", "30.020"), ("0.000,", "30.020"), ('0.00," t"', "30.020"), ('0.0,"k"', "30.020"),
     ("#,##0,,", "0.030020"), ("0,.00", "30.020")],
)  # fmt: skip
def test_a_number_shown_in_thousands_is_neither_guessed(
    sheet: Sheet, form: str, shown: str
) -> None:
    """30,020 kg shown as 30.02 in a column of tonnes were 30,020 t."""
    head = ("ticket", "at", "lot", "net")
    path = sheet(("T-1", "2026-11-03 06:42", "L-1", 30020), head=head, form=form)
    [row] = made(path, weighing().replace('"kg"', '"t"'))
    assert row.fault is not None
    assert (row.fault.code, row.fault.field) == ("bad_value", "net_kg")
    assert row.fault.found == f"#30020 shown as {shown}"
    assert "plain number format" in row.fault.allowed


@pytest.mark.parametrize("form", ["#,##0", "0.0", '0","', "[>999]0.0,;0", "#,##0.00;[Red]-#,##0,"])
def test_marks_between_thousands_scale_nothing(sheet: Sheet, form: str) -> None:
    head = ("ticket", "at", "lot", "net")
    path = sheet(("T-1", "2026-11-03 06:42", "L-1", 30020), head=head, form=form)
    [request] = requests(made(path, weighing()))
    assert request["net_kg"] == "30020"


@pytest.mark.parametrize(
    ("form", "ticket"),
    [("00000", "00117"), ("000000;-000000", "000117"), ("0", "117"), ("0.00", "117"),
     ("00", "117"), ("General", "117"), ("#,##0", "117")],
)  # fmt: skip
def test_zeros_in_front_of_a_number_are_part_of_an_id(sheet: Sheet, form: str, ticket: str) -> None:
    """The same ticket from a text file was another one."""
    head = ("ticket", "at", "lot", "net")
    path = sheet((117, "2026-11-03 06:42", "L-1", 30020), head=head, form=form)
    [request] = requests(made(path, weighing()))
    assert (request["ticket_no"], request["net_kg"]) == (ticket, "30020")
