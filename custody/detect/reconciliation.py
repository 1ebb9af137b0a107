"""A network reconciled: figures that balance, the tests, and which fault would explain the rest.

Masses and grades are solved by ``bilinear``, node balances as measured by ``node_balance``, and of
every single fault the likelihood ratio by ``gross_error``:

    bias     one mass or grade reads too high (size above zero) or too low
    source   everything a scale or laboratory measured is off together; size in units of its u
    leak     a node loses material (size above zero) or gains it: barren, or like one of its flows
    exchange a share of what passes a node (size, at most 1) became material known from elsewhere

Source:
    docs/detection/network.md
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

import numpy as np

from custody.detect import bilinear, gross_error, node_balance, several
from custody.detect.bilinear import Balanced, Layout
from custody.detect.flowsheet import BadFlowsheet, Flowsheet, check, layout, sources
from custody.detect.gross_error import p_two_sided
from custody.detect.network import Contradiction, Floats


class Status(StrEnum):
    """What the network makes of a quantity."""

    REDUNDANT = "redundant"
    """Measured, and the others would tell it, too: it is tested and known better."""
    NONREDUNDANT = "nonredundant"
    """Measured, and nothing else tells it: an error in it shows nowhere."""
    OBSERVABLE = "observable"
    """Not measured; it follows from what is."""
    UNOBSERVABLE = "unobservable"
    """Not measured, and it does not follow."""


class Quantity(NamedTuple):
    """A mass or grade of a flow.

    Attributes:
        flow: The flow's id.
        analyte: None for the mass.
        status: What the network makes of it.
        measured: Value and standard uncertainty; None where there is none.
        reconciled: The same; None where it is unobservable.
        adjustment: Reconciled minus measured; None where nothing was measured.
        z: Size of the adjustment over its deviation; None where it has none.
        metal: Contained metal of the flow, mass times grade, and its u; None for a mass.
    """

    flow: str
    analyte: str | None
    status: Status
    measured: tuple[float, float] | None
    reconciled: tuple[float, float] | None
    adjustment: float | None
    z: float | None
    metal: tuple[float, float] | None


class NodeTest(NamedTuple):
    """A balance as measured; see ``node_balance``. ``p`` is that of z, two-sided."""

    nodes: tuple[str, ...]
    analyte: str | None
    into: float
    out_of: float
    u: float
    z: float | None
    p: float | None


class Fault(NamedTuple):
    """A single fault and the size of it that fits best.

    Attributes:
        kind: ``bias``, ``source``, ``leak`` or ``exchange``.
        at: The flow, source or node.
        analyte: Analyte of a biased grade; else None.
        like: Flow or material that leaks or was put in; None for barren material, and where there
            are no grades.
        size: Bias, mass lost, or share exchanged; in units of its own u for a source. Not a number
            if unseen.
        u: Standard uncertainty of the size.
    """

    kind: str
    at: str
    analyte: str | None
    like: str | None
    size: float
    u: float


class FaultTest(NamedTuple):
    """One test: the faults that nothing measured here tells apart.

    Attributes:
        faults: Usually one.
        statistic: What the fault takes off the global statistic.
        p: Of the statistic, chi-square with one degree of freedom.
        p_adjusted: Of the best of all tests being as good as this one, with no fault.
        p_left: Of the global test once the fault is allowed for; None with no freedom left.
        behind: Statistic of the best test minus this one's: the data prefer the best by that much.
    """

    faults: tuple[Fault, ...]
    statistic: float
    p: float
    p_adjusted: float
    p_left: float | None
    behind: float


class Reconciliation(NamedTuple):
    """What came out.

    Attributes:
        quantities: Masses, then grades by analyte, in the order of the flows.
        statistic: Global test statistic.
        degrees: Its degrees of freedom.
        p: Chance of a larger one, with no fault; 1 with nothing to test.
        node_tests: Balances of nodes as measured.
        fault_tests: The best-fitting first.
        unseen: Faults that nothing measured here can show.
        steps: Linear steps it took.
    """

    quantities: tuple[Quantity, ...]
    statistic: float
    degrees: int
    p: float
    node_tests: tuple[NodeTest, ...]
    fault_tests: tuple[FaultTest, ...]
    unseen: tuple[Fault, ...]
    steps: int


Materials = Mapping[str, Mapping[str, float]]
"""Grades by analyte of material from elsewhere, by its name, which is no flow's."""


