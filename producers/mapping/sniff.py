"""What can be read off a file itself, each with its reason; what cannot is None, never a guess."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from producers.mapping import clock
from producers.mapping.cells import Cell, text_of
from producers.mapping.clock import Clock
from producers.mapping.faults import BadTable, CellFault
from producers.mapping.heading_words import (
    AVERAGE_WORDS,
    FIELD_BY_WORD,
    TOTAL_WORDS,
    VALUE_BY_WORD,
)
from producers.mapping.unit_words import plain

_HEAD_BYTES = 1 << 18
_LINES = 200
_DELIMITERS = (";", ",", "\t", "|")
_LEGACY = (
    "cp1252", "cp437", "cp850", "mac-roman", "cp1251", "cp866", "koi8-r", "gb18030", "big5",
    "cp932", "cp949",
)  # fmt: skip
"""Code pages of the languages whose words are known; of others a person has to say it."""

_DATES = (
    "yyyy-MM-dd", "dd/MM/yyyy", "MM/dd/yyyy", "d/M/yyyy", "M/d/yyyy", "dd.MM.yyyy", "d.M.yyyy",
    "dd-MM-yyyy", "MM-dd-yyyy", "yyyy/MM/dd", "yyyy/M/d", "dd/MM/yy", "MM/dd/yy", "dd.MM.yy",
    "dd-MMM-yyyy", "d-MMM-yyyy", "dd-MMM-yy", "d-MMM-yy", "d MMM yyyy", "yyyyMMdd",
    "d MMM yy", "EEE d MMM yyyy", "EEE dd/MM/yyyy", "EEE d/M/yyyy", "yyyy年M月d日",
)  # fmt: skip
_TIMES = (
    "",
    " HH:mm",
    " HH:mm:ss",
    " H:mm",
    " H:mm:ss",
    " h:mm tt",
    " h:mm:ss tt",
    "'T'HH:mm:ss",
    " H'h'mm",
)

_EITHER = re.compile(r"[+-]?\d{1,3}([.,])\d{3}", re.ASCII)
_DECIMAL = re.compile(
    r"[+-]?(?:\d{1,3}(?:[ \u00a0\u202f'\u2019.,]\d{3})+|\d+)?([.,])\d+(?:[eE][+-]?\d+)?"
)
_GROUPED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u202f'\u2019.,])\d{3}(?:\1\d{3})*(?:[.,]\d*)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a file.

    Attributes:
        value: What it is; None where the file does not say.
        reason: Why, or why not.
    """

    value: str | None
    reason: str


def encoding(path: Path, given: str | None = None) -> Finding:
    """Return the encoding of a text file.

    Args:
        path: The file.
        given: What somebody says it is, one of ``ENCODINGS``; None where the file is to tell.

    Raises:
        BadTable: It cannot be what is given.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if given is not None:
        if _decoded(head, given) is None:
            raise NotInIt(given)
        return Finding(given, "as asked for")
    if head.startswith(codecs.BOM_UTF8):
        return Finding("utf-8", "the file begins with the mark of UTF-8")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Finding("utf-16", "the file begins with the mark of UTF-16")
    if head.isascii():
        return Finding("utf-8", "only ASCII so far, which every encoding reads alike")
    if _decoded(head, "utf-8") is not None:
        return Finding("utf-8", "all of it is valid UTF-8, which other text hardly ever is")
    return _legacy(head)


class NotInIt(BadTable):
    """The file holds bytes that are no text in the encoding that was given for it."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"it is no text in {given}",
            expected=f"bytes that are text in {given}",
            next_step="another --encoding, or none: then the file is looked at",
        )


def _legacy(head: bytes) -> Finding:
    """Return the code page in which words of headings beyond ASCII make sense."""
    texts = {name: text for name in _LEGACY if (text := _decoded(head, name)) is not None}
    words = {name: _known_words(text) for name, text in texts.items()}
    best = max(words, key=lambda name: len(words[name]), default="")
    if best and words[best]:
        equal = [n for n in words if len(words[n]) == len(words[best])]
        if len({texts[name] for name in equal}) == 1:
            shown = ", ".join(sorted(words[best])[:3])
            return Finding(best, f"not UTF-8; in it there are known words: {shown}")
    of = ", ".join(texts)
    return Finding(
        None,
        f"not UTF-8, and no known word tells which of {of}; headings below are read as latin-1 and"
        " may be garbled: suggest again with --encoding and the one that the exporting system uses",
    )


def _decoded(head: bytes, name: str) -> str | None:
    # The head may end within a letter: only what is wrong before its end counts.
    try:
        return codecs.getincrementaldecoder(name)().decode(head, final=len(head) < _HEAD_BYTES)
    except UnicodeError:
        return None


_WORDS = frozenset(
    word
    for words in (FIELD_BY_WORD, *VALUE_BY_WORD.values(), TOTAL_WORDS, AVERAGE_WORDS)
    for word in words
    if not word.isascii()
)


