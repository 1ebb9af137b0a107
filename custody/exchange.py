"""Which certificates speak for a lot: stages, agreement of laboratories, exchange of assays.

Certificates of the highest stage speak; those of several laboratories that agree are averaged.
Where the lot is sold under a contract with a splitting limit, the results that seller and buyer
exchange are read by its rules, and beyond the limit the umpire's.

Source:
    docs/ledger.md, "Several certificates" and "Exchange of assays"; the clauses are those of
    published concentrate contracts (simultaneous exchange, splitting limit, umpire).
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from custody.estimate import Estimate
from custody.lot_rows import Certificate
from custody.rows import Finding

PROVISIONAL, EXCHANGED, UMPIRE, FINAL = 1, 2, 3, 4
"""Ranks of stages, as ``reduce.STAGES`` gives them; zero is a stage nobody knows."""

DISAGREE_P = 0.001
"""Chance that certificates which do agree are taken for ones that do not: of one analyte, where
it decides the book value, and over all analytes of a lot, where it is a finding."""


class UmpireRule(StrEnum):
    """What an umpire's result leads to."""

    UMPIRE = "umpire"
    MEAN_WITH_NEARER = "mean_with_nearer"
    BETWEEN_OR_NEARER = "between_or_nearer"


class Contract(NamedTuple):
    """What a contract says of the exchange: splitting limit by analyte, fraction; umpire's rule."""

    limits: Mapping[str, float]
    umpire_rule: UmpireRule


NO_CONTRACT = Contract({}, UmpireRule.UMPIRE)


class Compared(NamedTuple):
    """Laboratories compared: chi-square and its degrees, and the figures in words."""

    q: float
    degrees: int
    words: str

    def differ(self, tests: int = 1) -> bool:
        """Tell whether they do not agree, as one of so many tests that share ``DISAGREE_P``."""
        return self.q > _chi2_limit(self.degrees, tests)


class Word(NamedTuple):
    """What certificates say of one analyte.

    Attributes:
        weights: Certificates that speak and the weight of each; weights sum to one.
        compared: Where several laboratories of the highest stage speak.
        umpire_due: Why an umpire has to be asked, where one has.
    """

    weights: Sequence[tuple[Certificate, float]]
    compared: Compared | None = None
    umpire_due: str | None = None

    @property
    def newest(self) -> Certificate:
        """The newest certificate that speaks."""
        return max([c for c, _ in self.weights], key=_order)


def word(
    analyte: str,
    certificates: Sequence[Certificate],
    contract: Contract,
    estimates: Mapping[str, Estimate],
) -> Word | None:
    """Return what certificates say of an analyte.

    Args:
        analyte: The analyte.
        certificates: In canonical order.
        contract: The lot's; ``NO_CONTRACT`` where it names none.
        estimates: Grade in relative form by certificate, for those that give the analyte.
    """
    mine = [c for c in certificates if c.event_id in estimates]
    if not mine:
        return None
    stage = max(c.assayed.stage for c in mine)
    limit = contract.limits.get(analyte)
    if limit is not None and stage in (EXCHANGED, UMPIRE):
        found = _exchanged(analyte, mine, limit, contract.umpire_rule)
        if found is not None:
            return found
    return _averaged(analyte, [c for c in mine if c.assayed.stage == stage], estimates)


def findings(words: Mapping[str, Word]) -> list[Finding]:
    """Return what is found of a lot's certificates: one finding for all analytes that differ.

    Twelve analytes at one in a thousand each would doubt one clean lot in eighty; so at least one
    of them must pass its share of it.

    Args:
        words: By analyte.
    """
    found = [
        Finding("umpire_due", analyte, word.umpire_due)
        for analyte, word in words.items()
        if word.umpire_due is not None
    ]
    compared = [word.compared for word in words.values() if word.compared is not None]
    if any(one.differ(len(compared)) for one in compared):
        said = "; ".join(one.words for one in compared if one.differ())
        detail = f"laboratories do not agree: {said}; the newest is booked"
        found.append(Finding("certificates_disagree", "certificates", detail))
    return found


def combined(found: Word, estimates: Mapping[str, Estimate]) -> Estimate:
    """Return the weighted mean in relative form; parts of one source add linearly."""
    if len(found.weights) == 1:
        return estimates[found.weights[0][0].event_id]
    mean = math.fsum(w * estimates[c.event_id].value for c, w in found.weights)
    if mean <= 0.0:
        return Estimate(0.0, 0.0, {})
    var = 0.0
    parts: dict[str, float] = {}
    for certificate, weight in found.weights:
        estimate = estimates[certificate.event_id]
        share = weight * estimate.value / mean
        var += share * share * estimate.var
        for source, u in estimate.parts.items():
            parts[source] = parts.get(source, 0.0) + share * u
    return Estimate(mean, var, parts)


