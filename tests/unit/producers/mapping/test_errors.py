"""Columns beside an element's: its error and its limit, which are no second concentration."""

from pathlib import Path

import pytest

from producers.mapping.draft import Draft
from producers.mapping.faults import BadMapping
from producers.mapping.heading_roles import Role
from producers.mapping.load import parse
from producers.mapping.suggest import suggest
from producers.mapping.titles import understood
from tests.support.tables import assay, of_text, requests

ERRORS = {
    None: "Cu ppm +/-|Cu Error|Cu Err|Zn +/-|Cu ±|Cu ppm±|+/- Cu|Cu_err|Cu erreur|Cu 误差|Cu %±",
    1: "Cu Error1s|Cu Err(1s)|Cu StdDev|Cu Std Dev|Cu SD|Cu σ|Cu écart-type|Cu 1 sigma",
    2: "Cu 2SD|Cu 2σ|Cu error (2 sigma)|Cu ± 2σ|Cu +/-2s",
    3: "Cu Err 3s",
}


@pytest.mark.parametrize(
    ("heading", "sigma"),
    [(heading, sigma) for sigma, some in ERRORS.items() for heading in some.split("|")],
)
def test_an_error_is_no_concentration(heading: str, sigma: int | None) -> None:
    title = understood(heading)
    assert title.analyte in ("Cu", "Zn")
    assert (title.role, title.sigma) == (Role.ERROR, sigma)


@pytest.mark.parametrize("heading", ["Cu(%) LOD", "LOD Cu", "Cu_MDL_ppm", "Cu 检出限"])
def test_a_limit_is_no_concentration(heading: str) -> None:
    assert (understood(heading).analyte, understood(heading).role) == ("Cu", Role.LIMIT)


@pytest.mark.parametrize("heading", ["Cu recovery %", "Recovery Cu (%)", "Cu % RSD", "Cu %RSD"])
def test_a_share_that_is_no_grade_is_no_concentration(heading: str) -> None:
    assert (understood(heading).analyte, understood(heading).role) == ("Cu", Role.OTHER)


@pytest.mark.parametrize(
    "heading", ["Cu", "Cu %", "S %", "Sb ppm", "K2S %", "Li2O %", "Er ppm", "Cu_ppm"]
)
def test_an_element_alone_is_a_concentration(heading: str) -> None:
    assert understood(heading).role is Role.VALUE


def _draft(tmp_path: Path, head: str, row: str) -> Draft:
    path = tmp_path / "table.csv"
    path.write_text(f"{head}\n{row}\n{row}\n", "utf-8")
    return suggest(path)


SHOT = "Reading No;Lot;"


def test_the_errors_of_a_shot_stand_beside_its_elements(tmp_path: Path) -> None:
    """Each was proposed as a second concentration of the element, and taken."""
    draft = _draft(
        tmp_path,
        f"{SHOT}Cu ppm;Cu ppm +/-;Co ppm;Co Err(1s);Zn ppm;Zn 2SD;Ni ppm;Ni 3s",
        "1;L-1;25000;300;1200;40;90;5;70;5",
    )
    assert [line.value for line in draft.elements] == [
        {"column": "Cu ppm", "analyte": "Cu", "unit": "ppm", "error_2sigma_column": "Cu ppm +/-"},
        {"column": "Co ppm", "analyte": "Co", "unit": "ppm", "error_1sigma_column": "Co Err(1s)"},
        {"column": "Zn ppm", "analyte": "Zn", "unit": "ppm", "error_2sigma_column": "Zn 2SD"},
        {"column": "Ni ppm", "analyte": "Ni", "unit": "ppm"},
    ]
    [doubt] = [doubt for doubt in draft.doubts if "two sigma" in doubt]
    assert "(columns 'Cu ppm +/-')" in doubt
    assert "error_1sigma_column" in doubt
    assert [doubt for doubt in draft.doubts if "'Ni 3s': not taken" in doubt]
    assert draft.unused == ["Ni 3s"]


def test_an_error_in_another_unit_or_of_no_element_is_left_out(tmp_path: Path) -> None:
    head = f"{SHOT}Cu %;Cu ppm +/-;Zn ppm;Co +/-"
    draft = _draft(tmp_path, head, "1;L-1;2.5;300;90;5")
    assert not any("error" in str(line.value) for line in draft.elements)
    assert "column 'Cu ppm +/-': not taken, error in ppm of an element in pct" in draft.doubts
    assert "column 'Co +/-': not taken, error of Co, which no column holds" in draft.doubts


