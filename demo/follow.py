"""Follow a published day until it has arrived everywhere: warehouse, worker, proofs.

No step waits for a time to pass: each asks again until its condition holds, or its named limit is
over and it fails saying what was still missing.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass

import httpx
from confluent_kafka import Consumer, TopicPartition

from custody.errors import Unavailable
from runtime.client import Warehouse
from schemas.topics import SOURCES, TOPICS

WORKER_GROUP = "custody-worker"
"""Consumer group of all workers."""

START_LIMIT_S = 60.0
STORED_LIMIT_S = 180.0
APPLIED_LIMIT_S = 180.0
VERIFIED_LIMIT_S = 60.0
CHARTED_LIMIT_S = 180.0
ASK_EVERY_S = 0.25
ANSWER_LIMIT_S = 5.0
VERIFY_ANSWER_LIMIT_S = 120.0


class TooSlow(Unavailable):
    """A condition did not hold within its limit."""

    def __init__(self, what: str, limit_s: float, missing: str) -> None:
        super().__init__(
            f"{what}: not within {limit_s:.0f} s; {missing}",
            expected="a healthy stack on a machine that is not overloaded",
            next_step="custody status, and the logs it names",
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``custody verify`` said: its exit code and its text."""

    code: int
    text: str


def until(what: str, limit_s: float, missing: Callable[[], str]) -> None:
    """Ask ``missing`` until it returns nothing.

    Args:
        what: Name of the condition, for the error.
        limit_s: Seconds after which it fails.
        missing: Says what is still missing; empty text when the condition holds.

    Raises:
        TooSlow: The limit is over.
    """
    deadline = time.monotonic() + limit_s
    while said := missing():
        if time.monotonic() > deadline:
            raise TooSlow(what, limit_s, said)
        time.sleep(ASK_EVERY_S)


def answers(url: str) -> None:
    """Wait until a process answers on ``/health`` at all.

    Raises:
        TooSlow: Not within ``START_LIMIT_S``.
    """

    def missing() -> str:
        try:
            httpx.get(f"{url}/health", timeout=ANSWER_LIMIT_S, trust_env=False)
        except httpx.TransportError as error:
            return f"{url} says {error}"
        return ""

    until("start of the stack", START_LIMIT_S, missing)


def stored_ids(warehouse: Warehouse, mark: str, event_ids: set[str]) -> set[str]:
    """Return the ids of one day's rows: its facts, and of the reference records those sent.

    Args:
        warehouse: Where to ask.
        mark: Text in the key of every fact of the day, as ``mark_of`` gives it.
        event_ids: What was sent; other days' reference records are none of ours.
    """
    facts = warehouse.sql(_FACTS, "TabSeparated", {"mark": mark})
    references = warehouse.sql(_REFERENCES, "TabSeparated")
    return set(facts.decode().split()) | (set(references.decode().split()) & event_ids)


def mark_of(seed: int) -> str:
    """Return the text that every lot and process of a seed has in its name."""
    return f"-{seed}-"


_FACTS = "SELECT DISTINCT event_id FROM custody.events_all WHERE position(key, {mark:String}) > 0"
_REFERENCES = "SELECT DISTINCT event_id FROM custody.reference"


def stored(
    warehouse: Warehouse, event_ids: set[str], mark: str, advance: Callable[[int], None]
) -> set[str]:
    """Wait until every event is a row; return the ids of the day's rows.

    Raises:
        TooSlow: Not within ``STORED_LIMIT_S``.
    """
    found: set[str] = set()
    seen = 0

    def missing() -> str:
        nonlocal found, seen
        found = stored_ids(warehouse, mark, event_ids)
        there = len(found & event_ids)
        advance(there - seen)
        seen = there
        return "" if there == len(event_ids) else f"{len(event_ids) - there} events have no row"

    until("accepted events in the warehouse", STORED_LIMIT_S, missing)
    return found


def applied(bootstrap: str, advance: Callable[[int], None]) -> None:
    """Wait until the workers have applied all there is, what they tell each other included.

    Asks the broker, not the workers: a worker commits a record after its outputs were
    acknowledged, and it knows of no record it has not fetched yet.

    Args:
        bootstrap: The broker.
        advance: Called with how many more records are applied.

    Raises:
        TooSlow: Not within ``APPLIED_LIMIT_S``.
    """
    before: int | None = None

    def missing() -> str:
        nonlocal before
        behind = _behind(consumer)
        advance(max(0, (behind if before is None else before) - behind))
        before = behind
        return f"{behind} records to apply" if behind else ""

    with closing(_consumer(bootstrap)) as consumer:
        until("facts applied by the workers", APPLIED_LIMIT_S, missing)


