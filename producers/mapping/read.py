"""A table as requests: the whole way of ``producers.mapping`` in one function."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from producers.mapping import percent_hidden, sheet_table, text_table
from producers.mapping.cells import Row
from producers.mapping.faults import BadTable
from producers.mapping.form import FileRule
from producers.mapping.layout import Top, is_data, top_of
from producers.mapping.load import Mapping
from producers.mapping.records import Made, Maker

_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """A table that is being read.

    Attributes:
        top: What is above the data.
        made: What its rows give, in order; raises ``BadTable`` where it cannot be read further.
    """

    top: Top
    made: Iterator[Made]


@dataclass(slots=True)
class Skipped:
    """Rows that the mapping leaves out, so that whoever reads the table can say so.

    Attributes:
        count: How many.
        rows: Numbers of the first ones.
    """

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, no: int) -> None:
        """Take one row more."""
        self.count += 1
        if len(self.rows) < _SHOWN_MAX:
            self.rows.append(no)

    def text(self) -> str:
        """Return ``skipped 2 (rows 14, 30)``; empty where there is none."""
        if not self.count:
            return ""
        more = ", ..." if self.count > len(self.rows) else ""
        return f"skipped {self.count} (rows {', '.join(map(str, self.rows))}{more})"


def read(path: Path, mapping: Mapping, skip: Callable[[int], None] | None = None) -> Reading:
    """Begin to read a table; blocks on the disk, and reads no more of it than is asked for.

    An XLS or XLSB with per cent is read to its end beforehand: only all of a column tells.

    Args:
        path: The table.
        mapping: By which rules.
        skip: Told the number of each row that the mapping leaves out; blank rows are none.

    Raises:
        BadTable: It cannot be read, lacks a column, or has per cent that may be fractions.
    """
    rows = rows_of(path, mapping.file)
    top = top_of(rows, mapping.file)
    maker = Maker(mapping, top)
    if percent_hidden.watches(mapping) and not sheet_table.tells_formats(path):
        percent_hidden.check(rows_of(path, mapping.file), mapping)
    return Reading(top, _made(rows, mapping.file, top, maker, skip))


def rows_of(path: Path, rule: FileRule) -> Iterator[Row]:
    """Yield the rows of a table, text or spreadsheet; told apart by content, not by name.

    Raises:
        BadTable: It cannot be read, or not beyond a row.
    """
    try:
        if sheet_table.is_sheet(path):
            yield from sheet_table.rows(path, rule.sheet)
        else:
            yield from text_table.rows(path, rule.encoding, rule.delimiter, rule.quote)
    except OSError as error:
        why = f"{path.name}: {error.strerror or error}"
        raise BadTable(why) from None


def _made(
    rows: Iterator[Row],
    rule: FileRule,
    top: Top,
    maker: Maker,
    skip: Callable[[int], None] | None,
) -> Iterator[Made]:
    for row in rows:
        if is_data(row, rule, top):
            yield from maker.make(row)
        elif skip is not None and not row.is_blank():
            skip(row.no)
