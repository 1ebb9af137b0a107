"""The lots of the day: real intervals of drill holes, cut into two mines, loaded on trucks."""

import csv
import gzip
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
DEPOT_SHARE = {MINE_DUN: 0.35, MINE_BIR: 0.55}
"""Share of a mine's lots that goes to the depot; the rest goes to the concentrator."""
CU_RANGE = (0.0015, 0.015)
NI_MIN = 0.0005
S_MIN = 0.002


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

    The holes, sorted by name as text, are halved: the first half is one mine, the second the other.
    """
    holes = sorted({i.hole for i in read_intervals()})
    first = set(holes[: len(holes) // 2])
    runs: dict[str, list[tuple[Interval, ...]]] = {mine: [] for mine in MINES}
    for hole, intervals in groupby(read_intervals(), key=lambda i: i.hole):
        mine = MINE_DUN if hole in first else MINE_BIR
        runs[mine].extend(run for run in _touching(list(intervals)) if len(run) >= 3)
    return {mine: tuple(found) for mine, found in runs.items()}


def _touching(intervals: list[Interval]) -> list[tuple[Interval, ...]]:
    runs: list[list[Interval]] = [[intervals[0]]]
    for above, below in pairwise(intervals):
        if abs(above.to_ft - below.from_ft) > 0.05:
            runs.append([])
        runs[-1].append(below)
    return [tuple(run) for run in runs]


def draw_composite(mine: str, rng: Random) -> tuple[Composition, str]:
    """Return the composition of three to five consecutive intervals of a mine, and their place.

    Composites below the cut-off (``CU_RANGE``, ``NI_MIN``, ``S_MIN``) are drawn again: no mine
    sends them.
    """
    for _ in range(10_000):
        run = rng.choice(runs_by_mine()[mine])
        size = min(rng.randint(3, 5), len(run))
        start = rng.randrange(len(run) - size + 1)
        part = run[start : start + size]
        cu, ni, s = (_weighted(part, name) for name in ("cu", "ni", "s"))
        if CU_RANGE[0] <= cu <= CU_RANGE[1] and ni >= NI_MIN and s >= S_MIN:
            where = f"{part[0].hole} {part[0].from_ft:g}-{part[-1].to_ft:g} ft"
            return {"Cu": cu, "Ni": ni, "S": s, **synthetic_analytes(ni, s, rng)}, where
    message = f"no composite of {mine} is above the cut-off"
    raise ValueError(message)


def _weighted(part: tuple[Interval, ...], name: str) -> float:
    length = sum(i.to_ft - i.from_ft for i in part)
    total = sum((i.to_ft - i.from_ft) * float(getattr(i, name)) for i in part)
    return total / length


def synthetic_analytes(ni: float, s: float, rng: Random) -> dict[str, float]:
    """Return SYNTHETIC Fe, Co and Zn beside real Ni and S, as fractions of dry mass.

    Iron is that of a troctolite plus what pyrrhotite and pentlandite bind to sulphur; cobalt
    follows nickel; zinc is a trace of its own. Plausible, not measured: the drill holes have none
    of them.
    """
    return {
        "Fe": (0.085 + 0.9 * s) * rng.lognormvariate(0.0, 0.08),
        "Co": (0.00004 + 0.06 * ni) * rng.lognormvariate(0.0, 0.12),
        "Zn": 0.00011 * rng.lognormvariate(0.0, 0.25),
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
