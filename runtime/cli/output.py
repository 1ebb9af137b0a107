"""How commands speak: the result on standard output, the talk on standard error.

A table has its units in the heading and its totals last; ``--json`` writes one object per line
with the unit in the key. Times are UTC with ``Z``.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click

Row = Mapping[str, object]

_GAP = "  "
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        title: Heading, with the unit: ``dry t``.
        show: Gives the cell's text of a row.
        right: Numbers stand at the right.
    """

    title: str
    show: Callable[[Row], str]
    right: bool = False


def text(title: str, key: str, *, right: bool = False) -> Column:
    """Return a column of a row's value as it is; nothing where there is none."""
    return Column(title, lambda row: "" if row.get(key) is None else str(row[key]), right)


def number(title: str, key: str, digits: int = 0, divisor: float = 1.0) -> Column:
    """Return a column of a number in another unit: the value over ``divisor``."""
    return Column(title, lambda row: quantity(row.get(key), digits, divisor), right=True)


def quantity(value: object, digits: int = 0, divisor: float = 1.0) -> str:
    """Return a number as text, thousands apart by commas; ``-`` where it is not known."""
    if not isinstance(value, int | float | str) or value == "":
        return "-"
    return f"{float(value) / divisor:,.{digits}f}"


def plain(text: str) -> str:
    """Return text in which nothing speaks to the terminal: what a sender wrote is only shown.

    Controls but line ends and tabs, and marks that turn the direction of reading, stand as
    escapes.
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def table(columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write an aligned table with its heading to standard output; rows may be none."""
    cells = [[plain(c.show(row)) for c in columns] for row in rows]
    widths = [max([len(c.title), *(len(line[i]) for line in cells)]) for i, c in enumerate(columns)]
    for line in [[c.title for c in columns], *cells]:
        padded = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        click.echo(_GAP.join(padded).rstrip())


def line_json(value: Mapping[str, object]) -> None:
    """Write one object as one line of JSON to standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def result(line: str) -> None:
    """Write a line of the result to standard output."""
    click.echo(plain(line))


def talk(line: str) -> None:
    """Write a line to standard error: what is going on, not what was asked for."""
    click.echo(plain(line), err=True)


def utc(micros: object) -> str:
    """Return microseconds since the epoch as UTC text to the second; nothing for None."""
    if not isinstance(micros, int):
        return ""
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return moment.isoformat().replace("+00:00", "Z")


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how many are done on standard error while a long step runs, where that is a terminal.

    A line of its own making: a package that draws bars is an eighth of a gateway.

    Yields:
        A function that takes how many more are done.
    """
    shown = click.get_text_stream("stderr").isatty()
    count, of = 0, "" if total is None else f" of {total:,}"

    def advance(done: int) -> None:
        nonlocal count
        count += done
        if shown:
            click.echo(f"\r{title}: {count:,}{of}", err=True, nl=False)

    advance(0)
    try:
        yield advance
    finally:
        if shown:
            click.echo("\r\033[K", err=True, nl=False)
