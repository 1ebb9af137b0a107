"""What a spreadsheet shows of its cells that the reader of their values does not tell.

A cell of 0.081 with the format ``0.0%`` is 8.1 % to whoever looks at it, and a hundred times less
to whoever reads the number alone; one of 117 with the format ``00000`` is ticket 00117. A formula
that failed, or was never calculated, reads as an empty cell, and what it was to say would be left
out in silence. XLSX keeps the format as a style of the cell (ECMA-376 part 1, 18.8.30) and errors
as its type (18.18.11), ODS per cent as its type (ODF 1.3 part 3, 19.387) and errors as text. Runs
in the process that reads the sheet, within its bounds. A document type is refused: no spreadsheet
has one, and entities grow by it.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from xml.parsers import expat

from producers.mapping.bounds import COLUMNS_MAX, SHEET_ROWS_MAX
from producers.mapping.cells import UNCALCULATED, is_failed, placed

Marks = Mapping[int, tuple[tuple[int, str], ...]]
"""By row, from 0: columns, from 0, each with what its cell shows otherwise than it reads.

``%`` is a number shown as per cent, ``,`` one shown in thousands, ``,,`` in millions, ``000`` one
with zeros in front up to as many digits, ``#...`` the error of a formula.
"""

PERCENT = "%"

_BUILT_IN = {9: PERCENT, 10: PERCENT}
"""Numbers of ``0%`` and ``0.00%``, which no file defines."""
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
"""What stands in a format and is no code of it: text, fillers, colours and conditions."""
_SCALED = re.compile(r"[0#?](,+)(?![0#?,])")
"""A mark between thousands that stands behind them divides by a thousand."""
_CONDITION = re.compile(r"\[[<>=]")
_PADDED = re.compile(r"0{2,30}")
_SOME = re.compile(rb"t=[\"']e[\"']|<(?:\w+:)?f[\s>/]")
"""What a sheet has where a formula may have failed."""
_OPEN_DOCUMENT = "content.xml"
_WORKBOOK = "xl/workbook.xml"

_Attributes = Mapping[str, str]


class BadFormats(Exception):
    """The formats of a sheet cannot be read; its text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"its number formats cannot be read, and 0.081 may be 8.1 %: {why}")


def marks(data: bytes, sheet: str) -> Marks:
    """Return which cells of a sheet show something else; none of a file that does not tell.

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


def mark_of(code: str) -> str:
    """Return what a number format makes of its number: ``%``, ``,``, zeros, or nothing.

    One with conditions shows some numbers in thousands and says so beside them: ``1.2k``.
    """
    bare = _LITERAL.sub("", code)
    if PERCENT in bare:
        return PERCENT
    first = bare.partition(";")[0].strip()
    scaled = None if _CONDITION.search(code) else _SCALED.search(first)
    if scaled is not None:
        return scaled[1]
    return first if _PADDED.fullmatch(first) else ""


def _read(
    archive: zipfile.ZipFile,
    name: str,
    begin: Callable[[str, _Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Read one member; names of elements come without their prefix."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_type
    parser.StartElementHandler = lambda tag, given: begin(tag.rpartition(":")[2], given)
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    with archive.open(name) as member:
        parser.ParseFile(member)


def _refuse_type(*_: object) -> None:
    why = "a document type, which no spreadsheet has"
    raise BadFormats(why)


def _of_excel(archive: zipfile.ZipFile, sheet: str) -> Marks:
    styles = _marked_styles(archive)
    name = _path(archive, sheet)
    # Most sheets have none, and need not be read a second time.
    if not styles and not _has_formulas(archive, name):
        return {}
    page = _Sheet(styles)
    _read(archive, name, page.begin, page.end, page.text)
    return page.found.rows


def _has_formulas(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as member:
        last = b""
        while part := member.read(1 << 20):
            if _SOME.search(last + part):
                return True
            last = part[-40:]
    return False


def _marked_styles(archive: zipfile.ZipFile) -> Mapping[int, str]:
    """Return what the styles of cells make of numbers, by their number."""
    name = "xl/styles.xml"
    if name not in archive.namelist():
        return {}
    shown = dict(_BUILT_IN)
    formats: list[int] = []
    within = [""]

    def begin(tag: str, given: _Attributes) -> None:
        if tag == "numFmt":
            shown[int(given["numFmtId"])] = mark_of(given.get("formatCode", ""))
        elif tag in ("cellXfs", "cellStyleXfs", "dxfs"):
            within[0] = tag
        elif tag == "xf" and within[0] == "cellXfs":
            formats.append(int(given.get("numFmtId", "0")))

    _read(archive, name, begin)
    return {no: shown[form] for no, form in enumerate(formats) if shown.get(form)}


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
    """Collects cells with marks; rows with the same ones share them."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[tuple[int, str], ...]] = {}
        self._shared: dict[tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]] = {}

    def add(self, first: int, count: int, columns: dict[int, str]) -> None:
        if columns:
            key = tuple(columns.items())
            shared = self._shared.setdefault(key, key)
            self.rows.update(
                dict.fromkeys(range(first, min(first + count, SHEET_ROWS_MAX)), shared)
            )


