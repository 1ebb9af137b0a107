"""Rows of ``correction``: the facts that correct others, so that views find what still stands.

One row for each fact with ``corrects``, under its own topic, partition and offset. They are few, so
a view can hold all of them against a large table of facts; looking for them in that table would
read its every row.

Source:
    docs/warehouse.md, "Layers"
"""

import pyarrow as pa
import pyarrow.compute as pc

from schemas import topics
from schemas.routes import ROUTES

TABLE = "correction"
"""The table; migration 0017 makes it."""

STEMS = tuple(
    route.stem for route in ROUTES if route.topic == topics.FACT and route.table is not None
)
"""Tables of facts; each is named as its stem."""

COPIED = (
    "topic",
    "partition",
    "offset",
    "timestamp",
    "key",
    "lot_id",
    "event_id",
    "corrects",
    "void",
    "recorded_at",
)


def corrections_of(stem: str, facts: pa.Table) -> pa.Table:
    """Return a row for each fact that corrects another one, in their order.

    Args:
        stem: Of the facts.
        facts: Rows of its table.
    """
    found = facts.select(COPIED).filter(pc.is_valid(facts["corrects"]))
    return found.append_column("stem", pa.array([stem] * found.num_rows, pa.string()))
