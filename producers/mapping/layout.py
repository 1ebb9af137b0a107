"""From the rows of a file to headings and data: what is above, between and below the data."""

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from producers.mapping.bounds import COLUMNS_MAX
from producers.mapping.cells import Cell, Row, letters, placed, text_of
from producers.mapping.faults import BadTable
from producers.mapping.form import FileRule, Where
from producers.mapping.unit_words import plain

_SHOWN_MAX = 30


@dataclass(frozen=True, slots=True)
class Top:
    """What is above the data.

    Attributes:
        rows: All rows up to the last heading or limit, as they are.
        titles: Headings by column, each once: of a second ``Poids`` it is ``Poids#2``.
        indexes: Column by its heading as headings are compared, and by ``[letters]``.
    """

    rows: tuple[Row, ...]
    titles: tuple[str, ...]
    indexes: dict[str, int] = field(repr=False)

    def index(self, title: str) -> int | None:
        """Return the column of a heading, or None."""
        return self.indexes.get(plain(title))

    def cell(self, name: str) -> Cell:
        """Return the cell that a spreadsheet calls ``name``; an empty one below the top."""
        column, row = placed(name)
        return self.rows[row].at(column) if row < len(self.rows) else ""

    def require(self, titles: Iterable[str]) -> None:
        """Refuse a file that lacks a column.

        Raises:
            BadTable: Naming the first one missing and those that are there.
        """
        for title in titles:
            if self.index(title) is None:
                raise self._lacks(title)

    def _lacks(self, title: str) -> BadTable:
        there = ", ".join(repr(t) for t in self.titles[:_SHOWN_MAX])
        return BadTable(
            f"no column {title!r}",
            max(1, len(self.rows)),
            expected=f"one of {there or 'no headings at all'}",
            next_step="heading_rows in [file], or the heading as it stands in the file",
        )


def top_of(rows: Iterator[Row], rule: FileRule) -> Top:
    """Take the rows above the data off ``rows`` and return them with the headings.

    Raises:
        BadTable: The file ends before its headings.
    """
    count = max((*rule.heading_rows, rule.limits_row or 0), default=0)
    taken = tuple(islice(rows, count))
    if len(taken) < count:
        raise _ends(len(taken), count)
    headings = [taken[no - 1] for no in rule.heading_rows]
    width = max((len(row.cells) for row in headings), default=0)
    names = [
        " ".join(filter(None, (_heading(row.at(i)) for row in headings))) for i in range(width)
    ]
    titles = _each_once(names)
    lettered = range(len(titles) if rule.heading_rows else COLUMNS_MAX)
    indexes = {plain(f"[{letters(i)}]"): i for i in lettered}
    indexes |= {plain(title): i for i, title in enumerate(titles) if title}
    return Top(taken, tuple(titles), indexes)


def _ends(row: int, headings: int) -> BadTable:
    return BadTable(f"it ends here, above its headings in row {headings}", row)


def _heading(cell: Cell) -> str:
    return re.sub(r"\s+", " ", text_of(cell)).strip()


def _each_once(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    titles = []
    for name in names:
        key = plain(name)
        seen[key] += 1
        titles.append(f"{name}#{seen[key]}" if name and seen[key] > 1 else name)
    # Without those at the end that are empty: spreadsheets have as many as were ever touched.
    while titles and not titles[-1]:
        titles.pop()
    return titles


def fits(row: Row, where: Where, top: Top) -> bool:
    """Tell whether a row meets a condition."""
    index = top.index(where.column)
    assert index is not None, "columns are required beforehand"
    text = plain(text_of(row.at(index)))
    return any(_glob(pattern).fullmatch(text) for pattern in where.matches)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    # Patterns of shells, because they cannot be made to take for ever, as others can.
    return re.compile(fnmatch.translate(plain(pattern)))


def is_data(row: Row, rule: FileRule, top: Top) -> bool:
    """Tell whether a row below the headings is data: not blank, and not to be left out."""
    if row.no in rule.skip_rows or row.is_blank():
        return False
    return not any(fits(row, where, top) for where in rule.skip_where)
