"""The worst that an analyst can ask: refused or stopped with a clear error, and nothing else hurt.

While they run, rows go in on the sink's own client, and each insert has to come through.
``make worst-queries`` runs them at full size, and beside a real sink.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from console.who import Role
from tests.support.desk import ENDLESS, Desk, config_at, open_desk

pytestmark = [pytest.mark.integration, pytest.mark.slow]

IS_LONG = os.environ.get("CUSTODY_WORST_QUERIES") == "long"
TIMEOUT_S = 20.0 if IS_LONG else 1.5
MEMORY_BYTES = (1024 if IS_LONG else 256) << 20
AT_ONCE = 50


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    config = replace(
        config_at(tmp_path_factory.mktemp("worst")),
        query_timeout_s=TIMEOUT_S,
        query_memory_bytes=MEMORY_BYTES,
        queries_waiting_max=4,
        query_wait_s=60.0,
        quick_s=1.0,
    )
    with open_desk(config) as made:
        yield made


@pytest.fixture(autouse=True)
def inserts(desk: Desk) -> Iterator[None]:
    """Insert beside each query, as the sink does; every insert comes through."""
    table = "worst"
    desk.warehouse.command(
        f"CREATE TABLE IF NOT EXISTS custody.{table} (n UInt64) ENGINE = MergeTree ORDER BY n"
    )
    over, sent, failed = threading.Event(), list[int](), list[BaseException]()

    def insert() -> None:
        try:
            while not over.is_set() or not sent:
                desk.warehouse.insert_rows(table, ("n",), [(len(sent),)])
                sent.append(1)
                over.wait(0.05)
        except BaseException as error:  # noqa: BLE001  any at all fails the test
            failed.append(error)

    thread = threading.Thread(target=insert)
    thread.start()
    yield
    over.set()
    thread.join()
    assert failed == []
    (stored,) = desk.warehouse.rows(f"SELECT count() FROM custody.{table}")  # noqa: S608
    assert stored[0] == len(sent)
    desk.warehouse.command(f"TRUNCATE TABLE custody.{table}")
    assert desk.ask("SELECT 1", desk.analyst_token).text == "1\n"
    assert desk.http.get("/health").status_code == 200


CROSS_JOIN = """
SELECT count() FROM numbers(10000000) AS a CROSS JOIN numbers(10000000) AS b
WHERE a.number + b.number = 7
"""
SORT_OF_A_GIGABYTE = """
SELECT cityHash64(number) AS h, repeat(toString(h), 5) AS s FROM numbers(20000000)
ORDER BY s, h FORMAT CSVWithNames
"""
ENDLESS_RECURSION = """
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT sum(n) FROM r
"""


LONG = "materialize(repeat('a', 1000000))"

_TIME_OR_MEMORY = {"159", "241"}
WORST = {
    CROSS_JOIN: _TIME_OR_MEMORY,
    SORT_OF_A_GIGABYTE: _TIME_OR_MEMORY,
    "SELECT groupUniqArray(toString(number)) FROM numbers(1000000000)": _TIME_OR_MEMORY,
    f"{ENDLESS} SETTINGS max_threads = 64, max_execution_time = 0": {"159"},
    "SELECT repeat('x', 1000000) FROM numbers(1000000) FORMAT JSON": {*_TIME_OR_MEMORY, "396"},
    ENDLESS_RECURSION: {*_TIME_OR_MEMORY, "306"},
    # Within one block no limit stops them; each would take hours.
    f"SELECT {LONG} ILIKE concat('%', repeat('a', 500000), 'b%')": {"497"},
    f"SELECT length(replaceRegexpAll({LONG}, 'a*b|a', ''))": {"497"},
    f"SELECT match({LONG}, concat('(a?){{1000}}', 'b'))": {"497"},
    f"SELECT hasAny(splitByString('', {LONG}), arrayMap(x -> toString(x), range(1000000)))": {
        "497"
    },
}
"""What is asked, and the codes of the engine's errors that may stop it."""


@pytest.mark.parametrize(("statement", "codes"), WORST.items())
def test_a_worst_query_is_stopped_with_a_clear_error(
    desk: Desk, statement: str, codes: set[str]
) -> None:
    answer = desk.ask(statement, desk.analyst_token)
    assert answer.headers["x-clickhouse-exception-code"] in codes
    assert "DB::Exception" in answer.text


@pytest.mark.parametrize(
    "found",
    [
        f"{LONG} ILIKE '%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%'",
        f"length(replaceRegexpAll({LONG}, '[ab]*', ''))",
        f"length(extractAll({LONG}, 'a+b?c*'))",
        f"countMatches({LONG}, 'a{{2}}|b')",
        f"match({LONG}, '(a+)(b+)$')",
        f"length(extractAll(left({LONG}, 256), 'a*b|a'))",
        f"hasAny(splitByString('', {LONG}), ['b', 'c'])",
    ],
)
def test_what_may_be_asked_of_a_long_cell_goes_over_it_once(desk: Desk, found: str) -> None:
    """Were one of them to take the square of its length, nothing would end it."""
    answer = desk.ask(f"SELECT {found}", desk.token, max_execution_time="600")
    assert answer.status_code == 200, answer.text


def test_a_block_of_an_analyst_is_small_and_so_is_a_range_in_it(desk: Desk) -> None:
    """``has(range(1000000), number)`` ran minutes beyond its second: on 65,409 rows at once."""
    said = desk.ask("SELECT max(blockSize()) FROM numbers(200000)", desk.analyst_token)
    assert 0 < int(said.text) <= 8_192
    rows = desk.ask("SELECT sum(length(range(24))) FROM numbers(200000)", desk.analyst_token)
    assert rows.text == "4800000\n"
    long = desk.ask("SELECT length(range(materialize(4000001)))", desk.analyst_token)
    assert long.headers["x-clickhouse-exception-code"] == "69"
    assert "4000000" in long.text


def test_of_fifty_at_once_some_run_and_the_others_are_told_to_come_back(desk: Desk) -> None:
    codes = list[str]()

    def ask() -> None:
        answer = desk.ask(ENDLESS, desk.analyst_token)
        codes.append(answer.headers["x-clickhouse-exception-code"])

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    config = desk.config
    allowed = config.queries_at_once + config.quick_at_once + config.queries_waiting_max
    assert codes.count("159") == allowed
    assert codes.count("202") == AT_ONCE - allowed


def test_who_asks_a_short_one_is_answered_while_slow_ones_hold_every_turn(desk: Desk) -> None:
    slow = [f"slow-{no}" for no in range(desk.config.queries_at_once)]
    asking = [
        threading.Thread(
            target=desk.ask,
            args=(ENDLESS,),
            kwargs={"query_id": name, "max_execution_time": "600"},
        )
        for name in slow
    ]
    for thread in asking:
        thread.start()
    desk.until(lambda: set(slow) <= set(desk.reader.running(Role.OPERATOR)))
    short = [desk.ask("SELECT 1", desk.analyst_token) for _ in range(AT_ONCE)]
    still = desk.reader.running(Role.OPERATOR)
    for name in slow:
        desk.reader.cancel(name, Role.OPERATOR)
    for thread in asking:
        thread.join()
    assert {(one.status_code, one.text) for one in short} == {(200, "1\n")}
    assert set(slow) <= set(still), "they ran all the while, else nothing was tried"
