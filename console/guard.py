"""Which statements may be asked: one statement that reads, and reads tables only.

The engine's own ``readonly=1`` is set on every client and refuses writes, DDL and changed
settings. It does not refuse scalar ``file('/path')`` nor ``INTO OUTFILE`` (tried on chDB 4.4), and
table functions that open a connection are the engine's to judge only on a server with users. So
this guard reads the statement's tokens and refuses by name whatever reaches beyond the tables.
It is an allow-list of statements and a deny-list of words; a word in a string, a quoted name or a
comment is not a word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from custody.errors import Refused

STATEMENTS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})

FORMATS = frozenset(
    {
        "JSONEachRow",
        "JSONCompactEachRow",
        "JSONCompactEachRowWithNames",
        "JSONCompactEachRowWithNamesAndTypes",
        "JSON",
        "JSONCompact",
        "CSV",
        "CSVWithNames",
        "TSV",
        "TabSeparated",
        "TabSeparatedWithNames",
        "TSVWithNames",
        "Arrow",
        "ArrowStream",
        "Parquet",
        "Native",
        "Pretty",
        "PrettyCompact",
        "Vertical",
        "Markdown",
        "Null",
    }
)

_FUNCTIONS = frozenset(
    """
    file url urlcluster filecluster s3 s3cluster gcs oss cosn hdfs hdfscluster azureblobstorage
    azureblobstoragecluster remote remotesecure cluster clusterallreplicas executable python
    mysql postgresql mongodb redis sqlite odbc jdbc ytsaurus input iceberg icebergs3 iceberglocal
    icebergazure iceberghdfs icebergcluster deltalake deltalakes3 deltalakelocal deltalakeazure
    deltalakecluster hudi hudicluster paimon paimons3 paimonlocal arrowflight fuzzjson fuzzquery
    loop dictionary catboostevaluate sleep sleepeachrow showcertificate getserverport
    getclienthttpheader initializeaggregation addresstoline addresstolinewithinlines
    addresstosymbol demangle throwif mergetreeindex mergetreeprojection mergetreeparts
    mergetreepartinfo mergetreeanalyzeindexes timeseriesdata timeseriestags timeseriesmetrics
    executablepool prometheusquery prometheusqueryrange filesystem tryfile kafka nats rabbitmq
    """.split()  # noqa: SIM905  a list of words reads better as words
)
"""Functions that reach files, the network, other programs or memory of this process."""

_WORDS = frozenset(
    """
    INSERT UPDATE DELETE ALTER CREATE DROP TRUNCATE RENAME EXCHANGE ATTACH DETACH OPTIMIZE SYSTEM
    KILL GRANT REVOKE SET USE BACKUP RESTORE MOVE FREEZE UNDROP OUTFILE INFILE SETTINGS FORMAT
    """.split()  # noqa: SIM905
)
"""Words that write, change settings or choose the output: none is needed to ask. The format is a
parameter of the request."""

_TABLE_FUNCTIONS = frozenset(
    {
        "numbers",
        "numbers_mt",
        "zeros",
        "values",
        "generateseries",
        "generate_series",
        "view",
        "null",
        "v_lot_balance_at",
        "v_stock_at",
        "v_metal_balance",
        "v_unaccounted",
        "v_lineage",
    }
)
"""Functions that may stand where a table stands, and our views that take parameters."""

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|\\.|'')*')
    |(?P<heredoc>\$[A-Za-z0-9_]*\$)
    |(?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    |(?P<word>[^\W\d]\w*)
    |(?P<number>\d\w*)
    |(?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    @property
    def name(self) -> str:
        """The identifier it is, in capitals; quotes make no difference to the engine."""
        if self.kind == "quoted":
            return self.text[1:-1].upper()
        return self.text.upper() if self.kind == "word" else ""


class Rule(Enum):
    """What a statement has to keep to."""

    STATEMENT = f"a statement that begins with one of {', '.join(sorted(STATEMENTS))}"
    ONE = "one statement"
    READS = "a statement that only reads, without settings of its own"
    FUNCTION = "functions over tables and values"
    TABLE = f"a table, or one of {', '.join(sorted(_TABLE_FUNCTIONS))}"
    QUOTES = "quotes that are closed, names without escapes, no heredocs"
    OUTPUT = "the format as a parameter of the request: ?format=CSV"
    FORMAT = f"a format out of {', '.join(sorted(FORMATS))}"


class NotAllowed(Refused):
    """A statement that this door does not let through."""

    def __init__(self, rule: Rule, found: str) -> None:
        self.rule = rule
        super().__init__(
            f"not allowed here: {found[:40] or 'nothing'}",
            expected=rule.value,
            next_step="the tables are listed by: SHOW TABLES FROM custody",
        )


def check(statement: str) -> str:
    """Return the statement without what stands behind it, or refuse it.

    Args:
        statement: What was sent.

    Raises:
        NotAllowed: It is not one statement that reads tables.
    """
    tokens = list(_tokens(statement))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens or tokens[0].text.upper() not in STATEMENTS:
        raise NotAllowed(Rule.STATEMENT, tokens[0].text if tokens else "")
    for i, token in enumerate(tokens):
        before = tokens[i - 1].text.upper() if i else ""
        if before == "JOIN" and i > 1 and tokens[i - 2].text.upper() == "ARRAY":
            before = "ARRAY JOIN"
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        _check_token(token, before, after)
    return statement.rstrip().rstrip(";").rstrip()


def check_format(name: str) -> str:
    """Return the name of an output format, or refuse it.

    Raises:
        NotAllowed: It is none of ours.
    """
    if name not in FORMATS:
        raise NotAllowed(Rule.FORMAT, name)
    return name


def _check_token(token: _Token, before: str, after: str) -> None:
    match token.kind:
        case "sign" if token.text == ";":
            raise NotAllowed(Rule.ONE, token.text)
        case "sign" if token.text in "'\"`":
            raise NotAllowed(Rule.QUOTES, token.text)
        case "heredoc":
            raise NotAllowed(Rule.QUOTES, token.text)
        case "quoted" if "\\" in token.text:
            raise NotAllowed(Rule.QUOTES, token.text)
        case "word" | "quoted" if after == "(":
            _check_call(token, before)
        case "word":
            _check_word(token, before, after)
        case _:
            pass


def _check_call(token: _Token, before: str) -> None:
    name = token.name.lower()
    if name in _FUNCTIONS:
        raise NotAllowed(Rule.FUNCTION, token.text)
    if before in {"FROM", "JOIN"} and name not in _TABLE_FUNCTIONS:
        raise NotAllowed(Rule.TABLE, token.text)


def _check_word(token: _Token, before: str, after: str) -> None:
    part_of_a_name = "." in {before, after}
    if token.name not in _WORDS or part_of_a_name or (before, token.name) == ("SHOW", "CREATE"):
        return
    raise NotAllowed(Rule.OUTPUT if token.name == "FORMAT" else Rule.READS, token.text)


def _tokens(statement: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(statement):
        kind = str(found.lastgroup)
        if kind != "space":
            yield _Token(kind, found.group())
