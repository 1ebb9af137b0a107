"""What the SQL door lets through, and each way around it that was thought of."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.guard import NotAllowed, Rule, check, check_format


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "select count() from weighing where lot_id = {lot:String};",
        "WITH 1 AS a SELECT a",
        "SHOW TABLES FROM custody",
        "SHOW CREATE TABLE custody.weighing",
        "DESCRIBE TABLE custody.weighing",
        "EXPLAIN indexes = 1 SELECT * FROM weighing",
        "SELECT name FROM system.settings",
        "SELECT 'INSERT INTO t; file(' AS text -- DROP TABLE",
        "SELECT `results.analyte` FROM assay /* ; */ ORDER BY offset",
        "SELECT * FROM numbers(10) JOIN weighing ON 1",
        "SELECT format('{}', lot_id), replaceAll(lot_id, 'a', 'b') FROM lot",
        "SELECT 'it''s', 'it\\'s', 5 % 2",
        "SELECT count() FROM (SELECT 1)",
        "SELECT a FROM lot ARRAY JOIN arrayConcat([1], [2]) AS a",
        "SELECT * FROM weighing WHERE lot_id IN ('a', 'b')",
    ],
)
def test_a_reading_statement_passes(statement: str) -> None:
    assert check(statement) == statement.rstrip(";")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("", Rule.STATEMENT),
        ("-- only a comment", Rule.STATEMENT),
        ("INSERT INTO weighing VALUES (1)", Rule.STATEMENT),
        ("DROP TABLE weighing", Rule.STATEMENT),
        ("SET readonly = 0", Rule.STATEMENT),
        ("USE system", Rule.STATEMENT),
        ("SYSTEM SHUTDOWN", Rule.STATEMENT),
        ("(SELECT 1)", Rule.STATEMENT),
        ("SELECT 1; DROP TABLE weighing", Rule.ONE),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", Rule.READS),
        ("SELECT 1 SETTINGS readonly = 0", Rule.READS),
        ("EXPLAIN INSERT INTO t SELECT 1", Rule.READS),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", Rule.READS),
        ("SELECT 1 FORMAT CSV", Rule.OUTPUT),
        ("SELECT file('/etc/passwd')", Rule.FUNCTION),
        ("SELECT FiLe /* a */ ('/etc/passwd')", Rule.FUNCTION),
        ("SELECT `file`('/etc/passwd')", Rule.FUNCTION),
        ("SELECT \"file\"('/etc/passwd')", Rule.FUNCTION),
        ("SELECT `fi\\x6ce`('/etc/passwd')", Rule.QUOTES),
        ("SELECT * FROM url('http://127.0.0.1/', CSV)", Rule.FUNCTION),
        ("SELECT 1 IN s3('http://127.0.0.1/')", Rule.FUNCTION),
        ("DESCRIBE TABLE remote('127.0.0.1', system.one)", Rule.FUNCTION),
        ("SELECT * FROM a, executable('ls', TSV)", Rule.FUNCTION),
        ("SELECT * FROM python(x)", Rule.FUNCTION),
        ("SELECT * FROM merge('custody', '.*')", Rule.TABLE),
        ("SELECT * FROM somethingnew('x')", Rule.TABLE),
        ("SELECT $$x$$", Rule.QUOTES),
        ("SELECT 'open", Rule.QUOTES),
    ],
)
def test_what_reaches_further_is_refused(statement: str, rule: Rule) -> None:
    with pytest.raises(NotAllowed) as refused:
        check(statement)
    assert refused.value.rule is rule


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_passes_or_is_refused(text: str) -> None:
    with suppress(NotAllowed):
        check(text)


def test_an_unknown_format_is_refused() -> None:
    assert check_format("CSV") == "CSV"
    with pytest.raises(NotAllowed, match="Avro"):
        check_format("Avro")
