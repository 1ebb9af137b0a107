"""The lots of the day: real intervals of drill holes, cut into two mines, loaded on trucks."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from random import Random

from demo.plant import CONCENTRATOR, DEPOT, MINE_BIR, MINE_DUN, MINES, Composition

DATA = Path(__file__).parent / "data" / "babbitt.csv.gz"

ORE_LOTS = 298
"""With the blend and the concentrate the day has 300 lots."""
CONVOY_TRUCKS = 33
SEVERAL_TRUCKS = 12
"""Lots on two to seven trucks, beside the convoy."""
STORED_TARE_SHARE = 0.15
MINE_HOLES_SHARE = 1 / 3
"""Share of the drill holes that are a mine: those with the least sulphur per copper are one, those
with the most the other, and the third between them is nobody's."""
DEPOT_SHARE = {MINE_DUN: 0.35, MINE_BIR: 0.55}
"""Share of a mine's lots that goes to the depot; the rest goes to the concentrator."""
CU_RANGE = (0.0015, 0.015)
NI_MIN = 0.0005
S_RANGE = (0.002, 0.05)
"""Massive sulphide, above, is kept apart: it does not go down the road with ore."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One assayed interval of a drill hole; fractions of dry mass."""

    hole: str
    from_ft: float
    to_ft: float
    cu: float
    ni: float
    s: float


@dataclass(frozen=True, slots=True)
class HostRock:
    """SYNTHETIC: what a mine's rock holds besides its real Cu, Ni and S; fractions of dry mass.

    Attributes:
        iron: In silicates; what sulphur binds comes on top.
        cobalt_per_nickel: Cobalt that follows nickel, mass per mass.
        zinc: A trace of its own.
    """

    iron: float
    cobalt_per_nickel: float
    zinc: float


HOST_ROCK = {
    MINE_DUN: HostRock(iron=0.085, cobalt_per_nickel=0.06, zinc=0.00011),
    MINE_BIR: HostRock(iron=0.065, cobalt_per_nickel=0.09, zinc=0.00085),
}
"""SYNTHETIC. One is a troctolite; the other, with much sulphur per copper, has taken up slate of
its footwall: rich in zinc, with less iron."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one truck carries: true dry mass and true tare."""

    truck_no: int
    vehicle_id: str
    dry_kg: float
    tare_kg: float
    stored_tare_kg: int | None


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as it truly is at one moment.

    Attributes:
        lot_id: Carries the seed, so that two days can share one stack.
        site: Where it is, or where it comes from while it travels.
        to_site: Where the next leg leads.
        composition: True fractions of dry mass.
        moisture: True moisture, fraction of wet mass.
        loads: One per truck.
        ready_at: When it was declared, or came to rest at its site.
        form: ``ore`` or ``concentrate``.
        source: Drill hole and depth the composition comes from.
        receipt_assay: Whether the receiver has it assayed.
    """

    lot_id: str
    site: str
    to_site: str
    composition: Composition
    moisture: float
    loads: tuple[Load, ...]
    ready_at: datetime
    form: str = "ore"
    source: str = ""
    receipt_assay: bool = False

    @property
    def dry_kg(self) -> float:
        """True dry mass, kilograms."""
        return sum(load.dry_kg for load in self.loads)

    @property
    def wet_kg(self) -> float:
        """True wet mass, kilograms."""
        return self.dry_kg / (1.0 - self.moisture)


@cache
def read_intervals() -> tuple[Interval, ...]:
    """Return the demo's intervals in file order (hole, then depth)."""
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as lines:
        return tuple(
            Interval(
                row["hole"],
                float(row["from_ft"]),
                float(row["to_ft"]),
                float(row["cu_pct"]) / 100,
                float(row["ni_pct"]) / 100,
                float(row["s_pct"]) / 100,
            )
            for row in csv.DictReader(lines)
        )


@cache
def runs_by_mine() -> dict[str, tuple[tuple[Interval, ...], ...]]:
    """Return, per mine, runs of three consecutive intervals or more that touch each other.

    The holes are sorted by sulphur per copper, both weighted by length; see ``MINE_HOLES_SHARE``.
    """
    holes = {hole: list(found) for hole, found in groupby(read_intervals(), key=lambda i: i.hole)}
    ranked = sorted(holes, key=lambda hole: (_sulphur_per_copper(holes[hole]), hole))
    count = round(len(ranked) * MINE_HOLES_SHARE)
    mines = {MINE_DUN: ranked[:count], MINE_BIR: ranked[-count:]}
    return {
        mine: tuple(run for hole in sorted(own) for run in _touching(holes[hole]) if len(run) >= 3)
        for mine, own in mines.items()
    }


