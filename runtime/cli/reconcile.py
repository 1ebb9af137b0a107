"""``custody reconcile``: masses and grades of a network that balance, and what does not fit."""

import json
from pathlib import Path
from typing import IO

import click

from custody.errors import Refused, Unavailable
from runtime.cli import output
from runtime.cli.main import FOUND
from runtime.client import JsonObject

ALPHA = 0.05


class NotWritten(Unavailable):
    """A file could not be written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: not written: {why}", next_step="choose another --out")


class NotReconciled(Refused):
    """What the core refuses, with the file it came from."""

    def __init__(self, name: str, error: Refused) -> None:
        super().__init__(
            f"{name}: {error.what}", expected=error.expected, next_step=error.next_step
        )


@click.command("reconcile")
@click.argument("file", metavar="NETWORK.json", type=click.File("r", encoding="utf-8"))
@click.option(
    "--alpha",
    type=click.FloatRange(0.0, 0.5, min_open=True),
    default=ALPHA,
    show_default=True,
    help="Chance that each family of tests finds something where nothing is wrong.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the whole result to this file, one JSON object.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def reconcile_network(file: IO[str], *, alpha: float, out: Path | None, as_json: bool) -> int:
    """Reconcile the masses and grades of NETWORK.json; - is standard input.

    Nodes and the streams between them, with what was measured. Prints figures that balance at
    every node with their smaller uncertainty, each adjustment and its test, the balance of every
    node as measured, and which single fault would explain the rest: a biased figure, a scale or
    laboratory that is off, a leak, each with its size. Needs no running stack. Exit 1 where the
    global test or the best fault passes its limit.

    \b
    Examples:
      custody reconcile examples/network.json
      custody reconcile plant.json --alpha 0.01 --out balanced.json
      custody reconcile plant.json --json | jq 'select(.record == "fault" and .rank == 1)'
      custody schema network           what a network looks like
    """
    from custody.detect.reconciliation import reconcile
    from runtime import network_file, reconciled
    from runtime.cli.reconcile_text import show

    network = network_file.read(_text(file), file.name)
    try:
        found = reconcile(network.flowsheet())
    except Refused as error:
        raise NotReconciled(file.name, error) from error
    whole = reconciled.document(found, network, alpha)
    if out is not None:
        _write(out, whole)
    if as_json:
        for line in reconciled.lines(whole):
            output.line_json(line)
    else:
        show(whole, network)
    return FOUND if whole["found"] else 0


def _text(file: IO[str]) -> str:
    from runtime.network_file import BadNetwork

    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise BadNetwork(file.name, f"no text: {error.reason}", "JSON in UTF-8") from None


def _write(path: Path, whole: JsonObject) -> None:
    try:
        path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise NotWritten(path, error.strerror or str(error)) from error
