"""``custody config``: the settings in effect, and where each comes from."""

import os
from dataclasses import dataclass

import click
from dotenv import dotenv_values

from runtime.cli import output
from runtime.settings import Settings, load, names

_COLUMNS = (
    output.text("setting", "name"),
    output.text("value", "value"),
    output.text("source", "source"),
)


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting.

    Attributes:
        name: Environment name.
        value: Effective value as text; a secret as asterisks; None where it is not set.
        source: ``environment``, ``.env`` or ``default``.
    """

    name: str
    value: str | None
    source: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per setting and line.")
def config(*, as_json: bool) -> None:
    """Print every setting with its effective value and its source; secrets are masked.

    \b
    Examples:
      custody config
      custody config --json | jq 'select(.source != "default")'
    """
    rows = effective(load(os.environ))
    if as_json:
        for row in rows:
            output.line_json({"name": row.name, "value": row.value, "source": row.source})
        return
    output.table(_COLUMNS, [{"name": r.name, "value": r.value, "source": r.source} for r in rows])


def effective(settings: Settings) -> list[Effective]:
    """Return every setting in page order."""
    in_environment = {name.upper() for name in os.environ}
    in_file = {name.upper() for name in dotenv_values(".env")}
    rows = []
    for name, path in names().items():
        value: object = settings
        for part in path:
            value = getattr(value, part)
        source = "default"
        if name in in_environment:
            source = "environment"
        elif name in in_file:
            source = ".env"
        # A SecretStr's text is asterisks already, whatever its length.
        rows.append(Effective(name, None if value is None else str(value), source))
    return rows