def _sulphur_per_copper(intervals: Sequence[Interval]) -> float:
    return _weighted(intervals, "s") / _weighted(intervals, "cu")


def _touching(intervals: list[Interval]) -> list[tuple[Interval, ...]]:
    runs: list[list[Interval]] = [[intervals[0]]]
    for above, below in pairwise(intervals):
        if abs(above.to_ft - below.from_ft) > 0.05:
            runs.append([])
        runs[-1].append(below)
    return [tuple(run) for run in runs]


def draw_composite(mine: str, rng: Random) -> tuple[Composition, str]:
    """Return the composition of three to five consecutive intervals of a mine, and their place.

    Composites out of ``CU_RANGE`` and ``S_RANGE`` or below ``NI_MIN`` are drawn again: no mine
    sends them.
    """
    for _ in range(10_000):
        run = rng.choice(runs_by_mine()[mine])
        size = min(rng.randint(3, 5), len(run))
        start = rng.randrange(len(run) - size + 1)
        part = run[start : start + size]
        cu, ni, s = (_weighted(part, name) for name in ("cu", "ni", "s"))
        if CU_RANGE[0] <= cu <= CU_RANGE[1] and ni >= NI_MIN and S_RANGE[0] <= s <= S_RANGE[1]:
            where = f"{part[0].hole} {part[0].from_ft:g}-{part[-1].to_ft:g} ft"
            return {"Cu": cu, "Ni": ni, "S": s, **synthetic_analytes(mine, ni, s, rng)}, where
    message = f"no composite of {mine} is within the cut-offs"
    raise ValueError(message)


def _weighted(part: Sequence[Interval], name: str) -> float:
    length = sum(i.to_ft - i.from_ft for i in part)
    total = sum((i.to_ft - i.from_ft) * float(getattr(i, name)) for i in part)
    return total / length


def synthetic_analytes(mine: str, ni: float, s: float, rng: Random) -> dict[str, float]:
    """Return SYNTHETIC Fe, Co and Zn beside real Ni and S, as fractions of dry mass.

    Iron is that of the host rock plus what pyrrhotite and pentlandite bind to sulphur; cobalt
    follows nickel; zinc is a trace of its own. Plausible, not measured: the drill holes have none
    of them.
    """
    rock = HOST_ROCK[mine]
    return {
        "Fe": (rock.iron + 0.9 * s) * rng.lognormvariate(0.0, 0.08),
        "Co": (0.00004 + rock.cobalt_per_nickel * ni) * rng.lognormvariate(0.0, 0.12),
        "Zn": rock.zinc * rng.lognormvariate(0.0, 0.25),
    }


def draw_lots(seed: int, midnight: datetime) -> list[Lot]:
    """Return the day's ore lots in the order of their numbers; the first is the convoy."""
    rng = Random(f"{seed}/lots")
    counts = [CONVOY_TRUCKS, *(rng.randint(2, 7) for _ in range(SEVERAL_TRUCKS))]
    counts += [1] * (ORE_LOTS - len(counts))
    lots = [_draw_lot(seed, no, trucks, midnight, rng) for no, trucks in enumerate(counts, 1)]
    # The convoy needs five hours of loading and must meet the day's end.
    convoy = replace(lots[0], ready_at=midnight + timedelta(minutes=35), to_site=CONCENTRATOR)
    return [convoy, *lots[1:]]


def _draw_lot(seed: int, no: int, trucks: int, midnight: datetime, rng: Random) -> Lot:
    mine = rng.choice(MINES)
    composition, source = draw_composite(mine, rng)
    moisture = rng.uniform(0.025, 0.07)
    return Lot(
        lot_id=f"L-{seed}-{no:04d}",
        site=mine,
        to_site=DEPOT if rng.random() < DEPOT_SHARE[mine] else CONCENTRATOR,
        composition=composition,
        moisture=moisture,
        loads=tuple(
            draw_load(n, rng.gauss(29_800, 700) * (1 - moisture), rng) for n in range(trucks)
        ),
        ready_at=midnight + timedelta(seconds=rng.randrange(1_800, 32_400)),
        source=source,
        receipt_assay=rng.random() < 0.35,
    )


def draw_load(truck_no: int, dry_kg: float, rng: Random) -> Load:
    """Return a truck's load; some trucks travel with a stored tare they have drifted from."""
    tare = rng.gauss(14_900, 350)
    stored = round(tare / 20) * 20 if rng.random() < STORED_TARE_SHARE else None
    true_tare = tare if stored is None else stored + rng.gauss(0.0, 22.0)
    return Load(truck_no, f"MN {rng.randrange(1_000, 9_999)} TK", dry_kg, true_tare, stored)
