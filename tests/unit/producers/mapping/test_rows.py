"""One row at a time: which requests it gives, and why it gives none."""

import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest

from producers.json_schemas import request_schema
from producers.judge import accept
from producers.mapping.bounds import COLUMNS_MAX, ROW_CHARS_MAX
from producers.mapping.faults import BadTable
from producers.outcome import Accepted
from tests.support.gateway import NOW, terms
from tests.support.tables import assay, faults, made, of_text, requests, weighing

HEAD = "ticket,at,lot,net"
GOOD = "T-1,2026-11-03 06:42:10,L-1,30000"


def test_two_tickets_of_one_row_are_two_requests(tmp_path: Path) -> None:
    second = """
[[record]]
type = "weighing"
when = [{ column = "ticket2", matches = ["?*"] }]
[record.fields]
ticket_no = { column = "ticket2" }
occurred_at = { column = "at", zone = "UTC" }
lot_id = { column = "lot" }
net_kg = { column = "net2", unit = "t" }
purpose = { constant = "receipt" }
"""
    rows = of_text(
        tmp_path, weighing() + second, f"{HEAD},ticket2,net2", f"{GOOD},T-2,29.98", f"{GOOD},,"
    )
    assert [(r["ticket_no"], r["purpose"]) for r in requests(rows)] == [
        ("T-1", "dispatch"),
        ("T-2", "receipt"),
        ("T-1", "dispatch"),
    ]
    assert requests(rows)[1]["net_kg"] == {"value": "29.98", "unit": "t"}


def test_a_row_that_no_record_wants_is_refused_and_not_lost(tmp_path: Path) -> None:
    only = weighing().replace(
        'type = "weighing"', 'type = "weighing"\nwhen = [{ column = "lot", matches = ["L*"] }]'
    )
    rows = of_text(tmp_path, only, HEAD, GOOD, GOOD.replace("L-1", "M-1"))
    assert faults(rows) == [(3, "no_record", "", "")]


def test_rows_to_leave_out_are_left_out_whatever_their_case(tmp_path: Path) -> None:
    rules = 'skip_rows = [2]\nskip_where = [{ column = "ticket", matches = ["total*", "somme"] }]'
    lines = (HEAD, "kg,,,", GOOD, ",,,", "TOTAL 1,,,30000", "Somme,,,1")
    assert len(requests(of_text(tmp_path, weighing(rules), *lines))) == 1


def test_a_lot_is_null_only_where_the_mapping_says_that_empty_means_a_check(tmp_path: Path) -> None:
    without = GOOD.replace("L-1", "")
    assert faults(of_text(tmp_path, weighing(), HEAD, without)) == [
        (2, "missing_field", "lot_id", "lot")
    ]
    checks = weighing().replace('"lot" }', '"lot", null_when_empty = true }')
    assert requests(of_text(tmp_path, checks, HEAD, without))[0]["lot_id"] is None


def test_a_row_without_its_natural_key_is_refused_by_the_gateway_s_rule(tmp_path: Path) -> None:
    rows = of_text(tmp_path, weighing(), HEAD, GOOD.replace("T-1", ""))
    outcome = accept(requests(rows)[0], NOW, terms())
    assert not isinstance(outcome, Accepted)
    assert (outcome.code, outcome.field) == ("missing_identity", "ticket_no")


