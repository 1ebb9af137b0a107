"""Statements about tables and plans: SHOW, EXISTS, DESCRIBE, EXPLAIN. Read by their tokens.

The parser takes SHOW and EXPLAIN as they come, unread, so what is allowed of them is spelt out.
"""

from collections.abc import Sequence

from console import reach
from console.lexing import Kind, Token
from console.relations import Readable, checked
from console.rules import NotAllowed, Rule, place
from console.who import Role

_EXPLAINS = {"PLAN", "PIPELINE", "ESTIMATE", "SYNTAX", "AST"}
_FILTERS = ("LIKE", "ILIKE", "NOT", "LIMIT")


def checked_show(text: str, tokens: Sequence[Token], readable: Readable) -> str:
    """Return a SHOW of names, columns or definitions, as the engine is to be asked it.

    Raises:
        NotAllowed: It would.
    """
    what, rest = (tokens[1], tokens[2:]) if len(tokens) > 1 else (tokens[0], ())
    if what.says("CREATE"):
        if rest and rest[0].says("TABLE", "VIEW"):
            rest = rest[1:]
        _check_name(text, rest, readable)
    elif what.says("COLUMNS") and rest and rest[0].says("FROM", "IN"):
        _check_name(text, rest[1:], readable)
    elif what.says("TABLES", "DATABASES", "FUNCTIONS"):
        database = "custody"
        if len(rest) > 1 and rest[0].says("FROM", "IN") and rest[1].text in {"custody", "system"}:
            database, rest = rest[1].text, rest[2:]
        _check_filters(text, rest)
        if what.says("TABLES") and database == "custody" and readable.role is Role.ANALYST:
            return _tables(rest)
    else:
        raise NotAllowed(Rule.SHOW, what.text, place(text, what.start))
    return text


def _tables(rest: Sequence[Token]) -> str:
    """Return SHOW TABLES as a query of those that an analyst may read."""
    limit = next((i for i, token in enumerate(rest) if token.says("LIMIT")), len(rest))
    like, cut = (" ".join(token.text for token in some) for some in (rest[:limit], rest[limit:]))
    named = f" AND (name {like})" if like else ""
    return (
        f"SELECT name FROM system.tables WHERE database = 'custody'"  # noqa: S608  tokens judged
        f" AND ({reach.SHOWN.format('name')}){named} ORDER BY name {cut}"
    )


def check_exists(text: str, tokens: Sequence[Token], readable: Readable) -> None:
    """Refuse EXISTS of anything but a table that may be read.

    Raises:
        NotAllowed: It is.
    """
    rest = tokens[1:]
    _check_name(text, rest[1:] if rest and rest[0].says("TABLE", "VIEW") else rest, readable)


def check_describe(text: str, tokens: Sequence[Token], readable: Readable) -> None:
    """Refuse DESCRIBE of what may not be read.

    Raises:
        NotAllowed: It may not.
    """
    skip = 2 if len(tokens) > 2 and tokens[1].says("TABLE") else 1
    if len(tokens) == skip:
        raise NotAllowed(Rule.TABLE, "")
    if all(t.is_name or t.says(".") for t in tokens[skip:]):
        _check_name(text, tokens[skip:], readable)
        return
    # The same table, asked as a query; spaces keep the places.
    start = tokens[skip].start
    asked = "SELECT * FROM ".ljust(start) + text[start:]
    checked(asked, readable)


def checked_explain(text: str, tokens: Sequence[Token], readable: Readable) -> str:
    """Return an EXPLAIN of a query that may be asked.

    Raises:
        NotAllowed: The query may not be asked, or this is no EXPLAIN of a query.
    """
    at = _after_kind(tokens)
    while len(tokens) > at + 2 and tokens[at + 1].says("="):
        name, _, value = tokens[at : at + 3]
        if name.kind is not Kind.WORD or value.kind is not Kind.NUMBER:
            raise NotAllowed(Rule.EXPLAIN, name.text, place(text, name.start))
        at += 3
        if at < len(tokens) and tokens[at].says(","):
            at += 1
    if at >= len(tokens) or not tokens[at].says("SELECT", "WITH", "("):
        found = tokens[min(at, len(tokens) - 1)]
        raise NotAllowed(Rule.EXPLAIN, found.text, place(text, found.start))
    start = tokens[at].start
    return text[:start] + checked(" " * start + text[start:], readable)[start:]


def _after_kind(tokens: Sequence[Token]) -> int:
    if len(tokens) > 2 and tokens[1].says("QUERY") and tokens[2].says("TREE"):
        return 3
    return 2 if len(tokens) > 1 and tokens[1].says(*_EXPLAINS) else 1


def _check_name(text: str, tokens: Sequence[Token], readable: Readable) -> None:
    """Exactly one name, with or without its database."""
    found = "".join(t.text for t in tokens)
    where = place(text, tokens[0].start) if tokens else ""
    match [t.name for t in tokens]:
        case [name]:
            database = ""
        case [database, "", name] if tokens[1].says("."):
            pass
        case _:
            raise NotAllowed(Rule.TABLE, found, where)
    readable.check(database, name, found, where)


def _check_filters(text: str, tokens: Sequence[Token]) -> None:
    for token in tokens:
        if not (token.says(*_FILTERS) or token.kind in {Kind.STRING, Kind.NUMBER}):
            raise NotAllowed(Rule.SHOW, token.text, place(text, token.start))