def reconcile(sheet: Flowsheet, materials: Materials | None = None) -> Reconciliation:
    """Reconcile a network and test it.

    Args:
        sheet: The network.
        materials: What may have been put in or exchanged at a node, beside its own flows; one that
            lacks an analyte of the network is passed over. None: nothing is sought.

    Raises:
        BadFlowsheet: Its parts do not fit together, or exact figures do not balance.
        Unsettled: Masses and grades do not converge.
    """
    check(sheet)
    arrays = layout(sheet)
    try:
        balanced = bilinear.reconcile(arrays)
    except Contradiction as error:
        raise _imbalanced(sheet, error) from error
    solved = balanced.solved
    fault_tests, unseen = _fault_tests(sheet, arrays, balanced, materials)
    return Reconciliation(
        tuple(_quantities(sheet, arrays, balanced)),
        solved.statistic,
        solved.degrees,
        gross_error.p_chi2(solved.statistic, solved.degrees),
        tuple(_node_tests(sheet, arrays)),
        fault_tests,
        unseen,
        balanced.steps,
    )


def _imbalanced(sheet: Flowsheet, error: Contradiction) -> BadFlowsheet:
    names = []
    for row in error.rows[:5]:
        kind, node = divmod(row, len(sheet.nodes))
        names.append(f"{sheet.nodes[node]} ({'mass' if kind == 0 else sheet.analytes[kind - 1]})")
    figures = "figures whose u is all shared, and cancels," if error.shared else "figures with u 0"
    what = f"node {', '.join(names)}: {figures} miss the balance by {error.gap:.6g}"
    return BadFlowsheet(what, expected=error.expected, next_step=error.next_step)


def _quantities(sheet: Flowsheet, arrays: Layout, balanced: Balanced) -> Iterator[Quantity]:
    z = np.abs(balanced.solved.z())
    u = np.sqrt(np.diag(arrays.covariance))
    for analyte in (None, *range(len(sheet.analytes))):
        for number, flow in enumerate(sheet.flows):
            at = arrays.column(number, analyte)
            if analyte is None:
                figure = _pair(balanced.masses[number], balanced.masses_u[number])
                metal = None
            else:
                place = (number, analyte)
                figure = _pair(balanced.grades[place], balanced.grades_u[place])
                metal = _pair(balanced.metals[place], balanced.metals_u[place])
            measured = _pair(arrays.values[at], u[at])
            redundant = bool(balanced.solved.redundant[at])
            yield Quantity(
                flow.id,
                None if analyte is None else sheet.analytes[analyte],
                _status(measured, figure, redundant=redundant),
                measured,
                figure,
                _number(balanced.solved.adjustments[at]) if measured else None,
                _number(z[at]),
                metal,
            )


def _status(measured: object, figure: object, *, redundant: bool) -> Status:
    if measured is None:
        return Status.UNOBSERVABLE if figure is None else Status.OBSERVABLE
    return Status.REDUNDANT if redundant else Status.NONREDUNDANT


def _pair(value: float, u: float) -> tuple[float, float] | None:
    return None if math.isnan(value) else (float(value), float(u))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _node_tests(sheet: Flowsheet, arrays: Layout) -> Iterator[NodeTest]:
    for one in node_balance.balances(arrays):
        yield NodeTest(
            tuple(sheet.nodes[node] for node in one.nodes),
            None if one.analyte is None else sheet.analytes[one.analyte],
            one.into,
            one.out_of,
            one.u,
            one.z,
            None if one.z is None else p_two_sided(one.z),
        )


def _fault_tests(
    sheet: Flowsheet, arrays: Layout, balanced: Balanced, materials: Materials | None
) -> tuple[tuple[FaultTest, ...], tuple[Fault, ...]]:
    """Return all tests, the best first, and the faults that none of them can see."""
    named = list(_faults(sheet, arrays, balanced))
    if materials is not None and sheet.analytes:
        named += _from_elsewhere(sheet, arrays, balanced, materials)
    directions = np.array([direction for _, direction in named]).reshape(
        len(named), len(balanced.jacobian)
    )
    found = gross_error.ratios(balanced.solved, directions.T)
    faults = [
        fault._replace(size=float(size), u=float(u))
        for (fault, _), size, u in zip(named, found.size, found.u, strict=True)
    ]
    by_group = sorted(range(len(faults)), key=lambda at: found.group[at])
    tests, unseen = [], tuple[Fault, ...]()
    for group, members in groupby(by_group, key=lambda at: found.group[at]):
        of_one = tuple(faults[at] for at in members)
        if group < 0:
            unseen = of_one
        else:
            tests.append(_fault_test(of_one, found.tests, balanced))
    tests.sort(key=lambda test: -test.statistic)
    best = tests[0].statistic if tests else 0.0
    return tuple(t._replace(behind=best - t.statistic) for t in tests), unseen


