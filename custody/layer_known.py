"""How well the material of a node's layers is known: their dry share and their grades.

Each layer has errors of its own, one of its dry share and one of each grade. Layers that are mixed
have the errors that theirs are together; outputs of one layer share its errors, those of different
layers do not. Scales are not in it: what is drawn was not weighed when it came.

Source:
    docs/uncertainty.md, "The dry share of a process"; docs/adr/0030-*.md
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from custody.carried import size_of
from custody.estimate import OTHER, SOURCES_MAX, Estimate, absolute, relative
from custody.process import Estimates
from custody.process_known import (
    beyond,
    errors_of,
    grade_error,
    grade_source,
    share_in,
    source_of,
)
from custody.process_rows import EXACT, Layer, Material, MetalKnown

Uncertain = tuple[float, dict[str, float]]
"""Variance and systematic parts."""

UNKNOWN_METAL = MetalKnown(0.0, 0.0, 0.0, {})
"""Of a metal that a layer has none of."""

FLOATS_BYTES = 50
"""Of five figures in a row, beside their key."""


def arrived(known: Estimates, cause: str) -> Material:
    """Return how well the material of an input is known.

    Args:
        known: How well the input is known.
        cause: The input.
    """
    share = share_in(known)
    by_share, metals = errors_of(known, share).metals, dict[str, MetalKnown]()
    weighed = relative(beyond(known.dry, share))
    for analyte, metal in known.metals.items():
        mine, grade = by_share.get(analyte, 0.0), grade_error(metal, known.dry)
        there = beyond(metal, absolute(weighed._replace(value=metal.value)))
        beside = max(there.var - mine**2 - grade**2, 0.0)
        metals[analyte] = MetalKnown(mine, grade, beside, dict(there.parts))
    return Material(cause, math.sqrt(share.var), 0.0, dict(share.parts), metals)


def joined(some: Sequence[Material]) -> Material:
    """Return how well a mixture is known; it is named by the first. No variance is added.

    What errors of dry shares do to a metal goes with the one that they are together only as far
    as it does so in each; the rest is beside.
    """
    if len(some) == 1:
        return some[0]
    shares = _by_cause((one.cause, one.share) for one in some)
    share = math.hypot(*shares.values())
    weights = {cause: u / share if share else 0.0 for cause, u in shares.items()}
    metals: dict[str, MetalKnown] = {}
    for analyte in sorted({name for one in some for name in one.metals}):
        every = [one.metals.get(analyte, UNKNOWN_METAL) for one in some]
        by_cause = _by_cause((one.cause, u.share) for one, u in zip(some, every, strict=True))
        mine = math.fsum(weights[cause] * u for cause, u in by_cause.items())
        var = math.fsum([*(one.beside for one in every), *(u * u for u in by_cause.values())])
        grade = math.hypot(*[one.grade for one in every])
        parts = summed(one.parts for one in every)
        share_gone = math.fsum(
            weights[one.cause] * u.share_gone for one, u in zip(some, every, strict=True)
        )
        grade_gone = math.fsum(one.grade * one.grade_gone for one in every) / (grade or 1.0)
        var = max(var - mine**2, 0.0)
        metals[analyte] = MetalKnown(mine, grade, var, parts, share_gone, grade_gone)
    gone = math.fsum(weights[one.cause] * one.gone for one in some)
    first = some[0] if some else EXACT
    parts = summed(one.parts for one in some)
    return Material(first.cause, share, gone, parts, metals, first.graded)


def in_books(layers: Iterable[Layer]) -> float:
    """Return what the random errors of dry shares of layers do to the books, grams."""
    errors = _by_cause((one.known.cause, one.known.share + one.known.gone) for one in layers)
    # One error has a sign: more may be gone from the books than from the layers.
    return sum(errors.values()) if len(errors) < 2 else math.hypot(*errors.values())


def in_book(layer: Layer) -> Layer:
    """Return a layer with the errors that are gone from it, as the books have it."""
    known = layer.known
    metals = {
        analyte: one._replace(
            share=one.share + one.share_gone,
            grade=one.grade + one.grade_gone,
            share_gone=0.0,
            grade_gone=0.0,
        )
        for analyte, one in known.metals.items()
    }
    share = known.share + known.gone
    return layer._replace(known=known._replace(share=share, gone=0.0, metals=metals))


def _by_cause(errors: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return errors added up by what they come from: a cause, a source."""
    found: dict[str, float] = {}
    for cause, u in errors:
        found[cause] = found.get(cause, 0.0) + u
    return found


def of_node(known: Material) -> Material:
    """Return a material whose errors are named by the node alone."""
    return known._replace(cause="", graded="")


