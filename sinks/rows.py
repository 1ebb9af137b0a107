"""Records of one partition to rows: a pure mapping, the sink's hop on an event's way.

Each record ends as exactly one of four things, and their counts are what ``ingest_batches`` keeps:
a row, a duplicate, a dead letter, or a record of a kind that has no table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.arrow import to_arrow
from schemas.reader import Bad, Batch, Group
from schemas.routes import BY_STEM
from sinks.dedup import Numbers, Seen
from sinks.slice import Slice
from sinks.tables import column_name

Int64s = npt.NDArray[np.int64]


class Fate(IntEnum):
    """What becomes of a record."""

    ROW = 0
    DUPLICATE = 1
    DEAD_LETTER = 2
    NOT_STORED = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """What a slice becomes.

    Attributes:
        tables: Rows by table, in no order; a table may stand twice.
        fates: What became of each record, in offset order.
        bad: The dead letters.
    """

    tables: Sequence[tuple[str, pa.Table]]
    fates: npt.NDArray[np.uint8]
    bad: Sequence[Bad]


def rows_of(slice_: Slice, batch: Batch, seen: Seen) -> Rows:
    """Return the rows of a slice.

    Args:
        slice_: The records.
        batch: What ``schemas.reader.read_batch`` made of them.
        seen: The last numbers before the slice; remembers those of the slice.

    Raises:
        Unavailable: A dead letter was sent again, and ``seen`` cannot ask what stands; nothing is
            remembered.
    """
    fates = np.full(len(slice_), Fate.ROW, np.uint8)
    fates[[bad.index for bad in batch.bad]] = Fate.DEAD_LETTER
    stored: list[tuple[Group, pa.Table]] = []
    for group in batch.groups:
        if BY_STEM[group.stem].table is None:
            fates[group.index] = Fate.NOT_STORED
        else:
            stored.append((group, to_arrow(group)))
    if stored:
        _drop_duplicates(slice_, stored, seen, fates)
    tables = [_with_envelope(slice_, group, table, fates) for group, table in stored]
    return Rows([t for t in tables if t[1].num_rows], fates, batch.bad)


def counts(fates: npt.NDArray[np.uint8]) -> list[int]:
    """Return how many records have each fate, by the values of ``Fate``."""
    return cast("list[int]", np.bincount(fates, minlength=len(Fate)).tolist())


def _drop_duplicates(
    slice_: Slice,
    stored: Sequence[tuple[Group, pa.Table]],
    seen: Seen,
    fates: npt.NDArray[np.uint8],
) -> None:
    parts = [numbers_of(group.stem, table) for group, table in stored]
    index = np.concatenate([group.index for group, _ in stored])
    order = np.argsort(index, kind="stable")
    index = index[order]
    numbers = Numbers(
        pa.concat_arrays([sender for sender, _, _ in parts]).take(pa.array(order)),
        np.concatenate([major for _, major, _ in parts])[order],
        np.concatenate([minor for _, _, minor in parts])[order],
        slice_.chain.replay[index],
        np.concatenate(
            [np.full(table.num_rows, BY_STEM[group.stem].chained) for group, table in stored]
        )[order],
        lambda: pa.concat_arrays([_events(g.stem, t) for g, t in stored]).take(pa.array(order)),
    )
    fates[index[~seen.new(numbers, slice_.first)]] = Fate.DUPLICATE


def numbers_of(stem: str, table: pa.Table) -> tuple[pa.Array, Int64s, Int64s]:
    """Return who numbered the rows of a table, and the two parts of their numbers.

    Facts and control records count by gateway and epoch, derived ones by sender; heads come once a
    minute, in time; a dead letter counts by the place of what it holds.
    """
    none = np.zeros(table.num_rows, np.int64)
    if BY_STEM[stem].derived:
        return _text(table["sender"]), none, _int64(table["n"])
    if stem == "head":
        at = _int64(table["at"].cast(pa.int64()))
        return _text(table["gateway_id"]), _int64(table["gateway_epoch"]), at
    if stem == "dead_letter":
        topics, partitions = table["topic"].to_pylist(), table["partition"].to_pylist()
        places = [dead_letter_sender(t, p) for t, p in zip(topics, partitions, strict=True)]
        return pa.array(places, pa.string()), none, _int64(table["offset"])
    seq = _int64(table["gateway_seq"])
    return _text(table["gateway_id"]), _int64(table["gateway_epoch"]), seq


def _events(stem: str, table: pa.Table) -> pa.Array:
    if BY_STEM[stem].chained:
        return _text(table["event_id"])
    return pa.nulls(table.num_rows, pa.string())


def dead_letter_sender(topic: str, partition: int) -> str:
    """Return who numbers a dead letter: its record's place; the number is its offset there."""
    return f"{topic}/{partition}"


