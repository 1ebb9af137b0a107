"""The elements of a row: one item of the request per column that says something."""

from collections.abc import Callable
from decimal import Decimal

from producers.mapping.cells import Cell, Row, is_failed, text_of
from producers.mapping.faults import CellFault, failed
from producers.mapping.form import ElementRule, FileRule, RecordRule
from producers.mapping.layout import Top
from producers.mapping.numerals import Style, number
from producers.mapping.results import Censoring, result, word
from producers.outcome import Code

_LIST = {"lot": "declared_composition"}
_RESULTS = "results"


class Elements:
    """Reads the element columns of one record.

    Args:
        record: With its elements.
        file: How the file writes numbers and limits.
        top: Headings of the file.
        is_empty: Tells whether a cell says nothing.

    Raises:
        BadTable: A column is not there.
    """

    def __init__(
        self, record: RecordRule, file: FileRule, top: Top, is_empty: Callable[[Cell], bool]
    ) -> None:
        self._rules = record.elements
        self._declared = record.type == "lot"
        self._list = _LIST.get(record.type, _RESULTS)
        self._top = top
        self._is_empty = is_empty
        self._style = Style(file.decimal, file.thousands)
        words = frozenset(word(each) for each in file.below_limit)
        self._censoring = Censoring(words, file.negative_below_limit)
        self._limits = None if file.limits_row is None else top.rows[file.limits_row - 1]
        for rule in record.elements:
            errors = (rule.error_1sigma_column, rule.error_2sigma_column)
            beside = (rule.limit_column, rule.u_column, *errors)
            top.require((rule.column, *(title for title in beside if title is not None)))

    def add(self, row: Row, request: dict[str, object], columns: dict[str, str]) -> None:
        """Put the elements of a row into its request, and their headings into ``columns``.

        Raises:
            CellFault: A cell is none of an element.
        """
        items = []
        for rule in self._rules:
            cell = self._at(row, rule.column)
            if self._is_empty(cell):
                continue
            try:
                items.append(self._item(rule, row, cell))
            except CellFault as fault:
                fault.field = f"{self._list}.{rule.analyte}"
                fault.column = fault.column or rule.column
                raise
            columns[f"{self._list}.{len(items) - 1}"] = rule.column
        if items:
            request[self._list] = items

    def _item(self, rule: ElementRule, row: Row, cell: Cell) -> dict[str, object]:
        if is_failed(cell):
            raise failed(cell)
        said = result(cell, rule.unit, self._style, self._censoring, self._limit(rule, row))
        if self._declared:
            if said["value"] is None:
                allowed = "a number: what is declared is no range"
                raise CellFault(Code.BAD_VALUE, text_of(cell), allowed)
            said = {"value": said["value"]}
        item: dict[str, object] = {"analyte": rule.analyte, "unit": rule.unit, **said}
        if rule.basis is not None:
            item["basis"] = rule.basis
        u = self._beside(rule.u_column, row, rule.unit) if rule.u is None else rule.u
        if u is not None and not self._declared:
            item["u"] = str(u)
        error = self._error_2sigma(rule, row)
        if error is not None:
            item["error_2sigma"] = str(error)
        return item

    def _error_2sigma(self, rule: ElementRule, row: Row) -> Decimal | None:
        of_one = self._beside(rule.error_1sigma_column, row, rule.unit)
        return (
            self._beside(rule.error_2sigma_column, row, rule.unit) if of_one is None else 2 * of_one
        )

    def _limit(self, rule: ElementRule, row: Row) -> Decimal | None:
        """Return the limit of the row, else of the column in the mapping, else above it."""
        of_row = self._beside(rule.limit_column, row, rule.unit)
        if of_row is not None:
            return of_row
        if rule.limit is not None or self._limits is None:
            return rule.limit
        return self._beside(rule.column, self._limits, rule.unit)

    def _beside(self, title: str | None, row: Row, unit: str) -> Decimal | None:
        if title is None or self._is_empty(cell := self._at(row, title)):
            return None
        if isinstance(cell, str) and word(cell) in self._censoring.words:
            return None
        # Limits are written with and without their sign.
        bare = cell.strip().lstrip("<").strip() if isinstance(cell, str) else cell
        try:
            return number(bare, self._style, unit)
        except CellFault as fault:
            fault.column = title
            raise

    def _at(self, row: Row, title: str) -> Cell:
        index = self._top.index(title)
        assert index is not None, "columns are required beforehand"
        return row.at(index)
