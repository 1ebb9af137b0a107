"""``python -m demo.main --seed N``: a day through a running stack, and one page about it.

Exit codes: 0 everything the page promises holds; 1 something does not; 3 no stack, or too slow.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from custody.errors import CustodyError, Unavailable
from demo import chain, flow, follow, instrument, lineage, outcome, report
from demo.correction import ANALYTE
from demo.day import Day, make_day, ndjson
from demo.drift import weighed_by
from demo.page import Findings, as_text, failures, sections
from demo.publish import Answers, publish
from demo.restated import Restated, read_ghg, read_restated
from runtime.cli import connect, output
from runtime.client import NotStarted, Warehouse
from runtime.settings import load
from runtime.stack import addresses
from runtime.stack.addresses import Addresses
from runtime.wiring import data_dir

HELD, FAILED, OUTSIDE = 0, 1, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    options = _options(arguments)
    day = make_day(options.seed)
    if options.ndjson is not None:
        options.ndjson.write_bytes(b"".join(ndjson(day.sent)))
        output.talk(f"{len(day.sent):,} requests in {options.ndjson}")
        return HELD
    try:
        return run(day, options.report)
    except CustodyError as error:
        output.talk(f"error: {error}")
        return OUTSIDE if isinstance(error, Unavailable) else FAILED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which day (default 1)")
    parser.add_argument("--report", type=Path, help="default: report-<seed>.html beside the data")
    parser.add_argument("--ndjson", type=Path, help="only write the requests here, one a line")
    return parser.parse_args(arguments)


def run(day: Day, report_path: Path | None) -> int:
    """Publish a day, follow it, print the page, write the report; return the exit code.

    Raises:
        Unavailable: No stack, or a step was not done within its limit.
    """
    home = data_dir(load(os.environ))
    where = addresses.read(home.addresses)
    if where is None:
        raise NotStarted(home.addresses)
    seconds: dict[str, float] = {}
    answers = _publish(day, where, seconds)
    with connect.warehouse() as warehouse:
        _follow(day, answers, (warehouse, where), seconds)
        corrections = _correct(day, seconds)
        answers.merge(corrections)
        _chart(day, warehouse, seconds)
        # What charts find is told to lots, which are judged again.
        stored = _follow(day, answers, (warehouse, where), seconds)
        with _timed("verifying", seconds):
            verdict = follow.verified()
        restated = read_restated(warehouse, day, sorted(corrections.event_ids))
        found = _findings(day, answers, (stored, verdict, restated), warehouse, seconds)
        path = report_path or _report_path(home.root, day.seed, answers)
        failed = failures(found)
        _report(path, found, failed, warehouse)
    output.result(_page(found, failed, path, where))
    return FAILED if failed else HELD


def _report_path(directory: Path, seed: int, answers: Answers) -> Path:
    """Return where the report goes; a day sent again leaves the report of the first time."""
    first = directory / f"report-{seed}.html"
    if answers.accepted or not first.exists():
        return first
    return directory / f"report-{seed}-again.html"


def _publish(day: Day, where: Addresses, seconds: dict[str, float]) -> Answers:
    with _timed("waiting for the stack", seconds):
        for url in (where.gateway, where.console, *where.workers):
            follow.answers(url)
    with (
        _timed("publishing", seconds),
        connect.gateway() as gateway,
        output.progress("publishing the day", len(day.requests)) as advance,
    ):
        return publish(gateway, day.requests, advance)


def _correct(day: Day, seconds: dict[str, float]) -> Answers:
    """Send the corrections, once the books hold all they correct: what they move is then seen."""
    with _timed("correcting", seconds), connect.gateway() as gateway:
        return publish(gateway, day.corrected.requests, lambda _: None)


def _chart(day: Day, warehouse: Warehouse, seconds: dict[str, float]) -> None:
    """Wait until the chart of the scale that drifts has heard of all lots it weighed."""
    if day.drift is None:
        return
    lots, thing = weighed_by(day.drift.device_id, day.requests), instrument.subject_of(day.drift)
    with _timed("charting", seconds), output.progress("lots charted", len(lots)) as advance:
        follow.charted(warehouse, thing, lots, advance)


def _follow(
    day: Day, answers: Answers, stack: tuple[Warehouse, Addresses], seconds: dict[str, float]
) -> set[str]:
    warehouse, where = stack
    with (
        _timed("storing", seconds),
        output.progress("rows in the warehouse", len(answers.event_ids)) as advance,
    ):
        mark = follow.mark_of(day.seed)
        stored = follow.stored(warehouse, answers.event_ids, mark, advance)
    with _timed("applying", seconds), output.progress("facts applied", None) as advance:
        follow.applied(where.kafka, advance)
    with _timed("settling", seconds):
        follow.settled(where.kafka, warehouse)
    return stored


def _findings(
    day: Day,
    answers: Answers,
    proofs: tuple[set[str], follow.Verdict, Restated],
    warehouse: Warehouse,
    seconds: dict[str, float],
) -> Findings:
    mark = follow.mark_of(day.seed)
    stored, verdict, restated = proofs
    alerts = outcome.read_alerts(warehouse, mark)
    drift, charted = day.drift, None
    if drift is not None:
        said = instrument.read_said(warehouse, day, drift, mark)
        charted = instrument.judge(day, drift, said, alerts)
    return Findings(
        day=day,
        answers=answers,
        stored=frozenset(stored),
        alerts=tuple(alerts),
        judged=tuple(outcome.judge(day.frauds, alerts)),
        clean=tuple(outcome.clean_with_alert(day.frauds, alerts)),
        totals=tuple(outcome.read_totals(warehouse, mark)),
        rows=outcome.read_rows(warehouse),
        delays=outcome.read_delays(warehouse, mark),
        verdict=verdict,
        restated=restated,
        charted=charted,
        ghg_kg_per_t=read_ghg(warehouse, day.processes[-1].output.lot_id),
        seconds=seconds,
    )


def _report(path: Path, found: Findings, failed: list[str], warehouse: Warehouse) -> None:
    theft = found.day.frauds[0]
    history = report.read_history(warehouse, theft.lot_id)
    brought = report.read_brought(warehouse, theft.lot_id)
    pictures = [report.balance_picture(theft.lot_id, history, brought)]
    # What was done to a composition shows by more quantities than anything else.
    shown = [j.alert for j in found.judged if j.fraud.kind == "swap" and j.alert is not None]
    pictures += [report.evidence_picture(alert) for alert in shown[:1]]
    pictures += _chain(found.day, warehouse)
    title = f"custody: the day of seed {found.day.seed}"
    report.write(path, title, sections(found), pictures, failed)


def _chain(day: Day, warehouse: Warehouse) -> list[str]:
    """Return the pictures of where the metal went and where the concentrate came from."""
    mark, root = follow.mark_of(day.seed), f"lot/{day.processes[-1].output.lot_id}"
    as_of = flow.read_as_of(warehouse, mark)
    strands = lineage.trace_back(lineage.read_handed(warehouse, mark, ANALYTE), root)
    return [
        chain.flow_picture(day, flow.read_flow(warehouse, day, ANALYTE), ANALYTE, as_of),
        chain.lineage_picture(strands, root, ANALYTE, as_of),
    ]


def _page(found: Findings, failed: list[str], path: Path, where: Addresses) -> str:
    steps = ", ".join(f"{name} {took:.1f} s" for name, took in found.seconds.items())
    lines = [
        f"custody demo, seed {found.day.seed}",
        "",
        as_text(sections(found)),
        "",
        f"steps: {steps}",
        f"report: {path}",
        f"gateway {where.gateway}   warehouse {where.console}",
        f"kafka {where.kafka}   registry {where.registry}",
        "the stack goes on running: make down stops it",
        "",
    ]
    verdict = ["everything held"] if not failed else [f"FAILED: {line}" for line in failed]
    return "\n".join(lines + verdict)


@contextmanager
def _timed(name: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[name] = seconds.get(name, 0.0) + time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
