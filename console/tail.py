"""FORMAT and SETTINGS at the end of a statement: cut off, so that the door applies them itself.

Tools put them there (``FORMAT Native`` behind every query, ``SETTINGS max_threads = 4``), and the
engine is asked with ``readonly=1``, where a statement may set nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.lexing import Kind, Token
from console.rules import NotAllowed, Rule, place


@dataclass(frozen=True, slots=True)
class Tail:
    """What a statement ended with.

    Attributes:
        tokens: Those before it.
        end: Where they end, in characters.
        format: Its FORMAT; empty where there is none.
        settings: Its SETTINGS by name.
    """

    tokens: Sequence[Token]
    end: int
    format: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


def cut_tail(text: str, tokens: Sequence[Token]) -> Tail:
    """Cut FORMAT and SETTINGS off the end, in either order.

    Raises:
        NotAllowed: SETTINGS is not a list of ``name = value``.
    """
    format_name, settings = "", dict[str, str]()
    for _ in range(2):
        if not format_name and len(tokens) > 2 and tokens[-2].says("FORMAT"):
            format_name, tokens = _format(tokens)
        begin = _settings_begin(tokens)
        if begin is not None and not settings:
            settings = _settings(text, tokens[begin + 1 :])
            tokens = tokens[:begin]
    return Tail(tokens, tokens[-1].end, format_name, settings)


def _format(tokens: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    # FORMAT before a word is a clause unless it names something: a.format, format AS x.
    name = tokens[-1]
    if name.kind is Kind.WORD and not tokens[-3].says(".", "AS", ",", "SELECT"):
        return name.text, tokens[:-2]
    return "", tokens


def _settings_begin(tokens: Sequence[Token]) -> int | None:
    """Return where the last SETTINGS outside brackets is; None where there is none."""
    depth = 0
    for i in range(len(tokens) - 1, 0, -1):
        token = tokens[i]
        if token.says(")", "]", "}"):
            depth += 1
        elif token.says("(", "[", "{"):
            depth -= 1
        elif depth == 0 and token.says("SETTINGS") and _is_clause(tokens, i):
            return i
    return None


def _is_clause(tokens: Sequence[Token], i: int) -> bool:
    return not tokens[i - 1].says(".", "AS") and i + 2 < len(tokens) and tokens[i + 2].says("=")


def _settings(text: str, tokens: Sequence[Token]) -> dict[str, str]:
    found = dict[str, str]()
    rest = list(tokens)
    while rest:
        name, equals, *values = rest[:4]
        sign, rest = "", rest[3:]
        if values and values[0].says("-", "+"):
            sign, values, rest = values[0].text, values[1:], rest[1:]
        if name.kind is not Kind.WORD or not equals.says("=") or not values:
            raise NotAllowed(Rule.OUTPUT, name.text, place(text, name.start))
        found[name.text] = sign + _value(text, values[0])
        if rest and not rest.pop(0).says(","):
            raise NotAllowed(Rule.OUTPUT, name.text, place(text, name.start))
        if rest and len(rest) < 3:
            raise NotAllowed(Rule.OUTPUT, rest[0].text, place(text, rest[0].start))
    return found


def _value(text: str, token: Token) -> str:
    if token.kind is Kind.STRING and "\\" not in token.text:
        return token.text[1:-1].replace("''", "'")
    if token.kind in {Kind.NUMBER, Kind.WORD}:
        return token.text
    raise NotAllowed(Rule.OUTPUT, token.text, place(text, token.start))
