"""Which numbers a spreadsheet shows as per cent: what the reader of its cells does not tell.

A cell of 0.081 with the format ``0.0%`` is 8.1 % to whoever looks at it, and a hundred times less
to whoever reads the number alone. XLSX keeps the format as a style of the cell (ECMA-376 part 1,
18.8.30), ODS as its type (ODF 1.3 part 3, 19.387). Runs in the process that reads the sheet,
within its bounds. A document type is refused: no spreadsheet has one, and entities grow by it.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from xml.parsers import expat

from producers.mapping.bounds import COLUMNS_MAX, SHEET_ROWS_MAX

Percents = Mapping[int, frozenset[int]]
"""Columns, from 0, of the cells shown as per cent, by row, from 0."""

_BUILT_IN = frozenset({9, 10})
"""Numbers of ``0%`` and ``0.00%``, which no file defines."""
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
"""What stands in a format and is no code of it: text, fillers, colours and conditions."""
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_OPEN_DOCUMENT = "content.xml"
_WORKBOOK = "xl/workbook.xml"

_Attributes = Mapping[str, str]


class BadFormats(Exception):
    """The formats of a sheet cannot be read; its text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"its number formats cannot be read, and 0.081 may be 8.1 %: {why}")


def percents(data: bytes, sheet: str) -> Percents:
    """Return which cells of a sheet are shown as per cent; none of a file that does not tell.

    Args:
        data: A spreadsheet; of XLS and XLSB the formats are not read.
        sheet: Name of a sheet that is there.

    Raises:
        BadFormats: A part that has to be there is not, or is no XML.
    """
    if not data.startswith(b"PK"):
        return {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            if _WORKBOOK in names:
                return _of_excel(archive, sheet)
            return _of_open_document(archive, sheet) if _OPEN_DOCUMENT in names else {}
    except (zipfile.BadZipFile, expat.ExpatError, KeyError, ValueError) as error:
        raise BadFormats(str(error)[:80]) from None


def is_percent(code: str) -> bool:
    """Tell whether a number format shows its number times a hundred."""
    return "%" in _LITERAL.sub("", code)


def _read(
    archive: zipfile.ZipFile,
    name: str,
    begin: Callable[[str, _Attributes], None],
    end: Callable[[str], None] | None = None,
) -> None:
    """Read one member; names of elements come without their prefix."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_type
    parser.StartElementHandler = lambda tag, given: begin(tag.rpartition(":")[2], given)
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    with archive.open(name) as member:
        parser.ParseFile(member)


def _refuse_type(*_: object) -> None:
    why = "a document type, which no spreadsheet has"
    raise BadFormats(why)


def _of_excel(archive: zipfile.ZipFile, sheet: str) -> Percents:
    styles = _percent_styles(archive)
    # Most sheets have none, and need not be read a second time.
    return _styled(archive, _path(archive, sheet), styles) if styles else {}


def _percent_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """Return the numbers of the styles of cells that show per cent."""
    name = "xl/styles.xml"
    if name not in archive.namelist():
        return frozenset()
    shown = set(_BUILT_IN)
    formats: list[int] = []
    within = [""]

    def begin(tag: str, given: _Attributes) -> None:
        if tag == "numFmt" and is_percent(given.get("formatCode", "")):
            shown.add(int(given["numFmtId"]))
        elif tag == "numFmt":
            shown.discard(int(given["numFmtId"]))
        elif tag in ("cellXfs", "cellStyleXfs", "dxfs"):
            within[0] = tag
        elif tag == "xf" and within[0] == "cellXfs":
            formats.append(int(given.get("numFmtId", "0")))

    _read(archive, name, begin)
    return frozenset(no for no, form in enumerate(formats) if form in shown)


def _path(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the member that holds a sheet."""
    ids: dict[str, str] = {}
    targets: dict[str, str] = {}

    def sheets(tag: str, given: _Attributes) -> None:
        if tag == "sheet":
            ids[given["name"]] = _attribute(given, "id")

    def relations(tag: str, given: _Attributes) -> None:
        if tag == "Relationship":
            targets[given["Id"]] = given["Target"]

    _read(archive, _WORKBOOK, sheets)
    _read(archive, "xl/_rels/workbook.xml.rels", relations)
    return posixpath.normpath(posixpath.join("/xl", targets[ids[sheet]])).lstrip("/")


def _attribute(given: _Attributes, local: str) -> str:
    """Return an attribute whatever its prefix; empty where there is none."""
    return next((v for k, v in given.items() if k.rpartition(":")[2] == local), "")


class _Found:
    """Collects cells shown as per cent; rows with the same columns share one set."""

    def __init__(self) -> None:
        self.rows: dict[int, frozenset[int]] = {}
        self._sets: dict[frozenset[int], frozenset[int]] = {}

    def add(self, first: int, count: int, columns: set[int]) -> None:
        if columns:
            key = frozenset(columns)
            shared = self._sets.setdefault(key, key)
            self.rows.update(
                dict.fromkeys(range(first, min(first + count, SHEET_ROWS_MAX)), shared)
            )


def _styled(archive: zipfile.ZipFile, name: str, styles: frozenset[int]) -> Percents:
    found = _Found()
    at = [-1, -1]
    columns: set[int] = set()

    def begin(tag: str, given: _Attributes) -> None:
        if tag == "row":
            at[:] = [int(given["r"]) - 1 if "r" in given else at[0] + 1, -1]
        elif tag == "c":
            at[1] = _column(given["r"]) if "r" in given else at[1] + 1
            if int(given.get("s", "0")) in styles:
                columns.add(at[1])

    def end(tag: str) -> None:
        if tag == "row":
            found.add(at[0], 1, columns)
            columns.clear()

    _read(archive, name, begin, end)
    return found.rows


def _column(reference: str) -> int:
    parts = _REFERENCE.fullmatch(reference)
    if parts is None:
        why = f"a cell {reference[:20]!r}"
        raise BadFormats(why)
    column = 0
    for letter in parts[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


class _OpenSheet:
    """Follows one table of an OpenDocument sheet; cells and rows may stand for several alike."""

    def __init__(self, sheet: str) -> None:
        self.found = _Found()
        self._sheet = sheet
        self._is_in = False
        self._row = self._column = 0
        self._repeated = 1
        self._columns: set[int] = set()

    def begin(self, tag: str, given: _Attributes) -> None:
        if tag == "table":
            self._is_in = _attribute(given, "name") == self._sheet
            self._row = 0
        elif self._is_in and tag == "table-row":
            self._repeated = _times(given, "number-rows-repeated", SHEET_ROWS_MAX)
            self._column = 0
            self._columns.clear()
        elif self._is_in and tag in ("table-cell", "covered-table-cell"):
            count = _times(given, "number-columns-repeated", COLUMNS_MAX)
            if _attribute(given, "value-type") == "percentage":
                self._columns.update(range(self._column, min(self._column + count, COLUMNS_MAX)))
            self._column += count

    def end(self, tag: str) -> None:
        if tag == "table":
            self._is_in = False
        elif self._is_in and tag == "table-row":
            self.found.add(self._row, self._repeated, self._columns)
            self._row += self._repeated


def _times(given: _Attributes, name: str, most: int) -> int:
    return min(int(_attribute(given, name) or "1"), most)


def _of_open_document(archive: zipfile.ZipFile, sheet: str) -> Percents:
    page = _OpenSheet(sheet)
    _read(archive, _OPEN_DOCUMENT, page.begin, page.end)
    return page.found.rows
