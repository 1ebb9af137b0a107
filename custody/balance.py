"""What an account holds, said with its uncertainty."""

from typing import NamedTuple

from custody import carried as travelling
from custody.estimate import Estimate, relative, said, sigma, times
from custody.events import Micros
from custody.held import Carried
from custody.knowledge import Amount, Knowledge
from custody.records import Balance, Metal

DECLARED = "declared"
WEIGHED = "weighed"
EMPTY = "empty"


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


def of_place(here: Here, knowledge: Knowledge, stamp: Stamp, carried: Carried) -> Balance:
    """Return the balance of a lot at a place.

    Values are the sums of the postings, exactly; the uncertainties are those of the estimate the
    postings were made to agree with.
    """
    name, total = here.name, here.total
    wet = relative(here.wet)
    dry = times(wet, knowledge.dryness)
    wet_u, wet_parts = said(here.wet)
    dry_u, dry_parts = said(dry, dry.value)
    metals: list[Metal] = []
    for analyte, grade in knowledge.grades.items():
        value = total.amounts.get(analyte, 0)
        metal = times(dry, grade)
        u_random, parts = said(metal, metal.value * 1000.0)
        metals.append(
            Metal(analyte=analyte, value_mg=value, u_random_mg=u_random, u_systematic_mg=parts)
        )
    # Twelve digits: 1 - 0.92 is not 0.08 in binary, and this is read by people.
    moisture = round(1.0 - knowledge.dryness.value, 12)
    return Balance(
        sender="",
        n=0,
        owner=stamp.owner,
        account=f"{stamp.owner}/{name}",
        lot_id=stamp.lot_id,
        process_id=stamp.process_id,
        place=name,
        status=WEIGHED if total.wet else EMPTY,
        at=stamp.at,
        known_at=stamp.known,
        mass_wet_g=total.wet,
        mass_wet_u_random_g=wet_u,
        mass_wet_u_systematic_g=wet_parts,
        # More dry than wet was declared by somebody: the masses are said, a moisture is not.
        moisture_fraction=moisture if moisture >= 0.0 else None,
        moisture_u_fraction=sigma(knowledge.dryness) * knowledge.dryness.value,
        mass_dry_g=total.dry,
        mass_dry_u_random_g=dry_u,
        mass_dry_u_systematic_g=dry_parts,
        metals=tuple(metals),
        origins=travelling.said_origins(carried),
        metal_origins=travelling.said_metal_origins(carried),
        shares=travelling.said_shares(carried),
        attributes=travelling.said_attributes(carried.attributes),
    )


def declared(site: str, stamp: Stamp, carried: Carried) -> Balance:
    """Return the balance of a lot that nobody has weighed: it holds nothing yet."""
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
        origins=travelling.said_origins(carried),
        metal_origins=travelling.said_metal_origins(carried),
        shares=travelling.said_shares(carried),
        attributes=travelling.said_attributes(carried.attributes),
    )
