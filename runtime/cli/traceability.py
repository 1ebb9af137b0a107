"""``custody traceability``: origin, path, custody and evolution of a lot, and what is missing."""

import click

from custody.coverage import Evidence
from custody.genealogy import DRY
from runtime.cli import complete_to, connect, output
from runtime.cli.lineage import moment_of, percent
from runtime.client import JsonObject
from runtime.examined import examine, origins_of, stages_of
from runtime.traced import Lineage


@click.command()
@click.argument("lot_id", metavar="LOT")
@click.option("--at", metavar="TIME", help="As it was at this date or RFC 3339 time; else now.")
@click.option("--known", metavar="TIME", help="By what was recorded until then.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per element.")
def traceability(lot_id: str, *, at: str | None, known: str | None, as_json: bool) -> None:
    """Show how far LOT can be traced: origin, geographic path, chain of custody, evolution.

    For each, the share of the dry mass and of every metal that is confirmed by two sides all the
    way, measured, declared, or not covered; and the first gap by name. Two weighings confirm a
    way, not where ore was mined: an origin is measured where it was first weighed at that site,
    confirmed where another site says so too. Then the countries of each stage, and the origins.

    \b
    Examples:
      custody traceability C-24-0021
      custody traceability C-24-0021 --json | jq -r 'select(.first_gap) | .first_gap'
    """
    moment = moment_of(at, known)
    with connect.warehouse() as warehouse:
        found, answers = examine(warehouse.rows, lot_id, moment)
        complete_to.say(warehouse)
    if as_json:
        for answer in answers:
            output.line_json(answer)
        return
    for answer in answers:
        output.table(_COLUMNS, _lines(answer))
        output.result(f"    first gap: {answer['first_gap'] or 'none'}\n")
    for line in _shares(found, lot_id):
        output.result(line)


def _lines(answer: JsonObject) -> list[JsonObject]:
    """Return the rows of one element's table: dry mass, then each metal."""
    metals = answer["metal_fraction"]
    assert isinstance(metals, dict)
    splits = {DRY: answer["dry_fraction"], **metals}
    return [
        {"element": str(answer["element"]).replace("_", " "), "of": name, **split}
        for name, split in splits.items()
        if isinstance(split, dict)
    ]


def _share(name: str) -> output.Column:
    return output.Column(name, lambda row: percent(row[name]), right=True)


_COLUMNS = (
    output.text("element", "element"),
    output.text("of", "of"),
    *(_share(one.name.lower()) for one in sorted(Evidence, reverse=True)),
)


def _shares(found: Lineage, lot_id: str) -> list[str]:
    """Return a line per dimension of shares: the largest first, the rest unknown."""
    dimensions = {"origin": origins_of(found, lot_id), **stages_of(found, lot_id)}
    lines = []
    for name, shares in dimensions.items():
        rest = 1.0 - sum(shares.values())
        parts = [f"{label} {percent(s)}" for label, s in sorted(shares.items(), key=_largest)]
        if rest > 1e-6:
            parts.append(f"unknown {percent(rest)}")
        lines.append(f"{name}: {', '.join(parts)}")
    return lines


def _largest(item: tuple[str, float]) -> tuple[float, str]:
    return -item[1], item[0]
