"""Units of headings: what is no unit of a request, or could be two, is asked and not guessed."""

from pathlib import Path

import pytest

from producers.mapping.draft import Draft
from producers.mapping.suggest import suggest
from producers.mapping.titles import understood


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("Cu ug/g", "ppm"), ("Cu µg/g", "ppm"), ("Cu \u03bcg/g", "ppm"), ("Cu mg/kg", "ppm"),
     ("Cu kg/t", None), ("Cu mg/g", None), ("Cu g/kg", None), ("Cu ‰", None),
     ("Cu lb/t", None), ("Cu mg/l", None), ("Ag oz/st", None), ("Au g/t", "g_per_t"),
     ("Cu mol%", None), ("Cu mol %", None), ("Cu at%", None), ("Cu at.%", None),
     ("Cu atomic %", None), ("Cu (vol%)", None), ("Cu % vol", None), ("Cu mole %", None),
     ("Fe2O3 wt.%", "pct"), ("Cu (%w/w)", "pct"), ("Cu [m%]", "pct"), ("Cu wt%", "pct"),
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


@pytest.mark.parametrize("unit", ["mol%", "at%", "vol%", "kg/t", "lb/t", "‰"])
def test_a_unit_of_no_request_is_left_open_and_says_so(tmp_path: Path, unit: str) -> None:
    draft = _draft(tmp_path, f"Certificate;Lot;Cu {unit}", "C-1;L-1;1.5")
    assert _rule(draft)["unit"] == "?"
    assert f"column 'Cu {unit}': {unit} has to be converted before" in draft.doubts


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
