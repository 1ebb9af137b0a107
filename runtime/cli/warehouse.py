"""Commands of whoever asks what is so: alerts, sql, dead-letters."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import click

from custody.errors import Refused
from custody.records import Alert
from runtime.cli import connect, output
from runtime.cli.figures import measured
from runtime.client import JsonObject, Warehouse
from runtime.stored import record_of
from schemas import avro, present


def _symbols(stem: str, field: str) -> list[str]:
    """Return the closed list of an enum field, as its Avro schema has it."""
    [found] = [f for f in avro.schema(stem)["fields"] if f["name"] == field]
    return [str(symbol) for symbol in found["type"]["symbols"]]


class UnknownDeadLetter(Refused):
    """There is no dead letter of that place."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"no dead letter of {place}",
            expected="the place of a record that could not be read, TOPIC/PARTITION/OFFSET",
            next_step="custody dead-letters list",
        )


@click.command()
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@click.option(
    "--family", type=click.Choice(_symbols("alert", "family")), help="Only of this family."
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

    One table per kind of record, in the database custody; v_lot_balance, v_alerts, v_transfers,
    v_dead_letters and events_all are views for the questions asked most. A view with parameters,
    such as v_stock_at(at, known_at), answers for any time.

    \b
    Examples:
      custody sql "SELECT count() FROM weighing"
      custody sql "SELECT * FROM v_lot_balance WHERE lot_id = {lot:String}" --param lot=L-24-0117
      custody sql "SELECT * FROM v_transfers" --format Parquet > transfers.parquet
    """
    values = _params(params)
    text = click.get_text_stream("stdin").read() if query == "-" else query
    with connect.warehouse() as warehouse:
        body = warehouse.sql(text, "JSONEachRow" if as_json else format_name, values)
    sys.stdout.buffer.write(body)


def _params(params: Sequence[str]) -> dict[str, str]:
    values = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name.isidentifier():
            message = f"{param!r} is not NAME=VALUE"
            raise click.BadParameter(message, param_hint="--param")
        values[name] = value
    return values


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that could not be read: their bytes, the reason, the place.

    \b
    Examples:
      custody dead-letters list
      custody dead-letters show custody.fact.v1/3/88121
    """


@dead_letters.command("list")
@click.option(
    "--reason", type=click.Choice(_symbols("dead_letter", "reason")), help="Only of this reason."
)
@click.option("--limit-rows", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per dead letter.")
def dead_letters_list(reason: str | None, limit_rows: int, *, as_json: bool) -> None:
    """List dead letters, the latest record first.

    \b
    Examples:
      custody dead-letters list --limit-rows 5
      custody dead-letters list --reason wrong_partition
    """
    with connect.warehouse() as warehouse:
        rows, total = latest_dead_letters(warehouse.rows, reason or "", limit_rows)
    if as_json:
        for row in rows:
            output.line_json(row)
        return
    output.table(_DEAD_LETTER_COLUMNS, rows)
    limited = f"{len(rows)} of " if len(rows) < total else ""
    output.result(f"{limited}{total} dead letters")


def latest_dead_letters(
    ask: Callable[[str, Mapping[str, str]], list[JsonObject]], reason: str, limit_rows: int
) -> tuple[list[JsonObject], int]:
    """Return dead letters, those of the latest records first, and how many there are in all.

    Args:
        ask: Runs SQL with parameters and returns its rows.
        reason: Only of this reason; empty for all.
        limit_rows: At most so many are returned.
    """
    wanted = {"reason": reason}
    rows = ask(_DEAD_LETTERS, wanted | {"limit": str(limit_rows)})
    [counted] = ask(_DEAD_LETTER_COUNT, wanted)
    # One may have come between the two questions.
    return rows, max(int(str(counted["dead_letters"])), len(rows))


_DEAD_LETTERS = """
SELECT topic, partition, offset, timestamp, reason, detail, hex(key) AS key_hex,
    length(value) AS value_bytes
FROM custody.v_dead_letters
WHERE {reason:String} = '' OR reason = {reason:String}
ORDER BY timestamp DESC, offset DESC, topic, partition
LIMIT {limit:UInt32}
"""

_DEAD_LETTER_COUNT = """
SELECT count() AS dead_letters FROM custody.v_dead_letters
WHERE {reason:String} = '' OR reason = {reason:String}
"""

_DEAD_LETTER_COLUMNS = (
    output.text("time (UTC)", "timestamp"),
    output.Column("place", lambda row: f"{row['topic']}/{row['partition']}/{row['offset']}"),
    output.text("reason", "reason"),
    output.number("value bytes", "value_bytes"),
    output.text("detail", "detail"),
)


@dead_letters.command("show")
@click.argument("place", metavar="TOPIC/PARTITION/OFFSET")
@click.option("--raw", is_flag=True, help="Write the record's value as it was, bytes and no more.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; bytes in hexadecimal.")
def dead_letters_show(place: str, *, raw: bool, as_json: bool) -> None:
    """Show one dead letter with its key, headers and bytes.

    \b
    Examples:
      custody dead-letters show custody.fact.v1/3/88121
      custody dead-letters show custody.fact.v1/3/88121 --raw | xxd | head
    """
    topic, partition, offset = _place(place)
    with connect.warehouse() as warehouse:
        row = _dead_letter(warehouse, topic, partition, offset)
    if row is None:
        raise UnknownDeadLetter(place)
    value = bytes.fromhex(str(row["value_hex"]))
    if raw:
        sys.stdout.buffer.write(value)
    elif as_json:
        output.line_json(row)
    else:
        for key in ("topic", "partition", "offset", "timestamp", "reason", "detail", "headers"):
            output.result(f"{key:<10} {row[key]}")
        output.result(f"{'key':<10} {bytes.fromhex(str(row['key_hex']))!r}")
        output.result(f"{'value':<10} {len(value)} bytes")
        for at in range(0, min(len(value), 1024), 32):
            output.result(f"  {at:06x}  {value[at : at + 32].hex(' ', 4)}")


def _place(place: str) -> tuple[str, str, str]:
    parts = place.split("/")
    if len(parts) != 3 or not parts[1].isdigit() or not parts[2].isdigit():
        message = f"{place!r} is not TOPIC/PARTITION/OFFSET"
        raise click.BadParameter(message, param_hint="PLACE")
    return parts[0], parts[1], parts[2]


def _dead_letter(
    warehouse: Warehouse, topic: str, partition: str, offset: str
) -> JsonObject | None:
    rows = warehouse.rows(
        "SELECT topic, partition, offset, timestamp, reason, detail, hex(key) AS key_hex,"
        " hex(value) AS value_hex,"
        " mapFromArrays(header_names, arrayMap(v -> hex(v), header_values)) AS headers"
        " FROM custody.v_dead_letters WHERE topic = {topic:String}"
        " AND partition = {partition:Int32} AND offset = {offset:Int64}",
        {"topic": topic, "partition": partition, "offset": offset},
    )
    return rows[0] if rows else None
