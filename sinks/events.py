"""Rows of ``event``: every fact by what all have, one narrow row each.

A pure mapping from rows of a table of facts, under the same topic, partition and offset. What a
kind of fact calls its number, its instrument and its mass is renamed here to what ``v_events``
calls them; migration 0023 says the same in SQL, and ``custody warehouse check`` holds the two
together.

Source:
    docs/warehouse.md, "Layers"
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

TABLE = "event"
"""The table; migration 0023 makes it."""

_COPIED = (
    "topic",
    "partition",
    "offset",
    "lot_id",
    "event_id",
    "occurred_at",
    "recorded_at",
    "corrects",
    "void",
    "site_id",
    "source_ref",
    "gateway_id",
)
COLUMNS = (
    *_COPIED, "stem", "kind", "document_no", "device_id", "movement_id", "process_id", "mass_g",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Names:
    """How a kind of fact calls what all have; empty where it has no such thing."""

    kind: str
    document_no: str
    device_id: str = ""
    mass_g: str = ""


_CALLED: Mapping[str, _Names] = MappingProxyType(
    {
        "lot": _Names("form", "lot_id", mass_g="declared_mass_dry_g"),
        "weighing": _Names("purpose", "ticket_no", "device_id", "net_g"),
        "assay": _Names("stage", "certificate_no", "lab_id"),
        "xrf": _Names("basis", "shot_no", "device_id"),
        "shipment": _Names("kind", "movement_id"),
        "processing": _Names("part", "process_id", mass_g="mass_wet_g"),
        "claim": _Names("characteristic", "claim_id", mass_g="quantity_g"),
    }
)


def events_of(stem: str, facts: pa.Table) -> pa.Table:
    """Return a narrow row for each fact, in their order.

    Args:
        stem: Of the facts.
        facts: Rows of its table.
    """
    called = _CALLED[stem]
    made = {name: facts[name] for name in _COPIED}
    made["stem"] = _always(stem, facts.num_rows)
    made["kind"] = _text(facts, called.kind)
    made["document_no"] = _text(facts, called.document_no)
    made["device_id"] = _text(facts, called.device_id)
    for name in ("movement_id", "process_id"):
        made[name] = _text(facts, name if name in facts.column_names else "")
    made["mass_g"] = facts[called.mass_g] if called.mass_g else pa.nulls(len(facts), pa.int64())
    return pa.table(made)


def _text(facts: pa.Table, name: str) -> pa.ChunkedArray | pa.Array:
    """Return a column as text, with nothing as the empty text."""
    if not name:
        return _always("", facts.num_rows)
    column = facts[name].cast(pa.string())
    return pc.fill_null(column, "") if column.null_count else column


def _always(text: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), rows)
