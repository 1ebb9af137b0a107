"""What is known of a lot's material, as a value: amounts follow from it.

Source:
    docs/ledger.md, "What is known of a lot's material" and "Amounts".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from custody import metrology
from custody.estimate import Estimate, absolute, over, relative
from custody.held import DRY, Held
from custody.lot_rows import Basis, Cause
from custody.rows import Finding

__all__ = ["Amount", "Cause", "Knowledge", "came", "last_of"]


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
        rates: Millionths per milligram of dry mass by attribute.
        cause: The last fact it rests on; None where all is default.
        unmeasured: Dry share where the lot's own facts do not give it.
        handed: Grades that processes handed over.
        basis: What the lot's own facts say.
        certified: Analytes that a certificate gives.
        moist: A certificate gives the moisture.
        expected: Analytes nobody measured: what separations are expected to have given.
        findings: What rules about certificates have found.
        totals: Millionths per gram of wet mass, of attributes given for the whole lot or handed
            over with it: what is learnt of its moisture changes no total.
        own: What is known of what a lot has of its own, where processes handed over more.
    """

    dryness: Estimate
    grades: dict[str, Estimate]
    rates: dict[str, float]
    cause: Cause | None
    unmeasured: float
    handed: Mapping[str, float]
    basis: Basis
    certified: frozenset[str]
    moist: bool
    findings: list[Finding]
    totals: Mapping[str, float] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    own: "Knowledge | None" = None

    def amount(self, wet: int) -> Amount:
        """Return what a wet mass holds, each figure rounded half-even."""
        dry = wet * self.dryness.value
        return Amount(wet, round(dry), self.contained(wet, dry))

    def came(self, held: Held) -> Estimate:
        """Return the wet mass of what a process handed over, grams."""
        return came(held, self.dryness if self.moist else None)

    def contained(self, wet: int, dry: float) -> dict[str, int]:
        """Return metals and attributes of a mass, grams wet and dry."""
        amounts = {a: round(dry * grade.value * 1000.0) for a, grade in self.grades.items()}
        return amounts | self._attributes(wet, dry)

    def _attributes(self, wet: int, dry: float) -> dict[str, int]:
        """Return attributes of a mass, grams wet and dry; each rounded once."""
        rates, totals = self.rates, self.totals
        return {
            key: round(dry * rates.get(key, 0.0) * 1000.0 + wet * totals.get(key, 0.0))
            for key in {**rates, **totals}
        }

    def amount_on(self, wet: int, basis: Basis) -> Amount:
        """Return what a wet mass was taken to hold when less was known (``Basis``).

        What does not come from the lot's own facts (a default moisture, a grade handed over by a
        process) is taken as of now, because their order says nothing about it; so are attributes,
        which nobody measures at a scale. What was handed over counts before shots and
        declarations, as in ``grades``.
        """
        moisture = basis.moisture
        dry = wet * (self.unmeasured if moisture is None else 1.0 - moisture)
        amounts = {a: round(dry * fraction * 1000.0) for a, fraction in self.handed.items()}
        for mass, fractions in ((dry, basis.dry), (wet if dry else 0, basis.as_is)):
            for analyte, fraction in fractions.items():
                if basis.counts(analyte, self.handed):
                    amounts[analyte] = round(mass * fraction * 1000.0)
        return Amount(wet, round(dry), amounts | self._attributes(wet, dry))


def came(held: Held, certified: Estimate | None) -> Estimate:
    """Return the wet mass of what a process handed over, grams.

    Of an output that states its dry mass alone the process worked it out with the moisture of what
    went in. A certificate's moisture is that of the output: it tells the wet mass, and what it is
    uncertain by is in that and not in the dry mass.

    Args:
        held: What was handed over.
        certified: Dry share by a certificate, in relative form; None where none gives a moisture.
    """
    if held.stated != DRY or certified is None:
        return Estimate(float(held.wet), held.wet_u**2, held.wet_parts)
    dry = Estimate(float(held.dry), held.dry_u**2, held.dry_parts)
    wet = over(relative(dry), certified)
    return absolute(wet._replace(value=float(metrology.wet_of(held.dry, certified.value))))


def last_of(causes: Sequence[Cause]) -> Cause | None:
    """Return the last of some facts in canonical order."""
    return max(causes, default=None)
