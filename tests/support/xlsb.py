"""A workbook of one sheet as XLSB holds it ([MS-XLSB]), for what XlsxWriter cannot write.

Records are a type and a length of up to 2 and 4 groups of seven bits, then their data. Only what
a reader of cells looks at is there: no styles, so that nothing says what is shown.
"""

import struct
import zipfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

_RELATIONS = """<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">\
<Relationship Id="rId1" Target="worksheets/sheet1.bin" Type="\
http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>"""

_ROW, _NUMBER, _TEXT = 0, 5, 6
_BEGIN_SHEET, _END_SHEET, _BEGIN_BOOK, _END_BOOK = 129, 130, 131, 132
_BEGIN_SHEETS, _END_SHEETS, _BEGIN_DATA, _END_DATA = 143, 144, 145, 146
_DIMENSION, _SHEET = 148, 156


def write(path: Path, rows: Sequence[Sequence[str | float]]) -> Path:
    """Write a workbook with a sheet ``R``; returns ``path``."""
    book = b"".join(
        (
            _record(_BEGIN_BOOK),
            _record(_BEGIN_SHEETS),
            _record(_SHEET, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("R")),
            _record(_END_SHEETS),
            _record(_END_BOOK),
        )
    )
    last = (len(rows) - 1, max(map(len, rows)) - 1)
    sheet = b"".join(
        (
            _record(_BEGIN_SHEET),
            _record(_DIMENSION, struct.pack("<IIII", 0, last[0], 0, last[1])),
            _record(_BEGIN_DATA),
            *map(_row, count(), rows),
            _record(_END_DATA),
            _record(_END_SHEET),
        )
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", _RELATIONS)
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return path


def _row(no: int, cells: Sequence[str | float]) -> bytes:
    head = _record(_ROW, struct.pack("<IIHHBI", no, 0, 300, 0, 0, 0))
    return head + b"".join(map(_cell, count(), cells))


def _cell(column: int, value: str | float) -> bytes:
    at = struct.pack("<II", column, 0)
    if isinstance(value, str):
        return _record(_TEXT, at + _wide(value))
    return _record(_NUMBER, at + struct.pack("<d", value))


def _record(kind: int, data: bytes = b"") -> bytes:
    return _sevens(kind) + _sevens(len(data)) + data


def _sevens(number: int) -> bytes:
    rest, low = divmod(number, 128)
    return bytes((low | 128,)) + _sevens(rest) if rest else bytes((low,))


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
