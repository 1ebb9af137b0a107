"""``custody backtest``: what the core would have said of a history, and when."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO, cast

import click

from custody.errors import Refused, Unavailable
from custody.fold import Output
from custody.records import Alert, Balance
from producers.known import Known
from runtime.backtest import courses, history
from runtime.backtest.history import History, Line, recorded_at
from runtime.backtest.warehouse import kept_facts, raised_live
from runtime.cli import connect, output
from runtime.cli.main import FOUND
from runtime.client import JsonObject
from schemas import present

LIVE = "live"
_SHOWN_MAX = 50

Lines = click.File("r", encoding="utf-8")
_Written = click.Path(dir_okay=False, writable=True, path_type=Path)
Moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


class NoHistory(Refused):
    """Nothing says what to run over."""

    def __init__(self) -> None:
        super().__init__(
            "no history to run over",
            expected="--facts FILE, one request per line, or --from-warehouse",
            next_step="custody backtest --help",
        )


class NotWritten(Unavailable):
    """A file could not be written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: not written: {why}", next_step="choose another place")


class NoAlerts(Refused):
    """What is compared with holds no alert lines."""

    def __init__(self, name: str, no: int) -> None:
        super().__init__(
            f"{name}: line {no} is no alert",
            expected="lines as custody backtest --alerts writes them",
            next_step="custody schema alert",
        )


@click.command()
@click.option("--facts", type=Lines, multiple=True, help="Requests, one per line; - is input.")
@click.option("--reference", type=Lines, multiple=True, help="Reference records, likewise.")
@click.option("--from-warehouse", is_flag=True, help="Facts and references of the running stack.")
@click.option("--since", type=Moment, help="Of the warehouse: recorded at or after, UTC.")
@click.option("--until", type=Moment, help="Of the warehouse: recorded before, UTC.")
@click.option("--alerts", type=_Written, help="Write every version of every alert here.")
@click.option("--balances", type=_Written, help="Write the last balance of each account here.")
@click.option("--against", help="Alerts of another run, or 'live': what the stack has raised.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def backtest(  # noqa: PLR0913  options of one command
    *,
    facts: Sequence[IO[str]],
    reference: Sequence[IO[str]],
    from_warehouse: bool,
    since: datetime | None,
    until: datetime | None,
    alerts: Path | None,
    balances: Path | None,
    against: str | None,
    as_json: bool,
) -> int:
    """Run the books and all tests over a history, as the worker would, without Kafka.

    Lines are requests as ``custody publish`` takes them; ``recorded_at`` may stand beside, and
    decides the order (without it: occurred_at, of a reference valid_from). Repeats count once and
    the order of lines means nothing. Prints alerts by family with the time from the onset to the
    record that raised them. Exit 1 where a line was refused, or where --against differs.

    \b
    Examples:
      custody backtest --facts day.ndjson --alerts alerts.ndjson
      custody backtest --facts day.ndjson --reference plant.ndjson --balances books.ndjson
      custody backtest --facts day.ndjson --alerts new.ndjson --against alerts.ndjson
      custody backtest --from-warehouse --since 2026-11-01 --against live
    """
    # NumPy comes with an extra, and is not waited for where only help is asked.
    from custody.core import CustodyFold
    from runtime.backtest.replay import Replay

    if not facts and not from_warehouse:
        raise NoHistory
    told = kept(since, until) if from_warehouse else read([*reference, *facts])
    there = None if against is None else _other(against)
    found = _run(Replay(CustodyFold()).run(told.records), told, alerts, balances)
    families = courses.by_family(found.values())
    unlike = None if there is None else courses.differences(found, there)
    if as_json:
        _say_json(told, families, unlike)
    else:
        _say(told, families, unlike)
    return FOUND if told.refused or unlike else 0


def read(files: Sequence[IO[str]]) -> History:
    """Return requests of files as a history."""
    lines = [line for file in files for line in history.lines_of(file.name, file)]
    with output.progress("reading requests", len(lines)) as advance:
        return history.read(lines, Known(), advance)


def kept(since: datetime | None, until: datetime | None) -> History:
    """Return what the running stack has kept as a history; blocks."""
    with connect.warehouse() as warehouse, output.progress("reading facts", None) as advance:
        return history.of_records(kept_facts(warehouse, since, until, advance))


