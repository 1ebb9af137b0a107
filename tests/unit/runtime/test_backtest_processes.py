"""One process and several say the same of a history, and one that is lost is missed."""

from dataclasses import replace
from multiprocessing import active_children
from random import Random

import pytest

from custody.fold import Input
from custody.records import Alert, Balance
from runtime.backtest.processes import PARTITIONS, Homes, ProcessLost, replayed
from runtime.backtest.rounds import BY_SERIES, ONE_BY_ONE
from tests.support import chains
from tests.support.chain_references import record
from tests.support.facts import last_ticks


def history() -> list[Input]:
    """A chain of processes: content and sightings go from partition to partition."""
    chain = chains.Chain(Random(1)).draw()
    facts = sorted(chain.facts, key=lambda fact: (fact.recorded_at, fact.event_id))
    end = replace(record(("party", "P"), {}, 999), recorded_at=last_ticks()[1].now)
    return [*chain.references, *facts, end]


def told(processes: int) -> tuple[list[str], dict[str, str]]:
    """Every version of every alert in order, and the last balance of each account."""
    alerts: list[str] = []
    balances: dict[str, str] = {}
    for said in replayed(history(), BY_SERIES, processes):
        alerts.extend(repr(one) for one in said if isinstance(one, Alert))
        balances.update({one.account: repr(one) for one in said if isinstance(one, Balance)})
    return alerts, balances


def test_one_process_and_several_say_the_same_in_the_same_order() -> None:
    alerts, balances = told(1)
    assert len(alerts) >= 2
    assert len(balances) >= 2
    assert told(2) == (alerts, balances)
    assert told(3) == (alerts, balances)
    assert not active_children()


def test_a_process_that_ends_too_early_is_said() -> None:
    steps = replayed(history(), ONE_BY_ONE, 2)
    next(steps)
    [other] = active_children()
    other.kill()
    with pytest.raises(ProcessLost, match="exit code -9"):
        list(steps)
    assert not active_children()


def test_a_run_that_is_given_up_leaves_no_process() -> None:
    steps = replayed(history(), ONE_BY_ONE, 2)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert not active_children()


@pytest.mark.parametrize("processes", range(1, PARTITIONS + 1))
def test_each_partition_has_one_home_and_neighbours_live_together(processes: int) -> None:
    homes = Homes(processes)
    told = [partition for home in range(processes) for partition in homes.partitions(home)]
    assert told == list(range(PARTITIONS))
    assert all(homes.partitions(home) for home in range(processes))
