"""What may be wrong at a process node whose balance fails, by family, with size and probability.

The node is laid out as a network of one node and reconciled as ``custody reconcile`` does it; each
single fault has its likelihood ratio T there. Of a separation of which not everything was measured
the metals with more out than in are laid out as if nothing went elsewhere: that is their best case.

    loss             a leak, of material like one of the streams, or barren
    undeclared_feed  a gain of material like one of the streams, or like another site's
    waste            barren material put in, or exchanged for a share
    foreign_material another site's material exchanged for a share
    instrument_bias  one mass or grade is wrong, or all that a scale or laboratory said, by a third
                     at most
    node_imbalance   no single one of these explains it

A fault's probability is its weight before times exp(T / 2), over the sum of all: faults of one
family share the family's weight evenly, so it does not matter how many streams there are.

Source:
    docs/detection/process-nodes.md
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from custody.detect import reconciliation
from custody.detect.flowsheet import Flow, Flowsheet, layout, sources
from custody.detect.node_facts import Node, Stream, is_weighed, joined, mean_grade, scaled
from custody.detect.node_tests import Balance, Tested
from custody.detect.reconciliation import Fault, Materials, Reconciliation
from custody.errors import Refused
from custody.estimate import MATERIAL, Estimate, total

LOSS, UNDECLARED = "loss", "undeclared_feed"
WASTE, FOREIGN = "waste", "foreign_material"
INSTRUMENT, IMBALANCE = "instrument_bias", "node_imbalance"

WEIGHTS = {LOSS: 0.35, UNDECLARED: 0.25, INSTRUMENT: 0.15, FOREIGN: 0.15, WASTE: 0.10}
"""How likely each is thought before anything is measured."""

SOURCE_OFF_MAX = 1.0 / 3.0
"""Most that a scale or laboratory may be off by, a share of a figure: whoever works with it sees
more. What all figures share nearly cancels in a balance, and thousands of its u fit any misfit."""

STREAMS_MAX = 8
"""Streams of each side that are laid out by themselves, the heaviest; the rest is one stream."""

P_UNEXPLAINED = 1e-3
"""Where the best fault leaves a rest less likely than this, it is not what happened."""

EXPLAINED = 0.95
"""A fault that takes so much of the misfit is what happened all the same: grades times masses are
linear to first order, and of a fault of fifty sigma the second order is several."""

PLACE = "process"
REST = "everything else"
ALL_OUT = "all together"
ZERO = Estimate(0.0, 0.0, {})
GRAMS = 1e6
"""Grams in the unit that networks are laid out in, a tonne; grades are kilograms in it."""


class Cause(NamedTuple):
    """One thing that may be wrong.

    Attributes:
        family: Its kind.
        fault: As the reconciliation has it; tonnes, kilograms per tonne, or a share.
        ratio: T: what it takes off the misfit.
        probability: Of all single faults.
    """

    family: str
    fault: Fault
    ratio: float
    probability: float


class Explained(NamedTuple):
    """What may be wrong.

    Attributes:
        causes: The most probable first.
        families: Probability by family, the most probable first.
        reconciled: All that the reconciliation says of the node.
        explains: The first cause leaves a rest that chance explains.
    """

    causes: tuple[Cause, ...]
    families: tuple[tuple[str, float], ...]
    reconciled: Reconciliation
    explains: bool


def explained(node: Node, found: Tested, materials: Materials) -> Explained | None:
    """Say what may be wrong; None where the figures cannot be laid out.

    Args:
        node: The process.
        found: What its tests say.
        materials: Grades of other sites' material by analyte, milligrams per gram, by a name that
            no stream has.
    """
    sheet = sheet_of(node, found)
    if sheet is None:
        return None
    try:
        with np.errstate(all="ignore"):
            solved = reconciliation.reconcile(sheet, materials)
    except (Refused, np.linalg.LinAlgError):
        return None
    mass, reach = math.fsum(one.dry.value for one in node.inputs) / GRAMS, _reach(sheet)
    named = [
        (family, fault, test.statistic)
        for test in solved.fault_tests
        for fault in test.faults
        if fault.kind != "source" or abs(fault.size) * reach[fault.at] <= SOURCE_OFF_MAX
        if (family := _family(fault, mass, graded=bool(sheet.analytes))) is not None
    ]
    if not named:
        return None
    causes = _ranked(named)
    best = causes[0]
    left = next(t.p_left for t in solved.fault_tests if best.fault in t.faults)
    families: dict[str, float] = {}
    for cause in causes:
        families[cause.family] = families.get(cause.family, 0.0) + cause.probability
    ranked = sorted(families.items(), key=lambda one: (one[0] != best.family, -one[1], one[0]))
    explains = left is None or left >= P_UNEXPLAINED or best.ratio >= EXPLAINED * solved.statistic
    return Explained(causes, tuple((f, min(p, 1.0)) for f, p in ranked), solved, explains)


def _reach(sheet: Flowsheet) -> dict[str, float]:
    """Return by source the most that one of its u is of a figure, a share."""
    arrays = layout(sheet)
    values = np.abs(arrays.values)
    return {
        source: float(
            np.divide(np.abs(part), values, out=np.zeros_like(part), where=values > 0.0).max()
        )
        for source, part in sources(sheet, arrays).items()
    }


def _ranked(named: Sequence[tuple[str, Fault, float]]) -> tuple[Cause, ...]:
    count = Counter(family for family, _, _ in named)
    top = max(ratio for _, _, ratio in named)
    weights = [WEIGHTS[f] / count[f] * math.exp((ratio - top) / 2.0) for f, _, ratio in named]
    whole = math.fsum(weights)
    causes = [
        Cause(family, fault, ratio, weight / whole)
        for (family, fault, ratio), weight in zip(named, weights, strict=True)
    ]
    # Two faults that nothing tells apart are in order of their names, not of arrival.
    return tuple(sorted(causes, key=lambda c: (-round(c.probability, 9), _order(c.fault))))


def _order(fault: Fault) -> tuple[str, str, str, str]:
    return fault.kind, fault.at, fault.analyte or "", fault.like or ""


def _family(fault: Fault, mass: float, *, graded: bool) -> str | None:
    """Return the family of a fault; None where its size cannot be."""
    if not (math.isfinite(fault.size) and math.isfinite(fault.u)):
        return None
    if fault.kind in ("bias", "source"):
        # What was joined, was not declared or is the material itself has no instrument.
        nothing = fault.at.endswith((REST, UNDECLARED_FLOW, *MATERIAL))
        return None if nothing else INSTRUMENT
    if fault.kind == "exchange":
        if not 0.0 < fault.size <= 1.0:
            return None
        return WASTE if fault.like is None else FOREIGN
    if fault.size > 0.0:
        return LOSS if fault.size <= mass else None
    return WASTE if fault.like is None and graded else UNDECLARED


UNDECLARED_FLOW = "not declared"


def sheet_of(node: Node, found: Tested) -> Flowsheet | None:
    """Return the network of one node that shows what is wrong; None where there is none."""
    used = [one for one in found.balances if one.whole or one.z > 0.0]
    analytes = [one.analyte for one in used if one.analyte is not None]
    weighs = any(one.analyte is None for one in used)
    if not used:
        return None
    inputs = _few([_only(one, analytes) for one in node.inputs])
    outputs = _leaving(node, analytes)
    flows = [_flow(name, one, None, PLACE) for name, one in _named("input", inputs)]
    flows += [_flow(name, one, PLACE, None) for name, one in _named("output", outputs)]
    if not weighs:
        # Reagents, gas, what nobody declared: any mass, and none of the metals.
        flows.append(Flow(UNDECLARED_FLOW, PLACE, None, None, dict.fromkeys(analytes, ZERO)))
    return Flowsheet((PLACE,), tuple(flows))


def _only(one: Stream, analytes: Sequence[str]) -> Stream:
    return one._replace(grades={a: one.grades[a] for a in analytes if a in one.grades})


def _leaving(node: Node, analytes: Sequence[str]) -> list[Stream]:
    there = [_only(one, analytes) for one in node.leaving if is_weighed(one.dry)]
    if node.separating:
        filled = [
            one._replace(grades={**dict.fromkeys(analytes, ZERO), **one.grades}) for one in there
        ]
        return _few(filled)
    if all(len(one.grades) == len(analytes) for one in there):
        return _few(there)
    grades = {
        a: mean_grade([(one, one.grades[a]) for one in there if a in one.grades]) for a in analytes
    }
    return [Stream(ALL_OUT, "", total(one.dry for one in there), grades)]


def _few(streams: Sequence[Stream]) -> list[Stream]:
    """Return the heaviest streams, and the others as one."""
    ranked = sorted(streams, key=lambda one: (-one.dry.value, one.name, one.event_id))
    if len(ranked) <= STREAMS_MAX:
        return ranked
    return [*ranked[: STREAMS_MAX - 1], joined(REST, ranked[STREAMS_MAX - 1 :])]


def _named(side: str, streams: Sequence[Stream]) -> list[tuple[str, Stream]]:
    """Name streams apart: a lot may have been fed in several parts."""
    count: Counter[str] = Counter()
    found: list[tuple[str, Stream]] = []
    for one in streams:
        count[one.name] += 1
        number = f" ({count[one.name]})" if count[one.name] > 1 else ""
        found.append((f"{side} {one.name}{number}", one))
    return found


def _flow(name: str, one: Stream, start: str | None, end: str | None) -> Flow:
    return Flow(name, start, end, scaled(one.dry, 1.0 / GRAMS), dict(one.grades))


def relative(
    cause: Cause, node: Node, worst: Balance, solved: Reconciliation
) -> tuple[float, float]:
    """Return the size of a cause as a fraction, below zero for what is lost, and its u.

    Args:
        cause: The cause.
        node: The process.
        worst: The balance that is off most; what it misses is the size where a mass says nothing.
        solved: For the figure that is biased.
    """
    fault = cause.fault
    if fault.kind == "exchange":
        return fault.size, fault.u
    if fault.kind == "bias":
        for one in solved.quantities:
            if (one.flow, one.analyte) == (fault.at, fault.analyte) and one.measured:
                value = one.measured[0]
                return fault.size / value, fault.u / value
    mass = math.fsum(one.dry.value for one in node.inputs) / GRAMS
    if fault.kind == "leak" and node.conserves_mass:
        return -fault.size / mass, fault.u / mass
    return (worst.out_of - worst.into) / worst.into, worst.u / worst.into
