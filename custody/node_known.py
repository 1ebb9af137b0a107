"""How well what lies in a continuous node is known, while events happen to it.

What the books hold gets worse with every scale, in and out; what the layers are made of does not.
So the grades and the dry share of what lies there are known as well as those of what came, and
shrink with what is drawn.

Source:
    docs/ledger.md, "Continuous nodes"; docs/uncertainty.md, "The dry share of a process"
"""

import math
from collections.abc import Mapping

from custody.estimate import NOTHING, OTHER, SOURCES_MAX, Estimate, absolute, over, relative, times
from custody.process import Estimates
from custody.process_known import Leaving, errors_of, graded, named, relative_share, share_in, under
from custody.process_rows import StateRow

Uncertain = tuple[float, dict[str, float]]
"""Variance and systematic parts."""


def arrive(state: StateRow, known: Estimates, source: str) -> None:
    """Let an input arrive.

    Args:
        state: Changed in place.
        known: How well the input is known.
        source: Name of the node's dry share.
    """
    state.wet_u = plus(state.wet_u, known.wet)
    state.dry_u = plus(state.dry_u, known.dry)
    came = share_in(known)
    state.share_u = plus(state.share_u, came)
    for analyte, estimate in known.metals.items():
        state.metals_u[analyte] = plus(state.metals_u.get(analyte, (0.0, {})), estimate)
    metals = {analyte: Estimate(0.0, *some) for analyte, some in state.metals_u.items()}
    there = Estimates(NOTHING, Estimate(0.0, *state.dry_u), metals)
    share, there = named(Estimate(0.0, *state.share_u), there, [errors_of(known, came)], source)
    there = graded(there, [known], source)
    state.share_u, state.dry_u = _uncertain(share), _uncertain(there.dry)
    state.metals_u = {analyte: _uncertain(some) for analyte, some in there.metals.items()}


def leave(state: StateRow, known: Estimates) -> None:
    """Let something leave: the books are known by what is left in them."""
    state.wet_u = plus(state.wet_u, known.wet, -1.0)
    state.dry_u = plus(state.dry_u, known.dry, -1.0)


def share_of(state: StateRow, wet: int, dry: int) -> Estimate:
    """Return the dry share of what lies there, in relative form.

    Args:
        state: What lies there.
        wet: Grams in the layers.
        dry: Likewise.
    """
    if wet <= 0:
        return NOTHING
    return relative_share(Estimate(0.0, *state.share_u), dry)


def shrink(state: StateRow, dry: float, metals: Mapping[str, float]) -> None:
    """Let what the layers are known by shrink with what is drawn from them.

    Args:
        state: Changed in place.
        dry: Factor on the dry mass.
        metals: Factors on metals; one that is not there keeps what is known of it.
    """
    state.share_u = scaled(state.share_u, dry)
    for analyte, factor in metals.items():
        if analyte in state.metals_u:
            state.metals_u[analyte] = scaled(state.metals_u[analyte], factor)


def survey(state: StateRow, known: Estimates) -> None:
    """Let a survey say how much is in the books."""
    state.wet_u, state.dry_u = _uncertain(known.wet), _uncertain(known.dry)


def resurvey(
    state: StateRow, found: Leaving, there: Mapping[str, int], before: Estimate, source: str
) -> None:
    """Let a survey that states what the material is say so of all layers.

    Args:
        state: Its books and layers are as surveyed; changed in place.
        found: The survey.
        there: Metals in the layers now, milligrams.
        before: Dry share that the layers had, in relative form.
        source: Name of the node's dry share.
    """
    share = over(found.own, relative(found.wet))
    u = math.sqrt(share.var)
    share = Estimate(share.value, 0.0, {**share.parts, source: u} if u else share.parts)
    state.share_u = _uncertain(absolute(share._replace(value=found.dry)))
    state.dry_u = _uncertain(under(Estimate(0.0, *state.dry_u), source, u * found.dry))
    for analyte, known in state.metals_u.items():
        metal = relative(Estimate(float(there.get(analyte, 0)), *known))
        grade = over(metal, before)
        stated = absolute(times(grade, share)._replace(value=metal.value))
        state.metals_u[analyte] = _uncertain(stated)


def _uncertain(estimate: Estimate) -> Uncertain:
    return estimate.var, dict(estimate.parts)


def plus(uncertain: Uncertain, estimate: Estimate, sign: float = 1.0) -> Uncertain:
    """Return an uncertainty with that of one more measurement; few sources keep their names."""
    parts = dict(uncertain[1])
    for source, u in estimate.parts.items():
        parts[source] = parts.get(source, 0.0) + sign * u
    if len(parts) > 2 * SOURCES_MAX:
        ranked = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
        parts = dict(ranked[:SOURCES_MAX])
        rest = sum(abs(u) for _, u in ranked[SOURCES_MAX:])
        parts[OTHER] = parts.get(OTHER, 0.0) + rest
    return uncertain[0] + estimate.var, parts


def scaled(uncertain: Uncertain, factor: float) -> Uncertain:
    """Return the uncertainty of so much of something."""
    return uncertain[0] * factor * factor, {s: u * factor for s, u in uncertain[1].items()}
