"""What is known of a lot's material: moisture, and the grade of each analyte with its basis."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scipy.stats import chi2  # type: ignore[import-untyped]  # it ships no types

from custody.events import AssayResult, Fact, LotAssayed, LotDeclared, LotScanned
from tests.support.oracle.amounts import Amounts, Handed, is_metal
from tests.support.oracle.refs import References

STAGES = ("other", "provisional", "exchanged", "umpire", "final")
RULE_FIELD = "umpire_rule"
"""Name in a contract's body of what an umpire's result means."""
CERTIFICATES_MAX = 64
U_REL, U_MOISTURE = 0.02, 0.005
"""Of a certificate that gives no u, from a laboratory nobody described."""
U_MOISTURE_MIN = 0.0003
DRY_SHARE_MIN = 0.001
"""With less a wet mass is taken as the dry one."""

Grade = tuple[float, str]


@dataclass
class Value:
    """One figure of one certificate."""

    fact: LotAssayed
    x: float
    u: float
    basis: str


@dataclass
class Known:
    """What is known; ``moisture`` None where nobody says anything, not even a default.

    ``u_moisture`` is that of the certificate that gives it; ``handed`` are the analytes that what
    a process handed over speaks for, ``declared`` those the declaration does; ``u`` is the greatest
    that a certificate of an analyte has.
    """

    moisture: float | None = None
    u_moisture: float = 0.0
    grades: dict[str, Grade] = field(default_factory=dict)
    certified: set[str] = field(default_factory=set)
    findings: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)
    u: dict[str, float] = field(default_factory=dict)

    def dry_grade(self, analyte: str) -> float:
        """Grade on dry basis, by the moisture now known."""
        fraction, basis = self.grades[analyte]
        share = 1 - (self.moisture or 0.0)
        if basis != "as_is":
            return fraction
        return fraction / share if share > 0 else 0.0

    def fed(self, wet: int, dry: int) -> Amounts:
        """What goes into a process: metal = dry mass as posted x grade on dry basis."""
        metals = {a: round(dry * self.dry_grade(a) * 1000) for a in self.grades}
        return {"wet": wet, "dry": dry} | metals

    def wet_of(self, one: Handed) -> int:
        """What an output weighs wet: of a stated dry mass by the certificate's moisture."""
        share = 1 - (self.moisture or 0.0)
        if not one.dry_alone or "moisture" not in self.certified:
            return one.amounts["wet"]
        dry = one.amounts["dry"]
        return round(dry / share) if share >= DRY_SHARE_MIN else dry

    def content(self, wet: float, dry: float) -> Amounts:
        """What a mass holds, water nothing; each figure rounded once."""
        found = {"wet": round(wet), "dry": round(dry)}
        for analyte, (fraction, basis) in self.grades.items():
            mass = wet if basis == "as_is" and dry else dry
            found[analyte] = round(mass * fraction * 1000)
        return found


