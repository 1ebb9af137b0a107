"""What went into a closed process and came out of it, with what is known of each stream.

A stream's contained metal is its dry mass times its grade, so what is known of the metal is taken
apart again: the error of the mass is common to all its metals, what is left is the grade's own.

    u^2(grade) / grade^2 = u^2(metal) / metal^2 - u^2(mass) / mass^2

and so for each systematic part, without the square. Masses are in grams, metals in milligrams.

Source:
    docs/detection/process-nodes.md
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from custody.estimate import MATERIAL, OTHER, Estimate, total
from custody.held import Held

MASS_MIN_G, MASS_MAX_G = 1.0, 1e13
"""A stream beyond these is not tested: nobody weighed it."""

U_REL_MAX = 0.5
"""A figure known worse says nothing: its stream counts as not measured."""

U_REL_MIN = 1e-6
"""Nothing is known better: an uncertainty of zero is one that nobody stated."""


class Stream(NamedTuple):
    """One input, output or loss.

    Attributes:
        name: Lot, or kind of a loss.
        event_id: The side it stands for.
        dry: Dry mass, grams.
        grades: Measured grades by analyte, milligrams per gram.
    """

    name: str
    event_id: str
    dry: Estimate
    grades: Mapping[str, Estimate]


class Node(NamedTuple):
    """A closed process.

    Attributes:
        inputs: What went in.
        outputs: What came out as lots.
        losses: Declared losses.
        conserves_mass: Of a physical kind.
        separating: Its outputs differ from its inputs and from each other.
    """

    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    losses: tuple[Stream, ...]
    conserves_mass: bool
    separating: bool

    @property
    def leaving(self) -> tuple[Stream, ...]:
        """Outputs and losses."""
        return self.outputs + self.losses

    @property
    def is_whole(self) -> bool:
        """Whatever leaves is declared, as far as can be told.

        Of a separation one stream alone is its product, and where the rest is nobody has said.
        """
        weighed = [s for s in self.leaving if is_weighed(s.dry)]
        return len(weighed) == len(self.leaving) > int(self.separating)


def _figure(value: float, u: float, parts: Mapping[str, float]) -> Estimate:
    return named(Estimate(float(value), u * u, parts))


def is_weighed(dry: Estimate) -> bool:
    """Tell whether a dry mass says anything."""
    return MASS_MIN_G <= dry.value <= MASS_MAX_G and _is_known(dry)


def _is_known(said: Estimate) -> bool:
    u = math.sqrt(said.var + math.fsum(part * part for part in said.parts.values()))
    return u <= U_REL_MAX * abs(said.value)


def stream(name: str, event_id: str, held: Held, metals: Iterable[str]) -> Stream:
    """Return what was handed on as a stream.

    Args:
        name: How it is called.
        event_id: The side it stands for.
        held: Amounts, and how well they are known.
        metals: Analytes that are measured.
    """
    dry = floored(_figure(held.dry, held.dry_u, held.dry_parts))
    grades: dict[str, Estimate] = {}
    for analyte in metals:
        grade = grade_of(dry, _figure(*held.metals[analyte]))
        if grade is not None:
            grades[analyte] = grade
    return Stream(name, event_id, dry, grades)


def floored(said: Estimate) -> Estimate:
    """Return a figure that is not known better than anything is."""
    least = U_REL_MIN * abs(said.value)
    return said._replace(var=max(said.var, least * least))


def grade_of(dry: Estimate, metal: Estimate) -> Estimate | None:
    """Return the grade of a stream; None where its mass or its metal is not known."""
    if not is_weighed(dry) or metal.value <= 0.0 or not _is_known(metal):
        return None
    grade = metal.value / dry.value
    var = metal.var / metal.value**2 - dry.var / dry.value**2
    parts: dict[str, float] = {}
    for source in sorted(metal.parts.keys() | dry.parts.keys()):
        part = metal.parts.get(source, 0.0) / metal.value - dry.parts.get(source, 0.0) / dry.value
        if part > 0.0:
            parts[source] = part * grade
        else:
            # Less than the mass alone: another scale weighed what the metal was reckoned of.
            var += part * part
    return floored(Estimate(grade, max(var, 0.0) * grade * grade, parts))


def named(said: Estimate) -> Estimate:
    """Return an estimate as a network takes it: what nobody can name any more is its own."""
    own = said.parts.get(OTHER, 0.0)
    parts = {source: part for source, part in said.parts.items() if part and source != OTHER}
    return Estimate(said.value, said.var + own * own, parts)


def joined(name: str, streams: Sequence[Stream]) -> Stream:
    """Return several streams as one: masses add, grades are their mean by mass.

    An analyte counts where all of the streams have it. What the masses do to the mean is left
    out: it is of second order where the streams are alike, as those that are joined are.
    """
    dry = total(one.dry for one in streams)
    analytes = set.intersection(*(set(one.grades) for one in streams))
    grades = {a: mean_grade([(one, one.grades[a]) for one in streams]) for a in sorted(analytes)}
    return Stream(name, streams[0].event_id if len(streams) == 1 else "", dry, grades)


def mean_grade(streams: Sequence[tuple[Stream, Estimate]]) -> Estimate:
    """Return the mean of grades, weighted by mass; parts of one source add."""
    whole = math.fsum(one.dry.value for one, _ in streams)
    return total(scaled(grade, one.dry.value / whole) for one, grade in streams)


def scaled(said: Estimate, factor: float) -> Estimate:
    """Return a figure times a number that is known."""
    parts = {source: u * factor for source, u in said.parts.items()}
    return Estimate(said.value * factor, said.var * factor * factor, parts)


def sources_of(streams: Iterable[Stream]) -> set[str]:
    """Return the names of scales and laboratories behind streams; the material is no instrument."""
    found: set[str] = set()
    for one in streams:
        for said in (one.dry, *one.grades.values()):
            found.update(source for source in said.parts if not source.endswith(MATERIAL))
    return found
