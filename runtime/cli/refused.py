"""``custody refused``: what the gateway did not take, and sending it again once it is mended."""

import json
import os
from collections.abc import Sequence
from typing import IO

import click

from custody.errors import Refused
from custody.events import Micros
from producers import refused_drop, resent, view
from producers.outcome import Code
from producers.view import Kept
from runtime.cli import connect, output, texts
from runtime.cli.main import FOUND
from runtime.client import JsonObject, as_object
from runtime.mending import is_whole, mended, text_of
from runtime.moment import now, time_of
from runtime.settings import load
from runtime.wiring import data_dir
from schemas.present import rfc3339

_LIMIT_LINES = 50
_SHOWN_CHARS = 60


class UnknownRefusal(Refused):
    """No refused request has this number."""

    def __init__(self, no: int) -> None:
        super().__init__(
            f"no refused request {no} is kept",
            expected="a number as custody refused list shows it; they are kept 90 days",
        )


@click.group()
def refused() -> None:
    """Requests the gateway refused: kept 90 days with sender, reason and body.

    \b
    Examples:
      custody refused list --code net_mismatch
      custody refused show 17
      custody refused resend 17 --set net_kg=30000
    """


@refused.command("list")
@click.option(
    "--code",
    "codes",
    type=click.Choice([code.value for code in Code]),
    multiple=True,
    metavar="CODE",
    help="Only this reason; may be given again.",
)
@click.option("--since", metavar="TIME", help="Only requests from then on.")
@click.option("--open", "only_open", is_flag=True, help="Only those that were not sent again.")
@click.option("--sender", default="", help="Only senders with this in their name.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=_LIMIT_LINES, show_default=True, help="At most."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per request and line.")
def refused_list(
    *,
    codes: tuple[str, ...],
    since: str | None,
    sender: str,
    limit: int,
    only_open: bool,
    as_json: bool,
) -> None:
    """List refused requests, the latest first, and what came of those that were sent again.

    Open is what nobody has sent again with custody refused resend. One that was refused a second
    time is not: it is kept anew, under a number of its own, and that one is open. Where there are
    more than --limit, standard error says so. Exit 0, whatever is listed.

    \b
    Examples:
      custody refused list --open
      custody refused list --since 2026-11-03 --json | jq -r .no
    """
    from_then = Micros(0) if since is None else time_of(since, "--since")
    with view.opened(data_dir(load(os.environ)).gateway) as opened:
        found = opened.refused(
            codes=codes, sender=sender, since=from_then, limit=limit + 1, only_open=only_open
        )
    rows = [_row(one) for one in found[:limit]]
    if as_json:
        for row in rows:
            output.line_json(row)
    else:
        output.table(_COLUMNS, rows)
    if len(found) > limit:
        output.talk(f"only the latest {limit}: there are more (--limit)")


