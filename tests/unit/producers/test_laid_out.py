"""What waits follows the partition count that is set: moved at the next start, nothing lost."""

from contextlib import closing
from pathlib import Path

import pytest

from custody.digest import GENESIS, first_break
from custody.events import Micros
from producers import laid_out, store, waiting
from producers.chain import Entry
from producers.config import OutboxConfig
from producers.group import Submission
from producers.judge import accept
from producers.outbox import Outbox
from schemas import topics
from schemas.codec import decode, frame
from schemas.reader import read_batch
from schemas.registry import StaticCatalog
from tests.support.gateway import NOW, golden, terms, ticket

CATALOG = StaticCatalog()


def opened(directory: Path, partitions: int, now: Micros = NOW) -> Outbox:
    config = OutboxConfig(
        directory=directory,
        gateway_id="GW-TEST",
        partitions=partitions,
        disk_free_bytes_min=1 << 20,
    )
    return Outbox(config, lambda: now)


def take(outbox: Outbox, partitions: int, *raws: object) -> None:
    given = terms(gateway=outbox.gateway, known=outbox.known, partitions=partitions)
    outcomes = [accept(raw, NOW, given) for raw in raws]
    bodies = [lambda: b"{}"] * len(raws)
    outbox.submit(Submission(outcomes=outcomes, bodies=bodies, now=NOW)).result(10)


def entries(outbox: Outbox) -> list[Entry]:
    with closing(store.connect(outbox.path, read_only=True)) as connection:
        return store.read_entries(connection, 0, 10_000)


def lane(outbox: Outbox, place: tuple[str, int]) -> list[int]:
    """Numbers of what a publisher reads of a partition."""
    with closing(store.connect(outbox.path, read_only=True)) as connection:
        return [e.no for e in waiting.read(connection, place, 0, 10_000, 10_000)]


def faults(outbox: Outbox, partitions: int) -> list[str]:
    """What a reader of the topics would make a dead letter of."""
    return [
        f"{e.no}: {bad.detail}"
        for e in entries(outbox)
        for bad in read_batch(e.topic, e.partition, partitions, [e.key], [_framed(e)], CATALOG).bad
    ]


def _framed(entry: Entry) -> bytes:
    return frame(CATALOG.schema_id(entry.stem), entry.body)


def assert_whole(outbox: Outbox) -> None:
    kept = [e for e in entries(outbox) if e.seq is not None]
    assert [e.seq for e in kept] == list(range(1, len(kept) + 1))
    chain = [(e.prev, e.fingerprint, e.body, e.digest) for e in kept]
    assert first_break(GENESIS, chain) is None  # type: ignore[arg-type]  # none is a head


@pytest.mark.parametrize(("before", "after"), [(32, 4), (2, 4), (4, 32)])
def test_what_waits_follows_another_partition_count(
    tmp_path: Path, before: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laid_out, "MOVED_AT_ONCE", 7)
    first = opened(tmp_path, before)
    take(first, before, *(ticket(no) for no in range(40)), golden("reference"))
    was = entries(first)
    first.close()
    again = opened(tmp_path, after)
    try:
        assert faults(again, after) == []
        assert_whole(again)
        now = entries(again)
        assert [e.body for e in now[: len(was)]] == [e.body for e in was]
        assert again.depth == len(now)
        newest = again.newest()[1]
        assert {p for _, p in newest} <= set(range(after))
        read = [lane(again, place) for place in newest]
        assert sorted(no for one in read for no in one) == [e.no for e in now]
        assert all(one == sorted(one) for one in read)
        heard = {p for topic, p in newest if topic == topics.CONTROL}
        assert heard == set(range(after))
        take(again, after, ticket(99))
        assert_whole(again)
        assert faults(again, after) == []
    finally:
        again.close()


def copies(outbox: Outbox) -> list[Entry]:
    return [e for e in entries(outbox) if e.stem == "reference"]


def test_a_copy_that_was_added_and_published_is_not_added_again(tmp_path: Path) -> None:
    """It was looked for among the copies that the reference was taken with."""
    first = opened(tmp_path, 2)
    take(first, 2, golden("reference"))
    first.close()
    second = opened(tmp_path, 4)
    [*published, _] = copies(second)
    second.acknowledge([store.Ack(e.no, 0, NOW) for e in published[1:]])
    second.close()
    third = opened(tmp_path, 8)
    try:
        assert sorted(e.partition for e in copies(third)) == list(range(8))
        assert_whole(third)
    finally:
        third.close()


def test_an_added_copy_is_younger_than_every_head_that_does_not_count_it(tmp_path: Path) -> None:
    """Or who audits takes it for a forged one."""
    first = opened(tmp_path, 2)
    take(first, 2, golden("reference"))
    first.close()
    later = Micros(NOW + 3_600_000_000)
    second = opened(tmp_path, 2, later)
    second.write_head()
    second.close()
    again = opened(tmp_path, 4, later)
    try:
        [*_, head] = [e for e in entries(again) if e.stem == "head" and e.accepted_at == later]
        added = [decode(e.stem, e.body).recorded_at for e in copies(again) if e.no > head.no]  # type: ignore[union-attr]  # a reference
        assert len(added) == 2
        assert min(added) > head.accepted_at
    finally:
        again.close()
