"""``custody backtest``: what the core would have said of a history, and when."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import click

from custody.errors import Refused
from custody.fold import Output
from custody.records import Alert, Balance
from runtime.backtest import courses, history
from runtime.backtest.history import History, Line, recorded_at
from runtime.backtest.supposed import KIND, Setting, settings_of, supposing
from runtime.backtest.warehouse import raised_live
from runtime.cli import connect, histories, output, telling, texts
from runtime.cli.main import FOUND
from runtime.client import JsonObject
from schemas import present

LIVE = "live"


class NoAlerts(Refused):
    """What is compared with holds no alert lines."""

    def __init__(self, name: str, no: int) -> None:
        super().__init__(
            f"{name}: line {no} is no alert",
            expected="lines as custody backtest --alerts writes them",
            next_step="custody schema alert",
        )


@click.command()
@histories.options
@click.option("--alerts", type=histories.Written, help="Write every version of every alert here.")
@click.option(
    "--balances", type=histories.Written, help="Write the last balance of each account here."
)
@click.option("--against", help="Alerts of another run, or 'live': what the stack has raised.")
@telling.options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def backtest(
    *,
    source: histories.Source,
    alerts: Path | None,
    balances: Path | None,
    against: str | None,
    how: telling.Telling,
    as_json: bool,
) -> int:
    """Run the books and all tests over a history, as the worker would, without Kafka.

    Lines are requests as ``custody publish`` takes them; ``recorded_at`` may stand beside, and
    decides the order (without it: occurred_at, of a reference valid_from). Repeats count once and
    the order of lines means nothing. Facts are told minute by minute and the shots of a series
    together; where that says something of an alert they are told again one by one, so an alert is
    dated to the record that raised it. Files are the same for any number of processes.

    Prints alerts by family with the time from the onset to the record that raised them. Exit 1
    where a line was refused, or where --against differs. --set puts a value into the detection
    record that all lots are tested by, at any time, for this run alone.

    \b
    Examples:
      custody backtest --facts day.ndjson --alerts alerts.ndjson
      custody backtest --facts day.ndjson --reference plant.ndjson --balances books.ndjson
      custody backtest --facts day.ndjson --alerts new.ndjson --against alerts.ndjson
      custody backtest --facts day.ndjson --set detection.threshold=50 --against alerts.ndjson
      custody backtest --from-warehouse --since 2026-11-01 --against live
    """
    # NumPy comes with an extra, and is not waited for where only help is asked.
    from runtime.backtest.processes import processes_for, replayed
    from runtime.backtest.rounds import BY_SERIES, ONE_BY_ONE

    setting = settings_of(how.settings)
    told = source.read()
    there = None if against is None else _other(against)
    records = supposing(told.records, setting)
    steps = replayed(
        records,
        ONE_BY_ONE if how.one_by_one else BY_SERIES,
        how.processes or processes_for(len(records)),
    )
    found = _run(steps, told, alerts, balances)
    families = courses.by_family(found.values())
    unlike = None if there is None else courses.differences(found, there)
    histories.say_refused(told, as_json=as_json)
    if as_json:
        _say_json(told, families, unlike, setting)
    else:
        _say(told, families, unlike, setting)
    return FOUND if told.refused or unlike else 0


def _other(against: str) -> dict[str, courses.Course]:
    if against == LIVE:
        with connect.warehouse() as warehouse:
            return courses.courses(raised_live(warehouse))
    with texts.open_text(_readable(against)) as file:
        return courses.of_lines(_alert_lines(history.lines_of(against, file)))


def _readable(against: str) -> str:
    return str(
        click.Path(exists=True, dir_okay=False, allow_dash=True).convert(against, None, None)
    )


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
        out = None if alerts is None else stack.enter_context(histories.opened(alerts))
        advance = stack.enter_context(output.progress("applying facts, round by round", None))
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
        with histories.opened(balances) as file:
            file.writelines(
                _json(present.balance_line(last[account], complete_to)) for account in sorted(last)
            )
    return courses.courses(said)


def _alerts(outputs: Iterable[Output]) -> list[Alert]:
    return [one for one in outputs if isinstance(one, Alert)]


def _json(line: JsonObject) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


def _say(
    told: History, families: list[JsonObject], unlike: list[JsonObject] | None, setting: Setting
) -> None:
    output.table(_FAMILIES, families)
    for one in unlike or []:
        output.result(" ".join(str(one[k]) for k in ("difference", "subject", "family", "rule")))
    if unlike is not None and not unlike:
        output.result("no difference")
    for name, value in setting.items():
        output.result(f"set for this run: {KIND}.{name} = {value}")
    output.result(_totals(told, families))


def _totals(told: History, families: list[JsonObject]) -> str:
    standing = sum(cast("int", row["standing"]) for row in families)
    parts = [f"{len(told.records)} records", f"{told.repeated} repeated"]
    if told.differing:
        parts.append(f"{told.differing} with other content under a known id")
    parts += [f"{len(told.refused)} refused", f"{standing} alerts stand"]
    return ", ".join(parts)


def _say_json(
    told: History, families: list[JsonObject], unlike: list[JsonObject] | None, setting: Setting
) -> None:
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
            "set": {f"{KIND}.{name}": value for name, value in setting.items()},
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
