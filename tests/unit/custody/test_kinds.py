"""Kinds of process as docs/ledger.md has them in its table, "Processes"."""

import pytest

from custody.kinds import ECONOMIC, KEY_METAL, KINDS, MASS, PERFECT, UNTOLD, kind_of


@pytest.mark.parametrize("name", ["blend", "split", "crush", "repack", "stockpile"])
def test_kinds_that_do_not_separate_conserve_all(name: str) -> None:
    kind = kind_of(name)
    assert (kind.chemical, kind.separating, kind.recovery) == (False, False, 1.0)
    assert (kind.key_analyte, kind.stage, kind.allocation) == (None, None, MASS)
    assert kind.continuous is (name == "stockpile")
    assert kind.mixing == PERFECT


def test_a_concentrator_separates_and_conserves_mass() -> None:
    kind = kind_of("concentrate")
    assert (kind.chemical, kind.separating, kind.continuous) == (False, True, False)
    assert (kind.recovery, kind.allocation, kind.stage) == (0.88, KEY_METAL, None)


@pytest.mark.parametrize(
    ("name", "stage"),
    [("leach", "refined"), ("refine", "refined"), ("smelt", "metal"), ("other", None)],
)
def test_chemical_kinds_conserve_metals_only(name: str, stage: str | None) -> None:
    kind = kind_of(name)
    assert (kind.name, kind.chemical, kind.separating, kind.continuous) == (name, True, True, False)
    assert (kind.recovery, kind.allocation, kind.stage) == (0.95, KEY_METAL, stage)


def test_a_kind_nobody_knows_is_other_under_its_name() -> None:
    assert kind_of("roast") == KINDS["other"]._replace(name="roast")


def test_a_process_nobody_has_told_of_is_a_pile() -> None:
    assert (UNTOLD.continuous, UNTOLD.separating, UNTOLD.chemical) == (True, False, False)


def test_a_recovery_by_analyte_speaks_before_that_of_the_kind() -> None:
    kind = kind_of("concentrate")._replace(by_analyte={"Au": 0.7, "Ag": 0.0})
    assert [kind.recovered(name) for name in ("Au", "Ag", "Cu")] == [0.7, 0.0, 0.88]


@pytest.mark.parametrize(
    ("allocation", "analyte", "divides"),
    [
        (MASS, "Cu", MASS),
        (KEY_METAL, "Cu", KEY_METAL),
        (KEY_METAL, None, MASS),
        (ECONOMIC, None, ECONOMIC),
    ],
)
def test_without_a_key_metal_mass_divides(
    allocation: str, analyte: str | None, divides: str
) -> None:
    kind = kind_of("leach")._replace(allocation=allocation, key_analyte=analyte)
    assert kind.divides_by == divides