def test_lists_have_no_gaps_and_an_item_of_constants_alone_is_none(tmp_path: Path) -> None:
    mapping = """
version = 1
[file]
mass_unit = "t"
[constants]
site_id = "MINE-1"
kind = "concentrate"
[[record]]
type = "processing"
[record.fields]
process_id = { column = "process" }
occurred_at = { column = "at", zone = "UTC" }
"inputs.0.lot_id" = { column = "in" }
"inputs.0.mass_wet_kg" = { column = "in t" }
"inputs.0.moisture_fraction" = { column = "in H2O %", unit = "pct" }
"outputs.0.lot_id" = { column = "out1" }
"outputs.0.mass_wet_kg" = { column = "out1 t" }
"outputs.1.lot_id" = { column = "out2" }
"outputs.1.mass_wet_kg" = { column = "out2 t" }
"losses.0.kind" = { constant = "tailings" }
"losses.0.mass_wet_kg" = { column = "tailings t" }
"""
    head = "process,at,in,in t,in H2O %,out1,out1 t,out2,out2 t,tailings t"
    rows = of_text(tmp_path, mapping, head, "P-1,2026-11-03 06:42,L-1,30,8.5,,,L-3,2.5,")
    (request,) = requests(rows)
    assert request["inputs"] == [
        {"lot_id": "L-1", "mass_wet_kg": {"value": "30", "unit": "t"}, "moisture_fraction": 0.085}
    ]
    assert request["outputs"] == [{"lot_id": "L-3", "mass_wet_kg": {"value": "2.5", "unit": "t"}}]
    assert "losses" not in request
    assert rows[0].columns["outputs.0.lot_id"] == "out2"
    jsonschema.validate(request, request_schema("processing"))


def test_a_shipment_with_seals_position_and_papers_is_as_published(tmp_path: Path) -> None:
    mapping = """
version = 1
[constants]
site_id = "MINE-1"
kind = "dispatch"
[[record]]
type = "shipment"
[record.fields]
lot_id = { column = "lot" }
movement_id = { columns = ["year", "trip"], join = "/" }
occurred_at = { column = "at", format = "dd.MM.yyyy HH:mm", zone = "Africa/Lubumbashi" }
"seals.0" = { column = "seal 1", prefix = "S" }
"seals.1" = { column = "seal 2", prefix = "S" }
"position.lat" = { column = "lat" }
"position.lon" = { column = "lon" }
"documents.0.type" = { constant = "waybill" }
"documents.0.number" = { column = "waybill" }
"documents.0.issued" = { column = "issued", format = "dd.MM.yyyy" }
"""
    head = "lot,year,trip,at,seal 1,seal 2,lat,lon,waybill,issued"
    line = "L-1,2026,17,03.11.2026 06:42,,0042,-10.71,25.47,W-9,02.11.2026"
    (request,) = requests(of_text(tmp_path, mapping, head, line))
    jsonschema.validate(request, request_schema("shipment"))
    assert request["movement_id"] == "2026/17"
    assert request["seals"] == ["S0042"]
    assert request["documents"] == [{"type": "waybill", "number": "W-9", "issued": "2026-11-02"}]
    assert isinstance(accept(json.loads(json.dumps(request)), NOW, terms()), Accepted)


def test_shots_of_an_analyser_have_their_error_and_limit_columns(tmp_path: Path) -> None:
    mapping = """
version = 1
[file]
empty = ["-"]
[constants]
site_id = "MINE-1"
device_id = "XRF-1"
basis = "as_is"
[[record]]
type = "xrf"
elements = [
  { column = "Cu", analyte="Cu", unit="ppm", error_2sigma_column="Err", limit_column="LOD" },
  { column = "Co", analyte = "Co", unit = "ppm" },
]
[record.fields]
shot_no = { column = "Reading" }
lot_id = { column = "lot" }
occurred_at = { column = "at", zone = "UTC" }
"""
    head = "Reading,lot,at,Cu,Err,LOD,Co"
    at = "2026-11-03 06:42"
    rows = of_text(
        tmp_path, mapping, head, f"17,L-1,{at},25000,120,30,-", f"18,L-1,{at},<LOD,,30,5"
    )
    first, second = requests(rows)
    assert first["shot_no"] == 17
    assert first["results"] == [
        {"analyte": "Cu", "unit": "ppm", "value": "25000", "detection_limit": "30",
         "error_2sigma": "120"}
    ]  # fmt: skip
    jsonschema.validate(second, request_schema("xrf"))
    assert [r["qualifier"] for r in second["results"][:1]] == ["<"]  # type: ignore[index]  # JSON


def test_a_fault_names_row_field_and_column(tmp_path: Path) -> None:
    element = "{ column = 'Cu %', analyte = 'Cu', unit = 'pct', basis = 'dry' }"
    rows = of_text(tmp_path, assay(element), "cert,lot,Cu %", "C-1,L-1,2.5", "C-2,L-1,n/a")
    assert faults(rows) == [(3, "not_a_number", "results.Cu", "Cu %")]
    rows = of_text(tmp_path, weighing(), HEAD, GOOD.replace("30000", "thirty"))
    assert faults(rows) == [(2, "not_a_number", "net_kg", "net")]


