"""``custody publish``, and how a file of requests is sent and answered line by line.

A table (CSV, XLSX) becomes such lines by a mapping, in ``runtime.cli.tables``.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Protocol

import click

from custody.errors import CustodyError
from producers import strict_json
from producers.outcome import shown
from runtime import exported
from runtime.cli import connect, output, texts
from runtime.cli.main import FOUND
from runtime.client import JsonObject

LIST_REQUESTS_MAX = 1000
LIST_CHARS_MAX = 4 * 1024 * 1024
"""Of one call; a gateway takes bodies of 16 MiB, and a letter may be four bytes."""
LINE_CHARS_MAX = 1024 * 1024
"""Of one request: more than any that a gateway would take."""
_SHOWN_MAX = 50
_ALLOWED = "one JSON object per line"
_TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods")
_RESULTS = ("accepted", "duplicate", "refused")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input.

    Attributes:
        no: Its number, from 1.
        text: As it stands.
        request: Its JSON.
        refusal: Why it is not sent, as the gateway would say it; None where it is.
    """

    no: int
    text: str
    request: object
    refusal: JsonObject | None = None

    def place(self) -> JsonObject:
        """Return where it stands, as the answer to it says."""
        return {"line": self.no}


class Answers(Protocol):
    """Whoever answers a list of requests as the gateway does."""

    def publish_texts(
        self, texts: Sequence[str], options: Mapping[str, str] | None = None
    ) -> list[JsonObject]:
        """Return one result per request, each a JSON text, in order."""
        ...


def refused(code: str, field: str | None, found: object, allowed: str) -> JsonObject:
    """Return a refusal of our own in the gateway's words."""
    return {"result": "refused", "code": code, "field": field, "found": found, "allowed": allowed}


def lines_of(stream: IO[str]) -> Iterator[Line]:
    """Yield the lines of a file that are not empty, each judged as JSON as the gateway would.

    One that is none is refused here: in a list it would have the whole list refused, the same one
    each time. No line is held that is longer than a request may be.
    """
    no = 0
    while raw := stream.readline(LINE_CHARS_MAX + 1):
        no += 1
        if len(raw) > LINE_CHARS_MAX and not raw.endswith("\n"):
            _skip_line(stream)
            found = f"{LINE_CHARS_MAX:,} characters and more"
            yield Line(no, "", None, refused("too_many_items", None, found, _ALLOWED))
        elif raw.strip():
            yield _line(no, raw)


def _line(no: int, raw: str) -> Line:
    if not strict_json.is_utf8(raw):
        return Line(no, "", None, refused("not_utf8", None, shown(raw[:80]), "text in UTF-8"))
    try:
        return Line(no, raw, strict_json.parsed(raw, _number))
    except strict_json.BadJson as error:
        return Line(no, raw, None, refused("not_json", None, error.found, error.expected))


