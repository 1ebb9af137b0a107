"""Units of headings: what is no unit of a request, or could be two, is asked and not guessed."""

from pathlib import Path

import pytest

from producers.mapping.draft import Draft
from producers.mapping.faults import BadMapping
from producers.mapping.load import parse
from producers.mapping.suggest import suggest
from producers.mapping.titles import understood
from tests.support.tables import assay, of_text, requests, weighing


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("Cu ug/g", "ppm"), ("Cu µg/g", "ppm"), ("Cu \u03bcg/g", "ppm"), ("Cu mg/kg", "ppm"),
     ("Cu kg/t", "kg_per_t"), ("Cu mg/g", "kg_per_t"), ("Cu (g/kg)", "kg_per_t"),
     ("铜 千克/吨", "kg_per_t"), ("Содержание Cu, кг/т", "kg_per_t"), ("Cu ‰", None),
     ("Cu lb/t", None), ("Cu lb/ton", None), ("Cu g/ton", None), ("Cu kg/ton", None),
     ("Cu mg/l", None), ("Cu % v/v", None), ("Cu (% w/v)", None), ("Cu v/v %", None),
     ("Ag oz/st", None), ("Au g/t", "g_per_t"),
     ("Cu mol%", None), ("Cu mol %", None), ("Cu at%", None), ("Cu at.%", None),
     ("Cu atomic %", None), ("Cu (vol%)", None), ("Cu % vol", None), ("Cu mole %", None),
     ("Fe2O3 wt.%", "pct"), ("Cu (%w/w)", "pct"), ("Cu wt.-%", "pct"),
     ("Cu Gew.-%", "pct"), ("Kupfer (Gew. %)", "pct"), ("Kupfer Gew. %", "pct"),
     ("Cu % w/w", "pct"), ("Cu % p/p", "pct"), ("Cu, мас. %", "pct"), ("Медь, масс.%", "pct"),
     ("Cu [wt %]", "pct"), ("Cobre % peso", "pct"), ("Cu Ma.-%", "pct"),
     ("Cu [m%]", "pct"), ("Cu wt%", "pct"),
     ("Cu total (%)", "pct"), ("Cu, g/t", "g_per_t")],
)  # fmt: skip
def test_a_share_is_read_in_its_unit_or_in_none(heading: str, unit: str | None) -> None:
    title = understood(heading)
    assert title.analyte in ("Cu", "Ag", "Au", "Fe2O3")
    assert title.unit == unit


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("Gross weight in ton", None), ("Gross (tons)", None), ("Gross (short tons)", None),
     ("Gross (US t)", None), ("Gross t", "t"), ("Gross tonnes", "t"), ("Gross (metric tons)", "t")],
)  # fmt: skip
def test_a_ton_is_no_tonne(heading: str, unit: str | None) -> None:
    title = understood(heading)
    assert (title.field, title.unit, bool(title.foreign)) == ("gross_kg", unit, unit is None)


@pytest.mark.parametrize(
    ("heading", "also"),
    [("Li (Li2O) %", "Li2O"), ("Fe2O3 as Fe %", "Fe"), ("P2O5 (P)", "P"), ("P ppm (ICP61)", ""),
     ("As_ppm_ME-ICP61", ""), ("SiO2 CaO", ""), ("Cu-Co", ""), ("Li2O %", "")],
)  # fmt: skip
def test_a_heading_of_an_element_and_its_oxide_names_both(heading: str, also: str) -> None:
    assert understood(heading).also == also


def _draft(tmp_path: Path, head: str, row: str) -> Draft:
    path = tmp_path / "table.csv"
    path.write_text(f"{head}\n{row}\n{row}\n", "utf-8")
    return suggest(path)


def _rule(draft: Draft) -> dict[str, object]:
    [line] = draft.elements
    assert isinstance(line.value, dict)
    return {**line.value}


@pytest.mark.parametrize("unit", ["mol%", "at%", "vol%", "lb/t", "lb/ton", "oz/st", "‰"])
def test_a_unit_of_no_request_is_left_open_and_says_so(tmp_path: Path, unit: str) -> None:
    draft = _draft(tmp_path, f"Certificate;Lot;Cu {unit}", "C-1;L-1;1.5")
    assert _rule(draft)["unit"] == "?"
    assert f"column 'Cu {unit}': {unit} has to be converted before" in draft.doubts


