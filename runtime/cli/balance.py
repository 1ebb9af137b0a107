"""``custody balance`` and ``custody stock``: what is held, now or as of any time."""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

import click

from custody.errors import Refused
from custody.events import Micros
from runtime import asof, period
from runtime.asof import Times
from runtime.cli import books, complete_to, connect, output
from runtime.cli.figures import balance_rows
from runtime.client import Warehouse
from runtime.complete import Complete
from runtime.latest import held, latest
from runtime.moment import now, period_of, time_of
from schemas import present

P = ParamSpec("P")
R = TypeVar("R")


class UnknownLot(Refused):
    """No balance has ever been written for a lot."""

    def __init__(self, lot_id: str) -> None:
        super().__init__(
            f"lot {lot_id}: no balance",
            expected="a lot of which the worker has applied a fact",
            next_step="custody sql 'SELECT DISTINCT lot_id FROM balance'; custody verify",
        )


class NothingThen(Refused):
    """No transfer had touched the lot or site that is asked about."""

    def __init__(self, name: str, when: str) -> None:
        super().__init__(
            f"{name}: nothing {when}",
            expected="something that a transfer had moved by then, as known then",
            next_step="a later --at or --known; custody sql 'SELECT * FROM v_transfers'",
        )


class Asked(NamedTuple):
    """When it is asked about.

    Attributes:
        at: The time.
        known: What may be known; None where all that is known now counts.
        named: Whether the person named a time: an answer for now is known to change.
    """

    at: Micros
    known: Micros | None
    named: bool = True

    @property
    def times(self) -> Times:
        """Return both times."""
        return Times(self.at, now() if self.known is None else self.known)


