"""How a table is published: its rows as lines of requests, its refused rows written back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from typing_extensions import override

from producers.mapping.load import Mapping as MappingOf
from producers.mapping.load import load
from producers.mapping.read import Reading, Skipped, read
from producers.mapping.reasons import reason
from producers.mapping.records import Made
from producers.mapping.refused import RefusedFile
from producers.outcome import shown
from runtime.cli import output
from runtime.cli.events import REASON_COLUMNS, Answers, Line, Run, cell, refused, send
from runtime.client import JsonObject

_COLUMNS = (
    output.number("row", "row"),
    output.Column("column", cell("column")),
    *REASON_COLUMNS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedLine(Line):
    """A line that was made of a row."""

    made: Made

    @override
    def place(self) -> JsonObject:
        """Return row and record, from 1; the record is left out where the row is at fault."""
        record = {"record": self.made.record} if self.made.record else {}
        return {"row": self.no, **record}


def line_of(made: Made) -> MappedLine:
    """Return the line that stands for what a record made of a row."""
    fault = made.fault
    if fault is None:
        text = json.dumps(made.request, ensure_ascii=False)
        return MappedLine(made.row.no, text, made.request, made=made)
    found = shown(fault.found)
    why = refused(fault.code, fault.field or None, found, fault.allowed)
    return MappedLine(made.row.no, "", None, why, made=made)


class TableRun(Run):
    """Counts answers and rows left out, and keeps what was refused with its row."""

    def __init__(self, kept: RefusedFile | None, skipped: Skipped, *, as_json: bool) -> None:
        super().__init__(as_json=as_json, columns=_COLUMNS)
        self._kept = kept
        self._skipped = skipped

    @override
    def totals(self) -> str:
        """Return the counts so far, and which rows the mapping left out."""
        return "; ".join(filter(None, (super().totals(), self._skipped.text())))

    @override
    def finish(self) -> int:
        """Write the totals, of JSON also what was left out, and return the exit code."""
        if self._as_json and self._skipped.count:
            count, rows = self._skipped.count, self._skipped.rows
            output.line_json({"result": "skipped", "count": count, "rows": rows})
        return super().finish()

    @override
    def take(self, line: Line, answer: JsonObject) -> None:
        """Count one answer, and write its row back where it is refused."""
        assert isinstance(line, MappedLine), "a table gives no other"
        if answer.get("result") == "refused":
            field = str(answer.get("field") or "")
            column = column_of(line.made, field)
            if column:
                answer = {"column": shown(column), **answer}
            if self._kept is not None:
                text = reason(answer, column)
                self._kept.add(line.made.row, str(answer["code"]), field, text)
        super().take(line, answer)


def column_of(made: Made, field: str) -> str:
    """Return the heading of the column a field comes from, or of what it is part of."""
    if made.fault is not None:
        return made.fault.column
    while field and field not in made.columns:
        field = field.rpartition(".")[0]
    return made.columns.get(field, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is ready to be published.

    Attributes:
        path: Its file.
        reading: Its rows.
        skipped: Those that the mapping leaves out, as far as it is read.
        mapping: By which rules.
        keep: Whether refused rows are written back.
        as_json: Whether answers are shown as JSON.
    """

    path: Path
    reading: Reading
    skipped: Skipped
    mapping: MappingOf
    keep: bool
    as_json: bool

    def publish(self, gateway: Answers, options: Mapping[str, str], list_requests: int) -> int:
        """Send all rows and return the exit code.

        Raises:
            BadTable: It cannot be read further; what was sent before stays sent.
        """
        top = self.reading.top
        kept = RefusedFile(self.path, self.mapping.file, top) if self.keep else None
        run = TableRun(kept, self.skipped, as_json=self.as_json)
        try:
            with output.progress(f"publishing {self.path.name}", None) as advance:
                send(gateway, self._lines(), run, options, list_requests, advance)
        except BaseException:
            if kept is not None:
                kept.abandon()
            raise
        written = kept.finish() if kept is not None else None
        if written is not None:
            output.talk(f"refused rows with their reasons: {written}")
        return run.finish()

    def _lines(self) -> Iterator[Line]:
        return (line_of(made) for made in self.reading.made)


def opened(file: str, mapping: Path, *, as_json: bool, keep: bool) -> Table:
    """Return a table by its mapping; the mapping is checked before the table is touched.

    Raises:
        BadMapping: The mapping cannot be used.
        BadTable: The table cannot be read, or lacks a column.
    """
    if file == "-":
        message = "a table comes from a file: refused rows are written beside it"
        raise click.UsageError(message)
    rules, path, skipped = load(mapping), Path(file), Skipped()
    return Table(path, read(path, rules, skipped.add), skipped, rules, keep, as_json)
