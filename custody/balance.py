"""What an account holds, said with its uncertainty."""

from typing import NamedTuple

from custody import carried as travelling
from custody.estimate import NOTHING, Estimate, relative, said, sigma, times
from custody.events import Micros
from custody.held import Carried
from custody.knowledge import Amount, Knowledge
from custody.records import Balance, Metal, Part

DECLARED = "declared"
WEIGHED = "weighed"
EMPTY = "empty"

_Uncertainty = tuple[float, tuple[Part, ...]]
"""Random standard uncertainty and the systematic parts."""


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
        carried: What its material carries.
    """

    __slots__ = ("_knowledge", "_moisture_u", "_per_dry", "_shares", "_stamp")

    def __init__(self, knowledge: Knowledge, stamp: Stamp, carried: Carried) -> None:
        self._knowledge = knowledge
        self._stamp = stamp
        self._shares = travelling.said(carried)
        self._moisture_u = sigma(knowledge.dryness) * knowledge.dryness.value
        self._per_dry: dict[str, Estimate] | None = None

    @property
    def shares(self) -> travelling.Said:
        """What its material carries, as each balance says it."""
        return self._shares

    def of_place(self, here: Here) -> Balance:
        """Return the balance of the lot at a place.

        Values are the sums of the postings, exactly; the uncertainties are those of the estimate
        the postings were made to agree with.
        """
        stamp, total, shares = self._stamp, here.total, self._shares
        wet_u, wet_parts = said(here.wet)
        dry, metals = self._empty(total) if here.wet == NOTHING else self._contained(here)
        # Twelve digits: 1 - 0.92 is not 0.08 in binary, and this is read by people.
        moisture = round(1.0 - self._knowledge.dryness.value, 12)
        return Balance(
            sender="",
            n=0,
            owner=stamp.owner,
            account=f"{stamp.owner}/{here.name}",
            lot_id=stamp.lot_id,
            process_id=stamp.process_id,
            place=here.name,
            status=WEIGHED if total.wet else EMPTY,
            at=stamp.at,
            known_at=stamp.known,
            mass_wet_g=total.wet,
            mass_wet_u_random_g=wet_u,
            mass_wet_u_systematic_g=wet_parts,
            # More dry than wet was declared by somebody: the masses are said, a moisture is not.
            moisture_fraction=moisture if moisture >= 0.0 else None,
            moisture_u_fraction=self._moisture_u,
            mass_dry_g=total.dry,
            mass_dry_u_random_g=dry[0],
            mass_dry_u_systematic_g=dry[1],
            metals=metals,
            origins=shares.origins,
            metal_origins=shares.metal_origins,
            shares=shares.shares,
            attributes=travelling.said_attributes(total.amounts),
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
                Metal(analyte=analyte, value_mg=value, u_random_mg=u, u_systematic_mg=parts)
            )
        return said(dry, dry.value), tuple(metals)

    def _empty(self, total: Amount) -> tuple[_Uncertainty, tuple[Metal, ...]]:
        """Return the same of a place that holds exactly nothing, and what is still posted to it."""
        return (0.0, ()), tuple(
            [
                Metal(
                    analyte=analyte,
                    value_mg=total.amounts.get(analyte, 0),
                    u_random_mg=0.0,
                    u_systematic_mg=(),
                )
                for analyte in self._knowledge.grades
            ]
        )

    def declared(self, site: str) -> Balance:
        """Return the balance of the lot while nobody has weighed it: it holds nothing yet."""
        stamp, shares = self._stamp, self._shares
        return Balance(
            sender="",
            n=0,
            owner=stamp.owner,
            account=f"{stamp.owner}/{site}",
            lot_id=stamp.lot_id,
            process_id=stamp.process_id,
            place=site,
            status=DECLARED,
            at=stamp.at,
            known_at=stamp.known,
            mass_wet_g=0,
            mass_wet_u_random_g=0.0,
            mass_wet_u_systematic_g=(),
            moisture_fraction=None,
            moisture_u_fraction=None,
            mass_dry_g=0,
            mass_dry_u_random_g=0.0,
            mass_dry_u_systematic_g=(),
            metals=(),
            origins=shares.origins,
            metal_origins=shares.metal_origins,
            shares=shares.shares,
            attributes=(),
        )