@pytest.mark.parametrize("unit", ["g/ton", "kg/ton"])
def test_a_share_of_a_ton_is_asked_for(tmp_path: Path, unit: str) -> None:
    draft = _draft(tmp_path, f"Certificate;Lot;Cu {unit}", "C-1;L-1;1.5")
    assert _rule(draft)["unit"] == "?"
    doubt = f"column 'Cu {unit}': {unit} may be metric (t), short or long"
    assert doubt in draft.doubts


def test_what_a_process_consumes_may_be_written_as_a_content(tmp_path: Path) -> None:
    draft = _draft(tmp_path, "Certificate;Lot;CaO kg/t", "C-1;L-1;1.5")
    assert _rule(draft)["unit"] == "kg_per_t"
    assert [doubt for doubt in draft.doubts if "what is added per tonne" in doubt]


@pytest.mark.parametrize(
    ("word", "unit"),
    [("kg/t", "kg_per_t"), ("mg/g", "kg_per_t"), ("g/kg", "kg_per_t"), ("mg/kg", "ppm"),
     ("µg/g", "ppm"), ("wt%", "pct"), ("wt.-%", "pct"), ("Gew.-%", "pct"), ("% w/w", "pct"),
     ("%", "pct"), ("g/t", "g_per_t"), ("kg_per_t", "kg_per_t")],
)  # fmt: skip
def test_a_mapping_takes_a_unit_as_headings_write_it(tmp_path: Path, word: str, unit: str) -> None:
    cu = f'{{ column = "Cu", analyte = "Cu", unit = "{word}", basis = "dry" }}'
    moisture = f'moisture = {{ column = "H2O", unit = "{word}" }}'
    lines = ("cert,lot,Cu,H2O", f"C-1,L-1,25.1,80 {word}")
    [request] = requests(of_text(tmp_path, assay(cu) + moisture, *lines))
    assert request["results"] == [{"analyte": "Cu", "unit": unit, "value": "25.1", "basis": "dry"}]
    assert request["moisture"] == {"value": "80", "unit": unit}


@pytest.mark.parametrize("word", ["lb/ton", "lb/t", "oz/st", "mol%", "ppb", "g/ton"])
def test_a_unit_of_no_request_is_refused_by_name(tmp_path: Path, word: str) -> None:
    cu = f'{{ column = "Cu", analyte = "Cu", unit = "{word}", basis = "dry" }}'
    with pytest.raises(BadMapping, match=f"unit '{word}': .*has to be converted before"):
        parse(assay(cu))
    cells = assay(cu.replace(word, "pct"))
    [made] = of_text(tmp_path, cells, "cert,lot,Cu", f"C-1,L-1,2.5 {word}")
    assert made.fault is not None
    assert (made.fault.code, made.fault.found) == ("wrong_unit", f"2.5 {word}")
    assert f"{word} has to be converted before" in made.fault.allowed


@pytest.mark.parametrize("word", ["ton", "tons", "lb"])
def test_a_mapping_names_no_mass_that_could_be_two(word: str) -> None:
    mapping = weighing().replace('unit = "kg"', f'unit = "{word}"')
    with pytest.raises(BadMapping, match=f"net_kg: unit '{word}': one of"):
        parse(mapping)


def test_a_ton_is_a_doubtful_point(tmp_path: Path) -> None:
    draft = _draft(tmp_path, "Ticket;Lot;Gross weight in ton", "T-1;L-1;44.9")
    [rule] = [line.value for line in draft.fields if line.key == "gross_kg"]
    assert rule == {"column": "Gross weight in ton", "unit": "?"}
    assert [doubt for doubt in draft.doubts if "ton may be metric (t), short or long" in doubt]


def test_an_element_or_its_oxide_is_a_doubtful_point(tmp_path: Path) -> None:
    draft = _draft(tmp_path, "Certificate;Lot;Li (Li2O) %", "C-1;L-1;1.5")
    assert _rule(draft)["analyte"] == "?"
    assert "column 'Li (Li2O) %': Li or Li2O" in draft.doubts


@pytest.mark.parametrize("heading", ["Cu tonnes", "Cu (kg)", "Cu g", "Ta2O5 lb", "Cu tons"])
def test_a_mass_of_metal_is_no_concentration(tmp_path: Path, heading: str) -> None:
    draft = _draft(tmp_path, f"Certificate;Lot;{heading};Zn %", "C-1;L-1;1.5;2")
    assert _rule(draft)["analyte"] == "Zn"
    assert heading in draft.unused
    why = "not taken, its heading names a mass, and no concentration"
    assert f"column {heading!r}: {why}" in draft.doubts
