"""Cuts a statement into tokens, in the part of ClickHouse's language that is read in one way only.

The engine and any other reader of SQL disagree at the edges: whether comments nest, whether ``//``
or ``#`` begins one, whether a typographic quote closes a string. A guard that reads a string where
the engine reads a call lets the call through, so what could be read in two ways is refused here
with its place, and comments are blanked before anybody reads on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from console.rules import NotAllowed, Rule, place

TOKENS_MAX = 20_000


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    NUMBER = "number"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """One token and where it begins, in characters."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next character stands."""
        return self.start + len(self.text)

    @property
    def is_name(self) -> bool:
        """Whether it can be a name: a word, or quoted like one."""
        return self.kind in {Kind.WORD, Kind.QUOTED}

    @property
    def name(self) -> str:
        """The name it is, without its quotes; empty where it is none."""
        if self.kind is Kind.QUOTED:
            return self.text[1:-1]
        return self.text if self.kind is Kind.WORD else ""

    def says(self, *words: str) -> bool:
        """Return whether it is one of these words or signs, in capitals, unquoted."""
        return self.kind in {Kind.WORD, Kind.SIGN} and self.text.upper() in words


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f\v]+)
    |(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|\\.|'')*')
    |(?P<quoted>"(?:[^"\\]|"")*"|`(?:[^`\\]|``)*`)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>(?:[0-9]+\.?|\.[0-9])[0-9A-Za-z_]*(?:(?<=[eE])[+-][0-9]+)?)
    |(?P<sign>[-+*/%=<>!.,;:?|()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)

_TWO_SIGNS = {"//": Rule.COMMENT, "/*": Rule.COMMENT, "|>": Rule.CHARACTER}
"""Begin something else for the engine than their signs alone."""


def lex(statement: str) -> tuple[str, Sequence[Token]]:
    """Return the statement with its comments blanked, and its tokens.

    Places stay: a comment becomes as many spaces, its line ends stay line ends.

    Raises:
        NotAllowed: Something in it could be read in two ways, or it has too many tokens.
    """
    tokens, blanked, at = list[Token](), list[str](), 0
    while at < len(statement):
        found = _TOKEN.match(statement, at)
        if found is None:
            raise NotAllowed(_rule_of(statement[at]), statement[at], place(statement, at))
        kind, text = str(found.lastgroup), found.group()
        if kind == "comment":
            _check_comment(statement, text, at)
            text = re.sub(r"[^\n]", " ", text)
        elif kind != "space":
            tokens.append(Token(Kind(kind), text, at))
            _check_pair(statement, tokens)
        blanked.append(text)
        at = found.end()
        if len(tokens) > TOKENS_MAX:
            raise NotAllowed(Rule.LENGTH, f"more than {TOKENS_MAX:,} words and signs")
    return "".join(blanked), tokens


def _rule_of(character: str) -> Rule:
    return Rule.QUOTES if character in "'\"`$" else Rule.CHARACTER


def _check_comment(statement: str, text: str, at: int) -> None:
    # Whether comments nest is read differently by different readers.
    if text.startswith("/*") and "/*" in text[2:]:
        raise NotAllowed(Rule.COMMENT, text, place(statement, at))


def _check_pair(statement: str, tokens: Sequence[Token]) -> None:
    if len(tokens) < 2:
        return
    before, last = tokens[-2:]
    if before.end != last.start:
        return
    where = place(statement, before.start)
    rule = _TWO_SIGNS.get(before.text + last.text)
    if rule is not None:
        raise NotAllowed(rule, before.text + last.text, where)
    # x'41' and b'01' end at the next quote, whatever stands before it.
    if last.kind is Kind.STRING and before.kind in {Kind.WORD, Kind.NUMBER}:
        raise NotAllowed(Rule.QUOTES, before.text + last.text, where)
    if last.kind in {Kind.STRING, Kind.QUOTED} and before.kind is last.kind:
        raise NotAllowed(Rule.QUOTES, before.text + last.text, where)
