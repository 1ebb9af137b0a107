"""Documents that are written from the code: ``python -m tests.support.pages`` writes them.

A test compares each with what is committed, so that none can go stale.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from producers.mapping import form
from runtime import network_file
from telemetry.metrics import TABLE, Counter, Gauge, Histogram
from tests.support import settings_page, tree
from web.problem_kinds import KINDS

_WIDTH = 88


def metrics_page() -> str:
    """Return ``docs/metrics.md``: every metric by the process that exports it."""
    lines = [
        "# Metrics",
        "",
        "Every process answers `GET /metrics` in the text format of Prometheus. This page is",
        "written from [`telemetry/metrics.py`](../telemetry/metrics.py); a label has only the",
        "values named here, and `other`, and each is there from the start.",
    ]
    for process in dict.fromkeys(spec.process for spec in TABLE):
        lines += ["", f"## {process.capitalize()}", "", "| metric | type | label | meaning |"]
        lines.append("|---|---|---|---|")
        lines += [_metric_row(spec) for spec in TABLE if spec.process == process]
    lines += ["", "## Labels", ""]
    labels = {s.label.name + " of " + s.name: s.label for s in TABLE if s.label is not None}
    shown: set[tuple[str, ...]] = set()
    for label in labels.values():
        if label.values not in shown:
            shown.add(label.values)
            lines.append(f"- `{label.name}`: {', '.join(f'`{v}`' for v in label.values)}")
    return "\n".join(lines) + "\n"


def _metric_row(spec: Counter | Gauge | Histogram) -> str:
    kind = type(spec).__name__.lower()
    label = "" if spec.label is None else f"`{spec.label.name}`"
    return f"| `{spec.name}` | {kind} | {label} | {spec.help} |"


def cli_page() -> str:
    """Return ``docs/cli.md``: the help of every command, and what holds for all of them."""
    from runtime.cli.main import cli

    lines = [
        "# Command line",
        "",
        "The result goes to standard output, everything else to standard error. `--json` writes",
        "one object per line with the unit in the key; without it a table has the unit in its",
        "heading and times are UTC. An error is three lines: what and where, what was expected,",
        "what to do; `--debug` before the command adds the traceback.",
        "",
        "| exit code | means |",
        "|---|---|",
        "| 0 | done, and all is well |",
        "| 1 | done, and something was found: a refusal, an imbalance, a dead letter |",
        "| 2 | used wrongly, or the input was refused |",
        "| 3 | something outside is not there: no stack, no network, no disk |",
        "| 4 | stored history contradicts itself |",
        "",
        "The base package is a site's: gateway, `publish`, and whatever asks a warehouse. A",
        "command that needs an extra says which, as `pip install 'custody[worker]'`.",
        "",
        "This page is written from `--help`.",
    ]
    for name, text in _help(cli, "custody"):
        lines += ["", f"## {name}", "", "```", text.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _help(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    # As the real command line has it: click keeps the first help option it makes.
    context = click.Context(
        command,
        info_name=name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from _help(found, f"{name} {child}")


def adr_index() -> str:
    """Return ``docs/adr/README.md``: every decision with its date and status."""
    lines = [
        "# Decisions",
        "",
        "One page per decision that was not obvious: the question, the forces with their numbers,",
        "the options, what we took, how it is enforced. After a release a page is edited",
        "for its status only; a later one supersedes it. This index is written from the pages.",
        "",
        "| no | decision | date | status |",
        "|---|---|---|---|",
    ]
    for path in sorted((tree.ROOT / "docs/adr").glob("[0-9]*.md")):
        title, date, status = _decision(path.read_text("utf-8"))
        lines.append(f"| {path.name[:4]} | [{title}]({path.name}) | {date} | {status} |")
    return "\n".join(lines) + "\n"


def _decision(text: str) -> tuple[str, str, str]:
    """Return title, date and status: ``# NNNN Title``, below it ``date · status · ...``."""
    title = re.search(r"^# \d{4} (.+)$", text, flags=re.MULTILINE)
    head = re.search(r"^(\d{4}-\d\d-\d\d) · ([^·\n]+)", text, flags=re.MULTILINE)
    assert title is not None, f"no title of the form '# NNNN Title': {text[:60]!r}"
    assert head is not None, f"no line of the form 'date · status · ...': {text[:60]!r}"
    return title.group(1), head.group(1), head.group(2).strip()


def problems_page() -> str:
    """Return ``docs/problems.md``: every kind of problem that gateway and warehouse answer with."""
    lines = [
        "# Problems",
        "",
        "What is not answered with 2xx is a problem detail (RFC 9457). Its `type` is",
        "`/problems/NAME` on the server that answered, and `GET` of it says what stands here, to",
        "anybody. This page is written from [`web/problem_kinds.py`](../web/problem_kinds.py);",
        "other names are HTTP's own.",
        "",
        "| type | means |",
        "|---|---|",
    ]
    lines += [f"| `/problems/{name}` | {text} |" for name, text in KINDS.items()]
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/metrics.md": metrics_page,
    "docs/cli.md": cli_page,
    "docs/problems.md": problems_page,
    "docs/adr/README.md": adr_index,
    "docs/settings.md": settings_page.page,
    ".env.example": settings_page.example,
    "schemas/json/network.json": network_file.schema_text,
    "schemas/json/mapping.json": form.schema_text,
}


def main() -> None:
    """Write every page."""
    for name, write in PAGES.items():
        Path(tree.ROOT / name).write_text(write(), "utf-8")


if __name__ == "__main__":
    main()
