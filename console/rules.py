"""What a statement has to keep to, and how one that does not is refused."""

from collections.abc import Sequence
from enum import Enum

from console.reach import LISTED_BY
from custody.errors import Refused

STATEMENTS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})

FORMATS = frozenset(
    """
    JSONEachRow JSONCompactEachRow JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes
    JSON JSONCompact JSONStringsEachRow CSV CSVWithNames CSVWithNamesAndTypes TSV TabSeparated
    TabSeparatedWithNames TabSeparatedWithNamesAndTypes TSVWithNames TSVWithNamesAndTypes TSVRaw
    TabSeparatedRaw RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes Arrow ArrowStream
    Parquet Native Pretty PrettyCompact Vertical Markdown Null
    """.split()  # noqa: SIM905  a list of words reads better as words
)


class Rule(Enum):
    """What a statement has to keep to."""

    STATEMENT = f"a statement that begins with one of {', '.join(sorted(STATEMENTS))}"
    ONE = "one statement"
    READS = "a statement that only reads"
    FUNCTION = "functions over tables and values; a column of that name is written table.name"
    STOPPABLE = (
        "functions that a limit of time can stop; how alike two texts are say"
        " jaroWinklerSimilarity(a, b) and ngramDistance(a, b)"
    )
    SQUARE = (
        "beside a text of any length something short: a needle written out, of at most 64"
        " characters, or a list, of at most 100; a pattern written out, without * or + beside |"
        " or a group that may come again; or what is searched cut, left(x, 256) or"
        " arraySlice(x, 1, 256)"
    )
    TABLE = "a table or view of the database custody, or numbers(), values(), generateSeries()"
    VIEW = "views, whose names begin with v_; other tables are the operator's"
    NAME = "a name after WITH that no table has"
    SYSTEM = "of the system tables those about names, types and functions"
    PARAMETER = "parameters that are values, not names"
    QUOTES = "plain quotes that are closed, names without escapes, no heredocs"
    CHARACTER = "ASCII outside strings, quoted names and comments, and signs of SQL"
    COMMENT = "comments that are closed and stand in none, begun by -- or /*"
    PARSE = "a statement that the parser of this door understands"
    DEPTH = "less nesting"
    LENGTH = "fewer words"
    OUTPUT = "FORMAT and SETTINGS at the end of the statement only"
    FORMAT = f"a format out of {', '.join(sorted(FORMATS))}"
    SHOW = "SHOW TABLES, DATABASES, COLUMNS, FUNCTIONS or CREATE, of the database custody"
    EXPLAIN = "EXPLAIN PLAN, PIPELINE, ESTIMATE, SYNTAX, AST or QUERY TREE, with numbers as options"


UNREADABLE = frozenset(
    {Rule.PARSE, Rule.QUOTES, Rule.CHARACTER, Rule.COMMENT, Rule.DEPTH, Rule.LENGTH}
)
"""Rules about how a statement is written, not about what it asks."""


class NotAllowed(Refused):
    """A statement that this door does not let through.

    Args:
        rule: What it does not keep to.
        found: The words in question.
        place: Where they stand, as line and column from one; empty where that says nothing.
        near: Names that may have been meant, the nearest first.
    """

    def __init__(self, rule: Rule, found: str, place: str = "", near: Sequence[str] = ()) -> None:
        self.rule = rule
        meant = f"perhaps {' or '.join(near)} is meant; " if near else ""
        where = f", at {place}" if place else ""
        super().__init__(
            f"not allowed here: {found[:60] or 'nothing'}{where}",
            expected=rule.value,
            next_step=f"{meant}{LISTED_BY}",
        )


def check_format(name: str) -> str:
    """Return the name of an output format, or refuse it.

    Raises:
        NotAllowed: It is none of ours.
    """
    if name not in FORMATS:
        raise NotAllowed(Rule.FORMAT, name)
    return name


def place(text: str, start: int) -> str:
    """Return line and column, from one, of a character of a text."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return f"line {line}, column {column}"
