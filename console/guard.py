"""Which statements may be asked: one statement that reads, and reads what its role may.

Three readers, because each sees what the others do not:

- the tokens (``console/lexing.py``, here) refuse what could be read in two ways, every function
  that reaches out or cannot be stopped, wherever its name stands, and words that write. A parser
  gives functions names of its own and does not know which words a later engine adds;
- sqlglot, a parser with ClickHouse's dialect (``console/relations.py``), says which names are
  tables, also after a comma, in ``IN`` and under ``WITH``, which tokens cannot;
- the engine's ``readonly=1`` refuses writes, changed settings and most table functions. It does
  not refuse scalar ``file('/path')`` nor ``INTO OUTFILE`` (tried on chDB 4.4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console import reach, relations, square, statements
from console.lexing import Kind, Token, lex
from console.rules import STATEMENTS, NotAllowed, Rule, check_format, place
from console.tail import cut_tail
from console.who import Role

__all__ = ["Checked", "Scope", "check"]

_WORDS = frozenset(
    """
    INSERT UPDATE DELETE ALTER CREATE DROP TRUNCATE RENAME EXCHANGE ATTACH DETACH OPTIMIZE SYSTEM
    KILL GRANT REVOKE SET USE BACKUP RESTORE MOVE FREEZE UNDROP OUTFILE INFILE SETTINGS FORMAT
    PARALLEL
    """.split()  # noqa: SIM905  a list of words reads better as words
)
"""Words that write, change settings or choose the output: none is needed to ask."""

_OUTPUT = frozenset({"SETTINGS", "FORMAT"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks, and what there is.

    Attributes:
        role: The operator reads all tables, an analyst the views.
        tables: Names in the database custody; a name after ``WITH`` may not hide one.
        values: Those of the statement's parameters, by name.
    """

    role: Role = Role.OPERATOR
    tables: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may run.

    Attributes:
        text: What the engine is to be asked, without comments, FORMAT and SETTINGS.
        format: The format it asks for itself; empty where it does not.
        settings: The settings it asks for itself; not yet judged.
    """

    text: str
    format: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


def check(statement: str, scope: Scope | None = None) -> Checked:
    """Return what may be asked of the engine, or refuse the statement.

    Args:
        statement: What was sent.
        scope: Who asks; the operator where nothing is said.

    Raises:
        NotAllowed: It is not one statement that reads what the role may read.
    """
    asked = scope or Scope()
    text, tokens = lex(statement)
    tokens = _one(text, tokens)
    first = next((t for t in tokens if not t.says("(")), None)
    if first is None or first.text.upper() not in STATEMENTS:
        raise NotAllowed(Rule.STATEMENT, first.text if first else "")
    tail = cut_tail(text, tokens)
    if tail.format:
        check_format(tail.format)
    text, tokens = text[: tail.end].rstrip(), tail.tokens
    for i, token in enumerate(tokens):
        _check_token(text, tokens, i, token)
        if token.is_name and not (i and tokens[i - 1].says(".", "AS")):
            square.check(text, tokens, i, asked.values)
    return Checked(_judge(text, tokens, asked), tail.format, tail.settings)


def _one(text: str, tokens: Sequence[Token]) -> Sequence[Token]:
    """Return the tokens of the one statement; semicolons at its end are not part of it."""
    end = len(tokens)
    while end and tokens[end - 1].says(";"):
        end -= 1
    for token in tokens[:end]:
        if token.says(";"):
            raise NotAllowed(Rule.ONE, token.text, place(text, token.start))
    return tokens[:end]


def _judge(text: str, tokens: Sequence[Token], scope: Scope) -> str:
    """Ask who knows this kind of statement, and return what the engine is to be asked."""
    readable = relations.Readable(scope.role, scope.tables)
    match tokens[0].text.upper():
        case "SHOW":
            return statements.checked_show(text, tokens, readable)
        case "EXISTS":
            statements.check_exists(text, tokens, readable)
        case "DESCRIBE" | "DESC":
            statements.check_describe(text, tokens, readable)
        case "EXPLAIN":
            return statements.checked_explain(text, tokens, readable)
        case _:
            return relations.checked(text, readable)
    return text


def _check_token(text: str, tokens: Sequence[Token], i: int, token: Token) -> None:
    before = tokens[i - 1] if i else None
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if not token.is_name:
        _check_parameter(text, tokens, i, token)
        return
    where = place(text, token.start)
    is_part = before is not None and before.says(".")
    if after is not None and after.says("(") and token.kind is Kind.QUOTED:
        if reach.denied_call(token.name):
            raise _denied(token, where)
    elif not is_part and reach.denied_name(token.name):
        raise _denied(token, where)
    if token.kind is Kind.WORD:
        _check_word(text, token, before, after)


def _denied(token: Token, where: str) -> NotAllowed:
    rule = Rule.STOPPABLE if reach.unstoppable(token.name) else Rule.FUNCTION
    return NotAllowed(rule, token.text, where)


def _check_word(text: str, token: Token, before: Token | None, after: Token | None) -> None:
    word = token.text.upper()
    if word not in _WORDS:
        # IN( is an operator and a function; the parser tells them apart.
        if after is not None and after.says("(") and word != "IN" and reach.denied_call(word):
            raise _denied(token, place(text, token.start))
        return
    is_part = (before is not None and before.says(".")) or (after is not None and after.says("."))
    is_call = after is not None and after.says("(")
    is_show = word == "CREATE" and before is not None and before.says("SHOW")
    if is_part or is_call or is_show:
        return
    rule = Rule.OUTPUT if word in _OUTPUT else Rule.READS
    raise NotAllowed(rule, token.text, place(text, token.start))


def _check_parameter(text: str, tokens: Sequence[Token], i: int, token: Token) -> None:
    """A parameter of type Identifier puts a table where nobody has looked."""
    is_type = i + 3 < len(tokens) and token.says("{") and tokens[i + 2].says(":")
    if is_type and tokens[i + 3].name.upper() == "IDENTIFIER":
        raise NotAllowed(Rule.PARAMETER, tokens[i + 3].text, place(text, tokens[i + 3].start))