class Knowledge:
    """Reads a lot's facts.

    Args:
        refs: Reference data.
        lot: The declaration that counts, or None.
        handed: What processes handed over, all together; empty where nothing was.
    """

    def __init__(self, refs: References, lot: LotDeclared | None, handed: Amounts) -> None:
        self._refs = refs
        self._lot = lot
        self._handed = handed

    def of(self, facts: Sequence[Fact]) -> Known:
        """What these facts, in canonical order, what was handed over and the defaults say."""
        known = Known()
        facts = with_room(facts, known.findings)
        if self._lot is not None and self._handed.get("dry", 0) <= 0:
            self._countries(self._lot, known.findings)
        self._moisture(facts, known)
        lab = self._certified(facts, known)
        dry = self._handed.get("dry", 0)
        given: dict[str, Grade] = {
            name: (value / dry / 1000, "dry")
            for name, value in self._handed.items()
            if is_metal(name) and dry > 0
        }
        said, gun = declared(facts), shot(facts)
        kept = set(said) | set(lab) | set(given) or set(gun)
        best = said | gun | given | lab
        known.grades = {analyte: best[analyte] for analyte in sorted(kept)}
        known.handed = set(given) - set(lab)
        known.declared = set(said) - set(gun) - set(given) - set(lab)
        return known

    def _countries(self, lot: LotDeclared, findings: set[str]) -> None:
        """A mine, or what may be one, declares ore of a country it does not lie in."""
        site = self._refs.body("site", lot.site_id, lot.occurred_at)
        lies_in = site.get("country")
        said = {one.id for one in lot.declared_origins if one.level == "country"}
        if site.get("role", "mine") == "mine" and lies_in and said - {lies_in}:
            findings.add("origin_country_differs")

    def _moisture(self, facts: Sequence[Fact], known: Known) -> None:
        said = [
            (STAGES.index(f.stage), f)
            for f in facts
            if isinstance(f, LotAssayed) and f.moisture_fraction is not None
        ]
        wet = self._handed.get("wet", 0)
        if said:
            highest = max(stage for stage, _ in said)
            speaks = [fact for stage, fact in said if stage == highest][-1]
            known.moisture = speaks.moisture_fraction
            lab = ("laboratory", speaks.lab_id, speaks.occurred_at)
            u = speaks.moisture_u_fraction or self._refs.number(*lab, "moisture_u", U_MOISTURE)
            known.u_moisture = max(u, U_MOISTURE_MIN)
            known.certified.add("moisture")
        elif wet > 0:
            known.moisture = 1 - self._handed["dry"] / wet
        elif self._lot is not None:
            lot = self._lot
            known.moisture = self._refs.moisture(lot.commodity, lot.form, lot.occurred_at)
        else:
            known.moisture = 0.05

    def _certified(self, facts: Sequence[Fact], known: Known) -> dict[str, Grade]:
        values: dict[str, list[Value]] = {}
        for fact in facts:
            for result in fact.results if isinstance(fact, LotAssayed) else ():
                assert isinstance(fact, LotAssayed)
                if result.fraction is not None:
                    one = Value(fact, result.fraction, self._u(fact, result), result.basis)
                    values.setdefault(result.analyte, []).append(one)
        found = {}
        tails: list[float] = []
        for analyte, seen in values.items():
            best = self._exchanged(analyte, seen, known) or best_of(seen, tails)
            found[analyte] = (best.x, best.basis)
            known.certified.add(analyte)
            known.u[analyte] = max(value.u for value in seen)
        if tails and min(tails) * len(tails) < 0.001:
            known.findings.add("certificates_disagree")
        return found

    def _u(self, fact: LotAssayed, result: AssayResult) -> float:
        if result.u_fraction is not None:
            return result.u_fraction
        lab, at = fact.lab_id, fact.occurred_at
        return self._refs.number("laboratory", lab, at, "u_rel", U_REL) * (result.fraction or 0.0)

    def _exchanged(self, analyte: str, values: list[Value], known: Known) -> Value | None:
        """What a contract makes of exchanged results; None where it has nothing to say."""
        if self._lot is None or any(v.fact.stage == "final" for v in values):
            return None
        body = self._refs.body("contract", self._lot.contract_id, self._lot.occurred_at)
        limit = body.get("splitting_limit", {}).get(analyte)
        exchanged = [v for v in values if v.fact.stage == "exchanged"]
        seller = newest([v for v in exchanged if v.fact.party == "seller"])
        buyer = newest([v for v in exchanged if v.fact.party == "buyer"])
        if limit is None or not (seller or buyer):
            return None
        if seller is None or buyer is None or buyer.basis != seller.basis:
            called = any(v.fact.stage == "umpire" for v in values)
            return None if called else seller or buyer
        mean = Value(seller.fact, (seller.x + buyer.x) / 2, 0.0, seller.basis)
        if abs(seller.x - buyer.x) <= limit:
            return mean
        third = newest([v for v in values if v.fact.stage == "umpire" and v.basis == seller.basis])
        if third is None:
            known.findings.add("umpire_due")
            return mean
        return umpired(seller, buyer, third, str(body.get(RULE_FIELD, "umpire")))


