"""A lot's balance over time, with sigma: at every instant what ``custody balance --at`` says.

The amounts are the postings added up; the uncertainty is that of the newest balance record of the
instant in proportion to the amount, by the rule of ``v_lot_balance_at``. That view answers for one
instant by reading all of a lot; here all are read once, and a test holds the two together.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from console.answers import LOT, Asked, Told, Unknown
from custody import accounts
from custody.records import Balance
from runtime.asof import Ask, Holding, Quantity, Uncertainty, quantity_of
from runtime.book_rows import Row, holding_row, sum_row
from runtime.latest import holdings_of
from runtime.period import summed
from runtime.stored import record_of
from runtime.told import times
from runtime.told.posted import OF_LOT
from runtime.told.times import shown

MOMENTS_MAX = 500
"""Instants that are told, the last ones; a lot of more changes is better asked in SQL."""

_POSTED = f"""
SELECT account, class, quantity, unit, quality, toUnixTimestamp64Micro(effective_at) AS at,
    sum(amount) AS amount
FROM {OF_LOT}
GROUP BY account, class, quantity, unit, quality, at
ORDER BY at
"""  # noqa: S608  a constant
_BALANCES = """
SELECT * EXCEPT (key, prev, digest, value) FROM balance
WHERE lot_id = {lot:String} AND known_at <= {known:DateTime64(6, 'UTC')}
ORDER BY account, at, n
"""

_Key = tuple[str, Quantity]


class _Said(NamedTuple):
    """What one balance record says of one quantity."""

    at: int
    n: int
    holding: Holding


@dataclass(slots=True)
class _Line:
    """The records of one account and quantity that hold something, by time.

    Attributes:
        ats: Their times, ascending.
        then: Up to each time the record said last.
        first: At each time the record said last, of those of just that time.
    """

    ats: list[int] = field(default_factory=list)
    then: list[_Said] = field(default_factory=list)
    first: dict[int, _Said] = field(default_factory=dict)

    def add(self, said: _Said) -> None:
        """Add a record; in the order of time, then number."""
        newest = self.then[-1] if self.then else said
        self.ats.append(said.at)
        self.then.append(max(newest, said, key=lambda one: one.n))
        self.first[said.at] = said

    def at(self, moment: int) -> tuple[_Said | None, str]:
        """Return the record whose uncertainty holds at a time, and how it stands to it."""
        place = bisect_right(self.ats, moment)
        if place:
            return self.then[place - 1], "then"
        if self.ats:
            return self.first[self.ats[0]], "later"
        return None, "none"


def told(ask: Ask, asked: Asked) -> Told:
    """Tell a lot's balance at each instant at which it changed, per place and in total.

    Raises:
        Unknown: Nothing was posted of it by then.
    """
    params = times.moment(asked)._asdict() | {"lot": asked.subject}
    posted = ask(_POSTED, params)
    if not posted:
        raise Unknown(asked.subject, LOT)
    lines = _lines([cast("Balance", record_of("balance", row)) for row in ask(_BALANCES, params)])
    moments = sorted({int(str(row["at"])) for row in posted})
    rows: list[Row] = []
    for moment, holdings in _holdings(asked.subject, posted, lines):
        if moment in set(moments[-MOMENTS_MAX:]):
            rows += _at(moment, holdings)
    return Told(rows, {"moments": len(moments), "moments_told": min(len(moments), MOMENTS_MAX)})


def _lines(balances: Sequence[Balance]) -> Mapping[_Key, _Line]:
    lines: dict[_Key, _Line] = defaultdict(_Line)
    for one in balances:
        for holding in holdings_of(one):
            if holding.value and holding.u is not None:
                lines[one.account, holding.quantity].add(_Said(one.at, one.n, holding))
    return lines


def _holdings(
    lot_id: str, posted: Sequence[Mapping[str, object]], lines: Mapping[_Key, _Line]
) -> list[tuple[int, list[Holding]]]:
    """Return what a lot held at each instant, in their order."""
    sums: dict[_Key, int] = {}
    found: list[tuple[int, list[Holding]]] = []
    for number, row in enumerate(posted):
        key = str(row["account"]), quantity_of(row)
        sums[key] = sums.get(key, 0) + int(str(row["amount"]))
        at = int(str(row["at"]))
        if number + 1 == len(posted) or int(str(posted[number + 1]["at"])) != at:
            held = [_holding(lot_id, k, v, lines.get(k), at) for k, v in sums.items()]
            found.append((at, sorted(held, key=lambda h: (h.place, h.quantity.order))))
    return found


def _holding(lot_id: str, key: _Key, value: int, line: _Line | None, at: int) -> Holding:
    account, quantity = key
    place = accounts.place(account)
    said, standing = (None, "none") if line is None else line.at(at)
    if said is None or said.holding.u is None:
        return Holding(lot_id, place, quantity, value, None, "none", None)
    scale = abs(value / said.holding.value)
    was = said.holding.u
    u = Uncertainty(
        was.random * scale,
        tuple(type(part)(source=part.source, u=part.u * scale) for part in was.parts),
    )
    return Holding(lot_id, place, quantity, value, u, standing, said.holding.u_known_at)


def _at(moment: int, holdings: Sequence[Holding]) -> list[Row]:
    """Return the rows of one instant; places that were left are zero there, and shown so."""
    rows = [holding_row(one) for one in holdings]
    rows += [
        {"place": "total"} | sum_row(quantity, one) for quantity, one in summed(holdings).items()
    ]
    return [
        {"at": shown(moment)}
        | {name: row[name] for name in ("place", "quantity", "class", "quality", "unit")}
        | {name: row[name] for name in ("value", "u", "u_random", "u_standing")}
        for row in rows
    ]