def _averaged(
    analyte: str, certificates: Sequence[Certificate], estimates: Mapping[str, Estimate]
) -> Word:
    """Return the mean of the newest of each laboratory where they agree, else the newest."""
    newest = certificates[-1]
    if len(certificates) == 1:
        return Word(((newest, 1.0),))
    dry = newest.assayed.results[analyte].dry
    by_lab = {c.assayed.lab: c for c in certificates if c.assayed.results[analyte].dry == dry}
    several = sorted(by_lab.values(), key=_order)
    variances = [_variance(estimates[c.event_id]) for c in several]
    if len(several) == 1 or min(variances) <= 0.0:
        return Word(((newest, 1.0),))
    values = [estimates[c.event_id].value for c in several]
    scale = math.fsum(1.0 / v for v in variances)
    weights = [1.0 / v / scale for v in variances]
    mean = math.fsum(w * x for w, x in zip(weights, values, strict=True))
    q = math.fsum((x - mean) ** 2 / v for x, v in zip(values, variances, strict=True))
    labs = ", ".join(f"{c.assayed.lab} {estimates[c.event_id].value:.4%}" for c in several)
    compared = Compared(q, len(several) - 1, f"{analyte}: {labs} (chi-square {q:.1f})")
    if compared.differ():
        return Word(((newest, 1.0),), compared)
    return Word(tuple(zip(several, weights, strict=True)), compared)


def _exchanged(
    analyte: str, certificates: Sequence[Certificate], limit: float, rule: UmpireRule
) -> Word | None:
    """Return what an exchange under a contract leads to; None where nobody exchanged."""
    exchanged = [c for c in certificates if c.assayed.stage == EXCHANGED]
    seller = _newest(exchanged, "seller")
    buyer = _newest(exchanged, "buyer")
    if seller and buyer and _basis(seller, analyte) != _basis(buyer, analyte):
        buyer = None  # nothing was exchanged that could be compared
    if seller is None or buyer is None:
        only = seller or buyer
        return None if only is None or _umpires(certificates) else Word(((only, 1.0),))
    s, b = seller.assayed.results[analyte], buyer.assayed.results[analyte]
    apart = abs(s.fraction - b.fraction)
    mean = Word(((seller, 0.5), (buyer, 0.5)))
    # Fractions are written in percent: a last bit must not call an umpire.
    if apart <= limit * (1.0 + 1e-9):
        return mean
    umpires = [c for c in _umpires(certificates) if c.assayed.results[analyte].dry == s.dry]
    if not umpires:
        detail = f"{analyte}: seller {s.fraction:.4%}, buyer {b.fraction:.4%}, limit {limit:.4%}"
        return mean._replace(umpire_due=detail)
    return _umpired(analyte, seller, buyer, umpires[-1], rule)


def _umpired(
    analyte: str, seller: Certificate, buyer: Certificate, umpire: Certificate, rule: UmpireRule
) -> Word:
    s, b, u = (c.assayed.results[analyte].fraction for c in (seller, buyer, umpire))
    nearer = seller if abs(s - u) <= abs(b - u) else buyer
    if rule is UmpireRule.MEAN_WITH_NEARER:
        return Word(((umpire, 0.5), (nearer, 0.5)))
    if rule is UmpireRule.BETWEEN_OR_NEARER and not min(s, b) <= u <= max(s, b):
        return Word(((nearer, 1.0),))
    return Word(((umpire, 1.0),))


def _basis(certificate: Certificate, analyte: str) -> bool:
    return certificate.assayed.results[analyte].dry


def _umpires(certificates: Sequence[Certificate]) -> list[Certificate]:
    return [c for c in certificates if c.assayed.stage == UMPIRE]


def _newest(certificates: Sequence[Certificate], party: str) -> Certificate | None:
    mine = [c for c in certificates if c.assayed.party == party]
    return mine[-1] if mine else None


def _variance(estimate: Estimate) -> float:
    relative = estimate.var + math.fsum(u * u for u in estimate.parts.values())
    return relative * estimate.value * estimate.value


def _order(certificate: Certificate) -> tuple[int, int, str]:
    return certificate.at, certificate.known, certificate.event_id


@lru_cache(maxsize=1024)
def _chi2_limit(degrees: int, tests: int) -> float:
    # Whoever only asks the books reads reference data, and has no SciPy installed.
    from scipy import special  # type: ignore[import-untyped]  # it ships no types

    return float(special.chdtri(degrees, DISAGREE_P / tests))
