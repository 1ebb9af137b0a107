"""What a column beside an element's is: its error, its limit, or something that is no grade.

``Cu ppm +/-`` holds how sure the analyser is of ``Cu ppm``, and read as a second concentration it
would stand in the books as one. How many sigma an error is, few headings say.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from producers.mapping.unit_words import plain


class Role(Enum):
    """What the cells of an element's column are."""

    VALUE = "value"
    ERROR = "error"
    LIMIT = "limit"
    OTHER = "no concentration"


@dataclass(frozen=True, slots=True)
class Part:
    """A heading without the words that say its role.

    Attributes:
        rest: What is left: an element with its unit.
        role: What the column is.
        sigma: How many an error is, 1 to 3; None where the heading does not say.
    """

    rest: str
    role: Role = Role.VALUE
    sigma: int | None = None


_ERROR = frozenset({
    "+/-", "+-", "±", "err", "error", "errors", "erreur", "erro", "fehler", "погрешность",
    "ошибка", "误差", "uncertainty", "uncert", "unc", "incertitude", "incertidumbre", "incerteza",
    "unsicherheit", "messunsicherheit", "неопределенность", "不确定度",
})  # fmt: skip
_DEVIATION = frozenset({
    "sd", "σ", "sigma", "std", "stdev", "stddev", "std.dev", "stdabw", "standardabweichung",  # noqa: RUF001  # sigma
    "écart-type", "desviación", "desvio", "ско", "标准偏差",
})  # fmt: skip
"""Standard deviations: one sigma where no number stands before them."""
_LIMIT = frozenset({
    "lod", "loq", "mdl", "lld", "dl", "ld", "lq", "nwg", "nachweisgrenze", "bestimmungsgrenze",
    "检出限",
})  # fmt: skip
_OTHER = frozenset({
    "recovery", "recov", "récupération", "rendement", "recuperación", "recuperação", "ausbringen",
    "ausbeute", "извлечение", "回收率", "distribution", "yield", "rsd",
})  # fmt: skip
_FILLER = frozenset({"dev", "deviation", "type", "padrão", "estándar"})
"""Second words of a standard deviation."""

_TOKEN = re.compile(r"[^\s_()\[\],;:]+")
_GLUED = re.compile(r"(\berr(?:or)?|±|\+/?-)(?=\d)|(?<=[^\s_])(?=±|\+/?-)", re.IGNORECASE)
_APART = re.compile(r"([123])[\s-]+(?=(?:sigma|σ|sd)\b)", re.IGNORECASE)  # noqa: RUF001  # sigma
_SIGMA = re.compile(r"([123])(?:s|sd|σ|sigma|stdev|stddev)")  # noqa: RUF001  # sigma
_EMPTY = re.compile(r"[(\[]\s*[)\]]")


def parted(heading: str) -> Part:
    """Return the role of a column by its heading, and the heading without its words."""
    text = unicodedata.normalize("NFKC", heading)
    text = _APART.sub(r"\1", _GLUED.sub(r"\1 ", text))
    roles: set[Role] = set()
    sigma: int | None = None

    def left(found: re.Match[str]) -> str:
        nonlocal sigma
        word = plain(found[0]).strip(".")
        numbered = _SIGMA.fullmatch(word)
        if numbered is not None:
            sigma = int(numbered[1])
        role = Role.ERROR if numbered is not None else _role(word)
        if role is None:
            return "" if word in _FILLER and Role.ERROR in roles else found[0]
        if word in _DEVIATION and sigma is None:
            sigma = 1
        roles.add(role)
        return ""

    rest = _EMPTY.sub("", _TOKEN.sub(left, text)).strip(" _,;:")
    if not roles:
        return Part(heading)
    # A relative deviation or the error of a recovery is neither an error nor a grade.
    role = Role.OTHER if Role.OTHER in roles else Role.ERROR if Role.ERROR in roles else Role.LIMIT
    return Part(rest, role, sigma if role is Role.ERROR else None)


def _role(word: str) -> Role | None:
    if word in _ERROR or word in _DEVIATION:
        return Role.ERROR
    if word in _LIMIT:
        return Role.LIMIT
    return Role.OTHER if word.lstrip("%") in _OTHER else None
