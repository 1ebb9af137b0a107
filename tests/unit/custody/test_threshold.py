"""Chances so small that a double cannot hold them: their logarithms go on where they end."""

import math
from itertools import pairwise

import pytest

from custody.detect import gross_error, threshold

LN10 = math.log(10.0)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 12, 40])
def test_the_logarithm_of_a_chi_square_chance_goes_on_where_the_chance_ends(degrees: int) -> None:
    """Both sides of where it is computed otherwise, and far beyond."""
    values = [1_270.0 + step for step in range(0, 100, 2)]
    logarithms = [threshold.minus_log10_chi2(value, degrees) for value in values]
    steps = [b - a for a, b in pairwise(logarithms)]
    # The slope is half of 1 / ln 10, less what the power of the value takes off.
    for value, step in zip(values, steps, strict=False):
        assert step == pytest.approx(
            (1.0 - (degrees / 2 - 1) * math.log1p(2 / value)) / LN10, rel=1e-4
        )


@pytest.mark.parametrize("value", [1_500.0, 1e5, 1e12])
def test_of_two_degrees_of_freedom_it_is_half_the_value(value: float) -> None:
    assert threshold.minus_log10_chi2(value, 2) == pytest.approx(value / 2 / LN10, rel=1e-12)


@pytest.mark.parametrize("z", [38.0, 1e3, 1e6])
def test_of_one_degree_it_is_the_normal_one_on_both_sides(z: float) -> None:
    both = threshold.minus_log10_normal(z) - math.log10(2.0)
    assert threshold.minus_log10_chi2(z * z, 1) == pytest.approx(both, rel=1e-12)


@pytest.mark.parametrize("value", [math.inf, 1e305])
def test_nothing_is_beyond_a_number_that_can_be_said(value: float) -> None:
    assert threshold.minus_log10_normal(value) == threshold.LOG10_P_MAX
    assert threshold.minus_log10_chi2(value, 3) <= threshold.LOG10_P_MAX
    assert math.isfinite(threshold.minus_log10_chi2(value, 3))


def test_what_fits_well_is_no_evidence_at_all() -> None:
    assert threshold.minus_log10_chi2(0.0, 3) == 0.0


def test_a_sum_of_squares_that_rounding_left_below_zero_is_no_surprise() -> None:
    assert gross_error.p_chi2(-9.094947017729282e-13, 2) == 1.0
