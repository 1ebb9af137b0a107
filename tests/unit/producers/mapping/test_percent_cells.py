"""Numbers that a spreadsheet shows as per cent are what it shows, whatever it holds."""

import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from producers.mapping import sheet_table
from producers.mapping.cells import Percent
from producers.mapping.draft import Draft
from producers.mapping.faults import BadTable
from producers.mapping.form import FileRule
from producers.mapping.load import parse
from producers.mapping.percent import shown_unit
from producers.mapping.read import read, rows_of
from producers.mapping.refused import RefusedFile
from producers.mapping.suggest import suggest
from producers.mapping.titles import understood
from tests.support.tables import assay, faults, made, requests

CU = '{ column = "Cu", analyte = "Cu", unit = "pct", basis = "dry" }'
SHARE = CU.replace("pct", "fraction")
MOISTURE = 'moisture = { column = "H2O", unit = "pct" }'
HEAD = ("cert", "lot", "Cu", "H2O")

Sheet = Callable[..., Path]


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    def write(*rows: tuple[object, ...], form: str = "0.0%", head: tuple[str, ...] = HEAD) -> Path:
        """Floats are written with the format, all else without."""
        path = tmp_path / "table.xlsx"
        book = xlsxwriter.Workbook(path)
        shown = book.add_format({"num_format": form})
        page = book.add_worksheet("R")
        for no, row in enumerate((head, *rows)):
            for at, cell in enumerate(row):
                page.write(no, at, cell, *((shown,) if isinstance(cell, float) else ()))
        book.close()
        return path

    return write


def _values(path: Path, mapping: str) -> list[tuple[object, object]]:
    said = []
    for request in requests(made(path, mapping)):
        results, moisture = request["results"], request.get("moisture")
        assert isinstance(results, list)
        assert moisture is None or isinstance(moisture, dict)
        said.append((results[0]["value"], moisture and moisture["value"]))
    return said


@pytest.mark.parametrize(
    "form", ["0%", "0.00%", "0.0%", "#,##0.000 %", '[Red]0.0%;"none"', "0.0\\ %"]
)
def test_a_cell_shown_as_per_cent_is_what_the_sheet_shows(sheet: Sheet, form: str) -> None:
    path = sheet(("C-1", "L-1", 0.0251, 0.081), form=form)
    assert _values(path, assay(CU) + MOISTURE) == [("2.51", "8.1")]


@pytest.mark.parametrize("form", ["0.00", '0.0"%"', "0.0\\%", "[$%]0.0", "General"])
def test_a_sign_that_is_only_text_multiplies_nothing(sheet: Sheet, form: str) -> None:
    path = sheet(("C-1", "L-1", 2.51, 8.1), form=form)
    assert _values(path, assay(CU) + MOISTURE) == [("2.51", "8.1")]


def test_each_cell_counts_for_itself(sheet: Sheet) -> None:
    path = sheet(("C-1", "L-1", 0.0251, 8), ("C-2", "L-1", 3, 0.5))
    assert _values(path, assay(CU) + MOISTURE) == [("2.51", "8"), ("3", "50")]


def test_a_mapping_that_says_fraction_reads_them_as_before(sheet: Sheet) -> None:
    assert _values(sheet(("C-1", "L-1", 0.0251)), assay(SHARE)) == [("0.0251", None)]


def test_per_cent_in_a_column_of_another_unit_is_refused(sheet: Sheet) -> None:
    path = sheet(("C-1", "L-1", 0.0251))
    assert faults(made(path, assay(CU.replace("pct", "ppm")))) == [
        (2, "wrong_unit", "results.Cu", "Cu")
    ]


@pytest.mark.parametrize("elements", [CU, SHARE])
@pytest.mark.parametrize("decimal", [".", ","])
def test_a_refused_row_is_read_back_alike(sheet: Sheet, elements: str, decimal: str) -> None:
    path = sheet(("C-1", "", 0.0251))
    mapping = assay(elements, f'decimal = "{decimal}"')
    rules = parse(mapping)
    reading = read(path, rules)
    kept = RefusedFile(path, rules.file, reading.top)
    (one,) = reading.made
    kept.add(one.row, "missing_field", "lot_id", "empty")
    written = kept.finish()
    assert written is not None
    written.write_text(written.read_text("utf-8-sig").replace("C-1,,", "C-1,L-1,"))
    assert _values(written, mapping) == [("2.51" if elements == CU else "0.0251", None)]


_TEXT = '<table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell>'
_PERCENT = 'office:value-type="percentage" office:value="0.081"><text:p>8.1%</text:p>'
OPEN = f"""<?xml version="1.0"?>{{doctype}}
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>\
<table:table table:name="Other"><table:table-row>\
<table:table-cell {_PERCENT}</table:table-cell></table:table-row></table:table>\
<table:table table:name="R"><table:table-row>{_TEXT * 3}</table:table-row>\
<table:table-row table:number-rows-repeated="2">\
<table:table-cell office:value-type="float" office:value="2"/>\
<table:table-cell table:number-columns-repeated="2" {_PERCENT}</table:table-cell>\
</table:table-row><table:table-row>\
<table:table-cell office:value-type="float" office:value="0.3"/></table:table-row>\
</table:table></office:spreadsheet></office:body></office:document-content>"""
MANIFEST = """<?xml version="1.0"?>
<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"""


