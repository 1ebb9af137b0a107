"""What a history says of its lots once all of it was told: what ``custody calibrate`` takes."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from custody.core import CustodyFold
from custody.detect.calibration_lots import Lot, lot_of
from custody.events import ActionTaken, LotFact, Micros, ReferenceSet
from custody.lot_book import LotBook
from custody.lot_rows import LotRow
from custody.reference import References
from custody.reference_versions import body_at
from custody.rows import RefRow
from producers.outcome import Record
from runtime.backtest.replay import Replay
from runtime.backtest.rounds import BY_SERIES
from runtime.backtest.rows import Rows

CONFIRMED = "confirmed_fraud"
"""Resolution of an alert that was what it said."""

_LOT = "lot/"
_REF = "ref/"


class Told(NamedTuple):
    """A history for calibration.

    Attributes:
        lots: Lots of which anything was measured, without those left out.
        left_out: Lots that were named, or whose alerts a person has confirmed.
        not_found: Lots that were named and that no fact of the history is about.
        facts: All facts, for checks of instruments.
        bodies: Reference records at the newest fact, by kind and id.
        newest: When the newest fact happened; None without facts.
    """

    lots: list[Lot]
    left_out: list[str]
    not_found: list[str]
    facts: list[LotFact]
    bodies: dict[tuple[str, str], Mapping[str, object]]
    newest: Micros | None


def told_lots(
    records: Sequence[Record], excluded: Collection[str], advance: Callable[[int], None]
) -> Told:
    """Run the books over a history and return its lots.

    Args:
        records: In the order they were recorded.
        excluded: Lots to be left out.
        advance: Told how many more rounds of records are done.
    """
    replay = Replay(CustodyFold(), BY_SERIES)
    for _ in replay.run(records):
        advance(1)
    orders: dict[str, list[str]] = {}
    facts: list[LotFact] = []
    confirmed: dict[str, tuple[str, bool]] = {}
    for record in records:
        if isinstance(record, ActionTaken):
            _note(confirmed, record)
        elif not isinstance(record, ReferenceSet):
            facts.append(record)
            if record.lot_id is not None:
                orders.setdefault(record.lot_id, []).append(record.event_id)
    out = {*excluded, *(lot for lot, yes in confirmed.values() if yes)}
    newest = max((fact.occurred_at for fact in facts), default=None)
    rows, references = replay.rows, References(replay.rows)
    lots = [
        lot
        for lot_id in sorted(set(orders) - out)
        if (lot := _lot(lot_id, rows, references, orders[lot_id])) is not None
    ]
    bodies = {} if newest is None else _bodies(rows, newest)
    not_found = sorted(set(excluded) - set(orders))
    return Told(lots, sorted(out & set(orders)), not_found, facts, bodies, newest)


def _note(confirmed: dict[str, tuple[str, bool]], action: ActionTaken) -> None:
    """Remember what a person last said of an alert about a lot."""
    if action.alert_id is None or not action.subject.startswith(_LOT):
        return
    if action.action in ("resolve", "reopen"):
        yes = action.action == "resolve" and action.resolution == CONFIRMED
        confirmed[action.alert_id] = action.subject.removeprefix(_LOT), yes


def _lot(lot_id: str, rows: Rows, references: References, order: list[str]) -> Lot | None:
    row = rows.get(_LOT + lot_id)
    if not isinstance(row, LotRow):
        return None
    return lot_of(lot_id, LotBook(lot_id, row, rows), references, order)


def _bodies(rows: Rows, at: Micros) -> dict[tuple[str, str], Mapping[str, object]]:
    found: dict[tuple[str, str], Mapping[str, object]] = {}
    for key in rows.scan(_REF):
        row = rows.get(key)
        text = body_at(row, at) if isinstance(row, RefRow) else None
        body = None if text is None else json.loads(text)
        if isinstance(body, dict):
            kind, _, name = key.removeprefix(_REF).partition("/")
            found[kind, name] = body
    return found
