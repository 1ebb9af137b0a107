"""Composition: waste and foreign material by name and size; honest lots by silence."""

import math
from dataclasses import replace
from random import Random

import pytest

from custody.detect import composition
from custody.detect.composition import Compared
from custody.events import LotFact, LotScanned
from custody.records import Alert
from tests.support.facts import Maker
from tests.support.world import World

ORE = {"Cu": 0.012, "Ni": 0.004, "S": 0.02, "Fe": 0.10, "Co": 0.0006, "Zn": 0.0002}
OTHER = {"Cu": 0.004, "Ni": 0.009, "S": 0.03, "Fe": 0.14, "Co": 0.0009, "Zn": 0.0006}
LEG = ("MINE", "DEPOT")


def travelled(received: dict[str, float], rng: Random, **more: str) -> list[LotFact]:
    """Three shots and a certificate at the mine, three shots at the depot."""
    maker = Maker()

    def shots(site: str, material: dict[str, float], minute: float) -> list[LotFact]:
        return [
            maker.shot(
                site,
                minute + shot,
                {a: 0.95 * f * math.exp(rng.gauss(0, 0.05)) for a, f in material.items()},
                **more,
            )
            for shot in range(3)
        ]

    return [
        maker.assay("MINE", 0, {"Cu": (ORE["Cu"], 1e-4)}, (0.05, 0.002)),
        *shots("MINE", ORE, 1),
        maker.move("dispatch", "MINE", 10, LEG),
        maker.move("receipt", "DEPOT", 60, LEG),
        *shots("DEPOT", received, 70),
    ]


def told(received: dict[str, float], **more: str) -> list[Alert]:
    world = World()
    world.tell(*travelled(received, Random(1), **more))
    return list(world.alerts.values())


def test_an_honest_lot_raises_nothing() -> None:
    assert told(ORE) == []


def test_waste_is_named_with_its_share() -> None:
    (alert,) = told({a: 0.7 * f for a, f in ORE.items()})
    assert (alert.rule, alert.family, alert.state) == ("composition", "waste", "open")
    assert alert.size == pytest.approx(0.3, abs=3 * alert.size_u)
    assert alert.movement_id is None


def test_a_swap_is_foreign_material_and_every_element_is_shown() -> None:
    (alert,) = told({a: 0.5 * f + 0.5 * OTHER[a] for a, f in ORE.items()})
    assert alert.family == "foreign_material"
    assert alert.size > 0
    rows = {row.analyte: row for row in alert.evidence}
    assert rows.keys() == ORE.keys()
    assert all(len(row.event_ids) >= 6 for row in rows.values())
    assert rows["Zn"].instruments == ("XRF-MINE", "XRF-DEPOT")
    assert rows["Zn"].z == pytest.approx(rows["Zn"].observed / rows["Zn"].u)
    assert alert.posterior[0].probability + alert.posterior[1].probability == pytest.approx(1)


def test_one_instrument_on_both_sides_sees_more_than_two() -> None:
    weaker = {a: 0.92 * f for a, f in ORE.items()}
    assert told(weaker) == []
    (alert,) = told(weaker, device_id="XRF-1")
    assert alert.family == "waste"


def test_an_analyte_that_one_shot_did_not_see_is_left_out() -> None:
    *facts, first, second, last = travelled({a: 0.3 * f for a, f in ORE.items()}, Random(1))
    assert isinstance(first, LotScanned)
    world = World()
    world.tell(*facts, replace(first, results=first.results[:-1]), second, last)
    (alert,) = world.alerts.values()
    assert {row.analyte for row in alert.evidence} == ORE.keys() - {"Zn"}


def test_scores_agree_with_the_matrix_formulas() -> None:
    np = pytest.importorskip("numpy")
    test = Compared(
        "A", "B", ("Cu", "Ni", "S"), (0.1, -0.2, 0.05), (0.01, 0.02, 0.03), (0.1, 0.2, 0)
    )
    inverse = np.linalg.inv(np.diag(test.v) + np.outer(test.a, test.a))
    d, one = np.array(test.d), np.ones(3)
    found = composition.scores(test)
    assert found.q == pytest.approx(d @ inverse @ d)
    assert found.shift == pytest.approx(one @ inverse @ d / (one @ inverse @ one))
    assert found.shift_u == pytest.approx((one @ inverse @ one) ** -0.5)
    determinant = np.linalg.det(np.diag(test.v) + np.outer(test.a, test.a))
    assert composition._log_det(test) == pytest.approx(math.log(determinant))
