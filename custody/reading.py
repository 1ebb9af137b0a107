"""Works out what is known of a lot's material now: its dry share and its grades.

Grade on dry basis belongs to the lot wherever it is; so does moisture, until stations keep their
own. For each quantity the best source speaks: certificates, then what a process handed over with
the lot, then shots, then the declaration, then the default of the commodity. A travelling
attribute is an amount per dry mass, or of the whole lot, without an uncertainty of its own.

Source:
    docs/ledger.md, "What is known of a lot's material".
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from custody import carried, exchange, metrology, own, returns
from custody.estimate import Estimate
from custody.events import Micros
from custody.exchange import Word
from custody.handed_over import handed_over
from custody.held import Held
from custody.ids import BETWEEN, series_site
from custody.knowledge import Knowledge, came, last_of
from custody.lot_book import LotBook
from custody.lot_rows import Basis, Cause, Certificate, MaterialRow, Shots
from custody.provenance import carried_of, doubts
from custody.reference import MOISTURE_DEFAULT, Material, References
from custody.rows import Finding
from custody.shares import is_share

MATERIAL_UNKNOWN = Material(*MOISTURE_DEFAULT, metrology.DECLARED_U_REL)

MICRO_PER_MG = 1e6 / 1e9
"""An amount per tonne, in millionths per milligram."""


class Known:
    """What is known by a book, worked out when asked and kept until it may be another.

    Args:
        book: The lot's rows.
        references: Reference data.
    """

    __slots__ = ("_book", "_of_own", "_references", "_shown", "_unassayed")

    def __init__(self, book: LotBook, references: References) -> None:
        self._book = book
        self._references = references
        self._shown: Knowledge | None = None
        self._unassayed: set[str] | None = None
        self._of_own: tuple[Knowledge, int] | None = None

    def forget(self) -> None:
        """Note that something it rests on has changed."""
        self._shown = self._unassayed = self._of_own = None

    def now(self) -> Knowledge:
        """Return what is known."""
        if self._shown is None:
            self._shown = self.given(self._book.handed())
        return self._shown

    def given(self, given: Sequence[Held], back: Micros | None = None) -> Knowledge:
        """Return what would be known had processes handed over just this; it is not kept.

        Args:
            given: What they handed over.
            back: When the lot came back, where that is asked of what went in (``returns``).
        """
        found = _Reading(self._book, self.parts(given), self._references, back).knowledge()
        mine, wet = self._own() if given else (None, 0)
        found.own = mine if wet else None
        return found

    def parts(self, given: Sequence[Held]) -> Sequence[Held]:
        """Return what processes handed over, and what the lot had of its own beside it."""
        mine, wet = self._own() if given else (None, 0)
        if mine is None or not wet:
            return given
        return [*given, own.part(wet, mine, carried_of(self._book, self._references, ()))]

    def _own(self) -> tuple[Knowledge, int]:
        """Return what is known of the lot without what was handed over, and how much it has."""
        if self._of_own is None:
            mine = _Reading(self._book, (), self._references, None).knowledge()
            self._of_own = mine, own.wet(self._book, mine)
        return self._of_own

    def rests_on_shots(self, series: str) -> bool:
        """Tell whether a series of shots decides a metal, and forget what it said before."""
        for name in self._by_shots(series):
            first = first_shots(self._book, name)
            if first is not None and first[0] == series:
                self.forget()
                return True
        return False

    def _by_shots(self, series: str) -> Collection[str]:
        """Return the analytes that a series of shots could speak for."""
        if self._unassayed is None:
            material = self._book.material()
            assayed = _certified(material.certificates)
            told = _told(material, assayed)
            if not told:
                return self._book.station(series_site(series)).series[series].sums
            self._unassayed = told - assayed
        return self._unassayed


def first_shots(book: LotBook, analyte: str) -> tuple[str, Shots] | None:
    """Return the shots that speak for an analyte without a certificate: the first series.

    That of the sender, as a rule. Later series are what the tests hold against it; were they to
    speak, each shot of each receiver would restate the book by its own instrument's bias.
    """
    for name in book.row.series:
        shots = book.station(series_site(name)).series.get(name)
        if shots is not None and analyte in shots.sums:
            return name, shots
    return None


def moisture_certificate(certificates: Sequence[Certificate]) -> Certificate | None:
    """Return the certificate that speaks for moisture: highest stage, then newest."""
    found: Certificate | None = None
    for certificate in certificates:
        if certificate.assayed.moisture is not None and (
            found is None or certificate.assayed.stage >= found.assayed.stage
        ):
            found = certificate
    return found


def _certified(certificates: Sequence[Certificate]) -> set[str]:
    return {analyte for c in certificates for analyte in c.assayed.results}


def _told(material: MaterialRow, assayed: set[str]) -> set[str]:
    """Return the analytes that somebody declared or assayed."""
    return assayed if material.declared is None else assayed.union(material.declared.composition)


def _shot(book: LotBook) -> set[str]:
    """Return the analytes that shots saw: many more than anybody asks for."""
    names: set[str] = set()
    for series in book.row.series:
        shots = book.station(series_site(series)).series.get(series)
        names.update(shots.sums if shots is not None else ())
    return names


class _Reading:
    """Works out what is known; used once."""

    def __init__(
        self, book: LotBook, given: Sequence[Held], references: References, back: Micros | None
    ) -> None:
        self._book = book
        self._row = returns.as_fed(book.material(), back)
        self._references = references
        self._given = given
        self._handed = handed_over(given) if given else None
        self._findings: list[Finding] = doubts(self._row, given, references)
        self._laboratories = [
            (c, references.laboratory(c.assayed.lab, c.at)) for c in self._row.certificates
        ]
        self._causes: list[Cause] = []
        self._words: dict[str, Word] = {}
        self._basis = Basis(None, {}, {})

    def knowledge(self) -> Knowledge:
        row, handed = self._row, self._handed
        self._doubt_count()
        moisture_by = moisture_certificate(row.certificates)
        unmeasured = self._unmeasured()
        dryness = unmeasured
        if moisture_by is not None:
            dryness = self._dryness(moisture_by)
            self._causes.append(_cause(moisture_by))
            self._basis = self._basis._replace(moisture=moisture_by.assayed.moisture)
        certified = _certified(row.certificates)
        told = _told(row, certified)
        self._basis = self._basis._replace(certified=tuple(sorted(certified)), shots_alone=not told)
        handed_grades: Mapping[str, Estimate] = {} if handed is None else handed.grades
        names = told or _shot(self._book)
        grades: dict[str, Estimate] = {}
        expected = set[str]()
        for analyte in sorted({*names, *handed_grades}):
            own = self._own(analyte, dryness, certified) if analyte in names else None
            from_process = handed_grades.get(analyte)
            if own is not None and self._basis.counts(analyte, handed_grades):
                grades[analyte] = own[0]
                self._causes.append(own[1])
            elif from_process is not None:
                grades[analyte] = from_process
                expected.add(analyte)
        self._findings.extend(exchange.findings(self._words))
        totals = self._totals(unmeasured.value, None if moisture_by is None else dryness)
        rates = self._declared_rates(grades, dryness)
        known_handed = {a: grade.value for a, grade in handed_grades.items()}
        return Knowledge(
            dryness,
            grades,
            rates,
            last_of(self._causes),
            unmeasured.value,
            known_handed,
            self._basis,
            frozenset(certified),
            moisture_by is not None,
            self._findings,
            totals,
            frozenset() if handed is None else handed.expected & expected,
        )

    def _doubt_count(self) -> None:
        """Note certificates that had no room."""
        if self._row.left_out:
            kept = len(self._row.certificates)
            detail = f"more than {kept} certificates; the oldest of the lowest stages do not count"
            self._findings.append(Finding("too_many_certificates", "certificates", detail))

    def _material(self) -> Material:
        declared, head = self._row.declared, self._row.declared_by
        if declared is None or head is None:
            return MATERIAL_UNKNOWN
        return self._references.material(declared.commodity, declared.form, head.at)

    def _unmeasured(self) -> Estimate:
        if self._handed is not None:
            return self._handed.dryness
        material = self._material()
        u_rel = material.moisture_u / (1.0 - material.moisture)
        return Estimate(1.0 - material.moisture, 0.0, {metrology.MOISTURE: u_rel})

    def _dryness(self, certificate: Certificate) -> Estimate:
        assayed = certificate.assayed
        assert assayed.moisture is not None
        laboratory = self._references.laboratory(assayed.lab, certificate.at)
        return metrology.dryness(assayed.moisture, assayed.moisture_u, laboratory)

    def _own(
        self, analyte: str, dryness: Estimate, certified: set[str]
    ) -> tuple[Estimate, Cause] | None:
        """Return the grade by the lot's own facts, and note it in the basis."""
        if analyte in certified:
            return self._assayed(analyte, dryness)
        found = first_shots(self._book, analyte)
        if found is not None:
            return self._scanned(analyte, found[1], dryness)
        declared, head = self._row.declared, self._row.declared_by
        if declared is None or head is None or analyte not in declared.composition:
            return None
        value = declared.composition[analyte]
        self._note(analyte, value.fraction, dry=value.dry)
        u_rel = self._material().grade_u_rel
        grade = Estimate(value.fraction, u_rel * u_rel, {})
        cause = Cause(head.at, head.known, head.event_id)
        return (grade if value.dry else _on_dry_basis(grade, dryness)), cause

    def _assayed(self, analyte: str, dryness: Estimate) -> tuple[Estimate, Cause]:
        estimates = {
            c.event_id: metrology.assay_grade(analyte, c.assayed.results[analyte], laboratory)
            for c, laboratory in self._laboratories
            if analyte in c.assayed.results
        }
        contract = self._contract()
        found = exchange.word(analyte, self._row.certificates, contract, estimates)
        assert found is not None
        self._words[analyte] = found
        grade = exchange.combined(found, estimates)
        newest = found.newest
        dry = newest.assayed.results[analyte].dry
        self._note(analyte, grade.value, dry=dry)
        return (grade if dry else _on_dry_basis(grade, dryness)), _cause(newest)

    def _contract(self) -> exchange.Contract:
        declared, head = self._row.declared, self._row.declared_by
        if declared is None or head is None or declared.contract is None:
            return exchange.NO_CONTRACT
        return self._references.contract(declared.contract, head.at)

    def _scanned(self, analyte: str, shots: Shots, dryness: Estimate) -> tuple[Estimate, Cause]:
        device = self._references.device(shots.device, shots.at)
        grade = metrology.scan_grade(analyte, shots, device) or Estimate(0.0, 0.0, {})
        self._note(analyte, grade.value, dry=shots.dry)
        cause = Cause(shots.at, shots.known, shots.event_id)
        return (grade if shots.dry else _on_dry_basis(grade, dryness)), cause

    def _note(self, name: str, fraction: float, *, dry: bool) -> None:
        (self._basis.dry if dry else self._basis.as_is)[name] = fraction

    def _declared(self) -> Iterator[tuple[str, float, str]]:
        """Yield declared attributes that no process handed over: key, amount, what it is per."""
        declared = self._row.declared
        names = {_named(key) for key in (() if self._handed is None else self._handed.attributes)}
        for name, amount, unit, per, quality in () if declared is None else declared.attributes:
            key = carried.attribute_key(name, unit, quality)
            if _named(key) not in names and not is_share(name, unit):
                yield key, amount, per

    def _totals(self, unmeasured: float, certified: Estimate | None) -> dict[str, float]:
        """Return attributes given for the whole lot, per gram of the wet mass they are spread over.

        That is all that was weighed in, or as much as was declared where less has come. A declared
        dry mass counts with the moisture of before any certificate, as first weighings do. Those
        that processes handed over are spread over all that they did.
        """
        declared, wet = self._row.declared, float(self._book.row.entered_wet or 0)
        if declared is not None and declared.dry:
            wet = max(wet, declared.dry / unmeasured if unmeasured > 0.0 else 0.0)
        totals: dict[str, float] = {}
        if self._handed is not None:
            whole = math.fsum(came(held, certified).value for held in self._given)
            if whole > 0.0:
                totals = {key: value / whole for key, value in self._handed.attributes.items()}
        for key, amount, per in self._declared():
            if per == "total" and wet > 0.0:
                totals[key] = totals.get(key, 0.0) + amount * 1e6 / wet
        return totals

    def _declared_rates(
        self, grades: Mapping[str, Estimate], dryness: Estimate
    ) -> dict[str, float]:
        """Return declared attributes that no process handed over, per milligram of dry mass."""
        rates: dict[str, float] = {}
        for key, amount, per in self._declared():
            rate = self._rate(amount * MICRO_PER_MG, per, grades)
            if rate is None:
                continue
            value, dry = rate
            if dry or dryness.value > 0.0:
                rates[key] = rates.get(key, 0.0) + (value if dry else value / dryness.value)
        return rates

    def _rate(
        self, per_mg: float, per: str, grades: Mapping[str, Estimate]
    ) -> tuple[float, bool] | None:
        """Return an attribute per milligram, and whether of dry mass; None where it has no base."""
        match per:
            case "t_dry":
                return per_mg, True
            case "t_wet":
                return per_mg, False
            case "total":
                return None  # of the whole lot: ``_totals``
            case _:
                grade = grades.get(per.removeprefix("t_"))
                return None if grade is None else (per_mg * grade.value, True)


def _named(key: str) -> tuple[str, ...]:
    """Return name and unit of an attribute's key, without its quality."""
    return tuple(key.split(BETWEEN)[:2])


def _cause(certificate: Certificate) -> Cause:
    return Cause(certificate.at, certificate.known, certificate.event_id)


def _on_dry_basis(as_is: Estimate, dryness: Estimate) -> Estimate:
    """Divide by the dry share; its parts enter with the other sign and cancel in the metal.

    What has no dry mass, water that a process gave, holds no metal.
    """
    if dryness.value <= 0.0:
        return Estimate(0.0, 0.0, {})
    parts = dict(as_is.parts)
    for source, u in dryness.parts.items():
        parts[source] = parts.get(source, 0.0) - u
    return Estimate(as_is.value / dryness.value, as_is.var, parts)