def settled(bootstrap: str, warehouse: Warehouse) -> None:
    """Wait until all that the topics hold now, outputs included, has been taken by the warehouse.

    Raises:
        TooSlow: Not within ``STORED_LIMIT_S``.
    """
    with closing(_consumer(bootstrap)) as consumer:
        ends = _ends(consumer, [topic.name for topic in TOPICS])

    def missing() -> str:
        taken = {
            (str(row["topic"]), int(str(row["partition"]))): int(str(row["next"]))
            for row in warehouse.rows(_TAKEN)
        }
        behind = sum(max(0, end - taken.get(place, 0)) for place, end in ends.items())
        return f"{behind} records have no row" if behind else ""

    until("outputs in the warehouse", STORED_LIMIT_S, missing)


_TAKEN = """
SELECT topic, partition, max(last) + 1 AS next FROM custody.ingest_batches GROUP BY topic, partition
"""


def _consumer(bootstrap: str) -> Consumer:
    """Return a consumer that asks for the workers' offsets and never joins their group."""
    options = {"bootstrap.servers": bootstrap, "group.id": WORKER_GROUP}
    return Consumer({**options, "enable.auto.commit": False})


def _behind(consumer: Consumer) -> int:
    """Return how many records of the source topics the workers have not committed.

    What is committed is asked first: a record that a worker writes between the two questions
    then counts as still to apply, where the other order would not see it.
    """
    committed = consumer.committed(_places(consumer, SOURCES), timeout=ANSWER_LIMIT_S)
    ends = _ends(consumer, SOURCES)
    return sum(ends[at.topic, at.partition] - max(at.offset, 0) for at in committed)


def _places(consumer: Consumer, names: Sequence[str]) -> list[TopicPartition]:
    """Return every partition of topics."""
    known = consumer.list_topics(timeout=ANSWER_LIMIT_S).topics
    return [
        TopicPartition(name, partition) for name in names for partition in known[name].partitions
    ]


def _ends(consumer: Consumer, names: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return the offset after the last record by topic and partition; 0 for an empty one."""
    ends = {}
    for place in _places(consumer, names):
        _, end = consumer.get_watermark_offsets(place, timeout=ANSWER_LIMIT_S)
        ends[place.topic, place.partition] = end
    return ends


def charted(
    warehouse: Warehouse, thing: str, lots: Collection[str], advance: Callable[[int], None]
) -> None:
    """Wait until the chart of an instrument has been told of lots; a tick tells them to speak.

    Args:
        warehouse: Where to ask.
        thing: The instrument, as a path.
        lots: Lots it weighed.
        advance: Called with how many more lots have told.

    Raises:
        TooSlow: Not within ``CHARTED_LIMIT_S``.
    """
    seen = 0

    def missing() -> str:
        nonlocal seen
        told = {str(row["lot_id"]) for row in warehouse.rows(_TOLD, {"thing": thing})}
        there = len(told.intersection(lots))
        advance(there - seen)
        seen = there
        return "" if there == len(lots) else f"{len(lots) - there} lots say nothing of {thing}"

    until("lots told to the charts", CHARTED_LIMIT_S, missing)


_TOLD = """
SELECT DISTINCT lot_id FROM custody.residual
WHERE thing = {thing:String} AND notEmpty(`figures.quantity`)
"""


def verified() -> Verdict:
    """Run ``custody verify`` until it is clean or ``VERIFIED_LIMIT_S`` is over.

    The last outputs travel while the first proof is made, so one failed proof proves nothing.

    Returns:
        The last verdict, clean or not.
    """
    deadline = time.monotonic() + VERIFIED_LIMIT_S
    while True:
        verdict = verify_once()
        if verdict.code == 0 or time.monotonic() > deadline:
            return verdict
        time.sleep(ASK_EVERY_S)


def verify_once() -> Verdict:
    """Run ``custody verify`` once, as a person would."""
    done = subprocess.run(
        [sys.executable, "-m", "runtime.cli.main", "verify"],
        capture_output=True,
        text=True,
        timeout=VERIFY_ANSWER_LIMIT_S,
        check=False,
    )
    return Verdict(done.returncode, (done.stdout + done.stderr).strip())
