"""Proposals: what is read off a file, and that nothing else is."""

from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

import pytest
import xlsxwriter

from producers.mapping.draft import Draft
from producers.mapping.draft_text import text
from producers.mapping.faults import BadMapping, BadTable
from producers.mapping.load import parse
from producers.mapping.sniff import decimal_mark, time_format
from producers.mapping.suggest import suggest
from producers.mapping.titles import understood


def _suggest(tmp_path: Path, content: str, encoding: str = "utf-8") -> Draft:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode(encoding))
    return suggest(path)


@pytest.mark.parametrize(
    "heading",
    ["Ticket;Gross (kg);Tare (kg);Net (kg)", "N° ticket;Poids brut (kg);Tare (kg);Poids net (kg)",
     "Folio;Peso bruto (kg);Tara (kg);Peso neto (kg)",
     "Nº ticket;Peso bruto (kg);Tara (kg);Peso líquido (kg)",
     "Wiegeschein-Nr;Bruttogewicht [kg];Tara [kg];Netto [kg]",
     "№ талона;Брутто, кг;Тара, кг;Нетто, кг", "磅单号;毛重(公斤);皮重(公斤);净重(公斤)"],
)  # fmt: skip
def test_a_weighbridge_is_known_in_seven_languages(tmp_path: Path, heading: str) -> None:
    draft = _suggest(tmp_path, f"{heading}\nT-1;45000;15000;30000\n")
    fields = {line.key: line.value for line in draft.fields}
    assert draft.stem == "weighing"
    for name in ("gross_kg", "tare_kg", "net_kg"):
        rule = fields[name]
        assert isinstance(rule, dict)
        assert rule["unit"] == "kg"
    assert fields["ticket_no"] == {"column": heading.partition(";")[0]}


HEADINGS = {
    "ticket_no": "Ticket #|WB Ticket No|N° de pesée|Bon n°|Nº de ticket|Nro. de boleta|N.º do talão"
    "|Número da pesagem|Wiegeschein Nr.|Lfd. Nr.|№ талона|№ билета|Номер отвеса|过磅编号|称重单号",
    "lot_id": "Lot #|Lot N°|N° de lot|Nro. lote|Código do lote|Los-Nr.|Charge Nr.|Номер лота"
    "|Партия №|批次编号",
    "gross_kg": "Gross kg|Poids brut, kg|Poids brut en kg|P. Bruto|Peso cheio (t)|Vollgewicht"
    "|Брутто, кг|Вес брутто, т|毛重（kg）"
    "|毛重kg"
    "|毛重/吨",
    "tare_kg": "Tare, kg|Poids à vide|Peso vacío|Peso vazio|Leergewicht (kg)|Вес тары, т"
    "|皮重（吨）",
    "net_kg": "Net, kg|Poids net (t)|Peso neto (t)|Peso líquido|Nettomasse|Нетто, кг|净重t|净重/kg",
    "occurred_at": "Date de la pesée|Fecha de pesaje|Data da pesagem|Datum/Zeit|Datum und Uhrzeit"
    "|Дата/время|Дата отвеса|称重时间",
    "time": "Heure de pesée|Hora de pesaje|Hora da pesagem|Uhrzeit|Время взвешивания|时间",
    "vehicle_id": "Truck Reg|N° d'immatriculation|Placa del vehículo|Placa do veículo|Kfz-Kennz."
    "|Гос. номер|Госномер|车牌号码",
    "moisture": "Teneur en eau (%)|% Humedad|Teor de umidade|Feuchtegehalt|Влажность, %"
    "|Массовая доля влаги, %|水分（%）|含水量",
    "sample_id": "Lab No|Código de muestra|ID da amostra|Probe-Nr.|Шифр пробы|试样编号",
    "lab_id": "Lab|Laboratoire|化验室",
    "certificate_no": "Cert. No.|N° du rapport|Nro. de informe|Nº do laudo|Zertifikat Nr."
    "|Протокол №|化验单号|Prüfberichts-Nr.|Prüfberichtsnummer",
    "purpose": "Movimiento|Tipo de movimiento|Movimento|Mouvement",
    "Cu": "%Cu|Cu, %|Cu grade|Copper (%)|Teneur en Cu|Cuivre (%)|Ley de Cu|Cobre %|Teor de Cu"
    "|Kupfer (%)|Cu-Gehalt (%)|Медь, %|Содержание меди|铜品位(%)|Cu（%）|含铜%",
    "Au": "Gold g/t|Or (g/t)|Oro (g/t)|Ouro (g/t)|Золото, г/т|金(g/t)",
    "Li2O": "Li2O, %|氧化锂(%)",
    "SiO2": "二氧化硅|二氧化硅（%）|SiO2, %|Silice (%)|Kieselsäure %|Диоксид кремния, %",
    "Fe2O3": "三氧化二铁(%)",
    "P2O5": "五氧化二磷(%)",
    "": "Or|Номер|No.|mg/kg|Material code|Customer No|Lead time|Order no|毛重时间|Remarks, t",
}