def test_limits_of_a_row_stand_beside_its_elements(tmp_path: Path) -> None:
    draft = _draft(tmp_path, "Certificate;Lot;Cu(%);Cu(%) LOD;Cu recovery %", "C-1;L-1;ND;0.01;92")
    assert [line.value for line in draft.elements] == [
        {"column": "Cu(%)", "analyte": "Cu", "unit": "pct", "basis": "?",
         "limit_column": "Cu(%) LOD"},
    ]  # fmt: skip
    assert not [doubt for doubt in draft.doubts if "no cell names" in doubt]
    assert [doubt for doubt in draft.doubts if "'Cu recovery %': not taken" in doubt]


def test_a_certificate_takes_one_standard_uncertainty_and_no_other_error(tmp_path: Path) -> None:
    draft = _draft(tmp_path, "Certificate;Lot;Cu %;Cu SD;Zn %;Zn +/-", "C-1;L-1;2.5;0.01;1;0.1")
    copper, zinc = (line.value for line in draft.elements)
    assert isinstance(copper, dict)
    assert isinstance(zinc, dict)
    assert copper["u_column"] == "Cu SD"
    assert set(zinc) == {"column", "analyte", "unit", "basis"}
    assert [doubt for doubt in draft.doubts if "'Zn +/-': not taken" in doubt]


def test_an_element_is_proposed_once(tmp_path: Path) -> None:
    draft = _draft(tmp_path, "Certificate;Lot;Cu ppm;Cu %", "C-1;L-1;>10000;2.5")
    assert [line.value["column"] for line in draft.elements if isinstance(line.value, dict)] == [
        "Cu ppm"
    ]
    assert [doubt for doubt in draft.doubts if "Cu is in column 'Cu ppm' already" in doubt]


XRF = """
version = 1
[constants]
site_id = "MINE-1"
device_id = "XRF-1"
basis = "as_is"
[[record]]
type = "xrf"
elements = [ {elements} ]
[record.fields]
shot_no = {{ column = "shot" }}
occurred_at = {{ constant = "2026-11-04T12:00:00Z" }}
lot_id = {{ column = "lot" }}
"""


@pytest.mark.parametrize(
    ("key", "error"), [("error_1sigma_column", "600"), ("error_2sigma_column", "300")]
)
def test_an_error_of_one_sigma_counts_twice(tmp_path: Path, key: str, error: str) -> None:
    element = f'{{ column = "Cu", analyte = "Cu", unit = "ppm", {key} = "e" }}'
    table = ("shot,lot,Cu,e", "1,L-1,25000,300")
    (request,) = requests(of_text(tmp_path, XRF.format(elements=element), *table))
    assert request["results"] == [
        {"analyte": "Cu", "unit": "ppm", "value": "25000", "error_2sigma": error}
    ]


@pytest.mark.parametrize("cell", ["", "<LOD", "ND", "< lod"])
def test_a_word_for_less_than_the_limit_says_no_error(tmp_path: Path, cell: str) -> None:
    """Handhelds write it in both columns of an element they did not find."""
    keys = 'error_2sigma_column = "e", limit = 20'
    element = f'{{ column = "Zn", analyte = "Zn", unit = "ppm", {keys} }}'
    table = ("shot,lot,Zn,e", f"1,L-1,<LOD,{cell}")
    (request,) = requests(of_text(tmp_path, XRF.format(elements=element), *table))
    assert request["results"] == [
        {"analyte": "Zn", "unit": "ppm", "value": None, "qualifier": "<", "detection_limit": "20"}
    ]


def _problems(text: str) -> str:
    with pytest.raises(BadMapping) as caught:
        parse(text)
    return "\n".join(caught.value.problems)


def test_a_mapping_gives_each_element_once() -> None:
    first = '{ column = "Cu ppm", analyte = "Cu", unit = "ppm" }'
    second = '{ column = "Cu ppm +/-", analyte = "Cu", unit = "ppm" }'
    said = _problems(XRF.format(elements=f"{first}, {second}"))
    assert "Cu ppm +/-: Cu is in column Cu ppm already" in said
    dry = '{ column = "Cu", analyte = "Cu", unit = "pct", basis = "dry" }'
    as_is = dry.replace("dry", "as_is")
    assert len(parse(assay(f"{dry}, {as_is}")).records) == 1
    assert "Cu: Cu is in column Cu already" in _problems(assay(f"{dry}, {dry}"))


def test_an_error_is_of_one_sigma_or_of_two() -> None:
    keys = 'error_1sigma_column = "e", error_2sigma_column = "f"'
    element = f'{{ column = "Cu", analyte = "Cu", unit = "ppm", {keys} }}'
    assert "not both" in _problems(XRF.format(elements=element))
    dry = '{ column = "Cu", analyte = "Cu", unit = "pct", basis = "dry", error_1sigma_column="e" }'
    assert "of xrf only" in _problems(assay(dry))
