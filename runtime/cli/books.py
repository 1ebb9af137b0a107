"""Answers for a time as a table, as JSON lines or as CSV.

JSON and CSV have the same names and one row per quantity: ``value`` and ``u`` are in the row's
``unit``, the integers of the books. A table is in tonnes and kilograms.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import click

from custody.events import Micros
from runtime.asof import Holding, Quantity, Uncertainty
from runtime.book_rows import Row, holding_row, period_rows, stock_rows
from runtime.cli import complete_to, output
from runtime.cli.figures import KILOGRAM, TONNE, Unit, named_parts
from runtime.complete import Complete
from runtime.period import FLOWS, Account, Sum, sigma, summed, z_of
from runtime.rests import RESTATED
from runtime.unaccounted import Unaccounted


class Form(Enum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every answer says of itself: when it is of, as known when, what is complete."""

    at: Micros
    known: Micros | None
    done: Complete

    def cells(self) -> Row:
        """Return it for a row; a time that is not known is null."""
        return {
            "at": output.utc(self.at),
            "known": output.utc(self.known) or None,
            "complete_to": output.utc(self.done.to) or None,
        }


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """Return the form the options say.

    Raises:
        UsageError: They say two.
    """
    if as_json and as_csv:
        message = "--json or --csv, not both"
        raise click.UsageError(message)
    return Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE


def unit_of(quantity: Quantity) -> Unit:
    """Return how a quantity is shown to people."""
    if quantity.cls == "mass":
        return TONNE
    if quantity.cls == "metal":
        return KILOGRAM
    return Unit(quantity.unit.removeprefix("micro "), 1e6, 3)


def name_of(quantity: Quantity) -> str:
    """Return a quantity's name, with its quality where it has one."""
    return f"{quantity.name} ({quantity.quality})" if quantity.quality else quantity.name


def holdings(title: str, found: Sequence[Holding], stamp: Stamp, form: Form) -> None:
    """Write what a lot holds, place by place."""
    if form is not Form.TABLE:
        write([holding_row(one) | stamp.cells() for one in found], form)
        return
    output.result(f"{title}; {complete_to.text(stamp.done)}")
    rows = [
        {"place": one.place, "u_of": _u_of(one)} | _shown(one.quantity, one.value, one.u)
        for one in found
    ]
    if len({one.place for one in found}) > 1:
        rows += [
            {"place": "total", "u_of": _without(one)} | _shown(quantity, one.value, one.u)
            for quantity, one in summed(found).items()
        ]
    output.table((output.text("place", "place"), *_COLUMNS), rows)


def stock(title: str, site: str, found: Sequence[Holding], stamp: Stamp, form: Form) -> None:
    """Write what lies at a site, lot by lot and process by process, and the totals."""
    totals = summed(found)
    if form is not Form.TABLE:
        write([row | stamp.cells() for row in stock_rows(site, found)], form)
        return
    output.result(f"{title}; {complete_to.text(stamp.done)}")
    if stamp.done.site_to is not None:
        output.result(f"{site}'s own gateways: complete up to {output.utc(stamp.done.site_to)}")
    rows = [
        {"lot": _named(one), "u_of": _u_of(one)} | _shown(one.quantity, one.value, one.u)
        for one in found
    ]
    rows += [
        {"lot": f"total of {one.lots + one.processes}", "u_of": _without(one)}
        | _shown(quantity, one.value, one.u)
        for quantity, one in totals.items()
    ]
    output.table((output.text("lot or process", "lot"), *_COLUMNS), rows)


def _named(one: Holding) -> str:
    return f"{one.held_in} {one.process_id}" if one.process_id else one.lot_id


_COLUMNS = (
    output.text("quantity", "quantity"),
    output.text("unit", "unit"),
    output.text("value", "value", right=True),
    output.text("u", "u", right=True),
    output.text("u random", "u_random", right=True),
    output.text("u systematic", "u_systematic"),
    output.text("u of", "u_of"),
)


def over_period(
    title: str,
    site: str,
    found: tuple[Sequence[Account], Sequence[Unaccounted]],
    stamp: Stamp,
    form: Form,
) -> None:
    """Write a site's balance over a period: a line per term, a column per quantity."""
    accounts, every = found
    lost = [one for one in every if one.found_in != RESTATED]
    if form is not Form.TABLE:
        lines = period_rows(accounts, every)
        write([{"site_id": site} | line | stamp.cells() for line in lines], form)
        return
    output.result(f"{title}; {complete_to.text(stamp.done)}")
    columns = [output.text("", "line")] + [
        output.text(f"{name_of(a.quantity)} {unit_of(a.quantity).name}", str(i), right=True)
        for i, a in enumerate(accounts)
    ]
    output.table(columns, _period_rows(accounts))
    if lost:
        output.result("")
        output.result("unaccounted for (positive: less was found than was to be)")
        output.table(_LOST_COLUMNS, [_lost_row(one) for one in lost])


