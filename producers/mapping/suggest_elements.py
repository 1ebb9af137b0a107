"""The elements of a proposal: which columns hold one, in which unit, with what beside it."""

from collections.abc import Mapping

from producers.mapping.cells import Cell
from producers.mapping.draft import Draft, Line, Value
from producers.mapping.faults import CellFault
from producers.mapping.heading_roles import Role
from producers.mapping.heading_words import LIMIT_WORDS
from producers.mapping.load import UNKNOWN
from producers.mapping.numerals import Style, number
from producers.mapping.percent import shown_unit
from producers.mapping.results import Censoring, result, word
from producers.mapping.sample import Sample
from producers.mapping.suggest_beside import add_beside
from producers.mapping.titles import Title
from producers.mapping.unit_words import TO_CONVERT, is_mass, is_unclear


def is_element(seen: Sample, index: int) -> bool:
    """Tell whether a column holds an element: it is called so, and holds numbers or limits."""
    title = seen.titles[index]
    if not title.analyte:
        return False
    cells = seen.column(index)
    return bool(cells) and sum(map(_is_result, cells)) * 2 >= len(cells)


_STYLES = (Style(".", ""), Style(",", ""), Style(".", ","), Style(",", "."), Style(",", " "))
_ANY = Censoring(frozenset(word(each) for each in LIMIT_WORDS), negative=True)


def _is_result(cell: Cell) -> bool:
    for style in _STYLES:
        try:
            result(cell, "pct", style, _ANY, None)
        except CellFault as fault:
            if fault.code == "missing_field":
                return True
        else:
            return True
    return False


def unit(draft: Draft, seen: Sample, index: int) -> tuple[str, str]:
    """Return the unit that a heading names, or that all cells of a spreadsheet show."""
    title = seen.titles[index]
    shown, doubt = shown_unit(title, seen.column(index), tells_formats=seen.tells_formats)
    if doubt:
        draft.doubts.append(f"column {title.text!r}: {doubt}")
        return UNKNOWN, doubt
    if shown:
        return shown, "its cells are shown as per cent"
    if title.unit is not None:
        return title.unit, "its heading names the unit"
    if is_unclear(title.foreign):
        doubt = f"{title.foreign} may be metric (t), short or long"
        draft.doubts.append(f"column {title.text!r}: {doubt}")
        return UNKNOWN, doubt
    if title.foreign:
        draft.doubts.append(f"column {title.text!r}: {title.foreign} {TO_CONVERT}")
        return UNKNOWN, f"{title.foreign} is no unit of a request"
    draft.doubts.append(f"column {title.text!r}: its heading names no unit")
    return UNKNOWN, "its heading names no unit"


def add_elements(draft: Draft, seen: Sample) -> set[int]:
    """Add the columns that hold elements, each element once; return the columns used."""
    there = [index for index in range(len(seen.titles)) if is_element(seen, index)]
    used: set[int] = set()
    owners: dict[str, dict[str, Value]] = {}
    for index in there:
        title = seen.titles[index]
        why = _no_element(title, owners)
        if why:
            draft.doubts.append(f"column {title.text!r}: not taken, {why}")
        elif title.role is Role.VALUE:
            used.add(index)
            owners[title.analyte], reason = _element(draft, seen, index)
            draft.elements.append(Line("", owners[title.analyte], reason))
    used |= add_beside(draft, [(i, seen.titles[i]) for i in there], owners)
    for index in sorted(used):
        _ask_limit(draft, seen, index, owners)
    if draft.elements and draft.stem == "assay":
        draft.doubts.append("basis of the elements: dry or as_is, as the certificate says")
    return used


def _no_element(title: Title, owners: Mapping[str, Mapping[str, Value]]) -> str:
    """Return why a column of a value is no element of its own; empty where it is one."""
    if title.role is Role.OTHER:
        return "its heading names no concentration"
    if title.role is not Role.VALUE:
        return ""
    if is_mass(title.unit or title.foreign):
        return "its heading names a mass, and no concentration"
    if title.analyte in owners:
        other = owners[title.analyte]["column"]
        return f"{title.analyte} is in column {other!r} already; one of them, or of another basis"
    return ""


def _element(draft: Draft, seen: Sample, index: int) -> tuple[dict[str, Value], str]:
    """Return what is said of an element's column, and why this unit."""
    title = seen.titles[index]
    named, reason = unit(draft, seen, index)
    said: dict[str, Value] = {"column": title.text, "analyte": title.analyte, "unit": named}
    if draft.stem == "assay":
        said["basis"] = UNKNOWN
    if title.also:
        said["analyte"] = UNKNOWN
        draft.doubts.append(f"column {title.text!r}: {title.analyte} or {title.also}")
    if not title.written:
        draft.doubts.append(f"column {title.text!r}: taken for {title.analyte}")
    if named == "kg_per_t":
        draft.doubts.append(f"column {title.text!r}: what is in it, or what is added per tonne")
    if title.analyte == "W":
        draft.doubts.append(f"column {title.text!r}: tungsten, or what some call their moisture")
    cells = seen.column(index)
    if any(_is_negative(cell) for cell in cells):
        draft.doubts.append(
            f"column {title.text!r}: numbers below zero; where they mean less than a limit, "
            "negative_below_limit = true in [file]"
        )
    return said, reason


def _ask_limit(
    draft: Draft, seen: Sample, index: int, owners: Mapping[str, dict[str, Value]]
) -> None:
    """Ask for the limit of a column with cells below one, where no other cell can name it."""
    title = seen.titles[index]
    if title.role is not Role.VALUE or seen.limits_row is not None:
        return
    said = owners[title.analyte]
    if "limit_column" not in said and any(_is_bare_limit(cell) for cell in seen.column(index)):
        said["limit"] = UNKNOWN
        draft.doubts.append(f"column {title.text!r}: below a limit that no cell names")


def _is_bare_limit(cell: Cell) -> bool:
    return isinstance(cell, str) and word(cell) in _ANY.words


def _is_negative(cell: Cell) -> bool:
    try:
        return any(number(cell, style) < 0 for style in _STYLES[:2])
    except CellFault:
        return False
