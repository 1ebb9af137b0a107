"""Proposes a mapping for a table: what it can read off the file with its reason, and what not.

It never guesses a unit, a zone, a basis or an id: what the file does not say stands as ``"?"``,
and ``load`` refuses a mapping in which one is left.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from producers.mapping.cells import Cell, text_of
from producers.mapping.draft import Draft, Line, Value
from producers.mapping.heading_words import VALUE_BY_WORD
from producers.mapping.load import UNKNOWN
from producers.mapping.sample import ROWS_MAX, Sample, sample
from producers.mapping.sniff import Finding, decimal_mark, time_format
from producers.mapping.suggest_elements import add_elements, is_element, unit
from producers.mapping.targets import Kind, required, target
from producers.mapping.titles import Title
from producers.mapping.unit_words import plain

_MASSES = ("gross_kg", "tare_kg", "net_kg")
_CHOICES_MAX = 12
_UNCLEAR_MAX = 5
_KEYS = {"weighing": ("ticket_no",), "assay": ("certificate_no",), "xrf": ("shot_no",)}
_BY_HAND = {
    "site_id": "the site, as reference records name it",
    "device_id": "the scale or analyser, as reference records name it",
    "lab_id": "the laboratory, as reference records name it",
    "purpose": "dispatch, receipt, stock or check",
    "stage": "provisional, exchanged, umpire or final",
    "party": "seller, buyer, umpire or plant: who had it analysed",
    "lot_id": "the column of the lot",
    "ticket_no": "the column of the ticket's number: without it a repeat is no duplicate",
    "certificate_no": "the column or cell of the certificate's number",
    "shot_no": "the column of the reading's number",
    "occurred_at": "the column of the time",
    "basis": "dried or as_is",
}


def suggest(path: Path, sheet: str | None = None, encoding: str | None = None) -> Draft:
    """Return a draft for a table.

    Args:
        path: The table.
        sheet: Of a spreadsheet with more than one.
        encoding: Of a text file, one of ``ENCODINGS``, where somebody knows it.

    Raises:
        BadTable: It cannot be read at all, or not in that encoding.
    """
    seen = sample(path, sheet, encoding)
    draft = Draft(_stem(seen))
    _add_file(draft, seen, sheet)
    used = _add_fields(draft, seen)
    if draft.stem in ("assay", "xrf"):
        used |= add_elements(draft, seen)
    _add_missing(draft)
    draft.unused += [t.text for i, t in enumerate(seen.titles) if t.text and i not in used]
    if not seen.heading_rows:
        draft.doubts.append("no row has headings that are known: set heading_rows")
    if not seen.is_whole:
        draft.doubts.append(f"only the first {ROWS_MAX} rows were looked at")
    return draft


def _stem(seen: Sample) -> str:
    there = {title.field for title in seen.titles}
    if there & set(_MASSES):
        return "weighing"
    if any(is_element(seen, i) for i in range(len(seen.titles))) or "moisture" in there:
        return "xrf" if "shot_no" in there else "assay"
    return UNKNOWN


def _add_file(draft: Draft, seen: Sample, sheet: str | None) -> None:
    if seen.is_sheet:
        if sheet is not None:
            draft.file.append(Line("sheet", sheet, "as asked for"))
    else:
        _found(draft, "encoding", seen.encoding)
        _found(draft, "delimiter", seen.delimiter)
    rows: Value = seen.heading_rows or UNKNOWN
    shown = "most words that are known" if seen.heading_rows else "no row has words that are known"
    draft.file.append(Line("heading_rows", rows, shown))
    if seen.limits_row is not None:
        draft.file.append(Line("limits_row", seen.limits_row, "its first word says so"))
    if seen.totals:
        wheres: Value = tuple(
            {"column": column, "matches": (pattern,)} for column, pattern in seen.totals
        )
        draft.file.append(Line("skip_where", wheres, _summed(seen)))
    draft.doubts += seen.unclear[:_UNCLEAR_MAX]
    numbers = [c for i, t in enumerate(seen.titles) if _has_numbers(t) for c in seen.column(i)]
    mark, between = decimal_mark(numbers)
    _found(draft, "decimal", mark)
    _found(draft, "thousands", between)


def _summed(seen: Sample) -> str:
    """Return why rows are left out, with the words they begin with."""
    words = ", ".join(dict.fromkeys(pattern.strip("*:(. [0-9]") for _, pattern in seen.totals))
    return f"rows that sum up or average others: they begin with {words}"


def _has_numbers(title: Title) -> bool:
    return bool(title.analyte) or title.field in (*_MASSES, "moisture", "live_time_s")


def _found(draft: Draft, key: str, finding: Finding) -> None:
    draft.file.append(
        Line(key, UNKNOWN if finding.value is None else finding.value, finding.reason)
    )
    if finding.value is None:
        draft.doubts.append(f"{key}: {finding.reason}")


def _add_fields(draft: Draft, seen: Sample) -> set[int]:
    """Add the fields that headings name, each once; return the columns used."""
    used: set[int] = set()
    taken: set[str] = set()
    for index, title in enumerate(seen.titles):
        name = title.field
        if not name or draft.stem == UNKNOWN or target(draft.stem, name) is None:
            continue
        if name in taken:
            draft.doubts.append(f"column {title.text!r} could be {name} as well")
            continue
        taken.add(name)
        used.add(index)
        if _has_no_words(draft, seen, index):
            draft.empty[name] = title.text
            continue
        draft.fields.append(_field(draft, seen, index))
        if name == "occurred_at":
            used |= {i for i, t in enumerate(seen.titles) if t.field == "time"}
    return used


def _has_no_words(draft: Draft, seen: Sample, index: int) -> bool:
    """Tell whether a column is to say one of a few words and says nothing in any row."""
    found = target(draft.stem, seen.titles[index].field)
    return found is not None and found.kind is Kind.NAME and not seen.column(index)


def _field(draft: Draft, seen: Sample, index: int) -> Line:
    title = seen.titles[index]
    found = target(draft.stem, title.field)
    assert found is not None, "only such fields are added"
    said: dict[str, Value] = {"column": title.text}
    reason = "its heading"
    if found.kind is Kind.TIME:
        said, reason = _time(draft, seen, index)
    elif found.kind in (Kind.MASS, Kind.CONCENTRATION):
        said["unit"], reason = unit(draft, seen, index)
    elif found.kind is Kind.NAME:
        cells = seen.column(index)
        said["values"] = _values(draft, title, cells, found.names)
        silent = len(seen.rows) - len(cells)
        if silent and title.field in required(draft.stem):
            said["default"] = UNKNOWN
            draft.doubts.append(
                f"column {title.text!r}: empty in {silent} of {len(seen.rows)} rows"
            )
        reason = "its heading; words of its cells"
    elif title.field in ("ticket_no", "lot_id", "certificate_no", "sample_id"):
        _note_repeats(draft, title, seen.column(index))
    return Line(title.field, said, reason)


def _time(draft: Draft, seen: Sample, index: int) -> tuple[dict[str, Value], str]:
    title = seen.titles[index]
    beside = next((i for i, t in enumerate(seen.titles) if t.field == "time"), None)
    columns = [index] if beside is None else [index, beside]
    values = [[row.at(i) for i in columns] for row in seen.rows if text_of(row.at(index))]
    finding = time_format(values)
    said: dict[str, Value] = {"column": title.text}
    if beside is not None:
        said = {"columns": (title.text, seen.titles[beside].text)}
    if finding.value is None:
        said["format"] = UNKNOWN
        draft.doubts.append(f"column {title.text!r}: {finding.reason}")
    elif finding.value:
        said["format"] = finding.value
    typed = not finding.value and beside is None and any(type(cells[0]) is date for cells in values)
    if typed or (finding.value and "H" not in finding.value and "h" not in finding.value):
        said["time_of_day"] = UNKNOWN
        draft.doubts.append(f"column {title.text!r}: dates without a time of day")
    said["zone"] = UNKNOWN
    draft.doubts.append(f"column {title.text!r}: where the clock hangs is in no file")
    return said, finding.reason


def _values(
    draft: Draft, title: Title, cells: Sequence[Cell], names: Sequence[str]
) -> dict[str, Value]:
    """Return the words of a column with what they say, where that can be one thing only."""
    known = VALUE_BY_WORD.get(title.field, {})
    words = dict.fromkeys(text_of(cell) for cell in cells)
    if len(words) > _CHOICES_MAX:
        draft.doubts.append(f"column {title.text!r}: {len(words)} different words")
    said: dict[str, Value] = {}
    for each in list(words)[:_CHOICES_MAX]:
        meant = each if each in names else known.get(plain(each))
        said[each] = UNKNOWN if meant is None else meant
        if meant is None:
            draft.doubts.append(f"column {title.text!r}: what {each!r} means")
    return said


def _note_repeats(draft: Draft, title: Title, cells: Sequence[Cell]) -> None:
    if title.field == "ticket_no" and len({text_of(c) for c in cells}) < len(cells):
        draft.doubts.append(f"column {title.text!r}: numbers repeat; join it with one that tells")


def _add_missing(draft: Draft) -> None:
    """Add what the request must have and no heading names, to be filled in."""
    if draft.stem == UNKNOWN:
        draft.doubts.append("type of the record: no headings of a ticket, certificate or shot")
        return
    there = {line.key for line in draft.fields}
    for name in _needed(draft.stem):
        if name in there:
            continue
        lack = "no column is called so"
        if name in draft.empty:
            lack = f"the column {draft.empty[name]!r} is empty"
        draft.doubts.append(f"{name}: {lack}")
        why = _BY_HAND.get(name, lack)
        if name in ("lot_id", "occurred_at", *_KEYS[draft.stem]):
            draft.fields.append(Line(name, {"column": UNKNOWN}, why))
        else:
            draft.constants.append(Line(name, UNKNOWN, why))


def _needed(stem: str) -> Iterator[str]:
    yield from (name for name in required(stem) if name != "results")
    yield from _KEYS[stem]
