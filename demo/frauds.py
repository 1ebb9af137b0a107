"""The frauds of the day, each sized by what the lot's own measurements can show.

A size is 1.5 to 3 times the smallest one that they show nine times in ten (``demo/power.py``), so a
good detector must find all of them, under the name of what was done, and a poor one will not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from demo.fingerprints import fingerprints
from demo.journey import HONEST, Tampering, movement_id, station_of
from demo.lots import Lot, draw_composite
from demo.plant import MINE_BIR, MINE_DUN, Composition
from demo.power import (
    detectable_share,
    detectable_theft_kg,
    detectable_water,
    difference_u,
    distance,
    mixed,
    needed_for_change,
    needed_for_direction,
    standing_out,
    station_u,
)

KINDS = ("theft", "theft", "water", "waste", "swap", "blend")
"""What is put in, in this order; the first is on a lot of several trucks, the others on one."""
FAMILIES = {
    "theft": "loss",
    "water": "water",
    "waste": "waste",
    "swap": "foreign_material",
    "blend": "origin_mismatch",
}
"""What an alert must call each kind."""

TIMES_DETECTABLE = (1.7, 2.7)
"""Range the sizes are drawn from; inside 1.5 to 3 so that rounding cannot leave it."""
SHARE_MAX = {"waste": 0.5, "swap": 0.5, "blend": 0.8}
"""No more of a load is replaced; with more to hide, another lot is taken."""
BARREN_RESIDUE = 0.03
"""Barren waste still has this share of the ore's analytes."""
CANDIDATES = 12
"""Composites of the other mine from which the poorest is taken."""


@dataclass(frozen=True, slots=True)
class Fraud:
    """One fraud as it truly was.

    Attributes:
        kind: One of ``KINDS``.
        lot_id: On which lot.
        movement_id: On which truck's trip; of a blend, the trip after it.
        size: Kilograms of wet mass stolen, or share of the dry mass replaced.
        change: The same as a fraction: of what the truck carried, or of the dry mass.
        unit: ``kg`` or ``fraction``.
        detectable: Smallest size found nine times in ten, same unit.
        analyte: What shows it best: ``mass``, ``dry share``, or the analyte that moved most in its
            uncertainty.
        sign: -1 where that is less than it would be, +1 where it is more.
    """

    kind: str
    lot_id: str
    movement_id: str
    size: float
    change: float
    unit: str
    detectable: float
    analyte: str
    sign: int

    @property
    def family(self) -> str:
        """What an alert must call it."""
        return FAMILIES[self.kind]


Plan = dict[str, tuple[Fraud, Tampering]]
"""By lot_id."""
_Found = tuple[Fraud, Tampering]


def plan_frauds(seed: int, lots: Sequence[Lot], kinds: Sequence[str] = KINDS) -> Plan:
    """Return the frauds of a seed over the day's ore lots, at most one per lot.

    Args:
        seed: What they are drawn from.
        lots: The ore lots as they are ready to leave.
        kinds: What is put in.
    """
    rng = Random(f"{seed}/frauds")
    several = [lot for lot in lots if 1 < len(lot.loads) <= 7]
    single = [lot for lot in lots if len(lot.loads) == 1]
    plan: Plan = {}
    for no, kind in enumerate(kinds):
        pool = several if kind == "theft" and no == 0 else single
        lot, found = _commit(kind, [x for x in pool if x.lot_id not in plan], rng)
        plan[lot.lot_id] = found
    return plan


def tampering_of(plan: Plan, lot: Lot) -> Tampering:
    """Return what is done to a lot."""
    return plan[lot.lot_id][1] if lot.lot_id in plan else HONEST


def _commit(kind: str, pool: Sequence[Lot], rng: Random) -> tuple[Lot, _Found]:
    for lot in rng.sample(pool, len(pool)):
        found = _try(kind, lot, rng)
        if found is not None:
            return lot, found
    message = f"no lot of {len(pool)} is fit for: {kind}"
    raise ValueError(message)


def _try(kind: str, lot: Lot, rng: Random) -> _Found | None:
    """Return a fraud of a kind on a lot; None where the lot is not fit for it."""
    match kind:
        case "theft":
            return _steal(lot, rng)
        case "water":
            return _water(lot, rng)
        case "blend":
            return _blend(lot, rng)
        case _:
            return _replace(kind, lot, rng)


