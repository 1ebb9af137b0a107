"""From one row to its requests: one per record of the mapping that wants it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from producers.mapping import assembled
from producers.mapping.assembled import Leaf
from producers.mapping.cells import Cell, Row, text_of
from producers.mapping.convert import Reader, constant, reader
from producers.mapping.elements import Elements
from producers.mapping.faults import CellCode, CellFault
from producers.mapping.form import FieldRule, RecordRule
from producers.mapping.layout import Top, fits
from producers.mapping.load import Mapping as MappingOf
from producers.mapping.load import Record
from producers.mapping.unit_words import plain
from producers.outcome import Code

Request = dict[str, object]


@dataclass(frozen=True, slots=True)
class Made:
    """What one record made of one row.

    Attributes:
        row: The row.
        record: Number of the record, from 1; 0 where the row as such is at fault.
        request: The request; None where the row has a fault.
        columns: Heading by field of the request.
        fault: Why there is no request.
    """

    row: Row
    record: int
    request: Request | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    fault: CellFault | None = None


class Maker:
    """Makes requests of the rows of one file.

    Args:
        mapping: By which rules.
        top: Headings of the file.

    Raises:
        BadTable: A column of the mapping is not there.
    """

    def __init__(self, mapping: MappingOf, top: Top) -> None:
        self._top = top
        self._delimiter = mapping.file.delimiter
        empty = frozenset(plain(word) for word in mapping.file.empty)
        top.require(where.column for where in mapping.file.skip_where)
        self._records = [_RecordMaker(record, mapping, top, empty) for record in mapping.records]

    def make(self, row: Row) -> Iterator[Made]:
        """Yield what each record makes of a row of data, at least one thing."""
        fault = self._row_fault(row)
        if fault is not None:
            yield Made(row, 0, fault=fault)
            return
        wanted = False
        for no, record in enumerate(self._records, start=1):
            if record.wants(row):
                wanted = True
                yield record.make(row, no)
        if not wanted:
            allowed = "a record whose when fits, or skip_where in [file] to leave it out"
            yield Made(row, 0, fault=CellFault(CellCode.NO_RECORD, None, allowed))

    def _row_fault(self, row: Row) -> CellFault | None:
        titles = self._top.titles
        for index, cell in enumerate(row.cells):
            if titles and index >= len(titles) and text_of(cell):
                allowed = f"{len(titles)} cells, as headings; quotes around a text with a delimiter"
                return CellFault(CellCode.TOO_MANY_CELLS, len(row.cells), allowed)
            if isinstance(cell, str) and not _is_text(cell):
                title = titles[index] if index < len(titles) else ""
                return CellFault(CellCode.BAD_ENCODING, cell, "text in the file's encoding", title)
            if isinstance(cell, str) and "\n" in cell and self._holds_rows(cell, row.no):
                title = titles[index] if index < len(titles) else ""
                return CellFault(CellCode.TOO_MANY_CELLS, cell[:80], _CLOSED, title)
        return None

    def _holds_rows(self, cell: str, no: int) -> bool:
        """Tell whether a cell of several lines has one that is a row, and a good one."""
        for line in cell.split("\n")[1:]:
            row = Row(no, tuple(line.split(self._delimiter)))
            if any(each.wants(row) and not each.make(row, 0).fault for each in self._records):
                return True
        return False


_CLOSED = 'a quote that was opened is closed in its cell: rows follow in this one; or quote = ""'


class _RecordMaker:
    def __init__(self, record: Record, mapping: MappingOf, top: Top, empty: frozenset[str]) -> None:
        self._rule: RecordRule = record.rule
        self._top = top
        self._empty = empty
        top.require(where.column for where in record.rule.when)
        for each in record.fields:
            top.require((each.rule.column,) if each.rule.column else each.rule.columns)
        self._readers = [reader(each, mapping.file) for each in record.fields]
        self._elements = Elements(record.rule, mapping.file, top, self._is_empty)
        # Also of a cell that is empty, so that whoever misses it can say where it belongs.
        self._columns = {
            each.path: " ".join(self._titles(each.rule))
            for each in record.fields
            if self._titles(each.rule) and not any(step.isdigit() for step in each.path.split("."))
        }
        self._open_items = frozenset(
            path.rpartition(".")[0]
            for path in (f.path for f in record.fields if f.rule.constant is None)
        )

    def wants(self, row: Row) -> bool:
        return all(fits(row, where, self._top) for where in self._rule.when)

    def make(self, row: Row, no: int) -> Made:
        leaves: list[Leaf] = []
        try:
            for each in self._readers:
                value, said = self._named(each, row)
                if said:
                    by_hand = each.field.rule.constant is not None
                    title = " ".join(self._titles(each.field.rule))
                    leaves.append(Leaf(each.field.path, value, title, by_hand))
            request, columns = assembled.request(leaves, self._open_items)
            columns = {**self._columns, **columns}
            self._elements.add(row, request, columns)
        except CellFault as fault:
            return Made(row, no, fault=fault)
        return Made(row, no, {"type": self._rule.type, **request}, columns)

    def _named(self, each: Reader, row: Row) -> tuple[object, bool]:
        try:
            return self._field(each, row)
        except CellFault as fault:
            fault.field = each.field.path
            raise

    def _field(self, each: Reader, row: Row) -> tuple[object, bool]:
        """Return a value, and whether the row says one."""
        rule = each.field.rule
        if rule.constant is not None:
            return constant(each, rule.constant), True
        cells = self._cells(rule, row)
        try:
            if cells:
                return each.value(cells), True
            if rule.default is not None:
                return constant(each, rule.default), True
        except CellFault as fault:
            fault.column = fault.column or " ".join(self._titles(rule))
            raise
        if each.field.target.nullable and each.field.path == "lot_id":
            return self._no_lot(rule)
        return None, False

    def _no_lot(self, rule: FieldRule) -> tuple[object, bool]:
        # Null says that a scale or laboratory was checked: nobody says that by leaving out a lot.
        if rule.null_when_empty:
            return None, True
        allowed = "the lot; null_when_empty in the mapping where it is a check without lot"
        raise CellFault(Code.MISSING_FIELD, None, allowed, " ".join(self._titles(rule)))

    def _cells(self, rule: FieldRule, row: Row) -> Sequence[Cell]:
        if rule.cell is not None:
            cells = [self._top.cell(rule.cell)]
        else:
            cells = [row.at(self._index(title)) for title in self._titles(rule)]
        return [cell for cell in cells if not self._is_empty(cell)]

    def _titles(self, rule: FieldRule) -> tuple[str, ...]:
        return (rule.column,) if rule.column is not None else rule.columns

    def _index(self, title: str) -> int:
        index = self._top.index(title)
        assert index is not None, "columns are required beforehand"
        return index

    def _is_empty(self, cell: Cell) -> bool:
        text = text_of(cell)
        return not text or plain(text) in self._empty


def _is_text(text: str) -> bool:
    """Tell whether a text has no byte that the file's encoding does not know."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)
