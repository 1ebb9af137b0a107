"""What a lot was made of, or where it went, at any instant: the walk with its figures."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from custody.errors import Refused
from custody.genealogy import DRY, LOT, PROCESS, Graph, Way, contributions, descent, told
from runtime import ancestry
from runtime.ancestry import Carried, Held
from runtime.client import JsonObject
from runtime.lineage import (
    BACK,
    FORWARD,
    NOW,
    Ask,
    Moment,
    cut_short,
    edges_into,
    walk,
)


class NoLineage(Refused):
    """Nothing is known of a lot at an instant."""

    def __init__(self, lot_id: str, moment: Moment) -> None:
        when = "" if moment.at == NOW else f" at {moment.at}"
        when += "" if moment.known == NOW else f", as known {moment.known}"
        super().__init__(
            f"lot {lot_id}: no transfer of it{when}",
            expected="a lot of which the worker has posted a transfer by then",
            next_step=f"custody balance {lot_id}; custody verify",
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """A walk with its figures.

    Attributes:
        graph: Edges into everything that was reached.
        way: How it was reached.
        shares: By quantity and node: of the lot (back), or of the node (forward); 0 to 1.
        told: Nodes of which a metal's share is known, by analyte; forward only.
        held: What lots hold; forward only.
        carried: Shares that travel with lots.
        back: The walk goes back.
    """

    graph: Graph
    way: Way
    shares: Mapping[str, Mapping[str, float]]
    told: Mapping[str, AbstractSet[str]]
    held: Mapping[str, Held]
    carried: Mapping[str, Carried]
    back: bool

    @property
    def lot(self) -> str:
        """Owner path of the lot it begins at."""
        return self.way.order[0]


def trace(ask: Ask, lot_id: str, moment: Moment, depth: int, *, back: bool) -> Lineage:
    """Return a lot's lineage with its figures; blocks.

    Raises:
        NoLineage: Nothing was posted of the lot by then.
    """
    direction = BACK if back else FORWARD
    way = walk(ask, LOT + lot_id, direction, depth, moment)
    graph = edges_into(ask, way.order, moment)
    if max(way.steps.values()) == 2 * depth:
        way = cut_short(ask, way, graph, direction, moment)
    ancestry.complete(ask, graph, way.order, moment)
    lots, _ = ancestry.split(way.order)
    holds = ancestry.held(ask, [lot_id] if back else lots, moment)
    if len(way.order) == 1 and lot_id not in holds:
        raise NoLineage(lot_id, moment)
    reckon = contributions if back else descent
    own = holds[lot_id].metals_mg if lot_id in holds else {}
    analytes = sorted({*graph.analytes(), *own})
    shares = {q: reckon(graph, way, q) for q in (DRY, *analytes)}
    known = {} if back else {q: told(graph, way, q) for q in analytes}
    return Lineage(graph, way, shares, known, holds, ancestry.carried(ask, lots, moment), back)


def rows_of(found: Lineage) -> list[JsonObject]:
    """Return one object per node, those reached first first, then the largest share."""
    way = found.way
    ordered = sorted(way.order, key=lambda n: (way.steps[n], -found.shares[DRY][n], n))
    return [row_of(found, node) for node in ordered]


def row_of(found: Lineage, node: str) -> JsonObject:
    """Return one node as an object: shares 0 to 1, grams, milligrams."""
    lot, process = (node.removeprefix(p) if node.startswith(p) else None for p in (LOT, PROCESS))
    share = {q: by_node[node] for q, by_node in found.shares.items()}
    metals = {q: part for q, part in share.items() if q != DRY and part}
    row: JsonObject = {
        "lot_id": lot,
        "process_id": process,
        "steps": found.way.steps[node],
        "share_dry_fraction": share[DRY],
        "share_metal_fraction": metals,
    }
    if not found.back:
        holds = found.held.get(lot) if lot is not None else None
        row["held_dry_g"] = None if holds is None else round(holds.dry_g * share[DRY])
        row["held_metal_mg"] = (
            None
            if holds is None
            else {
                a: round(v * share[a])
                for a, v in holds.metals_mg.items()
                if node in found.told.get(a, ())
            }
        )
    said = found.carried.get(lot) if lot is not None else None
    row["origins"] = {} if said is None else dict(said.origins)
    follow = found.graph.parents if found.back else found.graph.children
    row["next"] = [other for other in follow(node) if other in found.way.steps]
    return row
