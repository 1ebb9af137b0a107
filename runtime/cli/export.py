"""``custody export``: an answer of the warehouse as a file."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from console.parameters import escaped
from runtime.cli import complete_to, connect, output
from runtime.cli.warehouse import named_values

FORMATS = ("parquet", "arrow", "csv")
_ROWS_MAX = 100_000_000
_TOLD_ROWS = 1_000_000


@click.command()
@click.argument("query")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    default="parquet",
    show_default=True,
    help="Of the file; arrow is the file format, also called Feather.",
)
@click.option(
    "--out",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file; there when it is whole, and then in the place of the one before.",
)
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of {NAME:Type}."
)
@click.option(
    "--rows-max",
    type=click.IntRange(1, 1_000_000_000),
    default=_ROWS_MAX,
    show_default=True,
    help="More rows are an error, and no file.",
)
@click.option("--json", "as_json", is_flag=True, help="What was written as one JSON object.")
def export(
    query: str,
    format_name: str,
    path: Path,
    params: Sequence[str],
    rows_max: int,
    *,
    as_json: bool,
) -> None:
    """Write the answer to one SELECT to a file; QUERY - is read from standard input.

    Rows are written as they come, in a few megabytes of memory, for up to an hour. With it is said
    up to which moment everything that was accepted is in the warehouse.

    \b
    Examples:
      custody export "SELECT * FROM v_transfers" --out transfers.parquet
      custody export - --format csv --out lot.csv --param lot=L-24-0117 < lot.sql
    """
    from runtime.export import export as write

    text = click.get_text_stream("stdin").read() if query == "-" else query
    with connect.warehouse() as warehouse:
        done = complete_to.ask(warehouse, None)
        with warehouse.arrow(text, escaped(named_values(params)), rows_max) as parts:
            rows = write(parts, format_name, path, _progress(), rows_max)
    size = path.stat().st_size
    if as_json:
        said = {"file": str(path), "format": format_name, "rows": rows, "bytes": size}
        output.line_json({**said, "complete_to": complete_to.text(done)})
        return
    output.result(f"{rows:,} rows, {size:,} bytes: {path}")
    output.result(complete_to.text(done))


def _progress() -> Callable[[int], None]:
    """Tell every million rows on standard error, where somebody looks."""
    told = 0

    def tell(rows: int) -> None:
        nonlocal told
        if sys.stderr.isatty() and rows - told >= _TOLD_ROWS:
            told = rows
            click.echo(f"{rows:,} rows", err=True)

    return tell
