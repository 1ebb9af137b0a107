"""How well what is in a process is known, and what leaves it.

An output without a moisture or a dry mass of its own gets dry = wet x s, with s the dry share of
what is in the process. The error of s is one for all that was reckoned with it, so it is a source
of the process (``source_of``), carried by its dry mass, its metals and every such output: it
cancels in what is left, and two outputs in one heap do not average it out. A side that states its
moisture or dry mass has only the error of that. So is the grade of each metal of what is in the
process (``grade_source``): every output has it.

Source:
    docs/uncertainty.md, "The dry share of a process"; docs/adr/0028-*.md, 0029-*.md
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from custody.estimate import (
    DRY_SHARE,
    GRADE,
    NOTHING,
    OWN,
    SAME_REL,
    Estimate,
    absolute,
    add,
    over,
    relative,
    times,
    total,
)
from custody.held import Held
from custody.metrology import dryness, shared
from custody.process import Estimates, Standing, held_estimates, mass_u
from custody.reference import References
from custody.rows import Side


def source_of(process_id: str, cause: str = "") -> str:
    """Return the source that the dry share of a process is, or of a layer of it by its cause."""
    return shared(f"{process_id}/{cause}{DRY_SHARE}" if cause else process_id + DRY_SHARE)


def grade_source(source: str, analyte: str) -> str:
    """Return the source that the grade of a process in a metal is, by that of its dry share."""
    return f"{source.removesuffix(DRY_SHARE)}/{analyte}{GRADE}"


class Errors(NamedTuple):
    """What one error of a dry share does, at one sigma.

    Attributes:
        share: To the dry mass that it is the share of, grams.
        dry: To the dry mass in the books, grams: what left otherwise may be gone from ``share``.
        metals: To metals that were reckoned from that dry mass, milligrams.
    """

    share: float
    dry: float
    metals: Mapping[str, float]


class Whole(NamedTuple):
    """Everything that went in: grams, milligrams, and how well they are known.

    ``share`` is the dry share in relative form.
    """

    wet: int
    dry: int
    metals: dict[str, int]
    known: Estimates
    share: Estimate


class Leaving(NamedTuple):
    """The mass of a side and how well it is known without the dry share of the process.

    Attributes:
        wet: Grams.
        dry: Its value alone, grams.
        own: What the dry mass has of its own, in relative form.
        derived: It is the wet mass times the dry share of the process.
    """

    wet: Estimate
    dry: float
    own: Estimate
    derived: bool


def whole_of(given: Mapping[str, Held], source: str) -> Whole:
    """Return the sum of what was handed in.

    Args:
        given: By cause.
        source: Name of the dry share.
    """
    metals: dict[str, int] = {}
    parts: dict[str, list[Estimate]] = {}
    masses = [held_estimates(held) for held in given.values()]
    for held, one in zip(given.values(), masses, strict=True):
        for analyte, estimate in one.metals.items():
            metals[analyte] = metals.get(analyte, 0) + held.metals[analyte][0]
            parts.setdefault(analyte, []).append(estimate)
    sums = Estimates(
        total(one.wet for one in masses),
        total(one.dry for one in masses),
        {analyte: total(some) for analyte, some in parts.items()},
    )
    shares = [share_in(one) for one in masses]
    errors = [errors_of(one, share) for one, share in zip(masses, shares, strict=True)]
    share, known = named(total(shares), sums, errors, source)
    known = graded(known, masses, source)
    wet, dry = sum(held.wet for held in given.values()), sum(held.dry for held in given.values())
    return Whole(wet, dry, metals, known, relative_share(share, dry))


def share_in(known: Estimates) -> Estimate:
    """Return what an amount of material is uncertain by because of its dry share, grams."""
    if known.wet.value <= 0.0 or known.dry.value <= 0.0:
        return NOTHING
    share = over(relative(known.dry), relative(known.wet))
    return absolute(share._replace(value=known.dry.value))


def beyond(estimate: Estimate, part: Estimate) -> Estimate:
    """Return what an estimate is uncertain by beside a part of it, whose u may be random in it.

    Args:
        estimate: Any.
        part: In the same unit.
    """
    parts: dict[str, float] = {}
    for source in sorted(estimate.parts.keys() | part.parts.keys()):
        mine, other = estimate.parts.get(source, 0.0), part.parts.get(source, 0.0)
        if abs(mine - other) > SAME_REL * abs(mine):
            parts[source] = mine - other
    return Estimate(estimate.value, max(estimate.var - part.var, 0.0), parts)


def relative_share(share: Estimate, dry: float) -> Estimate:
    """Return the dry share of a dry mass in grams in relative form."""
    return relative(share._replace(value=float(dry))) if dry > 0 else NOTHING


def errors_of(known: Estimates, share: Estimate) -> Errors:
    """Return what the random error of the dry share of an amount of material does.

    A metal is taken to be known no better than the dry mass it is in: no content says otherwise.

    Args:
        known: How well the amount is known.
        share: What of it is the dry share's (``share_in``), grams.
    """
    u = math.sqrt(share.var)
    if not u:
        return Errors(0.0, 0.0, {})
    var = (u / known.dry.value) ** 2
    metals = {
        analyte: metal.value * math.sqrt(min(var, relative(metal).var))
        for analyte, metal in known.metals.items()
    }
    return Errors(u, u, metals)


def named(
    share: Estimate, known: Estimates, errors: Iterable[Errors], source: str
) -> tuple[Estimate, Estimates]:
    """Return a dry share and what was reckoned with it, its random error under its name.

    Of several errors the share has the one that they are together; what they are beside it stays
    random. No variance is added.

    Args:
        share: What the dry share does to the dry mass it is of, grams.
        known: Dry mass and metals; they may have some of the source already.
        errors: Independent errors of the share that are in the variances of both.
        source: Its name.
    """
    metals = {analyte: one.parts.get(source, 0.0) for analyte, one in known.metals.items()}
    before = Errors(share.parts.get(source, 0.0), known.dry.parts.get(source, 0.0), metals)
    every = [before, *[one for one in errors if one.share]]
    whole = math.sqrt(math.fsum(one.share**2 for one in every))
    if not whole:
        return share, known
    weights = [one.share / whole for one in every]

    def along(does: Sequence[float]) -> float:
        return math.fsum(weight * one for weight, one in zip(weights, does, strict=True))

    dry = under(known.dry, source, along([one.dry for one in every]))
    found = {
        analyte: under(metal, source, along([one.metals.get(analyte, 0.0) for one in every]))
        for analyte, metal in known.metals.items()
    }
    share = Estimate(share.value, 0.0, {**share.parts, source: whole})
    return share, Estimates(known.wet, dry, found)


def graded(known: Estimates, came: Iterable[Estimates], source: str) -> Estimates:
    """Return what is in a process, the random error of its grades under their names.

    Of several grades the process has the one that they are together. What the scales that weighed
    them in do to a metal stays random: no output was weighed there. No variance is added.

    Args:
        known: What is in the process; it may have some of the sources already.
        came: What came in independently and is in its variances.
        source: Name of the dry share of the process.
    """
    errors: dict[str, list[float]] = {}
    for one in came:
        for analyte, metal in one.metals.items():
            errors.setdefault(analyte, []).append(grade_error(metal, one.dry))
    metals = dict(known.metals)
    for analyte, some in errors.items():
        name = grade_source(source, analyte)
        before = metals[analyte].parts.get(name, 0.0)
        metals[analyte] = under(metals[analyte], name, math.hypot(before, *some))
    return known._replace(metals=metals)


def grade_error(metal: Estimate, dry: Estimate) -> float:
    """Return what the random error of a grade does to a metal, milligrams.

    Args:
        metal: Milligrams.
        dry: Dry mass that holds it, grams.
    """
    return metal.value * math.sqrt(over(relative(metal), relative(dry)).var)


def under(estimate: Estimate, source: str, part: float) -> Estimate:
    """Return an estimate with so much of its variance under a name, instead of what was there."""
    before = estimate.parts.get(source, 0.0)
    if part == before:
        return estimate
    var = max(estimate.var + before**2 - part**2, 0.0)
    return Estimate(estimate.value, var, {**estimate.parts, source: part})


def in_whole(held: Held, whole: Whole, source: str) -> Held:
    """Return what was handed in with its part of the dry share of the process under that name.

    Args:
        held: One input.
        whole: All of them.
        source: Name of the dry share.
    """
    known = held_estimates(held)
    errors, u = errors_of(known, share_in(known)), whole.share.parts.get(source, 0.0) * whole.dry
    if not errors.share or not u:
        return held
    part = errors.share / u
    dry = under(known.dry, source, held.dry_parts.get(source, 0.0) + errors.dry * part)
    metals: dict[str, tuple[int, float, dict[str, float]]] = {}
    for analyte, (value, _, parts) in held.metals.items():
        does = parts.get(source, 0.0) + errors.metals[analyte] * part
        metal = under(known.metals[analyte], source, does)
        metals[analyte] = (value, math.sqrt(metal.var), dict(metal.parts))
    return held._replace(dry_u=math.sqrt(dry.var), dry_parts=dict(dry.parts), metals=metals)


def leaving(one: Standing, wet: int, dry: int, references: References) -> Leaving:
    """Return the mass of a side as its own statement makes it known.

    A moisture that it states is one somebody measured at its site and gave no u of, as of an input.

    Args:
        one: The side.
        wet: Grams.
        dry: Grams.
        references: The laboratory of the site.
    """
    side = one.side
    mass = Estimate(float(wet), mass_u(side, wet) ** 2, {})
    own = relative(mass)
    if side.dry is None and side.moisture is not None:
        laboratory = references.laboratory(one.site, one.cause.at)
        own = times(own, _measured(dryness(side.moisture, None, laboratory)))
    return Leaving(mass, float(dry), own, side.dry is None and side.moisture is None)


def states_material(side: Side) -> bool:
    """Tell whether a side says how dry its material is: by a moisture, or by both masses."""
    return side.moisture is not None or (side.wet is not None and side.dry is not None)


def _measured(share: Estimate) -> Estimate:
    """Return a dry share with what is the material's own as random: no two outputs share it."""
    own = math.fsum(u * u for source, u in share.parts.items() if source.startswith(OWN))
    parts = {source: u for source, u in share.parts.items() if not source.startswith(OWN)}
    return Estimate(share.value, share.var + own, parts)