def _shape(command: Callable[P, R]) -> Callable[P, R]:
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="CSV with a heading."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object per line."),
        click.option(
            "--known", "known", metavar="TIME", help="Only what was recorded by then; else all."
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("lot_id", metavar="[LOT]", required=False)
@click.option("--all", "show_all", is_flag=True, help="Also places it has left.")
@click.option("--at", "at", metavar="TIME", help="As of this time: what was so then.")
@click.option("--period", "span", metavar="PERIOD", help="Over a year, month or day, or FROM/TO.")
@click.option("--site", "site_id", metavar="SITE", help="With --period: whose balance.")
@_shape
def balance(  # noqa: PLR0913  one command, three questions
    lot_id: str | None,
    *,
    show_all: bool,
    at: str | None,
    span: str | None,
    site_id: str | None,
    known: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show what LOT holds, per place: wet and dry mass, moisture, contained metal.

    u is the standard uncertainty (one sigma); its systematic parts are named by what they come
    from. --at answers for any time, with --known as it was known at another: together they give
    the same answer for ever, once --known is not after what is complete. TIME is a date (its
    first instant, UTC) or RFC 3339. --period with --site is the balance of a site: opening,
    receipts, shipments, what a certificate restated, closing, and what is unaccounted for with
    its sigma.

    \b
    Examples:
      custody balance L-24-0117
      custody balance L-24-0117 --json | jq .mass_dry_g.value
      custody balance L-24-0117 --at 2026-11-03T12:00:00Z --known 2026-11-05
      custody balance --period 2026-11 --site MINE-KOV --csv > november.csv
    """
    form = books.form_of(as_json=as_json, as_csv=as_csv)
    known_at = None if known is None else time_of(known, "--known")
    if span is not None:
        if site_id is None or lot_id is not None or at is not None:
            message = "--period goes with --site, and without LOT or --at"
            raise click.UsageError(message)
        _over(span, site_id, known_at, form)
        return
    if lot_id is None or site_id is not None:
        message = "LOT is needed, or --period with --site"
        raise click.UsageError(message)
    if at is not None or known_at is not None:
        moment = now() if at is None else time_of(at, "--at")
        _lot_at(lot_id, Asked(moment, known_at), form, show_all=show_all)
        return
    if form is books.Form.CSV:
        message = "--csv goes with --at or --period"
        raise click.UsageError(message)
    _latest(lot_id, show_all=show_all, as_json=as_json)


def _latest(lot_id: str, *, show_all: bool, as_json: bool) -> None:
    with connect.warehouse() as warehouse:
        found = latest(warehouse.rows, lot_id)
        to = warehouse.complete_to
        complete_to.say(warehouse)
    if not found:
        raise UnknownLot(lot_id)
    shown = found if show_all else held(found) or found
    if as_json:
        for one in shown:
            output.line_json(
                present.balance_line(one, time_of(to, "the warehouse") if to else None)
            )
        return
    output.result(f"{lot_id} as known {output.utc(max(b.known_at for b in shown))}")
    output.table(_BALANCE_COLUMNS, balance_rows(shown))


_BALANCE_COLUMNS = (
    output.text("place", "place"),
    output.text("quantity", "quantity"),
    output.text("unit", "unit"),
    output.text("value", "value", right=True),
    output.text("u", "u", right=True),
    output.text("u random", "u_random", right=True),
    output.text("u systematic", "u_systematic"),
)


def _lot_at(lot_id: str, asked: Asked, form: books.Form, *, show_all: bool) -> None:
    with connect.warehouse() as warehouse:
        done = _complete(warehouse, asked, None)
        found = asof.of_lot(warehouse.rows, lot_id, asked.times)
    if not found:
        raise NothingThen(lot_id, _when(asked))
    shown = found if show_all else [h for h in found if h.value] or found
    books.holdings(f"{lot_id} {_when(asked)}", shown, _said(asked, done), form)


@click.command()
@click.argument("site_id", metavar="SITE")
@click.option("--at", "at", metavar="TIME", help="As of this time; else now.")
@_shape
def stock(site_id: str, *, at: str | None, known: str | None, as_json: bool, as_csv: bool) -> None:
    """Show what lies at SITE, and the totals: wet and dry mass, contained metal.

    Lot by lot, then what lies on its stockpiles and in its other processes, by their kind.

    In a total the random parts of u add in squares; what a shared scale or laboratory makes of it
    adds straight, for it does not average out. SITE may be transit: what is on its way.

    \b
    Examples:
      custody stock MINE-KOV
      custody stock MINE-KOV --at 2026-12-01 --known 2026-12-05T00:00:00Z
      custody stock transit --csv > on-its-way.csv
    """
    form = books.form_of(as_json=as_json, as_csv=as_csv)
    known_at = None if known is None else time_of(known, "--known")
    moment = now() if at is None else time_of(at, "--at")
    asked = Asked(moment, known_at, named=at is not None or known_at is not None)
    with connect.warehouse() as warehouse:
        done = _complete(warehouse, asked, site_id)
        found = asof.at_site(warehouse.rows, site_id, asked.times)
    if not found:
        raise NothingThen(site_id, _when(asked))
    books.stock(f"{site_id} {_when(asked)}", site_id, found, _said(asked, done), form)


def _over(span: str, site_id: str, known: Micros | None, form: books.Form) -> None:
    over = period_of(span)
    asked = Asked(Micros(over.end - 1), known)
    with connect.warehouse() as warehouse:
        done = _complete(warehouse, asked, site_id)
        accounts, lost = period.site_balance(warehouse.rows, site_id, over, asked.times.known)
    if not accounts and not lost:
        raise NothingThen(site_id, span)
    title = f"{site_id} from {output.utc(over.start)} to {output.utc(over.end)} {_known(known)}"
    books.over_period(title, site_id, (accounts, lost), _said(asked, done), form)


def _complete(warehouse: Warehouse, asked: Asked, site_id: str | None) -> Complete:
    """Ask what is complete, before the answer; warn where the answer may still change."""
    done = complete_to.ask(warehouse, site_id)
    beyond = asked.at if asked.known is None else asked.known
    if asked.named and (done.to is None or beyond > done.to):
        output.talk(
            f"warning: this answer may still change: {output.utc(beyond)} is after what is"
            f" complete ({complete_to.text(done)})"
        )
    return done


def _when(asked: Asked) -> str:
    return f"at {output.utc(asked.at)} {_known(asked.known)}"


def _known(known: Micros | None) -> str:
    return "as known now" if known is None else f"as known at {output.utc(known)}"


def _said(asked: Asked, done: Complete) -> books.Stamp:
    return books.Stamp(asked.at, asked.known, done)
