"""Levels and powers as documented, on honest and dishonest measurements drawn from the stated u."""

import math
from random import Random

import pytest

from custody.detect import composition, mass, threshold
from custody.detect.composition import Compared
from custody.estimate import Estimate
from custody.lot_book import LotBook
from custody.lot_rows import LotRow
from custody.reference import References
from tests.support.facts import Maker, Rows
from tests.support.world import World

V = (0.0035, 0.0036, 0.0037, 0.0035, 0.006, 0.02)
A = (0.002,) * 6
PAIR = Compared("A", "B", ("Co", "Cu", "Fe", "Ni", "S", "Zn"), (0.0,) * 6, V, A)
ALPHA = threshold.ALPHA_COMPOSITION / composition.TESTS


def drawn(rng: Random, shift: float = 0.0) -> Compared:
    common = rng.gauss(0, 1)
    d = [shift + rng.gauss(0, math.sqrt(v)) + a * common for v, a in zip(V, A, strict=True)]
    return PAIR._replace(d=d)


def test_an_honest_lot_alarms_once_in_two_thousand() -> None:
    """20,000 draws: 10 expected, 20 is three sigma."""
    rng = Random(1)
    alarms = sum(composition._passes(drawn(rng), ALPHA) for _ in range(20_000))
    assert 1 <= alarms <= 20


def test_the_smallest_detectable_share_of_waste_is_found_nine_times_in_ten() -> None:
    rng = Random(2)
    waste, _ = composition.smallest_detectable(PAIR, 1)
    found = [composition._passes(drawn(rng, math.log1p(-waste)), ALPHA) for _ in range(4_000)]
    assert sum(found) / len(found) == pytest.approx(0.9, abs=0.02)


def test_the_smallest_detectable_change_is_found_nine_times_in_ten() -> None:
    rng = Random(3)
    _, change = composition.smallest_detectable(PAIR, 1)
    hits = 0
    for _ in range(4_000):
        test = drawn(rng)
        signs = (1, -1, 1, -1, 1, -1)
        d = [x + s * change for x, s in zip(test.d, signs, strict=True)]
        hits += composition._passes(test._replace(d=d), ALPHA)
    assert hits / 4_000 == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(("trips", "z"), [(1, 3.48), (33, 4.33)])
def test_the_thresholds_on_mass_are_those_of_the_page(trips: int, z: float) -> None:
    limit = threshold.normal_quantile(threshold.ALPHA_MASS / 2 / trips)
    assert limit == pytest.approx(z, abs=0.01)


@pytest.mark.parametrize(
    ("devices", "share"), [(("WB-1", "WB-2"), 0.010), (("WB-1", "WB-1"), 0.007)]
)
def test_the_smallest_theft_is_that_of_the_page(devices: tuple[str, str], share: float) -> None:
    maker, world = Maker(), World()
    for site, purpose, device in zip(("A", "B"), ("dispatch", "receipt"), devices, strict=True):
        world.tell(maker.weighing(site, 0, purpose, 45_000, 15_000, device_id=device))
    head = world.rows["lot/L-1"]
    assert isinstance(head, LotRow)
    row = LotBook("L-1", head, world.rows).trip("M-1")
    assert row is not None
    test = mass.compared(row.trip, None, References(Rows()))
    assert test is not None
    assert mass.smallest_detectable(test, 1) == pytest.approx(share, abs=0.0005)


def test_a_theft_of_that_size_is_found_nine_times_in_ten() -> None:
    rng = Random(4)
    u = 60.0
    test = mass.Compared(Estimate(30_000.0, 0, {}), Estimate(30_000.0, 0, {}), 0.0, u)
    size = mass.smallest_detectable(test, 3) * 30_000
    limit = threshold.normal_quantile(threshold.ALPHA_MASS / 2 / 3)
    found = sum(abs(rng.gauss(-size, u)) >= limit * u for _ in range(4_000))
    assert found / 4_000 == pytest.approx(0.9, abs=0.02)
