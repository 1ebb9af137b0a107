"""Reconciliation of masses and grades: constraints in products, solved by linear steps.

Mass and each analyte are conserved at every node, so with A the incidence of flows on nodes

    A M = 0                    M: masses
    A (M c_a) = 0              c_a: grades of analyte a; M c_a its contained metal

Where a grade was not measured, its contained metal is the unknown and the row stays linear; where
a mass was not, the grades may still tell it, as in the two-product formula. Each step takes the
constraints as linear around the last estimates; the fixed point is the least squares solution. The
last step's tests, covariance and classes hold to first order (GUM 5.1.2).

Masses of a part of the network where no mass was measured have no scale: one of them is set to 1,
the grades are reconciled, and none of its masses counts as known. Whoever wants yields states the
mass of the feed, 100 without uncertainty for instance.

Source:
    docs/detection/network.md; S. Narasimhan, C. Jordache, Data Reconciliation and Gross Error
    Detection (2000), chapter 4, for the linear steps.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from custody.detect import network
from custody.detect.network import Bools, Contradiction, Floats, Solved
from custody.errors import Refused

STEPS_MAX = 200
"""Linear steps; networks with errors of a few u take five."""
SETTLED = 1e-10
"""Relative change of a step that is none."""
SETTLED_U = 1e-6
"""Change of a step as a share of the figure's own u, that is none either."""
LENGTH_MIN = 1.0 / 64.0
"""Shortest step, as a share of the full one."""
VANISHED = 1e-6
"""Share of the largest mass, below which an unmeasured one has been taken for zero."""


class Unsettled(Refused):
    """The steps do not come to rest: grades and masses are too far from any balance."""

    def __init__(self, change: float) -> None:
        super().__init__(
            f"no solution after {STEPS_MAX} steps; the last changed a figure by {change:.1e} of the"
            " largest of its kind",
            expected="grades that differ between products, and errors that are small beside them",
            next_step="reconcile masses alone, or leave out the grade with the largest adjustment",
        )


class Layout(NamedTuple):
    """A network as arrays: v nodes, n flows, a analytes.

    The quantities are the masses, then flow by flow the grade per analyte; where a grade was not
    measured, the contained metal stands in its place. The constraints are the nodes' masses, then
    per analyte the nodes' metal.

    Attributes:
        incidence: -1 where a flow enters a node, +1 where it leaves it (v, n).
        masses: Measured masses (n); not a number where there is none.
        grades: Measured grades (n, a); likewise.
        covariance: Of masses and grades together (n + n a, n + n a).
    """

    incidence: Floats
    masses: Floats
    grades: Floats
    covariance: Floats

    @property
    def values(self) -> Floats:
        """All measurements in one row (n + n a)."""
        return np.concatenate([self.masses, self.grades.ravel()])

    def column(self, flow: int, analyte: int | None) -> int:
        """Return where the mass or a grade of a flow stands among the quantities."""
        flows, analytes = self.grades.shape
        return flow if analyte is None else flows + flow * analytes + analyte

    def row(self, node: int, analyte: int | None) -> int:
        """Return where a node's mass or metal balance stands among the constraints."""
        return node if analyte is None else len(self.incidence) * (1 + analyte) + node


class Balanced(NamedTuple):
    """Masses, grades and contained metal that balance.

    Attributes:
        solved: The last linear step, all quantities of the layout in order.
        jacobian: Its constraints (rows, quantities).
        masses: (n); not a number where it is not known.
        masses_u: Standard uncertainties.
        grades: (n, a); likewise.
        grades_u: Standard uncertainties.
        metals: Contained metal, mass times grade (n, a); likewise.
        metals_u: Standard uncertainties.
        steps: Linear steps it took.
    """

    solved: Solved
    jacobian: Floats
    masses: Floats
    masses_u: Floats
    grades: Floats
    grades_u: Floats
    metals: Floats
    metals_u: Floats
    steps: int


