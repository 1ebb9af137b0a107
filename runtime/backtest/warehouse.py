"""Facts, reference records and alerts as the warehouse has kept them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import cast

from custody.events import ActionTaken, LotFact, ReferenceSet
from custody.records import Alert
from runtime.client import Warehouse
from runtime.stored import record_of
from schemas import topics
from schemas.routes import ROUTES

PAGE_ROWS = 5_000
"""Rows of one answer: some 10 MB."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2100, 1, 1, tzinfo=UTC)

_STEMS = tuple(r.stem for r in ROUTES if r.topic in (topics.FACT, topics.CONTROL))

_LIVE = """
SELECT * EXCEPT (key, prev, digest, value) FROM custody.alert ORDER BY alert_id, version, n
"""


def kept_facts(
    warehouse: Warehouse,
    since: datetime | None,
    until: datetime | None,
    advance: Callable[[int], None],
) -> Iterator[LotFact | ReferenceSet | ActionTaken]:
    """Yield facts, actions and reference records, stem by stem; blocks.

    Reference records have no beginning: what was known before ``since`` is known.

    Args:
        warehouse: Where they are.
        since: Facts and actions recorded at or after this time, UTC; None for all.
        until: All recorded before this time, UTC; None for all.
        advance: Told how many more were read.
    """
    for stem in _STEMS:
        begin = _BEGINNING if stem == "reference" or since is None else since
        times = {"since": _text(begin), "until": _text(until or _END)}
        # Each partition has a copy of a reference record.
        once = "AND partition = 0" if stem == "reference" else ""
        after = ""
        while True:
            rows = warehouse.rows(_page(stem, once), times | {"after": after})
            yield from (
                cast("LotFact | ReferenceSet | ActionTaken", record_of(stem, row)) for row in rows
            )
            advance(len(rows))
            if len(rows) < PAGE_ROWS:
                break
            after = str(rows[-1]["event_id"])


def raised_live(warehouse: Warehouse) -> Iterator[Alert]:
    """Yield all versions of all alerts, each alert's in order; blocks."""
    for row in warehouse.rows(_LIVE):
        yield cast("Alert", record_of("alert", row))


def _page(stem: str, once: str) -> str:
    return f"""
SELECT * EXCEPT (key, prev, digest, value) FROM custody.{stem}
WHERE recorded_at >= {{since:DateTime64(6, 'UTC')}}
    AND recorded_at < {{until:DateTime64(6, 'UTC')}} AND event_id > {{after:String}} {once}
ORDER BY event_id LIMIT {PAGE_ROWS}
"""  # noqa: S608  the stem is one of ours


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
