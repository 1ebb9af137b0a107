"""One lot's way back to the mines: which lots and processes, with their shares of mass and metal.

What owners handed each other stands in the table ``content``, the last word per cause; what a mine
gave a lot is a transfer from its origin. A share is that of the lot at the root: through a process
it is split by what went in, by dry mass and by metal apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from demo.outcome import number
from demo.ribbons import Edge
from runtime.client import Warehouse

MINE = "mine/"
REST = "rest/"
"""Begins the name of a node that stands for several lots."""
SHOWN_MAX = 20
"""Lots shown by themselves of those that go into one process; the rest is one node."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What one owner gave another: grams dry, milligrams of the metal."""

    giver: str
    taker: str
    dry_g: int
    metal_mg: int


@dataclass(frozen=True, slots=True)
class Strand:
    """A step of the way, with the shares of the root that went through it."""

    giver: str
    taker: str
    dry: float
    metal: float


def read_handed(warehouse: Warehouse, mark: str, analyte: str) -> list[Handed]:
    """Return what owners of a day gave each other, origins included."""
    rows = warehouse.rows(_HANDED, {"mark": mark, "analyte": analyte})
    return [
        Handed(
            str(row["giver"]),
            str(row["taker"]),
            int(number(row["dry_g"])),
            int(number(row["metal_mg"])),
        )
        for row in rows
    ]


_METAL = "arraySum((a, v) -> a = {analyte:String} ? v : 0, `metals.analyte`, `metals.value_mg`)"
_HANDED = f"""
SELECT giver, taker, sum(dry_g) AS dry_g, sum(metal_mg) AS metal_mg
FROM (
    SELECT from_owner AS giver, to_owner AS taker, mass_dry_g AS dry_g, {_METAL} AS metal_mg
    FROM (
        SELECT * FROM custody.content
        WHERE position(to_owner, {{mark:String}}) > 0
        ORDER BY from_owner, to_owner, cause_event_id, n DESC
        LIMIT 1 BY from_owner, to_owner, cause_event_id
    )
    -- What a lot gives back of an output once it is measured has no wet mass, and is no input.
    WHERE NOT void AND mass_wet_g > 0
    UNION ALL
    SELECT concat('mine/', splitByChar('/', debit)[2]), concat('lot/', lot_id), mass_dry_g, {_METAL}
    FROM custody.transfer
    WHERE startsWith(debit, 'origin/') AND position(lot_id, {{mark:String}}) > 0
)
GROUP BY giver, taker HAVING dry_g > 0
ORDER BY giver, taker
"""  # noqa: S608  put together from constants of this module


def trace_back(handed: Sequence[Handed], root: str) -> list[Strand]:
    """Return the strands that lead to an owner, nearest first.

    An owner's share is known once all it gave is; a ring would never be, and ends the way.

    Args:
        handed: What was given.
        root: The owner whose shares are 1.
    """
    into: dict[str, list[Handed]] = defaultdict(list)
    for one in handed:
        into[one.taker].append(one)
    reached = _reached(into, root)
    waiting = {
        name: sum(one.giver == name for taker in reached for one in into[taker]) for name in reached
    }
    shares = defaultdict(lambda: (0.0, 0.0), {root: (1.0, 1.0)})
    strands: list[Strand] = []
    ready = [root]
    while ready:
        taker = ready.pop(0)
        for strand in _split(into[taker], shares[taker]):
            strands.append(strand)
            dry, metal = shares[strand.giver]
            shares[strand.giver] = (dry + strand.dry, metal + strand.metal)
            waiting[strand.giver] -= 1
            if not waiting[strand.giver]:
                ready.append(strand.giver)
    return strands


def _reached(into: Mapping[str, Sequence[Handed]], root: str) -> list[str]:
    reached = [root]
    for taker in reached:
        reached += [
            name for name in dict.fromkeys(one.giver for one in into.get(taker, ()))
            if name not in reached
        ]  # fmt: skip
    return reached


def _split(given: Sequence[Handed], share: tuple[float, float]) -> list[Strand]:
    dry = sum(one.dry_g for one in given)
    metal = sum(one.metal_mg for one in given)
    return [
        Strand(
            one.giver,
            one.taker,
            share[0] * one.dry_g / dry if dry else 0.0,
            share[1] * one.metal_mg / metal if metal else 0.0,
        )
        for one in given
    ]


def folded(strands: Sequence[Strand], shown_max: int = SHOWN_MAX) -> list[Strand]:
    """Return the strands with the smallest lots of each process as one node.

    Args:
        strands: As ``trace_back`` gives them.
        shown_max: Lots shown of those that came from mines only, per process; those with the
            most metal are.
    """
    made = {s.taker for s in strands if not s.giver.startswith(MINE)}
    groups: dict[str, list[Strand]] = defaultdict(list)
    for strand in strands:
        if strand.giver.startswith("lot/") and strand.giver not in made:
            groups[strand.taker].append(strand)
    names: dict[str, str] = {}
    for taker, group in groups.items():
        rest = sorted(group, key=lambda s: (-s.metal, s.giver))[shown_max:]
        if len(rest) > 1:
            name = f"{REST}{len(rest)} more lots/{taker}"
            names |= {strand.giver: name for strand in rest}
    return _merged(
        replace(s, giver=names.get(s.giver, s.giver), taker=names.get(s.taker, s.taker))
        for s in strands
    )


def _merged(strands: Iterable[Strand]) -> list[Strand]:
    sums: dict[tuple[str, str], Strand] = {}
    for one in strands:
        key = one.giver, one.taker
        before = sums.get(key)
        dry, metal = (before.dry, before.metal) if before is not None else (0.0, 0.0)
        sums[key] = replace(one, dry=dry + one.dry, metal=metal + one.metal)
    return list(sums.values())


def shares_of(strands: Sequence[Strand], root: str) -> dict[str, tuple[float, float]]:
    """Return each node's share of the root's dry mass and metal."""
    shares: dict[str, tuple[float, float]] = {root: (1.0, 1.0)}
    for one in strands:
        dry, metal = shares.get(one.giver, (0.0, 0.0))
        shares[one.giver] = (dry + one.dry, metal + one.metal)
    return shares


def edges_of(strands: Sequence[Strand]) -> list[Edge]:
    """Return the network to draw, as shares of the root's metal."""
    return [Edge(one.giver, one.taker, one.metal) for one in strands if one.metal > 0]
