"""Rows that are made from other rows and stored beside them in the same flush.

They stand under the same topic, partition and offset, so that the sink reconciles them in the same
way after a crash; a materialised view's rows would not be atomic with those it reads.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import pyarrow as pa

from schemas import topics
from sinks import corrections, edges, events, repeats

_MADE: Mapping[str, tuple[tuple[str, Callable[[pa.Table], pa.Table]], ...]] = MappingProxyType(
    {edges.SOURCE: ((edges.TABLE, edges.edges_of),)}
    | {
        stem: (
            (events.TABLE, partial(events.events_of, stem)),
            (corrections.TABLE, partial(corrections.corrections_of, stem)),
        )
        for stem in corrections.STEMS
    }
)
"""Table -> the tables its rows lead to, and how."""

_FED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        topics.TRANSFER: (edges.TABLE,),
        topics.FACT: (events.TABLE, corrections.TABLE, repeats.TABLE),
    }
)


def tables_of(topic: str) -> tuple[str, ...]:
    """Return the tables of rows that are made from those of a topic."""
    return _FED.get(topic, ())


def derived(table: str, rows: pa.Table) -> list[tuple[str, pa.Table]]:
    """Return what rows of a table lead to besides themselves, by table; often nothing.

    Args:
        table: Where the rows go.
        rows: Rows with the envelope.
    """
    made = ((into, make(rows)) for into, make in _MADE.get(table, ()))
    return [(into, found) for into, found in made if found.num_rows]
