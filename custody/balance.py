"""What an account holds, said with its uncertainty."""

from typing import NamedTuple

from custody import accounts
from custody.carried import Said, said_attributes
from custody.estimate import NOTHING, Estimate, relative, said, sigma, times
from custody.events import Micros
from custody.knowledge import Amount, Knowledge
from custody.records import Balance, Metal, Part

DECLARED = "declared"
WEIGHED = "weighed"
EMPTY = "empty"

_Uncertainty = tuple[float, tuple[Part, ...]]
"""Random standard uncertainty and the systematic parts."""

_EXACT: _Uncertainty = (0.0, ())


class Stamp(NamedTuple):
    """Whose balance, and when: ``at`` is the newest fact's time, ``known`` when it was recorded."""

    owner: str
    lot_id: str | None
    process_id: str | None
    at: Micros
    known: Micros


class Here(NamedTuple):
    """A place: its name, what lies there by its postings, and the wet mass with its u."""

    name: str
    total: Amount
    wet: Estimate


class Balances:
    """Says the balances of one lot in one step: they share knowledge and what is carried.

    Args:
        knowledge: What is known of its material.
        stamp: Whose balances, and when.
        shares: What its material carries, as records have it.
    """

    __slots__ = ("_knowledge", "_moisture", "_per_dry", "_shares", "_stamp")

    def __init__(self, knowledge: Knowledge, stamp: Stamp, shares: Said) -> None:
        self._knowledge = knowledge
        self._stamp = stamp
        self._shares = shares
        dryness = knowledge.dryness
        # Twelve digits: 1 - 0.92 is not 0.08 in binary, and this is read by people.
        moisture = round(1.0 - dryness.value, 12)
        # More dry than wet was declared by somebody: the masses are said, a moisture is not.
        self._moisture = (
            moisture if moisture >= 0.0 else None,
            sigma(dryness) * dryness.value,
        )
        self._per_dry: dict[str, Estimate] | None = None

    def of_place(self, here: Here) -> Balance:
        """Return the balance of the lot at a place.

        Values are the sums of the postings, exactly; the uncertainties are those of the estimate
        the postings were made to agree with.
        """
        total, is_empty = here.total, here.wet == NOTHING
        dry, metals = self._empty(total) if is_empty else self._contained(here)
        status = WEIGHED if total.wet else EMPTY
        # Nothing has no moisture; and what is learnt of it later is not said of an empty place.
        moisture = (None, None) if is_empty else self._moisture
        return self._said(here.name, status, total, (said(here.wet), dry), metals, moisture)

    def declared(self, site: str) -> Balance:
        """Return the balance of the lot while nobody has weighed it: it holds nothing yet."""
        nothing = Amount(0, 0, {})
        return self._said(site, DECLARED, nothing, (_EXACT, _EXACT), (), (None, None))

    def _said(
        self,
        place: str,
        status: str,
        total: Amount,
        known: tuple[_Uncertainty, _Uncertainty],
        metals: tuple[Metal, ...],
        moisture: tuple[float | None, float | None],
    ) -> Balance:
        stamp, shares = self._stamp, self._shares
        (wet_u, wet_parts), (dry_u, dry_parts) = known
        return Balance(
            sender="",
            n=0,
            owner=stamp.owner,
            account=accounts.at(stamp.owner, place),
            lot_id=stamp.lot_id,
            process_id=stamp.process_id,
            place=place,
            status=status,
            at=stamp.at,
            known_at=stamp.known,
            mass_wet_g=total.wet,
            mass_wet_u_random_g=wet_u,
            mass_wet_u_systematic_g=wet_parts,
            moisture_fraction=moisture[0],
            moisture_u_fraction=moisture[1],
            mass_dry_g=total.dry,
            mass_dry_u_random_g=dry_u,
            mass_dry_u_systematic_g=dry_parts,
            metals=metals,
            origins=shares.origins,
            metal_origins=shares.metal_origins,
            shares=shares.shares,
            attributes=said_attributes(total.amounts),
        )

    def _contained(self, here: Here) -> tuple[_Uncertainty, tuple[Metal, ...]]:
        """Return how well the dry mass is known, and the metals in it."""
        knowledge, amounts = self._knowledge, here.total.amounts
        if self._per_dry is None:
            dryness = knowledge.dryness
            self._per_dry = {a: times(dryness, grade) for a, grade in knowledge.grades.items()}
        wet = relative(here.wet)
        dry = times(wet, knowledge.dryness)
        metals: list[Metal] = []
        for analyte, share in self._per_dry.items():
            metal = times(wet, share)
            u, parts = said(metal, metal.value * 1000.0)
            value = amounts.get(analyte, 0)
            metals.append(
                Metal(
                    analyte=analyte,
                    value_mg=value,
                    u_random_mg=u,
                    u_systematic_mg=parts,
                    expected=analyte in knowledge.expected,
                )
            )
        return said(dry, dry.value), tuple(metals)

    def _empty(self, total: Amount) -> tuple[_Uncertainty, tuple[Metal, ...]]:
        """Return the same of a place that holds exactly nothing, and what is still posted to it."""
        u, parts = _EXACT
        return _EXACT, tuple(
            [
                Metal(
                    analyte=analyte,
                    value_mg=total.amounts.get(analyte, 0),
                    u_random_mg=u,
                    u_systematic_mg=parts,
                    expected=analyte in self._knowledge.expected,
                )
                for analyte in self._knowledge.grades
            ]
        )
