"""A site's balance over a period: opening and what moved make closing; what is missing, how sure.

The lines are sums of transfers, so they add up exactly, by construction. What is better known of a
mass that did not change (``restated``) is a line of its own beside what was found to be more or
less (``unaccounted``). What says something is the last part: what was unaccounted for, beside its
uncertainty. Differences of a leg stand there where the leg ends, those of a process where it
stands.

What lies on stockpiles and in other processes of the site is in it. Between them and the lots there
two lines say each movement, once of either (``process_in`` and ``fed``): they cancel.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from custody.accounts import TRANSIT
from custody.estimate import Estimate, said, total
from custody.events import Micros
from runtime.asof import (
    Ask,
    Holding,
    Quantity,
    Row,
    Times,
    Uncertainty,
    at_site,
    quantity_of,
)
from runtime.moment import Period, sql_time
from runtime.unaccounted import Unaccounted, unaccounted

FLOWS = (
    "from_origin",
    "receipts",
    "bought",
    "process_out",
    "shipments",
    "sold",
    "process_in",
    "fed",
    "drawn",
    "added",
    "lost",
    "converted",
    "restated",
    "unaccounted",
    "other",
)
"""Signed lines between opening and closing, in the order they are shown."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over lots and processes.

    Attributes:
        value: In the quantity's unit.
        u: Random parts in squares, parts of one source straight; None where no lot has one.
        lots: How many lots it is over.
        without_u: How many amounts have no uncertainty, which ``u`` therefore leaves out.
        processes: How many stockpiles and other processes it is over.
    """

    value: int
    u: Uncertainty | None
    lots: int
    without_u: int
    processes: int = 0


NONE = Sum(0, Uncertainty(0.0, ()), 0, 0)


@dataclass(frozen=True, slots=True)
class Account:
    """One quantity's balance over the period.

    Attributes:
        quantity: Of what.
        opening: What lay there when the period began.
        flows: Signed, by the names of ``FLOWS``.
        closing: What lay there when it ended.
        opening_in_processes: What of ``opening`` lay on stockpiles and in other processes.
        closing_in: What of ``closing`` did, by the kind of these.
    """

    quantity: Quantity
    opening: Sum
    flows: Mapping[str, int]
    closing: Sum
    opening_in_processes: int = 0
    closing_in: Mapping[str, int] = field(default_factory=dict)


def summed(holdings: Iterable[Holding]) -> dict[Quantity, Sum]:
    """Return the sums over lots and processes by quantity, in the order quantities are shown."""
    groups: dict[Quantity, list[Holding]] = defaultdict(list)
    for holding in holdings:
        groups[holding.quantity].append(holding)
    return {q: _sum(groups[q]) for q in sorted(groups, key=lambda q: q.order)}


def _sum(holdings: Sequence[Holding]) -> Sum:
    known = [h for h in holdings if h.u is not None]
    u = total(
        Estimate(0.0, h.u.random**2, {part.source: part.u for part in h.u.parts})
        for h in known
        if h.u is not None
    )
    return Sum(
        sum(h.value for h in holdings),
        Uncertainty(*said(u)) if known else None,
        len({h.lot_id for h in holdings if h.lot_id}),
        len(holdings) - len(known),
        len({h.process_id for h in holdings if h.process_id}),
    )


def sigma(u: Uncertainty | None) -> float | None:
    """Return the combined standard uncertainty; None where it is not known."""
    return None if u is None else math.hypot(u.random, *(part.u for part in u.parts))


def z_of(one: Unaccounted) -> float | None:
    """Return how many sigma what is unaccounted for is; None without a sigma, or in part of it."""
    u = sigma(one.u)
    return None if not u or one.without_u else one.lost / u


_LINES = """
SELECT * FROM v_metal_balance(
    period_start = {start:DateTime64(6, 'UTC')}, period_end = {end:DateTime64(6, 'UTC')},
    known_at = {known:DateTime64(6, 'UTC')})
WHERE site_id = {site:String}
"""


def site_balance(
    ask: Ask, site_id: str, period: Period, known: Micros
) -> tuple[list[Account], list[Unaccounted]]:
    """Return a site's balance over a period as known at a time, and what was unaccounted for.

    Args:
        ask: Runs SQL.
        site_id: The site.
        period: What is at its end belongs to the next one.
        known: What was recorded later is left out.
    """
    span = {"start": sql_time(period.start), "end": sql_time(period.end)}
    opening = at_site(ask, site_id, Times(Micros(period.start - 1), known))
    closing = at_site(ask, site_id, Times(Micros(period.end - 1), known))
    rows = ask(_LINES, span | {"known": sql_time(known), "site": site_id})
    lost = unaccounted(ask, site_id, period, sql_time(known))
    missing = {one.quantity: one.lost for one in lost if one.found_in == "stock"}
    # On its way nothing is learnt better: a leg's difference is of mass alone.
    part = missing if site_id != TRANSIT else None
    found = accounts_of(rows, summed(opening), summed(closing), part)
    return [replace(one, closing_in=_by_kind(closing, one.quantity)) for one in found], lost


def _by_kind(holdings: Iterable[Holding], quantity: Quantity) -> dict[str, int]:
    """Return what of a quantity processes hold, by their kind."""
    found: dict[str, int] = {}
    for one in holdings:
        if one.process_id and one.quantity == quantity:
            found[one.held_in] = found.get(one.held_in, 0) + one.value
    return dict(sorted(found.items()))


def accounts_of(
    rows: Sequence[Row],
    opening: Mapping[Quantity, Sum],
    closing: Mapping[Quantity, Sum],
    missing: Mapping[Quantity, int] | None,
) -> list[Account]:
    """Return the balance of each quantity; one that was always zero is left out.

    The values of opening and closing are those of the lines: what holds nothing has no row of
    its own.

    Args:
        rows: Lines of ``v_metal_balance``, where restated is what is missing, too.
        opening: Sums over lots when the period began.
        closing: Likewise when it ended.
        missing: How much of it is missing; None where all of it is, as of what is in transit.
    """
    found = []
    for row in rows:
        quantity = quantity_of(row)
        flows = {name: int(str(row.get(name, 0))) for name in FLOWS}
        gone = flows["restated"] if missing is None else -missing.get(quantity, 0)
        flows["restated"] -= gone
        flows["unaccounted"] = gone + int(str(row["process_rest"]))
        ends = [
            _with_value(sums.get(quantity, NONE), int(str(row[name])))
            for name, sums in (("opening", opening), ("closing", closing))
        ]
        if any(flows.values()) or any(end.value for end in ends):
            piled = int(str(row["opening_in_processes"]))
            found.append(Account(quantity, ends[0], flows, ends[1], piled))
    return sorted(found, key=lambda account: account.quantity.order)


def _with_value(one: Sum, value: int) -> Sum:
    return replace(one, value=value)
