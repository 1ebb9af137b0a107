"""A mapping that cannot mean what it says is refused before any table is touched."""

import re
from pathlib import Path

import pytest

from producers.mapping import form
from producers.mapping.bounds import MAPPING_BYTES_MAX
from producers.mapping.faults import BadMapping, CellCode
from producers.mapping.load import load, parse
from tests.support import tree
from tests.support.tables import assay, weighing


def _problems(text: str) -> str:
    with pytest.raises(BadMapping) as caught:
        parse(text)
    return "\n".join(caught.value.problems)


def test_what_is_to_be_filled_in_is_named_with_its_line() -> None:
    text = 'version = 1\n[constants]\nsite_id = "?"  # "?" in a comment is none\n[[record]]\n'
    text += 'type = "weighing"\n[record.fields]\nnet_kg = { column = "n", unit = "?" }\n'
    said = _problems(text)
    assert "constants.site_id (line 3)" in said
    assert "record[1].fields.net_kg.unit (line 7)" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = [", "no TOML"),
        ("", "version"),
        ("version = 2\n[[record]]\ntype='lot'", "version"),
        (weighing("mapping = '/etc/passwd'"), "file.mapping"),
        (weighing("mapping = 'x'"), "no such key; known there: below_limit, decimal, delimiter"),
        (weighing("", "vehicle_id = { colum = 'v' }"), "known there: cell, column, columns"),
        (weighing("encoding = 'zip'"), "file.encoding 'zip'"),
        (weighing("encoding = '../../etc/passwd'"), "file.encoding"),
        (weighing("delimiter = '::'"), "file.delimiter"),
        (weighing("decimal = ','\nthousands = ','"), "file.thousands"),
        (weighing("time_zone = '../../../etc/passwd'"), "'../../../etc/passwd'"),
        (weighing("time_zone = '/etc/localtime'"), "'/etc/localtime'"),
        (weighing("time_zone = 'Europe'"), "'Europe'"),
        (weighing("time_zone = '+25:00'"), "'+25:00'"),
        (weighing("time_format = 'dd/MM'"), "a year and a day"),
        (weighing("time_format = 'dd/MM/yyyy Q'"), "Q means nothing"),
        (weighing("time_format = 'dd/MM/yyyy dd'"), "each thing once"),
        (weighing("", "gross_kg = { column = 'g' }"), "gross_kg: no unit"),
        (weighing("", "gross_kg = { column = 'g', unit = 'lb' }"), "unit 'lb'"),
        (weighing("", "gross_lb = { column = 'g', unit = 'kg' }"), "no field gross_lb"),
        (weighing("", "direction = { constant = 'up' }"), "'up' is none of in, out"),
        (weighing("", "direction = { column='d', values={ A='up' } }"), "'up' is none of"),
        (weighing("", "vehicle_id = { column='v', constant='x' }"), "given: column, constant"),
        (weighing("", "vehicle_id = { prefix='x' }"), "given: none"),
        (weighing("", "vehicle_id = { column='v', unit='kg' }"), "it has no unit"),
        (weighing("", "tare_at = { column='t', format='dd.MM.yyyy' }"), "time_of_day"),
        (weighing("", "ticket_no.0 = { column = 't' }"), "ticket_no"),
        (weighing("", "source_ref = { cell = '/etc/passwd' }"), "cell"),
        (weighing("", "source_ref = { cell = 'B2' }"), "source_ref: cell B2 is not above the data"),
        (weighing("heading_rows = []", "source_ref = { cell = 'A1' }"), "not above the data"),
        (assay("{ column = 'Cu', analyte = 'Cu', unit = 'pct' }"), "no basis"),
        (assay("{ column = 'Cu', analyte = 'Cu', unit = 'lb', basis = 'dry' }"), "unit"),
        (weighing().replace("site_id", "site"), "site_id is missing"),
        (weighing().replace("[constants]", "[constants]\nlab_id = 'L'"), "constants.lab_id"),
        (weighing().replace("'weighing'", "'reference'").replace('"weighing"', "'reference'"),
         "record.0.type"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_meant_says_where(text: str, said: str) -> None:
    assert said in _problems(text)


def test_a_mapping_that_is_no_mapping_is_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    for content in (b"\xff\xfe", b"\x00", b"a" * (MAPPING_BYTES_MAX + 1)):
        path.write_bytes(content)
        with pytest.raises(BadMapping):
            load(path)
    with pytest.raises(BadMapping, match="No such file"):
        load(tmp_path / "no.toml")


def test_no_key_of_a_mapping_names_a_file() -> None:
    """The only texts that look something up outside are the zone and the encoding."""
    names = form.MappingFile.model_json_schema()["$defs"]
    keys = {key for table in names.values() for key in table.get("properties", {})}
    assert not keys & {"path", "file", "include", "directory", "url", "extends"}


def test_a_windows_name_of_an_encoding_and_the_word_tab_are_understood() -> None:
    rule = parse(weighing("encoding = 'windows-1252'\ndelimiter = 'tab'")).file
    assert (rule.encoding, rule.delimiter) == ("cp1252", "\t")


def test_every_key_of_a_mapping_is_on_its_page() -> None:
    page = tree.text(Path("docs/mapping.md"))
    tables = form.MappingFile.model_json_schema()["$defs"].values()
    keys = {key for table in tables for key in table.get("properties", {})}
    assert not [key for key in keys if not re.search(rf"\b{key}\b", page)]


def test_every_reason_of_a_mapping_is_on_its_page() -> None:
    page = tree.text(Path("docs/mapping.md"))
    assert not [code for code in CellCode if f"`{code}`" not in page]
