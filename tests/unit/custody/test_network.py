"""Linear constraints on plain arrays: any rank, any right side, correlated measurements."""

import numpy as np
import pytest

from custody.detect import network
from custody.detect.network import Contradiction
from tests.support import published


def test_plain_arrays_take_any_rank_and_any_right_side() -> None:
    """x + y = 10 twice, and z alone: two rows are one, z is in none."""
    rows = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]])
    solved = network.reconcile(
        np.array([4.0, 5.0, 7.0]), np.diag([1.0, 3.0, 1.0]), rows, np.array([10.0, 20.0])
    )
    assert solved.values == pytest.approx([4.25, 5.75, 7.0])
    assert solved.degrees == 1
    assert solved.redundant.tolist() == [True, True, False]
    with pytest.raises(Contradiction) as refused:
        network.reconcile(np.array([4.0, 5.0, 7.0]), np.zeros((3, 3)), rows[:1], np.array([10.0]))
    assert refused.value.rows == (0,)
    assert refused.value.gap == pytest.approx(1.0)


def test_no_constraint_and_no_quantity_are_no_failure() -> None:
    solved = network.reconcile(np.array([1.0]), np.eye(1), np.zeros((0, 1)))
    assert (solved.values.tolist(), solved.degrees) == ([1.0], 0)
    empty = network.reconcile(np.zeros(0), np.zeros((0, 0)), np.zeros((2, 0)))
    assert (empty.values.size, empty.degrees) == (0, 0)


def test_correlated_meters_of_the_heat_circuit_give_the_figures_of_vdi_2048() -> None:
    book = published.HEAT_CIRCUIT
    solved = network.reconcile(book.measured, book.covariance, book.constraints)
    assert solved.values == pytest.approx(book.reconciled, abs=6e-4)
    half_widths = 1.96 * np.sqrt(np.diag(solved.covariance))
    assert half_widths == pytest.approx(book.half_widths_reconciled, abs=6e-4)
    local = np.abs(solved.z())
    for at, test in book.local_tests.items():
        assert local[at] == pytest.approx(test, rel=3e-3), at
    # The guideline's limit: chi-square, 95 %, three conditions.
    assert solved.degrees == 3
    assert solved.statistic < 7.81473
    # D is in no condition.
    assert not solved.redundant[10]
    assert np.isnan(local[10])
