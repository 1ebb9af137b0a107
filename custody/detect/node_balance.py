"""Balances of single nodes, as a plant does them: what came in against what went out.

Nodes with a flow between them that was not measured are taken together; where such a flow leads to
the outside there is no balance. u is that of the difference at the measured figures, to first
order, so the whole line can be checked with a pocket calculator.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from custody.detect.bilinear import Layout
from custody.detect.network import Bools, Floats


class NodeBalance(NamedTuple):
    """One balance.

    Attributes:
        nodes: Numbers of the nodes that are taken together.
        analyte: Number of the analyte; None for mass.
        into: What came in, mass or contained metal.
        out_of: What went out.
        u: Standard uncertainty of out minus in.
    """

    nodes: tuple[int, ...]
    analyte: int | None
    into: float
    out_of: float
    u: float

    @property
    def z(self) -> float | None:
        """Out minus in, over its u; None where all figures are exact."""
        return (self.out_of - self.into) / self.u if self.u > 0.0 else None


def balances(layout: Layout) -> list[NodeBalance]:
    """Return the balance of every node or group of nodes, of mass and of each analyte.

    The last ones of each are those of whole parts of the network, where there is more than a group.
    """
    analytes = layout.grades.shape[1]
    return [
        _balance(layout, nodes, analyte)
        for analyte in (None, *range(analytes))
        for nodes in _groups(layout, _measured(layout, analyte))
    ]


def _measured(layout: Layout, analyte: int | None) -> Bools:
    """Return of which flows mass or contained metal was measured."""
    there: Bools = ~np.isnan(layout.masses)
    return there if analyte is None else there & ~np.isnan(layout.grades[:, analyte])


def _groups(layout: Layout, measured: Bools) -> Iterator[tuple[int, ...]]:
    """Yield nodes that have a balance together: groups, then parts of more than one group."""
    touching = layout.incidence != 0.0
    outside = np.abs(layout.incidence.sum(axis=0)) > 0.0
    groups = list(_joined(touching[:, ~measured]))
    closed = [g for g in groups if not touching[np.ix_(g, ~measured & outside)].any()]
    yield from (g for g in closed if layout.incidence[list(g)].sum(axis=0).any())
    for part in _joined(touching):
        whole = touching[np.ix_(part, ~measured & outside)].any()
        if part not in groups and not whole and layout.incidence[list(part)].sum(axis=0).any():
            yield part


def _joined(touching: Bools) -> Iterator[tuple[int, ...]]:
    """Yield groups of nodes that flows join (nodes, flows), each in order."""
    left = set(range(len(touching)))
    while left:
        found, front = set[int](), {min(left)}
        while front:
            found |= front
            flows = touching[sorted(front)].any(axis=0)
            front = set(np.flatnonzero(touching[:, flows].any(axis=1)).tolist()) - found
        left -= found
        yield tuple(sorted(found))


def _balance(layout: Layout, nodes: tuple[int, ...], analyte: int | None) -> NodeBalance:
    crossing = layout.incidence[list(nodes)].sum(axis=0)
    by: Floats = np.zeros(layout.values.size)
    into = out_of = 0.0
    for flow in np.flatnonzero(crossing).tolist():
        sign, mass = crossing[flow], float(layout.masses[flow])
        grade = 1.0 if analyte is None else float(layout.grades[flow, analyte])
        by[flow] = sign * grade
        if analyte is not None:
            by[layout.column(flow, analyte)] = sign * mass
        if sign < 0.0:
            into += mass * grade
        else:
            out_of += mass * grade
    return NodeBalance(
        nodes, analyte, into, out_of, math.sqrt(max(float(by @ layout.covariance @ by), 0.0))
    )