@refused.command("show")
@click.argument("no", type=int)
@click.option("--raw", is_flag=True, help="Write the request as it is kept, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def refused_show(no: int, *, raw: bool, as_json: bool) -> None:
    """Show a refused request: who sent it, why it was not taken, and its body.

    \b
    Examples:
      custody refused show 17
      custody refused show 17 --raw > mended.json
    """
    [one] = _kept([no])
    text = one.body.decode("utf-8", "replace")
    if raw:
        output.result(text)
    elif as_json:
        output.line_json(_row(one) | {"body": text})
    else:
        for name, value in _row(one).items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            output.result(f"{name:<15}{shown}")
        output.result(text)


@refused.command("resend")
@click.argument("numbers", metavar="NO...", type=int, nargs=-1, required=True)
@click.option(
    "--set",
    "changes",
    metavar="FIELD=VALUE",
    multiple=True,
    help="Change a field; a.0.b leads into objects and lists, no value takes it out.",
)
@click.option("--edit", type=texts.TEXT, help="Send FILE in its place.")
@click.option("--backfill", is_flag=True, help="Take events older than five years.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per request and line.")
def refused_resend(
    numbers: tuple[int, ...],
    *,
    changes: tuple[str, ...],
    edit: IO[str] | None,
    backfill: bool,
    as_json: bool,
) -> int:
    """Send refused requests to the running gateway again, as they are kept or mended.

    One that was taken in the meantime is answered as duplicate. custody refused list then says
    when each was sent again, and with what result. Exit 1 where one is refused again;
    it is then kept again, under a number of its own.

    \b
    Examples:
      custody refused resend 17 --set net_kg=30000
      custody refused resend 17 18 19 --set site_id=MINE-KOV
      custody refused show 17 --raw > mended.json
      custody refused resend 17 --edit mended.json
    """
    if edit is not None and len(numbers) > 1:
        message = "takes the place of one request, and several are named"
        raise click.BadParameter(message, param_hint="--edit")
    found = _kept(numbers)
    texts = [text_of(one) for one in found] if edit is None else [edit.read()]
    sent = [mended(text, changes) for text in texts]
    with connect.gateway() as gateway:
        answers = gateway.publish_texts(sent, {"backfill": "true"} if backfill else None)
    refused_again = False
    results = [str(answer.get("result")) for answer in answers]
    for no, answer in zip(numbers, answers, strict=True):
        refused_again |= answer.get("result") == "refused"
        if as_json:
            output.line_json({"no": no, **answer})
        else:
            output.result(f"{no}  {_said(answer)}")
    # After the answers are shown: they are what was asked for, and hold whether noted or not.
    directory = data_dir(load(os.environ)).gateway
    resent.note(directory, list(zip(numbers, results, strict=True)), now())
    return FOUND if refused_again else 0


@refused.command("drop")
@click.argument("numbers", metavar="[NO]...", type=int, nargs=-1)
@click.option("--before", metavar="TIME", help="Only what was refused before then.")
@click.option("--all", "every", is_flag=True, help="All of them, whenever they were refused.")
@click.option("--delete", is_flag=True, help="Drop them; without it nothing is dropped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def refused_drop_command(
    numbers: tuple[int, ...], *, before: str | None, every: bool, delete: bool, as_json: bool
) -> None:
    """Say what dropping refused requests would free; with --delete, drop them.

    Those named, those from before a time, or all: one of the three. A dry run unless --delete is
    given; what is dropped can neither be shown nor sent again. Makes room at once, also while the
    gateway runs: where the share of refused requests is full, it keeps no further ones.

    \b
    Examples:
      custody refused drop --before 2026-11-03
      custody refused drop --before 2026-11-03 --delete
      custody refused drop 17 18 --delete --json
    """
    if [bool(numbers), before is not None, every].count(True) != 1:
        message = "name requests by NO, or give --before TIME, or --all: one of the three"
        raise click.UsageError(message)
    _kept(numbers)
    choice = refused_drop.Choice(numbers, None if before is None else time_of(before, "--before"))
    directory = data_dir(load(os.environ)).gateway
    with view.opened(directory) as opened:
        count, size_bytes = refused_drop.chosen(opened, choice)
    if delete:
        count = refused_drop.drop(directory, choice)
    if as_json:
        output.line_json({"requests": count, "bytes": size_bytes, "dropped": delete})
        return
    output.result(f"{count:,} refused requests, {size_bytes / 1e6:,.2f} MB")
    output.talk("dropped" if delete else "nothing was dropped (--delete drops them)")


def _kept(numbers: Sequence[int]) -> list[Kept]:
    """Return refused requests by their numbers.

    Raises:
        UnknownRefusal: One is not kept.
    """
    found = []
    with view.opened(data_dir(load(os.environ)).gateway) as opened:
        for no in numbers:
            one = opened.refused_one(no)
            if one is None:
                raise UnknownRefusal(no)
            found.append(one)
    return found


def _row(one: Kept) -> JsonObject:
    """Return a refused request without its body; the reason is the answer its sender got."""
    answer = as_object(json.loads(one.reason))
    return {
        "no": one.no,
        "at": rfc3339(one.at),
        "sender": one.sender,
        "code": one.code,
        "field": answer.get("field"),
        "found": answer.get("found"),
        "allowed": answer.get("allowed"),
        "body_bytes": len(one.body),
        "whole": is_whole(one),
        "resent_at": None if one.resent_at is None else rfc3339(one.resent_at),
        "resent_result": one.resent_result,
    }


def _said(answer: JsonObject) -> str:
    """Return an answer as a line."""
    names = ("result", "event_id", "gateway_seq", "code", "field", "found", "allowed", "warnings")
    values = [answer[name] for name in names if answer.get(name)]
    return "  ".join(v if isinstance(v, str) else json.dumps(v) for v in values)


def _short(key: str) -> output.Column:
    return output.Column(
        key, lambda row: "" if row.get(key) is None else str(row[key])[:_SHOWN_CHARS]
    )


_COLUMNS = (
    output.text("no", "no", right=True),
    output.text("at (UTC)", "at"),
    output.text("sender", "sender"),
    output.text("code", "code"),
    _short("field"),
    _short("found"),
    _short("allowed"),
    output.text("bytes", "body_bytes", right=True),
    output.Column("sent again (UTC)", lambda row: str(row["resent_at"] or "")),
    output.Column("as", lambda row: str(row["resent_result"] or "")),
)
