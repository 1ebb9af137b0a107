"""What is known of a lot's material now: its dry share and its grades, with uncertainty.

Grade on dry basis belongs to the lot wherever it is; so does moisture, until stations keep their
own. For each quantity the best source speaks: certificate, then what a process handed over with
the lot, then shots, then the declaration, then the default of the commodity.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from custody import metrology
from custody.carried import NOTHING, mixture, origins_of
from custody.estimate import Estimate
from custody.events import Micros
from custody.held import Carried, Held
from custody.lot import best_certificates, book_analytes, first_shots
from custody.reference import MOISTURE_DEFAULT, Material, References
from custody.rows import Basis, Book, Certificate, Shots

MATERIAL_UNKNOWN = Material(*MOISTURE_DEFAULT, metrology.DECLARED_U_REL)


def carried_of(book: Book, given: Mapping[str, Held]) -> Carried:
    """Return what a lot's material carries: what was handed over tells more than a declaration."""
    total = sum(held.dry for held in given.values())
    if total > 0:
        return mixture(
            [
                (float(max(held.dry, 0)), {a: v[0] for a, v in held.metals.items()}, held.carried)
                for held in given.values()
            ]
        )
    declared = book.declared
    if declared is None:
        return NOTHING
    return Carried(origins_of(declared.origins), {}, {}, {})


class Cause(NamedTuple):
    """A fact that something is known by."""

    at: Micros
    known: Micros
    event_id: str


class Handed(NamedTuple):
    """What processes said of a material: dry share and grades in relative form."""

    dryness: Estimate
    grades: dict[str, Estimate]


class Amount(NamedTuple):
    """Grams wet and dry; milligrams by analyte, millionths of its unit by attribute."""

    wet: int
    dry: int
    amounts: dict[str, int]


@dataclass(slots=True)
class Knowledge:
    """What is known of a material; estimates are in relative form.

    Attributes:
        dryness: Dry share of the wet mass.
        grades: Fraction of the dry mass by analyte.
        cause: The newest fact it rests on; None where all is default.
        unmeasured: Dry share where the lot's own facts do not give it.
        handed: Grades that processes handed over.
    """

    dryness: Estimate
    grades: dict[str, Estimate]
    cause: Cause | None
    unmeasured: float
    handed: Mapping[str, Estimate]

    def amount(self, wet: int) -> Amount:
        """Return what a wet mass holds, each figure rounded half-even."""
        dry = wet * self.dryness.value
        metals = {a: round(dry * grade.value * 1000.0) for a, grade in self.grades.items()}
        return Amount(wet, round(dry), metals)

    def amount_on(self, wet: int, basis: Basis) -> Amount:
        """Return what a wet mass was taken to hold when less was known (``Basis``).

        What does not come from the lot's own facts (a default moisture, a grade handed over by a
        process) is taken as of now, because their order says nothing about it.
        """
        moisture = basis.moisture
        dry = wet * (self.unmeasured if moisture is None else 1.0 - moisture)
        metals = {a: round(dry * grade.value * 1000.0) for a, grade in self.handed.items()}
        for analyte, fraction in basis.dry.items():
            metals[analyte] = round(dry * fraction * 1000.0)
        for analyte, fraction in basis.as_is.items():
            metals[analyte] = round(wet * fraction * 1000.0)
        return Amount(wet, round(dry), metals)


def known(book: Book, given: Mapping[str, Held], references: References) -> Knowledge:
    """Return what is known of a lot.

    Args:
        book: The lot's facts.
        given: What processes handed to it.
        references: Reference data.
    """
    moisture_by, assayed = best_certificates(book.certificates)
    handed = _handed(given) if given else None
    material = _material(book, references)
    causes: list[Cause] = []
    if handed is not None:
        unmeasured = handed.dryness
    else:
        u_rel = material.moisture_u / (1.0 - material.moisture)
        unmeasured = Estimate(1.0 - material.moisture, 0.0, {metrology.MOISTURE: u_rel})
    dryness = unmeasured
    if moisture_by is not None:
        dryness = _certified_dryness(moisture_by, references)
        causes.append(Cause(moisture_by.at, moisture_by.known, moisture_by.event_id))
    grades: dict[str, Estimate] = {}
    names = book_analytes(book, assayed)
    if handed is not None:
        names = sorted({*names, *handed.grades})
    for analyte in names:
        certificate = assayed.get(analyte)
        if certificate is None and handed is not None and analyte in handed.grades:
            grades[analyte] = handed.grades[analyte]
            continue
        found = _grade(analyte, certificate, book, dryness, references)
        grades[analyte] = found[0]
        causes.append(found[1])
    cause = max(causes, default=None)
    handed_grades = {} if handed is None else handed.grades
    return Knowledge(dryness, grades, cause, unmeasured.value, handed_grades)


