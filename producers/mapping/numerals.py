"""Numbers as text: one decimal mark, one mark between thousands, and nothing guessed.

A text that does not fit the style of its file is refused: ``30.000`` is no number where a comma
is the decimal mark and nothing stands between thousands, instead of thirty.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from custody import units
from producers.mapping.cells import Cell, Percent, text_of
from producers.mapping.faults import CellFault
from producers.mapping.unit_words import TO_CONVERT, is_foreign, unit_of
from producers.outcome import Code

_BETWEEN: Mapping[str, str] = MappingProxyType(
    {"": "", " ": "[ \u00a0\u202f\u2009]", ".": r"\.", ",": ",", "'": "['\u2019]"}
)
_SPLIT = re.compile(
    r"([+-]?[\d.,'\u2019 \u00a0\u202f\u2009]*\d[.,]?(?:[eE][+-]?\d{1,3})?)\s*(\D.*)?",
    re.ASCII | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes numbers.

    Attributes:
        decimal: Decimal mark, ``.`` or ``,``.
        thousands: What stands between thousands; empty for nothing.
    """

    decimal: str = "."
    thousands: str = ""


def number(cell: Cell, style: Style, unit: str | None = None) -> Decimal:
    """Return the number in a cell.

    Args:
        cell: Not empty.
        style: How the file writes numbers.
        unit: Unit of the column; the cell may repeat it and may name no other, but for per cent
            in a column of fractions.

    Raises:
        CellFault: ``not_a_number`` or ``wrong_unit``.
    """
    if isinstance(cell, Decimal):
        return _bounded(cell)
    if isinstance(cell, Percent):
        return _in_unit(cell.shown, "pct", unit, cell)
    if not isinstance(cell, str):
        raise CellFault(Code.NOT_A_NUMBER, text_of(cell), "a number; the cell is typed otherwise")
    text = cell.strip().replace("\u2212", "-")
    parts = _SPLIT.fullmatch(text)
    if parts is None:
        raise _no_number(cell, style)
    named = None if parts[2] is None else _unit_named(parts[2], cell)
    body = parts[1].strip()
    if not _pattern(style).fullmatch(body):
        raise _no_number(cell, style)
    for mark in _marks(style.thousands):
        body = body.replace(mark, "")
    return _in_unit(body.replace(style.decimal, "."), named, unit, cell)


def _bounded(value: Decimal | str) -> Decimal:
    try:
        return units.decimal(value)
    except units.NotANumber:
        allowed = f"a number of at most {units.DIGITS_MAX} digits"
        raise CellFault(Code.NOT_A_NUMBER, str(value)[:60], allowed) from None


def _unit_named(word: str, cell: str) -> str:
    named = unit_of(word)
    if named is None and is_foreign(word):
        raise CellFault(Code.WRONG_UNIT, cell, f"a unit of a request; {word} {TO_CONVERT}")
    if named is None:
        raise CellFault(Code.NOT_A_NUMBER, cell, "a number, with nothing but its unit behind it")
    return named


def _in_unit(value: Decimal | str, named: str | None, unit: str | None, cell: Cell) -> Decimal:
    """Return a number in the unit of its column; ``named`` is what the cell says it is in."""
    if named in (None, unit):
        return _bounded(value)
    if (named, unit) == ("pct", "fraction"):
        return _bounded(_bounded(value).scaleb(-2))
    allowed = f"the unit of the column: {unit or 'none'}"
    raise CellFault(Code.WRONG_UNIT, text_of(cell), allowed)


def _no_number(cell: str, style: Style) -> CellFault:
    between = {"": "nothing", " ": "a blank"}.get(style.thousands, style.thousands)
    allowed = f"decimal mark {style.decimal}, {between} between thousands"
    return CellFault(Code.NOT_A_NUMBER, cell, allowed)


@cache
def _pattern(style: Style) -> re.Pattern[str]:
    between = _BETWEEN[style.thousands]
    whole = rf"(?:\d{{1,3}}(?:{between}\d{{3}})+|\d+)" if between else r"\d+"
    mark = re.escape(style.decimal)
    return re.compile(rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII)


def _marks(thousands: str) -> str:
    return {" ": " \u00a0\u202f\u2009", "'": "'\u2019"}.get(thousands, thousands)
