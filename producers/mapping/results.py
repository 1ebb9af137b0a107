"""One element's cell: a number, or evidence of a range with the limit that makes it one."""

import re
from dataclasses import dataclass
from decimal import Decimal

from producers.mapping.cells import Cell, text_of
from producers.mapping.faults import CellFault
from producers.mapping.numerals import Style, number
from producers.mapping.unit_words import plain
from producers.outcome import Code

_CENSORED = re.compile(r"([<>≤≥])=?\s*(.*\d.*)", re.DOTALL)
_BELOW = {"<": "<", "≤": "<", ">": ">", "≥": ">"}


@dataclass(frozen=True, slots=True)
class Censoring:
    """How a laboratory says that it found less, or more, than its method can see.

    Attributes:
        words: Words for less than the limit, as ``word`` gives them.
        negative: A number below zero is the limit, of which less was found.
    """

    words: frozenset[str]
    negative: bool


def word(text: str) -> str:
    """Return a word of a laboratory as words are compared: ``< LOD`` is ``<lod``."""
    return plain(text).replace(" ", "")


def result(
    cell: Cell, unit: str, style: Style, censoring: Censoring, limit: Decimal | None
) -> dict[str, object]:
    """Return value, qualifier and detection limit of a cell that is not empty.

    Args:
        cell: Such as ``2,53``, ``<0.01``, ``>10000``, ``ND``.
        unit: Unit of the column.
        style: How the file writes numbers.
        censoring: How it writes what is below the limit.
        limit: The column's or the row's detection limit, where there is one.

    Raises:
        CellFault: None of these, or less than a limit that nothing names.
    """
    text = text_of(cell)
    if isinstance(cell, str):
        if word(text) in censoring.words:
            return _below(text, limit)
        censored = _CENSORED.fullmatch(text)
        if censored is not None:
            return _beyond(_BELOW[censored[1]], number(censored[2], style, unit))
    value = number(cell, style, unit)
    if value < 0 and censoring.negative:
        return _beyond("<", -value)
    said: dict[str, object] = {"value": str(value)}
    if limit is not None:
        said["detection_limit"] = str(limit)
    return said


def _below(text: str, limit: Decimal | None) -> dict[str, object]:
    if limit is None:
        allowed = "<0.01 with the limit, or a limit of the column in the mapping"
        raise CellFault(Code.MISSING_FIELD, text, allowed)
    return _beyond("<", limit)


def _beyond(qualifier: str, limit: Decimal) -> dict[str, object]:
    return {"value": None, "qualifier": qualifier, "detection_limit": str(limit)}
