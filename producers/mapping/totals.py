"""Rows that sum up or average others: told by their first word, and by what they leave out.

A pattern that is too wide leaves out a ticket in silence, and one missing sends a day's mass twice.
So a word counts only as a whole (``SUMMIT-9`` is a ticket), alone, or in a row that has no time,
lot or number of its own; a row in between is a doubtful point.
"""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from producers.mapping.cells import Row, text_of
from producers.mapping.heading_words import AVERAGE_WORDS, TOTAL_WORDS
from producers.mapping.titles import Title
from producers.mapping.unit_words import plain

_WORDS = sorted((*TOTAL_WORDS, *AVERAGE_WORDS), key=len, reverse=True)
_OF_DATA = frozenset({
    "ticket_no", "lot_id", "occurred_at", "time", "certificate_no", "sample_id", "shot_no",
    "vehicle_id",
})  # fmt: skip
"""Fields that rows of data fill, and rows of totals do not."""


@dataclass(frozen=True, slots=True)
class Summed:
    """Rows below the headings, told apart.

    Attributes:
        data: Rows that are data.
        totals: Heading and pattern of those that are not, as ``skip_where`` has them.
        unclear: Those that are data here and begin like totals, each in words.
    """

    data: tuple[Row, ...]
    totals: tuple[tuple[str, str], ...]
    unclear: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Begin:
    """How a row begins: its first text, the column of that, and the word of totals in it."""

    index: int
    text: str
    word: str


def without_totals(rows: Iterable[Row], titles: Sequence[Title]) -> Summed:
    """Return rows that are data, and the patterns of those that are totals or averages."""
    data: list[Row] = []
    totals: list[_Begin] = []
    unclear: list[str] = []
    for row in rows:
        begin = _begin(row, titles)
        if begin is None:
            data += [] if row.is_blank() else [row]
        elif _is_total(row, begin, titles):
            totals.append(begin)
        else:
            data.append(row)
            unclear.append(f"row {row.no}: {text_of(row.at(begin.index))!r} begins like a total")
    patterns = {(titles[one.index].text, _pattern(one, data)): None for one in totals}
    return Summed(tuple(data), tuple(patterns), tuple(unclear))


def _begin(row: Row, titles: Sequence[Title]) -> _Begin | None:
    """Return how a row begins that begins with a word of totals; None of any other."""
    index = next((i for i, cell in enumerate(row.cells) if text_of(cell)), len(titles))
    if index >= len(titles) or not titles[index].text:
        return None
    text = plain(text_of(row.at(index)))
    word = next((w for w in _WORDS if text.startswith(w) and not text[len(w) :][:1].isalpha()), "")
    return _Begin(index, text, word) if word else None


def _is_total(row: Row, begin: _Begin, titles: Sequence[Title]) -> bool:
    if begin.text.rstrip(" :.") == begin.word:
        return True
    others = [i for i, t in enumerate(titles) if t.field in _OF_DATA and i != begin.index]
    return not others or any(not text_of(row.at(i)) for i in others)


def _pattern(begin: _Begin, data: Sequence[Row]) -> str:
    """Return a pattern that fits such rows of another day, and no row of data of this one."""
    text, end = begin.text, len(begin.word)
    wide = text
    if len(text) > end:
        wide = f"{begin.word}{'[0-9]' if text[end].isdigit() else _escaped(text[end])}*"
    fits = re.compile(fnmatch.translate(wide)).fullmatch
    taken = any(fits(plain(text_of(row.at(begin.index)))) for row in data)
    return _escaped(text) if taken else wide


def _escaped(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)