@pytest.mark.parametrize(
    ("heading", "meant"),
    [(heading, meant) for meant, some in HEADINGS.items() for heading in some.split("|")],
)
def test_a_heading_of_a_plant_is_known_as_it_is_written(heading: str, meant: str) -> None:
    title = understood(heading)
    assert (title.field or title.analyte) == meant


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("毛重/吨", "t"), ("净重kg", "kg"), ("Вес брутто, т", "t"), ("Золото, г/т", "g_per_t"),
     ("% Humedad", "pct"), ("水分（%）", "pct"), ("毛重", None), ("Вес брутто", None),
     ("铜品位", None), ("Peso bruto", None), ("Teor de Cu", None), ("Leergewicht", None)],
)  # fmt: skip
def test_a_unit_is_what_the_heading_says_and_else_left_open(heading: str, unit: str | None) -> None:
    assert understood(heading).unit == unit


def test_w_alone_is_tungsten_or_moisture_and_a_person_has_to_say(tmp_path: Path) -> None:
    draft = _suggest(tmp_path, "Проба;W, %;Медь, %\nS-1;8;2\n")
    assert any("'W, %': tungsten, or" in doubt for doubt in draft.doubts)


def test_a_stage_that_no_row_says_is_asked_for_once_and_not_for_each_word(tmp_path: Path) -> None:
    """It proposed that "?" means "?", which nobody can fill in."""
    draft = _suggest(tmp_path, "Certificate,Sample,Stage,Cu %\nA-1,S-1,,2.5\nA-2,S-2,,2.6\n")
    assert "stage" not in {line.key for line in draft.fields}
    [line] = [line for line in draft.constants if line.key == "stage"]
    assert line.value == "?"
    assert "stage: the column 'Stage' is empty" in draft.doubts
    assert "Stage" not in draft.unused


def test_rows_without_a_stage_are_asked_for_beside_those_that_have_one(tmp_path: Path) -> None:
    draft = _suggest(tmp_path, "Certificate,Sample,Stage,Cu %\nA-1,S-1,final,2.5\nA-2,S-2,,2.6\n")
    [rule] = [line.value for line in draft.fields if line.key == "stage"]
    assert rule == {"column": "Stage", "values": {"final": "final"}, "default": "?"}
    assert "column 'Stage': empty in 1 of 2 rows" in draft.doubts
    with pytest.raises(BadMapping, match=r"stage\.default"):
        parse(text(draft, "table.csv"))


@pytest.mark.parametrize(
    ("encoding", "heading"),
    [("cp1252", "N° ticket;Poids brut;Numéro de lot;Véhicule"),
     ("cp437", "Numéro de ticket;Poids brut;Numéro de lot;Véhicule"),
     ("cp1251", "Номер талона;Брутто;Партия;Машина"),
     ("cp866", "Номер талона;Брутто;Партия;Машина"),
     ("koi8-r", "Номер талона;Брутто;Партия;Машина"),
     ("gb18030", "磅单号;毛重;批号;车号"),
     ("utf-16", "Номер талона;Брутто;Партия;Машина"), ("utf-8-sig", "磅单号;毛重;批号;车号")],
)  # fmt: skip
def test_a_code_page_is_told_by_the_words_that_make_sense_in_it(
    tmp_path: Path, encoding: str, heading: str
) -> None:
    draft = _suggest(tmp_path, f"{heading}\nT-1;45000;L-1;X\n", encoding)
    found = {line.key: line.value for line in draft.file}["encoding"]
    # Of code pages in which the text is the same, any will do.
    assert isinstance(found, str)
    assert heading.encode(found) == heading.encode(encoding.removesuffix("-sig"))


def test_a_code_page_that_no_word_tells_is_left_open(tmp_path: Path) -> None:
    draft = _suggest(tmp_path, "Ticket;Net\nT-1\xff;1\n", "latin-1")
    assert {line.key: line.value for line in draft.file}["encoding"] == "?"