def _other(against: str) -> dict[str, courses.Course]:
    if against == LIVE:
        with connect.warehouse() as warehouse:
            return courses.courses(raised_live(warehouse))
    with click.open_file(against, encoding="utf-8") as file:
        return courses.of_lines(_alert_lines(history.lines_of(against, file)))


def _alert_lines(lines: Iterable[Line]) -> Iterator[JsonObject]:
    for line in lines:
        try:
            value = json.loads(line.text)
        except ValueError:
            value = None
        if not isinstance(value, dict) or not {"alert_id", "version", "state"} <= value.keys():
            raise NoAlerts(line.file, line.no)
        yield value


def _run(
    steps: Iterable[Sequence[Output]], told: History, alerts: Path | None, balances: Path | None
) -> dict[str, courses.Course]:
    """Run the core over a history; write what was asked for; return what became of alerts."""
    said: list[Alert] = []
    last: dict[str, Balance] = {}
    with ExitStack() as stack:
        out = None if alerts is None else stack.enter_context(opened(alerts))
        advance = stack.enter_context(output.progress("applying facts", len(told.records)))
        for outputs in steps:
            new = _alerts(outputs)
            said.extend(new)
            if out is not None:
                out.writelines(_json(present.alert_line(one)) for one in new)
            if balances is not None:
                last.update({one.account: one for one in outputs if isinstance(one, Balance)})
            advance(1)
    if balances is not None:
        complete_to = max((recorded_at(one) for one in told.records), default=None)
        with opened(balances) as file:
            file.writelines(
                _json(present.balance_line(last[account], complete_to)) for account in sorted(last)
            )
    return courses.courses(said)


def _alerts(outputs: Iterable[Output]) -> list[Alert]:
    return [one for one in outputs if isinstance(one, Alert)]


def opened(path: Path) -> IO[str]:
    """Open a file to write.

    Raises:
        NotWritten: It cannot be opened.
    """
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise NotWritten(path, error.strerror or str(error)) from error


def _json(line: JsonObject) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


def say_refused(told: History) -> None:
    """Say which lines were refused, and why."""
    for line, answer in told.refused[:_SHOWN_MAX]:
        where = f"{line.file}:{line.no}"
        output.talk(f"{where}: {answer['code']} {answer['field'] or ''}: {answer['found']}")
    if len(told.refused) > _SHOWN_MAX:
        output.talk(f"... and {len(told.refused) - _SHOWN_MAX} more refused; --json shows all")


def _say(told: History, families: list[JsonObject], unlike: list[JsonObject] | None) -> None:
    say_refused(told)
    output.table(_FAMILIES, families)
    for one in unlike or []:
        output.result(" ".join(str(one[k]) for k in ("difference", "subject", "family", "rule")))
    if unlike is not None and not unlike:
        output.result("no difference")
    output.result(_totals(told, families))


def _totals(told: History, families: list[JsonObject]) -> str:
    standing = sum(cast("int", row["standing"]) for row in families)
    parts = [f"{len(told.records)} records", f"{told.repeated} repeated"]
    if told.differing:
        parts.append(f"{told.differing} with other content under a known id")
    parts += [f"{len(told.refused)} refused", f"{standing} alerts stand"]
    return ", ".join(parts)


def _say_json(told: History, families: list[JsonObject], unlike: list[JsonObject] | None) -> None:
    for line, answer in told.refused:
        output.line_json({"record": "refused", "file": line.file, "line": line.no, **answer})
    for row in families:
        output.line_json({"record": "family", **row})
    for row in unlike or []:
        output.line_json({"record": "difference", **row})
    output.line_json(
        {
            "record": "run",
            "records": len(told.records),
            "repeated": told.repeated,
            "differing": told.differing,
            "refused": len(told.refused),
        }
    )


def _hours(key: str) -> output.Column:
    return output.number(f"{key.split('_')[1]} h", key, digits=2, divisor=3600.0)


_FAMILIES = (
    output.text("family", "family"),
    output.text("rule", "rule"),
    output.number("standing", "standing"),
    output.number("taken back", "taken_back"),
    _hours("delay_p50_s"),
    _hours("delay_p90_s"),
)
