"""``custody calibrate``: what the tests rest on, estimated from a history declared clean."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

import click

from custody.errors import Refused
from custody.events import Micros
from runtime.cli import histories, output, texts
from runtime.cli.main import FOUND
from runtime.client import JsonObject


class NoLots(Refused):
    """A history tells nothing of any lot."""

    def __init__(self) -> None:
        super().__init__(
            "no lot of the history was measured",
            expected="lots with weighings, shots or certificates",
            next_step="custody backtest --facts FILE says what it holds",
        )


@click.command()
@histories.options
@click.option("--exclude-lots", type=texts.TEXT, help="Lots to leave out, one id per line.")
@click.option(
    "--out", type=histories.Written, required=True, help="Write the reference records here."
)
@click.option(
    "--valid-from", type=histories.Moment, help="Of the records, UTC; else the newest fact."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def calibrate(
    *,
    source: histories.Source,
    exclude_lots: IO[str] | None,
    out: Path,
    valid_from: datetime | None,
    as_json: bool,
) -> int:
    """Estimate what the tests rest on from a history declared clean, as reference records.

    Per origin mean and covariance of composition, per leg loss and drying, per way the mean error
    of each instrument, per XRF instrument heterogeneity and matrix factor, the span of scales with
    check weights, and the limit that one clean lot in 1,000 ever passes. A few bad lots move
    nothing; lots that --exclude-lots names, and those whose alert a person resolved as
    confirmed_fraud, are left out; a named lot that the history does not have is said. Bodies that
    --reference has are kept and added to.
    Says per figure from how many it is, and what was too thin. Exit 1 where a line was refused.

    \b
    Examples:
      custody calibrate --facts 2026-h1.ndjson --reference plant.ndjson --out calibrated.ndjson
      custody calibrate --from-warehouse --until 2026-11-01 --exclude-lots bad.txt --out new.ndjson
      custody reference load calibrated.ndjson
    """
    from custody.detect.calibration import calibrate as calibrated_by
    from custody.detect.calibration_checks import checked
    from custody.detect.calibration_records import requests, text_of
    from custody.detect.calibration_report import figures
    from runtime.backtest.told_lots import told_lots

    history = source.read()
    excluded = {line.strip() for line in exclude_lots or () if line.strip()}
    with output.progress("applying facts, minute by minute", None) as advance:
        told = told_lots(history.records, excluded, advance)
    if not told.lots or told.newest is None:
        raise NoLots
    found = calibrated_by(told.lots, checked(told.facts, told.bodies), told.bodies)
    date = text_of(told.newest)[:10]
    begin = told.newest if valid_from is None else _micros(valid_from)
    records = requests(found.bodies(told.bodies, date), begin)
    with histories.opened(out) as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    rows: list[JsonObject] = [one._asdict() for one in figures(found)]
    run: JsonObject = {
        "record": "run",
        "lots": len(told.lots),
        "left_out": told.left_out,
        "not_found": told.not_found,
        "refused": len(history.refused),
        "written": len(records),
    }
    histories.say_refused(history, as_json=as_json)
    (_say_json if as_json else _say)(rows, run)
    return FOUND if history.refused else 0


def _micros(moment: datetime) -> Micros:
    return Micros(int(moment.replace(tzinfo=UTC).timestamp() * 1_000_000))


def _say(rows: list[JsonObject], run: JsonObject) -> None:
    output.table(_FIGURES, rows)
    not_found = cast("list[str]", run["not_found"])
    if not_found:
        output.result(
            f"{len(not_found)} of --exclude-lots in no fact of the history, so nothing was left out"
            f" for them: {', '.join(not_found)}"
        )
    thin = sum(row["status"] == "too thin" for row in rows)
    output.result(
        f"{run['lots']} lots, {len(cast('list[str]', run['left_out']))} left out,"
        f" {run['refused']} lines refused, {len(rows)} figures, {thin} too thin,"
        f" {run['written']} records written"
    )


def _say_json(rows: list[JsonObject], run: JsonObject) -> None:
    for row in rows:
        output.line_json({"record": "figure", **row})
    output.line_json(run)


def _figure(key: str) -> output.Column:
    return output.Column(
        key, lambda row: "" if row.get(key) is None else f"{row[key]:.4g}", right=True
    )


_FIGURES = (
    output.text("figure", "figure"),
    output.text("about", "about"),
    output.text("status", "status"),
    output.number("n", "n"),
    _figure("value"),
    _figure("u"),
    output.text("left out", "left_out", right=True),
    output.text("note", "note"),
)
