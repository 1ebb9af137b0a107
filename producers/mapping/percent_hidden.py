"""Columns of per cent in a spreadsheet that does not say what it shows: XLS and XLSB.

A column that shows 25 % holds 0.25, and reads a hundred times too small where nothing tells. Only
a number beyond 1 tells here: otherwise the mapping has to say which of the two it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from producers.mapping.cells import Cell, Row, placed, text_of
from producers.mapping.faults import BadTable
from producers.mapping.form import ElementRule, FieldRule, Where
from producers.mapping.layout import Top, fits, is_data, top_of
from producers.mapping.load import Mapping, Record
from producers.mapping.percent import may_be_fractions
from producers.mapping.targets import Kind
from producers.mapping.unit_words import plain

_SHARES = (Kind.CONCENTRATION, Kind.FRACTION)


@dataclass(slots=True)
class _Watched:
    """A place that is per cent by the mapping: one column, or one cell above the data.

    Attributes:
        place: In words.
        rule: Where it is.
        when: Of which rows.
        row: Where the first number that is not zero stands.
        first: That number.
        tells: A number beyond 1 was seen.
    """

    place: str
    rule: FieldRule | ElementRule
    when: tuple[Where, ...]
    row: int = 0
    first: Decimal = Decimal(0)
    tells: bool = False

    def see(self, cell: Cell, row: int) -> None:
        """Take what stands in the place in a row that is read."""
        if not isinstance(cell, Decimal) or not cell or self.tells:
            return
        self.tells = not may_be_fractions((cell,))
        if not self.row:
            self.row, self.first = row, cell


def watches(mapping: Mapping) -> bool:
    """Tell whether a mapping has a column of per cent of which it does not say more."""
    return any(True for record in mapping.records for _ in _watched(record))


def check(rows: Iterator[Row], mapping: Mapping) -> None:
    """Refuse a table with a column of per cent that may be one of fractions; reads all rows.

    Args:
        rows: All of the table, with what is above the data.
        mapping: Of columns that are there.

    Raises:
        BadTable: None of a column's numbers is beyond 1, and one is not zero.
    """
    top = top_of(rows, mapping.file)
    watched = [each for record in mapping.records for each in _watched(record)]
    empty = frozenset(plain(word) for word in mapping.file.empty)
    for each in watched:
        if isinstance(each.rule, FieldRule) and each.rule.cell is not None:
            each.see(top.cell(each.rule.cell), placed(each.rule.cell)[1] + 1)
    for row in rows:
        if is_data(row, mapping.file, top):
            _see(watched, row, top, empty)
    unclear = [each for each in watched if each.row and not each.tells]
    if unclear:
        raise _refused(unclear)


def _see(watched: Iterable[_Watched], row: Row, top: Top, empty: frozenset[str]) -> None:
    for each in watched:
        if each.rule.column is None or not all(fits(row, where, top) for where in each.when):
            continue
        index = top.index(each.rule.column)
        assert index is not None, "columns are required beforehand"
        cell = row.at(index)
        if plain(text_of(cell)) not in empty:
            each.see(cell, row.no)


def _watched(record: Record) -> Iterator[_Watched]:
    when = record.rule.when
    for field in record.fields:
        rule = field.rule
        if field.target.kind in _SHARES and field.unit == "pct" and not rule.plain_pct:
            if rule.column is not None:
                yield _Watched(f"column {rule.column!r}", rule, when)
            elif rule.cell is not None:
                yield _Watched(f"cell {rule.cell}", rule, when)
    for element in record.rule.elements:
        if element.unit == "pct" and not element.plain_pct:
            yield _Watched(f"column {element.column!r}", element, when)


def _refused(unclear: list[_Watched]) -> BadTable:
    first = unclear[0]
    held, shown = f"{first.first:f}", f"{first.first.scaleb(2).normalize():f}"
    others = ", ".join(each.place for each in unclear[1:])
    return BadTable(
        f"{first.place} holds {held}, which may be {held} % or {shown} %: none of its numbers is"
        " beyond 1, and XLS and XLSB do not say what they show as per cent"
        + (f"; likewise {others}" if others else ""),
        first.row,
        expected=f'unit = "fraction" where it is {shown} %, plain_pct = true where it is {held} %',
        next_step="say so in the mapping, or save the sheet as XLSX, which tells",
    )