@pytest.mark.parametrize(("form", "day_only"), [("yyyy-mm-dd", True), ("yyyy-mm-dd hh:mm", False)])
def test_typed_dates_without_an_hour_ask_for_one(
    tmp_path: Path, form: str, *, day_only: bool
) -> None:
    """A workbook's dates have no text to tell a format by; every row was refused afterwards."""
    path = tmp_path / "table.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ("Folio", "Fecha", "Peso neto (kg)"))
    hour = 0 if day_only else 14
    sheet.write_row(1, 0, ("T-1",))
    sheet.write_datetime(
        1, 1, datetime(2026, 3, 1, hour, 5 * bool(hour)), book.add_format({"num_format": form})
    )
    sheet.write_row(1, 2, (30_000,))
    book.close()
    draft = suggest(path)
    [rule] = [line.value for line in draft.fields if line.key == "occurred_at"]
    assert isinstance(rule, dict)
    assert ("time_of_day" in rule) == day_only
    assert any("without a time of day" in doubt for doubt in draft.doubts) == day_only


def test_a_mass_without_a_unit_in_its_heading_is_left_open(tmp_path: Path) -> None:
    draft = _suggest(tmp_path, "Ticket;Gross;Net (lbs)\nT-1;45000;30000\n")
    rules = {line.key: line.value for line in draft.fields}
    assert rules["gross_kg"] == {"column": "Gross", "unit": "?"}
    assert rules["net_kg"] == {"column": "Net (lbs)", "unit": "?"}
    assert any("lbs has to be converted" in doubt for doubt in draft.doubts)


def test_a_zone_is_always_left_open_and_the_mapping_refused_until_it_is_there(
    tmp_path: Path,
) -> None:
    draft = _suggest(tmp_path, "Ticket;Date;Net kg\nT-1;2026-11-30 06:42;30000\n")
    rules = {line.key: line.value for line in draft.fields}
    assert rules["occurred_at"] == {
        "column": "Date", "format": "yyyy-MM-dd HH:mm", "zone": "?",
    }  # fmt: skip
    with pytest.raises(BadMapping, match=r"occurred_at\.zone \(line \d+\)"):
        parse(text(draft, "table.csv"))


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["13/11/2026", "01/02/2026"], "dd/MM/yyyy"),
        (["11/13/2026", "01/02/2026"], "MM/dd/yyyy"),
        (["01/02/2026", "03/04/2026"], None),
        (["01/01/2026", "02/02/2026"], "dd/MM/yyyy"),
        (["3-Nov-26", "12-Dec-26"], "d-MMM-yy"),
        (["03/11/26", "13/11/26"], "dd/MM/yy"),
        (["1er novembre 2026", "13 déc. 2026"], "d MMM yyyy"),
        (["mardi 3 novembre 2026", "mer. 4 nov. 2026"], "EEE d MMM yyyy"),
        (["le 1er novembre 2026", "le 3 novembre 2026"], "EEE d MMM yyyy"),
        (["mar. 03/11/2026", "ven. 13/11/2026"], "EEE dd/MM/yyyy"),
        (["3. November 2026", "13. Dezember 2026"], "d MMM yyyy"),
        (["mardi 3 fructidor 2026"], None),
        (["2026年11月3日", "2026年11月13日"], "yyyy年M月d日"),
        (["2026年11月3日 06:42"], "yyyy年M月d日 HH:mm"),
        (["13/11/2026 6h42", "03/11/2026 14h05"], "dd/MM/yyyy H'h'mm"),
        (["mardi 3 novembre 2026 6h42"], "EEE d MMM yyyy H'h'mm"),
        (["yesterday"], None),
    ],
)
def test_day_and_month_are_told_apart_only_where_a_cell_does(
    values: list[str], form: str | None
) -> None:
    assert time_format([[value] for value in values]).value == form


@pytest.mark.parametrize(
    ("values", "mark", "between"),
    [
        (["33.07", "99,208"], ".", None),
        (["45 000", "30,000"], None, " "),
        (["1.250", "1.310.000"], ",", "."),
        (["30,02", "1 234,5"], ",", " "),
        (["30.02", "1,234.5"], ".", ","),
        (["1.234.567"], ",", "."),
        (["45000", "1"], ".", ""),
        (["30,000"], None, None),
        (["30.000", "30,5"], ",", None),
        (["30.5", "30,5"], None, ""),
    ],
)
def test_a_decimal_mark_is_told_only_where_it_can_be_nothing_else(
    values: list[str], mark: str | None, between: str | None
) -> None:
    found, thousands = decimal_mark(values)
    assert found.value == mark
    assert thousands.value == between


@pytest.mark.parametrize(
    ("heading", "analyte", "unit"),
    [
        ("Cu_pct", "Cu", "pct"),
        ("Cu %", "Cu", "pct"),
        ("Cu%", "Cu", "pct"),
        ("Au g/t", "Au", "g_per_t"),
        ("Li2O (%)", "Li2O", "pct"),
        ("As_ppm_ME-ICP61", "As", "ppm"),
        ("SiO2 [wt%]", "SiO2", "pct"),
        ("CU (PPM)", "Cu", "ppm"),
        ("Co", "Co", None),
    ],
)
def test_an_element_s_heading_gives_its_analyte_and_its_unit(
    heading: str, analyte: str, unit: str | None
) -> None:
    title = understood(heading)
    assert (title.analyte, title.unit) == (analyte, unit)


