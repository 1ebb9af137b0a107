"""The distributed ledger against perfect order: any interleaving, any crash, the same books.

    CUSTODY_SEEDS=5000 pytest tests/fault/test_ledger_run.py
    CUSTODY_SEED=17 pytest tests/fault/test_ledger_run.py      # one seed again

A failure names its seed. In one process, without Kafka (``tests/support/cluster.py``). 5,000 seeds
take about six minutes. Taking out the resending, the re-fold or the withdrawal of contents fails
within six seeds; taking out the checks of offsets and numbers does not, because sets of facts and
contents that replace each other do not mind repetition: those have ``tests/unit/streams``.
"""

import os
from collections import defaultdict
from dataclasses import replace
from random import Random

import pytest

from custody.core import CustodyFold
from custody.events import LotFact
from custody.records import Alert, Balance, Content, Transfer
from schemas import topics
from schemas.routes import fact_key
from tests.support.chains import Chain, arrival
from tests.support.cluster import Cluster, Faults
from tests.support.world import World, amounts

pytestmark = [pytest.mark.fault, pytest.mark.slow]

SEEDS = int(os.environ.get("CUSTODY_SEEDS", "200"))
SEED = os.environ.get("CUSTODY_SEED")
PER_TEST = 25
FIRSTS = [int(SEED)] if SEED else list(range(0, SEEDS, PER_TEST))
COUNT = 1 if SEED else PER_TEST

Sums = dict[str, dict[str, int]]


@pytest.mark.parametrize("first", FIRSTS)
def test_every_run_ends_in_the_books_of_perfect_order(first: int) -> None:
    for seed in range(first, first + COUNT):
        again = f"CUSTODY_SEED={seed} pytest tests/fault/test_ledger_run.py"
        found, expected = run(seed)
        assert found.sums == expected.sums, again
        assert found.balances == expected.balances, again
        assert found.alerts == expected.alerts, again
        assert found.handed == expected.handed, again


class Books:
    """What stands in the end, without when and under which number it was said.

    Args:
        transfers: All of them.
        balances: In any order that keeps each account's.
        alerts: In any order that keeps each alert's.
        contents: In any order that keeps each edge's.
    """

    def __init__(
        self,
        transfers: list[Transfer],
        balances: list[Balance],
        alerts: list[Alert],
        contents: list[Content],
    ) -> None:
        latest = {b.account: replace(b, sender="", n=0, at=0, known_at=0) for b in balances}  # type: ignore[arg-type]
        self.sums = sums_of(transfers)
        self.balances = {account: b for account, b in latest.items() if amounts(b)}
        last = {a.alert_id: a for a in alerts}
        self.alerts = {i: (a.family, a.subject) for i, a in last.items() if a.state == "open"}
        edges = {(c.from_owner, c.cause_event_id): c for c in contents}
        self.handed = {
            cause: (c.from_owner, c.to_owner, c.mass_wet_g, c.mass_dry_g, c.metals, c.origins)
            for cause, c in edges.items()
            if not c.void
        }
        assert {a: v for a, v in self.sums.items() if a.startswith(("lot/", "process/"))} == {
            account: amounts(b) for account, b in self.balances.items()
        }, "a balance is not the sum of its transfers"


def sums_of(transfers: list[Transfer]) -> Sums:
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for t in transfers:
        for account, sign in ((t.debit, -1), (t.credit, 1)):
            sums[account]["wet"] += sign * t.mass_wet_g
            sums[account]["dry"] += sign * t.mass_dry_g
            for metal in t.metals:
                sums[account][metal.analyte] += sign * metal.value_mg
    nonzero = {a: {k: v for k, v in held.items() if v} for a, held in sums.items()}
    return {account: held for account, held in nonzero.items() if held}


def run(seed: int) -> tuple[Books, Books]:
    """Return the books of a run with faults, and those of perfect order."""
    rng = Random(seed)
    facts = Chain(rng).draw()
    faults = Faults(
        crash=rng.choice((0.0, 0.02, 0.1)), commit_lost=rng.choice((0.0, 0.5)), moved=0.3
    )
    cluster = Cluster(CustodyFold(), rng.randint(1, 5), rng, faults)
    for fact in arrival(facts, rng):
        cluster.publish(topics.FACT, fact_key(fact).encode(), fact)
    cluster.run()
    said = Books(
        [r for r in cluster.said(topics.TRANSFER) if isinstance(r, Transfer)],
        [r for r in cluster.said(topics.BALANCE) if isinstance(r, Balance)],
        [r for r in cluster.said(topics.ALERT) if isinstance(r, Alert)],
        [r for r in cluster.said(topics.FLOW) if isinstance(r, Content)],
    )
    return said, perfect(facts)


def perfect(facts: list[LotFact]) -> Books:
    world = World()
    world.tell(*sorted(facts, key=lambda f: (f.occurred_at, f.recorded_at, f.event_id)))
    contents = [output for output in world.outputs if isinstance(output, Content)]
    said = [output for output in world.outputs if isinstance(output, Alert)]
    balances = list(world.balances.values())
    return Books(world.transfers, balances, said, contents)
