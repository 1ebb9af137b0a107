"""Per cent in the cells of a spreadsheet, held against what their heading says."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from producers.mapping.cells import Cell, Percent
from producers.mapping.titles import Title

_SHARES = ("pct", "fraction")


def shown_unit(title: Title, cells: Sequence[Cell], *, tells_formats: bool) -> tuple[str, str]:
    """Return the unit that cells show, and why a person has to look; each may be empty.

    Args:
        title: Heading of the column.
        cells: Those that are not empty.
        tells_formats: What is shown as per cent is known.
    """
    percents = sum(isinstance(cell, Percent) for cell in cells)
    plain = [cell for cell in cells if isinstance(cell, Decimal)]
    if not percents:
        hidden = not tells_formats and title.unit == "pct"
        return "", _HIDDEN if hidden and may_be_fractions(plain) else ""
    if title.foreign or title.unit not in (None, *_SHARES):
        named = title.foreign or title.unit
        return "", f"its heading says {named}, and cells are shown as per cent"
    if plain:
        return "", f"{percents} cells are shown as per cent, {len(plain)} are plain numbers"
    return ("pct", "") if title.unit is None else ("", "")


def may_be_fractions(numbers: Collection[Decimal]) -> bool:
    """Tell whether numbers may be fractions of one: some is not zero, and none is beyond 1."""
    return any(numbers) and all(abs(number) <= 1 for number in numbers)


_HIDDEN = (
    "no number is beyond 1, and this kind of file does not say whether it shows them as per cent:"
    " fraction, or pct with plain_pct = true; saved as XLSX it does"
)
