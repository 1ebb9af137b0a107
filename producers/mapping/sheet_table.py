"""Rows of a spreadsheet (XLSX, XLSM, XLSB, XLS, ODS), read in a process of its own."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import IO

from custody.errors import Refused
from producers.mapping import zip_guard
from producers.mapping.bounds import READER_S_MAX, SHEET_FILE_BYTES_MAX
from producers.mapping.cells import Cell, Percent, Row
from producers.mapping.faults import BadTable

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of an XLS, and of an XLSX behind a password."""


class NoSpreadsheets(Refused):
    """The package that reads spreadsheets is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "spreadsheets need python_calamine, which is not installed:"
            " pip install 'custody[gateway]'",
            next_step="or save the sheet as CSV",
        )


def is_sheet(path: Path) -> bool:
    """Tell by its first bytes whether a file is a spreadsheet, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(len(OLE_MAGIC))
    return head == OLE_MAGIC or head.startswith(zip_guard.MAGIC)


def tells_formats(path: Path) -> bool:
    """Tell whether what a file shows as per cent is known; of XLS and XLSB it is not.

    Text shows what it holds.
    """
    if not is_sheet(path):
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.bin" not in archive.namelist()


def rows(path: Path, sheet: str | None) -> Iterator[Row]:
    """Yield the rows of a sheet.

    Args:
        path: The file.
        sheet: Name of the sheet; None where the file has only one.

    Raises:
        BadTable: No spreadsheet, beyond a bound, no such sheet, or several and none named.
        NoSpreadsheets: The extra is missing.
    """
    with closing(_lines(_checked(path), sheet or "")) as lines:
        names = _object(next(lines)).get("sheets")
        assert isinstance(names, list), "the child's first line"
        if sheet is None and len(names) > 1:
            raise _which(names)
        for no, line in enumerate(lines, start=1):
            if isinstance(line, dict):
                raise BadTable(str(line.get("fault")), expected=f"sheets: {_listed(names)}")
            assert isinstance(line, list), "a row"
            yield Row(no, tuple(_cell(str(cell)) for cell in line))


def _checked(path: Path) -> bytes:
    if find_spec("python_calamine") is None:
        raise NoSpreadsheets
    size = path.stat().st_size
    if size > SHEET_FILE_BYTES_MAX:
        why = f"a spreadsheet of {size} bytes, at most {SHEET_FILE_BYTES_MAX}"
        raise BadTable(why, next_step="save the sheet as CSV, or in parts")
    data = path.read_bytes()
    if data.startswith(zip_guard.MAGIC):
        zip_guard.check(data)
    return data


def _lines(data: bytes, sheet: str) -> Generator[object, None, None]:
    """Yield what the child says; its silence, end or nonsense is a fault of the table."""
    # The child finds what we found, whether we are installed or run from a directory.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    child = subprocess.Popen(  # noqa: S603  # our own interpreter and module; the name is one argument
        [sys.executable, "-m", "producers.mapping.sheet_child", sheet],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert child.stdin is not None, "a pipe was asked for"
    assert child.stdout is not None, "a pipe was asked for"
    watch = _Watch(child)
    # A full pipe in one direction must not block the other.
    threads = [
        threading.Thread(target=_feed, args=(child.stdin, data), daemon=True),
        threading.Thread(target=watch.run, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _said(watch, child.stdout)
    finally:
        watch.over.set()
        child.kill()
        child.wait()
        for thread in threads:
            thread.join()
        child.stdout.close()


class _Watch:
    """Ends a child that says nothing while it is waited for.

    How long whoever takes the rows is busy with them, such as with a gateway that is full, does
    not count.
    """

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self.over = threading.Event()
        self.waits = 0
        self.is_waiting = False

    def run(self) -> None:
        """Look from time to time, until it is over."""
        seen = 0
        while not self.over.wait(READER_S_MAX):
            if self.is_waiting and self.waits == seen:
                self._child.kill()
                return
            seen = self.waits


def _said(watch: _Watch, out: IO[bytes]) -> Iterator[object]:
    while True:
        watch.waits += 1
        watch.is_waiting = True
        line = out.readline()
        watch.is_waiting = False
        if not line.endswith(b"\n"):
            raise _unreadable()
        said: object = json.loads(line)
        if said is None:
            return
        yield said
        if isinstance(said, dict) and "fault" in said:
            return


def _feed(pipe: IO[bytes], data: bytes) -> None:
    # A child that ended early does not read; its end is told by what it wrote.
    with suppress(OSError), pipe:
        pipe.write(data)


def _object(said: object) -> dict[str, object]:
    assert isinstance(said, dict), "the child's first line"
    return said


def _percent(text: str) -> Cell:
    held = Decimal(text)
    # With all its digits and no exponent: 50 of 0.5, and not 5E+1.
    return Percent(Decimal(f"{held.scaleb(2):f}")) if held.is_finite() else text


_CELLS: Mapping[str, Callable[[str], Cell]] = MappingProxyType(
    {
        "s": str,
        "n": lambda text: Decimal(text) if Decimal(text).is_finite() else text,
        "p": _percent,
        "b": lambda text: text == "1",
        "m": datetime.fromisoformat,
        "d": date.fromisoformat,
        "h": time.fromisoformat,
        "l": lambda text: timedelta(microseconds=int(text)),
    }
)


def _cell(coded: str) -> Cell:
    return _CELLS[coded[0]](coded[1:]) if coded else ""


def _unreadable() -> BadTable:
    return BadTable(
        "no spreadsheet that can be read: broken, behind a password, or too large",
        next_step="open it in a spreadsheet program and save the sheet as CSV",
    )


def _which(names: list[object]) -> BadTable:
    return BadTable(
        f"{len(names)} sheets, and none is named",
        expected=f"one of {_listed(names)}",
        next_step="sheet = ... in [file] of the mapping, or --sheet",
    )


def _listed(names: list[object]) -> str:
    return ", ".join(repr(name) for name in names[:20])
