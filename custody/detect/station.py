"""What one site says of a lot's composition: shots and certificates taken there, per analyte.

Everything is on dry basis and in logarithms, where errors are relative and what two figures have
in common cancels in their difference. Moisture is a source of its own: a shot as is needs it, and
two shots that need the same moisture do not differ by it.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from custody import metrology
from custody.estimate import OWN, Estimate, sigma
from custody.lot import best_certificates
from custody.reference import References
from custody.rows import Book, Certificate, Shots

U_REL_MAX = 0.25
"""An analyte less well known than this at a site is left out: logarithms would mislead."""


class Seen(NamedTuple):
    """One analyte at one site: logarithm of the dry fraction, variance and parts of it."""

    ln: float
    var: float
    parts: dict[str, float]


Station = Mapping[str, Seen]
"""By analyte."""


def station(book: Book, site: str, references: References) -> Station:
    """Return what a site measured of the lot's composition.

    Several measurements of an analyte are averaged with the inverse of their variances as
    weights; a part that two of them share adds linearly.
    """
    certificates = [c for c in book.certificates if c.site == site]
    series = [shots for shots in book.shots.values() if shots.site == site]
    dryness = _dryness(book, site, references) if series or certificates else None
    if dryness is None:
        return {}
    found: dict[str, list[Estimate]] = {}
    for analyte, certificate in best_certificates_of(certificates).items():
        value = certificate.assayed.results[analyte]
        laboratory = references.laboratory(certificate.assayed.lab, certificate.at)
        grade = metrology.assay_grade(analyte, value, laboratory)
        _keep(found, analyte, grade if value.dry else _dried(grade, dryness))
    for shots in series:
        device = references.device(shots.device, shots.at)
        for analyte, (count, _, _) in shots.sums.items():
            # Shots that did not see the analyte are censored; the mean of the rest is too high.
            grade_or_none = metrology.scan_grade(analyte, shots, device)
            if count == shots.taken and grade_or_none is not None:
                grade = grade_or_none
                _keep(found, analyte, grade if shots.dry else _dried(grade, dryness))
    return {analyte: _averaged(estimates) for analyte, estimates in found.items()}


def best_certificates_of(certificates: list[Certificate]) -> dict[str, Certificate]:
    """Return the certificate that speaks for each analyte: highest stage, then newest."""
    return best_certificates(Book(certificates=certificates))[1]


def sources(book: Book, site: str, analyte: str) -> tuple[list[str], list[Shots]]:
    """Return the certificates' events and the series of shots an analyte at a site rests on."""
    certificates = [c for c in book.certificates if c.site == site]
    best = best_certificates_of(certificates).get(analyte)
    series = [
        shots
        for shots in book.shots.values()
        if shots.site == site and shots.sums.get(analyte, (0,))[0] == shots.taken
    ]
    return ([] if best is None else [best.event_id]), series


def _dryness(book: Book, site: str, references: References) -> Estimate:
    """Return the dry share at a site, its random part under the name of its certificate."""
    here = [c for c in book.certificates if c.site == site and c.assayed.moisture is not None]
    moisture_by = best_certificates(Book(certificates=here or book.certificates))[0]
    if moisture_by is None or moisture_by.assayed.moisture is None:
        declared, head = book.declared, book.declared_by
        commodity, form = ("", "") if declared is None else (declared.commodity, declared.form)
        at = head.at if head is not None else book.first.at if book.first is not None else None
        if at is None:
            return Estimate(1.0, 0.0, {})
        material = references.material(commodity, form, at)
        u = material.moisture_u / (1.0 - material.moisture)
        return Estimate(1.0 - material.moisture, 0.0, {OWN + "default": u})
    assayed = moisture_by.assayed
    laboratory = references.laboratory(assayed.lab, moisture_by.at)
    assert assayed.moisture is not None
    dry = metrology.dryness(assayed.moisture, assayed.moisture_u, laboratory)
    parts = dict(dry.parts)
    parts[OWN + moisture_by.event_id] = parts.pop(metrology.MOISTURE)
    return Estimate(dry.value, dry.var, parts)


def _dried(as_is: Estimate, dryness: Estimate) -> Estimate:
    parts = dict(as_is.parts)
    for source, u in dryness.parts.items():
        parts[source] = parts.get(source, 0.0) - u
    return Estimate(as_is.value / dryness.value, as_is.var, parts)


def _keep(found: dict[str, list[Estimate]], analyte: str, grade: Estimate) -> None:
    if grade.value > 0.0 and sigma(grade) <= U_REL_MAX:
        found.setdefault(analyte, []).append(grade)


def _averaged(estimates: list[Estimate]) -> Seen:
    if len(estimates) == 1:
        only = estimates[0]
        return Seen(math.log(only.value), only.var, dict(only.parts))
    weights = [1.0 / max(sigma(e) ** 2, 1e-12) for e in estimates]
    scale = 1.0 / sum(weights)
    ln = var = 0.0
    parts: dict[str, float] = {}
    for estimate, weight in zip(estimates, weights, strict=True):
        share = weight * scale
        ln += share * math.log(estimate.value)
        var += share * share * estimate.var
        for source, u in estimate.parts.items():
            parts[source] = parts.get(source, 0.0) + share * u
    return Seen(ln, var, parts)