class _Sheet:
    """Follows a sheet of an XLSX; cells and rows may leave out where they are."""

    def __init__(self, styles: Mapping[int, str]) -> None:
        self.found = _Found()
        self._styles = styles
        self._row = self._column = -1
        self._columns: dict[int, str] = {}
        self._type = self._value = ""
        self._is_formula = self._is_value = False

    def begin(self, tag: str, given: _Attributes) -> None:
        if tag == "row":
            self._row = int(given["r"]) - 1 if "r" in given else self._row + 1
            self._column = -1
        elif tag == "c":
            self._column = _column(given["r"]) if "r" in given else self._column + 1
            self._type, self._value, self._is_formula = given.get("t", "n"), "", False
            mark = self._styles.get(int(given.get("s", "0")))
            if mark:
                self._columns[self._column] = mark
        elif tag == "f":
            self._is_formula = True
        self._is_value = tag == "v"

    def text(self, text: str) -> None:
        if self._is_value:
            self._value += text

    def end(self, tag: str) -> None:
        self._is_value = False
        if tag == "c":
            error = self._error()
            if error:
                self._columns[self._column] = error
        elif tag == "row":
            self.found.add(self._row, 1, self._columns)
            self._columns = {}

    def _error(self) -> str:
        if self._type == "e":
            return self._value if is_failed(self._value) else "#N/A"
        return UNCALCULATED if self._is_formula and self._type == "n" and not self._value else ""


def _column(reference: str) -> int:
    try:
        return placed(reference)[0]
    except ValueError:
        why = f"a cell {reference[:20]!r}"
        raise BadFormats(why) from None


class _OpenSheet:
    """Follows one table of an OpenDocument sheet; cells and rows may stand for several alike."""

    def __init__(self, sheet: str) -> None:
        self.found = _Found()
        self._sheet = sheet
        self._is_in = self._is_formula = self._is_note = False
        self._row = self._column = self._count = 0
        self._repeated = 1
        self._columns: dict[int, str] = {}
        self._text = ""

    def begin(self, tag: str, given: _Attributes) -> None:
        if tag == "table":
            self._is_in = _attribute(given, "name") == self._sheet
            self._row = 0
        elif self._is_in and tag == "table-row":
            self._repeated = _times(given, "number-rows-repeated", SHEET_ROWS_MAX)
            self._column = 0
            self._columns = {}
        elif self._is_in and tag in _OPEN_CELLS:
            self._count = _times(given, "number-columns-repeated", COLUMNS_MAX)
            self._is_formula, self._text = bool(_attribute(given, "formula")), ""
            if _attribute(given, "value-type") == "percentage":
                self._mark(PERCENT)
        elif tag == _NOTE:
            self._is_note = True

    def text(self, text: str) -> None:
        # What somebody noted on a cell stands inside of it, and is none of what it shows.
        if self._is_in and self._is_formula and not self._is_note:
            self._text += text

    def end(self, tag: str) -> None:
        if tag == "table":
            self._is_in = False
        elif tag == _NOTE:
            self._is_note = False
        elif self._is_in and tag in _OPEN_CELLS:
            if self._is_formula and is_failed(self._text):
                self._mark(f"#{self._text.strip().lstrip('#')}")
            self._column += self._count
            self._is_formula = False
        elif self._is_in and tag == "table-row":
            self.found.add(self._row, self._repeated, self._columns)
            self._row += self._repeated

    def _mark(self, mark: str) -> None:
        columns = range(self._column, min(self._column + self._count, COLUMNS_MAX))
        self._columns.update(dict.fromkeys(columns, mark))


_OPEN_CELLS = ("table-cell", "covered-table-cell")
_NOTE = "annotation"


def _times(given: _Attributes, name: str, most: int) -> int:
    return min(int(_attribute(given, name) or "1"), most)


def _of_open_document(archive: zipfile.ZipFile, sheet: str) -> Marks:
    page = _OpenSheet(sheet)
    _read(archive, _OPEN_DOCUMENT, page.begin, page.end, page.text)
    return page.found.rows
