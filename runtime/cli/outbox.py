"""``custody outbox``: what a gateway holds, whether it runs or not."""

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import cast

import click

from custody.errors import CustodyError
from custody.events import Micros
from producers import refused_share, view
from producers.view import State, View
from runtime.cli import output
from runtime.exported import row_of
from runtime.moment import time_of
from runtime.settings import load
from runtime.wiring import data_dir
from schemas.present import rfc3339

_LIMIT_LINES = 50


@click.group()
def outbox() -> None:
    """The gateway's outbox, read from its file: also while the gateway runs, or cannot.

    \b
    Examples:
      custody outbox status
      custody outbox list --waiting
      custody outbox export --out waiting.ndjson
    """


@outbox.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def outbox_status(*, as_json: bool) -> None:
    """Show what waits, since when, for which partitions, and how full the outbox is.

    \b
    Examples:
      custody outbox status
      custody outbox status --json | jq .waiting
    """
    settings = load(os.environ)
    with view.opened(data_dir(settings).gateway) as opened:
        state = opened.state()
    bytes_max = settings.gateway.outbox_bytes_max
    if as_json:
        output.line_json(_status(state, bytes_max))
    else:
        _show(state, bytes_max)


@outbox.command("list")
@click.option("--waiting/--published", default=None, help="Only these; both by default.")
@click.option("--since", metavar="TIME", help="Only records taken from then on.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=_LIMIT_LINES, show_default=True, help="At most."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record and line.")
def outbox_list(*, waiting: bool | None, since: str | None, limit: int, as_json: bool) -> None:
    """List records, the latest first; published ones are kept for seven days.

    \b
    Examples:
      custody outbox list --waiting
      custody outbox list --since 2026-11-03T06:00:00+02:00 --limit 500 --json
    """
    from_then = Micros(0) if since is None else time_of(since, "--since")
    with view.opened(data_dir(load(os.environ)).gateway) as opened:
        lines = opened.lines(waiting=waiting, since=from_then, limit=limit)
    rows = [_line(asdict(line)) for line in lines]
    if as_json:
        for row in rows:
            output.line_json(row)
    else:
        output.table(_COLUMNS, rows)


@outbox.command("export")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file."
)
@click.option("--all", "every", is_flag=True, help="Published records too, as far as kept.")
def outbox_export(*, out: Path, every: bool) -> None:
    """Write what waits into a file of JSON lines, to be read or carried where there is no line.

    Each line has the record as Kafka would get it (key, headers, body) and what it says. It is a
    copy: the outbox keeps what waits, and publishes it when the line is back. custody publish
    takes the file at any gateway: each record under its own event id, numbered and chained by
    the gateway that takes it; one that arrives on both ways counts once. To keep numbers and
    chain, carry the outbox itself (docs/gateway.md).

    \b
    Example:
      custody outbox export --out /media/stick/waiting.ndjson
      custody publish /media/stick/waiting.ndjson      # at a gateway with a line
    """
    with view.opened(data_dir(load(os.environ)).gateway) as opened:
        count = _write(out, opened, every=every)
    output.result(f"{count:,} records in {out}")


def _status(state: State, bytes_max: int) -> dict[str, object]:
    limit_bytes = refused_share.records_limit_bytes(bytes_max)
    oldest = min((one.oldest_at for one in state.waiting), default=None)
    return {
        "gateway_id": state.gateway_id,
        "gateway_epoch": state.epoch,
        "gateway_seq": state.seq,
        "digest": state.digest.hex(),
        "waiting": sum(one.count for one in state.waiting),
        "oldest_waiting_at": _time(oldest),
        "last_recorded_at": _time(state.recorded_at or None),
        "last_head_at": _time(state.head_at),
        "heads_waiting": state.heads_waiting,
        "published_kept": state.kept,
        "refused_kept": state.refused,
        "refused_bytes": state.refused_bytes,
        "refused_limit_bytes": refused_share.limit_bytes(bytes_max),
        "refused_unkept": state.refused_unkept,
        "refused_full": refused_share.is_full(state.refused_bytes, bytes_max),
        "used_bytes": state.used_bytes,
        "limit_bytes": limit_bytes,
        "used_share": round(state.used_bytes / limit_bytes, 4),
        "file_bytes": state.file_bytes,
        "partitions": [asdict(one) | {"oldest_at": _time(one.oldest_at)} for one in state.waiting],
    }


