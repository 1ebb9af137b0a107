"""JSON as everything reads it that a plant sends: strict, and refused in words of our own.

What the standard library takes beyond the standard (``NaN``, a name twice in one object, of which
the last would silently win) is refused; so is what it cannot read, without its own words for it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from custody.errors import Refused

DEPTH_NEEDED = 8
"""Lists and objects within each other in the deepest request there is, in a list."""

DIGITS_MAX = 4_300
"""Of a whole number; the interpreter reads no longer one. A decimal of any length is read."""

EXPONENT_DIGITS_MAX = 18
"""Of a decimal's exponent."""

DEPTH_MAX = 100
"""Lists and objects within each other: what comes after goes into them by calls of its own."""

_CONTAINERS = frozenset({dict, list})
_NEAR_CHARS = 20
_NAME_CHARS_MAX = 80
_PATH_CHARS_MAX = 200
_TEXT = r'"(?:[^"\\]++|\\.)*+"'
_NUMBERS = re.compile(_TEXT + r"|[0-9.]++(?:[eE][+-]?[0-9]++)?", re.DOTALL)
_BRACKETS = re.compile(_TEXT + r"|[][{}]", re.DOTALL)
"""Texts, so that what stands in them is passed over, and what is looked for."""


class BadJson(Refused):
    """A text that is no JSON, or says one thing twice.

    Attributes:
        found: What is wrong, and where.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        super().__init__(found, expected=expected)

    @property
    def text(self) -> str:
        """What is wrong, where, and what would be right, in one line."""
        return f"{self.found}; {self.expected}"


def parsed(text: str | bytes, number: Callable[[str], object] = Decimal) -> object:
    """Return parsed JSON.

    Args:
        text: What to read. Bytes are UTF-8, or UTF-16 or UTF-32 as they begin; a mark of byte
            order is passed over.
        number: Makes a number of the digits of one with a point or an exponent.

    Raises:
        BadJson: It cannot be read as one value.
    """
    plain = _decoded(text) if isinstance(text, bytes) else text
    repeated: list[tuple[dict[str, object], str]] = []

    def one(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs) and not repeated:
            repeated.append((made, _first_repeated(pairs)))
        return made

    found = _loaded(plain, number, one)
    if _is_deep(found):
        raise _too_deep(plain)
    if repeated:
        whole, name = repeated[0]
        where = _path(found, whole) or "one object"
        message = f"the field {_shown(name[:_NAME_CHARS_MAX])} stands twice in {where}"
        raise BadJson(message, "each name once")
    return found


def _loaded(
    text: str,
    number: Callable[[str], object],
    one: Callable[[list[tuple[str, object]]], dict[str, object]],
) -> object:
    try:
        found: object = json.loads(
            text, parse_float=number, parse_constant=_no_number, object_pairs_hook=one
        )
    except json.JSONDecodeError as error:
        raise _misread(text, error) from None
    except _NoNumber as error:
        message = f"{error} is no number of JSON"
        raise BadJson(message, "digits, or null where there is no value") from None
    except RecursionError:
        raise _too_deep(text) from None
    except (ValueError, InvalidOperation):
        raise _too_long(text) from None
    return found


def is_utf8(text: str) -> bool:
    """Tell whether what was read with ``surrogateescape`` was UTF-8 to the last byte."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def parsed_line(line: bytes) -> object:
    """Return parsed JSON of a line of a file, UTF-8 alone.

    What a line begins with tells nothing: lines are cut at a byte, and every second line of a file
    in UTF-16 would pass for one.

    Raises:
        BadJson: As ``parsed``.
    """
    return parsed(_decoded(line, "utf-8-sig"))


def _decoded(text: bytes, encoding: str = "") -> str:
    try:
        return text.decode(encoding or json.detect_encoding(text), "surrogatepass")
    except UnicodeDecodeError as error:
        message = (
            f"byte {error.start + 1} is no text in {error.encoding.upper().removesuffix('-SIG')}"
        )
        raise BadJson(message, "JSON in UTF-8") from None


class _NoNumber(ValueError):
    """A word that JavaScript takes for a number."""


def _no_number(word: str) -> object:
    raise _NoNumber(word)


def _first_repeated(pairs: Iterable[tuple[str, object]]) -> str:
    counts = Counter(name for name, _ in pairs)
    return next(name for name, count in counts.items() if count > 1)


def _misread(text: str, error: json.JSONDecodeError) -> BadJson:
    expected = "one JSON value, names and texts in double quotes, no comma before a closing bracket"
    if not text.strip():
        return BadJson("there is nothing to read", "one JSON value")
    if error.pos >= len(text.rstrip()):
        return BadJson(f"the text ends too early, {_place(text, error.pos)}", expected)
    near = text[error.pos : error.pos + _NEAR_CHARS]
    return BadJson(f"no JSON from {_place(text, error.pos)} on: {_shown(near)}", expected)


def _is_deep(found: object) -> bool:
    # Every value of every body passes here: by its exact type, a third of what isinstance takes.
    level: list[Any] = [found] if type(found) in _CONTAINERS else []
    for _ in range(DEPTH_MAX):
        level = [
            one
            for whole in level
            for one in (whole.values() if type(whole) is dict else whole)
            if type(one) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def _too_deep(text: str) -> BadJson:
    depth, where = 0, ""
    for token in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth > DEPTH_MAX:
            where = f", {_place(text, token.start())}"
            break
    message = f"lists or objects more than {DEPTH_MAX} deep within each other{where}"
    return BadJson(message, f"no request needs more than {DEPTH_NEEDED}")


def _too_long(text: str) -> BadJson:
    """Return what is said of a number that the interpreter does not read."""
    for token in _NUMBERS.finditer(text):
        if token.group()[0] == '"':
            continue
        digits, _, exponent = token.group().lower().partition("e")
        at = _place(text, token.start())
        if digits.isdecimal() and not exponent and len(digits) > DIGITS_MAX:
            message = f"a whole number of {len(digits):,} digits, {at}"
            return BadJson(message, f"at most {DIGITS_MAX:,} digits")
        exponent = exponent.lstrip("+-")
        if len(exponent) > EXPONENT_DIGITS_MAX:
            message = f"a number with an exponent of {len(exponent):,} digits, {at}"
            return BadJson(message, f"an exponent of at most {EXPONENT_DIGITS_MAX} digits")
    return BadJson("a number too long to be read", f"at most {DIGITS_MAX:,} digits")


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"


def _path(whole: object, part: object) -> str:
    """Return where an object stands, ``3.results.0``; empty for the whole, or where it is gone."""
    waiting: list[tuple[str, object]] = [("", whole)]
    while waiting:
        path, value = waiting.pop()
        if value is part:
            return path
        inside = value.items() if isinstance(value, dict) else ()
        steps = enumerate(value) if isinstance(value, list) else inside
        waiting += [(f"{path}.{step}".lstrip(".")[:_PATH_CHARS_MAX], one) for step, one in steps]
    return ""


def _shown(text: str) -> str:
    """Return text within quotes, whatever it is made of."""
    return json.dumps(text)
