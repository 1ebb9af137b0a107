"""What is said of an export whose query brings a format of its own."""

from custody.errors import Refused


class OwnFormat(Refused):
    """A query says in what format it is to be answered, and the file has one already."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the query names a format of its own: FORMAT {name}",
            expected="a query without FORMAT",
            next_step="take FORMAT out of it; --format says what the file is",
        )
