"""Moistures that say nothing of a lot."""

import pytest

from custody.detect.lot_facts import Leg
from custody.detect.lot_moisture import Dried, is_drier, is_measured
from tests.support.facts import Maker
from tests.unit.custody.test_lot_asked import told

LEGS = (Leg(drying=0.010, drying_u=0.003), Leg(drying=0.0, drying_u=0.004))


def dried(station: int, ln_dry: float, laboratory: str = "A", shared: float = 0.0) -> Dried:
    return Dried(station, ln_dry, laboratory, 0.0 if station else 0.012, shared)


@pytest.mark.parametrize("ln_dry", [-0.3, -0.10, -0.026, -0.024])
def test_drier_is_what_is_five_u_beyond_the_drying_of_the_way(ln_dry: float) -> None:
    """u of 0.012, 0.003 and 0.004 is 0.013; 0.010 of drying and five of them are 0.075."""
    assert is_drier(dried(0, -0.10), dried(2, ln_dry), LEGS) is (ln_dry > -0.025)
    assert not is_drier(dried(2, -0.10), dried(0, ln_dry), LEGS)
    assert not is_drier(dried(1, -0.10), dried(1, ln_dry), LEGS)


def test_what_a_laboratory_does_to_both_is_in_neither() -> None:
    first, last = dried(0, -0.10, shared=0.02), dried(2, -0.024, shared=0.02)
    assert is_drier(first, last, LEGS)
    assert not is_drier(first, last._replace(laboratory="B"), LEGS)


def test_nothing_is_a_moisture_of_what_is_dry_as_a_rule_only() -> None:
    for form, said in (("ore", [0.08]), ("concentrate", [0.08]), ("cathode", [0.0])):
        m = Maker()
        lot = m.lot("PORT", 0, {"Cu": 0.02}, form=form)
        early = m.assay("PORT", 1, {}, moisture=(0.08, None), stage="provisional", lab_id="A")
        late = m.assay("PORT", 2, {"Cu": (0.02, None)}, moisture=(0.0, None), lab_id="A")
        found = told(lot, early, late).readings
        assert [one.fraction for one in found.moistures] == said, form
        assert len(found.assays) == 1, form
    assert not is_measured(None, 0.0)
