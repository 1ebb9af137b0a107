"""Where the sink stands in each partition, from what Kafka and the warehouse say.

The committed offset is the truth: all before it is confirmed. Rows at or above it are there from
a flush that was not confirmed; they are read back, and their records are not inserted again. Rows
of somebody else, which have no record's bytes, are named in the log and stand for no record.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from custody.errors import Corrupt
from schemas.breaker import Breaker
from sinks import derived, readback
from sinks.client import Warehouse
from sinks.config import SinkConfig
from sinks.consumer import Committed, Consumer, Topic
from sinks.dedup import Seen
from sinks.intent import Digest, Intent, Settled, read
from sinks.prints import Present
from sinks.readback import Sealed
from sinks.repeats import Writers
from sinks.slice import Message, Place, Slice
from sinks.tables import tables_of

_LOG = logging.getLogger(__name__)
_NAMED_MAX = 20
"""Offsets named in a line of the log."""


class TopicMadeAnew(Corrupt):
    """A topic of the same name is not the one we know: its offsets mean other records."""

    def __init__(self, place: Place, known: str, found: str) -> None:
        super().__init__(
            f"topic {place.topic} has the id {found}: it was deleted and made anew",
            expected=f"the topic with the id {known}, whose records stand in the warehouse",
            next_step="see docs/warehouse.md, A topic that was made anew",
        )


class RowsWithoutIntent(Corrupt):
    """Rows stand where no batch of ours was announced."""

    def __init__(self, place: Place, lowest: int, highest: int, allowed: int | None) -> None:
        bound = "none" if allowed is None else f"none above {allowed}"
        super().__init__(
            f"{place.topic}/{place.partition} has rows from offset {lowest} to {highest}"
            " that no batch announced",
            expected=f"{bound} at or above the committed offset",
            next_step="see that one sink only writes to this warehouse; then custody warehouse"
            " rewind --send",
        )


class OffsetMovedOn(Corrupt):
    """The committed offset lies beyond what was stored, so records in between would be left out."""

    def __init__(self, place: Place, stored: int, committed: int) -> None:
        super().__init__(
            f"{place.topic}/{place.partition} is committed up to offset {committed}, and stored up"
            f" to {stored}",
            expected="an offset that only the sink moves, after it has stored what is before it",
            next_step="custody warehouse rewind --send: see docs/warehouse.md",
        )


class NothingStored(Corrupt):
    """Offsets are there and no row of theirs: another warehouse, or one that was lost."""

    def __init__(self, place: Place, first: int, committed: int) -> None:
        super().__init__(
            f"{place.topic}/{place.partition} is committed up to offset {committed}, and this"
            f" warehouse has stored none of its records, which begin at {first}",
            expected="the warehouse that these offsets belong to",
            next_step="give back the warehouse's directory; if it is lost, custody warehouse"
            " rewind --send stores all again that the broker still has",
        )


class LogChanged(Corrupt):
    """The records read again are not those that were announced."""

    def __init__(self, place: Place, end: int) -> None:
        super().__init__(
            f"the records of {place.topic}/{place.partition} up to offset {end} are not those"
            " that were announced before they were inserted",
            expected="a log that never changes",
            next_step="see what was done to the broker's disk; then custody verify",
        )


@dataclass(slots=True)
class Partition:
    """A partition of ours.

    Attributes:
        place: Topic and partition.
        topic: Id and number of partitions of the topic.
        done: All records before it are confirmed.
        next: Offset of the next record to take.
        last: Highest offset that may be in the tables; -1 for none. Never shrinks.
        sealed: All records before it are accounted for in ``ingest_batches``.
        present: Rows at or above ``done`` that are in the tables already, by offset.
        seen: Last numbers of all senders before ``next``.
        writers: Gateways that have sent for each site before ``next``.
        breaker: Counts what cannot be read.
        settled: Nothing is announced that is not confirmed.
        announced: What the last process announced, until its records have been read again.
        again: Digest of the announced records as read again.
        pending: Records taken and not flushed.
        bytes: Bytes of their values.
    """

    place: Place
    topic: Topic
    done: int
    next: int
    last: int
    sealed: int
    present: Present
    seen: Seen
    breaker: Breaker
    writers: Writers = field(default_factory=dict)
    settled: bool = True
    announced: Intent | None = None
    again: Digest = field(default_factory=Digest)
    pending: list[Message] = field(default_factory=list)
    bytes: int = 0

    @property
    def to_settle(self) -> bool:
        """Whether "nothing is under way" may be committed, and is not.

        Not while rows of an announced batch may stand at or above ``done``: the intent is what
        says that they are ours.
        """
        return not self.settled and not self.pending and self.done > self.last

    def check_announced(self, slice_: Slice) -> None:
        """Compare records read again with what was announced.

        Raises:
            LogChanged: They are others.
        """
        intent = self.announced
        if intent is None:
            return
        mine = int((slice_.offsets <= intent.end).sum())
        self.again.add(slice_.offsets[:mine], slice_.values[:mine])
        if slice_.last >= intent.end:
            if (self.again.records, self.again.text()) != (intent.n, intent.digest):
                raise LogChanged(self.place, intent.end)
            self.announced = None


def recover(
    consumer: Consumer,
    warehouse: Warehouse,
    config: SinkConfig,
    topics: Mapping[str, Topic],
    places: Sequence[Place],
) -> dict[Place, Partition]:
    """Return the state of partitions that have just become ours.

    Raises:
        Corrupt: Kafka, tables and announcements contradict each other.
        Unavailable: Kafka or the warehouse does not answer.
    """
    committed = consumer.committed(places)
    found: dict[Place, Partition] = {}
    for topic in sorted({place.topic for place in places}):
        mine = [place for place in places if place.topic == topic]
        sealed = readback.sealed(warehouse, topic)
        starts = {
            place.partition: _start(
                consumer, place, topics[topic], committed[place], sealed.get(place.partition)
            )
            for place in mine
        }
        tables = [*tables_of(topic), *derived.tables_of(topic)]
        present = readback.rows_from(warehouse, topic, tables, starts)
        numbers = readback.numbers_before(warehouse, topic, starts)
        writers = readback.writers_before(warehouse, topic, starts)
        for place in mine:
            start = starts[place.partition]
            intent = read(committed[place].metadata)
            seal = sealed.get(place.partition)
            found[place] = Partition(
                place=place,
                topic=topics[topic],
                done=start,
                next=start,
                last=intent.last if isinstance(intent, Intent) else start - 1,
                sealed=seal.next_offset if seal else start,
                present=present[place.partition],
                seen=Seen(numbers[place.partition], partial(readback.standing, warehouse, place)),
                breaker=Breaker(f"{topic}/{place.partition}", config.dead_letter_limits),
                writers=writers[place.partition],
                settled=not isinstance(intent, Intent),
                announced=intent if isinstance(intent, Intent) else None,
            )
            if committed[place].offset is not None or seal is None:
                _check_rows(found[place])
    return found


def _start(
    consumer: Consumer, place: Place, topic: Topic, committed: Committed, seal: Sealed | None
) -> int:
    """Return where to begin: the commit, else the last seal, else the first record there is."""
    intent = read(committed.metadata)
    known = intent.topic_id if isinstance(intent, Intent | Settled) else None
    for topic_id in (known, seal.topic_id if seal else None):
        if topic_id is not None and topic_id != topic.topic_id:
            raise TopicMadeAnew(place, topic_id, topic.topic_id)
    if committed.offset is not None:
        _check_moved(consumer, place, committed.offset, seal)
        return committed.offset
    if seal is not None:
        # The broker forgets the offsets of a group that has been away for a week.
        return seal.next_offset
    return consumer.bounds(place)[0]


def check_topic(partition: Partition, found: Topic) -> None:
    """Check that a topic is the one whose records we have.

    Raises:
        TopicMadeAnew: It is another of the same name.
    """
    if found.topic_id != partition.topic.topic_id:
        raise TopicMadeAnew(partition.place, partition.topic.topic_id, found.topic_id)


def _check_moved(consumer: Consumer, place: Place, committed: int, seal: Sealed | None) -> None:
    """Check that no record the broker has is passed over; what has expired cannot be stored."""
    if seal is not None and committed <= seal.next_offset:
        return
    first = consumer.bounds(place)[0]
    if committed <= first:
        return
    if seal is None:
        raise NothingStored(place, first, committed)
    raise OffsetMovedOn(place, seal.next_offset, committed)


def _check_rows(partition: Partition) -> None:
    """Check rows at or above the start that no batch of ours announced.

    Below the last seal they are ours, and somebody has moved the offset. From there on none can
    be: somebody else has put them in. They stay for a person to judge, and keep nothing back: a
    record that comes to their offset gets its own row.
    """
    ours = partition.last if partition.announced is not None else partition.done - 1
    strange = sorted(offset for offset in partition.present if offset > ours)
    if not strange:
        return
    if strange[0] < partition.sealed:
        allowed = None if partition.announced is None else ours
        raise RowsWithoutIntent(partition.place, strange[0], strange[-1], allowed)
    tables = {one.partition("/")[0] for at in strange for one in partition.present[at]}
    _LOG.error(
        "rows that no batch announced: somebody else has put them in",
        extra={
            "topic": partition.place.topic,
            "partition": partition.place.partition,
            "offsets": strange[:_NAMED_MAX],
            "rows": len(strange),
            "tables": sorted(tables),
            "next": "custody audit names each",
        },
    )
