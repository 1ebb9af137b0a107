"""Material that nothing known explains is not called by a known mine's name.

Source: docs/detection/mixture.md, "What fits nothing known".
"""

import math
import re
from functools import cache
from random import Random

import numpy as np
import pytest

from custody.detect.lot_fit import FIT_MIN, FITS, Expected, fit
from custody.detect.threshold import chi2_quantile
from custody.records import Alert
from tests.support.measured_lots import ANALYTES, OTHER, hauled, lot, mixed, suspicions
from tests.support.recomputed import line_of
from tests.unit.custody.test_recomputed import agrees

ROCK = dict(zip(ANALYTES, (9e-4, 1.2e-4, 6e-5, 0.15, 5e-3, 3e-4, 0.018, 1.5e-3), strict=True))
"""Like the ore of elsewhere but for its copper, 60 ppm in place of 1.1 %."""

NEAREST = re.compile(
    r"of no known site's material: nearest is ELSEWHERE's, of which (\S+) is off by "
    r"z = (\S+) \(chi-square (\d+) of 8 analytes\)"
)


def swapped(seed: int, at_port: dict[str, float]) -> Alert:
    """Return the alert of a lot that holds something else at the port."""
    [alert] = suspicions(hauled(seed, at_origin=lot(Random(seed)), at_port=at_port))
    return alert


@cache
def of_rock() -> Alert:
    return swapped(6, ROCK)


def elsewhere(seed: int) -> dict[str, float]:
    """Return ore of a mine that nobody knows, nearer to the one that is known than to the lot's."""
    rng = Random(seed)
    return {a: math.exp(OTHER[a] + rng.gauss(0, 1.2)) for a in ANALYTES}


def test_barren_rock_is_no_known_mines_ore() -> None:
    alert = of_rock()
    assert (alert.family, alert.movement_id) == ("omnibus", "M-1")
    said = NEAREST.search(alert.reason)
    assert said is not None
    assert abs(float(said[2])) > 10.0
    assert float(said[3]) > 500.0
    assert sum(one.probability for one in alert.other_sites) == 0.0
    assert [one.site_id for one in alert.other_sites if one.spread] == ["ELSEWHERE"]


def test_its_e_is_still_the_sum_over_all_that_may_have_happened() -> None:
    alert = of_rock()
    assert alert.value == 1e300
    agrees(line_of(alert))


@pytest.mark.parametrize(
    ("figure", "other"), [(r"z = -", "z = -1"), ("chi-square ", "chi-square 1"), ("8 an", "7 an")]
)
def test_how_far_the_nearest_is_can_be_done_again(figure: str, other: str) -> None:
    line = line_of(of_rock())
    assert figure in line["reason"]
    line["reason"] = line["reason"].replace(figure, other)
    with pytest.raises(AssertionError):
        agrees(line)


def test_no_more_than_all_of_the_metal_is_at_stake() -> None:
    alert = of_rock()
    assert alert.family == "omnibus"
    assert 0.9 < alert.size < 1.0
    assert alert.stake_share is not None
    assert alert.stake_share <= 1.0


def test_ore_of_a_mine_that_nobody_knows_is_not_that_of_one_that_is_known() -> None:
    found = [swapped(seed, elsewhere(100 + seed)) for seed in range(6)]
    assert {one.family for one in found} == {"omnibus"}
    assert all(NEAREST.search(one.reason) for one in found)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8, 1.0])
def test_ore_of_a_known_mine_keeps_its_name(share: float) -> None:
    for seed in range(4):
        alert = swapped(seed, mixed(lot(Random(seed)), share))
        assert alert.family == "foreign_material"
        assert "ELSEWHERE" in alert.reason
        assert "no known" not in alert.reason


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97, 0.998])
def test_waste_keeps_its_name_and_rock_of_a_metal_of_its_own_is_none(share: float) -> None:
    ore = lot(Random(4))
    less = {a: (1.0 - share) * c for a, c in ore.items()}
    assert swapped(4, less).family == "waste"
    assert swapped(4, less | {"Fe": 1.5 * ore["Fe"]}).family == "omnibus"


U = np.eye(3)
"""Three analytes, each measured once with a deviation of one."""


def expecting(change: list[float], **other: object) -> Expected:
    said = {
        "spread": np.zeros((3, 3)),
        "known": np.ones(3, np.bool_),
        "at_most": np.zeros(3, np.bool_),
    } | other
    return Expected(np.array(change), **said)  # type: ignore[arg-type]  # any of its fields


NONE_BELOW = np.zeros(3, np.bool_)


def test_far_off_is_a_chi_square_of_what_is_left_over_its_spread() -> None:
    seen = np.array([-9.0, 2.0, 0.0])
    cause = expecting([-1.0, 2.0, 0.5], spread=np.diag([3.0, 1.0, 0.0]))
    found = fit(U, seen, cause, NONE_BELOW)
    assert found.value == pytest.approx(8.0**2 / 4.0 + 0.0 + 0.5**2)
    assert (found.analytes, found.worst) == (3, 0)
    assert found.z == pytest.approx(-4.0)
    assert not found.is_bad


def test_it_is_bad_beyond_what_the_true_cause_passes_once_in_a_billion() -> None:
    edge = math.sqrt(chi2_quantile(FIT_MIN, 3))
    for by, bad in ((-1e-6, False), (1e-6, True)):
        seen = np.array([edge + by, 0.0, 0.0])
        assert fit(U, seen, expecting([0.0, 0.0, 0.0]), NONE_BELOW).is_bad is bad


def test_what_a_site_is_not_known_for_does_not_count() -> None:
    known = np.array([False, True, True])
    found = fit(U, np.array([50.0, 0.0, 0.0]), expecting([0.0] * 3, known=known), NONE_BELOW)
    assert (found.value, found.analytes) == (0.0, 2)
    assert fit(U, np.array([50.0, 0.0, 0.0]), expecting([0.0] * 3, known=~known), NONE_BELOW).is_bad


def test_a_reading_below_detection_contradicts_only_what_would_be_seen() -> None:
    below = np.array([True, False, False])
    seen = np.array([-9.0, 0.0, 0.0])
    assert fit(U, seen, expecting([-20.0, 0.0, 0.0]), below).analytes == 2
    assert fit(U, seen, expecting([0.0, 0.0, 0.0]), below).is_bad


def test_more_than_the_most_that_can_be_said_is_no_contradiction() -> None:
    at_most = np.array([True, False, False])
    beyond, short = np.array([-20.0, 0.0, 0.0]), np.array([8.0, 0.0, 0.0])
    cause = expecting([-6.0, 0.0, 0.0], at_most=at_most)
    assert fit(U, beyond, cause, NONE_BELOW).analytes == 2
    assert fit(U, short, cause, NONE_BELOW).is_bad


def test_where_nothing_can_be_compared_a_cause_fits() -> None:
    none = np.zeros(3, np.bool_)
    assert fit(U, np.array([50.0, 0.0, 0.0]), expecting([0.0] * 3, known=none), none) == FITS


def test_the_share_of_waste_is_sought_among_readings_that_are_no_limits() -> None:
    """Two limits make the best share look less than it is; by what was measured it fits."""
    below, seen = np.array([True, True, False]), np.array([-1.0, -1.2, -5.0])
    even = expecting([-2.4] * 3, even=True)
    assert fit(10.0 * U, 10.0 * seen, even, below).value == pytest.approx(0.0)
    assert fit(10.0 * U, 10.0 * seen, even._replace(even=False), below).is_bad
