"""Networks that balance exactly, and measurements of them: material on ways through nodes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from custody.detect.flowsheet import Flow, Flowsheet
from custody.estimate import Estimate

Ends = tuple[str | None, str | None]
ANALYTES = ("Cu", "Co")


@dataclass(frozen=True)
class Truth:
    """What is so: mass of each flow by its ends, and grades by analyte."""

    nodes: tuple[str, ...]
    masses: Mapping[Ends, float]
    grades: Mapping[Ends, Mapping[str, float]]


@st.composite
def truths(draw: st.DrawFn, *, analytes: int = 0, nodes_max: int = 5) -> Truth:
    """Networks made of ways from outside to outside, each with material of its own.

    Whatever moves along a way is conserved at each of its nodes, and so is what flows that share
    ends carry together.
    """
    nodes = tuple(f"N{n}" for n in range(draw(st.integers(1, nodes_max))))
    ways = [list(nodes)]
    ways += draw(st.lists(st.permutations(nodes).flatmap(_beginnings), max_size=4))
    mass: dict[Ends, float] = defaultdict(float)
    metal: dict[Ends, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for way in ways:
        tonnes = draw(st.floats(1.0, 100.0))
        grades = {name: draw(st.floats(0.1, 30.0)) for name in ANALYTES[:analytes]}
        for ends in zip([None, *way], [*way, None], strict=True):
            mass[ends] += tonnes
            for name, grade in grades.items():
                metal[ends][name] += tonnes * grade
    return Truth(
        nodes,
        dict(mass),
        {e: {name: m / mass[e] for name, m in metal[e].items()} for e in mass},
    )


def _beginnings(way: list[str]) -> st.SearchStrategy[list[str]]:
    return st.integers(1, len(way)).map(lambda length: way[:length])


@st.composite
def measured(
    draw: st.DrawFn, truth: Truth, *, noise: float = 1.0, missing: bool = True
) -> Flowsheet:
    """Measurements of a network: u of 0.1 to 2 %, some with a source in common, some not there.

    Args:
        draw: Hypothesis.
        truth: The network.
        noise: Errors in units of u; 0 gives exact figures with an u.
        missing: Leave out some.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    biases = {source: noise * rng.standard_normal() for source in ("WB-1", "LAB")}

    def figure(value: float, source: str) -> Estimate:
        u = value * draw(st.floats(0.001, 0.02))
        part = u * draw(st.sampled_from([0.0, 0.5, 2.0]))
        error = noise * u * rng.standard_normal() + part * biases[source]
        return Estimate(max(value + error, 0.0), u * u, {source: part} if part else {})

    there = st.sampled_from([True, True, True, False] if missing else [True])
    flows = []
    for number, (ends, mass) in enumerate(truth.masses.items()):
        grades = {
            name: figure(grade, "LAB") for name, grade in truth.grades[ends].items() if draw(there)
        }
        weighed = figure(mass, "WB-1") if draw(there) else None
        flows.append(Flow(f"S{number}", *ends, weighed, grades))
    return Flowsheet(truth.nodes, tuple(flows))


def _figure(value: float, u: float, **parts: float) -> Estimate:
    return Estimate(value, u * u, parts)


TWO_CIRCUITS = Flowsheet(
    # Copper, then cobalt; one bridge weighs both concentrates, nobody weighs tailings.
    ("copper", "cobalt"),
    (
        Flow("ore", None, "copper", _figure(12_000.0, 18.0, BELT=30.0),
             {"Cu": _figure(2.5, 0.03), "Co": _figure(0.30, 0.006)}),
        Flow("copper concentrate", "copper", None, _figure(860.0, 1.2, WB=0.9),
             {"Cu": _figure(29.5, 0.2), "Co": _figure(0.60, 0.02)}),
        Flow("copper tailings", "copper", "cobalt", None,
             {"Cu": _figure(0.4156, 0.01), "Co": _figure(0.2769, 0.006)}),
        Flow("cobalt concentrate", "cobalt", None, _figure(312.0, 0.7, WB=0.3),
             {"Cu": _figure(1.9, 0.04), "Co": _figure(8.6, 0.1)}),
        Flow("tailings", "cobalt", None, None,
             {"Cu": _figure(0.3729, 0.01), "Co": _figure(0.0370, 0.002)}),
    ),
)  # fmt: skip