def test_bytes_that_are_no_text_refuse_their_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    bad = GOOD.replace("L-1", "L-\udce9")
    path.write_bytes(f"{HEAD}\n{GOOD}\n{bad}\n{GOOD}".encode(errors="surrogateescape"))
    rows = made(path, weighing())
    assert faults(rows) == [(3, "bad_encoding", "", "lot")]
    assert len(rows) == 3


def test_more_cells_than_headings_refuse_the_row(tmp_path: Path) -> None:
    rows = of_text(tmp_path, weighing(), HEAD, f"{GOOD},kg", f"{GOOD},,")
    assert faults(rows) == [(2, "too_many_cells", "", "")]
    assert len(rows) == 2


def test_a_missing_column_refuses_the_file_and_says_which_are_there(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="no column 'net'") as caught:
        of_text(tmp_path, weighing(), "ticket,at,lot,Net weight", GOOD)
    assert "'Net weight'" in str(caught.value)


def test_a_heading_that_is_there_twice_is_told_apart(tmp_path: Path) -> None:
    twice = weighing("", 'gross_kg = { column = "net#2", unit = "kg" }')
    (request,) = requests(of_text(tmp_path, twice, f"{HEAD},net", f"{GOOD},45000"))
    assert (request["net_kg"], request["gross_kg"]) == ("30000", "45000")


def test_a_table_without_headings_has_columns_by_letter(tmp_path: Path) -> None:
    mapping = weighing("heading_rows = []")
    for title, letter in zip(("ticket", "at", "lot", "net"), "ABCD", strict=True):
        mapping = mapping.replace(f'"{title}"', f'"[{letter}]"')
    assert len(requests(of_text(tmp_path, mapping, GOOD, GOOD))) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"ticket,at,lot,net\n" + b"x" * (ROW_CHARS_MAX + 1), "row 2: longer than"),
        (b'ticket,at,lot,net\n"' + b"x\n" * ROW_CHARS_MAX, "row 2: longer than"),
        (b"ticket,at,lot,net\n" + b"," * (COLUMNS_MAX + 1), "row 2: more than"),
        (b"", "above its headings"),
    ],
)
def test_what_is_beyond_bounds_is_refused_at_its_row(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(BadTable, match=said):
        made(path, weighing())


def test_a_huge_line_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """100 MB without a line feed, in a sparse file: no more than the bound is in memory."""
    path = tmp_path / "table.csv"
    with path.open("wb") as file:
        file.write(b"ticket,at,lot,net\n")
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BadTable, match="row 2: longer than"):
            made(path, weighing())
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_the_mark_of_utf_8_is_no_part_of_the_first_heading(tmp_path: Path) -> None:
    assert len(requests(of_text(tmp_path, weighing(), HEAD, GOOD, encoding="utf-8-sig"))) == 1
    with pytest.raises(BadTable, match="the mark of UTF-8"):
        of_text(tmp_path, weighing("encoding = 'cp1252'"), HEAD, GOOD, encoding="utf-8-sig")
    wide = weighing("encoding = 'utf-16'")
    assert len(requests(of_text(tmp_path, wide, HEAD, GOOD, encoding="utf-16"))) == 1
    with pytest.raises(BadTable, match="no text in utf-16"):
        of_text(tmp_path, wide, HEAD, GOOD)


@pytest.mark.parametrize("coding", ["cp1252", "latin-1", "cp850", "cp1251", "koi8-r"])
def test_an_export_that_has_become_utf_8_is_not_read_as_the_code_page_of_before(
    tmp_path: Path, coding: str
) -> None:
    """Its headings are ASCII, so every row was taken: with lots that nobody has."""
    mapping = weighing(f"encoding = '{coding}'")
    lines = (HEAD, GOOD, GOOD.replace("L-1", "Кесто-Ñ").replace("T-1", "T-2"))
    with pytest.raises(BadTable, match=f"text in UTF-8, and the mapping says {coding}"):
        of_text(tmp_path, mapping, *lines)
    with pytest.raises(BadTable, match="text in UTF-8"):
        of_text(tmp_path, mapping, HEAD, *[GOOD] * 60_000, lines[2])
    assert len(requests(of_text(tmp_path, mapping, HEAD, GOOD))) == 1


