"""Commands of whoever asks what is so: alerts, sql."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import click

from custody.records import Alert
from runtime.cli import complete_to, connect, output
from runtime.cli.figures import measured
from runtime.stored import record_of
from schemas import present
from schemas.avro import symbols


@click.command()
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@click.option(
    "--family", type=click.Choice(symbols("alert", "family")), help="Only of this family."
)
@click.option("--lot", "lot_id", help="Only of this lot.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Only raised at or after this time, UTC.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per alert.")
def alerts(
    *,
    only_open: bool,
    family: str | None,
    lot_id: str | None,
    since: datetime | None,
    as_json: bool,
) -> None:
    """List alerts, each in its latest version, oldest first.

    Those of family ledger are findings of exact rules: docs/findings.md says of each what it means,
    what it rests on and what to do. With --json, reason says it with its figures.

    \b
    Examples:
      custody alerts --open
      custody alerts --open --family ledger
      custody alerts --family loss --since 2026-11-03 --json
    """
    wanted = {
        "state": "open" if only_open else "",
        "family": family or "",
        "lot": lot_id or "",
        "since": f"{since or _EPOCH:%Y-%m-%d %H:%M:%S}",
    }
    with connect.warehouse() as warehouse:
        rows = warehouse.rows(_ALERTS, wanted)
        complete_to.say(warehouse)
    if as_json:
        for row in rows:
            output.line_json(present.alert_line(cast("Alert", record_of("alert", row))))
        return
    output.table(_ALERT_COLUMNS, rows)
    output.result(f"{len(rows)} alerts")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ALERTS = """
SELECT * EXCEPT (key, prev, digest, value)
FROM (SELECT * FROM custody.alert ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id)
WHERE ({state:String} = '' OR state = {state:String})
    AND ({family:String} = '' OR family = {family:String})
    AND ({lot:String} = '' OR lot_id = {lot:String})
    AND raised_at >= {since:DateTime64(6, 'UTC')}
ORDER BY raised_at, alert_id
"""


def _finding(row: Mapping[str, object]) -> str:
    """Name an exact rule; a test is named by its family."""
    return str(row["rule"] if row["statistic"] == "rule" else row["family"])


def _size(row: Mapping[str, object]) -> str:
    if row["statistic"] == "rule":
        return "-"
    return measured(float(str(row["size"])), float(str(row["size_u"])), str(row["unit"]))


_ALERT_COLUMNS = (
    output.Column("raised (UTC)", lambda row: str(row["raised_at"])[:19]),
    output.text("state", "state"),
    output.text("severity", "severity"),
    output.Column("finding", _finding),
    output.text("subject", "subject"),
    output.text("movement", "movement_id"),
    output.Column("size ± u", _size, right=True),
    output.text("alert", "alert_id"),
    output.text("reason", "reason"),
)


@click.command()
@click.argument("query")
@click.option(
    "--format",
    "format_name",
    default="PrettyCompact",
    show_default=True,
    help="A format of ClickHouse: CSVWithNames, TSV, Vertical, Markdown, Parquet, ArrowStream, ...",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format JSONEachRow.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of {NAME:Type}."
)
def sql(query: str, format_name: str, params: Sequence[str], *, as_json: bool) -> None:
    """Run one SELECT over the warehouse; QUERY - is read from standard input.

    Views begin with v_: v_events, v_weighings, v_lot_balance, v_stock, v_alerts and others.
    v_columns says what each column means, docs/analysts.md what to ask them. A view with
    parameters, such as v_stock_at(at, known_at), answers for any time. On standard error stands
    up to when everything recorded is in the answer.

    \b
    Examples:
      custody sql "SELECT site_id, sum(net_kg) FROM v_weighings GROUP BY site_id"
      custody sql "SELECT * FROM v_lot_balance WHERE lot_id = {lot:String}" --param lot=L-24-0117
      custody sql "SELECT * FROM v_transfers" --format Parquet > transfers.parquet
    """
    values = named_values(params)
    text = click.get_text_stream("stdin").read() if query == "-" else query
    with connect.warehouse() as warehouse:
        body = warehouse.sql(text, "JSONEachRow" if as_json else format_name, values)
        sys.stdout.buffer.write(body)
        complete_to.say(warehouse)


def named_values(params: Sequence[str]) -> dict[str, str]:
    """Return the values of NAME=VALUE by name."""
    values = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name.isidentifier():
            message = f"{param!r} is not NAME=VALUE"
            raise click.BadParameter(message, param_hint="--param")
        values[name] = value
    return values
