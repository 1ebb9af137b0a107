"""What tells a row from another one at the same place: a hash, made by the engine and here alike.

A row stands for a record only where it has that record's bytes and place in its chain. Anybody who
can write to the warehouse can put another one at an offset, also at one that is still to come.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType

import pyarrow as pa

from sinks import corrections, edges, events, repeats

Present = Mapping[int, Sequence[str]]
"""Prints of the rows that stand at an offset of one partition."""

_RECORD = ("value", "prev", "digest")
_MADE: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        edges.TABLE: ("sender", "n", "parent", "child", "mass_wet_g", "mass_dry_g"),
        events.TABLE: ("stem", "lot_id", "event_id", "gateway_id"),
        corrections.TABLE: ("stem", "lot_id", "event_id", "corrects"),
        repeats.TABLE: ("stem", "lot_id", "event_id", "gateway_id"),
    }
)
"""Columns of rows that are made from others and have no bytes of a record."""

_BETWEEN = " "


def expression(table: str) -> str:
    """Return the SQL that makes a table's prints."""
    if table not in _MADE:
        return f"hex(SHA256(concat({', '.join(_RECORD)})))"
    named = f", '{_BETWEEN}', ".join(f"toString({name})" for name in _MADE[table])
    return f"hex(SHA256(concat({named})))"


def named(table: str, found: str) -> str:
    """Return a print as it is kept: rows of two tables are never the same."""
    return f"{table}/{found}"


def prints_of(table: str, rows: pa.Table) -> list[str]:
    """Return the prints of rows that are to go into a table, in their order."""
    names = _MADE.get(table, _RECORD)
    parts = zip(*(rows[name].to_pylist() for name in names), strict=True)
    if table in _MADE:
        texts = (_BETWEEN.join(map(str, row)).encode() for row in parts)
    else:
        texts = (b"".join(row) for row in parts)
    return [named(table, sha256(text).hexdigest().upper()) for text in texts]


def without(table: str, rows: pa.Table, present: Present) -> pa.Table:
    """Return the rows of one partition that do not stand in their table."""
    if not present:
        return rows
    near = pa.array([offset in present for offset in rows["offset"].to_pylist()], pa.bool_())
    suspects = rows.filter(near)
    found = iter(
        one in present[offset]
        for offset, one in zip(
            suspects["offset"].to_pylist(), prints_of(table, suspects), strict=True
        )
    )
    stands = [bool(one) and next(found) for one in near.to_pylist()]
    return rows.filter(pa.array([not one for one in stands], pa.bool_()))
