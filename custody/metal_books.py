"""How well the metals in the books of a continuous node are known, while events happen to it.

The books hold what layers are made of, known as they are (``custody.layer_known``), and beside that
what scales did to it, times its grade. What left with a moisture or a grade of its own took none of
the layer's errors along: those are gone from the layer, and in the books still.

Source:
    docs/uncertainty.md, "Layers"; docs/adr/0031-*.md
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody.estimate import NOTHING, Estimate, absolute
from custody.layer_known import (
    UNKNOWN_METAL,
    by_source,
    in_book,
    joined,
    metals_in,
    of_node,
    plus,
    together,
)
from custody.process import Estimates
from custody.process_known import beyond, grade_source, share_in, source_of
from custody.process_rows import Layer, StateRow


class Went(NamedTuple):
    """A metal that left, milligrams; ``measured``: by its own grade, and not the layers'."""

    known: Estimate
    measured: bool


def booked(state: StateRow, process_id: str) -> dict[str, Estimate]:
    """Return how well metals in the books are known, milligrams; values are those of layers."""
    metals = metals_in(state.layers)
    known = of_node(joined([in_book(layer).known for layer in state.layers]))
    share = source_of(process_id)
    found: dict[str, Estimate] = {}
    for analyte in sorted(known.metals.keys() | state.metals_u.keys()):
        one = known.metals.get(analyte, UNKNOWN_METAL)
        own = {share: one.share, grade_source(share, analyte): one.grade}
        named = {source: u for source, u in own.items() if u}
        there = Estimate(0.0, one.beside, by_source([one.parts, named]))
        uncertain = plus(state.metals_u.get(analyte, (0.0, {})), there)
        found[analyte] = Estimate(float(metals.get(analyte, 0)), *uncertain)
    return found


def arrive(state: StateRow, known: Estimates, before: Sequence[Layer]) -> None:
    """Let the scale that weighed an input into the books.

    Args:
        state: After its layers were mixed; changed in place.
        known: How well the input is known.
        before: Its layers and the input before that. What is gone of them goes with their mixture
            only as far as their error does; the rest is random.
    """
    weighed = beyond(known.dry, share_in(known))
    for analyte, metal in known.metals.items():
        grade = metal.value / known.dry.value if known.dry.value > 0.0 else 0.0
        _add(state, analyte, _times(weighed, grade))
    stay, were = {id(layer) for layer in state.layers}, {id(layer) for layer in before}
    mixed = _var_of([layer for layer in before if id(layer) not in stay])
    after = _var_of([layer for layer in state.layers if id(layer) not in were])
    for analyte, var in mixed.items():
        _add(state, analyte, Estimate(0.0, max(var - after.get(analyte, 0.0), 0.0), {}))


def _var_of(layers: Sequence[Layer]) -> dict[str, float]:
    """Return what is random of layers in the books of metals, milligrams squared."""
    found: dict[str, float] = {}
    for analyte in sorted({name for layer in layers for name in layer.known.metals}):
        shares, grades, beside = dict[str, float](), dict[str, float](), 0.0
        for known in (layer.known for layer in layers):
            metal = known.metals.get(analyte, UNKNOWN_METAL)
            graded = known.graded or known.cause
            share, grade = metal.share + metal.share_gone, metal.grade + metal.grade_gone
            shares[known.cause] = shares.get(known.cause, 0.0) + share
            grades[graded] = grades.get(graded, 0.0) + grade
            beside += metal.beside
        found[analyte] = math.fsum([beside, *(u * u for u in [*shares.values(), *grades.values()])])
    return found


