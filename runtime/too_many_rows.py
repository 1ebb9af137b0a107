"""An export that has more rows than it may, as the warehouse says it and as we do."""

from custody.errors import Refused

TOO_MANY_ROWS = "396"
"""ClickHouse's number for it, as its protocol says errors."""


class TooManyRows(Refused):
    """An export has more rows than it may."""

    def __init__(self, rows_max: int) -> None:
        super().__init__(
            f"the answer has more than {rows_max:,} rows; nothing was written",
            expected=f"at most --rows-max {rows_max}",
            next_step="a higher --rows-max, or a LIMIT in the query",
        )