def scaled(known: Material, factor: float) -> Material:
    """Return how well so much of a material is known; what is gone of it is not."""
    return Material(
        known.cause,
        known.share * factor,
        0.0,
        _times(known.parts, factor),
        {
            analyte: MetalKnown(
                one.share * factor,
                one.grade * factor,
                one.beside * factor**2,
                _times(one.parts, factor),
            )
            for analyte, one in known.metals.items()
        },
        known.graded,
    )


def left(known: Material, factor: float) -> Material:
    """Return how well so much of a material is known of which the rest has left."""
    stays = scaled(known, factor)
    metals = {
        analyte: one._replace(
            share_gone=known.metals[analyte].share_gone, grade_gone=known.metals[analyte].grade_gone
        )
        for analyte, one in stays.metals.items()
    }
    return stays._replace(gone=known.gone, metals=metals)


def surveyed(layer: Layer, share: Estimate, cause: str) -> Layer:
    """Return a layer whose dry share was measured with that of all others.

    That is one error of them all. Nobody measured a grade: each layer keeps its own errors of them.

    Args:
        layer: As surveyed.
        share: The measured dry share, in relative form.
        cause: The survey; empty for the node alone.
    """
    before, u, metals = layer.known, math.sqrt(share.var), dict[str, MetalKnown]()
    for analyte, one in before.metals.items():
        value = layer.metals.get(analyte, 0)
        gone = _times(before.parts, -value / layer.dry if layer.dry else 0.0)
        parts = summed([one.parts, gone, _times(share.parts, value)])
        metals[analyte] = one._replace(share=u * value, parts=parts)
    parts = _times(share.parts, layer.dry)
    graded = before.graded or before.cause
    return layer._replace(known=Material(cause, u * layer.dry, 0.0, parts, metals, graded))


def metals_in(layers: Iterable[Layer]) -> dict[str, int]:
    """Return the metals of layers together, milligrams."""
    metals: dict[str, int] = {}
    for layer in layers:
        for name, value in layer.metals.items():
            metals[name] = metals.get(name, 0) + value
    return metals


def bytes_of(known: Material) -> int:
    """Return how many bytes this takes in a row, rather too many."""
    metals = sum(
        FLOATS_BYTES + len(name.encode()) + size_of(one.parts) for name, one in known.metals.items()
    )
    names = len(known.cause.encode()) + len(known.graded.encode())
    return FLOATS_BYTES + names + size_of(known.parts) + metals


def together(layers: Sequence[Layer], process_id: str) -> tuple[Estimate, dict[str, Estimate]]:
    """Return how well the dry share and the metals of layers are known, in relative form.

    Args:
        layers: What lies somewhere, or was drawn.
        process_id: Of the node: errors are named by it and by their causes.
    """
    dry = math.fsum(layer.dry for layer in layers)
    by_share: list[tuple[str, float]] = []
    var: dict[str, float] = {}
    by_metal: dict[str, list[tuple[str, float]]] = {}
    for layer in layers:
        known, source = layer.known, source_of(process_id, layer.known.cause)
        graded = source_of(process_id, known.graded or known.cause)
        by_share += [*known.parts.items(), (source, known.share)]
        for analyte, one in known.metals.items():
            own = (source, one.share), (grade_source(graded, analyte), one.grade)
            by_metal.setdefault(analyte, []).extend([*one.parts.items(), *own])
            var[analyte] = var.get(analyte, 0.0) + one.beside
    metals = {
        analyte: relative(
            Estimate(
                math.fsum(layer.metals.get(analyte, 0) for layer in layers),
                var[analyte],
                _summed(parts),
            )
        )
        for analyte, parts in by_metal.items()
    }
    return relative(Estimate(dry, 0.0, _summed(by_share))), metals


def summed(every: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return systematic parts added up by source; few sources keep their names."""
    return _kept(by_source(every))


def plus(uncertain: Uncertain, estimate: Estimate, sign: float = 1.0) -> Uncertain:
    """Return an uncertainty with that of one more measurement; few sources keep their names."""
    more = {source: sign * u for source, u in estimate.parts.items()}
    return uncertain[0] + estimate.var, summed([uncertain[1], more])


def by_source(every: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return systematic parts added up by source, all of them."""
    return _summed(part for parts in every for part in parts.items())


def _summed(parts: Iterable[tuple[str, float]]) -> dict[str, float]:
    return _by_cause(part for part in parts if part[1])


def _kept(parts: dict[str, float]) -> dict[str, float]:
    """Return the largest parts; the rest is added linearly, and never cancels."""
    if len(parts) <= 2 * SOURCES_MAX:
        return parts
    ranked = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    kept = dict(ranked[:SOURCES_MAX])
    rest = sum(abs(u) for _, u in ranked[SOURCES_MAX:])
    kept[OTHER] = kept.get(OTHER, 0.0) + rest
    return kept


def _times(parts: Mapping[str, float], factor: float) -> dict[str, float]:
    return {source: u * factor for source, u in parts.items()}
