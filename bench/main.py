"""All figures of the README's table, measured in one go and stored.

    make bench
    python -m bench.main --only gateway --only sink

Runs each bench as a process of its own, one after the other, shows its lines as they come, and
writes them with commit and machine to ``bench/results/figures.json``; a part that is measured anew
replaces its own lines only. At the end it prints the table. Nothing here asserts a time: machines
differ, so the yardstick of before and after a part stands beside its figures.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import click

from bench.yardstick import Yardstick
from tests.support import system

RESULTS = Path("bench/results/figures.json")

TURNS = 20
"""Turns of the yardstick before a part and after it."""

Line = Mapping[str, object]
Read = Callable[[Sequence[Line]], str]


@dataclass(frozen=True, slots=True)
class Part:
    """One bench.

    Attributes:
        name: Its name.
        command: Arguments of Python.
        stack: It needs a running stack.
    """

    name: str
    command: tuple[str, ...]
    stack: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """One row of the table.

    Attributes:
        what: What is measured.
        at_least: The goal in words.
        part: The bench that measures it.
        read: Takes the figure from the bench's lines.
    """

    what: str
    at_least: str
    part: str
    read: Read


PARTS = (
    Part("worker", ("-m", "bench.worker")),
    Part(
        "fold",
        ("-m", "bench.worker", "--fold", "custody", "--lots", "10000", "--variants", "worker",
         "--events", "200000"),
    ),
    Part(
        "million",
        ("-m", "bench.worker", "--fold", "custody", "--lots", "10000", "--variants", "worker",
         "--events", "1000000"),
    ),
    Part("backtest", ("-m", "bench.backtest")),
    Part("sink", ("-m", "bench.sink", "--rows", "1000000")),
    Part("lineage", ("-m", "bench.lineage")),
    Part("gateway", ("-m", "bench.gateway")),
    Part("drain", ("-m", "bench.drain", "--events", "1000000")),
    Part("audit", ("-m", "bench.audit")),
    Part("latency", ("-m", "bench.latency"), stack=True),
    Part("cascade", ("-m", "bench.cascade"), stack=True),
    Part("pixel", ("-m", "bench.pixel"), stack=True),
)  # fmt: skip


def _where(lines: Sequence[Line], **wanted: object) -> Line:
    for line in lines:
        if all(line.get(name) == value for name, value in wanted.items()):
            return line
    return {}


def _ratio(rival: str, lots: int) -> Read:
    def read(lines: Sequence[Line]) -> str:
        ours = _where(lines, variant="worker", lots=lots).get("cpu_s_per_million")
        theirs = _where(lines, variant=rival, lots=lots).get("cpu_s_per_million")
        if not ours or not theirs:
            return "not measured"
        return f"{float(str(theirs)) / float(str(ours)):.2f} x ({ours} against {theirs})"

    return read


def _field(name: str, **wanted: object) -> Read:
    return lambda lines: str(_where(lines, **wanted).get(name, "not measured"))


def _both(one: Read, other: Read) -> Read:
    return lambda lines: f"{one(lines)}, {other(lines)}"


GOALS = (
    Goal("worker, trivial fold, against plain Faust, 1,000 lots, CPU s per million", "12 x",
         "worker", _ratio("faust", 1_000)),
    Goal("the same, 10,000 lots", "-", "worker", _ratio("faust", 10_000)),
    Goal("the same, 200,000 lots", "-", "worker", _ratio("faust", 200_000)),
    Goal("the same against a bare loop, 1,000 lots", "0.4 x", "worker", _ratio("bare", 1_000)),
    Goal("the same, 10,000 lots", "-", "worker", _ratio("bare", 10_000)),
    Goal("the same, 200,000 lots", "-", "worker", _ratio("bare", 200_000)),
    Goal("worker, books and all tests, 10,000 lots of 20 facts, facts/s", "1,200", "fold",
         _field("events_per_s", variant="worker")),
    Goal("the same, 100 facts a lot over five legs, facts/s", "-", "million",
         _field("events_per_s", variant="worker")),
    Goal("its memory after that million facts, MB", "<= 400", "million",
         _field("rss_mb", variant="worker")),
    Goal("backtest of 10,000 lots of 23 facts, all tests, facts per CPU second of one process",
         "2,500", "backtest", _field("facts_per_cpu_s", processes=1)),
    Goal("sink, Kafka's bytes to rows, us CPU per row, and as a share of fastavro's decoding alone",
         "<= 8, -", "sink", _both(_field("cpu_us_per_row"), _field("ratio"))),
    Goal("lineage, 1 M edges, ten deep, back and forward, p50 ms", "< 60, < 60", "lineage",
         _both(_field("p50_ms", direction="back", as_of="now", depth_edges=10),
               _field("p50_ms", direction="forward", as_of="now", depth_edges=10))),
    Goal("gateway on one core, durable, lists of 100, events/s", "5,000", "gateway",
         _field("accepts_per_s", shape="lists of 100")),
    Goal("the same, one event at a time over 32 connections, events/s and p99 ms",
         "1,000, <= 60", "gateway",
         _both(_field("accepts_per_s", shape="single posts"),
               _field("answer_ms_p99", shape="single posts"))),
    Goal("drain of 1 M waiting events, events/s", "20,000", "drain", _field("drained_per_s")),
    Goal("custody audit, digests and chains, events/s, and CPU s per million", "60,000, -",
         "audit", _both(_field("events_per_s"), _field("cpu_s_per_million"))),
    Goal("accept to alert at 300/s and at 1,000/s, p99 ms", "<= 500, <= 1,500", "latency",
         _both(_field("p99_ms", rate_asked=300), _field("p99_ms", rate_asked=1_000))),
    Goal("ticket sent to its alert on an operator's screen, p50 and p95 ms", "-, <= 1,500", "pixel",
         _both(_field("p50_ms"), _field("p95_ms"))),
    Goal("late input to the shares three processes on, p50 and p99 ms", "<= 600, <= 1,500",
         "cascade", _both(_field("p50_ms", change="input"), _field("p99_ms", change="input"))),
)  # fmt: skip


def run(part: Part) -> list[Line]:
    """Run one bench; its talk goes to the terminal, its JSON lines are returned.

    None are where it ends badly: what was measured before stays what is stored.
    """
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="custody-bench-") as name:
        data = Path(name) / "data"
        stack: AbstractContextManager[object] = (
            system.running(data) if part.stack else nullcontext()
        )
        with stack:
            process = subprocess.Popen(
                [sys.executable, *part.command],
                stdout=subprocess.PIPE,
                text=True,
                env=system.environment(data) if part.stack else None,
            )
            assert process.stdout is not None
            for text in process.stdout:
                click.echo(text, nl=False)
                if text.startswith("{"):
                    lines.append(json.loads(text))
            if process.wait() != 0:
                click.echo(f"{part.name}: exit {process.returncode}; nothing stored", err=True)
                return []
    return lines


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def table(figures: Mapping[str, object]) -> str:
    """Return the README's table in Markdown."""
    rows = ["| | goal | measured | yardstick, us |", "|---|---|---|---|"]
    for goal in GOALS:
        part = figures.get(goal.part)
        lines = part["lines"] if isinstance(part, dict) else []
        yardstick = part.get("yardstick_us", "-") if isinstance(part, dict) else "-"
        rows.append(f"| {goal.what} | {goal.at_least} | {goal.read(lines)} | {yardstick} |")
    return "\n".join(rows)


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice([part.name for part in PARTS]), help="These parts."
)
@click.option("--table", "only_table", is_flag=True, help="Measure nothing, print what is stored.")
def main(only: tuple[str, ...], *, only_table: bool) -> None:
    """Measure, store and print the table."""
    figures = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in PARTS:
        if only_table or (only and part.name not in only):
            continue
        click.echo(f"{part.name}: {' '.join(part.command)}", err=True)
        yardstick = Yardstick()
        yardstick.turns(TURNS)
        if lines := run(part):
            yardstick.turns(TURNS)
            measured = {**machine(), "yardstick_us": round(yardstick.us, 1), "lines": lines}
            figures[part.name] = measured
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    click.echo(table(figures))


if __name__ == "__main__":
    main()
