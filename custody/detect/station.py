"""What one site says of a lot's composition: shots and certificates taken there, per analyte.

Everything is on dry basis and in logarithms, where errors are relative and what two figures have
in common cancels in their difference. Moisture is a source of its own: a shot as is needs it, and
two shots that need the same moisture do not differ by it.

This runs for most shots of a receiving site, eight analytes at a time: plain numbers, few objects.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from custody import metrology
from custody.estimate import OWN, Estimate
from custody.lot_book import LotBook
from custody.lot_rows import Certificate, Shots
from custody.metrology import Device, Laboratory
from custody.reading import moisture_certificate
from custody.reduce import PPB
from custody.reference import References

U_REL_MAX = 0.25
"""An analyte less well known than this at a site is left out: logarithms would mislead."""

_VAR_MAX = U_REL_MAX**2
_VAR_MIN = 1e-12


class Seen(NamedTuple):
    """One analyte at one site.

    Attributes:
        ln: Logarithm of the fraction of the dry mass.
        var: Relative variance of its own.
        bias: Relative systematic part by instrument or laboratory.
        wet: Share of the figure that was taken as is and divided by the dry share.
    """

    ln: float
    var: float
    bias: dict[str, float]
    wet: float


@dataclass(slots=True)
class Station:
    """A site's figures by analyte, and the parts of the dry share they were converted with."""

    seen: dict[str, Seen]
    moisture: Mapping[str, float]


def station(book: LotBook, site: str, references: References) -> Station:
    """Return what a site measured of the lot's composition.

    Several measurements of an analyte are averaged with the inverse of their variances as
    weights; a part that two of them share adds linearly.
    """
    certificates = [c for c in book.material().certificates if c.site == site]
    dryness = _dryness(book, certificates, references)
    found: dict[str, list[tuple[Seen, float]]] = {}
    laboratories = {c.event_id: references.laboratory(c.assayed.lab, c.at) for c in certificates}
    for analyte, certificate in best_certificates_of(certificates).items():
        _certified(found, analyte, certificate, dryness, laboratories[certificate.event_id])
    for shots in book.station(site).series.values():
        _scanned(found, shots, references.device(shots.device, shots.at), dryness)
    merged = {a: all_[0][0] if len(all_) == 1 else _averaged(all_) for a, all_ in found.items()}
    return Station(merged, dryness.parts)


def best_certificates_of(certificates: list[Certificate]) -> dict[str, Certificate]:
    """Return the certificate that speaks for each analyte: highest stage, then newest."""
    grades: dict[str, Certificate] = {}
    for certificate in certificates:
        for analyte in certificate.assayed.results:
            before = grades.get(analyte)
            if before is None or certificate.assayed.stage >= before.assayed.stage:
                grades[analyte] = certificate
    return grades


def sources(book: LotBook, site: str, analyte: str) -> tuple[list[Certificate], list[Shots]]:
    """Return the certificates and the series of shots that an analyte at a site rests on."""
    certificates = [c for c in book.material().certificates if c.site == site]
    best = best_certificates_of(certificates).get(analyte)
    series = [
        shots
        for shots in book.station(site).series.values()
        if shots.sums.get(analyte, (0,))[0] == shots.taken
    ]
    return ([] if best is None else [best]), series


def _certified(
    found: dict[str, list[tuple[Seen, float]]],
    analyte: str,
    certificate: Certificate,
    dryness: Estimate,
    laboratory: Laboratory,
) -> None:
    value = certificate.assayed.results[analyte]
    fraction = value.fraction
    if fraction <= 0.0:
        return
    u_rel = metrology.grade_u_rel(value, laboratory)
    share = laboratory.systematic_share
    bias = {laboratory.lab_id: u_rel * math.sqrt(share)}
    whole = u_rel * u_rel
    as_is, ln = 0.0, math.log(fraction)
    if not value.dry:
        as_is, ln = 1.0, ln - math.log(dryness.value)
        whole += sum(u * u for u in dryness.parts.values())
    if whole <= _VAR_MAX:
        found[analyte] = [(Seen(ln, (1.0 - share) * u_rel * u_rel, bias, as_is), whole)]


def _scanned(
    found: dict[str, list[tuple[Seen, float]]], shots: Shots, device: Device, dryness: Estimate
) -> None:
    heterogeneity_var, bias = device.heterogeneity_rel**2, {device.device_id: device.bias_rel}
    as_is = ln_share = 0.0
    common_var = device.bias_rel**2
    if not shots.dry:
        as_is, ln_share = 1.0, math.log(dryness.value)
        common_var += sum(u * u for u in dryness.parts.values())
    taken = shots.taken
    for analyte, (count, fractions, counting_var) in shots.sums.items():
        # Shots that did not see the analyte are censored; the mean of the rest is too high.
        if count != taken or fractions <= 0.0:
            continue
        var = counting_var / (fractions * fractions) + heterogeneity_var / count
        whole = var + common_var
        if whole <= _VAR_MAX:
            seen = Seen(math.log(fractions / count / PPB) - ln_share, var, bias, as_is)
            found.setdefault(analyte, []).append((seen, whole))


def _dryness(book: LotBook, here: list[Certificate], references: References) -> Estimate:
    """Return the dry share at a site, its random part under the name of its certificate."""
    material_row = book.material()
    moisture_by = moisture_certificate(here) or moisture_certificate(material_row.certificates)
    if moisture_by is None or moisture_by.assayed.moisture is None:
        declared, head = material_row.declared, material_row.declared_by
        if declared is None or head is None:
            return Estimate(1.0, 0.0, {})
        material = references.material(declared.commodity, declared.form, head.at)
        u = material.moisture_u / (1.0 - material.moisture)
        return Estimate(1.0 - material.moisture, 0.0, {OWN + "default": u})
    assayed = moisture_by.assayed
    laboratory = references.laboratory(assayed.lab, moisture_by.at)
    dry = metrology.dryness(moisture_by.assayed.moisture, assayed.moisture_u, laboratory)
    parts = dict(dry.parts)
    parts[OWN + moisture_by.event_id] = parts.pop(metrology.MOISTURE)
    return Estimate(dry.value, dry.var, parts)


def _averaged(measured: Sequence[tuple[Seen, float]]) -> Seen:
    scale = 1.0 / sum([1.0 / max(whole, _VAR_MIN) for _, whole in measured])
    ln = var = wet = 0.0
    bias: dict[str, float] = {}
    for seen, whole in measured:
        share = scale / max(whole, _VAR_MIN)
        ln += share * seen.ln
        var += share * share * seen.var
        wet += share * seen.wet
        for source, u in seen.bias.items():
            bias[source] = bias.get(source, 0.0) + share * u
    return Seen(ln, var, bias, wet)
