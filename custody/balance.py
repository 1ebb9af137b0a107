"""What an account holds, said with its uncertainty."""

from collections.abc import Mapping
from typing import NamedTuple

from custody.estimate import Estimate, relative, said, sigma, times
from custody.events import Micros
from custody.knowledge import Knowledge
from custody.place import Place
from custody.records import Balance, Metal, OriginShare
from custody.rows import Held

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


def of_place(
    name: str,
    place: Place,
    knowledge: Knowledge,
    stamp: Stamp,
    origins: tuple[OriginShare, ...],
) -> Balance:
    """Return the balance of a lot at a place.

    Values are the sums of the postings, exactly; the uncertainties are those of the estimate the
    postings were made to agree with.
    """
    wet = relative(place.estimate)
    dry = times(wet, knowledge.dryness)
    wet_u, wet_parts = said(place.estimate)
    dry_u, dry_parts = said(dry, dry.value)
    metals: list[Metal] = []
    for analyte, value in place.metals.items():
        grade = knowledge.grades.get(analyte)
        if grade is None:
            continue
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
        status=WEIGHED if place.wet else EMPTY,
        at=stamp.at,
        known_at=stamp.known,
        mass_wet_g=place.wet,
        mass_wet_u_random_g=wet_u,
        mass_wet_u_systematic_g=wet_parts,
        # More dry than wet was declared by somebody: the masses are said, a moisture is not.
        moisture_fraction=moisture if moisture >= 0.0 else None,
        moisture_u_fraction=sigma(knowledge.dryness) * knowledge.dryness.value,
        mass_dry_g=place.dry,
        mass_dry_u_random_g=dry_u,
        mass_dry_u_systematic_g=dry_parts,
        metals=tuple(metals),
        origins=origins,
    )


def milligrams(grams: Estimate) -> Estimate:
    """Return an estimate of grams in relative form as one of milligrams."""
    return grams._replace(value=grams.value * 1000.0)


def declared(site: str, stamp: Stamp, origins: tuple[OriginShare, ...]) -> Balance:
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
        origins=origins,
    )


def shares(
    declared_origins: list[tuple[str, str, float]], given: Mapping[str, Held]
) -> tuple[OriginShare, ...]:
    """Return the origins of a lot's dry mass; what is not said is ``unknown``.

    Args:
        declared_origins: As declared (level, id, share).
        given: What processes handed over, which tells more than a declaration.
    """
    weighted: list[tuple[str, str, float]] = list(declared_origins)
    total = sum(held.dry for held in given.values())
    if total > 0:
        weighted = [
            (level, name, share * held.dry)
            for held in given.values()
            for level, name, share in held.origins
        ]
    else:
        total = 1
    amounts: dict[tuple[str, str], float] = {}
    for level, name, amount in weighted:
        amounts[level, name] = amounts.get((level, name), 0.0) + amount
    # Sums of floats pass one by their last bit, and a record beyond its limits is read by nobody.
    amounts = {key: min(max(amount / total, 0.0), 1.0) for key, amount in amounts.items()}
    rest = 1.0 - sum(amounts.values())
    if rest > 1e-9:
        amounts["unknown", ""] = min(amounts.get(("unknown", ""), 0.0) + rest, 1.0)
    return tuple(
        [OriginShare(level=level, id=name, share=s) for (level, name), s in sorted(amounts.items())]
    )