def _fault_test(faults: tuple[Fault, ...], tests: int, balanced: Balanced) -> FaultTest:
    solved = balanced.solved
    z = faults[0].size / faults[0].u
    p, left = p_two_sided(z), solved.degrees - 1
    p_left = gross_error.p_chi2(solved.statistic - z * z, left) if left > 0 else None
    return FaultTest(faults, z * z, p, several.adjusted(p, tests), p_left, 0.0)


def _faults(sheet: Flowsheet, arrays: Layout, balanced: Balanced) -> Iterator[tuple[Fault, Floats]]:
    """Yield every single fault with the shift of the constraints per unit of its size."""
    u = np.sqrt(np.diag(arrays.covariance))
    for number, flow in enumerate(sheet.flows):
        for analyte in (None, *range(len(sheet.analytes))):
            at = arrays.column(number, analyte)
            # What is stated as exact is not doubted.
            if not math.isnan(arrays.values[at]) and u[at] > 0.0:
                name = None if analyte is None else sheet.analytes[analyte]
                yield _fault("bias", flow.id, name), balanced.jacobian[:, at]
    for source, part in sources(sheet, arrays).items():
        if np.count_nonzero(part) > 1:
            yield _fault("source", source), balanced.jacobian @ part
    for node in range(len(sheet.nodes)):
        yield from _leaks(sheet, node, arrays, balanced)


def _leaks(
    sheet: Flowsheet, node: int, arrays: Layout, balanced: Balanced
) -> Iterator[tuple[Fault, Floats]]:
    """Yield leaks of a node: barren, then of material like each of its flows."""
    analytes = range(len(sheet.analytes))
    barren = np.zeros(len(balanced.jacobian))
    barren[arrays.row(node, None)] = -1.0
    yield _fault("leak", sheet.nodes[node]), barren
    if not analytes:
        return
    for flow in np.flatnonzero(arrays.incidence[node]).tolist():
        grades = balanced.grades[flow]
        if not np.isnan(grades).any():
            like = barren.copy()
            like[[arrays.row(node, analyte) for analyte in analytes]] = -grades
            yield _fault("leak", sheet.nodes[node], like=sheet.flows[flow].id), like


def _from_elsewhere(
    sheet: Flowsheet, arrays: Layout, balanced: Balanced, materials: Materials
) -> Iterator[tuple[Fault, Floats]]:
    """Yield what material from elsewhere does at each node: more of it, or exchanged for a share.

    Exchanged for barren material is the first; added barren material is a leak of its own.
    """
    known = [(n, [m[a] for a in sheet.analytes]) for n, m in materials.items() if _has(m, sheet)]
    for node, name in enumerate(sheet.nodes):
        mass, grades = _passing(arrays, balanced, node)
        rows = [arrays.row(node, at) for at in range(len(sheet.analytes))]
        for like, there in [(None, [0.0] * len(rows)), *known]:
            exchanged = np.zeros(len(balanced.jacobian))
            exchanged[rows] = mass * (np.array(there) - grades)
            if np.isfinite(exchanged).all():
                yield _fault("exchange", name, like=like), exchanged
            if like is not None:
                added = np.zeros(len(balanced.jacobian))
                added[arrays.row(node, None)] = -1.0
                added[rows] = -np.array(there)
                yield _fault("leak", name, like=like), added


def _has(material: Mapping[str, float], sheet: Flowsheet) -> bool:
    return all(analyte in material for analyte in sheet.analytes)


def _passing(arrays: Layout, balanced: Balanced, node: int) -> tuple[float, Floats]:
    """Return the mass that enters a node and its grades; not a number where a part is unknown.

    As measured where it was: what balances has taken the fault's share in.
    """
    into = np.flatnonzero(arrays.incidence[node] < 0.0)
    masses = np.where(np.isnan(arrays.masses), balanced.masses, arrays.masses)[into]
    grades = np.where(np.isnan(arrays.grades), balanced.grades, arrays.grades)[into]
    return float(masses.sum()), np.asarray(masses @ grades / masses.sum())


def _fault(kind: str, at: str, analyte: str | None = None, like: str | None = None) -> Fault:
    return Fault(kind, at, analyte, like, math.nan, math.nan)


def limits(found: Sequence[float | None], alpha: float) -> float:
    """Return the z that the largest of several passes with probability ``alpha``.

    Args:
        found: The z, None where there is none.
        alpha: Level of all of them together.
    """
    return gross_error.limit(alpha, sum(one is not None for one in found))