def _open_document(path: Path, doctype: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", OPEN.format(doctype=doctype))
    return path


def test_an_open_document_sheet_says_it_as_a_type(tmp_path: Path) -> None:
    rows = list(rows_of(_open_document(tmp_path / "table.ods"), FileRule(sheet="R")))
    assert [[isinstance(cell, Percent) for cell in row.cells] for row in rows] == [
        [False, False, False], [False, True, True], [False, True, True], [False, False, False],
    ]  # fmt: skip
    shown = rows[1].cells[1]
    assert isinstance(shown, Percent)
    assert str(shown.shown) == "8.1"


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    path = _open_document(tmp_path / "table.ods", doctype)
    with pytest.raises(BadTable, match="number formats cannot be read"):
        list(rows_of(path, FileRule(sheet="R")))


def _changed(path: Path, member: str, change: Callable[[str], str | None]) -> None:
    """Write the archive anew with one member changed, or left out."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    new = change(parts.pop(member).decode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        if new is not None:
            archive.writestr(member, new)


@pytest.mark.parametrize("broken", ["<styleSheet>", "<!DOCTYPE x><styleSheet/>", "<a></b>"])
def test_formats_that_cannot_be_read_are_no_plain_numbers(sheet: Sheet, broken: str) -> None:
    path = sheet(("C-1", "L-1", 0.0251))
    _changed(path, "xl/styles.xml", lambda _: broken)
    with pytest.raises(BadTable):
        made(path, assay(CU))


def test_cells_without_a_reference_are_counted(sheet: Sheet) -> None:
    path = sheet(("C-1", "L-1", 0.0251))
    _changed(path, "xl/worksheets/sheet1.xml", lambda xml: re.sub(r' r="[A-Z]*\d+"', "", xml))
    assert _values(path, assay(CU)) == [("2.51", None)]


def test_a_sheet_whose_name_is_not_its_files_is_found(sheet: Sheet) -> None:
    path = sheet(("C-1", "L-1", 0.0251))
    with zipfile.ZipFile(path) as archive:
        page = archive.read("xl/worksheets/sheet1.xml")
    _changed(path, "xl/worksheets/sheet1.xml", lambda _: None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/worksheets/other.xml", page)
    _changed(path, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace("sheet1", "other"))
    assert _values(path, assay(CU)) == [("2.51", None)]


def _unit(draft: Draft, analyte: str = "Cu") -> tuple[object, list[str]]:
    rules = [line.value for line in draft.elements if isinstance(line.value, dict)]
    (unit,) = [rule["unit"] for rule in rules if rule["analyte"] == analyte]
    return unit, [doubt for doubt in draft.doubts if "per cent" in doubt]


TITLES = ("Certificate", "Lot", "Cu %")


def test_a_proposal_takes_what_all_cells_show(sheet: Sheet) -> None:
    row = ("C-1", "L-1", 0.0251)
    assert _unit(suggest(sheet(row, row, head=TITLES))) == ("pct", [])
    assert _unit(suggest(sheet(row, row, head=("Certificate", "Lot", "Cu")))) == ("pct", [])


def test_cells_that_do_not_agree_are_a_doubtful_point(sheet: Sheet) -> None:
    rows = (("C-1", "L-1", 0.0251), ("C-2", "L-1", 3))
    unit, doubts = _unit(suggest(sheet(*rows, head=TITLES)))
    assert unit == "?"
    assert doubts == ["column 'Cu %': 1 cells are shown as per cent, 1 are plain numbers"]
    unit, doubts = _unit(suggest(sheet(rows[0], head=("Certificate", "Lot", "Cu ppm"))))
    assert unit == "?"
    assert doubts == ["column 'Cu ppm': its heading says ppm, and cells are shown as per cent"]


def test_where_no_format_is_known_small_numbers_are_a_doubtful_point() -> None:
    title = understood("Cu %")
    small, large = [Decimal("0.02"), Decimal("0.03")], [Decimal("0.02"), Decimal("2.5")]
    assert "fraction, or pct" in shown_unit(title, small, tells_formats=False)[1]
    assert shown_unit(title, large, tells_formats=False) == ("", "")
    assert shown_unit(title, small, tells_formats=True) == ("", "")
    assert shown_unit(understood("Cu ppm"), small, tells_formats=False) == ("", "")


def test_only_xlsx_and_ods_tell_their_formats(tmp_path: Path, sheet: Sheet) -> None:
    assert sheet_table.tells_formats(sheet(("C-1", "L-1", 0.0251)))
    assert sheet_table.tells_formats(_open_document(tmp_path / "table.ods"))
    binary = tmp_path / "table.xlsb"
    with zipfile.ZipFile(binary, "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
    assert not sheet_table.tells_formats(binary)
    old = tmp_path / "table.xls"
    old.write_bytes(sheet_table.OLE_MAGIC)
    assert not sheet_table.tells_formats(old)
