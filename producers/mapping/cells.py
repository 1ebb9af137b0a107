"""Cells and rows of a table, whatever file they come from."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Percent:
    """A number that a spreadsheet shows as per cent.

    Attributes:
        shown: What it shows: 8.1 of a cell that holds 0.081.
    """

    shown: Decimal


Cell = str | Decimal | Percent | bool | datetime | date | time | timedelta
"""Text of a CSV is always ``str``; a spreadsheet types its cells. An empty cell is ``""``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        no: Its number as a spreadsheet shows it, from 1: blank rows count, lines within a cell
            do not.
        cells: Its cells, trailing empty ones possibly missing.
        text: What a text file has there, without the last end of a line; empty of a spreadsheet.
    """

    no: int
    cells: tuple[Cell, ...]
    text: str = field(default="", compare=False)

    def at(self, index: int) -> Cell:
        """Return a cell; an empty one beyond the end."""
        return self.cells[index] if index < len(self.cells) else ""

    def is_blank(self) -> bool:
        """Tell whether nothing stands in it."""
        return not any(text_of(cell) for cell in self.cells)


def text_of(cell: Cell) -> str:
    """Return a cell as text without blanks around, as it could stand in a CSV.

    Numbers have a decimal point, per cent its sign behind it; times are ISO 8601.
    """
    match cell:
        case str():
            return cell.strip()
        case bool():
            return "true" if cell else "false"
        case Decimal() | Percent():
            return f"{cell:f}" if isinstance(cell, Decimal) else f"{cell.shown:f}%"
        case datetime():
            return cell.isoformat(sep=" ")
        case timedelta():
            return str(cell)
        case _:
            return cell.isoformat()


UNCALCULATED = "#UNCALCULATED!"
"""In place of a formula that whoever wrote the file left to be calculated."""

_FAILED = re.compile(
    r"#[¡¿]?[^\W\d_]+(?:/0)?[!?]|#(?:N/A|N/D|NV|Н/Д)|#{2,}|#?(?:Err|Fehler|Erreur):\d{3}"  # noqa: RUF001  # Cyrillic
    r"|#[+-]?\d\S* shown as \S+"
)


def is_failed(cell: Cell) -> bool:
    """Tell whether a cell holds the error of a formula, as spreadsheets of some languages say it.

    ``#DIV/0!``, ``#N/A``, ``#ЗНАЧ!``, and the ``####`` of a column too narrow to be exported. So
    is a number of which a sheet shows a thousandth.
    """
    return isinstance(cell, str) and _FAILED.fullmatch(cell.strip()) is not None


def letters(index: int) -> str:
    """Return the name a spreadsheet gives a column: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


_NAME = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)


def placed(name: str) -> tuple[int, int]:
    """Return column and row, both from 0, of the cell that a spreadsheet calls ``name``: B2.

    Raises:
        ValueError: It calls none so.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(name)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1, int(found[2]) - 1
