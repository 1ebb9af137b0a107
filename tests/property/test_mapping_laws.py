"""Laws of tables: any bytes give requests or a named error, and what was written is read back."""

import csv
import io
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from producers.mapping.draft_text import text
from producers.mapping.encodings import ENCODINGS
from producers.mapping.faults import BadMapping, BadTable
from producers.mapping.load import parse
from producers.mapping.read import read
from producers.mapping.refused import RefusedFile
from producers.mapping.sheet_table import OLE_MAGIC
from producers.mapping.suggest import suggest
from producers.mapping.zip_guard import MAGIC
from tests.support.tables import assay, weighing
from tests.support.tree import ROOT

MAPPINGS = (
    weighing(),
    weighing("heading_rows = [1, 2]\ndecimal = ','\nthousands = '.'\nquote = ''"),
    weighing("encoding = 'gb18030'\ndelimiter = 'tab'\nlimits_row = 3"),
    weighing("encoding = 'utf-16'"),
    weighing("heading_rows = []").replace('"ticket"', '"[A]"').replace('"at"', '"[B]"')
    .replace('"lot"', '"[C]"').replace('"net"', '"[D]"'),
    assay("{ column = 'Cu', analyte = 'Cu', unit = 'pct', basis = 'dry' }", "limits_row = 2"),
    (ROOT / "examples/pont-bascule.toml").read_text("utf-8"),
    (ROOT / "examples/lims.toml").read_text("utf-8"),
)  # fmt: skip

HEADS = ("ticket,at,lot,net\n", "cert,lot,Cu\n1,2,<LOD\n", "ticket\tat\tlot\tnet\n", "")
TABLE_LETTERS = st.sampled_from("abÉ磅ж0123456789.,;\t\"'<>- \r\n\x00/:ND%")


@contextmanager
def _file(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "table.csv"
        path.write_bytes(content)
        yield path


def _is_named(path: Path, mapping: str) -> None:
    """Read all of a table and write back what is refused; only errors of ours may come."""
    rules = parse(mapping)
    try:
        reading = read(path, rules)
        kept = RefusedFile(path, rules.file, reading.top)
        for one in reading.made:
            if one.fault is not None:
                assert one.row.no >= 1
                assert one.fault.code
                kept.add(one.row, one.fault.code, one.fault.field, one.fault.allowed)
            else:
                assert one.request is not None
        kept.finish()
    except BadTable:
        pass


@given(st.sampled_from(MAPPINGS), st.sampled_from(HEADS), st.binary(max_size=400))
def test_any_bytes_give_requests_or_a_named_error(mapping: str, head: str, body: bytes) -> None:
    with _file(head.encode() + body) as path:
        _is_named(path, mapping)


@given(st.sampled_from(MAPPINGS), st.sampled_from(HEADS), st.text(TABLE_LETTERS, max_size=400))
def test_any_text_gives_requests_or_a_named_error(mapping: str, head: str, body: str) -> None:
    with _file((head + body).encode()) as path:
        _is_named(path, mapping)


@settings(max_examples=15)
@given(st.sampled_from([MAGIC, OLE_MAGIC]), st.binary(max_size=3000))
def test_any_bytes_that_begin_like_a_spreadsheet_are_a_named_error(
    magic: bytes, body: bytes
) -> None:
    with _file(magic + body) as path:
        _is_named(path, MAPPINGS[0])


@given(st.one_of(st.binary(max_size=300), st.text(TABLE_LETTERS, max_size=300).map(str.encode)))
def test_whatever_the_file_a_proposal_is_toml_that_a_person_has_to_finish(body: bytes) -> None:
    with _file(body) as path:
        try:
            draft = text(suggest(path), path.name)
        except BadTable:
            return
        tomllib.loads(draft)
        with suppress(BadMapping):
            parse(draft)


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_a_named_error(content: str) -> None:
    for given_text in (content, weighing(content), weighing("", content)):
        with suppress(BadMapping):
            parse(given_text)


@dataclass(frozen=True)
class Layout:
    """How a table is written: all that a mapping can say of it."""

    encoding: str
    delimiter: str
    decimal: str
    thousands: str
    unit: str
    form: str
    zone: str
    above: int


FORMS = {
    "dd/MM/yyyy HH:mm": "%d/%m/%Y %H:%M",
    "MM/dd/yyyy HH:mm": "%m/%d/%Y %H:%M",
    "yyyy-MM-dd HH:mm": "%Y-%m-%d %H:%M",
    "dd.MM.yyyy HH:mm": "%d.%m.%Y %H:%M",
    "yyyyMMdd HHmm": "%Y%m%d %H%M",
    "dd-MMM-yyyy hh:mm tt": "%d-%b-%Y %I:%M %p",
}
TITLE = {"utf-8": "№ ticket 磅", "cp1252": "N° ticket é", "cp437": "Numéro é",
         "cp1251": "№ талона", "latin-1": "N° é", "utf-16": "№ ticket 磅", "cp866": "Номер",
         "gb18030": "磅单号"}  # fmt: skip

ONE_BYTE = [name for name in ENCODINGS if name.startswith(("cp12", "cp4", "cp8", "latin", "iso"))]

LAYOUTS = st.builds(
    Layout,
    encoding=st.sampled_from(sorted(TITLE)),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", " ", "'"]),
    unit=st.sampled_from(["g", "kg", "t"]),
    form=st.sampled_from(sorted(FORMS)),
    zone=st.sampled_from(["Africa/Lubumbashi", "Europe/Paris", "Asia/Kathmandu", "-03:00", "UTC"]),
    above=st.integers(0, 3),
)
MASSES = st.decimals(0, 60_000, places=3, allow_nan=False)
# Away from the hours in which clocks are changed.
NOONS = st.dates(date(2001, 1, 1), date(2060, 1, 1)).map(lambda on: datetime.combine(on, time(12)))
ROWS = st.lists(
    st.tuples(
        st.text("ABC-/ 0189\"'", min_size=1, max_size=12).filter(lambda s: s == s.strip()),
        NOONS,
        MASSES,
    ),
    max_size=6,
)


def _written(value: Decimal, layout: Layout) -> str:
    whole, _, rest = f"{value:,f}".partition(".")
    return f"{whole.replace(',', layout.thousands)}{layout.decimal}{rest}"


def _table(rows: list[tuple[str, datetime, Decimal]], layout: Layout) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=layout.delimiter, lineterminator="\r\n")
    writer.writerows([[f"above {no}"] for no in range(layout.above)])
    writer.writerow([TITLE[layout.encoding], "at", "lot", "net"])
    for ticket, at, mass in rows:
        shown = at.strftime(FORMS[layout.form])
        writer.writerow([ticket, shown, "L-1", _written(mass, layout)])
    writer.writerow(["Total", "", "", "1"])
    return out.getvalue().encode(layout.encoding)


