"""Records back from rows: what the warehouse says of a balance or an alert, as the record it was.

The columns are those ``sinks/tables.py`` names: a list of records is a set of parallel arrays
``metals.value_mg``, a list inside it an array of arrays. So one walk over the record's own types
finds everything, and a field without a column is an error, never a default.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from custody.errors import Corrupt
from custody.events import Micros
from schemas.routes import BY_STEM
from sinks.tables import column_name

Cells = Mapping[str, object]
"""A row, or one element of a list, by column."""


class MissingColumn(Corrupt):
    """The warehouse does not have what the record has."""

    def __init__(self, stem: str, column: str) -> None:
        super().__init__(
            f"table {stem} has no column {column}",
            expected="tables made by the migrations of this release",
            next_step="custody verify",
        )


def record_of(stem: str, row: Cells) -> object:
    """Return the record of a row.

    Args:
        stem: Which record: its class and its columns.
        row: Values by column name, as JSONEachRow has them: integers as numbers or text, times as
            ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC.

    Raises:
        MissingColumn: A field has no column.
    """
    return _record(stem, BY_STEM[stem].type, row, top=True)


def _record(stem: str, kind: type, cells: Cells, *, top: bool) -> object:
    hints = typing.get_type_hints(kind)
    values: dict[str, object] = {}
    for field in dataclasses.fields(kind):
        name = column_name(field.name) if top else field.name
        element = _element_type(hints[field.name])
        if element is not None and dataclasses.is_dataclass(element):
            values[field.name] = tuple(
                _record(stem, element, item, top=False)
                for item in _items(stem, name, element, cells)
            )
        else:
            values[field.name] = _value(hints[field.name], _cell(stem, name, cells))
    return kind(**values)


def _items(stem: str, name: str, element: type, cells: Cells) -> list[Cells]:
    """Cut the parallel arrays below ``name`` into one set of cells per element."""
    below = {key[len(name) + 1 :]: cells[key] for key in cells if key.startswith(f"{name}.")}
    first = dataclasses.fields(element)[0].name
    leading = _cell(stem, f"{name}.{first}", cells)
    count = len(leading) if isinstance(leading, list) else 0
    return [
        {key: array[i] for key, array in below.items() if isinstance(array, list)}
        for i in range(count)
    ]


def _cell(stem: str, name: str, cells: Cells) -> object:
    if name not in cells:
        raise MissingColumn(stem, name)
    return cells[name]


def _element_type(hint: object) -> type | None:
    if typing.get_origin(hint) is tuple:
        element = typing.get_args(hint)[0]
        return element if isinstance(element, type) else None
    return None


def _value(hint: object, cell: object) -> object:
    if cell is None or (cell == "" and _optional(hint)):
        return None
    if _element_type(hint) is not None:
        return tuple(cell) if isinstance(cell, Sequence) else ()
    return _READ[_plain(hint)](cell)


def _optional(hint: object) -> bool:
    # A NewType in a union makes typing's own kind of union.
    return typing.get_origin(hint) in {types.UnionType, typing.Union}


def _plain(hint: object) -> object:
    if _optional(hint):
        return next(arg for arg in typing.get_args(hint) if arg is not type(None))
    return hint


def _whole(cell: object) -> int:
    return int(str(cell))


def _real(cell: object) -> float:
    return float(str(cell))


def _micros(cell: object) -> Micros:
    moment = datetime.fromisoformat(f"{cell}+00:00")
    whole = int(moment.replace(microsecond=0).timestamp())
    return Micros(whole * 1_000_000 + moment.microsecond)


_READ: Mapping[object, Callable[[object], object]] = {
    int: _whole,
    float: _real,
    str: str,
    bool: bool,
    Micros: _micros,
}
