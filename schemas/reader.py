"""Reads a batch of Kafka records of one partition: groups of like records, and the bad ones.

Worker and sink call this one function, so they judge alike: what one skips, the other stores as
a dead letter. It never raises for what is in a record; it raises ``Unavailable`` where the
registry cannot be asked, and then the caller asks again later with the same batch.

The order of checks is fixed: framing, size, schema id, topic, key, body, partition in the body.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from custody.events import ReferenceSet
from custody.records import Tick
from schemas.codec import FRAME_BYTES, schema_id_of
from schemas.partition import partition_of
from schemas.registry import Catalog, Writer
from schemas.routes import BY_STEM, Record
from schemas.rows import BadRecord

TOO_LARGE = "too_large"
UNKNOWN_SCHEMA = "unknown_schema"
WRONG_TOPIC = "wrong_topic"
WRONG_PARTITION = "wrong_partition"

_PARTITION_IN_BODY = frozenset({"reference", "tick"})
_ANY_PARTITION = frozenset({"dead_letter"})
"""A dead letter keeps the key of what it holds, which may be the very reason it is one."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that is a dead letter.

    Attributes:
        index: Position in the batch.
        reason: One of the symbols of the Avro enum DeadLetterReason.
        detail: What exactly was wrong.
    """

    index: int
    reason: str
    detail: str


class Group:
    """Records of one stem written under one schema, in batch order.

    Attributes:
        stem: Stem of the route table.
        schema_id: Id they were written under.
        index: Position in the batch of each record, ascending.
    """

    def __init__(
        self, stem: str, schema_id: int, index: npt.NDArray[np.int64], events: list[Record]
    ) -> None:
        self.stem = stem
        self.schema_id = schema_id
        self.index = index
        self._events = events

    def __len__(self) -> int:
        return len(self.index)

    def events(self) -> list[Record]:
        """Return all records, in order; built once."""
        return self._events

    def event(self, i: int) -> Record:
        """Return the ``i``-th record of the group (not of the batch)."""
        return self.events()[i]

    def column(self, name: str) -> npt.NDArray[Any] | list[Any]:
        """Return one field of all records.

        Args:
            name: A field that is no list.

        Returns:
            A NumPy array for a required number or boolean, else a list with None for null.
        """
        return list(map(attrgetter(name), self._events))


@dataclass(slots=True)
class Batch:
    """What a batch holds: each record is in exactly one group or in ``bad``.

    A stem has one group for each schema it was written under, as a rule one.
    """

    groups: list[Group] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


def read_batch(
    topic: str,
    partition: int,
    partitions: int,
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    catalog: Catalog,
) -> Batch:
    """Read records of one partition.

    Args:
        topic: Topic they stand on.
        partition: Partition they stand on.
        partitions: Number of partitions of the topic.
        keys: Key of each record.
        values: Value of each record, as long as ``keys``.
        catalog: Where schema ids are looked up; may block on the first sight of an id.

    Raises:
        Unavailable: The registry cannot be asked; nothing has been judged.
    """
    batch = Batch()
    sorted_ = _Sorter(topic, partition, partitions, catalog)
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        try:
            sorted_.take(index, key, value)
        except BadRecord as bad:
            batch.bad.append(Bad(index, bad.reason, bad.detail))
    for schema_id, (writer, indexes) in sorted_.groups.items():
        batch.groups.append(_group(writer, schema_id, indexes, values, partition, batch.bad))
    batch.groups = [group for group in batch.groups if len(group)]
    batch.bad.sort(key=attrgetter("index"))
    return batch


class _Sorter:
    """Makes all checks that need no body, and sorts records by schema id."""

    def __init__(self, topic: str, partition: int, partitions: int, catalog: Catalog) -> None:
        self._topic = topic
        self._partition = partition
        self._partitions = partitions
        self._catalog = catalog
        self._known: dict[int, Writer | None] = {}
        self.groups: dict[int, tuple[Writer, list[int]]] = {}

    def take(self, index: int, key: bytes | None, value: bytes | None) -> None:
        """Put one record into its group, or raise ``BadRecord``."""
        schema_id = schema_id_of(value or b"")
        writer = self._writer(schema_id)
        assert value is not None
        if len(value) > writer.plan.bytes_max:
            raise BadRecord(TOO_LARGE, f"{len(value)} bytes, allowed {writer.plan.bytes_max}")
        stem = writer.stem
        if BY_STEM[stem].topic != self._topic:
            raise BadRecord(WRONG_TOPIC, f"{stem} belongs on {BY_STEM[stem].topic}")
        if stem not in _PARTITION_IN_BODY and stem not in _ANY_PARTITION:
            self._check_key(key)
        self.groups.setdefault(schema_id, (writer, []))[1].append(index)

    def _writer(self, schema_id: int) -> Writer:
        if schema_id not in self._known:
            self._known[schema_id] = self._catalog.writer(schema_id)
        writer = self._known[schema_id]
        if writer is None:
            raise BadRecord(UNKNOWN_SCHEMA, f"schema id {schema_id} is unknown or none of ours")
        return writer

    def _check_key(self, key: bytes | None) -> None:
        if key is None:
            raise BadRecord(WRONG_PARTITION, "no key")
        right = partition_of(key, self._partitions)
        if right != self._partition:
            raise BadRecord(WRONG_PARTITION, f"its key belongs on partition {right}")


def _group(
    writer: Writer,
    schema_id: int,
    indexes: list[int],
    values: Sequence[bytes | None],
    partition: int,
    bad: list[Bad],
) -> Group:
    good: list[int] = []
    events: list[Record] = []
    for index in indexes:
        try:
            event = writer.read(values[index] or b"", FRAME_BYTES)
            _check_body(event, partition)
        except BadRecord as error:
            bad.append(Bad(index, error.reason, error.detail))
        else:
            good.append(index)
            events.append(event)
    return Group(writer.stem, schema_id, np.array(good, np.int64), events)


def _check_body(event: Record, partition: int) -> None:
    """Check the partition a broadcast record names."""
    if isinstance(event, ReferenceSet | Tick) and event.partition != partition:
        raise BadRecord(WRONG_PARTITION, f"it says partition {event.partition}")