def reconcile(layout: Layout) -> Balanced:
    """Return masses and grades that balance at every node.

    Raises:
        Contradiction: Figures without uncertainty do not balance.
        Unsettled: The steps do not converge.
    """
    anchors = _anchors(layout)
    masses, covariance = layout.masses.copy(), layout.covariance.copy()
    masses[anchors.flows] = 1.0
    covariance[anchors.flows, :] = covariance[:, anchors.flows] = 0.0
    solved, steps = _solved(layout._replace(masses=masses, covariance=covariance))
    balanced = _shown(layout, solved, steps)
    unmeasured = np.isnan(layout.values)
    # Relative to the anchor is not known: such masses, and metal that nobody measured.
    known = solved.known & ~(
        unmeasured
        & np.concatenate([anchors.scaleless, np.repeat(anchors.scaleless, layout.grades.shape[1])])
    )
    balanced = balanced._replace(
        solved=solved._replace(
            known=known,
            redundant=solved.redundant & ~unmeasured,
            adjustments=np.where(unmeasured, np.nan, solved.adjustments),
        )
    )
    for figure in (balanced.masses, balanced.masses_u, balanced.metals, balanced.metals_u):
        figure[anchors.scaleless] = np.nan
    return balanced


def jacobian(layout: Layout, values: Floats) -> Floats:
    """Return the derivatives of the constraints at given quantities (rows, quantities)."""
    incidence = layout.incidence
    nodes, flows = incidence.shape
    analytes = layout.grades.shape[1]
    rows = np.zeros((nodes * (1 + analytes), len(values)))
    rows[:nodes, :flows] = incidence
    mass, content = values[:flows], values[flows:].reshape(flows, analytes)
    measured = ~np.isnan(layout.grades)
    for analyte in range(analytes):
        block = slice(nodes * (1 + analyte), nodes * (2 + analyte))
        graded = measured[:, analyte]
        rows[block, :flows] = incidence * np.where(graded, content[:, analyte], 0.0)
        rows[block, flows + analyte :: analytes] = incidence * np.where(graded, mass, 1.0)
    return rows


class _Found(NamedTuple):
    """A solution, and the linear steps it took."""

    solved: Solved
    steps: int


def _solved(layout: Layout) -> _Found:
    """Return the solution: from grades as measured, else from masses that balance.

    With grades as measured, a mass that only they could tell is best taken for zero where they
    contradict each other: its balance is then void. Such a mass is not known, and starting from
    grades that balance shows it.
    """
    masses = _masses(layout)
    found = _attempt(layout, _as_measured(layout, masses))
    if isinstance(found, Refused) or _vanished(layout, found.solved):
        try:
            again = _attempt(layout, _balanced(layout, masses))
        except Contradiction:
            again = found
        found = found if isinstance(again, Refused) else again
    if isinstance(found, Refused):
        raise found
    return found


def _attempt(layout: Layout, values: Floats) -> _Found | Contradiction | Unsettled:
    """Return the solution from a start, or why there is none from there."""
    try:
        return _settled(layout, values)
    except (Contradiction, Unsettled) as error:
        return error


def _vanished(layout: Layout, solved: Solved) -> bool:
    """Tell whether an unmeasured mass has been taken for zero."""
    size = np.abs(solved.values[: len(layout.masses)])
    return bool((size[np.isnan(layout.masses)] < VANISHED * size.max(initial=0.0)).any())


def _settled(layout: Layout, values: Floats) -> _Found:
    """Repeat linear steps until they change nothing; shorten them where they do not get smaller."""
    length, before, change = 1.0, np.inf, np.inf
    for step in range(1, STEPS_MAX + 1):
        solved = _linear(layout, values)
        moved = np.abs(solved.values - values)
        change = _change(moved, solved.values, layout)
        # Far below its u a figure that is hardly determined need not come to rest.
        if change <= SETTLED or (moved <= SETTLED_U * np.sqrt(np.diag(solved.covariance))).all():
            return _Found(solved, step)
        length = min(1.0, 2.0 * length) if change < before else max(0.5 * length, LENGTH_MIN)
        before = change
        values = values + length * (solved.values - values)
    raise Unsettled(change)


def _linear(layout: Layout, values: Floats) -> Solved:
    """Solve with the constraints as they are linear around given quantities."""
    rows = jacobian(layout, values)
    # A product's linear form at (M, c) is c M' + M c' - M c: the derivatives count it twice.
    right = rows @ values - constraints(layout, values)
    return network.reconcile(layout.values, layout.covariance, rows, right, values)


def constraints(layout: Layout, values: Floats) -> Floats:
    """Return by how much given quantities miss the constraints (rows): out minus in."""
    flows, analytes = layout.grades.shape
    mass, content = values[:flows], values[flows:].reshape(flows, analytes)
    metal = np.where(np.isnan(layout.grades), content, content * mass[:, None])
    missed: Floats = np.concatenate([layout.incidence @ mass, (layout.incidence @ metal).T.ravel()])
    return missed


