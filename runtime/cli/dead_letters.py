"""``custody dead-letters``: records that could not be read."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import click

from custody.errors import Refused
from runtime import wiring
from runtime.cli import complete_to, connect, output
from runtime.cli.main import FOUND
from runtime.client import JsonObject, Warehouse
from runtime.settings import load
from schemas import topics
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
      custody dead-letters replay --reason unknown_schema     what would be taken now
    """


_of_reason = click.option(
    "--reason", type=click.Choice(symbols("dead_letter", "reason")), help="Only of this reason."
)


@dead_letters.command("list")
@_of_reason
@click.option("--limit-rows", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per dead letter.")
def dead_letters_list(reason: str | None, limit_rows: int, *, as_json: bool) -> None:
    """List dead letters, the latest record first. Exit 0, whatever is listed.

    \b
    Examples:
      custody dead-letters list --limit-rows 5
      custody dead-letters list --reason wrong_partition
    """
    with connect.warehouse() as warehouse:
        rows, total = latest_dead_letters(warehouse.rows, reason or "", limit_rows)
        complete_to.say(warehouse)
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
    """Show one dead letter with its key, headers and bytes. Exit 2 where there is none there.

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


@dead_letters.command("replay")
@click.argument("places", metavar="[TOPIC/PARTITION/OFFSET]...", nargs=-1)
@_of_reason
@click.option("--send", is_flag=True, help="Send what can be read now; without it nothing is sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per dead letter.")
def dead_letters_replay(
    places: Sequence[str], reason: str | None, *, send: bool, as_json: bool
) -> int:
    """Say what would become of dead letters sent again; with --send, send what can be read now.

    All of them, in the order of their places, or those named. A dry run unless --send is given.
    readable: worker and sink would take it. stored: what it says has a row. unreadable: it would be
    a dead letter again. by_number: it is of a topic between workers, whose receivers would drop it.
    Sending twice is harmless. --send needs an account that may write where the record stood.
    Exit 1 where one is unreadable or by_number.

    \b
    Examples:
      custody dead-letters replay
      custody dead-letters replay --reason unknown_schema --send
      custody dead-letters replay custody.fact.v1/3/88121 --send --json
    """
    for place in places:
        _place(place)
    counts: Counter[str] = Counter()
    missing = set(places)
    for lines in _replayed(places, reason or "", send=send):
        missing -= {str(one["place"]) for one in lines}
        counts.update(str(one["result"]) for one in lines)
        for one in lines:
            _say(one, as_json=as_json)
    if missing:
        raise UnknownDeadLetter(min(missing))
    totals = ", ".join(f"{what} {count:,}" for what, count in sorted(counts.items()))
    said = f"{counts.total():,} dead letters: {totals or 'none'}"
    output.talk(said if send else f"{said}; nothing was sent (--send sends what is readable)")
    return FOUND if counts["unreadable"] or counts["by_number"] else 0


def _replayed(
    places: Sequence[str], reason: str, *, send: bool
) -> Iterator[list[dict[str, object]]]:
    """Yield what became, or would become, of dead letters, some at a time."""
    # Here: the reader needs NumPy, and a gateway lists dead letters without it.
    from runtime import replay
    from runtime.ends import ends
    from schemas.registry import RegistryCatalog

    settings = load(os.environ)
    kafka = wiring.kafka_options(settings, wiring.bootstrap(settings))
    partitions = {t: len(p) for t, p in ends(kafka, [t.name for t in topics.TOPICS]).items()}
    resender = replay.Resender(kafka) if send else None
    url = wiring.registry_url(settings)
    with connect.warehouse() as warehouse, RegistryCatalog(url) as catalog:
        for found in replay.letters(warehouse.rows, reason, places):
            verdicts = replay.judged(found, partitions, catalog, warehouse.rows)
            if resender is not None:
                verdicts = resender.send(verdicts)
            yield [replay.line(verdict) for verdict in verdicts]


def _say(one: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        output.line_json(one)
        return
    what = " ".join(str(one[key]) for key in ("stem", "event_id", "detail") if one[key])
    output.result(f"{one['result']:<11}{one['place']}  was {one['reason']}  {what}".rstrip())