def _steal(lot: Lot, rng: Random) -> _Found:
    load = rng.choice(lot.loads)
    gross = load.tare_kg + load.dry_kg / (1 - lot.moisture)
    stored = load.stored_tare_kg is not None
    trucks = len(lot.loads)
    least = detectable_theft_kg(gross, load.tare_kg, stored_tare=stored, trucks=trucks)
    size = least * rng.uniform(*TIMES_DETECTABLE)
    trip = movement_id(lot, load.truck_no)
    change = size / (gross - load.tare_kg)
    fraud = Fraud("theft", lot.lot_id, trip, size, change, "kg", least, "mass", -1)
    return fraud, Tampering(truck_no=load.truck_no, stolen_wet_kg=size)


def _water(lot: Lot, rng: Random) -> _Found:
    """Steal dry mass and make the truck weigh the same with water."""
    least = detectable_water(lot.moisture)
    size = least * rng.uniform(*TIMES_DETECTABLE)
    trip = movement_id(lot, 0)
    fraud = Fraud("water", lot.lot_id, trip, size, size, "fraction", least, "dry share", -1)
    return fraud, Tampering(watered=size)


def _replace(kind: str, lot: Lot, rng: Random) -> _Found | None:
    """Replace part of a load on the road, by barren waste or by poor ore of the other mine.

    A swap is sized by what no waste could do: by how the analytes differ from one another. Waste
    is put where the receiver has the lot assayed: shots at wet ore see the same where water was
    added that the oven does not show.
    """
    if kind == "waste" and not lot.receipt_assay:
        return None
    ends = (station_of(lot, receiving=False), station_of(lot, receiving=True))
    doubt = difference_u(lot.composition, lot.moisture, *ends)
    if kind == "waste":
        material: Composition = {a: f * BARREN_RESIDUE for a, f in lot.composition.items()}
        needed = needed_for_direction()
    else:
        material = _foreign(lot, rng)
        doubt, needed = doubt.of_differences(), needed_for_change(lot.composition)
    return _sized(kind, (lot, material), needed, partial(distance, doubt=doubt), rng)


def _blend(lot: Lot, rng: Random) -> _Found | None:
    """Mix ore of the other mine into a lot before anybody measures it.

    Lots of its own mine differ, and the blend must stand out of them. Zinc-rich ore does in poor
    ore; the other way round nearly all of a lot would have to be replaced.
    """
    if lot.site != MINE_DUN:
        return None
    own = fingerprints()[lot.site]
    doubt = station_u(lot.composition, lot.moisture, station_of(lot, receiving=False))
    seen = partial(standing_out, own=own, doubt=doubt)
    needed = needed_for_change(lot.composition)
    return _sized("blend", (lot, _foreign(lot, rng)), needed, seen, rng)


def _sized(
    kind: str,
    into: tuple[Lot, Composition],
    needed: float,
    seen: Callable[[Composition, Composition], float],
    rng: Random,
) -> _Found | None:
    """Return how much of a material is put into a lot; None where that is not to be done.

    Args:
        kind: What it is.
        into: The lot and the material.
        needed: Distance at which nine of ten are found.
        seen: Distance between what is expected and what there is.
        rng: Decides how much more than the smallest size it is.
    """
    lot, material = into
    before = lot.composition
    least = detectable_share(before, material, seen, needed)
    times = rng.uniform(*TIMES_DETECTABLE)
    if least is None or least * times > SHARE_MAX[kind]:
        return None
    share = least * times
    after = mixed(before, material, share)
    shifts = {a: math.log(after[a] / f) for a, f in before.items()}
    most = max(shifts, key=lambda a: seen(before, {**before, a: after[a]}))
    sign = 1 if shifts[most] > 0 else -1
    trip = movement_id(lot, 0)
    fraud = Fraud(kind, lot.lot_id, trip, share, share, "fraction", least, most, sign)
    return fraud, Tampering(share=share, material=material, at_origin=kind == "blend")


def _foreign(lot: Lot, rng: Random) -> Composition:
    """Return poor ore of the other mine."""
    other = MINE_BIR if lot.site == MINE_DUN else MINE_DUN
    candidates = [draw_composite(other, rng)[0] for _ in range(CANDIDATES)]
    return min(candidates, key=lambda c: c["Cu"])
