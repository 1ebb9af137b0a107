"""Dropped tables: rows as requests, by the mapping that lies beside them in the folder.

``<name>.mapping.toml`` is that of one file, ``mapping.toml`` that of all others. A link or folder
of such a name is not passed over: the table would be read by a mapping that is not meant. Row
numbers are those of the table; a row that gives no request stands among the refused with its cells.
"""

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from custody.errors import Refused
from producers.config import DropConfig
from producers.drop_look import kind_of, status_of
from producers.drop_read import LEFT_OUT, Dropped, Fault, Reader, Row, Unreadable
from producers.mapping.bounds import SHEET_FILE_BYTES_MAX
from producers.mapping.cells import text_of
from producers.mapping.faults import CellFault
from producers.mapping.load import load
from producers.mapping.read import read
from producers.mapping.records import Made
from producers.outcome import Code, Refusal, Unread
from producers.refused_share import BODY_BYTES_MAX

ANY = "mapping.toml"
"""Mapping of every table that has none of its own."""


def rows(dropped: Dropped) -> Iterator[Row]:
    """Yield the requests of a table.

    Raises:
        Unreadable: There is no mapping, or it or the table cannot be used.
    """
    beside = mappings(dropped.folder, dropped.name)
    if not beside:
        wanted = f"no {dropped.name}.mapping.toml and no {ANY} beside it"
        raise Unreadable(Fault.UNREADABLE, wanted)
    try:
        left: list[int] = []
        for made in read(dropped.path, load(beside[0]), left.append).made:
            yield from _taken_off(left)
            yield made.row.no, _request(made)
        yield from _taken_off(left)
    except Refused as error:
        said = "; ".join(line.strip() for line in str(error).splitlines())
        raise Unreadable(Fault.UNREADABLE_ROWS, said) from None


def _taken_off(left: list[int]) -> Iterator[Row]:
    """Yield rows that the mapping leaves out, and forget them."""
    yield from ((no, LEFT_OUT) for no in left)
    left.clear()


def mappings(folder: Path, name: str) -> Sequence[Path]:
    """Return the mapping that a dropped table is read by; none where there is none.

    Raises:
        Unreadable: What has its name is a link, a folder or a device.
    """
    for path in (folder / f"{name}.mapping.toml", folder / ANY):
        status = status_of(path)
        if status is None:
            continue
        if not stat.S_ISREG(status.st_mode):
            what = f"{path.name} is {kind_of(status.st_mode)}: a mapping has to be a file"
            raise Unreadable(Fault.UNREADABLE, what)
        return (path,)
    return ()


def _request(made: Made) -> object:
    if made.fault is None:
        return made.request
    text = "\t".join(text_of(cell) for cell in made.row.cells)
    return Unread(_refusal(made.fault), text.encode(errors="replace")[:BODY_BYTES_MAX])


def _refusal(fault: CellFault) -> Refusal:
    """Return a fault of a cell as the gateway answers: what only a table has is a bad value."""
    where = fault.field or fault.column
    try:
        return Refusal(Code(fault.code), where, fault.found, fault.allowed)
    except ValueError:
        return Refusal(Code.BAD_VALUE, where, fault.found, f"{fault.code}: {fault.allowed}")


def _text_max(limits: DropConfig) -> int:
    return limits.file_bytes_max


def _sheet_max(limits: DropConfig) -> int:
    return min(limits.file_bytes_max, SHEET_FILE_BYTES_MAX)


READERS: Mapping[str, Reader] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), Reader(rows, _text_max, mappings)),
    **dict.fromkeys(
        (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), Reader(rows, _sheet_max, mappings)
    ),
}
"""By the end of the name, lower case."""
