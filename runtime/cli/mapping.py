"""``custody mapping``: propose a mapping for a table, and show what one gives."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from custody.errors import Refused
from producers.mapping import encodings
from producers.mapping.draft_text import text
from producers.mapping.load import load
from producers.mapping.read import Skipped, read
from producers.mapping.reasons import reason
from producers.mapping.suggest import suggest
from runtime.cli import output
from runtime.cli.dry_run import DryGateway
from runtime.cli.main import FOUND
from runtime.cli.tables import MappedLine, column_of, line_of
from runtime.client import JsonObject

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class AlreadyThere(Refused):
    """A mapping file would be overwritten, and with it what somebody filled in."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is already there", next_step="another name for --out")


class NoEncoding(Refused):
    """A name is given that is none of an encoding a table may have."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"--encoding {given[:40]!r} is no encoding that is known",
            expected=f"one of {', '.join(encodings.ENCODINGS)}",
            next_step="the one that the exporting system writes; cp1252 on most Windows machines",
        )


def _encoding(ctx: click.Context, param: click.Parameter, given: str | None) -> str | None:
    """Return our name of the encoding that is asked for."""
    del ctx, param
    if given is None:
        return None
    found = encodings.known(given)
    if found is None:
        raise NoEncoding(given)
    return found


@click.group()
def mapping() -> None:
    """Mapping files: how custody publish reads a table (CSV, XLSX, XLS, ODS).

    A mapping is TOML. custody schema mapping prints its JSON Schema, docs/mapping.md explains its
    keys. None of them names a file.

    \b
    Examples:
      custody mapping suggest tickets.csv --out weighbridge.toml
      custody mapping check tickets.csv --mapping weighbridge.toml
      custody publish tickets.csv --mapping weighbridge.toml
    """


@mapping.command("suggest")
@click.argument("file", type=_FILE)
@click.option("--sheet", help="Sheet of a spreadsheet with more than one.")
@click.option(
    "--encoding",
    callback=_encoding,
    metavar="NAME",
    help="Of a text file, such as cp850, where the file does not tell.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="MAP.toml",
    help="Write it there; never over a file that exists.",
)
def mapping_suggest(
    file: Path, *, sheet: str | None, encoding: str | None, out: Path | None
) -> int:
    """Propose a mapping for FILE, with a reason for each line and a list of what is doubtful.

    What FILE does not say is never guessed: units that no heading names, the time zone, the basis
    of an assay and ids of yours stand as "?". Fill them in: a mapping with one left is refused.

    \b
    Examples:
      custody mapping suggest tickets.csv
      custody mapping suggest lims.xlsx --sheet Results --out lims.toml
      custody mapping suggest pesage.csv --encoding cp850
    """
    draft = suggest(file, sheet, encoding)
    made = text(draft, file.name)
    if out is None:
        output.result(made.rstrip("\n"))
    else:
        try:
            with out.open("x", encoding="utf-8") as file_out:
                file_out.write(made)
        except FileExistsError:
            raise AlreadyThere(out) from None
    output.talk(f"{len(draft.doubts)} doubtful points, listed at its top; fill in every ?")
    return 0


@mapping.command("check")
@click.argument("file", type=_FILE)
@click.option("--mapping", "rules", type=_FILE, metavar="MAP.toml", required=True)
@click.option(
    "--rows", type=click.IntRange(1, 1000), default=5, show_default=True, help="Rows to show."
)
def mapping_check(file: Path, *, rules: Path, rows: int) -> int:
    """Show the first rows of FILE as requests, one per line of JSON, as they would be sent.

    A row that would be refused is shown with its reason. Sends nothing. Exit 1 where one would
    be; custody publish --dry-run judges the whole file.

    \b
    Examples:
      custody mapping check tickets.csv --mapping weighbridge.toml
      custody mapping check tickets.csv --mapping weighbridge.toml --rows 1 | jq
    """
    refused = 0
    skipped = Skipped()
    gateway = DryGateway()
    for line in _first(file, rules, rows, skipped):
        answer = line.refusal or gateway.publish_texts([line.text])[0]
        if answer["result"] == "refused":
            refused += 1
            output.line_json({**line.place(), **_refusal(line, answer)})
        else:
            output.result(json.dumps(line.request, ensure_ascii=False))
    if skipped.count:
        output.talk(f"{skipped.text()} so far")
    return FOUND if refused else 0


def _refusal(line: MappedLine, answer: JsonObject) -> JsonObject:
    """Return an answer with the sentence that would stand in the file of refused rows."""
    why = reason(answer, column_of(line.made, str(answer.get("field") or "")))
    return {name: answer[name] for name in ("result", "code", "field")} | {"reason": why}


def _first(file: Path, rules: Path, rows: int, skipped: Skipped) -> Iterator[MappedLine]:
    """Yield the lines of the first rows; a row of several records counts once."""
    seen: set[int] = set()
    for made in read(file, load(rules), skipped.add).made:
        if made.row.no not in seen and len(seen) == rows:
            return
        seen.add(made.row.no)
        yield line_of(made)
