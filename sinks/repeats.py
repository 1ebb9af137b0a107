"""Rows of ``repeated``: facts that stand a second time, through another gateway, and say the same.

What one gateway took and another was given, too (a file carried past a broken line and sent again
later, a ticket posted here and dropped there), is one event with two records. Each has its row, for
each is a link of its gateway's chain; the books count one, and so do views, which leave out what
is in this table. Of rows that say the same the first on the partition stands.

Rows with one id that say different things are a contradiction: all stand, and ``custody verify``
names them.

The verdict follows from the log up to a record. It is asked of the stored rows, and only for sites
that several gateways, or epochs of one, have sent for: elsewhere nothing can come twice.

Source:
    docs/warehouse.md, "Layers"
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from custody.events import NOT_CONTENT
from schemas.routes import BY_STEM
from sinks.client import Warehouse
from sinks.corrections import STEMS
from sinks.slice import Place
from sinks.tables import ENVELOPE, columns

TABLE = "repeated"
"""The table; migration 0034 makes it."""

COLUMNS = ("topic", "partition", "offset", "key", "stem", "lot_id", "event_id", "gateway_id")

Sent = tuple[str, str, int]
"""A site, and gateway and epoch that sent for it."""

Writers = dict[str, set[tuple[str, int]]]
"""Site -> gateways and epochs that sent for it on one partition."""

_ASKED_AT_ONCE = 5_000
_SENT = ("site_id", "gateway_id", "gateway_epoch")
NOT_SAID = frozenset(column.name for column in ENVELOPE) | NOT_CONTENT
"""What does not come from the sender, or says nothing more."""


def said(stem: str) -> str:
    """Return the SQL of a hash over what a fact says, whoever took it."""
    names = (column.name for column in columns(stem) if column.name not in NOT_SAID)
    return f"cityHash64(tuple({', '.join(f'`{name}`' for name in names)})::String)"


def noted(writers: Writers, sent: Iterable[Sent]) -> None:
    """Remember who sent for which site."""
    for site, gateway, epoch in sent:
        writers.setdefault(site, set()).add((gateway, epoch))


def suspects(tables: Sequence[tuple[str, pa.Table]], writers: Writers) -> dict[str, pa.Table]:
    """Return the facts that may stand a second time, by stem, and remember who sent them.

    Args:
        tables: Rows of one partition, by table.
        writers: Of all rows of the partition before them.
    """
    facts = [(stem, rows) for stem, rows in tables if stem in STEMS]
    for _, rows in facts:
        noted(writers, _sent(rows))
    several = [site for site, who in writers.items() if len(who) > 1]
    if not several:
        return {}
    known = pa.array(several, pa.string())
    found: dict[str, list[pa.Table]] = {}
    for stem, rows in facts:
        near = rows.filter(pc.is_in(rows["site_id"].cast(pa.string()), known))
        if near.num_rows:
            found.setdefault(stem, []).append(near.select([n for n in COLUMNS if n != "stem"]))
    return {stem: pa.concat_tables(pieces).unify_dictionaries() for stem, pieces in found.items()}


def _sent(rows: pa.Table) -> Iterator[Sent]:
    some = pa.table({name: _plain(rows[name]) for name in _SENT})
    for row in some.group_by(list(_SENT)).aggregate([]).to_pylist():
        yield row["site_id"], row["gateway_id"], row["gateway_epoch"]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


@dataclass(frozen=True, slots=True)
class _Stands:
    """A stored row of a fact: where, and a hash of what it says."""

    offset: int
    said: int


def repeats_of(warehouse: Warehouse, place: Place, facts: Mapping[str, pa.Table]) -> pa.Table:
    """Return the rows of ``repeated`` for facts of a partition that are stored.

    Args:
        warehouse: It has all rows of the partition up to the last of ``facts``.
        place: The partition.
        facts: From ``suspects``.

    Raises:
        WarehouseUnavailable: Ask again later.
    """
    made = [
        _repeats(stem, rows, _standing(warehouse, place, stem, rows))
        for stem, rows in facts.items()
    ]
    return pa.concat_tables(made).unify_dictionaries()


def _repeats(stem: str, rows: pa.Table, stand: Mapping[str, Sequence[_Stands]]) -> pa.Table:
    later = [
        _is_later(offset, stand.get(event, ()))
        for offset, event in zip(
            rows["offset"].to_pylist(), rows["event_id"].to_pylist(), strict=True
        )
    ]
    found = rows.filter(pa.array(later, pa.bool_()))
    return found.append_column("stem", pa.array([stem] * found.num_rows, pa.string()))


def _is_later(offset: int, stand: Sequence[_Stands]) -> bool:
    mine = {one.said for one in stand if one.offset == offset}
    return any(one.offset < offset and one.said in mine for one in stand)


def _standing(
    warehouse: Warehouse, place: Place, stem: str, rows: pa.Table
) -> dict[str, list[_Stands]]:
    values: dict[str, object] = {
        "topic": place.topic,
        "partition": place.partition,
        "last": max(rows["offset"].to_pylist()),
    }
    query = (
        f"SELECT event_id, offset, {said(stem)}"  # noqa: S608  columns of the route table
        f" FROM custody.{BY_STEM[stem].table} WHERE topic = {{topic:String}}"
        " AND partition = {partition:Int32} AND offset <= {last:Int64}"
        " AND lot_id IN {lots:Array(String)} AND event_id IN {events:Array(String)}"
    )
    found: dict[str, list[_Stands]] = {}
    for at in range(0, rows.num_rows, _ASKED_AT_ONCE):
        some = rows.slice(at, _ASKED_AT_ONCE)
        asked = {"lots": _distinct(some["lot_id"]), "events": _distinct(some["event_id"])}
        for event, offset, one in warehouse.rows(query, values | asked):
            stands = _Stands(cast("int", offset), cast("int", one))
            found.setdefault(str(event), []).append(stands)
    return found


def _distinct(column: pa.ChunkedArray) -> list[str]:
    return sorted(set(column.to_pylist()))
