"""What the SQL door lets through, and each way around it that was thought of."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.guard import Checked, Scope, check
from console.lexing import TOKENS_MAX
from console.rules import NotAllowed, Rule, check_format
from console.who import Role
from tests.support import attacks

ANALYST = Scope(Role.ANALYST, frozenset({"weighing", "lot", "assay", "v_alerts", "v_lots"}))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "select count() from weighing where lot_id = {lot:String};",
        "WITH 1 AS a SELECT a",
        "SHOW TABLES FROM custody",
        "SHOW TABLES LIKE 'v_%' LIMIT 5",
        "SHOW CREATE TABLE custody.weighing",
        "SHOW COLUMNS FROM weighing",
        "DESCRIBE TABLE custody.weighing",
        "DESC (SELECT 1 AS a)",
        "EXISTS custody.weighing",
        "EXPLAIN indexes = 1, actions = 1 SELECT * FROM weighing",
        "EXPLAIN QUERY TREE SELECT 1",
        "SELECT 'INSERT INTO t; file(' AS text",
        "SELECT `results.analyte` FROM assay ORDER BY offset",
        "SELECT * FROM numbers(10) JOIN weighing ON 1",
        "SELECT format('{}', lot_id), replaceAll(lot_id, 'a', 'b') FROM lot",
        "SELECT 'it''s', 'it\\'s', 5 % 2, 1e-3, .5, 0x1F",
        "SELECT count() FROM (SELECT 1)",
        "SELECT a FROM lot ARRAY JOIN arrayConcat([1], [2]) AS a",
        "SELECT * FROM weighing WHERE lot_id IN ('a', 'b') AND site_id NOT IN (SELECT 'x')",
        "SELECT t.file, t.url, t.editDistance FROM lot AS t",
        "SELECT jaroWinklerSimilarity(lot_id, 'a'), ngramDistance(lot_id, 'a') FROM lot",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT arrayMap(v -> back ? -v : v, x), arrayFold((a, v) -> a = v ? 1 : 0, x, 1)",
        "SELECT quantile(0.9)(x), a ? b : c, arrayMap(x -> x + 1, y), m['k'], t.1 FROM lot",
        "SELECT * FROM v_stock_at(at = {at:DateTime64(6, 'UTC')}, known_at = now64(6))",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
    ],
)
def test_a_reading_statement_passes(statement: str) -> None:
    assert check(statement) == Checked(statement.rstrip(";"))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM v_alerts",
        "SELECT * FROM custody.v_alerts AS weighing",
        "SELECT lot FROM v_lots WHERE lot IN (SELECT lot_id FROM v_alerts)",
        "WITH mine AS (SELECT * FROM v_lots) SELECT * FROM mine WHERE a IN mine",
        "SELECT * FROM v_lineage(lot = 'a')",
        "SELECT weighing, lot FROM v_lots",
        "DESCRIBE v_alerts",
        "SELECT count() FROM events_all",
    ],
)
def test_an_analyst_reads_views(statement: str) -> None:
    assert check(statement, ANALYST).text == statement


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("", Rule.STATEMENT),
        ("-- only a comment", Rule.STATEMENT),
        ("SELECT 1; DROP TABLE weighing", Rule.ONE),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", Rule.READS),
        ("SELECT * FROM (SELECT 1 SETTINGS readonly = 0)", Rule.OUTPUT),
        ("SELECT FiLe /* a */ ('/etc/passwd')", Rule.FUNCTION),
        ("SELECT levenshteinDistance('a', 'b')", Rule.STOPPABLE),
        ("SELECT editDistanceUTF8 ('a', 'b')", Rule.STOPPABLE),
        ("SELECT `damerauLevenshteinDistance`('a', 'b')", Rule.STOPPABLE),
        ("SELECT arrayMap(arrayLevenshteinDistance, a, b) FROM lot", Rule.STOPPABLE),
        ("SELECT arraySimilarity([1], [1], [1], [1])", Rule.STOPPABLE),
        ("SELECT * APPLY(h3kRing) FROM lot", Rule.STOPPABLE),
        ("SELECT `fi\\x6ce`('/etc/passwd')", Rule.QUOTES),
        ("SELECT repeat('a', 1000000) ILIKE repeat('b', 500000)", Rule.SQUARE),
        ("SELECT a ILIKE '%a' || repeat('b', 500000)", Rule.SQUARE),
        ("SELECT a NOT ILIKE '" + "b" * 65 + "'", Rule.SQUARE),
        ("SELECT ilike(a, b) FROM t", Rule.SQUARE),
        ("SELECT `positionCaseInsensitiveUTF8` (a, b) FROM t", Rule.SQUARE),
        ("SELECT hasAny(a, b) FROM t", Rule.SQUARE),
        ("SELECT hasAll(a, arraySlice(b, 1, 257)) FROM t", Rule.SQUARE),
        ("SELECT hasAll(a, [1" + ", 1" * 100 + "]) FROM t", Rule.SQUARE),
        ("SELECT replaceRegexpAll(a, 'a*b|a', '') FROM t", Rule.SQUARE),
        ("SELECT extractAll(a, '[ab](b+c)*') FROM t", Rule.SQUARE),
        ("SELECT extractAll(left(a, 257), 'a*b|a') FROM t", Rule.SQUARE),
        ("SELECT extractAll(left(a, 9) || b, 'a*b|a') FROM t", Rule.SQUARE),
        ("SELECT extractAll(a, concat('a', b)) FROM t", Rule.SQUARE),
        ("SELECT extractAll(a, {p:String}) FROM t", Rule.SQUARE),
        ("SELECT extractAll(a, 'a*b\\x7ca') FROM t", Rule.SQUARE),
        ("SELECT extractAll(a, '\\[a*b|a\\]') FROM t", Rule.SQUARE),
        ("SELECT extractAll(a, '\\\\Q[\\\\Ea*b|a]') FROM t", Rule.SQUARE),
        ("SELECT splitByRegexp('a*b|a', a) FROM t", Rule.SQUARE),
        ("SELECT match(a, '(a?){1000}') FROM t", Rule.SQUARE),
        ("SELECT match(a, 'a{201}') FROM t", Rule.SQUARE),
        ("SELECT match(a, '" + "a?" * 101 + "') FROM t", Rule.SQUARE),
        ("SELECT a REGEXP b FROM t", Rule.SQUARE),
        ("SELECT arrayMap(ilike, a, b) FROM t", Rule.SQUARE),
        ("SELECT * APPLY(countMatches) FROM t", Rule.SQUARE),
        ("SELECT * FROM a, merge('custody', '.*')", Rule.TABLE),
        ("SELECT * FROM somethingnew('x')", Rule.TABLE),
        ("SELECT * FROM a.b.c", Rule.TABLE),
        ("SELECT $$x$$", Rule.QUOTES),
        ("SELECT 'open", Rule.QUOTES),
        ("SELECT 'a''b' 'c''", Rule.QUOTES),
        ("SELECT x'41'", Rule.QUOTES),
        ("SELECT ‘a’", Rule.CHARACTER),  # noqa: RUF001
        ("SELECT 1 \\G", Rule.CHARACTER),
        ("SELECT 1 -- a\n // b", Rule.COMMENT),
        ("SELECT /* a /* b */ 1", Rule.COMMENT),
        ("SELECT {a:Identifier} FROM lot", Rule.PARAMETER),
        ("SELECT FROM WHERE", Rule.PARSE),
        ("SELECT " + "(" * 200 + "1" + ")" * 200, Rule.DEPTH),
        ("SELECT 1" + ", 1" * TOKENS_MAX, Rule.LENGTH),
        ("SHOW PROCESSLIST", Rule.SHOW),
        ("EXPLAIN CURRENT TRANSACTION", Rule.EXPLAIN),
        ("SELECT 1 SETTINGS a b", Rule.OUTPUT),
    ],
)
def test_what_reaches_further_is_refused_by_its_rule(statement: str, rule: Rule) -> None:
    with pytest.raises(NotAllowed) as refused:
        check(statement)
    assert refused.value.rule is rule


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT lot_id FROM v_lots WHERE lot_id ILIKE '%kov%' AND NOT site_id ILIKE 'x%'",
        "SELECT a ILIKE {p:String}, extractAll(a, {r:String}) FROM t",
        "SELECT hasAny(tags, {l:Array(String)}) FROM t",
        "SELECT hasAny(tags, ['a', 'b']), hasAll([1, 2], found), hasAny(a, arraySlice(b, 1, 9))",
        "SELECT positionCaseInsensitive(document_no, 'wb-'), ilike(a, left(b, 20)) FROM t",
        "SELECT extractAll(a, '\\\\d+'), extractAll(a, '\\d+') FROM t",
        "SELECT replaceRegexpAll(a, '[^0-9|*]+', '') FROM t",
        "SELECT match(account, '^(lot|process)/'), extract(a, '(\\\\w+)-(\\\\w+)$') FROM t",
        "SELECT replaceRegexpAll(left(a, 256), 'a*b|a', ''), splitByRegexp('[,;] *', a) FROM t",
        "SELECT match(substring(a, 1, 200), '^(ab)+|c*$'), a REGEXP 'b$' AS match FROM t",
        "SELECT extract(DAY FROM a), t.match, left(a, 1000) FROM t",
        "SELECT a FROM t LEFT JOIN u USING a",
    ],
)
def test_a_search_for_something_short_passes(statement: str) -> None:
    """Whatever stands in the cells: it goes over them once."""
    values = {"p": "%kov%", "r": "[0-9]+", "l": str(["T-1234"] * 100)}
    assert check(statement, Scope(values=values)).text == statement


@pytest.mark.parametrize(
    "statement", [s for text in attacks.ANYBODY.values() for s in attacks.listed(text)]
)
def test_an_attack_is_refused(statement: str) -> None:
    with pytest.raises(NotAllowed):
        check(statement)


@pytest.mark.parametrize("statement", attacks.listed(attacks.ANALYSTS))
def test_an_analyst_reads_nothing_but_views(statement: str) -> None:
    try:
        text = check(statement, ANALYST).text
    except NotAllowed:
        return
    # Columns of system tables that show paths: taken out, so that the engine knows none.
    assert " EXCEPT (" in text
    assert any(column in statement for column in attacks.TAKEN_OUT)


def test_a_refusal_says_where() -> None:
    with pytest.raises(NotAllowed, match="line 2, column 3"):
        check("SELECT 1,\n  file('x')")
    with pytest.raises(NotAllowed, match="line 2, column 6"):
        check("SELECT *\nFROM weighing", ANALYST)


def test_comments_are_blanked_and_places_stay() -> None:
    checked = check("SELECT /* a\nb */ 1 -- c\n")
    assert checked.text == "SELECT     \n     1"
    assert check("SELECT '/* a */'").text == "SELECT '/* a */'"


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (" FORMAT CSV", ("CSV", {})),
        (" FORMAT CSV;", ("CSV", {})),
        (" SETTINGS a = 1, b = 'x''y' FORMAT CSV", ("CSV", {"a": "1", "b": "x'y"})),
        (" FORMAT CSV SETTINGS a = -1", ("CSV", {"a": "-1"})),
        (" LIMIT 0 /* x */ FORMAT Native", ("Native", {})),
    ],
)
def test_format_and_settings_at_the_end_are_cut_off(
    tail: str, expected: tuple[str, dict[str, str]]
) -> None:
    checked = check("SELECT 1" + tail)
    assert (checked.format, checked.settings) == expected
    assert checked.text in {"SELECT 1", "SELECT 1 LIMIT 0"}


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_passes_or_is_refused(text: str) -> None:
    with suppress(NotAllowed):
        check(text)


def test_an_unknown_format_is_refused() -> None:
    assert check_format("CSV") == "CSV"
    with pytest.raises(NotAllowed, match="Avro"):
        check_format("Avro")


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        ("SHOW TABLES", ""),
        (
            "SHOW TABLES FROM custody LIKE 'v_%' LIMIT 5",
            " AND (name LIKE 'v_%') ORDER BY name LIMIT 5",
        ),
    ],
)
def test_an_analyst_is_shown_the_tables_that_analysts_read(statement: str, asked: str) -> None:
    text = check(statement, ANALYST).text
    assert text.startswith("SELECT name FROM system.tables WHERE database = 'custody' AND (")
    assert "startsWith(name, 'v_')" in text
    assert text.rstrip().endswith(asked or "ORDER BY name")
    assert check(statement).text == statement, "the operator is shown all"
    columns = check("SELECT name FROM system.columns", ANALYST).text
    assert "startsWith(table, 'v_')" in columns


@pytest.mark.parametrize(
    ("name", "near"), [("lot", "v_lots"), ("Alert", "v_alerts"), ("custody.alerts", "v_alerts")]
)
def test_a_table_that_is_not_for_analysts_names_the_view_that_is(name: str, near: str) -> None:
    with pytest.raises(NotAllowed, match=f"perhaps {near} is meant"):
        check(f"SELECT * FROM {name}", ANALYST)  # noqa: S608  a name of ours
    with pytest.raises(NotAllowed) as told:
        check("SELECT * FROM nothing_like_it", ANALYST)
    assert "perhaps" not in str(told.value)
