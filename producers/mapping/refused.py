"""``<file>.refused.csv``: rows that gave no fact, as they were, each with its reasons behind it.

Rows of a text file keep their quotes and lines: one that was opened and never closed has taken in
the rows below it, and whoever mends it there has to find these as they were, too.

It has the same headings, delimiter and encoding, and what was above the headings, so that the
same mapping reads it once it is mended; the columns added here are none of a mapping's. An older
file of that name is kept as ``<file>.refused.old.csv``, because somebody may have mended in it.
"""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from producers.mapping import sheet_table
from producers.mapping.cells import Cell, Row, text_of
from producers.mapping.form import FileRule
from producers.mapping.layout import Top
from producers.mapping.text_table import Style

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
        self._style = Style(rule.delimiter, rule.quote)
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
        self._line(self._row, added)
        self.rows += 1
        self._row, self._reasons = None, []

    def _pass_over(self) -> None:
        """Leave rows blank that the mapping leaves out by their numbers: no mended row is there."""
        file = self._opened()
        while self._lines + 1 in self._rule.skip_rows:
            self._lines += 1
            file.write("\r\n")

    def _line(self, row: Row, added: Sequence[str]) -> None:
        width = len(self._top.titles) - len(self._dropped)
        file = self._opened()
        self._lines += 1
        cells = self._cells(row.cells)
        behind = [""] * (width - len(cells)) if added else []
        behind += [self._fit(text) for text in added]
        line = self._as_it_was(row, cells, behind)
        file.write(f"{self._written([*cells, *behind]) if line is None else line}\r\n")

    def _as_it_was(self, row: Row, cells: Sequence[str], behind: Sequence[str]) -> str | None:
        """Return a row's own text with further cells behind it; None where it has none.

        Where a quote is open to the end of the file, it is closed before them.
        """
        text, earlier = row.text, len(row.cells) - len(cells)
        if earlier:
            of_ours = self._rule.delimiter + self._written(row.cells[-earlier:])
            text = text.removesuffix(of_ours)
        for own in (text, text + self._rule.quote):
            line = self._rule.delimiter.join([own, self._written(behind)]) if behind else own
            if text and self._read(line) == [*cells, *behind]:
                return line
        return None

    def _written(self, cells: Sequence[object]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, self._style).writerow(cells)
        return text.getvalue().removesuffix("\r\n")

    def _read(self, line: str) -> list[str]:
        return next(csv.reader(io.StringIO(line, newline="\n"), self._style), [])

    def _opened(self) -> TextIO:
        if self._file is None:
            self._file = self._part.open(
                "w", encoding=self._encoding, errors="surrogateescape", newline=""
            )
            headings = self._rule.heading_rows
            for row in self._top.rows:
                last = bool(headings) and row.no == headings[-1]
                self._line(row, ADDED if last else ())
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
