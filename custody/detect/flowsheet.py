"""A network of nodes and flows with what was measured of them, and its form as arrays.

A flow leads from one node to another, or from or to the outside. Its mass and grades are estimates
(``custody.estimate``): a value, the variance of its random error and systematic parts by source.
Parts of one source are fully correlated wherever they stand; the parts of ``OTHER`` come from
sources nobody can tell any more, so they count as each figure's own.

Masses of a network share a unit and a basis (dry), grades of an analyte share a unit.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from custody.detect.bilinear import Layout
from custody.detect.network import Floats
from custody.errors import Refused
from custody.estimate import OTHER, Estimate

NODES_MAX = 200
FLOWS_MAX = 500
QUANTITIES_MAX = 1_500
"""Masses and grades of all flows together; the work grows with its third power."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What moves from one node to another.

    Attributes:
        id: Its name.
        start: Node it leaves; None for the outside.
        end: Node it enters; None for the outside.
        mass: What was measured of it; None where nothing was.
        grades: Measured grades by analyte.
    """

    id: str
    start: str | None
    end: str | None
    mass: Estimate | None = None
    grades: Mapping[str, Estimate] = field(default_factory=dict)

    def figures(self) -> Iterator[tuple[str | None, Estimate]]:
        """Yield what was measured: the mass under None, grades under their analytes."""
        if self.mass is not None:
            yield None, self.mass
        yield from self.grades.items()


@dataclass(frozen=True, slots=True)
class Flowsheet:
    """Nodes, at which mass and every analyte are conserved, and the flows between them."""

    nodes: tuple[str, ...]
    flows: tuple[Flow, ...]

    @property
    def analytes(self) -> tuple[str, ...]:
        """Every analyte that was measured somewhere, in alphabetical order."""
        return tuple(sorted({analyte for flow in self.flows for analyte in flow.grades}))


class BadFlowsheet(Refused):
    """A network that cannot be balanced: its nodes and flows do not fit together."""


def check(sheet: Flowsheet) -> None:
    """Refuse a network whose parts do not fit together.

    Raises:
        BadFlowsheet: What is wrong first, with what was expected.
    """
    _check_size(sheet)
    _check_names(sheet)
    for flow in sheet.flows:
        _check_ends(flow, sheet.nodes)
        _check_figures(flow)
    for node in sheet.nodes:
        _check_sides(node, sheet)


def _check_size(sheet: Flowsheet) -> None:
    quantities = len(sheet.flows) * (1 + len(sheet.analytes))
    for what, found, most in (
        ("nodes", len(sheet.nodes), NODES_MAX),
        ("streams", len(sheet.flows), FLOWS_MAX),
        ("masses and grades", quantities, QUANTITIES_MAX),
    ):
        if not 0 < found <= most:
            said = f"{found} {what}"
            raise BadFlowsheet(
                said, expected=f"1 to {most}", next_step="split the network where a mass is known"
            )


def _check_names(sheet: Flowsheet) -> None:
    for what, names in (("node", sheet.nodes), ("stream", [flow.id for flow in sheet.flows])):
        for name, count in Counter(names).items():
            if count > 1:
                said = f"{what} {name}: {count} have this id"
                raise BadFlowsheet(said, expected="one of each id", next_step="rename the others")


def _check_ends(flow: Flow, nodes: tuple[str, ...]) -> None:
    for word, name in (("from", flow.start), ("to", flow.end)):
        if name is not None and name not in nodes:
            said = f"stream {flow.id}: {word} {name} is no node"
            raise BadFlowsheet(
                said,
                expected=f"one of {', '.join(nodes[:20])}, or null for the outside",
                next_step="add it to nodes, or correct the name",
            )
    if flow.start == flow.end:
        where = "the outside" if flow.start is None else f"node {flow.start}"
        said = f"stream {flow.id}: leads from {where} to {where}"
        raise BadFlowsheet(
            said,
            expected="two different ends, one of them a node",
            next_step="leave it out: it is in no balance",
        )


def _check_figures(flow: Flow) -> None:
    for analyte, figure in flow.figures():
        numbers = [figure.value, figure.var, *figure.parts.values()]
        if not all(math.isfinite(number) and number >= 0.0 for number in numbers):
            what = "mass" if analyte is None else analyte
            said = f"stream {flow.id}: {what} or its u is below zero or not a number"
            raise BadFlowsheet(
                said,
                expected="finite numbers, 0 or more",
                next_step="leave out what was not measured",
            )


def _check_sides(node: str, sheet: Flowsheet) -> None:
    into = [flow.id for flow in sheet.flows if flow.end == node]
    out_of = [flow.id for flow in sheet.flows if flow.start == node]
    if into and out_of:
        return
    ids = ", ".join((into or out_of)[:20])
    sides = f"only streams {'into' if into else 'out of'} it ({ids})" if ids else "no stream"
    said = f"node {node}: {sides}"
    raise BadFlowsheet(
        said,
        expected="streams into it and out of it; null is the outside",
        next_step="add the stream that is missing, or leave out the node",
    )


def layout(sheet: Flowsheet) -> Layout:
    """Return a checked network as arrays, in the order of its nodes, flows and analytes."""
    nodes = {node: number for number, node in enumerate(sheet.nodes)}
    incidence = np.zeros((len(nodes), len(sheet.flows)))
    masses = np.full(len(sheet.flows), np.nan)
    grades = np.full((len(sheet.flows), len(sheet.analytes)), np.nan)
    for number, flow in enumerate(sheet.flows):
        if flow.start is not None:
            incidence[nodes[flow.start], number] = 1.0
        if flow.end is not None:
            incidence[nodes[flow.end], number] = -1.0
        if flow.mass is not None:
            masses[number] = flow.mass.value
        for at, analyte in enumerate(sheet.analytes):
            if analyte in flow.grades:
                grades[number, at] = flow.grades[analyte].value
    empty = Layout(incidence, masses, grades, np.zeros((0, 0)))
    return empty._replace(covariance=_covariance(sheet, empty))


def sources(sheet: Flowsheet, arrays: Layout) -> dict[str, Floats]:
    """Return the systematic parts by source, each over all quantities; ``OTHER`` left out."""
    parts: dict[str, Floats] = defaultdict(lambda: np.zeros(arrays.values.size))
    for column, figure in _columns(sheet, arrays):
        for source, u in figure.parts.items():
            if source != OTHER:
                parts[source][column] += u
    return dict(sorted(parts.items()))


def _covariance(sheet: Flowsheet, arrays: Layout) -> Floats:
    own = np.zeros(arrays.values.size)
    for column, figure in _columns(sheet, arrays):
        own[column] = figure.var + figure.parts.get(OTHER, 0.0) ** 2
    covariance = np.diag(own)
    for part in sources(sheet, arrays).values():
        covariance += np.outer(part, part)
    return covariance


def _columns(sheet: Flowsheet, arrays: Layout) -> Iterator[tuple[int, Estimate]]:
    """Yield every measured figure with its place among the quantities."""
    at = {analyte: number for number, analyte in enumerate(sheet.analytes)}
    for number, flow in enumerate(sheet.flows):
        for analyte, figure in flow.figures():
            yield arrays.column(number, None if analyte is None else at[analyte]), figure
