"""The distributed ledger against perfect order, and against a second model of the rules.

    CUSTODY_SEEDS=5000 pytest tests/fault/test_ledger_run.py
    CUSTODY_SEED=17 pytest tests/fault/test_ledger_run.py      # one seed again

Any interleaving, any crash: the same books. A failure names its seed and the first figure that
differs, with the facts behind it. In one process, without Kafka (``tests/support/cluster.py``);
the second model is ``tests/support/oracle``, and which of its rules count is in its ``rules``.
Taking out the resending, the re-fold or the withdrawal of contents fails within six seeds; taking
out the checks of offsets and numbers does not, because sets of facts and contents that replace
each other do not mind repetition: those have ``tests/unit/streams``.
"""

import os
from random import Random

import pytest

from custody.core import CustodyFold
from custody.records import Alert, Balance, Content, Transfer
from schemas import topics
from schemas.routes import fact_key
from tests.support import agreement
from tests.support.chain_references import copies, ticks
from tests.support.chains import Chain, arrival
from tests.support.cluster import Cluster, Faults
from tests.support.differences import difference
from tests.support.facts import YEARS_MIN
from tests.support.oracle.books import Oracle
from tests.support.standing import Books, perfect

pytestmark = pytest.mark.slow

SEEDS = int(os.environ.get("CUSTODY_SEEDS", "200"))
SEED = os.environ.get("CUSTODY_SEED")
PER_TEST = 25
FIRSTS = [int(SEED)] if SEED else list(range(0, SEEDS, PER_TEST))
COUNT = 1 if SEED else PER_TEST


@pytest.mark.parametrize("first", FIRSTS)
def test_every_run_ends_in_the_books_of_perfect_order_and_of_the_rules(first: int) -> None:
    for seed in range(first, first + COUNT):
        again = f"seed {seed}: CUSTODY_SEED={seed} pytest tests/fault/test_ledger_run.py"
        chain = Chain(Random(seed)).draw()
        found, expected = run(seed, chain), perfect(chain.facts, chain.references)
        unlike = difference(found.sums, expected.sums, chain.facts)
        assert not unlike, f"{again}\nnot as in perfect order: {unlike}"
        assert found.balances == expected.balances, again
        assert found.alerts == expected.alerts, again
        assert found.handed == expected.handed, again
        unlike = agreement.unlike(
            Oracle(chain.facts, chain.references), found.said, chain.facts, chain.rules
        )
        assert not unlike, f"{again}\nnot as the rules say: {unlike}"


def run(seed: int, chain: Chain) -> Books:
    """Return the books of a run with faults, reference data and ticks in between."""
    rng = Random(seed + 1)
    faults = Faults(
        crash=rng.choice((0.0, 0.02, 0.1)), commit_lost=rng.choice((0.0, 0.5)), moved=0.3
    )
    cluster = Cluster(CustodyFold(), rng.randint(1, 5), rng, faults)
    for record in chain.references:
        cluster.broadcast(topics.CONTROL, copies(record, cluster.partitions))
    if not chain.rules["references_any_time"]:
        cluster.run()
    for number, fact in enumerate(arrival(chain.facts, rng)):
        cluster.publish(topics.FACT, fact_key(fact).encode(), fact)
        if rng.random() < 0.02:
            silent = rng.choice(((), ("GW-1",), ("GW-1", "GW-2")))
            cluster.broadcast(topics.FLOW, ticks(number * 3, cluster.partitions, *silent))
    cluster.run()
    for minute in (YEARS_MIN, YEARS_MIN + 1):
        cluster.broadcast(topics.FLOW, ticks(minute, cluster.partitions))
        cluster.run()
    return Books(
        agreement.Said(
            [r for r in cluster.said(topics.TRANSFER) if isinstance(r, Transfer)],
            {r.account: r for r in cluster.said(topics.BALANCE) if isinstance(r, Balance)},
            [r for r in cluster.said(topics.ALERT) if isinstance(r, Alert)],
            [r for r in cluster.said(topics.FLOW) if isinstance(r, Content)],
        )
    )