@pytest.mark.parametrize("coding", ["gb18030", "gbk", "big5", "cp932", "shift_jis", "euc-kr"])
@pytest.mark.parametrize(
    ("lots", "said"),
    [
        (("南-1", "北-2"), "text in UTF-8"),
        (("Кесто-Ñ",), "text in UTF-8"),
        (("Größe",), ""),
        (("南-1",), ""),
    ],
)
def test_code_pages_of_more_bytes_need_letters_enough_to_tell_utf_8(
    tmp_path: Path, coding: str, lots: Sequence[str], said: str
) -> None:
    """Lots in Chinese, under headings in ASCII, were taken under names that nobody has."""
    mapping = weighing(f"encoding = '{coding}'")
    lines = (HEAD, *(GOOD.replace("L-1", lot) for lot in lots))
    if said:
        with pytest.raises(BadTable, match=f"{said}, and the mapping says {coding}"):
            of_text(tmp_path, mapping, *lines)
    else:
        assert len(of_text(tmp_path, mapping, *lines)) == len(lots)


@pytest.mark.parametrize("coding", ["utf-8", "cp1252", "gb18030"])
@pytest.mark.parametrize("order", ["le", "be"])
def test_the_mark_of_utf_16_is_named_under_a_mapping_of_another_encoding(
    tmp_path: Path, coding: str, order: str
) -> None:
    """It was said to lack a column, whose name was told as bytes."""
    mapping = weighing("" if coding == "utf-8" else f"encoding = '{coding}'")
    with pytest.raises(BadTable, match=f"mark of UTF-16, and the mapping says {coding}") as told:
        of_text(tmp_path, mapping, f"\ufeff{HEAD}", GOOD, encoding=f"utf-16-{order}")
    assert told.value.next_step == 'encoding = "utf-16" in [file]'


@pytest.mark.parametrize(
    ("coding", "lot"),
    [
        ("cp1252", "Größe-É"),
        ("cp1251", "Лот-7"),
        ("gb18030", "联通"),
        ("big5", "批號"),
        # Both are UTF-8 by chance.
        ("gbk", "重"),
        ("cp932", "ﾃｽﾄﾀ"),
    ],
)
def test_a_code_page_is_read_as_what_it_is(tmp_path: Path, coding: str, lot: str) -> None:
    """Two letters of Chinese may be UTF-8 by chance: of those code pages nothing is said."""
    lines = (HEAD, GOOD.replace("L-1", lot))
    [request] = requests(
        of_text(tmp_path, weighing(f"encoding = '{coding}'"), *lines, encoding=coding)
    )
    assert request["lot_id"] == lot


@pytest.mark.parametrize("end", ["", '"'])
def test_rows_within_a_quote_that_nobody_closed_are_not_lost(tmp_path: Path, end: str) -> None:
    """The first ticket was taken, and all up to the next quote were a part of its remark."""
    head, rows = f"{HEAD},remark", [f"{GOOD.replace('T-1', f'T-{no}')}," for no in range(1, 6)]
    rows[1] += '"late'
    rows[3] += end
    read = of_text(tmp_path, weighing(), head, *rows)
    assert faults(read) == [(3, "too_many_cells", "", "remark")]
    assert read[1].fault is not None
    assert "a quote that was opened is closed" in read[1].fault.allowed
    taken = [one.request["ticket_no"] for one in read if one.request is not None]
    assert taken == (["T-1", "T-5"] if end else ["T-1"])


def test_a_remark_of_several_lines_is_a_remark(tmp_path: Path) -> None:
    head = f"{HEAD},remark"
    remark = '"rain, mud, late, wet, dark\nT-2, L-1, 30000, again, see T-1\n\n,,,,"'
    [request] = requests(of_text(tmp_path, weighing(), head, f"{GOOD},{remark}"))
    assert request["ticket_no"] == "T-1"
