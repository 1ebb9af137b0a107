"""The beginning of a table as ``suggest`` looks at it: headings, limits, data, totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from producers.mapping import sheet_table
from producers.mapping.cells import Cell, Row, text_of
from producers.mapping.form import FileRule
from producers.mapping.layout import Top, top_of
from producers.mapping.read import rows_of
from producers.mapping.sniff import Finding, delimiter, encoding
from producers.mapping.titles import Title, understood
from producers.mapping.totals import without_totals
from producers.mapping.unit_words import plain, unit_of

ROWS_MAX = 5_000
"""Rows that are looked at; a file of more is said to be."""

_HEAD_ROWS = 30
_LIMIT_WORDS = (
    "lod", "loq", "dl", "ld", "lq", "l.d", "l.q", "mdl", "lld", "detection limit", "limit",
    "lower limit", "limite", "límite", "lim. det", "lim.det", "lim det", "limite inferior",
    "límite inferior", "límite inf", "ng", "bg", "nwg", "nachweisgrenze", "bestimmungsgrenze",
    "limite de détection", "límite de detección", "limite de detecção", "предел обнаружения",
    "检出限",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a table before its columns are looked at.

    Attributes:
        is_sheet: It is a spreadsheet.
        tells_formats: What it shows as per cent is known; a text file shows what it holds.
        encoding: Of a text file.
        delimiter: Of a text file.
        heading_rows: Rows of headings; none where no row has words that are known.
        limits_row: Row of detection limits; None where there is none.
        top: What is above the data.
        titles: Its headings, understood, by column.
        rows: Data, totals left out.
        totals: Column and pattern of rows that sum up or average others.
        unclear: Rows that begin like totals and look like data, each in words.
        is_whole: No more rows than were looked at.
    """

    is_sheet: bool
    tells_formats: bool
    encoding: Finding
    delimiter: Finding
    heading_rows: tuple[int, ...]
    limits_row: int | None
    top: Top
    titles: tuple[Title, ...]
    rows: tuple[Row, ...]
    totals: tuple[tuple[str, str], ...]
    unclear: tuple[str, ...]
    is_whole: bool

    def column(self, index: int) -> list[Cell]:
        """Return the cells of a column that are not empty."""
        cells = (row.at(index) for row in self.rows)
        return [cell for cell in cells if text_of(cell)]


def sample(path: Path, sheet: str | None, coding_given: str | None = None) -> Sample:
    """Look at the beginning of a table.

    Args:
        path: The table.
        sheet: Of a spreadsheet.
        coding_given: Encoding of a text file as somebody says; None where the file is to tell.

    Raises:
        BadTable: It cannot be read at all.
    """
    is_sheet = sheet_table.is_sheet(path)
    coding = Finding("utf-8", "a spreadsheet") if is_sheet else encoding(path, coding_given)
    mark = Finding(",", "a spreadsheet")
    if not is_sheet:
        mark = delimiter(path, coding.value or "latin-1")
    # An unknown code page reads as one that takes every byte: headings in ASCII are still words.
    rule = FileRule(encoding=coding.value or "latin-1", delimiter=mark.value or ",", sheet=sheet)
    rows = list(islice(rows_of(path, rule), ROWS_MAX + 1))
    headings = _headings(rows)
    limits = _limits(rows, headings)
    laid = rule.model_copy(update={"heading_rows": headings, "limits_row": limits})
    rest = iter(rows[:ROWS_MAX])
    top = top_of(rest, laid)
    titles = tuple(understood(title) for title in top.titles)
    summed = without_totals(rest, titles)
    return Sample(
        is_sheet=is_sheet,
        tells_formats=sheet_table.tells_formats(path),
        encoding=coding,
        delimiter=mark,
        heading_rows=headings,
        limits_row=limits,
        top=top,
        titles=titles,
        rows=summed.data,
        totals=summed.totals,
        unclear=summed.unclear,
        is_whole=len(rows) <= ROWS_MAX,
    )


def _headings(rows: Sequence[Row]) -> tuple[int, ...]:
    """Return the row with most words that are known, and a row of units below it."""
    scores = [(sum(map(_is_known, row.cells)), -row.no) for row in rows[:_HEAD_ROWS]]
    best = max(scores, default=(0, 0))
    if best[0] < 2:
        return ()
    no = -best[1]
    below = [text_of(cell) for cell in rows[no].cells] if no < len(rows) else []
    said = [text for text in below if text]
    if len(said) >= 2 and all(unit_of(text.strip("()[]")) for text in said):
        return (no, no + 1)
    return (no,)


def _is_known(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return False
    title = understood(cell)
    return bool(title.field) or bool(title.analyte and title.written)


def _limits(rows: Sequence[Row], headings: tuple[int, ...]) -> int | None:
    if not headings or headings[-1] >= len(rows):
        return None
    first = next((text_of(c) for c in rows[headings[-1]].cells if text_of(c)), "")
    return headings[-1] + 1 if plain(first).strip(" .:") in _LIMIT_WORDS else None
