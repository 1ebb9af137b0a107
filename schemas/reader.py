"""Reads a batch of Kafka records of one partition: groups of like records, and the bad ones.

Worker and sink call this one function, so they judge alike: what one skips, the other stores as
a dead letter. It never raises for what is in a record; it raises ``Unavailable`` where the
registry cannot be asked, and then the caller asks again later with the same batch.

The order of checks is fixed: framing, schema id, topic, size, key, body, partition in the body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.codec import FRAME_BYTES, schema_id_of
from schemas.column_reader import read_columns
from schemas.columns import Numbers, Records
from schemas.partition import partition_of
from schemas.registry import Catalog, Writer
from schemas.routes import BY_STEM, Record
from schemas.rows import BadRecord

TOO_LARGE = "too_large"
UNKNOWN_SCHEMA = "unknown_schema"
WRONG_TOPIC = "wrong_topic"
WRONG_PARTITION = "wrong_partition"

COLUMN_ROWS_MIN = 48
"""From so many records of one schema on, columns are quicker than rows."""

_BROADCAST = frozenset({"reference", "tick"})
"""Written to every partition; each copy names its own."""
_NOT_KEYED = _BROADCAST | {"dead_letter"}
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

    Few are read one by one, many as columns; either form is made of the other on demand.

    Attributes:
        stem: Stem of the route table.
        schema_id: Id they were written under.
        index: Position in the batch of each record, ascending.
    """

    def __init__(
        self,
        writer: Writer,
        schema_id: int,
        messages: Mapping[int, bytes],
        *,
        events: list[Record] | None = None,
        records: Records | None = None,
    ) -> None:
        """Hold good messages by position in the batch, in the form they were read in."""
        self.stem = writer.stem
        self.schema_id = schema_id
        self.index: npt.NDArray[np.int64] = np.array(list(messages), np.int64)
        self._plan = writer.plan
        self._messages = messages
        self._events = events
        self._records = records

    def __len__(self) -> int:
        return len(self.index)

    @property
    def records(self) -> Records:
        """The records as columns; built once."""
        if self._records is None:
            messages = list(self._messages.values())
            self._records, bad = read_columns(self._plan, messages, FRAME_BYTES)
            assert not bad, bad
        return self._records

    def events(self) -> list[Record]:
        """Return all records, in order; built once."""
        if self._events is None:
            self._events = self.records.pylist()
        return self._events

    def event(self, i: int) -> Record:
        """Return the ``i``-th record of the group (not of the batch)."""
        return self.events()[i]

    def column(self, name: str) -> npt.NDArray[Any] | list[Any]:
        """Return one field of all records.

        Args:
            name: A field of the record.

        Returns:
            A NumPy array for a required number or boolean; else a list with None for null,
            which holds tuples where the field is a list.
        """
        numeric = name in self._plan.numbers
        if self._records is None and self._events is not None:
            values = list(map(attrgetter(name), self._events))
        else:
            column = self.records.columns[name]
            if numeric and isinstance(column, Numbers):
                return column.values
            values = column.pylist()
        return np.array(values) if numeric else values


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
    piles = _Piles(topic, catalog)
    bad: list[Bad] = []
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        pile = piles.of(value)
        fault = pile.fault or _misplaced(pile, key, value or b"", partition, partitions)
        if fault is None:
            pile.messages[index] = value or b""
        else:
            bad.append(Bad(index, *fault))
    groups = [_group(pile, partition, bad) for pile in piles.good()]
    bad.sort(key=attrgetter("index"))
    return Batch([group for group in groups if len(group)], bad)


Fault = tuple[str, str]
"""Reason and detail."""


class _Pile:
    """Messages under one schema id; ``fault`` where none of them can be read."""

    def __init__(self, schema_id: int, writer: Writer | None, fault: Fault | None) -> None:
        self.schema_id = schema_id
        self.writer = writer
        self.fault = fault
        self.bytes_max = writer.plan.bytes_max if writer else 0
        self.keyed = writer is not None and writer.stem not in _NOT_KEYED
        self.messages: dict[int, bytes] = {}


class _Piles:
    """Sorts messages by their first five bytes."""

    def __init__(self, topic: str, catalog: Catalog) -> None:
        self._topic = topic
        self._catalog = catalog
        self._piles: dict[bytes, _Pile] = {}

    def of(self, value: bytes | None) -> _Pile:
        """Return the pile a message belongs on."""
        head = value[:FRAME_BYTES] if value else b""
        pile = self._piles.get(head)
        if pile is None:
            pile = self._piles[head] = self._open(head)
        return pile

    def good(self) -> list[_Pile]:
        """Return the piles that can be read."""
        return [pile for pile in self._piles.values() if pile.fault is None]

    def _open(self, head: bytes) -> _Pile:
        try:
            schema_id = schema_id_of(head)
        except BadRecord as error:
            return _Pile(0, None, (error.reason, error.detail))
        writer = self._catalog.writer(schema_id)
        if writer is None:
            return _Pile(schema_id, None, (UNKNOWN_SCHEMA, f"schema id {schema_id}"))
        right = BY_STEM[writer.stem].topic
        fault = None if right == self._topic else (WRONG_TOPIC, f"{writer.stem} belongs on {right}")
        return _Pile(schema_id, writer, fault)


def _misplaced(
    pile: _Pile, key: bytes | None, value: bytes, partition: int, partitions: int
) -> Fault | None:
    """Check what needs no look into the body."""
    if len(value) > pile.bytes_max:
        return TOO_LARGE, f"{len(value)} bytes, allowed are {pile.bytes_max}"
    if not pile.keyed:
        return None
    if key is None:
        return WRONG_PARTITION, "no key"
    right = partition_of(key, partitions)
    return None if right == partition else (WRONG_PARTITION, f"its key belongs on {right}")


def _group(pile: _Pile, partition: int, bad: list[Bad]) -> Group:
    """Read the bodies of a pile; add what is bad to ``bad``."""
    assert pile.writer is not None
    read = _by_column if len(pile.messages) >= COLUMN_ROWS_MIN else _by_row
    group = read(pile.writer, pile.schema_id, pile.messages, bad)
    if group.stem not in _BROADCAST:
        return group
    said = group.column("partition")
    wrong = {int(i) for i in group.index[np.asarray(said) != partition]}
    if not wrong:
        return group
    bad.extend(Bad(i, WRONG_PARTITION, "it names another partition") for i in sorted(wrong))
    right = {i: m for i, m in pile.messages.items() if i in group.index and i not in wrong}
    return read(pile.writer, pile.schema_id, right, bad)


def _by_row(writer: Writer, schema_id: int, messages: Mapping[int, bytes], bad: list[Bad]) -> Group:
    good: dict[int, bytes] = {}
    events: list[Record] = []
    for index, message in messages.items():
        try:
            events.append(writer.read(message, FRAME_BYTES))
        except BadRecord as error:
            bad.append(Bad(index, error.reason, error.detail))
        else:
            good[index] = message
    return Group(writer, schema_id, good, events=events)


def _by_column(
    writer: Writer, schema_id: int, messages: Mapping[int, bytes], bad: list[Bad]
) -> Group:
    indexes = list(messages)
    records, faults = read_columns(writer.plan, list(messages.values()), FRAME_BYTES)
    bad.extend(Bad(indexes[i], *fault) for i, fault in faults.items())
    good = {i: messages[i] for no, i in enumerate(indexes) if no not in faults}
    return Group(writer, schema_id, good, records=records)
