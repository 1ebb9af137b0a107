"""The same file of requests in five orders, with repeats, through gateway and Kafka: same books.

    CUSTODY_SEED=17 pytest tests/integration/test_ledger_shuffle.py    # other orders

The requests are of the demo's day: lots that are blended and concentrated, some that are not, with
its corrections and its reference data. Each order has topics, a gateway and a worker of its own.
"""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from confluent_kafka.admin import AdminClient

from custody.events import LotFact, ReferenceSet
from demo.day import make_day
from runtime.cli import events
from runtime.client import Endpoint
from runtime.client import Gateway as Client
from schemas import topics
from streams.config import APP_ID, CHANGELOG
from tests.support import agreement, gateway, stack
from tests.support.ledger_topics import Lag, Sender, heard, records
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.standing import Books, perfect
from tests.support.streams import WorkerProcess, ended, eventually, make_topics

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = int(os.environ.get("CUSTODY_SEED", "1"))
ORDERS = 5
OTHERS_EVERY = 40
"""Of the lots that enter no process, every so many comes in."""
REPEATED = 0.1
LIST_REQUESTS = 100
WITHIN_S = 120
KNOWN = "known-to-both-sides"


def requests() -> list[str]:
    """Return the lines of the file: a part of a day, then its corrections."""
    day = make_day(SEED)
    lots = {lot.lot_id for process in day.processes for lot in (*process.inputs, process.output)}
    lots |= set([lot for lot in day.lot_ids if lot not in lots][::OTHERS_EVERY])
    kept = [
        json.dumps(request)
        for request in day.sent
        if request.get("lot_id") in lots or request["type"] in ("processing", "reference")
    ]
    return list(dict.fromkeys(kept))


def test_five_orders_with_repeats_give_the_same_books(tmp_path: Path) -> None:
    again = f"CUSTODY_SEED={SEED} pytest tests/integration/test_ledger_shuffle.py"
    lines, rng = requests(), Random(SEED)
    own_ids = [line for line in lines if "event_id" in json.loads(line)]
    assert own_ids
    repeated = own_ids + rng.sample(lines, round(REPEATED * len(lines)))
    expected: Books | None = None
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        for no in range(ORDERS):
            order = lines + repeated
            if no:
                rng.shuffle(order)
            totals = published(bootstrap, tmp_path / f"order-{no}", order)
            said = f"accepted {len(lines)}, duplicate {len(repeated)}, refused 0"
            assert totals.partition(";")[0] == said, again
            found = Books(heard(bootstrap).said)
            if expected is None:
                expected = found
                held_to_the_rules(bootstrap, found, again)
            assert found.sums == expected.sums, f"order {no}: {again}"
            assert found.balances == expected.balances, f"order {no}: {again}"
            assert found.alerts == expected.alerts, f"order {no}: {again}"
            assert found.handed == expected.handed, f"order {no}: {again}"
            clear(bootstrap)


def published(bootstrap: str, directory: Path, lines: Sequence[str]) -> str:
    """Publish lines as ``custody publish`` does and let a worker apply them; return its totals."""
    make_topics(bootstrap)
    directory.mkdir()
    (directory / "token").write_text(KNOWN)
    worker = WorkerProcess(bootstrap, directory / "worker", fold="custody")
    lag = Lag(bootstrap)
    with (
        ended([worker]),
        gateway.running(gateway.config(directory / "gateway", bootstrap)) as running,
        gateway.serving(running, KNOWN) as url,
    ):
        worker.start()
        client = Client(Endpoint("gateway", url, directory / "token"))
        run = events.Run(as_json=False)
        file = io.StringIO("\n".join(lines))
        options = {"backfill": "true"}
        events.send(client, events.lines_of(file), run, options, LIST_REQUESTS, lambda _: None)
        client.close()
        gateway.wait_for(lambda: running.outbox.depth == 0)
        assert eventually(lambda: lag.records() == 0, WITHIN_S, every_s=0.1)
        Sender(bootstrap, []).pass_time(
            lambda: eventually(lambda: lag.records() == 0, WITHIN_S, every_s=0.1)
        )
        assert worker.end() == 0
    lag.close()
    return run.totals()


def held_to_the_rules(bootstrap: str, found: Books, again: str) -> None:
    """Compare books with those of perfect order in memory, and with the second model."""
    facts = {r.event_id: r for _, r in records(bootstrap, topics.FACT) if isinstance(r, LotFact)}
    references = {
        r.event_id: r for _, r in records(bootstrap, topics.CONTROL) if isinstance(r, ReferenceSet)
    }
    expected = perfect([*facts.values()], [*references.values()])
    assert found.sums == expected.sums, again
    assert found.balances == expected.balances, again
    assert found.alerts == expected.alerts, again
    oracle = Oracle([*facts.values()], [*references.values()])
    unlike = agreement.unlike(oracle, found.said, [*facts.values()], RULES)
    assert not unlike, f"{again}\nnot as the rules say: {unlike}"


def clear(bootstrap: str) -> None:
    """Delete topics and group, for the next order to begin with nothing."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.delete_consumer_groups([APP_ID])[APP_ID].result(30)
    stack.delete_topics(bootstrap, [*(t.name for t in topics.TOPICS), CHANGELOG])
