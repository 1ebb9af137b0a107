"""Values with what is not known of them: a random variance and systematic parts by source.

Random errors of different measurements are independent and add in quadrature. A systematic error
has a source, for example a weighbridge: all that it weighed is wrong in the same sense, so parts
of one source add linearly, with their sign, and only then in quadrature with the rest.

A source whose name begins with ``OWN`` is a quantity of the lot itself, such as its moisture: it
is kept apart while a lot's figures are computed from each other, because it may cancel, and
counts as random once they are said.

What is said of an estimate keeps its largest sources by name; the rest goes into ``OTHER``. Nobody
can tell any more what is in there, so it never cancels and counts as if it shared its source with
every named part. Sums and differences of what was said are therefore never better known than those
of the estimates themselves.

Source:
    docs/uncertainty.md
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from custody.records import Part

OWN = "~"
"""First character of a source that is the lot's own and shared with no other lot."""

SOURCES_MAX = 16
"""Systematic sources kept by name; the rest is added linearly into ``OTHER``."""

OTHER = "other"
"""Source that stands for all beyond ``SOURCES_MAX``."""

DRY_SHARE = "/dry_share"
"""End of the name of a source that is the dry share of a process (``process_known``)."""

GRADE = "/grade"
"""End of the name of a source that is the grade of a process in a metal (``process_known``)."""

MATERIAL = (DRY_SHARE, GRADE)
"""Ends of names of sources that are what a process has in it, and no instrument."""

SAME_REL = 1e-5
"""Uncertainties that differ by less are the same: they were rounded where they were handed on."""


class Estimate(NamedTuple):
    """A value, the variance of its random error, and its systematic parts.

    Attributes:
        value: The value, in any unit.
        var: Variance of the random error, unit squared.
        parts: Contribution per systematic source, in the value's unit, signed.
    """

    value: float
    var: float
    parts: Mapping[str, float]


NOTHING = Estimate(0.0, 0.0, {})
"""Exactly zero."""


def sigma(estimate: Estimate) -> float:
    """Return the combined standard uncertainty, in the value's unit.

    ``OTHER`` adds to the root sum of the named parts, not in quadrature: it may hold any of them.
    """
    parts = estimate.parts
    systematic_var = sum([u * u for u in parts.values()])
    if OTHER in parts:
        other = abs(parts[OTHER])
        named_var = sum([u * u for source, u in parts.items() if source != OTHER])
        systematic_var = (math.sqrt(named_var) + other) ** 2
    return math.sqrt(estimate.var + systematic_var)


def add(first: Estimate, second: Estimate, sign: float = 1.0) -> Estimate:
    """Return ``first + sign * second``; parts of the same source add linearly.

    Args:
        first: Any estimate.
        second: An estimate in the same unit, with independent random error.
        sign: 1.0 for the sum, -1.0 for the difference.
    """
    parts = dict(first.parts)
    _join(parts, second.parts, sign)
    return Estimate(first.value + sign * second.value, first.var + second.var, parts)


def total(estimates: Iterable[Estimate]) -> Estimate:
    """Return the sum of estimates with independent random errors."""
    value = var = 0.0
    parts: dict[str, float] = {}
    for estimate in estimates:
        value += estimate.value
        var += estimate.var
        _join(parts, estimate.parts)
    return Estimate(value, var, parts)


def _join(parts: dict[str, float], more: Mapping[str, float], sign: float = 1.0) -> None:
    """Add parts by source; what is in ``OTHER`` is unknown and must not cancel."""
    other = parts.get(OTHER)
    for source, u in more.items():
        parts[source] = parts.get(source, 0.0) + sign * u
    if other is not None and OTHER in more:
        parts[OTHER] = abs(other) + abs(more[OTHER])


def relative(estimate: Estimate) -> Estimate:
    """Return the estimate with variance and parts divided by its value.

    The result is what ``times`` multiplies. A value of zero has no relative uncertainty.
    """
    value = estimate.value
    if value == 0.0:
        return Estimate(0.0, 0.0, {})
    parts = {source: u / value for source, u in estimate.parts.items()}
    return Estimate(value, estimate.var / (value * value), parts)


def times(first: Estimate, second: Estimate) -> Estimate:
    """Return the product of two estimates in relative form, to first order."""
    parts = dict(first.parts)
    _join(parts, second.parts)
    return Estimate(first.value * second.value, first.var + second.var, parts)


def over(first: Estimate, second: Estimate) -> Estimate:
    """Return what is left of an estimate without one that it was worked out from.

    A dry mass is a wet mass times a dry share, a metal a dry mass times a grade: what is not known
    of the first factor is in the product, and taken out of it the other factor's is left. Both are
    said of the same material, so ``OTHER`` of the one is taken to be in ``OTHER`` of the other.

    Args:
        first: The product, in relative form.
        second: One factor, in relative form.

    Returns:
        The other factor in relative form, of value zero where the second has none; parts signed.
    """
    parts: dict[str, float] = {}
    for source in first.parts.keys() | second.parts.keys():
        mine, other = first.parts.get(source, 0.0), second.parts.get(source, 0.0)
        if abs(mine - other) > SAME_REL * abs(mine):
            parts[source] = abs(mine - other) if source == OTHER else mine - other
    var = first.var - second.var
    value = first.value / second.value if second.value else 0.0
    return Estimate(value, var if var > SAME_REL * first.var else 0.0, dict(sorted(parts.items())))


def absolute(estimate: Estimate) -> Estimate:
    """Return an estimate in relative form as an ordinary one."""
    value = estimate.value
    parts = {source: u * value for source, u in estimate.parts.items()}
    return Estimate(value, estimate.var * value * value, parts)


def said(estimate: Estimate, scale: float = 1.0) -> tuple[float, tuple[Part, ...]]:
    """Return what is written of an uncertainty: random part and systematic parts.

    The lot's own sources count as random. The ``SOURCES_MAX`` largest sources keep their names
    and their signs, of equal ones those first in the alphabet: what left over another scale is
    less than nothing of that scale, and adds to what the scale weighs elsewhere.

    Args:
        estimate: What is said.
        scale: Factor on all; the value itself for an estimate in relative form.

    Returns:
        Random standard uncertainty and the parts by source name, all in the value's unit.
    """
    var = estimate.var
    named: list[tuple[str, float]] = []
    rest: list[float] = []
    for source, u in estimate.parts.items():
        if source.startswith(OWN):
            var += u * u
            continue
        part = u * scale
        if source == OTHER:
            rest.append(abs(part))
        elif part:
            named.append((source, part))
    if len(named) > SOURCES_MAX:
        named.sort(key=lambda part: (-abs(part[1]), part[0]))
        rest.extend([abs(u) for _, u in named[SOURCES_MAX:]])
        del named[SOURCES_MAX:]
    if any(rest):
        # An exact sum does not depend on the order in which sources were met.
        named.append((OTHER, math.fsum(rest)))
    named.sort()
    return math.sqrt(var) * abs(scale), tuple([Part(source=source, u=u) for source, u in named])
