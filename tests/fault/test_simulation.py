"""The whole way of an event by a seed: from ``accept(request, now)`` to rows, and everything fails.

    CUSTODY_SEEDS=5000 pytest tests/fault/test_simulation.py
    CUSTODY_SEED=17 pytest tests/fault/test_simulation.py      # one seed again

Processes are killed where they wait for anything, power goes, disks fill, the broker and the
registry are away, partitions move, clocks jump, answers and commits get lost, plants repeat
themselves. Then it is quiet for a while, and each accepted event must be one row, no refused one
any, and balances and alerts those of the second model. What is real in it and what is not:
``tests/support/sim/run.py``.

A seed that fails is printed with the command that repeats it, and added to ``simulation.seeds``,
whose seeds are run always: commit it with what mends it. A seed means another run once the
simulation itself has changed.
"""

import gc
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.sim.run import run
from tests.support.sim.verdict import faults

pytestmark = pytest.mark.slow

SEEDS = int(os.environ.get("CUSTODY_SEEDS", "200"))
SEED = os.environ.get("CUSTODY_SEED")
PER_TEST = 25
KEPT = Path(__file__).with_name("simulation.seeds")


def kept() -> list[int]:
    """Seeds that failed once; a line may say why behind ``#``."""
    lines = [line.partition("#")[0].strip() for line in KEPT.read_text().splitlines()]
    return [int(line) for line in lines if line]


def blocks() -> list[Sequence[int]]:
    if SEED:
        return [[int(SEED)]]
    ranges = [range(at, min(at + PER_TEST, SEEDS)) for at in range(0, SEEDS, PER_TEST)]
    return [kept(), *ranges] if kept() else [*ranges]


@pytest.fixture(autouse=True)
def _light() -> Iterator[None]:
    """Collect cycles once, and say nothing of the many things that go wrong on purpose."""
    logging.disable(logging.CRITICAL)
    gc.disable()
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()
    gc.enable()
    logging.disable(logging.NOTSET)


def outcome(seed: int) -> tuple[str, int]:
    """What is wrong with a run, '' for nothing, and how many processes it killed."""
    try:
        with run(seed) as over:
            return next(faults(over), ""), over.world.kills
    except Exception as error:  # noqa: BLE001  whatever ends a run that should not end so
        return f"{type(error).__name__}: {error}", 0


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", blocks(), ids=lambda seeds: f"{seeds[0]}-")
def test_every_run_ends_with_one_row_for_each_accepted_event(seeds: Sequence[int]) -> None:
    kills = 0
    for seed in seeds:
        wrong, killed = outcome(seed)
        kills += killed
        if wrong:
            if not SEED and seed not in kept():
                with KEPT.open("a") as file:
                    file.write(f"{seed}\n")
            again = f"CUSTODY_SEED={seed} pytest tests/fault/test_simulation.py"
            pytest.fail(f"seed {seed}: {again}\n{wrong}")
    assert kills or len(seeds) < PER_TEST, "nothing went wrong: these runs prove nothing"


def test_a_seed_is_one_run() -> None:
    digests = []
    for _ in range(2):
        with run(5) as over:
            digests.append((over.world.digest(), over.world.kills))
    assert digests[0] == digests[1]
    assert digests[0][1]
