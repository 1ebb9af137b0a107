"""Histories on the command line: where facts come from, what was refused, what is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import IO

import click

from custody.errors import Refused, Unavailable
from producers.known import Known
from runtime.backtest import history
from runtime.backtest.history import History
from runtime.backtest.warehouse import kept_facts
from runtime.cli import connect, output, texts

_SHOWN_MAX = 50

Written = click.Path(dir_okay=False, writable=True, path_type=Path)
Moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


class NoHistory(Refused):
    """Nothing says what to run over."""

    def __init__(self, command: str) -> None:
        super().__init__(
            "no history to run over",
            expected="--facts FILE, one request per line, or --from-warehouse",
            next_step=f"{command} --help",
        )


class NotWritten(Unavailable):
    """A file could not be written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: not written: {why}", next_step="choose another place")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a history is taken from.

    Attributes:
        facts: Files of requests, one per line.
        reference: Files of reference records, likewise.
        from_warehouse: What the running stack has kept, instead of files.
        since: Of the warehouse: recorded at or after, UTC.
        until: Of the warehouse: recorded before, UTC.
    """

    facts: Sequence[IO[str]]
    reference: Sequence[IO[str]]
    from_warehouse: bool
    since: datetime | None
    until: datetime | None

    def read(self) -> History:
        """Return the history; blocks.

        Raises:
            NoHistory: Neither facts nor the warehouse were named.
            click.UsageError: A time that chooses nothing.
            Unavailable: The warehouse does not answer.
        """
        self._judge_times()
        if self.from_warehouse:
            return self._kept()
        if not self.facts:
            raise NoHistory(click.get_current_context().command_path)
        files = [*self.reference, *self.facts]
        lines = [line for file in files for line in history.lines_of(file.name, file)]
        with output.progress("reading requests", len(lines)) as advance:
            return history.read(lines, Known(), advance)

    def _judge_times(self) -> None:
        """Refuse times that would choose nothing, or would be passed over."""
        message = None
        if (self.since or self.until) and not self.from_warehouse:
            message = "--since and --until choose from --from-warehouse, not from files"
        if self.since and self.until and self.since >= self.until:
            message = "--since must be before --until: nothing lies between them"
        if message is not None:
            raise click.UsageError(message)

    def _kept(self) -> History:
        with connect.warehouse() as warehouse, output.progress("reading facts", None) as advance:
            return history.of_records(kept_facts(warehouse, self.since, self.until, advance))


_OPTIONS = (
    click.option(
        "--facts", type=texts.LINES, multiple=True, help="Requests, one per line; - is input."
    ),
    click.option(
        "--reference", type=texts.LINES, multiple=True, help="Reference records, likewise."
    ),
    click.option(
        "--from-warehouse", is_flag=True, help="Facts and references of the running stack."
    ),
    click.option("--since", type=Moment, help="Of the warehouse: recorded at or after, UTC."),
    click.option("--until", type=Moment, help="Of the warehouse: recorded before, UTC."),
)


def options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that name a history; it gets them as ``source``."""

    @wraps(command)
    def gathered(
        *,
        facts: Sequence[IO[str]],
        reference: Sequence[IO[str]],
        from_warehouse: bool,
        since: datetime | None,
        until: datetime | None,
        **others: object,
    ) -> int:
        source = Source(facts, reference, from_warehouse, since, until)
        return command(source=source, **others)

    asked: Callable[..., int] = gathered
    for option in reversed(_OPTIONS):
        asked = option(asked)
    return asked


def opened(path: Path) -> IO[str]:
    """Open a file to write.

    Raises:
        NotWritten: It cannot be opened.
    """
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise NotWritten(path, error.strerror or str(error)) from error


def say_refused(told: History, *, as_json: bool) -> None:
    """Say which lines were refused, and why: as talk the first ones, as JSON all."""
    if as_json:
        for line, answer in told.refused:
            output.line_json({"record": "refused", "file": line.file, "line": line.no, **answer})
        return
    for line, answer in told.refused[:_SHOWN_MAX]:
        where = f"{line.file}:{line.no}"
        output.talk(f"{where}: {_why(answer)}")
    if len(told.refused) > _SHOWN_MAX:
        output.talk(f"... and {len(told.refused) - _SHOWN_MAX} more refused; --json shows all")


def _why(answer: Mapping[str, object]) -> str:
    """Return a refusal in a line: code, field, what stood there, what may."""
    code = f"{answer['code']} {answer['field'] or ''}".rstrip()
    found, allowed = answer["found"], answer["allowed"]
    said = "not said" if found is None else str(found)
    if allowed is None:
        return f"{code}: {said}"
    listed = ", ".join(map(str, allowed)) if isinstance(allowed, list) else str(allowed)
    return f"{code}: {said}; expected: {listed}"