def _masses(layout: Layout) -> Floats:
    """Return masses that balance; what masses alone do not tell is near a middling one."""
    flows = len(layout.masses)
    there = np.abs(layout.masses[~np.isnan(layout.masses)])
    middling = float(np.median(there[there > 0.0])) if (there > 0.0).any() else 1.0
    by_mass = network.reconcile(
        layout.masses,
        layout.covariance[:flows, :flows],
        layout.incidence,
        guess=np.full(flows, middling),
    )
    return by_mass.values


def _as_measured(layout: Layout, masses: Floats) -> Floats:
    """Return quantities with grades as measured and no metal where there are none."""
    return np.concatenate([masses, np.nan_to_num(layout.grades.ravel())])


def _balanced(layout: Layout, masses: Floats) -> Floats:
    """Return quantities with the grades and metal that balance at given masses."""
    flows = len(masses)
    rows = jacobian(layout, np.concatenate([masses, np.zeros(layout.grades.size)]))[:, flows:]
    content = network.reconcile(
        layout.grades.ravel(), layout.covariance[flows:, flows:], rows[len(layout.incidence) :]
    )
    return np.concatenate([masses, content.values])


def _change(moved: Floats, values: Floats, layout: Layout) -> float:
    """Return the largest change, relative to the largest figure of its kind."""
    largest = 0.0
    for kind in _kinds(layout):
        scale = np.abs(values[kind]).max(initial=0.0)
        if scale > 0.0:
            largest = max(largest, float(moved[kind].max() / scale))
    return largest


def _kinds(layout: Layout) -> Iterator[Bools]:
    """Yield which quantities are masses, and per analyte which are grades and which metal."""
    flows, analytes = layout.grades.shape
    place = np.arange(flows * (1 + analytes))
    graded = np.concatenate([np.zeros(flows, np.bool_), ~np.isnan(layout.grades.ravel())])
    yield place < flows
    for analyte in range(analytes):
        of_analyte = (place >= flows) & ((place - flows) % analytes == analyte)
        yield of_analyte & graded
        yield of_analyte & ~graded


class _Anchors(NamedTuple):
    """Flows that set a scale where none was measured, and all flows of such parts."""

    flows: list[int]
    scaleless: Bools


def _anchors(layout: Layout) -> _Anchors:
    scaleless = np.zeros(len(layout.masses), dtype=np.bool_)
    anchors = []
    for part in _parts(layout.incidence):
        if np.isnan(layout.masses[part]).all():
            scaleless[part] = True
            anchors.append(part[0])
    return _Anchors(anchors, scaleless)


def _parts(incidence: Floats) -> Iterator[list[int]]:
    """Yield the flows of each connected part of the network."""
    touching = incidence != 0.0
    left = set(range(incidence.shape[1]))
    while left:
        found, front = set[int](), {min(left)}
        while front:
            found |= front
            nodes = touching[:, sorted(front)].any(axis=1)
            front = set(np.flatnonzero(touching[nodes].any(axis=0)).tolist()) - found
        left -= found
        yield sorted(found)


def _shown(layout: Layout, solved: Solved, steps: int) -> Balanced:
    """Return the solution by flow and analyte; not a number where something is not known."""
    flows, analytes = layout.grades.shape
    u = np.sqrt(np.diag(solved.covariance))
    masses = np.where(solved.known[:flows], solved.values[:flows], np.nan)
    masses_u = np.where(solved.known[:flows], u[:flows], np.nan)
    grades, grades_u, metals, metals_u = np.full((4, flows, analytes), np.nan)
    for at in np.ndindex(flows, analytes):
        place = [at[0], layout.column(*at)]
        block = solved.covariance[np.ix_(place, place)]
        mass, content = solved.values[place]
        of_mass, of_content = solved.known[place]
        if not np.isnan(layout.grades[at]):
            grades[at], grades_u[at] = content, u[place[1]]
            if of_mass:
                metals[at], metals_u[at] = content * mass, _u([content, mass], block)
        elif of_content:
            metals[at], metals_u[at] = content, u[place[1]]
            if of_mass and mass != 0.0:
                grades[at] = content / mass
                grades_u[at] = _u([-content / mass**2, 1.0 / mass], block)
    rows = jacobian(layout, solved.values)
    return Balanced(solved, rows, masses, masses_u, grades, grades_u, metals, metals_u, steps)


def _u(by: list[float], covariance: Floats) -> float:
    """Return the standard uncertainty of what has the derivatives ``by``."""
    return float(np.sqrt(max(np.array(by) @ covariance @ np.array(by), 0.0)))
