"""From cells to the JSON value of one field, by what the field is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType

from custody import units
from producers.mapping import clock
from producers.mapping.cells import Cell, is_failed, text_of
from producers.mapping.clock import Clock
from producers.mapping.faults import CellFault, failed
from producers.mapping.form import FileRule, Scalar
from producers.mapping.load import Field
from producers.mapping.numerals import Style, number
from producers.mapping.targets import Kind
from producers.mapping.unit_words import plain
from producers.outcome import Code

_FLAGS: Mapping[str, bool] = MappingProxyType(
    {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one field.

    Attributes:
        field: The field and its rule.
        style: How the file writes numbers.
        clock: How the column tells the time.
        words: What the rule translates, as texts are compared.
    """

    field: Field
    style: Style
    clock: Clock
    words: Mapping[str, str | bool]

    def value(self, cells: Sequence[Cell]) -> object:
        """Return the JSON value of cells that are not empty.

        Raises:
            CellFault: They hold no such value.
        """
        for cell in cells:
            if is_failed(cell):
                raise failed(cell)
        return _BY_KIND[self.field.target.kind](self, cells)


def reader(field: Field, file: FileRule) -> Reader:
    """Return the reader of a field."""
    rule = field.rule
    zone_name = rule.zone or file.time_zone
    at = None if rule.time_of_day is None else time.fromisoformat(rule.time_of_day)
    return Reader(
        field,
        Style(file.decimal, file.thousands),
        Clock(
            rule.format or file.time_format,
            None if zone_name is None else clock.zone(zone_name),
            at,
        ),
        {plain(word): said for word, said in rule.values.items()},
    )


def _text(reader: Reader, cells: Sequence[Cell]) -> object:
    rule = reader.field.rule
    for cell in cells:
        if isinstance(cell, datetime | date | time | timedelta):
            allowed = "text; the spreadsheet has made a date or time of it"
            raise CellFault(Code.BAD_VALUE, text_of(cell), allowed)
    text = rule.join.join(text_of(cell) for cell in cells)
    if rule.until:
        text = text.partition(rule.until)[0].strip()
    if reader.words:
        return _said(reader, text)
    return f"{rule.prefix}{text}"


def _name(reader: Reader, cells: Sequence[Cell]) -> object:
    text = text_of(cells[0])
    if reader.words:
        return _said(reader, text)
    names = reader.field.target.names
    if text not in names:
        allowed = f"{' '.join(names)}; values in the mapping translate other words"
        raise CellFault(Code.BAD_VALUE, text, allowed)
    return text


def _said(reader: Reader, text: str) -> str | bool:
    found = reader.words.get(plain(text))
    if found is None:
        raise CellFault(Code.BAD_VALUE, text, f"a word of values: {' '.join(reader.words)}")
    return found


def _flag(reader: Reader, cells: Sequence[Cell]) -> object:
    if isinstance(cells[0], bool):
        return cells[0]
    text = text_of(cells[0])
    said = _said(reader, text) if reader.words else _FLAGS.get(plain(text))
    if not isinstance(said, bool):
        raise CellFault(Code.BAD_VALUE, text, "true or false; values in the mapping say which")
    return said


def _mass(reader: Reader, cells: Sequence[Cell]) -> object:
    unit = reader.field.unit
    value = str(number(cells[0], reader.style, unit))
    return value if unit == "kg" else {"value": value, "unit": unit}


def _concentration(reader: Reader, cells: Sequence[Cell]) -> object:
    unit, u = reader.field.unit, reader.field.rule.u
    said: dict[str, object] = {"value": str(number(cells[0], reader.style, unit)), "unit": unit}
    if u is not None:
        said["u"] = str(u)
    return said


def _fraction(reader: Reader, cells: Sequence[Cell]) -> object:
    unit = reader.field.unit
    assert unit is not None, "the mapping is checked"
    return units.fraction(number(cells[0], reader.style, unit), unit)


def _whole(reader: Reader, cells: Sequence[Cell]) -> object:
    value = number(cells[0], reader.style)
    if value != value.to_integral_value() or abs(value) > 2**53:
        raise CellFault(Code.NOT_A_NUMBER, text_of(cells[0]), "a whole number")
    return int(value)


def _moment(reader: Reader, cells: Sequence[Cell]) -> object:
    return clock.moment(cells, reader.clock)


def _day(reader: Reader, cells: Sequence[Cell]) -> object:
    return clock.day(cells[0], reader.field.rule.format)


_BY_KIND: Mapping[Kind, Callable[[Reader, Sequence[Cell]], object]] = MappingProxyType(
    {
        Kind.TEXT: _text,
        Kind.NAME: _name,
        Kind.MASS: _mass,
        Kind.DECIMAL: lambda reader, cells: str(number(cells[0], reader.style)),
        Kind.NUMBER: lambda reader, cells: float(number(cells[0], reader.style)),
        Kind.WHOLE: _whole,
        Kind.FRACTION: _fraction,
        Kind.CONCENTRATION: _concentration,
        Kind.TIME: _moment,
        Kind.DAY: _day,
        Kind.FLAG: _flag,
    }
)


def constant(reader: Reader, value: Scalar) -> object:
    """Return the JSON value of a constant of the mapping.

    Raises:
        CellFault: It is none of its field.
    """
    if isinstance(value, str) and reader.field.target.kind in {Kind.TIME, Kind.DAY, Kind.NAME}:
        return value
    if isinstance(value, str) and reader.field.target.kind is Kind.TEXT:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return reader.value((Decimal(value),))
    return reader.value((value,))
