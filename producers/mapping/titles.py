"""What a heading says: a field, or an element with its unit."""

import re
import unicodedata
from dataclasses import dataclass, replace

from custody.elements import ELEMENTS
from producers.mapping import heading_roles
from producers.mapping.heading_roles import Role
from producers.mapping.heading_words import (
    ELEMENT_BY_NAME,
    FIELD_BY_BARE_WORD,
    FIELD_BY_WORD,
    GRADE_WORDS,
    bare,
)
from producers.mapping.unit_words import is_foreign, is_unclear, plain, unit_of

_BRACKETS = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*(.*)")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d{0,2}){1,4}", re.ASCII)
_SYMBOL = re.compile(r"[A-Z][a-z]?", re.ASCII)
_OF_NO_MASS = re.compile(
    r"(?<![^\W\d_])(?:(mol|at|vol|[mvw]/v)(?:e|om|omic|ume)?[\s.-]*%"
    r"|%\s*(mol|at|vol|[mvw]/v)\b\.?)",
    re.IGNORECASE,
)
"""Shares of moles, atoms or volume, which are none of mass."""
_SMALL = re.compile(r"\b(?:en|in|в|em)$")
_AFTER_MARK = re.compile(r"(.+?)\s*[,/]\s*([^,]+)")
_BEHIND_HAN = re.compile(r"(.*[\u3400-\u9fff])\s*([A-Za-z%][A-Za-z/%]*)", re.ASCII)
_NEEDS_UNIT = frozenset({"or", "lead", "argent", "plata"})
"""Names of elements that are everyday words, too."""


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
        also: Another element or oxide of it that the heading names: Li2O of ``Li (Li2O)``.
        role: What the column of an analyte is.
        sigma: Of an error how many, where it says.
    """

    text: str
    field: str = ""
    analyte: str = ""
    unit: str | None = None
    foreign: str = ""
    written: bool = True
    also: str = ""
    role: Role = Role.VALUE
    sigma: int | None = None


def understood(text: str) -> Title:
    """Return what a heading says, as far as its words are known."""
    part = heading_roles.parted(text)
    if part.role is not Role.VALUE:
        title = _of_value(part.rest)
        if title.analyte:
            return replace(title, text=text, role=part.role, sigma=part.sigma)
    return _of_value(text)


def _of_value(text: str) -> Title:
    base, word = _parted(text)
    unit = unit_of(word) if word and not is_unclear(word) else None
    foreign = word if word and unit is None and is_foreign(word) else ""
    field = _field(text) or _field(base)
    if field:
        return Title(text, field=field, unit=unit, foreign=foreign)
    analyte, written = _analyte(base)
    named = _named(base, has_unit=bool(unit or foreign))
    if analyte or named:
        found = analyte or named
        other = _other(base, found)
        return Title(text, analyte=found, unit=unit, foreign=foreign, written=written, also=other)
    return Title(text, unit=unit, foreign=foreign)


def _field(text: str) -> str:
    """Return the field that a heading without its unit names; empty where none."""
    word = plain(text).replace("_", " ").strip(" .:")
    return FIELD_BY_WORD.get(word) or FIELD_BY_BARE_WORD.get(bare(word), "")


def _parted(text: str) -> tuple[str, str]:
    """Return a heading without its unit, and the unit's word."""
    # Chinese sheets write brackets and per cent signs of full width.
    text = _OF_NO_MASS.sub(r"\1\2%", unicodedata.normalize("NFKC", text).strip())
    if _is_unit(text):
        return text, ""
    found = _BRACKETS.fullmatch(text)
    if found is not None and _is_unit(found[2]):
        return f"{found[1]} {found[3]}".strip(), found[2]
    words = re.split(r"[\s_]+", text)
    for at in range(len(words) - 1, 0, -1):
        # Of two words where both together are one: "Gew. %", "metric tons".
        for first in (at - 1, at):
            unit = " ".join(words[first : at + 1])
            if first and _is_unit(unit):
                return _SMALL.sub("", " ".join(words[:first])).strip(" ,"), unit
    return _parted_within(text)


def _parted_within(text: str) -> tuple[str, str]:
    """Return the same of a heading whose last word holds its unit."""
    for form in (_AFTER_MARK, _BEHIND_HAN):
        found = form.fullmatch(text)
        if found is not None and _is_unit(found[2]):
            return found[1], found[2]
    for rest in (text.removesuffix("%"), text.removeprefix("%")):
        if rest != text:
            return rest.strip(" ,"), "%"
    return text, ""


def _is_unit(word: str) -> bool:
    return unit_of(word) is not None or is_foreign(word)


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


def _other(base: str, analyte: str) -> str:
    """Return an element or oxide beside another of the same element; empty where there is none."""
    symbols = set(_SYMBOL.findall(analyte)) - {"O"}
    for word in re.split(r"[\s_()\[\]/,;:-]+", base):
        named = set(_SYMBOL.findall(word))
        if word == analyte or not _FORMULA.fullmatch(word) or not symbols & named:
            continue
        # Without an oxygen it may be the code of a method, such as ICP61.
        if word in ELEMENTS or "O" in named:
            return word
    return ""


def _named(base: str, *, has_unit: bool) -> str:
    """Return the symbol of an element that a heading calls by name, or by symbol and grade."""
    word = plain(base)
    told = has_unit
    for grade in GRADE_WORDS:
        stripped = word.removeprefix(grade).removesuffix(grade).strip(" -")
        told = told or stripped != word
        word = stripped
    if word in ELEMENT_BY_NAME and (told or word not in _NEEDS_UNIT):
        return ELEMENT_BY_NAME[word]
    symbol = base[-len(word) :] if base.casefold().endswith(word) else base[: len(word)]
    return symbol if told and symbol in ELEMENTS else ""