def _show(state: State, bytes_max: int) -> None:
    status = _status(state, bytes_max)
    refused_limit = refused_share.limit_bytes(bytes_max)
    rows = {
        "gateway": f"{state.gateway_id}, epoch {state.epoch}, seq {state.seq:,}",
        "waiting": f"{status['waiting']:,}",
        "oldest waiting": status["oldest_waiting_at"] or "-",
        "last record": status["last_recorded_at"] or "-",
        "last head": f"{status['last_head_at'] or '-'}, {state.heads_waiting:,} waiting",
        "published, kept": f"{state.kept:,}",
        "refused, kept": f"{state.refused:,}, {_share(state.refused_bytes, refused_limit)}",
        "refused, not kept": f"{state.refused_unkept:,}",
        "used": _share(state.used_bytes, refused_share.records_limit_bytes(bytes_max)),
        "on disk": f"{state.file_bytes / 1e6:,.2f} MB",
    }
    for name, value in rows.items():
        output.result(f"{name:<19}{value}")
    if status["refused_full"]:
        output.talk("refused requests are not kept any more: custody refused drop makes room")
    if state.waiting:
        output.result("")
        output.table(_PARTITIONS, cast("list[dict[str, object]]", status["partitions"]))


def _share(used_bytes: int, limit_bytes: int) -> str:
    share = used_bytes / limit_bytes
    return f"{used_bytes / 1e6:,.2f} of {limit_bytes / 1e6:,.0f} MB ({share:.1%})"


_PARTITIONS = (
    output.text("topic", "topic"),
    output.text("partition", "partition", right=True),
    output.number("waiting", "count"),
    output.number("first no", "first_no"),
    output.text("oldest (UTC)", "oldest_at"),
)

_COLUMNS = (
    output.text("no", "no", right=True),
    output.text("seq", "gateway_seq", right=True),
    output.text("type", "type"),
    output.text("event id", "event_id"),
    output.Column("place", lambda row: f"{row['topic']}/{row['partition']}"),
    output.text("accepted (UTC)", "accepted_at"),
    output.text("published (UTC)", "published_at"),
    output.text("offset", "offset", right=True),
    output.text("bytes", "body_bytes", right=True),
)


def _line(row: dict[str, object]) -> dict[str, object]:
    return {
        "no": row["no"],
        "gateway_epoch": row["epoch"],
        "gateway_seq": row["seq"],
        "type": row["stem"],
        "event_id": row["event_id"],
        "topic": row["topic"],
        "partition": row["partition"],
        "accepted_at": _time(cast("Micros", row["accepted_at"])),
        "published_at": _time(cast("Micros | None", row["published_at"])),
        "offset": row["offset"],
        "body_bytes": row["bytes"],
    }


def _write(out: Path, opened: View, *, every: bool) -> int:
    """Write the records so that a stop leaves no half file under the name; return how many."""
    gateway_id = opened.state().gateway_id
    fresh, count = out.with_name(out.name + ".part"), 0
    try:
        with fresh.open("w", encoding="utf-8", newline="\n") as file:
            for epoch, entry in opened.entries(every=every):
                row = row_of(epoch, entry, gateway_id)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(out)
    except OSError as error:
        raise NotWritten(out, error) from error
    finally:
        # On a full disk the half that fitted takes the last of the room; once renamed it is gone.
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return count


class NotWritten(CustodyError):
    """The file of an export cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path}: {error.strerror or error}",
            expected="a place with room that may be written",
            next_step="name another with --out",
        )


def _time(at: Micros | None) -> str | None:
    return None if at is None else rfc3339(at)
