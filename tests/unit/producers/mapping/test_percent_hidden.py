"""Per cent of files that do not say what they show: no column is a hundred times too small."""

from pathlib import Path

import pytest
import xlsxwriter

from producers.config import DropConfig
from producers.drop_read import Dropped, Unreadable
from producers.drop_table import rows
from producers.mapping.faults import BadMapping, BadTable
from producers.mapping.load import parse
from producers.mapping.suggest import suggest
from tests.support import xlsb
from tests.support.tables import assay, made, requests

CU = '{ column = "Cu", analyte = "Cu", unit = "pct", basis = "dry" }'
CO = CU.replace("Cu", "Co")
PLAIN = CU.replace('"pct"', '"pct", plain_pct = true')
SHARE = CU.replace("pct", "fraction")
HEAD = ("cert", "lot", "Cu", "Co", "H2O")


def _book(tmp_path: Path, *cells: tuple[str | float, ...], head: tuple[str, ...] = HEAD) -> Path:
    lines = [(f"C-{no}", "L-1", *each) for no, each in enumerate(cells, 1)]
    return xlsb.write(tmp_path / "table.xlsb", [head, *lines])


def _copper(path: Path, mapping: str) -> list[object]:
    said = []
    for request in requests(made(path, mapping)):
        results = request["results"]
        assert isinstance(results, list)
        said.append(results[0]["value"])
    return said


def test_a_column_without_a_number_beyond_one_is_refused(tmp_path: Path) -> None:
    """0.25 shown as 25 % was taken as 0.25 %."""
    with pytest.raises(BadTable) as caught:
        made(_book(tmp_path, (0.25,), (0.31,)), assay(CU))
    assert str(caught.value).splitlines() == [
        (
            "the table cannot be read: row 2: column 'Cu' holds 0.25, which may be 0.25 % or 25 %:"
            " none of its numbers is beyond 1, and XLS and XLSB do not say what they show as per"
            " cent"
        ),
        '  expected: unit = "fraction" where it is 25 %, plain_pct = true where it is 0.25 %',
        "  next: say so in the mapping, or save the sheet as XLSX, which tells",
    ]


def test_every_such_column_is_named(tmp_path: Path) -> None:
    mapping = assay(f"{CU}, {CO}") + 'moisture = { column = "H2O", unit = "pct" }'
    with pytest.raises(
        BadTable, match=r"column 'H2O' holds 0\.08.*likewise column 'Cu', column 'Co'"
    ):
        made(_book(tmp_path, (0.25, 0.01, 0.08)), mapping)
    with pytest.raises(BadTable, match=r"column 'Co' holds 0\.01, which may be 0\.01 % or 1 %"):
        made(_book(tmp_path, (25.0, 0.01, 8.0)), mapping)


def test_the_mapping_says_which_it_is(tmp_path: Path) -> None:
    path = _book(tmp_path, (0.25,), (1.0,))
    assert _copper(path, assay(PLAIN)) == ["0.25", "1"]
    assert _copper(path, assay(SHARE)) == ["0.25", "1"]
    moisture = 'moisture = { column = "Co", unit = "pct", plain_pct = true }'
    [request] = requests(made(_book(tmp_path, (25.1, 0.8)), assay(CU) + moisture))
    assert request["moisture"] == {"value": "0.8", "unit": "pct"}


@pytest.mark.parametrize("rest", [(2.5,), ("2.5",), ("<0.01",)])
def test_a_number_beyond_one_or_none_at_all_needs_no_word(
    tmp_path: Path, rest: tuple[str | float, ...]
) -> None:
    first: tuple[str | float, ...] = (0.25,) if rest == (2.5,) else (0.0,)
    assert len(made(_book(tmp_path, first, rest), assay(CU))) == 2


def test_only_rows_that_a_record_reads_are_looked_at(tmp_path: Path) -> None:
    """The sum of a column is beyond 1 where none of its numbers is, and a word for nothing, too."""
    path = _book(tmp_path, (0.6, "a"), (0.7, "a"), (1.3, "sum"), (-99.0, "a"))
    skipped = 'skip_where = [{ column = "Co", matches = ["sum"] }]\nempty = ["-99"]'
    with pytest.raises(BadTable, match=r"column 'Cu' holds 0\.6"):
        made(path, assay(CU, skipped))
    when = '[[record]]\nwhen = [{ column = "Co", matches = ["a"] }]'
    with pytest.raises(BadTable, match=r"column 'Cu' holds 0\.6"):
        made(path, assay(CU, 'empty = ["-99"]').replace("[[record]]", when))


def test_a_cell_above_the_data_is_looked_at(tmp_path: Path) -> None:
    path = xlsb.write(
        tmp_path / "table.xlsb", [("H2O", 0.08), ("cert", "lot", "Cu"), ("C-1", "L-1", 25.0)]
    )
    mapping = assay(CU, "heading_rows = [2]") + 'moisture = { cell = "B1", unit = "pct" }'
    with pytest.raises(BadTable, match=r"row 1: cell B1 holds 0\.08"):
        made(path, mapping)
    assert made(path, mapping.replace('"B1", ', '"B1", plain_pct = true, '))


def test_a_file_that_tells_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("R")
        for no, row in enumerate((HEAD[:3], ("C-1", "L-1", 0.25))):
            page.write_row(no, 0, row)
    assert _copper(path, assay(CU)) == ["0.25"]
    text = tmp_path / "table.csv"
    text.write_text("cert,lot,Cu\nC-1,L-1,0.25\n")
    assert _copper(text, assay(CU)) == ["0.25"]


@pytest.mark.parametrize("wrong", [SHARE, CU.replace("pct", "ppm")])
def test_the_word_for_it_is_of_per_cent_only(wrong: str) -> None:
    rule = wrong.replace("basis", "plain_pct = true, basis")
    with pytest.raises(BadMapping, match="Cu: plain_pct: only of a unit of pct"):
        parse(assay(rule))
    with pytest.raises(BadMapping, match="lot_id: plain_pct: only of a unit of pct"):
        parse(assay(CU).replace('"lot" }', '"lot", plain_pct = true }'))


def test_a_proposal_asks_with_the_same_words(tmp_path: Path) -> None:
    draft = suggest(_book(tmp_path, (0.25,), head=("Certificate", "Lot", "Cu %")))
    [rule] = [line.value for line in draft.elements]
    assert isinstance(rule, dict)
    assert rule["unit"] == "?"
    assert [doubt for doubt in draft.doubts if "plain_pct = true" in doubt]


def test_a_dropped_file_says_how_to_settle_it(tmp_path: Path) -> None:
    path = _book(tmp_path, (0.25,))
    (tmp_path / "mapping.toml").write_text(assay(CU))
    with path.open("rb") as file, pytest.raises(Unreadable) as caught:
        list(rows(Dropped(file, path, tmp_path, path.name, DropConfig(folder=tmp_path))))
    assert "0.25 % or 25 %" in caught.value.detail
    assert "plain_pct = true where it is 0.25 %" in caught.value.detail
