"""What can be wrong with a mapping, a table or one cell of it.

A fault of a cell refuses its row and no other; the other two refuse the file.
"""

from enum import StrEnum

from custody.errors import Refused
from producers.outcome import Code


class CellCode(StrEnum):
    """Reasons to refuse a row that a gateway never sees; all others are the gateway's own."""

    BAD_ENCODING = "bad_encoding"
    """Bytes that are no text in the file's encoding."""
    TOO_MANY_CELLS = "too_many_cells"
    """More cells than headings: mostly a delimiter within a text without quotes."""
    AMBIGUOUS_TIME = "ambiguous_time"
    """The clock showed this time twice, when it was put back."""
    NO_SUCH_TIME = "no_such_time"
    """The clock never showed this time, because it was put forward."""
    NO_RECORD = "no_record"
    """No record of the mapping wants the row, and nothing says that it may be left out."""


class CellFault(Exception):
    """One row cannot be used.

    Attributes:
        code: Why: a ``CellCode`` or a ``producers.outcome.Code``.
        found: What stood there.
        allowed: What may stand there, or what to do.
        field: Field of the request; filled in by whoever knows it.
        column: Heading of the column; filled in likewise.
    """

    def __init__(self, code: str, found: object, allowed: str, column: str = "") -> None:
        super().__init__(code)
        self.code = str(code)
        self.found = found
        self.allowed = allowed
        self.field = ""
        self.column = column


def failed(cell: object) -> CellFault:
    """Return the fault of a cell whose formula failed, or that shows a thousandth of its number."""
    allowed = "a value, where a formula failed; empty in [file] where it says nothing"
    if " shown as " in str(cell):
        allowed = (
            "a plain number format: which of the two its heading means, the sheet does not say"
        )
    return CellFault(Code.BAD_VALUE, cell, allowed)


class BadMapping(Refused):
    """A mapping file cannot be used; ``problems`` are all of them, the text shows the first."""

    def __init__(self, problems: list[str], next_step: str = "") -> None:
        self.problems = tuple(problems)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            f"the mapping cannot be used: {problems[0]}{more}",
            expected="the keys of docs/mapping.md; custody schema mapping prints them all",
            next_step=next_step
            or "custody mapping check FILE --mapping MAP.toml shows what it gives",
        )


class BadTable(Refused):
    """A table cannot be read, or not beyond a row.

    Attributes:
        row: Last row that is known to be good, plus one; 0 where no row was read.
    """

    def __init__(self, why: str, row: int = 0, expected: str = "", next_step: str = "") -> None:
        self.row = row
        where = f"row {row}: " if row else ""
        super().__init__(
            f"the table cannot be read: {where}{why}", expected=expected, next_step=next_step
        )