def _mapping(layout: Layout) -> str:
    delimiter = "tab" if layout.delimiter == "\t" else layout.delimiter
    title = TITLE[layout.encoding]
    rules = f"""
encoding = "{layout.encoding}"
delimiter = "{delimiter}"
heading_rows = [{layout.above + 1}]
decimal = "{layout.decimal}"
thousands = "{layout.thousands}"
time_format = "{layout.form}"
skip_where = [{{ column = "{title}", matches = ["total"] }}]
"""
    made = weighing(rules).replace('"ticket"', f'"{title}"')
    return made.replace('unit = "kg"', f'unit = "{layout.unit}"').replace(
        'zone = "UTC"', f'zone = "{layout.zone}"'
    )


@given(ROWS, LAYOUTS)
def test_what_is_written_in_any_layout_is_read_back(
    rows: list[tuple[str, datetime, Decimal]], layout: Layout
) -> None:
    with _file(_table(rows, layout)) as path:
        made = list(read(path, parse(_mapping(layout))).made)
    assert [one.fault for one in made] == [None] * len(rows)
    for one, (ticket, at, mass) in zip(made, rows, strict=True):
        assert one.request is not None
        assert one.request["ticket_no"] == ticket
        net = one.request["net_kg"]
        value, unit = (net["value"], net["unit"]) if isinstance(net, dict) else (net, "kg")
        assert (Decimal(str(value)), unit) == (mass, layout.unit)
        read_at = datetime.fromisoformat(str(one.request["occurred_at"]))
        assert read_at.replace(tzinfo=None) == at
        if layout.zone not in {"UTC", "-03:00"}:
            placed = at.replace(tzinfo=ZoneInfo(layout.zone))
            assert read_at.astimezone(UTC) == placed.astimezone(UTC)


@given(st.sampled_from(ONE_BYTE), st.binary(min_size=1, max_size=60))
def test_a_refused_row_is_written_back_byte_for_byte(encoding: str, cell: bytes) -> None:
    """Of encodings with one byte per letter, which are the ones that plants still have.

    A file whose letters are all UTF-8 is refused as such, as those of one cell may be by chance.
    """
    cell = cell.translate(None, b'\r\n,"\x1c\x1d\x1e')
    assume(
        cell.isascii() or "\ufffd" in cell.replace(b"\xef\xbf\xbd", b"").decode(errors="replace")
    )
    with _file(b"ticket,at,lot,net\n" + cell + b",bad time,L-1,1\n") as path:
        rules = parse(weighing(f"encoding = '{encoding}'"))
        reading = read(path, rules)
        kept = RefusedFile(path, rules.file, reading.top)
        for one in reading.made:
            assert one.fault is not None
            kept.add(one.row, one.fault.code, one.fault.field, "x")
        written = kept.finish()
        assert written is not None
        assert cell + b",bad time,L-1,1," in written.read_bytes()