def restated(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield lines, those of ``custody outbox export`` as the requests that give their records.

    Passed over are heads, which are of their own gateway, and the copies of a reference record
    that go to other partitions: who takes the first makes them again.
    """
    last: object = None
    for line in lines:
        row = line.request
        if line.refusal is not None or not exported.is_row(row):
            yield line
            continue
        assert isinstance(row, dict), "a line of an export is an object"
        is_copy = row.get("type") == "reference" and row.get("event_id") == last
        last = row.get("event_id")
        try:
            request = None if is_copy else exported.request_in(row)
        except exported.BadExport as error:
            refusal = refused(error.code, error.field, error.found, error.expected)
            yield replace(line, request=None, refusal=refusal)
            continue
        if request is not None:
            yield replace(line, text=json.dumps(request, ensure_ascii=False), request=request)


def _number(digits: str) -> float:
    """Return a number of what the gateway reads as a decimal, or cannot."""
    return float(Decimal(digits))


def _skip_line(stream: IO[str]) -> None:
    while (rest := stream.readline(LINE_CHARS_MAX)) and not rest.endswith("\n"):
        pass


def _lists(lines: Iterator[Line], requests_max: int) -> Iterator[list[Line]]:
    """Yield lines in lists that go into one call, by their number and their size.

    A full list goes before the next line is read: that one may be beyond reading.
    """
    some: list[Line] = []
    size = 0
    for line in lines:
        if some and size + len(line.text) > LIST_CHARS_MAX:
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line.text)
        if len(some) == requests_max:
            yield some
            some, size = [], 0
    if some:
        yield some


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MAP.toml",
    help="FILE is a table (CSV, XLSX, XLS, ODS), read by this mapping.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing; show what would be refused.")
@click.option(
    "--list-requests",
    type=click.IntRange(1, LIST_REQUESTS_MAX),
    default=200,
    show_default=True,
    help="Requests per HTTP call.",
)
@click.option("--strict-reference", is_flag=True, help="Refuse ids no reference record knows.")
@click.option("--backfill", is_flag=True, help="Take events older than five years.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON object per line of the file; of a table, one of rows skipped.",
)
def publish(  # noqa: PLR0913  one command, two kinds of file
    file: str,
    mapping: Path | None,
    list_requests: int,
    *,
    dry_run: bool,
    strict_reference: bool,
    backfill: bool,
    as_json: bool,
) -> int:
    """Publish FILE, one request per line of JSON, through the gateway; - is standard input.

    Accepted means durable in the gateway's outbox. Publishing a file again is harmless: what
    was accepted is answered as duplicate. Exit 1 where a line was refused. A file of custody
    outbox export is taken too: each record under the event id it had.

    With --mapping, FILE is a table, and rows that were refused are written to
    FILE.refused.csv with their reasons. Mend them there or in FILE and publish it again with the
    same mapping: only what is new is added. custody mapping suggest FILE proposes a mapping.

    \b
    Examples:
      custody publish day.ndjson
      custody publish --json - < day.ndjson | jq 'select(.result == "refused")'
      custody publish tickets.csv --mapping weighbridge.toml --dry-run
    """
    if dry_run and strict_reference:
        message = "--strict-reference: only the gateway knows which references it has"
        raise click.UsageError(message)
    options = {
        name: "true"
        for name, on in (("strict_reference", strict_reference), ("backfill", backfill))
        if on
    }
    if mapping is not None:
        # Imported here: lines of JSON need none of it.
        from runtime.cli import tables

        table = tables.opened(file, mapping, as_json=as_json, keep=not dry_run)
        with _answering(dry_run=dry_run) as gateway:
            return table.publish(gateway, options, list_requests)
    run = Run(as_json=as_json)
    with (
        _opened(file) as lines,
        _answering(dry_run=dry_run) as gateway,
        output.progress(f"publishing {file}", None) as advance,
    ):
        send(gateway, restated(lines_of(lines)), run, options, list_requests, advance)
    return run.finish()


@contextmanager
def _answering(*, dry_run: bool) -> Iterator[Answers]:
    """Open the gateway, or what answers in its place where nothing is to be sent."""
    if dry_run:
        from runtime.cli.dry_run import DryGateway

        yield DryGateway()
        return
    with connect.gateway() as gateway:
        yield gateway


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    """Open lines of JSON; a table without a mapping is wrong use, not a thousand bad lines."""
    if Path(file).suffix.casefold() in _TABLES:
        message = f"{file} is a table: --mapping MAP.toml; custody mapping suggest proposes one"
        raise click.UsageError(message)
    with texts.open_lines(file) as lines:
        yield lines


class Run:
    """Counts the gateway's results and shows what has to be shown."""

    def __init__(self, *, as_json: bool, columns: Sequence[output.Column] | None = None) -> None:
        self._as_json = as_json
        self._columns = _REFUSED_COLUMNS if columns is None else columns
        self._counts: Counter[str] = Counter()
        self._refused: list[JsonObject] = []
        self._warnings: Counter[str] = Counter()

    def take(self, line: Line, answer: JsonObject) -> None:
        """Count one answer, and show it or keep it for the table."""
        self._counts[str(answer.get("result"))] += 1
        warnings = answer.get("warnings")
        self._warnings.update(_named(w) for w in (warnings if isinstance(warnings, list) else []))
        row = {**line.place(), **answer}
        if self._as_json:
            output.line_json(row)
        elif answer.get("result") == "refused":
            self._refused.extend(each_fault(row))

    def totals(self) -> str:
        """Return the counts so far."""
        counts = ", ".join(f"{name} {self._counts[name]}" for name in _RESULTS)
        warned = ", ".join(f"{name} {count}" for name, count in self._warnings.most_common())
        return f"{counts}; warnings: {warned}" if warned else counts

    def finish(self) -> int:
        """Write the totals and return the exit code."""
        if self._refused:
            output.table(self._columns, self._refused[:_SHOWN_MAX])
            hidden = len(self._refused) - _SHOWN_MAX
            if hidden > 0:
                output.talk(f"... and {hidden} more; --json shows all")
        if self._as_json:
            output.talk(self.totals())
        else:
            output.result(self.totals())
        return FOUND if self._counts["refused"] else 0


def each_fault(row: JsonObject) -> Iterator[JsonObject]:
    """Yield a refusal once for each thing that is wrong, where more than the first is known."""
    yield row
    also = row.get("also")
    for other in also if isinstance(also, list) else []:
        yield {**row, **other}


def _named(warning: object) -> str:
    """Return the name of a warning, whether it comes alone or with its field."""
    return str(warning.get("code")) if isinstance(warning, dict) else str(warning)


def cell(key: str) -> Callable[[Mapping[str, object]], str]:
    """Return how a value of an answer is shown in a table, which is narrow."""

    def show(row: Mapping[str, object]) -> str:
        value = row.get(key)
        return "" if value is None else str(value)[:60]

    return show


REASON_COLUMNS = (
    output.text("code", "code"),
    output.Column("field", cell("field")),
    output.Column("found", cell("found")),
    output.Column("allowed", cell("allowed")),
)
_REFUSED_COLUMNS = (output.number("line", "line"), *REASON_COLUMNS)


def send(
    gateway: Answers,
    lines: Iterator[Line],
    run: Run,
    options: Mapping[str, str],
    list_requests: int,
    advance: Callable[[int], None],
) -> None:
    """Send lines that are not refused already, and take what the gateway answers to each.

    Args:
        gateway: To whom.
        lines: What.
        run: Takes the answers, in order.
        options: Query parameters.
        list_requests: Requests per call.
        advance: Told how many lines are done.
    """
    for chunk in _lists(lines, list_requests):
        good = [line for line in chunk if line.refusal is None]
        try:
            answers = iter(gateway.publish_texts([g.text for g in good], options) if good else [])
        except CustodyError:
            where = " ".join(f"{name} {no}" for name, no in chunk[0].place().items() if no)
            output.talk(
                f"stopped in the list that begins at {where}; {run.totals()};"
                " what was taken is a duplicate when the file is sent again"
            )
            raise
        for line in chunk:
            if line.refusal is not None:
                run.take(line, line.refusal)
            else:
                run.take(line, next(answers))
        advance(len(chunk))
