"""The process that reads one sheet: ``python -m producers.mapping.sheet_child SHEET < FILE``.

A reader of binary formats may be led to claim memory without end, or to abort, by a file of a few
bytes. In a process of its own, bounded where the system can, that ends in one line of text.
Standard output has a line of JSON per row, each cell with a letter for its kind in front; before
them one line with the names of all sheets, after them one with ``null``.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from producers.mapping.bounds import COLUMNS_MAX, READER_BYTES_MAX
from producers.mapping.sheet_formats import PERCENT, BadFormats, Marks, marks


def main() -> None:
    """Write the rows of a sheet to standard output."""
    _bound()
    # Imported here, so that the bound holds for it, and a base package without it can say so.
    from python_calamine import CalamineWorkbook

    data = sys.stdin.buffer.read()
    book = CalamineWorkbook.from_filelike(BytesIO(data))
    names = list(book.sheet_names)
    _line({"sheets": names})
    wanted = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else names[0] if names else ""
    if wanted not in names:
        _line({"fault": f"no sheet {wanted!r}"})
        return
    sheet = book.get_sheet_by_name(wanted)
    width = sheet.end[1] + 1 if sheet.end else 0
    if width > COLUMNS_MAX:
        _line({"fault": f"{width} columns, at most {COLUMNS_MAX}"})
        return
    try:
        shown = marks(data, wanted)
    except BadFormats as error:
        _line({"fault": str(error)})
        return
    # Rows come with what is above the first cell, but without what is left of it.
    _write(sheet.iter_rows(), sheet.start[1] if sheet.start else 0, shown)
    _line(None)


def _write(rows: Iterable[Sequence[object]], left: int, shown: Marks) -> None:
    empty = [""] * left
    for no, row in enumerate(rows):
        coded = [*empty, *(_coded(cell) for cell in row)]
        # Formulas alone make no row: templates have them down to a row that nobody has reached.
        marked = shown.get(no, ()) if any(coded) else ()
        for column, mark in marked:
            if column < COLUMNS_MAX:
                # A row ends where its values do, and a formula that failed has none.
                coded += [""] * (column + 1 - len(coded))
                coded[column] = _marked(coded[column], mark)
        _line(coded)


def _marked(coded: str, mark: str) -> str:
    """Return a cell as the sheet shows it: an error in words, per cent, zeros in front.

    A number shown in thousands is said with both: what its heading means nobody can tell.
    """
    if mark.startswith("#"):
        return f"s{mark}"
    if not coded.startswith("n"):
        return coded
    if mark.startswith(","):
        shown = Decimal(coded[1:]).scaleb(-3 * len(mark))
        return f"s#{coded[1:]} shown as {shown:f}"
    if mark == PERCENT:
        return f"p{coded[1:]}"
    return f"s{coded[1:].zfill(len(mark))}" if coded[1:].isdigit() else coded


def _bound() -> None:
    try:
        import resource
    except ImportError:
        # Windows bounds what a process can claim by what the machine has.
        return
    resource.setrlimit(resource.RLIMIT_AS, (READER_BYTES_MAX, READER_BYTES_MAX))


def _line(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _number(cell: float) -> str:
    """Return a number as a sheet shows it, a whole one with all its digits: it may be an id."""
    if cell.is_integer() and abs(cell) < _WHOLE_MAX:
        return str(int(cell))
    # Fifteen digits are what spreadsheets keep and show: 0.1 + 0.2 is 0.3 there.
    return f"{cell:.15g}"


_WHOLE_MAX = 2**53
"""Below it every whole number is a float of its own."""

_KINDS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    # In this order: a boolean is an int, and a time with its date is a date.
    (bool, lambda cell: f"b{cell:d}"),
    (float, lambda cell: f"n{_number(cell)}"),
    (int, lambda cell: f"n{cell}"),
    (datetime, lambda cell: f"m{cell}"),
    (date, lambda cell: f"d{cell}"),
    (time, lambda cell: f"h{cell}"),
    (timedelta, lambda cell: f"l{cell // timedelta(microseconds=1)}"),
)


def _coded(cell: object) -> str:
    if cell == "":
        return ""
    for kind, code in _KINDS:
        if isinstance(cell, kind):
            return code(cell)
    return f"s{cell}"


if __name__ == "__main__":
    main()