def _known_words(text: str) -> set[str]:
    cells = {cell for line in text.splitlines() for cell in re.split(r"[;,\t|]", line)}
    return {plain(re.sub(r"[(\[].*", "", cell).strip("\"' ")) for cell in cells} & _WORDS


def delimiter(path: Path, name: str) -> Finding:
    """Return what stands between cells: what cuts most lines into equally many."""
    with path.open(encoding=name, errors="replace", newline="") as file:
        lines = [line[:4096] for line in islice(file, _LINES)]
    scores: dict[str, tuple[int, int]] = {}
    for mark in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=mark) if row)
        except csv.Error:
            continue
        wide = {width: count for width, count in widths.items() if width > 1}
        if wide:
            width = max(wide, key=lambda w: (wide[w], w))
            scores[mark] = (wide[width], width)
    if not scores:
        return Finding(None, f"none of {' '.join(map(repr, _DELIMITERS))} cuts its lines")
    best = max(scores, key=lambda mark: scores[mark])
    count, width = scores[best]
    return Finding(best, f"cuts {count} of the first {len(lines)} lines into {width} cells")


def decimal_mark(cells: Iterable[Cell]) -> tuple[Finding, Finding]:
    """Return the decimal mark and what stands between thousands, of columns of numbers."""
    texts = [text_of(cell) for cell in cells if isinstance(cell, str)]
    marks: Counter[str] = Counter()
    between: Counter[str] = Counter()
    either: dict[str, str] = {}
    for text in texts:
        if (found := _EITHER.fullmatch(text)) is not None:
            either.setdefault(found[1], text)
            continue
        if (found := _DECIMAL.fullmatch(text)) is not None and not _is_grouped(text, found[1]):
            marks[found[1]] += 1
        if (found := _GROUPED.match(text)) is not None:
            between[_blank(found[1])] += 1
    mark = _mark(marks, between, next(iter(either.values()), ""))
    unclear = next((text for found, text in either.items() if found != mark.value), "")
    return mark, _between(between, marks, unclear)


def _is_grouped(text: str, mark: str) -> bool:
    """Tell whether a mark is there more than once, which no decimal mark is."""
    return text.count(mark) > 1


def _blank(mark: str) -> str:
    return {"\u00a0": " ", "\u202f": " ", "\u2019": "'"}.get(mark, mark)


def _mark(marks: Counter[str], between: Counter[str], doubt: str) -> Finding:
    if len(marks) > 1:
        return Finding(None, "some cells have a decimal point and some a comma")
    if marks:
        (mark,) = marks
        return Finding(mark, f"{marks[mark]} cells have it where nothing else can stand")
    if between["."] or between[","]:
        other = "," if between["."] else "."
        return Finding(other, "the other mark stands between thousands")
    if doubt:
        return Finding(None, f"{doubt} can be a thousand times the other; no cell tells which")
    return Finding(".", "no cell has a decimal mark")


def _between(between: Counter[str], marks: Counter[str], unclear: str) -> Finding:
    """Return the mark between thousands; ``unclear`` is a cell with what may be one."""
    found = [mark for mark in between if mark not in marks]
    if len(found) > 1:
        return Finding(None, f"several: {' '.join(map(repr, found))}")
    if found:
        return Finding(found[0], f"{between[found[0]]} cells have it")
    if unclear:
        return Finding(None, f'{unclear} may have one, or three decimals; "" where none has')
    return Finding("", "no cell has any")


def time_format(values: Sequence[Sequence[Cell]]) -> Finding:
    """Return the format of times; each value is a cell, or a date and a time of day."""
    texts = [v for v in values if any(isinstance(cell, str) for cell in v)]
    if not texts:
        return Finding("", "the cells are typed as dates" if values else "no cell has a time")
    fitting: dict[str, tuple[str, ...]] = {}
    for form in (f"{on}{at}" for at in _TIMES for on in _DATES):
        read = _read(texts, form)
        if read is not None:
            fitting.setdefault(form, read)
    if not fitting:
        shown = " ".join(text_of(cell) for cell in texts[0])
        return Finding(None, f"no format known here reads all of them: {shown!r}")
    if len(set(fitting.values())) > 1:
        return Finding(None, f"all of these read every cell: {', '.join(list(fitting)[:4])}")
    form = next(iter(fitting))
    return Finding(form, f"the only reading of all {len(texts)} cells looked at")


def _read(values: Sequence[Sequence[Cell]], form: str) -> tuple[str, ...] | None:
    read = Clock(form, clock.zone("UTC"), clock.MIDNIGHT)
    shape = clock.pattern(form)
    if not all(shape.fullmatch(" ".join(text_of(cell) for cell in cells)) for cells in values):
        return None
    try:
        return tuple(clock.moment(cells, read) for cells in values)
    except CellFault:
        return None
