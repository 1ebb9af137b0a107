"""Tables and mappings for tests: written, read, and as requests."""

from collections.abc import Sequence
from pathlib import Path

from producers.mapping.load import parse
from producers.mapping.read import read
from producers.mapping.records import Made, Request

WEIGHING = """
version = 1
[file]
{file}
[constants]
site_id = "MINE-1"
device_id = "WB-1"
purpose = "dispatch"
[[record]]
type = "weighing"
[record.fields]
ticket_no = {{ column = "ticket" }}
occurred_at = {{ column = "at", zone = "UTC" }}
lot_id = {{ column = "lot" }}
net_kg = {{ column = "net", unit = "kg" }}
{fields}
"""

ASSAY = """
version = 1
[file]
{file}
[constants]
site_id = "MINE-1"
lab_id = "LAB-1"
stage = "final"
party = "seller"
[[record]]
type = "assay"
elements = [ {elements} ]
[record.fields]
certificate_no = {{ column = "cert" }}
occurred_at = {{ constant = "2026-11-04T12:00:00Z" }}
lot_id = {{ column = "lot" }}
"""


def weighing(file: str = "", fields: str = "") -> str:
    """A mapping of columns ticket, at, lot and net."""
    return WEIGHING.format(file=file, fields=fields)


def assay(elements: str, file: str = "") -> str:
    """A mapping of columns cert, lot and elements."""
    return ASSAY.format(file=file, elements=elements)


def made(path: Path, mapping: str) -> list[Made]:
    """What every record makes of every row."""
    return list(read(path, parse(mapping)).made)


def of_text(tmp_path: Path, mapping: str, *lines: str, encoding: str = "utf-8") -> list[Made]:
    """The same of a table given as its lines."""
    path = tmp_path / "table.csv"
    path.write_bytes("\n".join(lines).encode(encoding))
    return made(path, mapping)


def requests(rows: Sequence[Made]) -> list[Request]:
    """The requests; none may be refused."""
    assert not [(m.row.no, m.fault.code, m.fault.found) for m in rows if m.fault is not None]
    return [m.request for m in rows if m.request is not None]


def faults(rows: Sequence[Made]) -> list[tuple[int, str, str, str]]:
    """Row, code, field and column of what was refused."""
    return [
        (m.row.no, m.fault.code, m.fault.field, m.fault.column) for m in rows if m.fault is not None
    ]
