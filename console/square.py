"""Functions that take the square of a cell's length: let through where they are given a short one.

The engine looks at its clock between blocks of rows, so neither ``max_execution_time`` nor a kill
stops a function within one: ``replaceRegexpAll`` of a cell of a million letters takes hours. What
they take is a product: a needle's length by a text's, a list's by another's, the place from which a
pattern looks ahead by how far. So one of the two is to be short by what the statement itself says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from console.lexing import Kind, Token
from console.rules import NotAllowed, Rule, place

SHORT = 64
"""Characters of a needle that is written out."""

LIST_MAX = 100
"""Items of a list that is written out."""

CUT = 256
"""Characters of a text that is cut where it is searched: longer than any id and document."""

PATTERN = 200
"""Characters of a pattern, and times that it repeats one of them."""

PRODUCTS = frozenset(
    """
    ilike notilike instr positioncaseinsensitive positioncaseinsensitiveutf8
    countsubstringscaseinsensitive countsubstringscaseinsensitiveutf8
    hasall hasany hassubstr
    multimatchany multimatchanyindex multimatchallindices
    multifuzzymatchany multifuzzymatchanyindex multifuzzymatchallindices
    """.split()  # noqa: SIM905  a list of words reads better as words
)
"""Of their first two arguments one is to be short."""

PATTERNS: Mapping[str, int] = dict.fromkeys(
    """
    match notmatch matchcaseinsensitive notmatchcaseinsensitive regexp_like regexp_matches
    extract extractall extractgroups extractallgroups extractallgroupshorizontal
    extractallgroupsvertical regexpextract regexp_extract regexp_instr
    countmatches countmatchescaseinsensitive regexp_count
    replaceregexpone replaceregexpall regexp_replace
    """.split(),  # noqa: SIM905
    1,
) | {"splitbyregexp": 0}
"""Which of their arguments is the pattern, from 0; the text is the other of the first two."""

_CUTTING = frozenset(
    {"left", "leftutf8", "substring", "substringutf8", "substr", "mid", "arrayslice"}
)
_OPERATORS = {"ILIKE": PRODUCTS, "REGEXP": PATTERNS, "RLIKE": PATTERNS}

Argument = Sequence[Token]


def bounded(name: str) -> bool:
    """Return whether a function may be called over what is short only."""
    folded = name.lower()
    return folded in PRODUCTS or folded in PATTERNS


def check(text: str, tokens: Sequence[Token], i: int, values: Mapping[str, str]) -> None:
    """Refuse a call, or an operator, that may take the square of a cell's length.

    Args:
        text: The statement.
        tokens: Of it.
        i: Which of them names the function, called or not, or is the operator.
        values: Of the statement's parameters.

    Raises:
        NotAllowed: Nothing that it is given is short.
    """
    token, after = tokens[i], tokens[i + 1 : i + 2]
    is_call = bool(after) and after[0].says("(")
    operator = token.kind is Kind.WORD and not is_call and token.text.upper() in _OPERATORS
    name = token.name.lower()
    if operator:
        operand = list(_until(tokens, i + 1))
        is_short = (
            _is_short(operand, values)
            if token.says("ILIKE")
            else _goes_once(_pattern(operand, values))
        )
    elif not bounded(name):
        return
    else:
        is_short = is_call and _is_bounded(name, _arguments(tokens, i + 2), values)
    if not is_short:
        raise NotAllowed(Rule.SQUARE, token.text, place(text, token.start))


def _is_bounded(name: str, arguments: Sequence[Argument], values: Mapping[str, str]) -> bool:
    first_two = arguments[:2]
    if name in PRODUCTS:
        return any(_is_short(one, values) for one in first_two)
    if len(first_two) < 2:
        # With a text alone there is no pattern; the engine says what is missing.
        return True
    at = PATTERNS[name]
    pattern = _pattern(first_two[at], values)
    return _goes_once(pattern) or (pattern is not None and _is_cut(first_two[1 - at]))


def _arguments(tokens: Sequence[Token], start: int) -> Sequence[Argument]:
    """Return the arguments of a call, from behind its bracket."""
    found, depth = list[list[Token]]([[]]), 0
    for token in tokens[start:]:
        if token.says(")", "]", "}"):
            if depth == 0:
                break
            depth -= 1
        elif token.says("(", "[", "{"):
            depth += 1
        if depth == 0 and token.says(","):
            found.append([])
        else:
            found[-1].append(token)
    return found


def _until(tokens: Sequence[Token], start: int) -> Iterator[Token]:
    """Yield what stands behind an operator: a string or parameter, and what goes on from it."""
    end = start + 1
    if tokens[start : start + 1] and tokens[start].says("{"):
        end = start + 5
    yield from tokens[start:end]
    goes_on = tokens[end : end + 1]
    if goes_on and goes_on[0].says("|", "(", "[", ".", ":"):
        yield goes_on[0]


def _literal(argument: Argument, values: Mapping[str, str]) -> str | None:
    """Return a text that is written out, as the engine reads it but for escapes, or None."""
    if len(argument) == 1 and argument[0].kind is Kind.STRING:
        return argument[0].text[1:-1]
    return values.get(argument[1].text) if _is_value(argument) else None


def _is_value(argument: Argument) -> bool:
    """Return whether it is a parameter and no more, ``{name:Type}``."""
    ends = [i for i, token in enumerate(argument) if token.says("}")]
    return len(argument) > 4 and argument[0].says("{") and ends == [len(argument) - 1]


def _is_short(argument: Argument, values: Mapping[str, str]) -> bool:
    said = _literal(argument, values)
    if said is not None:
        is_list = len(argument) > 3 and argument[3].says("ARRAY")
        return len(said) <= (LIST_MAX * SHORT if is_list else SHORT)
    return _is_cut(argument) or _is_list(argument)


def _is_cut(argument: Argument) -> bool:
    """Return whether it is ``left(x, 256)``, or ``arraySlice(x, 1, 256)``, and no more."""
    if len(argument) < 2 or argument[0].name.lower() not in _CUTTING or not argument[1].says("("):
        return False
    parts = _arguments(argument, 2)
    # Behind its own closing bracket nothing follows that makes it longer.
    inside = sum(map(len, parts)) + len(parts) - 1
    last = parts[-1]
    is_number = len(last) == 1 and last[0].kind is Kind.NUMBER and last[0].text.isdecimal()
    whole = len(parts) == (2 if argument[0].name.lower().startswith("left") else 3)
    return whole and is_number and len(argument) == inside + 3 and int(last[0].text) <= CUT


def _is_list(argument: Argument) -> bool:
    if len(argument) < 2 or not argument[0].says("[") or not argument[-1].says("]"):
        return False
    items = argument[1:-1]
    return len(items) < 2 * LIST_MAX and all(
        token.says(",", "-")
        or token.kind is Kind.NUMBER
        or (token.kind is Kind.STRING and len(token.text) <= SHORT + 2)
        for token in items
    )


_IN_SQL = re.compile(r"''|\\(.)", re.DOTALL)
_IN_PATTERN = re.compile(r"\\(.)", re.DOTALL)
_READ = frozenset("dDwWsSbBAz")
"""Letters behind a backslash that stand for one character or none; others may hide more."""
_CLASS = re.compile(r"\[\^?\]?(?:\[:\w+:\]|[^\]])*\]")
_UNBOUNDED = re.compile(r"[*+]|\{\d+,\}")
_GROUP_AGAIN = re.compile(r"\)[*+?{]")
_TIMES = re.compile(r"\{(\d+)")


def _pattern(argument: Argument, values: Mapping[str, str]) -> str | None:
    """Return a pattern with a letter for each escape and class.

    None for one that is not written out, is long, or has what is not read here.
    """
    said = _literal(argument, values)
    if said is None or len(said) > PATTERN:
        return None
    # What is no escape of a string keeps its backslash: '\\d' and '\d' are the same pattern.
    for found in _IN_SQL.finditer(said):
        if found[1] and found[1].isalnum() and found[1] not in "dDwWsS":
            return None
    said = _IN_SQL.sub(lambda found: found[1] if found[1] in {"\\", "'"} else found[0], said)
    if any(one.isalnum() and one not in _READ for one in _IN_PATTERN.findall(said)):
        return None
    shape = _CLASS.sub("x", _IN_PATTERN.sub("x", said))
    is_long = any(int(times) > PATTERN for times in _TIMES.findall(shape))
    return None if is_long or "[" in shape or "){" in shape else shape


def _goes_once(shape: str | None) -> bool:
    """Return whether a search goes over a text once, wherever it finds the pattern.

    It looks far ahead in vain only where a match that it has may go on over what is unbounded and
    then not come to its end: of a choice, or of a group that may be left out or come again. A row
    of single letters that may repeat is a match at each step, once it is one.
    """
    if shape is None:
        return False
    return not _UNBOUNDED.search(shape) or not ("|" in shape or _GROUP_AGAIN.search(shape))