def as_wet_as_before(facts: Sequence[Fact], back: int | None) -> list[Fact]:
    """The facts of a lot that came back, as they speak for what had gone in.

    Where a certificate says how wet it was before, no later one does; its grades are dry ones.
    """
    certificates = [fact for fact in facts if isinstance(fact, LotAssayed)]
    wet = [fact.occurred_at for fact in certificates if fact.moisture_fraction is not None]
    if back is None or min(wet, default=back) >= back:
        return list(facts)
    return [
        dried(fact) if isinstance(fact, LotAssayed) and fact.occurred_at >= back else fact
        for fact in facts
    ]


def dried(fact: LotAssayed) -> LotAssayed:
    """A certificate of the dry matter alone."""
    if fact.moisture_fraction is None:
        return fact
    share = 1 - fact.moisture_fraction
    results = [
        replace(
            one,
            basis="dry",
            fraction=one.fraction / share,
            u_fraction=None if one.u_fraction is None else one.u_fraction / share,
        )
        if one.basis == "as_is" and one.fraction is not None
        else one
        for one in fact.results
    ]
    return replace(fact, moisture_fraction=None, results=tuple(results))


def with_room(facts: Sequence[Fact], findings: set[str]) -> list[Fact]:
    """The facts without the certificates there is no room for, one by one as they came to be."""
    kept: list[Fact] = []
    for fact in facts:
        kept.append(fact)
        every = [one for one in kept if isinstance(one, LotAssayed)]
        if len(every) > CERTIFICATES_MAX:
            stages = [STAGES.index(one.stage) for one in every]
            kept.remove(every[stages.index(min(stages))])
            findings.add("too_many_certificates")
    return kept


def umpired(seller: Value, buyer: Value, third: Value, rule: str) -> Value:
    """The book value where an umpire has spoken."""
    nearer = buyer if abs(buyer.x - third.x) < abs(seller.x - third.x) else seller
    low, high = sorted((seller.x, buyer.x))
    if rule == "mean_with_nearer":
        return Value(third.fact, (third.x + nearer.x) / 2, 0.0, third.basis)
    if rule == "between_or_nearer" and not low <= third.x <= high:
        return nearer
    return third


def newest(values: list[Value]) -> Value | None:
    return values[-1] if values else None


def best_of(values: list[Value], tails: list[float]) -> Value:
    """The book value of certificates, given in canonical order; ``tails`` gets their chi-square."""
    highest = max(STAGES.index(v.fact.stage) for v in values)
    by_lab: dict[str, Value] = {}
    for value in values:
        if STAGES.index(value.fact.stage) == highest:
            by_lab.pop(value.fact.lab_id, None)
            by_lab[value.fact.lab_id] = value
    each = list(by_lab.values())
    last = each[-1]
    each = [v for v in each if v.basis == last.basis]
    if len(each) == 1 or any(v.u <= 0 for v in each):
        return last
    weights = [1 / v.u**2 for v in each]
    mean = sum(w * v.x for w, v in zip(weights, each, strict=True)) / sum(weights)
    q = sum(w * (v.x - mean) ** 2 for w, v in zip(weights, each, strict=True))
    tails.append(float(chi2.sf(q, len(each) - 1)))
    return Value(last.fact, mean, 0.0, last.basis) if tails[-1] >= 0.001 else last


def declared(facts: Sequence[Fact]) -> dict[str, Grade]:
    found: dict[str, Grade] = {}
    for fact in facts:
        if isinstance(fact, LotDeclared):
            found = {d.analyte: (d.fraction, d.basis) for d in fact.declared_composition}
    return found


def shot(facts: Sequence[Fact]) -> dict[str, Grade]:
    """Mean of the series that began first, of those (site, device, basis) that saw the analyte."""
    found: dict[str, Grade] = {}
    shots = [fact for fact in facts if isinstance(fact, LotScanned)]
    for first in shots:
        basis = "dry" if first.basis == "dried" else "as_is"
        series = [other for other in shots if where(other) == where(first)]
        scans = [scan for other in series for scan in other.results]
        for analyte in {scan.analyte for scan in scans}:
            parts = [
                round(s.fraction * 1e9)
                for s in scans
                if s.analyte == analyte and s.fraction is not None
            ]
            if parts:
                found.setdefault(analyte, (sum(parts) / len(parts) / 1e9, basis))
    return found


def where(fact: LotScanned) -> tuple[str, str, str]:
    return fact.site_id, fact.device_id, fact.basis
