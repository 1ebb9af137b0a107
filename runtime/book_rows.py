"""What the books answer as rows: the same for ``--json``, ``--csv`` and the pages.

One row per quantity: ``value`` and ``u`` are in the row's ``unit``, the integers of the books.
"""

from collections.abc import Iterable, Sequence

from runtime.asof import Holding, Quantity, Uncertainty
from runtime.period import FLOWS, Account, Sum, sigma, summed, z_of
from runtime.rests import RESTATED
from runtime.unaccounted import Unaccounted

Row = dict[str, object]


def stock_rows(site: str, found: Sequence[Holding]) -> list[Row]:
    """Return what lies at a site, lot by lot and process by process, and the totals last."""
    totals = [
        {"lot_id": "total", "place": site} | stock_sum_row(quantity, one)
        for quantity, one in summed(found).items()
    ]
    return [*map(stock_row, found), *totals]


def period_rows(accounts: Sequence[Account], every: Sequence[Unaccounted]) -> list[Row]:
    """Return a site's balance over a period: its lines by quantity, then what is missing."""
    restated = {one.quantity: one for one in every if one.found_in == RESTATED}
    lines = [line for a in accounts for line in _lines(a, restated.get(a.quantity))]
    return lines + [_lost_cells(one) for one in every if one.found_in != RESTATED]


def _named(quantity: Quantity) -> Row:
    return {
        "quantity": quantity.name,
        "class": quantity.cls,
        "quality": quantity.quality or None,
        "unit": quantity.unit,
    }


def _u_cells(u: Uncertainty | None) -> Row:
    return {
        "u": sigma(u),
        "u_random": None if u is None else u.random,
        "u_systematic": None if u is None else {part.source: part.u for part in u.parts},
    }


def holding_row(one: Holding) -> Row:
    """Return what a lot holds of one quantity: value and u in the row's unit."""
    return (
        {"lot_id": one.lot_id, "place": one.place}
        | _named(one.quantity)
        | {"value": one.value}
        | _u_cells(one.u)
        | {"u_standing": one.u_standing, "u_known_at": one.u_known_at, "lots": 1, "without_u": None}
    )


def stock_row(one: Holding) -> Row:
    """Return the same of what lies at a site, which a lot holds or a process."""
    return holding_row(one) | {
        "lots": int(not one.process_id),
        "process_id": one.process_id or None,
        "held_in": one.held_in,
        "processes": int(bool(one.process_id)),
    }


def stock_sum_row(quantity: Quantity, one: Sum) -> Row:
    """Return a sum over lots and processes, with the names of ``stock_row``."""
    more = {"process_id": None, "held_in": None, "processes": one.processes}
    return sum_row(quantity, one) | more


def sum_row(quantity: Quantity, one: Sum) -> Row:
    """Return a sum over lots, with the names of ``holding_row``."""
    return (
        _named(quantity)
        | {"value": one.value}
        | _u_cells(one.u)
        | {"u_standing": None, "u_known_at": None, "lots": one.lots, "without_u": one.without_u}
    )


def _lines(account: Account, restated: Unaccounted | None) -> Iterable[Row]:
    """Yield the lines of one quantity; the flows are signed, so that they add up to closing.

    Behind it stands what of it processes hold, by their kind.
    """
    yield _line(account.quantity, "opening", account.opening.value, account.opening.u)
    for name in FLOWS:
        line = _line(account.quantity, name, account.flows[name], None)
        if name == RESTATED and restated is not None:
            z = z_of(restated)
            line |= {"u": sigma(restated.u), "z": None if z is None else -z}
        yield line
    yield _line(account.quantity, "closing", account.closing.value, account.closing.u)
    for kind, value in account.closing_in.items():
        yield _line(account.quantity, f"closing_{kind}", value, None)


def _line(quantity: Quantity, line: str, value: int, u: Uncertainty | None) -> Row:
    return _named(quantity) | {"line": line, "value": value, "u": sigma(u), "z": None}


def _lost_cells(one: Unaccounted) -> Row:
    return _named(one.quantity) | {
        "line": f"unaccounted_{one.found_in}",
        "value": one.lost,
        "u": sigma(one.u),
        "z": z_of(one),
    }
