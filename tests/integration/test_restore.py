"""Bulk restore against a real broker: exactly the rows it was asked for, in order, and no more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Producer
from faust.types import TP

from streams.restore import RECORDS, Bulk

pytestmark = pytest.mark.integration

Topics = Callable[..., list[str]]
Row = tuple[bytes, bytes | None]


@dataclass
class Kept:
    """A store in memory; ``until`` ends the restore once so many rows are in."""

    stands: dict[int, int] = field(default_factory=dict)
    rows: dict[int, list[Row]] = field(default_factory=dict)
    until: Callable[[], None] = lambda: None

    def stands_at(self, partition: int) -> int:
        return self.stands.get(partition, -1)

    def restored(self, partition: int, rows: Iterable[Row], last_offset: int | None) -> None:
        assert last_offset is not None
        self.rows.setdefault(partition, []).extend(rows)
        self.stands[partition] = last_offset
        self.until()


def written(kafka: str, topics: Topics, count: int) -> tuple[str, list[list[Row]]]:
    """A changelog of two partitions; every seventh row is taken away again."""
    [name] = topics("changelog", partitions=2)
    producer = Producer({"bootstrap.servers": kafka})
    each: list[list[Row]] = [[], []]
    for no in range(count):
        partition = no % 2
        row: Row = (b"lot/%d" % (no % 50), None if no % 7 == 6 else b"row %d" % no)
        each[partition].append(row)
        producer.produce(name, row[1], row[0], partition)
        producer.poll(0)
    assert producer.flush(30) == 0
    return name, each


def bulk(kafka: str, name: str, store: Kept, *last: int) -> Bulk:
    wanted = {TP(name, partition): offset for partition, offset in enumerate(last)}
    return Bulk({"bootstrap.servers": kafka}, store, wanted)


def test_every_row_up_to_the_highwater_comes_in_order(kafka: str, topics: Topics) -> None:
    name, each = written(kafka, topics, 5 * RECORDS)
    store = Kept()
    last = len(each[0]) - 1
    bulk(kafka, name, store, last, last - 100).run()
    assert store.rows == {0: each[0], 1: each[1][:-100]}
    assert store.stands == {0: last, 1: last - 100}


def test_a_store_that_stands_somewhere_gets_what_is_behind(kafka: str, topics: Topics) -> None:
    name, each = written(kafka, topics, 200)
    store = Kept(stands={0: 39, 1: 99})
    bulk(kafka, name, store, 99, 99).run()
    assert store.rows == {0: each[0][40:]}


def test_one_that_is_ended_leaves_a_prefix_that_the_next_goes_on_from(
    kafka: str, topics: Topics
) -> None:
    name, each = written(kafka, topics, 5 * RECORDS)
    last = len(each[0]) - 1
    store = Kept()
    first = bulk(kafka, name, store, last, last)
    store.until = first.ended.set
    first.run()
    assert any(store.stands_at(p) < last for p in (0, 1))
    for partition, rows in store.rows.items():
        assert rows == each[partition][: store.stands[partition] + 1]
    store.until = lambda: None
    bulk(kafka, name, store, last, last).run()
    assert store.rows == {0: each[0], 1: each[1]}


def test_an_empty_changelog_is_restored_at_once(kafka: str, topics: Topics) -> None:
    [name] = topics("changelog", partitions=2)
    store = Kept()
    bulk(kafka, name, store, -1, -1).run()
    assert store.rows == {}
