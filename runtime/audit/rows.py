"""Rows against the bytes they were made of.

Every row keeps its record as it came. Its columns are made anew from these bytes, by the sink's own
mapping, and compared: so a figure that somebody edited in a table is named, column and row.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runtime.asof import Ask
from schemas.arrow import to_arrow
from schemas.reader import Group, read_batch
from schemas.registry import Catalog
from schemas.routes import BY_STEM, ROUTES, Route
from sinks.rows import record_columns

PAGE = 20_000
"""Offsets compared at once."""

Arrow = Callable[[str], bytes]
"""Runs one statement and returns the answer as a stream of Arrow."""


class Edited(NamedTuple):
    """A row that is not what its bytes say: where it stands, and which columns differ."""

    table: str
    place: str
    columns: tuple[str, ...]


def edited(
    ask: Ask, arrow: Arrow, catalog: Catalog, partitions: int, advance: Callable[[int], None]
) -> Iterator[Edited]:
    """Yield the rows whose columns are not what their bytes say; blocks.

    Args:
        ask: Runs SQL.
        arrow: Runs SQL for columns.
        catalog: Where schema ids are looked up.
        partitions: Partitions of every topic.
        advance: Told of rows, as they are done.

    Raises:
        Unavailable: The warehouse or the registry does not answer.
    """
    for route in ROUTES:
        if route.table is None:
            continue
        spans = ask(
            "SELECT partition, min(offset) AS low, max(offset) AS high"  # noqa: S608  route table
            f" FROM {route.table} GROUP BY partition ORDER BY partition",
            {},
        )
        for row in spans:
            partition, low, high = (int(str(row[name])) for name in ("partition", "low", "high"))
            for first in range(low, high + 1, PAGE):
                page = _page(arrow, route, partition, first)
                yield from _differing(page, route, (partition, partitions), catalog)
                advance(page.num_rows)


def _page(arrow: Arrow, route: Route, partition: int, first: int) -> pa.Table:
    body = arrow(
        f"SELECT * FROM {route.table} WHERE partition = {partition:d}"  # noqa: S608  route table
        f" AND offset >= {first:d} AND offset < {first + PAGE:d} ORDER BY offset"
    )
    if not body:
        return pa.table({"offset": pa.array([], pa.int64())})
    return pa.ipc.open_stream(body).read_all()


def _differing(
    page: pa.Table, route: Route, of: tuple[int, int], catalog: Catalog
) -> Iterator[Edited]:
    """Yield the rows of a page that differ from their bytes."""
    if not page.num_rows:
        return
    partition, partitions = of
    keys, values = (_binary(page.column(name)) for name in ("key", "value"))
    batch = read_batch(route.topic, partition, partitions, keys, values, catalog)
    offsets = page.column("offset").to_pylist()
    table = str(route.table)

    def at(index: int) -> str:
        return f"{route.topic}/{partition}@{offsets[index]}"

    for bad in batch.bad:
        yield Edited(table, at(bad.index), (f"value ({bad.reason})",))
    for group in batch.groups:
        for row, names in _columns_apart(group, page, route).items():
            yield Edited(table, at(row), names)


def _columns_apart(group: Group, page: pa.Table, route: Route) -> dict[int, tuple[str, ...]]:
    """Return the rows of a page that differ from a group's records, and in which columns."""
    if BY_STEM[group.stem] is not route:
        return {int(row): (f"value (a {group.stem})",) for row in group.index}
    made = record_columns(to_arrow(group))
    found = page.take(pa.array(group.index))
    wrong: dict[int, list[str]] = {}
    for name in made.column_names:
        for row in _rows_apart(made.column(name), found.column(name)):
            wrong.setdefault(int(group.index[row]), []).append(name)
    return {row: tuple(names) for row, names in sorted(wrong.items())}


def _rows_apart(made: pa.ChunkedArray, found: pa.ChunkedArray) -> Sequence[int]:
    """Return the rows in which two columns of one meaning differ."""
    one, other = _plain(made), _plain(found)
    try:
        other = other.cast(one.type)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        other = pa.array(found.to_pylist(), one.type)
    if one.equals(other):
        return []
    if pa.types.is_nested(one.type):
        pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
        return [row for row, (a, b) in enumerate(pairs) if a != b]
    same = pc.fill_null(pc.equal(one, other), False)  # noqa: FBT003  the value to fill with
    both = pc.and_(pc.is_null(one), pc.is_null(other))
    apart = np.flatnonzero(~np.asarray(pc.or_(same, both)))
    return [int(row) for row in apart]


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array without dictionaries."""
    whole = column.combine_chunks()
    array = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    return array.cast(_without_dictionaries(array.type))


def _without_dictionaries(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_without_dictionaries(kind.value_type))
    return kind


def _binary(column: pa.ChunkedArray) -> list[bytes]:
    found: list[bytes] = column.cast(pa.binary()).to_pylist()
    return found
