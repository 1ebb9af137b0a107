"""``<file>.refused.csv``: rows that gave no fact, as they were, each with its reasons behind it.

It has the same headings, delimiter and encoding, and what was above the headings, so that the
same mapping reads it once it is mended; the columns added here are none of a mapping's. An older
file of that name is kept as ``<file>.refused.old.csv``, because somebody may have mended in it.
"""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from producers.mapping import sheet_table
from producers.mapping.cells import Cell, Row, text_of
from producers.mapping.form import FileRule
from producers.mapping.layout import Top

ADDED = ("refused_row", "refused_code", "refused_field", "refused_reason")
_BOM = b"\xef\xbb\xbf"


class RefusedFile:
    """Writes the refused rows of one table.

    Args:
        path: The table.
        rule: How it is read.
        top: What is above its data.
    """

    def __init__(self, path: Path, rule: FileRule, top: Top) -> None:
        self.path = path.with_name(f"{path.name}.refused.csv")
        self._old = path.with_name(f"{path.name}.refused.old.csv")
        self._part = path.with_name(f"{path.name}.refused.csv.part")
        self._rule = rule
        self._top = top
        sheet = sheet_table.is_sheet(path)
        with path.open("rb") as file:
            marked = file.read(len(_BOM)) == _BOM
        # A spreadsheet program takes a CSV without the mark for one of its own code page.
        self._encoding = "utf-8-sig" if sheet or marked else rule.encoding
        self._dropped = {i for i, title in enumerate(top.titles) if title in ADDED}
        self._file: TextIO | None = None
        self._row: Row | None = None
        self._reasons: list[tuple[str, str, str]] = []
        self.rows = 0
        self._lines = 0

    def add(self, row: Row, code: str, field: str, reason: str) -> None:
        """Take one reason against a row; rows come in order, a row perhaps more than once."""
        if self._row is not None and self._row.no != row.no:
            self._write()
        self._row = row
        self._reasons.append((code, field, reason))

    def finish(self) -> Path | None:
        """Put the file into its place; return its path, or None where nothing was refused."""
        self._write()
        if self.path.exists():
            os.replace(self.path, self._old)  # noqa: PTH105  # replaces on Windows as well
        if self._file is None:
            return None
        self._file.close()
        os.replace(self._part, self.path)  # noqa: PTH105  # as above
        return self.path

    def abandon(self) -> None:
        """Forget what was written, where the run ended early: the next one says it all again."""
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._row is None:
            return
        codes, fields, reasons = zip(*self._reasons, strict=True)
        added = (str(self._row.no), codes[0], fields[0], " | ".join(dict.fromkeys(reasons)))
        self._pass_over()
        self._line(self._cells(self._row.cells), added)
        self.rows += 1
        self._row, self._reasons = None, []

    def _pass_over(self) -> None:
        """Leave rows blank that the mapping leaves out by their numbers: no mended row is there."""
        file = self._opened()
        while self._lines + 1 in self._rule.skip_rows:
            self._lines += 1
            file.write("\r\n")

    def _line(self, cells: Sequence[str], added: Sequence[str]) -> None:
        width = len(self._top.titles) - len(self._dropped)
        file = self._opened()
        self._lines += 1
        padded = [*cells, *[""] * (width - len(cells))] if added else list(cells)
        csv.writer(
            file,
            delimiter=self._rule.delimiter,
            quotechar=self._rule.quote or None,
            quoting=csv.QUOTE_MINIMAL if self._rule.quote else csv.QUOTE_NONE,
        ).writerow([*padded, *(self._fit(text) for text in added)])

    def _opened(self) -> TextIO:
        if self._file is None:
            self._file = self._part.open(
                "w", encoding=self._encoding, errors="surrogateescape", newline=""
            )
            headings = self._rule.heading_rows
            for row in self._top.rows:
                last = bool(headings) and row.no == headings[-1]
                self._line(self._cells(row.cells), ADDED if last else ())
        return self._file

    def _cells(self, cells: Sequence[Cell]) -> list[str]:
        kept = [cell for i, cell in enumerate(cells) if i not in self._dropped]
        return [self._text(cell) for cell in kept]

    def _text(self, cell: Cell) -> str:
        """Return a cell so that the mapping reads it back: text as it was, numbers in its style."""
        if isinstance(cell, str):
            return cell
        text = text_of(cell)
        return text if self._rule.decimal == "." else text.replace(".", self._rule.decimal)

    def _fit(self, text: str) -> str:
        """Return a text of ours as the file can hold it."""
        known = text.encode(self._encoding, "replace").decode(self._encoding)
        if self._rule.quote:
            return known
        return known.replace(self._rule.delimiter, " ").replace("\n", " ").replace("\r", " ")
