"""What stands at the end of a backtest does not depend on what is told together.

More histories and paces: ``PACES=200 pytest tests/property/test_backtest_pace.py``.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from custody.core import CustodyFold
from custody.fold import Input, Output
from custody.records import Alert, Balance, Content, Transfer
from runtime.backtest.replay import Replay
from runtime.backtest.rounds import MINUTE_US, ONE_BY_ONE, Pace
from tests.support import chains
from tests.support.agreement import Said
from tests.support.chain_references import record
from tests.support.facts import last_ticks
from tests.support.standing import Books

DAY_US = 24 * 60 * MINUTE_US
PACES = int(os.environ.get("PACES", "6"))

TIMES_US = st.one_of(st.sampled_from((0, 1, MINUTE_US, DAY_US)), st.integers(0, DAY_US))


@lru_cache
def history(seed: int) -> tuple[Input, ...]:
    """Return a chain of processes with facts late, twice and corrected, and the time after it."""
    chain = chains.Chain(Random(seed)).draw()
    facts = sorted(chain.facts, key=lambda fact: (fact.recorded_at, fact.event_id))
    end = replace(record(("party", "P"), {}, 999), recorded_at=last_ticks()[1].now)
    return (*chain.references, *facts, end)


@lru_cache
def one_by_one(seed: int) -> Books:
    return books(Replay(CustodyFold(), ONE_BY_ONE).run(history(seed)))


def books(told: Iterable[list[Output]]) -> Books:
    said = [one for outputs in told for one in outputs]
    return Books(
        Said(
            [one for one in said if isinstance(one, Transfer)],
            {one.account: one for one in said if isinstance(one, Balance)},
            [one for one in said if isinstance(one, Alert)],
            [one for one in said if isinstance(one, Content)],
        )
    )


def test_there_is_something_to_find() -> None:
    assert len(one_by_one(1).alerts) >= 2


@settings(max_examples=PACES, deadline=None)
@given(st.integers(1, 4 if PACES < 10 else 1_000), TIMES_US, TIMES_US, st.integers(1, 4))
def test_what_stands_in_the_end_is_the_same_at_any_pace(
    seed: int, round_us: int, series_us: int, partitions: int
) -> None:
    pace = Pace(round_us, series_us)
    found = books(Replay(CustodyFold(), pace, partitions).run(history(seed)))
    expected = one_by_one(seed)
    assert found.sums == expected.sums
    assert found.balances == expected.balances
    assert found.alerts == expected.alerts
    assert found.handed == expected.handed
