"""Rows of a delimited text file, read as a stream within bounds.

Bytes that are no text in the file's encoding become lone surrogates, so that only their row is
refused and can be written back byte for byte.
"""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from producers.mapping import encodings
from producers.mapping.bounds import COLUMNS_MAX, ROW_CHARS_MAX
from producers.mapping.cells import Row
from producers.mapping.faults import BadTable

_CHUNK_BYTES = 1 << 20
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OF_TWO_BYTES_MAX = "\u07ff"
_ENOUGH = 6
"""Different letters that tell UTF-8 from a code page of more than one byte for a letter; one of
three bytes, such as any of Chinese, counts three times. Of words in Chinese, Japanese and Korean in
their own code pages at most one in 1,800 is UTF-8 with as many."""


def rows(path: Path, encoding: str, delimiter: str, quote: str) -> Iterator[Row]:
    """Yield the rows of a file.

    Args:
        path: The file.
        encoding: A name of ``encodings.ENCODINGS``.
        delimiter: One character between cells.
        quote: Character around cells that hold a delimiter; empty where quotes mean nothing.

    Raises:
        BadTable: A row is beyond bounds, or the encoding cannot be right.
    """
    _check_encoding(path, encoding)
    with path.open(
        encoding=encodings.reading(encoding), errors="surrogateescape", newline=None
    ) as text:
        lines = _Lines(text)
        reader = csv.reader(lines, Style(delimiter, quote))
        try:
            for cells in reader:
                lines.row += 1
                if len(cells) > COLUMNS_MAX:
                    raise _too_wide(lines.row)
                yield Row(lines.row, tuple(cells), lines.taken())
        except UnicodeError as error:
            raise _not_encoded(encoding, lines.row + 1, error) from None
        except csv.Error as error:
            raise BadTable(str(error), lines.row + 1) from None


class Style(csv.excel):
    """How a file is cut into cells, for reading and for writing.

    Args:
        delimiter: One character between cells.
        quote: Character around cells that hold a delimiter; empty where quotes mean nothing.
    """

    def __init__(self, delimiter: str, quote: str) -> None:
        self.delimiter = delimiter
        self.quotechar = quote or None
        self.quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
        super().__init__()


class _Lines:
    """Lines of a file, none of them and no row of several beyond ``ROW_CHARS_MAX``."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.row = 0
        self.chars = 0
        self._of_row: list[str] = []

    def taken(self) -> str:
        """Return the lines of a row, which ends here."""
        text = "".join(self._of_row).removesuffix("\n")
        self._of_row.clear()
        self.chars = 0
        return text

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(ROW_CHARS_MAX + 1)
        if not line:
            raise StopIteration
        self.chars += len(line)
        if self.chars > ROW_CHARS_MAX:
            raise _too_long(self.row + 1)
        self._of_row.append(line)
        return line


def _check_encoding(path: Path, encoding: str) -> None:
    """Refuse a file that is Unicode under a mapping of another encoding, as of an older export.

    Raises:
        BadTable: It has the mark of another, or all its letters beyond ASCII are UTF-8, which text
            in a code page hardly ever is.
    """
    with path.open("rb") as file:
        found, why = _marked(file), "begins with the mark of"
        if not found and encoding in encodings.CODE_PAGES:
            enough = 1 if encoding in encodings.ONE_BYTE else _ENOUGH
            found, why = ("utf-8", "is text in") if _is_utf_8(file, enough) else ("", "")
    if found not in {"", encoding}:
        why = f"it {why} {found.upper()}, and the mapping says {encoding}"
        raise BadTable(why, next_step=f'encoding = "{found}" in [file]')


def _marked(file: BinaryIO) -> str:
    """Return the encoding whose byte order mark a file begins with; empty where it has none."""
    head = file.read(max(map(len, _MARKS)))
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "")


def _is_utf_8(file: BinaryIO, enough: int) -> bool:
    """Tell whether a file has letters enough beyond ASCII and all of them are UTF-8.

    Args:
        file: The file.
        enough: How many, as ``_ENOUGH`` counts.
    """
    file.seek(0)
    reader = codecs.getincrementaldecoder("utf-8")()
    letters: set[str] = set()
    try:
        while part := file.read(_CHUNK_BYTES):
            text = reader.decode(part)
            if len(letters) < enough and not text.isascii():
                letters |= {letter for letter in set(text) if not letter.isascii()}
        reader.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return sum(1 if letter <= _OF_TWO_BYTES_MAX else 3 for letter in letters) >= enough


def _too_long(row: int) -> BadTable:
    return BadTable(
        f"longer than {ROW_CHARS_MAX} characters",
        row,
        expected="a quote that was opened is closed; lines end with a line feed",
        next_step='quote = "" in [file] where a quote is part of the text',
    )


def _too_wide(row: int) -> BadTable:
    return BadTable(f"more than {COLUMNS_MAX} cells", row, expected="the right delimiter")


def _not_encoded(encoding: str, row: int, error: UnicodeError) -> BadTable:
    return BadTable(f"no text in {encoding}: {error}", row, next_step="another encoding in [file]")
