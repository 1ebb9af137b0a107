"""Reconciliation against published answers; sources and where they were read: support/published."""

import numpy as np
import pytest

from custody.detect import network
from custody.detect.flowsheet import Flow, Flowsheet, layout
from custody.detect.reconciliation import Reconciliation, Status, reconcile
from custody.estimate import Estimate
from tests.support import published
from tests.support.published import Published


def masses(found: Reconciliation) -> list[float]:
    return [one.reconciled[0] if one.reconciled else np.nan for one in found.quantities]


@pytest.mark.parametrize("name", published.MASSES)
def test_masses_are_those_of_the_book(name: str) -> None:
    book = published.MASSES[name]
    found = reconcile(book.sheet())
    assert masses(found) == pytest.approx(book.reconciled, abs=book.accuracy)


def test_the_covariance_is_that_of_the_book() -> None:
    arrays = layout(published.COOLING_WATER.sheet())
    solved = network.reconcile(arrays.masses, arrays.covariance, arrays.incidence)
    assert solved.covariance == pytest.approx(published.COOLING_WATER_COVARIANCE, abs=6e-5)


def test_classes_of_half_measured_cooling_water_are_those_of_the_book() -> None:
    """Flow 1 cannot be checked, 3 and 5 check each other, the others follow."""
    found = reconcile(published.COOLING_WATER_PARTLY.sheet())
    assert [one.status for one in found.quantities] == [
        Status.NONREDUNDANT, Status.OBSERVABLE, Status.REDUNDANT,
        Status.OBSERVABLE, Status.REDUNDANT, Status.OBSERVABLE,
    ]  # fmt: skip
    assert found.degrees == 1


def test_with_both_ends_of_the_cooling_water_alone_the_middle_is_unobservable() -> None:
    book = published.COOLING_WATER._replace(masses=[110.5, None, None, None, None, 101.4])
    found = reconcile(book.sheet())
    assert [one.status for one in found.quantities] == [
        Status.REDUNDANT, *[Status.UNOBSERVABLE] * 4, Status.REDUNDANT
    ]  # fmt: skip
    # By hand: 9.1 is shared as the variances, 0.6724 to 1.44.
    expected = 110.5 - 9.1 * 0.6724 / (0.6724 + 1.44)
    assert masses(found)[::5] == pytest.approx([expected, expected])


def test_the_exchanger_is_clean_and_with_four_more_in_stream_two_it_is_not() -> None:
    """The bias is known: +4. Of all meters the one with it explains the readings best."""
    clean = reconcile(published.EXCHANGER.sheet())
    assert clean.p > 0.1
    assert clean.fault_tests[0].p_adjusted > 0.1
    found = reconcile(published.EXCHANGER_GROSS_ERROR.sheet())
    # By hand: out minus in of the nodes 1.19, -4.25, 1.79, -1.76.
    assert [test.out_of - test.into for test in found.node_tests[:4]] == pytest.approx(
        [1.19, -4.25, 1.79, -1.76]
    )
    assert found.p < 0.01
    biases = [test for test in found.fault_tests if test.faults[0].kind == "bias"]
    best = biases[0].faults[0]
    assert best.at == "S2"
    assert best.size == pytest.approx(4.0, abs=best.u)
    assert biases[0].p_left is not None
    assert biases[0].p_left > 0.05
    # A leak in the exchanger explains it, too, and the difference is one that chance makes.
    assert found.fault_tests[0].faults[0][:2] == ("leak", "N2")
    assert biases[0].behind < 3.84


def test_the_feed_that_reads_eleven_too_much_is_among_the_best_and_cannot_be_told_apart() -> None:
    """Meters 7 and 8 are missing, so 1 and 6 and leaks between them are one test."""
    found = reconcile(published.GROSS_ERROR_IN_FEED.sheet())
    assert found.p < 1e-6
    best = found.fault_tests[0]
    assert [fault[:2] for fault in best.faults] == [
        ("bias", "S1"), ("bias", "S6"), ("leak", "N1"), ("leak", "N2"), ("leak", "N4")
    ]  # fmt: skip
    assert best.faults[0].size == pytest.approx(110.1 - 98.7, abs=best.faults[0].u)
    assert best.p_left is not None
    assert best.p_left > 0.5


@pytest.mark.parametrize("stream", [3, 14, 26])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_bias_of_eight_u_in_a_steam_meter_is_named_and_sized(stream: int, sign: float) -> None:
    book = published.STEAM_METERS
    bias = sign * 8.0 * book.u[stream - 1]
    readings = list(book.masses)
    before = readings[stream - 1]
    assert before is not None
    readings[stream - 1] = before + bias
    clean = reconcile(book.sheet())
    assert clean.p > 0.05
    found = reconcile(book._replace(masses=readings).sheet())
    assert found.p < 0.001
    best = found.fault_tests[0]
    assert ("bias", f"S{stream}") in [fault[:2] for fault in best.faults]
    assert best.faults[0].size == pytest.approx(bias, abs=3.0 * best.faults[0].u)
    assert best.p_adjusted < 1e-4


def test_correlation_by_a_shared_source_is_that_of_a_covariance() -> None:
    """VDI's correlation 0.2 of two meters with equal u is a shared part of sqrt(0.2) u."""
    book = published.HEAT_CIRCUIT
    u = book.half_widths[0] / 1.96
    shared = {"transmitter": u * np.sqrt(0.2)}
    flows = tuple(
        Flow(f"S{n}", None, "N", Estimate(float(value), 0.8 * u * u, shared))
        for n, value in enumerate(book.measured[:2])
    )
    sheet = Flowsheet(("N",), (*flows, Flow("out", "N", None)))
    assert layout(sheet).covariance[:2, :2] == pytest.approx(book.covariance[:2, :2])


def test_published_masses_of_the_circuit_balance() -> None:
    """What is printed with two decimals balances to two decimals: the network is read rightly."""
    sheet = Published(published.FLOTATION_ENDS, [None] * 12, [0.0] * 12, [], 0.0).sheet()
    for answer in published.FLOTATION_ANSWERS.values():
        assert layout(sheet).incidence @ np.array(answer) == pytest.approx(0.0, abs=0.021)
