"""``custody totals``: whether what sites and countries did over a period adds up."""

import click

from custody.detect import totals
from custody.detect.totals import Total
from custody.events import Micros
from runtime.cli import complete_to, connect, output
from runtime.cli.figures import KILOGRAM, TONNE
from runtime.cli.main import FOUND
from runtime.moment import now, period_of, time_of
from runtime.totals import chosen, sites_of, totals_of


@click.command("totals")
@click.option(
    "--period", "span", metavar="PERIOD", required=True, help="A year, month, day, or FROM/TO."
)
@click.option("--country", metavar="XX", help="Only sites of this country, ISO 3166-1 alpha-2.")
@click.option("--site", "site_id", metavar="SITE", help="Only this site.")
@click.option("--known", metavar="TIME", help="Only what was recorded by then; else all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def period_totals(
    *, span: str, country: str | None, site_id: str | None, known: str | None, as_json: bool
) -> int:
    """Add up a period by site and by country, and test what does not add up.

    undeclared_feed: more metal came out of a site's processes than went in. missing_feed: of what
    a country (else a site) mined, bought, received and had in stock, what is in no load that came,
    no stock, no process and no sale, beyond the usual loss: what legs lose by the records of their
    routes. implausible_output: more was made than the site's capacity in
    reference data allows. z is over u, the standard uncertainty; a star marks what passes the
    limit of all tests together, one false answer in a thousand. Exit 1 where there is one.

    \b
    Examples:
      custody totals --period 2026-11
      custody totals --period 2026-11 --country CD
      custody totals --period 2026 --site SMELTER-1 --json | jq 'select(.found_out)'
    """
    if country is not None and site_id is not None:
        message = "--country or --site, not both"
        raise click.UsageError(message)
    over = period_of(span)
    known_at = now() if known is None else time_of(known, "--known")
    with connect.warehouse() as warehouse:
        done = complete_to.ask(warehouse, site_id)
        sites = sites_of(warehouse.rows, Micros(over.end - 1), known_at)
        found = totals_of(warehouse.rows, chosen(sites, country, site_id), over, known_at)
    off = totals.speaking(found)
    if as_json:
        for one in found:
            output.line_json(line(one, found_out=one in off))
        return FOUND if off else 0
    until = f"from {output.utc(over.start)} to {output.utc(over.end)}"
    output.result(f"totals {until}; {complete_to.text(done)}")
    output.table(_COLUMNS, [row(one, found_out=one in off) for one in found])
    tested = sum(one.z is not None for one in found)
    said = f"{len(off)} of {tested} tests speak" if tested else "nothing to test"
    output.result(f"{said} (limit z {totals.limit(tested):.2f})" if tested else said)
    return FOUND if off else 0


_COLUMNS = (
    output.text("test", "test"),
    output.text("of", "of"),
    output.text("quantity", "quantity"),
    output.text("unit", "unit"),
    output.text("expected", "expected", right=True),
    output.text("found", "found", right=True),
    output.text("usual loss", "usual_loss", right=True),
    output.text("off by", "off_by", right=True),
    output.text("u", "u", right=True),
    output.text("z", "z", right=True),
)


def row(one: Total, *, found_out: bool) -> dict[str, object]:
    """Return a total as a row of the table: dry mass in tonnes, metals in kilograms."""
    unit = TONNE if one.quantity == "dry" else KILOGRAM
    z = one.z

    def shown(value: float) -> str:
        return f"{value / unit.divisor:,.{unit.digits}f}"

    return {
        "test": one.family,
        "of": one.subject,
        "quantity": one.quantity,
        "unit": unit.name,
        "expected": shown(one.expected),
        "found": shown(one.found),
        "usual_loss": shown(one.usual) if one.family == totals.MISSING else "-",
        "off_by": shown(one.excess),
        "u": "-" if one.u is None else shown(one.u),
        "z": "-" if z is None else f"{z:.1f}{'*' if found_out else ''}",
    }


def line(one: Total, *, found_out: bool) -> dict[str, object]:
    """Return a total as a JSON object: grams, or milligrams of a metal."""
    return {
        "test": one.family,
        "of": one.subject,
        "quantity": one.quantity,
        "unit": "g" if one.quantity == "dry" else "mg",
        "expected": one.expected,
        "found": one.found,
        "usual_loss": one.usual if one.family == totals.MISSING else None,
        "off_by": one.excess,
        "u": one.u,
        "z": one.z,
        "found_out": found_out,
    }
