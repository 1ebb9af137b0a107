"""``custody lineage``: what a lot was made of, or where it went, at any instant."""

import csv
import sys
from collections.abc import Mapping, Sequence

import click

from custody.genealogy import DRY, PROCESS
from custody.handing import GENERATIONS_MAX
from runtime.cli import complete_to, connect, output, tree
from runtime.client import JsonObject
from runtime.lineage import NOW, Moment
from runtime.moment import sql_time, time_of
from runtime.traced import Lineage, row_of, rows_of, trace

_ORIGINS_SHOWN_MAX = 3


def moment_of(at: str | None, known: str | None) -> Moment:
    """Return an instant; what is not given is now.

    Raises:
        NotATime: A text is neither a date nor RFC 3339.
    """
    given = ((at, "--at"), (known, "--known"))
    texts = [NOW if one is None else sql_time(time_of(one, name)) for one, name in given]
    return Moment(*texts)


@click.command()
@click.argument("lot_id", metavar="LOT")
@click.option(
    "--back/--forward",
    "back",
    default=True,
    help="What it was made of, or became part of.  [default: back]",
)
@click.option("--at", metavar="TIME", help="As it was at this date or RFC 3339 time; else now.")
@click.option("--known", metavar="TIME", help="By what was recorded until then.")
@click.option(
    "--depth",
    type=click.IntRange(1, GENERATIONS_MAX),
    default=GENERATIONS_MAX,
    show_default=True,
    help="Processes that are passed at most.",
)
@click.option(
    "--table", "shape", flag_value="table", help="One row per lot and process, not a tree."
)
@click.option("--json", "shape", flag_value="json", help="One JSON object per lot and process.")
@click.option("--csv", "shape", flag_value="csv", help="The same as CSV with a heading.")
def lineage(
    lot_id: str, *, back: bool, at: str | None, known: str | None, depth: int,
    shape: str | None,
) -> None:  # fmt: skip
    """Show the lots LOT was made of, or those that hold a share of it, through processes.

    Back: each ancestor with its share of LOT's dry mass and of each metal, and its origins. A
    process mixes its inputs: by dry mass, and where it separates by its key analyte. Forward:
    each lot with the share of it that stems from LOT, and how much of that it holds. A ring is
    named, and reckoned until nothing goes round any more.

    \b
    Examples:
      custody lineage C-24-0021
      custody lineage L-24-0117 --forward --table
      custody lineage C-24-0021 --at 2026-11-10 --known 2026-11-10 --json | jq .share_dry_fraction
    """
    moment = moment_of(at, known)
    with connect.warehouse() as warehouse:
        found = trace(warehouse.rows, lot_id, moment, depth, back=back)
        complete_to.say(warehouse)
    match shape:
        case "json":
            for row in rows_of(found):
                output.line_json(row)
        case "csv":
            _csv(rows_of(found))
        case "table":
            output.table(_COLUMNS if back else _FORWARD_COLUMNS, rows_of(found))
            _notes(found, depth)
        case _:
            for line in tree.lines(found.lot, _shape(found)):
                output.result(line)
            _notes(found, depth)


def _origins(row: Mapping[str, object]) -> str:
    origins = row["origins"]
    if not isinstance(origins, dict):
        return ""
    ordered = sorted(origins.items(), key=lambda one: (-one[1], one[0]))
    shown = [f"{name} {percent(part)}" for name, part in ordered[:_ORIGINS_SHOWN_MAX]]
    hidden = len(ordered) - len(shown)
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")


def percent(part: object) -> str:
    """Return a fraction in percent, as far as it can be read."""
    value = float(str(part)) * 100
    return f"{value:.1f} %" if value >= 0.1 or not value else "<0.1 %"


def _metals(row: Mapping[str, object]) -> str:
    metals = row["share_metal_fraction"]
    if not isinstance(metals, dict):
        return ""
    return ", ".join(f"{analyte} {percent(part)}" for analyte, part in sorted(metals.items()))


def _held(row: Mapping[str, object]) -> str:
    if row["held_dry_g"] is None:
        return ""
    metals = row["held_metal_mg"]
    parts = [f"{output.quantity(row['held_dry_g'], 3, 1e6)} t dry"]
    if isinstance(metals, dict):
        parts += [f"{output.quantity(v, 2, 1e6)} kg {a}" for a, v in sorted(metals.items())]
    return ", ".join(parts)


_NAMES = (
    output.text("lot", "lot_id"),
    output.text("process", "process_id"),
    output.number("steps", "steps"),
    output.Column("of dry mass", lambda row: percent(row["share_dry_fraction"]), right=True),
    output.Column("of metals", _metals),
)
_COLUMNS = (*_NAMES, output.Column("origins", _origins))
_FORWARD_COLUMNS = (*_NAMES, output.Column("holds of it", _held))


def _shape(found: Lineage) -> tree.Shape:
    """Return how the tree is drawn: the largest share first."""
    shares, way = found.shares[DRY], found.way
    follow = found.graph.parents if found.back else found.graph.children

    def children(node: str) -> Sequence[str]:
        if node in way.cut:
            return []
        reached = [other for other in follow(node) if other in way.steps]
        return sorted(reached, key=lambda other: (-shares[other], other))

    def label(node: str) -> str:
        row = row_of(found, node)
        if node.startswith(PROCESS):
            return f"process {row['process_id']}"
        parts = [f"lot {row['lot_id']}", percent(row["share_dry_fraction"])]
        parts += [_metals(row), f"[{_origins(row)}]" if found.back and row["origins"] else ""]
        parts += [] if found.back else [_held(row)]
        return "  ".join(part for part in parts if part)

    def folded(nodes: Sequence[str]) -> str:
        together = f", together {percent(sum(shares[n] for n in nodes))}" if found.back else ""
        return f"and {len(nodes)} more{together}"

    return tree.Shape(children, label, folded)


def _notes(found: Lineage, depth: int) -> None:
    """Write what the figures leave out."""
    for ring in found.way.rings:
        output.result(f"ring: {' -> '.join(ring)}")
    if found.way.cut:
        output.result(f"{len(found.way.cut)} lots lead on beyond {depth} processes: --depth")


def _csv(rows: Sequence[JsonObject]) -> None:
    """Write rows as CSV; what has parts becomes ``name=value`` joined by spaces."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else value