def test_a_laboratory_s_limits_without_a_number_are_left_open(tmp_path: Path) -> None:
    draft = _suggest(tmp_path, "Certificate,Sample,Cu %,Co ppm\nA-1,S-1,ND,5\nA-1,S-2,2.5,-5\n")
    assert draft.stem == "assay"
    copper, cobalt = (line.value for line in draft.elements)
    assert copper == {
        "column": "Cu %", "analyte": "Cu", "unit": "pct", "basis": "?", "limit": "?",
    }  # fmt: skip
    assert cobalt == {"column": "Co ppm", "analyte": "Co", "unit": "ppm", "basis": "?"}
    assert any("numbers below zero" in doubt for doubt in draft.doubts)


@pytest.mark.parametrize("word", ["<NG", "< NG", "<BG", "u.N."])
def test_a_german_laboratory_s_word_for_less_than_its_limit_is_no_text(
    tmp_path: Path, word: str
) -> None:
    table = f"Prüfberichts-Nr.;Proben-Nr.;As %\nP-1;S-1;{word}\nP-1;S-2;0,02\n"
    draft = _suggest(tmp_path, table)
    [arsenic] = (line.value for line in draft.elements)
    assert arsenic == {
        "column": "As %", "analyte": "As", "unit": "pct", "basis": "?", "limit": "?",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["LD", "LQ", "L.D.", "Lim. det.", "Límite inferior", "LOD"])
def test_a_row_of_limits_is_no_certificate(tmp_path: Path, word: str) -> None:
    """It was taken for one of 0.01 % Cu, where the lot stands in the mapping."""
    table = f"Nº Informe;Ley de Cu (%);Ag (g/t)\n{word};0,01;1\nI-1;25,31;152\n"
    [rows] = [line.value for line in _suggest(tmp_path, table).file if line.key == "limits_row"]
    assert rows == 2


def test_words_that_could_mean_anything_are_left_open(tmp_path: Path) -> None:
    draft = _suggest(tmp_path, "Ticket,Net kg,Direction\nT-1,1,Entrada\nT-2,1,XB\n")
    rules = {line.key: line.value for line in draft.fields}
    rule = rules["direction"]
    assert isinstance(rule, dict)
    assert rule["values"] == {"Entrada": "in", "XB": "?"}


def test_a_file_of_nothing_known_still_gives_a_draft(tmp_path: Path) -> None:
    for content in ("", "a", "a,b\n1,2\n", "\x00\x01"):
        draft = _suggest(tmp_path, content)
        assert draft.stem == "?"
        with pytest.raises(BadMapping):
            parse(text(draft, "table.csv"))


def test_an_encoding_that_no_word_tells_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("Ticket;Lot;Müßige Größe\nT-1;L-1;Müller-3\n".encode("cp850"))
    open_, said = suggest(path), suggest(path, encoding="cp850")
    [doubt] = [doubt for doubt in open_.doubts if doubt.startswith("encoding")]
    assert "--encoding" in doubt
    assert "garbled" in doubt
    assert 'encoding = "cp850"  # as asked for' in text(said, "table.csv")
    assert "Müßige Größe" in text(said, "table.csv")
    assert "Müßige Größe" not in text(open_, "table.csv")
    assert not [doubt for doubt in said.doubts if doubt.startswith("encoding")]
    with pytest.raises(BadTable, match="no text in utf-8"):
        suggest(path, encoding="utf-8")


@pytest.mark.parametrize("word", ["Promedio", "Moyenne", "Average", "Mittel", "Mean:", "Média (3)"])
def test_a_row_of_averages_is_left_out_and_says_why(tmp_path: Path, word: str) -> None:
    rows = "Lot;Ticket;Gross (kg);Tare (kg)\nL-1;T-1;45000;15000\nMittelberg-3;T-2;45100;15000\n"
    draft = _suggest(tmp_path, f"{rows}{word};;45050;15000\n")
    [line] = [line for line in draft.file if line.key == "skip_where"]
    assert isinstance(line.value, tuple)
    [rule] = line.value
    assert isinstance(rule, dict)
    assert rule["column"] == "Lot"
    assert "average" in line.reason
    [pattern] = rule["matches"] if isinstance(rule["matches"], tuple) else ()
    matched = [one for one in (word, "Mittelberg-3", "L-1") if fnmatch(one.lower(), str(pattern))]
    assert matched == [word], "and nothing but that row"
