"""Per cent in the cells of a spreadsheet, held against what their heading says."""

from collections.abc import Sequence
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
        hidden = not tells_formats and title.unit == "pct" and bool(plain)
        return "", _HIDDEN if hidden and all(abs(number) <= 1 for number in plain) else ""
    if title.foreign or title.unit not in (None, *_SHARES):
        named = title.foreign or title.unit
        return "", f"its heading says {named}, and cells are shown as per cent"
    if plain:
        return "", f"{percents} cells are shown as per cent, {len(plain)} are plain numbers"
    return ("pct", "") if title.unit is None else ("", "")


_HIDDEN = (
    "no number is beyond 1, and this kind of file does not say whether it shows them as per cent:"
    " pct or fraction; saved as XLSX it does"
)
