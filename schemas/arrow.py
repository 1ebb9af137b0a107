"""A group as an Arrow table: the columns the sink inserts, without a Python object per value.

Types come from our schema, so a table of a stem always has the same columns, whatever its
records hold and whichever schema they were written under. A list of records becomes parallel
list columns named ``results.analyte``; a list in such a list stays a list in it.
"""

from collections.abc import Iterator
from functools import cache
from typing import cast

import numpy as np
import pyarrow as pa

from schemas.columns import (
    Bools,
    Choices,
    Column,
    Constant,
    Ints,
    Lists,
    Numbers,
    Octets,
    Optional,
    Records,
    Texts,
)
from schemas.plan import Choice, Leaf, Many, Maybe, Node, Struct, own_plan
from schemas.reader import Group

_LEAF_TYPES = {
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "bytes": pa.binary(),
}
_SYMBOL = pa.dictionary(pa.int16(), pa.string())


def to_arrow(group: Group) -> pa.Table:
    """Return the records of a group as a table, one row each, in their order.

    Args:
        group: From ``schemas.reader.read_batch``.

    Returns:
        A table with ``arrow_schema(group.stem)``; it passes ``validate(full=True)``.
    """
    arrays = _arrays(own_plan(group.stem).root, group.records)
    return pa.Table.from_arrays(list(arrays), schema=arrow_schema(group.stem))


@cache
def arrow_schema(stem: str) -> pa.Schema:
    """Return the names and types of a stem's table in field order.

    Enums are dictionaries of strings, timestamps microseconds in UTC.
    """
    return pa.schema(list(_fields(own_plan(stem).root)))


def _fields(struct: Struct) -> Iterator[pa.Field]:
    for member in struct.members:
        match member.node:
            case Many(item=Struct() as item):
                for part in item.members:
                    yield pa.field(f"{member.name}.{part.name}", pa.list_(_type(part.node)))
            case Maybe(inner=inner):
                yield pa.field(member.name, _type(inner))
            case node:
                yield pa.field(member.name, _type(node), nullable=False)


def _type(node: Node) -> pa.DataType:
    match node:
        case Leaf(kind=kind, micros=micros):
            return pa.timestamp("us", "UTC") if micros else _LEAF_TYPES[kind]
        case Choice():
            return _SYMBOL
        case Maybe(inner=inner):
            return _type(inner)
        case Many(item=item):
            return pa.list_(_type(item))
        case Struct():
            return pa.struct([pa.field(m.name, _type(m.node)) for m in node.members])


def _arrays(struct: Struct, records: Records) -> Iterator[pa.Array]:
    """Yield the arrays of a record's fields in the order of ``_fields``."""
    for member in struct.members:
        column = records.columns[member.name]
        match member.node:
            case Many(item=Struct() as item):
                yield from _parallel(item, column)
            case node:
                yield _array(column, _type(node), None)


def _parallel(item: Struct, column: Column) -> Iterator[pa.Array]:
    """Yield a list array for each field of the items."""
    if isinstance(column, Constant):
        column = Lists(np.zeros(column.count, np.int64), _no_records(item))
    assert isinstance(column, Lists)
    items = column.items
    assert isinstance(items, Records)
    offsets = _offsets(column.offsets())
    for part in item.members:
        values = _array(items.columns[part.name], _type(part.node), None)
        yield pa.ListArray.from_arrays(offsets, values)


def _no_records(item: Struct) -> Records:
    return Records(item.cls, {m.name: Constant(None, 0) for m in item.members}, 0)


def _array(  # noqa: PLR0911  one return per kind of column
    column: Column, wanted: pa.DataType, present: Bools | None
) -> pa.Array:
    """Return a column as an array of a type; ``present`` is False where it is null."""
    if isinstance(column, Optional):
        return _array(column.inner, wanted, column.present)
    if isinstance(column, Constant):
        return _repeated(column, wanted)
    match column:
        case Numbers():
            return _numbers(column, wanted, present)
        case Choices():
            return _choices(column, present)
        case Texts():
            return _texts(column, wanted, present)
        case Lists():
            values = _array(column.items, wanted.value_type, None)
            return pa.ListArray.from_arrays(_offsets(column.offsets()), values)
        case Records():
            parts = [_array(column.columns[f.name], f.type, None) for f in wanted]
            return pa.StructArray.from_arrays(parts, fields=list(wanted))


def _repeated(column: Constant, wanted: pa.DataType) -> pa.Array:
    if column.value is None:
        return pa.nulls(column.count, wanted)
    return pa.array([column.value] * column.count, wanted)


def _numbers(column: Numbers, wanted: pa.DataType, present: Bools | None) -> pa.Array:
    absent = None if present is None else ~present
    values = column.values
    if wanted == pa.int32():
        values = values.astype(np.int32)
    plain = pa.array(values, mask=absent)
    return plain.view(wanted) if column.micros else plain


def _choices(column: Choices, present: Bools | None) -> pa.Array:
    """Map the writer's symbols, in which ours may stand twice, to a dictionary of ours."""
    symbols = list(dict.fromkeys(column.symbols))
    codes = np.array([symbols.index(s) for s in column.symbols], np.int16)[column.codes]
    absent = None if present is None else ~present
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=absent), pa.array(symbols))


def _texts(column: Texts, wanted: pa.DataType, present: Bools | None) -> pa.Array:
    """Wrap the packed bytes; nothing is copied."""
    valid = None
    if present is not None:
        valid = pa.py_buffer(_bits(present).tobytes())
    buffers = [valid, pa.py_buffer(column.offsets.astype(np.int32)), pa.py_buffer(column.packed)]
    return pa.Array.from_buffers(wanted, len(column.starts), buffers)


def _bits(flags: Bools) -> Octets:
    return cast(Octets, np.packbits(flags, bitorder="little"))


def _offsets(offsets: Ints) -> pa.Array:
    return pa.array(offsets.astype(np.int32))
