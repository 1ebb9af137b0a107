"""The short form of ``make torture``: two repetitions, one with two workers, one with three.

CUSTODY_REPETITIONS=20 CUSTODY_SEED=n pytest tests/fault/test_torture.py
"""

import os
from pathlib import Path

import pytest

from tests.support import stack
from tests.torture.campaign import repetitions
from tests.torture.plan import Fault, plan

pytestmark = [pytest.mark.fault, pytest.mark.integration, pytest.mark.slow]

REPETITIONS = int(os.environ.get("CUSTODY_REPETITIONS", "2"))
SEED = int(os.environ.get("CUSTODY_SEED", "1"))


@pytest.mark.timeout(600)
def test_whatever_happens_to_workers_the_books_are_those_of_the_rules(tmp_path: Path) -> None:
    seeds = range(SEED, SEED + REPETITIONS)
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        for outcome in repetitions(bootstrap, tmp_path, seeds):
            print(outcome)
            assert not outcome.wrong, f"{outcome.wrong}\nagain: {outcome.again}"


def test_three_seeds_in_a_row_have_every_fault() -> None:
    for first in range(8):
        faults = {fault for seed in range(first, first + 3) for fault in plan(seed, 1).faults}
        assert faults == set(Fault)
