"""Likelihood ratios of faults, and the level that several tests share."""

import numpy as np
import pytest

from custody.detect import gross_error, network, several


def test_faults_with_parallel_directions_are_one_test_and_invisible_ones_are_none() -> None:
    """x + y = z + w, and w nobody measured: x and y cannot be told apart, a leak shows nowhere."""
    rows = np.array([[-1.0, -1.0, 1.0, 0.0], [0.0, 0.0, -1.0, 1.0]])
    values = np.array([4.0, 5.0, 12.0, np.nan])
    solved = network.reconcile(values, np.diag([1.0, 1.0, 2.0, 0.0]), rows)
    leaks = -np.eye(2)
    found = gross_error.ratios(solved, np.hstack([rows[:, :3], leaks]))
    assert found.group == (0, 0, 0, 0, -1)
    assert found.tests == 1
    assert found.seen.tolist() == [True] * 4 + [False]
    # 3 more went out than came in, u = root of 4.
    assert found.size[:4] == pytest.approx([-3.0, -3.0, 3.0, -3.0])
    assert found.u[:4] == pytest.approx([2.0] * 4)
    assert np.isnan(found.size[4])


def test_nothing_to_test_is_no_test() -> None:
    solved = network.reconcile(np.array([1.0]), np.eye(1), np.zeros((0, 1)))
    found = gross_error.ratios(solved, np.zeros((0, 0)))
    assert (found.group, found.tests) == ((), 0)


def test_the_level_of_several_tests_is_shared() -> None:
    assert several.adjusted(0.01, 5) == pytest.approx(1 - 0.99**5)
    assert several.adjusted(1e-30, 100) == pytest.approx(1e-28)
    assert several.adjusted(1.0, 3) == 1.0
    assert gross_error.limit(0.05, 1) == pytest.approx(1.959964)
    assert gross_error.limit(0.05, 0) == pytest.approx(1.959964)
    p = gross_error.p_two_sided(gross_error.limit(0.05, 7))
    assert several.adjusted(p, 7) == pytest.approx(0.05)
    # Found with probability 0.9: 1.96 + 1.28 sigma.
    assert gross_error.smallest_detectable(2.0, 0.05, 1) == pytest.approx(2 * (1.959964 + 1.281552))