_TITLES: Mapping[str, str] = {
    "from_origin": "+ from origin",
    "receipts": "+ receipts",
    "bought": "+ bought",
    "process_out": "+ out of processes",
    "shipments": "- shipments",
    "sold": "- sold",
    "process_in": "- into processes",
    "fed": "+ processes took in",
    "drawn": "- processes gave out",
    "added": "+ added to processes",
    "lost": "- lost by processes",
    "converted": "+ converted by processes",
    "restated": "+ restated",
    "unaccounted": "- unaccounted",
    "other": "+ other",
}
"""A line's sign is its direction; the figure below it is the amount in that direction."""

_LOST_COLUMNS = (
    output.text("found in", "found_in"),
    output.text("quantity", "quantity"),
    output.text("unit", "unit"),
    output.text("lost", "lost", right=True),
    output.text("u", "u", right=True),
    output.text("z", "z", right=True),
    output.text("without u", "without_u", right=True),
)


def _period_rows(accounts: Sequence[Account]) -> list[Row]:
    """Return the lines; one that is zero throughout is left out."""
    rows = [_ends_row("opening", accounts, [a.opening for a in accounts])]
    for name in FLOWS:
        if any(account.flows[name] for account in accounts):
            sign = -1 if _TITLES[name].startswith("-") else 1
            values = [sign * account.flows[name] for account in accounts]
            rows.append(_line_of(_TITLES[name], accounts, values))
    rows.append(_ends_row("= closing", accounts, [a.closing for a in accounts]))
    rows += [
        _line_of(f"  of it in {kind}", accounts, [a.closing_in.get(kind, 0) for a in accounts])
        for kind in sorted({kind for account in accounts for kind in account.closing_in})
    ]
    rows.append(_u_row("  u of closing", accounts))
    return rows


def _ends_row(line: str, accounts: Sequence[Account], ends: Sequence[Sum]) -> Row:
    return _line_of(line, accounts, [end.value for end in ends])


def _line_of(line: str, accounts: Sequence[Account], values: Sequence[int]) -> Row:
    cells = {
        str(i): _figure(account.quantity, value)
        for i, (account, value) in enumerate(zip(accounts, values, strict=True))
    }
    return {"line": line, **cells}


def _u_row(line: str, accounts: Sequence[Account]) -> Row:
    cells = {str(i): _u_figure(a.quantity, sigma(a.closing.u)) for i, a in enumerate(accounts)}
    return {"line": line, **cells}


def _figure(quantity: Quantity, value: float) -> str:
    unit = unit_of(quantity)
    return f"{value / unit.divisor:,.{unit.digits}f}"


def _u_figure(quantity: Quantity, value: float | None) -> str:
    return "-" if value is None else _figure(quantity, value)


def _shown(quantity: Quantity, value: int, u: Uncertainty | None) -> Row:
    unit = unit_of(quantity)
    return {
        "quantity": name_of(quantity),
        "unit": unit.name,
        "value": _figure(quantity, value),
        "u": _u_figure(quantity, sigma(u)),
        "u_random": _u_figure(quantity, None if u is None else u.random),
        "u_systematic": "" if u is None else named_parts(u.parts, unit),
    }


def _u_of(one: Holding) -> str:
    if one.u_known_at is None:
        return "" if one.quantity.cls == "attribute" else "not known"
    late = ", later" if one.u_standing == "later" else ""
    return f"{one.u_known_at[:19]}Z{late}"


def _without(one: Sum) -> str:
    return f"{one.without_u} without" if one.without_u else ""


def _lost_row(one: Unaccounted) -> Row:
    z = z_of(one)
    return {
        "found_in": one.found_in,
        "quantity": name_of(one.quantity),
        "unit": unit_of(one.quantity).name,
        "lost": _figure(one.quantity, one.lost),
        "u": _u_figure(one.quantity, sigma(one.u)),
        "z": "-" if z is None else f"{z:.1f}",
        "without_u": str(one.without_u) if one.without_u else "",
    }


def write(rows: Sequence[Row], form: Form) -> None:
    """Write rows as JSON lines or CSV; a map is ``name=value`` pairs in a cell of CSV."""
    if form is Form.JSON:
        for row in rows:
            output.line_json(row)
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{key: _csv(value) for key, value in row.items()} for row in rows])
    click.echo(text.getvalue(), nl=False)


def _csv(value: object) -> object:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}={u!r}" for name, u in value.items())
    return value
