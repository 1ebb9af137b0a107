"""The books on a real broker, with two workers that come, go and are killed while facts arrive.

    CUSTODY_SEEDS=10 pytest tests/fault/test_ledger_broker.py
    CUSTODY_SEED=17 pytest tests/fault/test_ledger_broker.py    # one seed again

What ``test_ledger_run`` shows of thousands of interleavings in one process is shown here of a few
on Kafka: histories of three processes one after another, sent while a second worker joins, dies by
``kill -9`` between two steps of the protocol, starts again and leaves. What then stands on the
topics, each number of a sender once, must be what perfect order gives and what the rules say.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from custody.events import LotFact, MaterialProcessed, ReferenceSet
from streams.config import Stage
from tests.support import agreement, stack
from tests.support.chains import Chain, arrival
from tests.support.differences import difference
from tests.support.ledger_topics import Lag, Sender, about, heard
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.renaming import renamed, renamed_references
from tests.support.standing import Books, perfect
from tests.support.streams import WorkerProcess, ended, eventually, make_topics

pytestmark = [pytest.mark.fault, pytest.mark.integration, pytest.mark.slow]

SEED = os.environ.get("CUSTODY_SEED")
SEEDS = [int(SEED)] if SEED else list(range(int(os.environ.get("CUSTODY_SEEDS", "1"))))
HISTORIES = 14
"""Chains of processes that go on at once, so that every chunk has facts of several."""
SLICE = 4
SLICE_EVERY_S = 0.05
LEVELS = 3
WITHIN_S = 120


class Histories:
    """Several chains under names of their own, over one set of reference data.

    Args:
        seed: Of all of them.
    """

    def __init__(self, seed: int) -> None:
        rng = Random(seed)
        chains = [Chain(rng, levels=LEVELS).draw() for _ in range(HISTORIES)]
        self.by_name = {f"H{no}-": renamed(c.facts, f"H{no}-") for no, c in enumerate(chains)}
        self.references: list[ReferenceSet] = list(chains[0].references)
        for name, chain in zip(self.by_name, chains, strict=True):
            self.references += renamed_references(chain.references, name)
        self.facts = [fact for facts in self.by_name.values() for fact in facts]
        placed = [
            (at / len(facts), fact)
            for facts in self.by_name.values()
            for arrived in [arrival(facts, rng)]
            for at, fact in enumerate(arrived)
        ]
        self.sent = [fact for _, fact in sorted(placed, key=lambda pair: pair[0])]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A broker of this test's own: workers read fixed topics and keep one group."""
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        make_topics(bootstrap)
        yield bootstrap


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(600)
def test_joining_killing_and_leaving_in_mid_process_ends_in_the_books_of_the_rules(
    broker: str, tmp_path: Path, seed: int
) -> None:
    again = f"seed {seed}: CUSTODY_SEED={seed} pytest tests/fault/test_ledger_broker.py"
    histories = Histories(seed)
    run(broker, tmp_path, Random(seed + 1), histories, again)
    found = heard(broker)
    books = Books(found.said)
    print(again, f"{len(histories.sent)} facts, {len(found.said.transfers)} transfers,",
          f"{found.repeats} repeats")  # fmt: skip
    for name, facts in histories.by_name.items():
        oracle = Oracle(facts, histories.references)
        unlike = agreement.unlike(oracle, about(found.said, name), facts, RULES)
        assert not unlike, f"{again}\n{name} not as the rules say: {unlike}"
    expected = perfect(histories.facts, histories.references)
    unlike = difference(books.sums, expected.sums, histories.facts)
    assert not unlike, f"{again}\nnot as in perfect order: {unlike}"
    assert books.balances == expected.balances, again
    assert books.alerts == expected.alerts, again
    assert books.handed == expected.handed, again


def run(bootstrap: str, directory: Path, rng: Random, histories: Histories, again: str) -> None:
    """Send the facts while the second worker joins, dies, comes again and leaves.

    Raises:
        AssertionError: A worker did something else, or not everything was applied in time.
    """
    sender = Sender(bootstrap, histories.sent)
    stage = rng.choice(list(Stage))
    stays = WorkerProcess(bootstrap, directory / "stays", fold="custody")
    guest = WorkerProcess(bootstrap, directory / "guest", fold="custody")
    lag = Lag(bootstrap)
    with ended([stays, guest]):
        sender.broadcast(histories.references)
        stays.start()
        sending(sender, lambda: lag.records() == 0, 0.75, again)

        guest.hook = ["kill", stage.value, rng.randint(1, 9)]
        guest.start()
        sending(sender, lambda: guest.is_ready() or not guest.alive, 0.55, again)
        sending(sender, lambda: not guest.alive, 0.4, again)
        assert guest.wait() == -signal.SIGKILL, f"{again}\nended before its kill at {stage}"
        assert halfway(sender), again

        guest.hook = None
        guest.start()
        sending(sender, guest.is_ready, 0.25, again)
        assert guest.process is not None
        guest.process.terminate()
        sending(sender, lambda: not guest.alive, 0.15, again)
        assert guest.wait() == 0, again
        assert halfway(sender), again
        sending(sender, lambda: sender.left == 0 and lag.records() == 0, 0.0, again)
        sender.pass_time(lambda: eventually(lambda: lag.records() == 0, WITHIN_S, every_s=0.1))
        assert stays.alive, again
    lag.close()


def sending(sender: Sender, until: Callable[[], bool], keep: float, again: str) -> None:
    """Send slices until something holds, but leave a share of all facts for later."""
    kept = round(keep * len(sender.facts))

    def look() -> bool:
        sender.send(min(SLICE, max(0, sender.left - kept)))
        return until()

    assert eventually(look, WITHIN_S, every_s=SLICE_EVERY_S), again


def halfway(sender: Sender) -> set[str]:
    """Processes of which some sides are sent and some are not."""

    def named(facts: Sequence[LotFact]) -> set[str]:
        return {fact.process_id for fact in facts if isinstance(fact, MaterialProcessed)}

    return named(sender.facts[: sender.count]) & named(sender.facts[sender.count :])
