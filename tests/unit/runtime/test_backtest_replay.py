"""The core over records in memory says what it says in the world of the other tests."""

from dataclasses import replace
from random import Random

from custody.core import CustodyFold
from custody.deadlines import Due, key_of
from custody.events import LotFact, Micros
from custody.fold import Output
from custody.records import Alert, Balance, Content, Transfer
from runtime.backtest.replay import Replay
from runtime.backtest.rows import Rows
from tests.support import chains
from tests.support.agreement import Said, said_in
from tests.support.chain_references import record
from tests.support.facts import last_ticks
from tests.support.standing import Books
from tests.support.world import World


def test_rows_are_found_by_prefix_in_order_and_gone_when_taken_away() -> None:
    rows = Rows()
    for key in ("fact/L-1\x1fb", "fact/L-1\x1fa", "fact/L-10\x1fa", "lot/L-1", "lot/L-2"):
        rows.put(key, key)
    assert rows.scan("fact/L-1\x1f") == ["fact/L-1\x1fa", "fact/L-1\x1fb"]
    assert rows.scan("lot/") == ["lot/L-1", "lot/L-2"]
    assert rows.scan("fact/L-1") == ["fact/L-1\x1fa", "fact/L-1\x1fb", "fact/L-10\x1fa"]
    rows.put("fact/L-1\x1fa", None)
    rows.put("fact/never", None)
    assert rows.scan("fact/L-1\x1f") == ["fact/L-1\x1fb"]
    assert rows.get("fact/L-1\x1fa") is None
    rows.put("fact/L-1\x1fb", None)
    assert rows.scan("fact/L-1\x1f") == []


def test_the_row_that_is_due_first_is_named() -> None:
    rows = Rows()
    assert rows.first_due() is None
    late, early = (key_of(Due(Micros(at), "DEPOT", "M-1", ""), "lot/L-1") for at in (200, 100))
    for key in (late, early, early):
        rows.put(key, 1)
    assert rows.first_due() == 100
    assert rows.scan("due/") == [early, late]
    assert rows.scan("due/", late) == [early]
    rows.put(early, None)
    rows.put(early, None)
    assert rows.first_due() == 200


def test_what_it_says_is_what_the_worker_says_of_the_same_order() -> None:
    """A chain of processes with corrections: contents are handed on as in the world of tests."""
    chain = chains.Chain(Random(1)).draw()
    facts = sorted(chain.facts, key=lambda fact: (fact.recorded_at, fact.event_id))
    said: list[Output] = []
    end = replace(record(("party", "P"), {}, 999), recorded_at=last_ticks()[1].now)
    for outputs in Replay(CustodyFold()).run([*chain.references, *facts, end]):
        said.extend(outputs)
    world = World()
    world.tell(*chain.references, *facts, *last_ticks())
    assert {"missing_receipt", "node_balance"} <= {rule for rule, _ in world.open_rules()}
    found = Books(
        Said(
            [one for one in said if isinstance(one, Transfer)],
            {one.account: one for one in said if isinstance(one, Balance)},
            [one for one in said if isinstance(one, Alert)],
            [one for one in said if isinstance(one, Content)],
        )
    )
    expected = Books(said_in(world))
    assert found.sums == expected.sums
    assert found.balances == expected.balances
    assert found.alerts == expected.alerts
    assert found.handed == expected.handed


def test_two_runs_say_the_same_in_the_same_order() -> None:
    facts: list[LotFact] = sorted(
        chains.Chain(Random(6)).draw().facts, key=lambda f: (f.recorded_at, f.event_id)
    )
    runs = [[repr(out) for out in Replay(CustodyFold()).run(facts)] for _ in range(2)]
    assert runs[0] == runs[1]
