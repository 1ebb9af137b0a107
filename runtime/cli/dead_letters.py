"""``custody dead-letters``: records that could not be read."""

import sys
from collections.abc import Callable, Mapping

import click

from custody.errors import Refused
from runtime.cli import connect, output
from runtime.client import JsonObject, Warehouse
from schemas.avro import symbols


class UnknownDeadLetter(Refused):
    """There is no dead letter of that place."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"no dead letter of {place}",
            expected="the place of a record that could not be read, TOPIC/PARTITION/OFFSET",
            next_step="custody dead-letters list",
        )


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
    "--reason", type=click.Choice(symbols("dead_letter", "reason")), help="Only of this reason."
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
