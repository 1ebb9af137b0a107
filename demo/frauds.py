"""The six frauds of the day: two thefts, two swaps, two dilutions, each sized by what can be seen.

A size is 1.5 to 3 times the smallest one that the lot's own measurements show nine times in ten
(``demo/power.py``), so a good detector must find all of them and a poor one will not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from demo.journey import Tampering, movement_id, station_of
from demo.lots import Lot, draw_composite
from demo.plant import MINE_BIR, MINE_DUN, Composition
from demo.power import (
    detectable_share,
    detectable_theft_kg,
    mixed,
    needed_for_change,
    needed_for_waste,
    ratio_u,
)

TIMES_DETECTABLE = (1.7, 2.7)
"""Range the sizes are drawn from; inside 1.5 to 3 so that rounding cannot leave it."""
SHARE_MAX = 0.5
"""No swap or dilution replaces more of a load; with more to hide, another lot is taken."""
BARREN_RESIDUE = 0.03
"""Barren waste still has this share of the ore's analytes."""


@dataclass(frozen=True, slots=True)
class Fraud:
    """One fraud as it truly was.

    Attributes:
        kind: ``theft``, ``swap`` or ``dilution``.
        lot_id: On which lot.
        movement_id: On which truck's trip.
        size: Kilograms of wet mass stolen, or share of the dry mass replaced.
        change: What that does to the mass or, root mean square, to the analytes: a fraction.
        unit: ``kg`` or ``fraction``.
        detectable: Smallest size found nine times in ten, same unit.
        analyte: What shows it best: ``mass``, or the analyte that moved most in its uncertainty.
        sign: -1 where that falls at the receiver, +1 where it rises.
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


Plan = dict[str, tuple[Fraud, Tampering]]
"""By lot_id."""


def plan_frauds(seed: int, lots: Sequence[Lot]) -> Plan:
    """Return the frauds of a seed over the day's ore lots, at most one per lot.

    One theft is on a lot of several trucks, the others are on lots of one truck.
    """
    rng = Random(f"{seed}/frauds")
    several = [lot for lot in lots if 1 < len(lot.loads) <= 7]
    single = [lot for lot in lots if len(lot.loads) == 1]
    plan: Plan = {}
    for kind, pool in (
        ("theft", several),
        ("theft", single),
        ("swap", single),
        ("swap", single),
        ("dilution", single),
        ("dilution", single),
    ):
        lot, found = _commit(kind, [x for x in pool if x.lot_id not in plan], rng)
        plan[lot.lot_id] = found
    return plan


def _commit(kind: str, pool: Sequence[Lot], rng: Random) -> tuple[Lot, tuple[Fraud, Tampering]]:
    for lot in rng.sample(pool, len(pool)):
        found = _steal(lot, rng) if kind == "theft" else _replace(kind, lot, rng)
        if found is not None:
            return lot, found
    message = f"no lot of {len(pool)} is fit for a {kind}"
    raise ValueError(message)


def _steal(lot: Lot, rng: Random) -> tuple[Fraud, Tampering]:
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


def _replace(kind: str, lot: Lot, rng: Random) -> tuple[Fraud, Tampering] | None:
    material = _barren(lot) if kind == "dilution" else _foreign(lot, rng)
    u = ratio_u(
        lot.composition,
        lot.moisture,
        station_of(lot, receiving=False),
        station_of(lot, receiving=True),
    )
    needed = needed_for_waste() if kind == "dilution" else needed_for_change(tuple(u))
    least = detectable_share(lot.composition, material, u, needed)
    times = rng.uniform(*TIMES_DETECTABLE)
    if least is None or least * times > SHARE_MAX:
        return None
    share = least * times
    after = mixed(lot.composition, material, share)
    shifts = {a: math.log(after[a] / f) for a, f in lot.composition.items()}
    most = max(shifts, key=lambda a: abs(shifts[a]) / u[a])
    sign = 1 if shifts[most] > 0 else -1
    change = math.hypot(*(math.expm1(x) for x in shifts.values())) / math.sqrt(len(shifts))
    trip = movement_id(lot, 0)
    fraud = Fraud(kind, lot.lot_id, trip, share, change, "fraction", least, most, sign)
    return fraud, Tampering(share=share, material=material)


def _barren(lot: Lot) -> Composition:
    return {a: f * BARREN_RESIDUE for a, f in lot.composition.items()}


def _foreign(lot: Lot, rng: Random) -> Composition:
    """Return poor ore of the other mine: at most a third of this lot's copper."""
    other = MINE_BIR if lot.site == MINE_DUN else MINE_DUN
    candidates = [draw_composite(other, rng)[0] for _ in range(12)]
    return min(candidates, key=lambda c: c["Cu"])