def dry_known(out: Leaving, share: Estimate) -> Estimate:
    """Return how well the dry mass of a side is known, grams.

    Args:
        out: The side.
        share: Dry share of what it was taken from, in relative form.
    """
    dry = times(out.own, share) if out.derived else out.own
    return absolute(dry._replace(value=out.dry))


def output_known(
    out: Leaving,
    metals: Mapping[str, int],
    grades: Mapping[str, Estimate],
    share: Estimate,
    expected: Mapping[str, float] | None = None,
) -> Estimates:
    """Return how well an output or a loss is known.

    Its metals are those of the whole by dry mass. Where its own is derived the dry share is in
    both, and cancels: metal = (metal in) x (wet out) / (wet in).

    Args:
        out: Its mass.
        metals: Milligrams.
        grades: The metals of what it was taken from, in relative form.
        share: The dry share of that, likewise.
        expected: Of a separation: relative standard uncertainty of the metals expected there. What
            it takes is a part of all outputs, so the dry share says nothing about it.
    """
    found: dict[str, Estimate] = {}
    for analyte, value in metals.items():
        grade = grades[analyte]
        if expected is None and not out.derived:
            grade = over(grade, share)
        u_rel = (expected or {}).get(analyte, 0.0)
        own = out.own._replace(var=out.own.var + u_rel**2) if u_rel else out.own
        found[analyte] = absolute(times(grade, own)._replace(value=float(value)))
    return Estimates(out.wet, dry_known(out, share), found)


def less(first: Estimates, second: Estimates) -> Estimates:
    """Return how well a difference is known."""
    metals = dict(first.metals)
    for name, estimate in second.metals.items():
        metals[name] = add(metals.get(name, NOTHING), estimate, -1.0)
    return Estimates(add(first.wet, second.wet, -1.0), add(first.dry, second.dry, -1.0), metals)
