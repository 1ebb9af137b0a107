"""Laws of reconciliation: balances close, u shrinks, order means nothing, levels are held."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special  # type: ignore[import-untyped]  # it ships no types

from custody.detect import bilinear, gross_error, network
from custody.detect.flowsheet import Flowsheet, layout
from custody.detect.network import Floats
from custody.detect.reconciliation import Reconciliation, Status, reconcile
from custody.estimate import Estimate
from tests.support import published
from tests.support.networks import TWO_CIRCUITS, Truth, measured, truths

DRAWS = 20_000
PLANTS = 100
LAW = settings(max_examples=25)
"""A reconciliation takes some milliseconds."""


@st.composite
def linear(draw: st.DrawFn, noise: float = 1.0, *, missing: bool = True) -> Flowsheet:
    return draw(measured(draw(truths()), noise=noise, missing=missing))


@st.composite
def graded(draw: st.DrawFn, noise: float = 1.0, *, missing: bool = True) -> Flowsheet:
    return draw(measured(draw(truths(analytes=2, nodes_max=3)), noise=noise, missing=missing))


def scale(sheet: Flowsheet) -> float:
    arrays = layout(sheet)
    return float(np.nanmax(np.abs(arrays.values), initial=1.0))


@LAW
@given(linear() | graded())
def test_what_is_reconciled_balances_and_is_known_no_worse(sheet: Flowsheet) -> None:
    arrays = layout(sheet)
    found = bilinear.reconcile(arrays)
    alone = np.count_nonzero(arrays.covariance) == np.count_nonzero(np.diag(arrays.covariance))
    missed = bilinear.constraints(arrays, found.solved.values)
    assert missed == pytest.approx(0.0, abs=1e-7 * scale(sheet) ** 2)
    for one in reconcile(sheet).quantities:
        if one.measured and one.reconciled:
            assert one.reconciled[1] <= one.measured[1] * (1 + 1e-9)
        if one.status is Status.NONREDUNDANT and alone:
            assert one.z is None


@LAW
@given(linear(0.0) | graded(0.0))
def test_figures_that_balance_are_left_as_they_are(sheet: Flowsheet) -> None:
    found = reconcile(sheet)
    assert found.statistic == pytest.approx(0.0, abs=1e-9)
    assert found.p == pytest.approx(1.0)
    for one in found.quantities:
        if one.measured and one.reconciled:
            assert one.reconciled[0] == pytest.approx(one.measured[0], rel=1e-7)


def assert_same(found: Reconciliation, plain: Reconciliation) -> None:
    """Figures and tests are the same, whatever the order of streams."""
    others = {(one.flow, one.analyte): one for one in found.quantities}
    for one in plain.quantities:
        other = others[one.flow, one.analyte]
        assert other.status == one.status
        assert (other.z is None) == (one.z is None)
        assert (other.z or 0.0) == pytest.approx(one.z or 0.0, rel=1e-4, abs=1e-5)
        if one.reconciled is not None:
            assert other.reconciled == pytest.approx(one.reconciled, rel=1e-6)
    assert found.statistic == pytest.approx(plain.statistic, rel=1e-6, abs=1e-9)
    assert found.degrees == plain.degrees
    assert [test.statistic for test in found.fault_tests] == pytest.approx(
        [test.statistic for test in plain.fault_tests], rel=1e-4, abs=1e-6
    )


@LAW
@given(linear() | graded(), st.randoms(use_true_random=False))
def test_order_and_direction_mean_nothing(sheet: Flowsheet, random: object) -> None:
    """Streams and nodes in any order; and all streams turned round, leaks become gains."""
    flows, nodes = list(sheet.flows), list(sheet.nodes)
    random.shuffle(flows)  # type: ignore[attr-defined]  # Hypothesis calls it Random
    random.shuffle(nodes)  # type: ignore[attr-defined]
    turned = [replace(flow, start=flow.end, end=flow.start) for flow in flows]
    plain = reconcile(sheet)
    for other in (Flowsheet(tuple(nodes), tuple(flows)), Flowsheet(tuple(nodes), tuple(turned))):
        assert_same(reconcile(other), plain)


@LAW
@given(graded(), st.floats(1e-3, 1e3), st.floats(1e-4, 1e4))
def test_units_mean_nothing(sheet: Flowsheet, mass: float, grade: float) -> None:
    def scaled(figure: Estimate, by: float) -> Estimate:
        parts = {source: u * by for source, u in figure.parts.items()}
        return Estimate(figure.value * by, figure.var * by * by, parts)

    other = Flowsheet(
        sheet.nodes,
        tuple(
            replace(
                flow,
                mass=flow.mass and scaled(flow.mass, mass),
                grades={name: scaled(one, grade) for name, one in flow.grades.items()},
            )
            for flow in sheet.flows
        ),
    )
    plain, found = reconcile(sheet), reconcile(other)
    assert found.degrees == plain.degrees
    assert found.statistic == pytest.approx(plain.statistic, rel=1e-6, abs=1e-8)
    assert [one.status for one in found.quantities] == [one.status for one in plain.quantities]


@LAW
@given(linear())
def test_without_grades_both_ways_are_one(sheet: Flowsheet) -> None:
    arrays = layout(sheet)
    straight = network.reconcile(arrays.masses, arrays.covariance, arrays.incidence)
    stepped = bilinear.reconcile(arrays).solved
    if np.isnan(arrays.masses).all():
        assert not stepped.known.any()
        return
    known = straight.known
    assert (known == stepped.known).all()
    assert stepped.values[known] == pytest.approx(straight.values[known])
    assert stepped.covariance == pytest.approx(straight.covariance)
    assert stepped.statistic == pytest.approx(straight.statistic, abs=1e-12)


@LAW
@given(linear(missing=False))
def test_it_agrees_with_a_dense_solve_of_the_conditions_of_the_optimum(sheet: Flowsheet) -> None:
    """Stationarity and constraints as one system of equations: nothing is shared with the core."""
    arrays = layout(sheet)
    u = np.sqrt(np.diag(arrays.covariance))
    incidence, rows = arrays.incidence, arrays.incidence * u
    weight = np.linalg.inv(arrays.covariance / np.outer(u, u))
    system = np.block([[weight, rows.T], [rows, np.zeros((len(rows),) * 2)]])
    right = np.concatenate([np.zeros(len(u)), -incidence @ arrays.masses])
    moved = np.linalg.solve(system, right)[: len(u)]
    answer = arrays.masses + u * moved
    solved = network.reconcile(arrays.masses, arrays.covariance, incidence)
    assert solved.values == pytest.approx(answer, rel=1e-6)
    assert solved.statistic == pytest.approx(float(moved @ weight @ moved), rel=1e-6, abs=1e-9)


@LAW
@given(truths(analytes=2, nodes_max=3), st.data())
def test_grades_and_masses_are_at_an_optimum(truth: Truth, data: st.DataObject) -> None:
    """Its conditions hold, and what is true is no better: it balances, too."""
    arrays = layout(data.draw(measured(truth, missing=False)))
    found = bilinear.reconcile(arrays)
    pull = np.linalg.solve(arrays.covariance, arrays.values - found.solved.values)
    rows = bilinear.jacobian(arrays, found.solved.values)
    force = np.linalg.lstsq(rows.T, pull, rcond=None)[0]
    u = np.sqrt(np.diag(arrays.covariance))
    assert (pull - rows.T @ force) * u == pytest.approx(0.0, abs=1e-4)
    true = np.concatenate(
        [list(truth.masses.values()), [c for g in truth.grades.values() for c in g.values()]]
    )
    error = arrays.values - true
    assert found.solved.statistic <= error @ np.linalg.solve(arrays.covariance, error) + 1e-6


@LAW
@given(linear() | graded())
def test_unmeasured_is_observable_where_no_other_value_fits(sheet: Flowsheet) -> None:
    """Another way to ask: does saying it add to what the constraints say already?"""
    arrays = layout(sheet)
    if np.isnan(arrays.masses).any() and arrays.grades.size:
        return  # a scale nobody set is another reason not to know it
    solved = network.reconcile(arrays.masses, arrays.covariance, arrays.incidence)
    unknown = np.isnan(arrays.masses)
    rows = arrays.incidence[:, unknown]
    rank = np.linalg.matrix_rank(rows) if rows.size else 0
    for at, flow in enumerate(np.flatnonzero(unknown)):
        said = np.vstack([rows, np.eye(rows.shape[1])[at]])
        assert solved.known[flow] == (np.linalg.matrix_rank(said) == rank)


@LAW
@given(linear() | graded())
def test_a_fault_takes_off_no_more_than_there_is_and_its_size_removes_it(sheet: Flowsheet) -> None:
    found = reconcile(sheet)
    for test in found.fault_tests:
        assert test.statistic <= found.statistic * (1 + 1e-9) + 1e-9
        assert 0.0 <= test.p <= test.p_adjusted <= 1.0
    assert [t.statistic for t in found.fault_tests] == sorted(
        [t.statistic for t in found.fault_tests], reverse=True
    )


@LAW
@given(linear())
def test_a_bias_taken_back_by_its_size_leaves_the_rest(sheet: Flowsheet) -> None:
    """Correcting a figure by the size of its bias takes T off the global statistic."""
    found = reconcile(sheet)
    for test in found.fault_tests:
        fault = test.faults[0]
        if fault.kind != "bias":
            continue
        flows = tuple(
            flow
            if flow.id != fault.at or flow.mass is None
            else replace(flow, mass=flow.mass._replace(value=flow.mass.value - fault.size))
            for flow in sheet.flows
        )
        if any(flow.mass is not None and flow.mass.value < 0.0 for flow in flows):
            continue
        left = reconcile(Flowsheet(sheet.nodes, flows))
        assert left.statistic == pytest.approx(found.statistic - test.statistic, abs=1e-6)


def noise(rng: np.random.Generator, covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn: Floats = root @ rng.standard_normal((len(covariance), DRAWS))
    return drawn


@pytest.mark.parametrize("name", ["steam meters", "water meters", "gross error left out"])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_levels_are_held_where_nothing_is_wrong(name: str, alpha: float) -> None:
    """20,000 plants whose readings are off by their u: chi-square exactly, best fault at most."""
    arrays = layout(published.MASSES[name].sheet())
    solved = network.reconcile(arrays.masses, arrays.covariance, arrays.incidence)
    there = ~np.isnan(arrays.masses)
    drawn = noise(np.random.default_rng(11), arrays.covariance[np.ix_(there, there)])
    scores = solved.whiten @ arrays.incidence[:, there] @ drawn
    deviation = np.sqrt(alpha * (1 - alpha) / DRAWS)
    alarms = (scores**2).sum(axis=0) > special.chdtri(solved.degrees, alpha)
    assert alarms.mean() == pytest.approx(alpha, abs=4 * deviation)
    directions = np.hstack([arrays.incidence[:, there], -np.eye(len(arrays.incidence))])
    faults = gross_error.ratios(solved, directions)
    z = np.abs(
        (faults.u[faults.seen] * (solved.whiten @ directions[:, faults.seen]).T.T).T @ scores
    )
    worst = z.max(axis=0)
    limit = gross_error.limit(alpha, faults.tests)
    assert (worst > limit).mean() <= alpha + 4 * deviation
    # The limit is not idle either: of independent tests it would be met exactly.
    assert (worst > limit).mean() > alpha / 4


def test_levels_are_held_with_grades_and_shared_sources() -> None:
    """Copies of a plant with two circuits, drawn anew: to first order chi-square, and it is."""
    arrays = layout(TWO_CIRCUITS)
    exact = bilinear.reconcile(arrays).solved.values
    true = arrays._replace(
        masses=np.where(np.isnan(arrays.masses), np.nan, exact[: len(arrays.masses)]),
        grades=exact[len(arrays.masses) :].reshape(arrays.grades.shape),
    )
    rng = np.random.default_rng(5)
    drawn = noise(rng, arrays.covariance)
    statistics = []
    for error in drawn.T[:PLANTS]:
        values = true.values + error
        split = len(arrays.masses)
        shifted = true._replace(
            masses=values[:split], grades=values[split:].reshape(arrays.grades.shape)
        )
        statistics.append(bilinear.reconcile(shifted).solved.statistic)
    degrees = bilinear.reconcile(arrays).solved.degrees
    assert np.mean(statistics) == pytest.approx(degrees, abs=4 * np.sqrt(2 * degrees / PLANTS))
    alarms = np.mean(np.array(statistics) > special.chdtri(degrees, 0.05))
    assert alarms == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / PLANTS))