def leave(
    state: StateRow, process_id: str, taken: Sequence[Layer], went: Mapping[str, Went]
) -> None:
    """Let metals leave the books; what they took not along of the errors of their layers stays.

    Args:
        state: Its layers are those that stay; changed in place.
        process_id: Of the node.
        taken: From which layers, oldest first.
        went: What left by analyte; a metal of the layers that is not in it stays in the books.
    """
    _, there = together(taken, process_id)
    for analyte in sorted(there.keys() | went.keys()):
        drawn, out = absolute(there.get(analyte, NOTHING)), went.get(analyte)
        known = NOTHING if out is None else out.known
        # What is random of the layers went along where the metal went by their grade.
        var = drawn.var + known.var
        if out is not None and not out.measured:
            var = max(known.var - drawn.var, 0.0)
        parts = dict(beyond(drawn, known).parts)
        own: dict[str, float] = {}
        for layer in taken:
            own |= _gone_before(layer, process_id, analyte, own)
        gone = {source: parts.pop(source, 0.0) + u for source, u in own.items()}
        var += _stay(state, process_id, analyte, gone)
        _add(state, analyte, Estimate(0.0, var, parts))


def _gone_before(
    layer: Layer, process_id: str, analyte: str, found: Mapping[str, float]
) -> dict[str, float]:
    """Return by source what was gone of a layer's errors of a metal before it was taken."""
    metal = layer.known.metals.get(analyte, UNKNOWN_METAL)
    share, grade = _sources(layer, process_id, analyte)
    return {
        share: found.get(share, 0.0) + metal.share_gone,
        grade: found.get(grade, 0.0) + metal.grade_gone,
    }


def _stay(state: StateRow, process_id: str, analyte: str, gone: Mapping[str, float]) -> float:
    """Keep with the oldest layer what is gone of its errors; return the variance of the rest."""
    rest = dict(gone)
    if state.layers:
        first = state.layers[0]
        share, grade = _sources(first, process_id, analyte)
        metal = first.known.metals.get(analyte, UNKNOWN_METAL)
        kept = metal._replace(
            share_gone=metal.share_gone + rest.pop(share, 0.0),
            grade_gone=metal.grade_gone + rest.pop(grade, 0.0),
        )
        if kept != metal:
            metals = dict(sorted({**first.known.metals, analyte: kept}.items()))
            state.layers[0] = first._replace(known=first.known._replace(metals=metals))
    return math.fsum(u * u for u in rest.values())


def _sources(layer: Layer, process_id: str, analyte: str) -> tuple[str, str]:
    """Return the names of a layer's errors of its dry share and of a grade."""
    known = layer.known
    graded = source_of(process_id, known.graded or known.cause)
    return source_of(process_id, known.cause), grade_source(graded, analyte)


def survey(state: StateRow, dry: Estimate, *, by_dry_mass: bool) -> None:
    """Let a survey say how much of each metal is in the books, at the layers' grades.

    Args:
        state: Its layers are as surveyed; changed in place.
        dry: What its dry mass is uncertain by beside the layers' dry shares, grams.
        by_dry_mass: It measured a dry mass: how dry the layers are says nothing of that.
    """
    whole = sum(layer.dry for layer in state.layers)
    state.metals_u = {}
    for analyte, value in metals_in(state.layers).items():
        _add(state, analyte, _times(dry, value / whole if whole > 0 else 0.0))
    if by_dry_mass:
        state.layers = [_without_share(layer) for layer in state.layers]


def _without_share(layer: Layer) -> Layer:
    grade = {name: value / layer.dry if layer.dry else 0.0 for name, value in layer.metals.items()}
    metals = {
        analyte: one._replace(share_gone=-grade.get(analyte, 0.0) * layer.known.share)
        for analyte, one in layer.known.metals.items()
    }
    return layer._replace(known=layer.known._replace(metals=metals))


def _add(state: StateRow, analyte: str, more: Estimate) -> None:
    uncertain = plus(state.metals_u.get(analyte, (0.0, {})), more)
    if uncertain[0] or uncertain[1]:
        state.metals_u[analyte] = uncertain


def _times(estimate: Estimate, factor: float) -> Estimate:
    parts = {source: u * factor for source, u in estimate.parts.items()}
    return Estimate(0.0, estimate.var * factor**2, parts)
