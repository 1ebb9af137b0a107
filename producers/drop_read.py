"""From a dropped file to its requests, chosen by the end of its name.

A reader gives pairs of a row's number and what stands there: parsed JSON, or an ``Unread`` that
says why it is none, or ``LEFT_OUT``. It never holds more of the file than its limit. Further kinds
of files are further rows of ``READERS``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from custody.errors import Refused
from producers import strict_json
from producers.config import DropConfig
from producers.outcome import Code, Refusal, Unread
from producers.refused_share import BODY_BYTES_MAX
from producers.weight import TooHeavy, weighed

_SKIP_BYTES = 64 * 1024

Row = tuple[int, object]

LEFT_OUT: Final = object()
"""Stands for a row that its mapping leaves out: no request, but said in the result."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file to read.

    Attributes:
        file: Open at its start; a regular file that was no link.
        path: Where it lies while it is read.
        folder: Where it was dropped, and where what belongs to it lies.
        name: Its name there.
        limits: What it may take.
    """

    file: BinaryIO
    path: Path
    folder: Path
    name: str
    limits: DropConfig


class Fault(StrEnum):
    """Why a file as a whole fails; public names, see ``docs/ways-in.md``."""

    BAD_NAME = "bad_name"
    NOT_A_FILE = "not_a_file"
    UNKNOWN_KIND = "unknown_kind"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    NOT_JSON = "not_json"
    UNREADABLE_ROWS = "unreadable_rows"
    INTERNAL = "internal"


class Unreadable(Refused):
    """A file as a whole cannot be read."""

    def __init__(self, fault: Fault, detail: str) -> None:
        self.fault = fault
        self.detail = detail
        super().__init__(f"dropped file: {fault.value}: {detail}")


@dataclass(frozen=True, slots=True)
class Reader:
    """How files of one kind are read.

    Attributes:
        rows: Gives the rows in order; the same ones each time while the file is the same. Raises
            ``Unreadable`` where it cannot go on.
        bytes_max: Largest file, of the limits.
        beside: Further files that decide what is read, such as a mapping: a file whose mapping
            has changed is another file.
    """

    rows: Callable[[Dropped], Iterator[Row]]
    bytes_max: Callable[[DropConfig], int]
    beside: Callable[[Path, str], Sequence[Path]] = lambda _folder, _name: ()


def lines(dropped: Dropped) -> Iterator[Row]:
    """Yield one request per line; empty lines are passed over."""
    longest, file = dropped.limits.line_bytes_max, dropped.file
    no = 0
    while line := file.readline(longest + 1):
        no += 1
        if len(line) > longest and not line.endswith(b"\n"):
            _skip_rest_of_line(file)
            refusal = Refusal(Code.TOO_MANY_ITEMS, "", f"{longest} bytes and more", longest)
            yield no, Unread(refusal, line[:BODY_BYTES_MAX])
        elif line.strip():
            yield no, _parsed(line)


def one_list(dropped: Dropped) -> Iterator[Row]:
    """Yield the requests of a JSON list, or the one of a JSON object.

    Raises:
        Unreadable: It is neither, or would take more memory than a list may.
    """
    body = dropped.file.read(dropped.limits.list_bytes_max)
    try:
        weighed([body], dropped.limits.list_bytes_max)
    except TooHeavy:
        raise Unreadable(Fault.TOO_LARGE, "a list of too many values: send lines") from None
    try:
        parsed = strict_json.parsed(body)
    except strict_json.BadJson as error:
        raise Unreadable(Fault.NOT_JSON, error.text) from None
    if not isinstance(parsed, list | dict):
        raise Unreadable(Fault.NOT_JSON, "neither a list nor an object")
    yield from enumerate(parsed if isinstance(parsed, list) else [parsed], start=1)


READERS: Mapping[str, Reader] = {
    ".ndjson": Reader(lines, lambda limits: limits.file_bytes_max),
    ".jsonl": Reader(lines, lambda limits: limits.file_bytes_max),
    ".json": Reader(one_list, lambda limits: limits.list_bytes_max),
}
"""By the end of the name, lower case."""


def _parsed(line: bytes) -> object:
    try:
        return strict_json.parsed_line(line)
    except strict_json.BadJson as error:
        refusal = Refusal(Code.BAD_VALUE, "", error.found, error.expected)
        return Unread(refusal, line[:BODY_BYTES_MAX])


def _skip_rest_of_line(file: BinaryIO) -> None:
    while piece := file.readline(_SKIP_BYTES):
        if piece.endswith(b"\n"):
            return
