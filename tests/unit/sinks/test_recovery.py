"""What a partition may commit after a restart, and what its log must say again."""

from dataclasses import replace

import pytest

from schemas.breaker import Breaker, Limits
from sinks.consumer import Topic
from sinks.dedup import Seen
from sinks.intent import Digest, Intent
from sinks.recovery import LogChanged, Partition
from sinks.slice import Place, Slice
from tests.support.sinks import slice_of

PLACE = Place("custody.fact.v1", 0)
RECORDS = [(b"k", bytes([i])) for i in range(6)]


def _slice(first: int, count: int) -> Slice:
    return slice_of(PLACE, RECORDS[first : first + count], 10 + first)


def _partition() -> Partition:
    """A partition whose last process announced offsets 10 to 13 of a log that goes on."""
    digest = Digest()
    announced = _slice(0, 4)
    digest.add(announced.offsets, announced.values)
    intent = Intent("id", 13, 15, 4, digest.text())
    return Partition(
        place=PLACE, topic=Topic("id", 4), done=10, next=10, last=15, sealed=10, present={},
        seen=Seen(), breaker=Breaker("custody.fact.v1/0", Limits()), settled=False,
        announced=intent,
    )  # fmt: skip


def test_an_announced_batch_is_not_settled_before_it_is_read_again() -> None:
    partition, settles = _partition(), {}
    for done in (10, 14, 16):  # rows may stand up to 15, from a larger batch before
        partition.done = done
        settles[done] = partition.to_settle
    assert settles == {10: False, 14: False, 16: True}


@pytest.mark.parametrize("cuts", [(4,), (1, 3), (2, 1, 3), (6,)])
def test_the_same_records_in_other_batches_are_accepted(cuts: tuple[int, ...]) -> None:
    partition, at = _partition(), 0
    for count in cuts:
        partition.check_announced(_slice(at, count))
        at += count
    assert partition.announced is None


def test_other_records_at_the_same_offsets_stop_the_sink() -> None:
    partition = _partition()
    changed = slice_of(PLACE, [(b"k", b"?"), *RECORDS[1:4]], 10)
    with pytest.raises(LogChanged, match="up to offset 13"):
        partition.check_announced(changed)


def test_a_record_that_is_gone_stops_the_sink() -> None:
    partition = _partition()
    assert partition.announced is not None
    partition.announced = replace(partition.announced, n=5)
    with pytest.raises(LogChanged):
        partition.check_announced(_slice(0, 4))
