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

_BROADCAST = frozenset({"reference", "tick", "drift"})
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
    batch = Batch()
    for head, indexes in _by_head(values).items():
        pile = _open(head, topic, catalog)
        if pile.fault is not None:
            batch.bad += [Bad(index, *pile.fault) for index in indexes]
            continue
        _place(pile, indexes, (keys, values), (partition, partitions), batch.bad)
        group = _group(pile, (partition, partitions), batch.bad)
        if len(group):
            batch.groups.append(group)
    batch.bad.sort(key=attrgetter("index"))
    return batch


def _by_head(values: Sequence[bytes | None]) -> Mapping[bytes, Sequence[int]]:
    """Return the positions of records by their first five bytes.

    As a rule they are of one schema, and this costs as much as reading a field.
    """
    heads = [value[:FRAME_BYTES] if value else b"" for value in values]
    if len(set(heads)) == 1:
        return {heads[0]: range(len(heads))}
    found: dict[bytes, list[int]] = {}
    for index, head in enumerate(heads):
        found.setdefault(head, []).append(index)
    return found


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


def _open(head: bytes, topic: str, catalog: Catalog) -> _Pile:
    try:
        schema_id = schema_id_of(head)
    except BadRecord as error:
        return _Pile(0, None, (error.reason, error.detail))
    writer = catalog.writer(schema_id)
    if writer is None:
        return _Pile(schema_id, None, (UNKNOWN_SCHEMA, f"schema id {schema_id}"))
    right = BY_STEM[writer.stem].topic
    fault = None if right == topic else (WRONG_TOPIC, f"{writer.stem} belongs on {right}")
    return _Pile(schema_id, writer, fault)


def _place(
    pile: _Pile,
    indexes: Sequence[int],
    records: tuple[Sequence[bytes | None], Sequence[bytes | None]],
    place: tuple[int, int],
    bad: list[Bad],
) -> None:
    """Put messages on their pile, save those a look from outside tells to be misplaced."""
    keys, values = records
    if len(indexes) < len(values):
        keys, values = [keys[i] for i in indexes], [values[i] for i in indexes]
    messages = dict(zip(indexes, (value or b"" for value in values), strict=True))
    misplaced = {key: _misplaced(key, *place) for key in set(keys)} if pile.keyed else {}
    if max(map(len, messages.values())) > pile.bytes_max or any(misplaced.values()):
        for index, key in zip(indexes, keys, strict=True):
            fault = _too_large(pile, messages[index]) or misplaced.get(key)
            if fault is not None:
                del messages[index]
                bad.append(Bad(index, *fault))
    pile.messages = messages


def _too_large(pile: _Pile, value: bytes) -> Fault | None:
    if len(value) <= pile.bytes_max:
        return None
    return TOO_LARGE, f"{len(value)} bytes, allowed are {pile.bytes_max}"


def _misplaced(key: bytes | None, partition: int, partitions: int) -> Fault | None:
    if key is None:
        return WRONG_PARTITION, "no key"
    right = partition_of(key, partitions)
    return None if right == partition else (WRONG_PARTITION, f"its key belongs on {right}")


def _group(pile: _Pile, place: tuple[int, int], bad: list[Bad]) -> Group:
    """Read the bodies of a pile; add what is bad to ``bad``."""
    assert pile.writer is not None
    read = _by_column if len(pile.messages) >= COLUMN_ROWS_MIN else _by_row
    group = read(pile.writer, pile.schema_id, pile.messages, bad)
    if group.stem not in _BROADCAST:
        return group
    partition, partitions = place
    said = np.asarray(group.column("partition"))
    if group.stem == "reference":
        # Made for more partitions than there are: the copy of one that is not there goes here.
        said = np.where(said < partitions, said, said % partitions)
    wrong = {int(i) for i in group.index[said != partition]}
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
    if faults:
        messages = {i: messages[i] for no, i in enumerate(indexes) if no not in faults}
    return Group(writer, schema_id, messages, records=records)
