"""Totals by hand: recovery, metal out beyond ore in, what is missing, output beyond capacity."""

import math
from pathlib import Path

import pytest

from custody.detect import totals
from custody.detect.totals import Total, beyond_capacity, missing, out_beyond_in, recovery, speaking
from custody.estimate import Estimate
from custody.recovery import Grade
from tests.support import tree


def test_recovery_of_two_products_by_hand() -> None:
    """Feed 1.2 %, concentrate 28 %, tailings 0.15 %: 87.97 %, against 92 +- 1 %."""
    found = recovery(
        [Grade(1.2, 0.012)], [[Grade(28.0, 0.2)], [Grade(0.15, 0.006)]], Grade(0.92, 0.01)
    )
    c, f, t = 28.0, 1.2, 0.15
    value = c * (f - t) / (f * (c - t))
    by_f, by_t = c * t / (f * f * (c - t)), c * (f - c) / (f * (c - t) ** 2)
    by_c = -t * (f - t) / (f * (c - t) ** 2)
    u = math.hypot(by_f * 0.012, by_t * 0.006, by_c * 0.2)
    assert found.value == pytest.approx(value)
    assert found.u == pytest.approx(u)
    assert found.z == pytest.approx((value - 0.92) / math.hypot(u, 0.01))
    assert found.z < -3.0


def test_a_scale_on_both_sides_cancels_in_what_came_out_beyond_what_went_in() -> None:
    into, out_of = Estimate(100.0, 0.09, {"WB": 2.0}), Estimate(103.0, 0.16, {"WB": 2.0})
    found = out_beyond_in("SMELTER", "Cu", into, out_of)
    assert (found.excess, found.u, found.z) == pytest.approx((3.0, 0.5, 6.0))
    assert speaking([found]) == [found]


def test_what_is_missing_speaks_and_what_is_too_much_does_not() -> None:
    gone = missing("CD", "Cu", 1000.0, (20.0, 0.0), 4.0)
    assert gone.z == pytest.approx(5.0)
    more = missing("CD", "Co", 1000.0, (-20.0, 0.0), 4.0)
    unsure = missing("CD", "Fe", 1000.0, (1000.0, 0.0), None)
    assert unsure.z is None
    assert speaking([more, unsure, gone]) == [gone]


def test_capacity_is_that_of_the_days_of_the_period() -> None:
    """1,200,000 t a year are 98,563 t in 30 days; 110,000 +- 550 t are 20.8 sigma too much."""
    found = beyond_capacity("KOV", "dry", (110_000.0, 550.0), (1_200_000.0, 0.0), 30.0)
    assert found.expected == pytest.approx(98_562.6, abs=0.1)
    assert found.z == pytest.approx(20.795, abs=0.001)


def test_many_tests_share_one_level() -> None:
    assert totals.limit(1) == pytest.approx(3.090, abs=0.001)
    assert totals.limit(40) == pytest.approx(4.056, abs=0.001)
    middling = Total("undeclared_feed", "S", "Cu", 0.0, 3.5, 1.0, 3.5)
    assert speaking([middling]) == [middling]
    others = [Total("undeclared_feed", f"S{n}", "Cu", 0.0, 0.0, 1.0, 0.0) for n in range(39)]
    assert speaking([middling, *others]) == []


def test_the_page_has_these_figures() -> None:
    page = tree.text(Path("docs/detection/totals.md"))
    found = recovery(
        [Grade(1.2, 0.012)], [[Grade(28.0, 0.2)], [Grade(0.15, 0.006)]], Grade(0.92, 0.01)
    )
    assert f"{found.value:.2%}".replace("%", " %") in page
    assert f"u = {found.u:.2%}".replace("%", " %") in page
    assert f"z = {found.z:.1f}" in page
    assert f"z = {beyond_capacity('K', 'dry', (1.1e5, 550.0), (1.2e6, 0.0), 30.0).z:.1f}" in page