def _material(book: Book, references: References) -> Material:
    declared, head = book.declared, book.declared_by
    if declared is None or head is None:
        return MATERIAL_UNKNOWN
    return references.material(declared.commodity, declared.form, head.at)


def _certified_dryness(certificate: Certificate, references: References) -> Estimate:
    assayed = certificate.assayed
    assert assayed.moisture is not None
    laboratory = references.laboratory(assayed.lab, certificate.at)
    return metrology.dryness(assayed.moisture, assayed.moisture_u, laboratory)


def _grade(
    analyte: str,
    certificate: Certificate | None,
    book: Book,
    dryness: Estimate,
    references: References,
) -> tuple[Estimate, Cause]:
    if certificate is not None:
        value = certificate.assayed.results[analyte]
        laboratory = references.laboratory(certificate.assayed.lab, certificate.at)
        grade = metrology.assay_grade(analyte, value, laboratory)
        cause = Cause(certificate.at, certificate.known, certificate.event_id)
        return (grade if value.dry else _on_dry_basis(grade, dryness)), cause
    shots = first_shots(book, analyte)
    if shots is not None:
        return _scanned(analyte, shots, dryness, references)
    assert book.declared is not None
    assert book.declared_by is not None
    head = book.declared_by
    value = book.declared.composition[analyte]
    u_rel = _material(book, references).grade_u_rel
    grade = Estimate(value.fraction, u_rel * u_rel, {})
    cause = Cause(head.at, head.known, head.event_id)
    return (grade if value.dry else _on_dry_basis(grade, dryness)), cause


def _scanned(
    analyte: str, shots: Shots, dryness: Estimate, references: References
) -> tuple[Estimate, Cause]:
    device = references.device(shots.device, shots.at)
    grade = metrology.scan_grade(analyte, shots, device) or Estimate(0.0, 0.0, {})
    cause = Cause(shots.at, shots.known, shots.event_id)
    return (grade if shots.dry else _on_dry_basis(grade, dryness)), cause


def _on_dry_basis(as_is: Estimate, dryness: Estimate) -> Estimate:
    """Divide by the dry share; its parts enter with the other sign and cancel in the metal."""
    parts = dict(as_is.parts)
    for source, u in dryness.parts.items():
        parts[source] = parts.get(source, 0.0) - u
    return Estimate(as_is.value / dryness.value, as_is.var, parts)


def _handed(given: Mapping[str, Held]) -> Handed | None:
    """Return what processes said of the material they handed over."""
    wet = sum(held.wet for held in given.values())
    dry = sum(held.dry for held in given.values())
    if wet <= 0 or dry <= 0:
        return None
    dry_var = sum(held.dry_u**2 for held in given.values()) / dry**2
    wet_var = sum(held.wet_u**2 for held in given.values()) / wet**2
    moisture_u = math.sqrt(max(dry_var - wet_var, 0.0))
    grades: dict[str, Estimate] = {}
    for analyte in sorted({name for held in given.values() for name in held.metals}):
        grades[analyte] = _handed_grade(analyte, given, dry, dry_var)
    dryness = Estimate(dry / wet, 0.0, {metrology.MOISTURE: moisture_u})
    return Handed(dryness, grades)


def _handed_grade(analyte: str, given: Mapping[str, Held], dry: int, dry_var: float) -> Estimate:
    metal, var = 0, 0.0
    parts: dict[str, float] = {}
    for held in given.values():
        if analyte not in held.metals:
            continue
        value, u_random, systematic = held.metals[analyte]
        metal += value
        var += u_random * u_random
        for source, u in systematic.items():
            parts[source] = parts.get(source, 0.0) + u
    if metal <= 0:
        return Estimate(0.0, 0.0, {})
    rest = max(var / metal**2 - dry_var, 0.0)
    return Estimate(metal / dry / 1000.0, rest, {source: u / metal for source, u in parts.items()})