def _text(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.cast(pa.string()).chunks)


def _int64(column: pa.ChunkedArray) -> Int64s:
    return cast("Int64s", column.to_numpy().astype(np.int64))


def _with_envelope(
    slice_: Slice, group: Group, table: pa.Table, fates: npt.NDArray[np.uint8]
) -> tuple[str, pa.Table]:
    keep = fates[group.index] == Fate.ROW
    index = group.index[keep]
    whole = bool(keep.all())
    record = record_columns(table if whole else table.filter(pa.array(keep)))
    envelope = _envelope(slice_, group.schema_id, index)
    merged = pa.table(
        [*envelope.values(), *record.columns], names=[*envelope, *record.column_names]
    )
    stored_in = BY_STEM[group.stem].table
    assert stored_in is not None
    return stored_in, merged


def record_columns(table: pa.Table) -> pa.Table:
    """Return records as the columns of their table in the warehouse, without the envelope's.

    Args:
        table: From ``schemas.arrow.to_arrow``.
    """
    record = _flat(table)
    names = [column_name(name) for name in record.column_names]
    columns = [_filled(name, column) for name, column in zip(names, record.columns, strict=True)]
    return pa.table(columns, names=names)


def _flat(table: pa.Table) -> pa.Table:
    """Return the table with a list of records inside a list as arrays of arrays, one per field."""
    for i, field in reversed(list(enumerate(table.schema))):
        if not _holds_records(field.type):
            continue
        # Not concat_arrays: a group whose every record was a duplicate has no chunk at all.
        outer = table.column(i).combine_chunks()
        inner = outer.values
        table = table.remove_column(i)
        for no, part in enumerate(inner.values.type):
            nested = pa.ListArray.from_arrays(inner.offsets, inner.values.field(no))
            column = pa.ListArray.from_arrays(outer.offsets, nested)
            table = table.add_column(i + no, f"{field.name}.{part.name}", column)
    return table


def _holds_records(kind: pa.DataType) -> bool:
    in_lists = pa.types.is_list(kind) and pa.types.is_list(kind.value_type)
    return bool(in_lists and pa.types.is_struct(kind.value_type.value_type))


def _filled(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """No lot is the empty string: a sorting key cannot be null."""
    return column.fill_null("") if name == "lot_id" and column.null_count else column


def _envelope(slice_: Slice, schema_id: int, index: Int64s) -> dict[str, pa.Array]:
    rows, place = len(index), slice_.place
    return {
        "topic": _constant(place.topic, rows),
        "partition": pa.array(np.full(rows, place.partition, np.int32)),
        "offset": pa.array(slice_.offsets[index]),
        "timestamp": pa.array(slice_.timestamps_ms[index]).cast(pa.timestamp("ms", "UTC")),
        "schema_id": pa.array(np.full(rows, schema_id, np.int32)),
        "key": _bytes(slice_.keys, index),
        "prev": _bytes(slice_.chain.prev, index),
        "digest": _bytes(slice_.chain.digest, index),
        "value": _bytes(slice_.values, index),
    }


def _constant(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([text]))


def _bytes(values: Sequence[bytes | None], index: Int64s) -> pa.Array:
    if len(index) == len(values):
        chosen: Sequence[bytes | None] = values
    else:
        chosen = [values[i] for i in index.tolist()]
    return pa.array(chosen, pa.binary()).fill_null(b"")
