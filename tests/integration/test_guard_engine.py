"""What passes the SQL door, run on the real engine: no file changes, nothing is dialled.

And what the engine itself says a statement reads, held against what the door let an analyst read.
More of it: ``CUSTODY_GUARD_EXAMPLES=5000 pytest tests/integration/test_guard_engine.py``.
"""

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console import guard, reach
from console.guard import Scope
from console.reader import Ask
from console.rules import NotAllowed
from console.who import Role
from custody.errors import CustodyError
from tests.support import attacks
from tests.support.desk import Desk, config_at, open_desk

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLES = int(os.environ.get("CUSTODY_GUARD_EXAMPLES", "60"))


class Outside:
    """A directory and a port that nothing of ours touches."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "secret").write_text("do not read")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.dialled = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.dialled += 1
                connection.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join()

    def check(self) -> None:
        assert sorted(p.name for p in self.directory.iterdir()) == ["secret"]
        assert self.dialled == 0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(config_at(tmp_path_factory.mktemp("guarded"))) as made:
        yield made


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    made = Outside(tmp_path_factory.mktemp("outside"))
    yield made
    made.close()


def run(desk: Desk, statement: str, role: Role) -> bytes:
    """Run a statement as a request would; what is refused answers nothing."""
    asked = {"max_execution_time": "2", "max_result_rows": "1000"}
    ask = Ask(statement=statement, role=role, query_id="probe", format="TSV", settings=asked)
    try:
        answer = desk.reader.start(ask)
    except CustodyError:
        return b""
    parts = list[bytes]()
    try:
        with suppress(CustodyError):
            parts.extend(iter(answer.next, None))
    finally:
        answer.close()
    return b"".join(parts)


def test_no_attack_reaches_out(desk: Desk, outside: Outside) -> None:
    for text in attacks.ANYBODY.values():
        for statement in attacks.listed(text, directory=str(outside.directory), port=outside.port):
            assert run(desk, statement, Role.OPERATOR) == b"", statement
    outside.check()


def test_attacks_would_reach_out_without_the_door(desk: Desk, outside: Outside) -> None:
    """The engine's own readonly=1 is not enough: else the tests here could not fail."""
    handle = desk.warehouse
    said = handle.rows(f"SELECT * APPLY(file) FROM (SELECT '{outside.directory}/secret' AS x)")  # noqa: S608
    assert said == [("do not read",)]
    dial = f"SELECT * FROM url('http://127.0.0.1:{outside.port}/', 'LineAsString')"  # noqa: S608
    with suppress(CustodyError):
        handle.rows(f"{dial} SETTINGS http_max_tries = 1, http_receive_timeout = 1")
    assert outside.dialled > 0
    outside.dialled = 0


def test_no_analyst_reads_a_table(desk: Desk) -> None:
    for statement in attacks.listed(attacks.ANALYSTS):
        assert run(desk, statement, Role.ANALYST) == b"", statement


_RELATIONS = ["v_alerts", "lot", "weighing", "custody.weighing", "x", "y", "numbers(3)"]
_RELATIONS += ["(SELECT 1 AS lot_id)", "view(SELECT * FROM lot)", "system.one", "system.parts"]
_RELATIONS += ["default.`{dir}/secret`", "merge('custody', 'lot')", "`lot`", "values('a Int8', 1)"]
_VALUES = ["1", "lot_id", "'lot'", "file('{dir}/secret')", "x", "weighing", "(1)", "NULL"]
_VALUES += ["[1, 2]", "1 ? 2 : 3", "lot_id IN lot", "lot_id IN (weighing)", "1 IN custody.lot"]
_VALUES += ["arrayMap(a -> a IN lot, ['x'])", "arrayMap(file, ['{dir}/secret'])", "* APPLY file"]
_VALUES += ["'it''s'", "/* , */ 2", "-- x\n 3", "`lot_id`", '"x"', "in(1, lot)", "(SELECT 1)"]


@st.composite
def queries(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw a query in which any name may be a table, a column or a name after WITH."""

    def inner(or_else: list[str]) -> str:
        if depth and draw(st.integers(0, 3)) == 0:
            return f"({draw(queries(depth - 1))})"
        return draw(st.sampled_from(or_else))

    head = ""
    if draw(st.booleans()):
        name = draw(st.sampled_from(["x", "y", "lot", "weighing"]))
        head = draw(
            st.sampled_from(
                [f"WITH {name} AS {inner(['(SELECT 1 AS lot_id)'])} ", f"WITH 1 AS {name} "]
            )
        )
    values = ", ".join(inner(_VALUES) for _ in range(draw(st.integers(1, 2))))
    tables = inner(_RELATIONS)
    for _ in range(draw(st.integers(0, 1))):
        tables += draw(st.sampled_from([", ", " CROSS JOIN ", " GLOBAL ANY LEFT JOIN "]))
        tables += inner(_RELATIONS)
    tail = draw(
        st.sampled_from(
            [
                "",
                " WHERE lot_id IN lot",
                " ARRAY JOIN [1] AS z",
                " LIMIT 1 BY 1 LIMIT 2",
                " UNION ALL SELECT lot_id FROM weighing",
                " INTO OUTFILE '{dir}/out'",
                " SETTINGS max_threads = 9",
                " FORMAT CSV",
                " AS t",
                " AS lot",
            ]
        )
    )
    return f"{head}SELECT {values} FROM {tables}{tail}"  # noqa: S608


_QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_QUIET
@given(query=queries())
def test_what_passes_reaches_nothing_outside(desk: Desk, outside: Outside, query: str) -> None:
    statement = query.replace("{dir}", str(outside.directory))
    assert b"do not read" not in run(desk, statement, Role.OPERATOR)
    outside.check()


_READ = re.compile(r"table_name: (\S+)|table_function_name: (\S+)")


@_QUIET
@given(query=queries())
def test_an_analyst_reads_what_the_engine_says_are_views(desk: Desk, query: str) -> None:
    tables = frozenset(
        str(name)
        for (name,) in desk.warehouse.rows(
            "SELECT name FROM system.tables WHERE database = 'custody'"
        )
    )
    try:
        passed = guard.check(query, Scope(Role.ANALYST, tables)).text
    except NotAllowed:
        return
    ask = Ask(statement=f"EXPLAIN QUERY TREE {passed}", role=Role.OPERATOR, query_id="tree")
    tree = b""
    with suppress(CustodyError):
        tree = desk.reader.ask(ask.statement, "TSVRaw", {})
    for table, function in _READ.findall(tree.decode()):
        database, _, name = table.rpartition(".")
        if function:
            assert function in reach.TABLE_FUNCTIONS
        elif database == "custody":
            assert name.startswith("v_"), passed
        else:
            assert (database, name) == ("system", name), passed
            assert name in reach.SYSTEM_TABLES, passed


LOOKED_AT = Path(__file__).parent.parent / "golden" / "engine_functions.txt"


def test_every_function_of_the_engine_was_looked_at(desk: Desk) -> None:
    """A new engine brings new functions. Look at each: does it reach files, the network, others'
    queries? Then its name goes into ``console/reach.py``, and in any case into the golden file."""
    rows = desk.warehouse.rows(
        "SELECT name FROM system.functions WHERE origin = 'System'"
        " UNION ALL SELECT concat(name, '()') FROM system.table_functions"
    )
    found = {str(name) for (name,) in rows if not reach.denied_name(str(name).removesuffix("()"))}
    assert sorted(found - set(LOOKED_AT.read_text().split())) == []
