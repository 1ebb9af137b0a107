"""What a heading says: a field, or an element with its unit."""

import re
from dataclasses import dataclass

from producers.composition import ELEMENTS
from producers.mapping.heading_words import FIELD_BY_WORD
from producers.mapping.unit_words import is_foreign, plain, unit_of

_BRACKETS = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*(.*)")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d{0,2}){1,4}", re.ASCII)
_SYMBOL = re.compile(r"[A-Z][a-z]?", re.ASCII)
_SMALL = re.compile(r"\b(?:en|in|в|em)$")


@dataclass(frozen=True, slots=True)
class Title:
    """A heading, understood.

    Attributes:
        text: As it stands.
        field: Field it names; empty where none.
        analyte: Element or compound it names; empty where none.
        unit: Unit it names, as we call it; None where it names none.
        foreign: A unit it names that a request has no name for.
        written: The analyte is written otherwise than certificates do, such as CU.
    """

    text: str
    field: str = ""
    analyte: str = ""
    unit: str | None = None
    foreign: str = ""
    written: bool = True


def understood(text: str) -> Title:
    """Return what a heading says, as far as its words are known."""
    base, word = _parted(text)
    unit = unit_of(word) if word else None
    foreign = word if word and unit is None and is_foreign(word) else ""
    for candidate in (text, base):
        field = FIELD_BY_WORD.get(plain(candidate).replace("_", " ").strip(" .:"))
        if field is not None:
            return Title(text, field=field, unit=unit, foreign=foreign)
    analyte, written = _analyte(base)
    if analyte:
        return Title(text, analyte=analyte, unit=unit, foreign=foreign, written=written)
    return Title(text, unit=unit, foreign=foreign)


def _parted(text: str) -> tuple[str, str]:
    """Return a heading without its unit, and the unit's word."""
    found = _BRACKETS.fullmatch(text)
    if found is not None and (unit_of(found[2]) or is_foreign(found[2])):
        return f"{found[1]} {found[3]}".strip(), found[2]
    words = re.split(r"[\s_]+", text.strip())
    for at in range(len(words) - 1, 0, -1):
        if unit_of(words[at]) or is_foreign(words[at]):
            return _SMALL.sub("", " ".join(words[:at])).strip(), words[at]
    if text.rstrip().endswith("%"):
        return text.rstrip().removesuffix("%").strip(), "%"
    return text.strip(), ""


def _analyte(base: str) -> tuple[str, bool]:
    """Return the element or compound that is the first word, and whether it is written so."""
    word = re.split(r"[\s_\-]+", base.strip())[0] if base.strip() else ""
    if _FORMULA.fullmatch(word) and all(s in ELEMENTS for s in _SYMBOL.findall(word)):
        # Two capitals are one symbol in capitals more often than two elements: CU, CO, NI.
        if len(word) == 2 and word.isupper() and word.title() in ELEMENTS:
            return word.title(), False
        return word, True
    if len(word) <= 2 and word.title() in ELEMENTS:
        return word.title(), False
    return "", True
