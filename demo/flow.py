"""The day's flow of one contained metal, as a network: what the transfers net to between places.

Every figure is a sum over transfers. Lots lie together by site; a truck on the road belongs to the
site it goes to, so that what the road loses is lost there. What a node holds in the end is what
came in less what went out, so in equals out.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from demo.day import Day
from demo.outcome import number
from demo.plant import DEPOT, SMELTER
from demo.ribbons import Edge
from runtime.client import Warehouse

ORIGIN = "origin/"
UNACCOUNTED = "unaccounted"
MORE = "more"
"""Where the books got what was measured later and not before: unaccounted, from the other side."""
ROAD = "road"
"""Where a truck is that has not arrived anywhere."""
STOCK = "stock/"
BLEND = "blend"
CONCENTRATE = "concentrate"


@dataclass(frozen=True, slots=True)
class Net:
    """What transfers net to from one node to another, milligrams."""

    source: str
    target: str
    mg: int


def read_flow(warehouse: Warehouse, day: Day, analyte: str) -> list[Net]:
    """Return the net amounts between the nodes of a day, as the warehouse sums them.

    Args:
        warehouse: Where to ask.
        day: Names what is drawn by itself: the blend and the concentrate.
        analyte: The metal.
    """
    blend, campaign = day.processes
    names = {
        "mark": f"-{day.seed}-",
        "analyte": analyte,
        "blended": blend.output.lot_id,
        "blend": blend.process_id,
        "depot": DEPOT,
        "concentrate": campaign.output.lot_id,
    }
    rows = warehouse.rows(_FLOW, names)
    return [Net(str(r["source"]), str(r["target"]), int(number(r["mg"]))) for r in rows]


def read_as_of(warehouse: Warehouse, mark: str) -> datetime:
    """Return when the newest of a day's transfers became known, UTC."""
    (row,) = warehouse.rows(_AS_OF, {"mark": mark})
    return datetime.fromisoformat(str(row["at"]))


_AS_OF = """
SELECT toString(max(known_at)) AS at FROM custody.transfer
WHERE position(lot_id, {mark:String}) > 0 OR position(process_id, {mark:String}) > 0
"""


def _node(account: str) -> str:
    """Return the expression that names the node of an account; ``ahead`` is where a truck goes."""
    part = f"splitByChar('/', {account})"
    return f"""multiIf(
        {part}[1] = 'origin', {account},
        {part}[1] = 'unaccounted', '{UNACCOUNTED}',
        {part}[1] = 'loss', concat('loss/', {part}[3]),
        {account} = concat('process/', {{blend:String}}), '{BLEND}',
        {part}[1] = 'process', {account},
        {part}[2] = {{blended:String}} AND {part}[3] = {{depot:String}}, '{BLEND}',
        {part}[2] = {{concentrate:String}}, '{CONCENTRATE}',
        {part}[3] = 'transit', ahead,
        {part}[3])"""


_FLOW = f"""
WITH legs AS (
    SELECT movement_id, any(splitByChar('/', credit)[3]) AS site
    FROM custody.transfer WHERE kind = 'receipt' GROUP BY movement_id
)
SELECT source, target, sum(mg) AS mg
FROM (
    SELECT if(empty(legs.site), '{ROAD}', legs.site) AS ahead,
        {_node("debit")} AS source, {_node("credit")} AS target,
        arraySum((a, v) -> a = {{analyte:String}} ? v : 0, `metals.analyte`, `metals.value_mg`)
            AS mg
    FROM custody.transfer
    LEFT JOIN legs ON legs.movement_id = transfer.movement_id
    WHERE position(lot_id, {{mark:String}}) > 0 OR position(process_id, {{mark:String}}) > 0
)
WHERE source != target
GROUP BY source, target HAVING mg != 0
ORDER BY source, target
"""  # noqa: S608  put together from constants of this module


def edges_of(nets: Iterable[Net]) -> list[Edge]:
    """Return the network to draw, milligrams; in equals out at every node but its ends.

    An origin is drawn as the site itself, two directions as their difference, and what is left at
    a node as its stock. What was measured to be more than booked comes from ``MORE``.
    """
    held: dict[str, int] = defaultdict(int)
    between: dict[tuple[str, str], int] = defaultdict(int)
    for net in nets:
        held[net.source] -= net.mg
        held[net.target] += net.mg
        first, second = sorted((net.source, net.target))
        between[first, second] += net.mg if net.source == first else -net.mg
    edges = [_edge(first, second, mg) for (first, second), mg in between.items() if mg]
    edges = [edge for edge in edges if not edge.source.startswith(ORIGIN)]
    stocks = [Edge(node, STOCK + node, mg) for node, mg in held.items() if mg > 0 and _holds(node)]
    return edges + stocks


def _edge(first: str, second: str, mg: int) -> Edge:
    source, target = (first, second) if mg > 0 else (second, first)
    return Edge(MORE if source == UNACCOUNTED else source, target, abs(mg))


def _holds(node: str) -> bool:
    return not node.startswith((ORIGIN, "loss/")) and node != UNACCOUNTED


def supplies(nets: Iterable[Net]) -> dict[str, int]:
    """Return what came from each origin, milligrams by site."""
    found: dict[str, int] = defaultdict(int)
    for net in nets:
        if net.source.startswith(ORIGIN):
            found[net.source.removeprefix(ORIGIN)] += net.mg
    return dict(found)


def labels(day: Day, names: Iterable[str]) -> dict[str, str]:
    """Return what a person calls each node, one line or two."""
    blend, campaign = day.processes
    known = {
        UNACCOUNTED: "unaccounted",
        MORE: "measured later:\nmore",
        BLEND: f"blend\n{blend.output.lot_id}",
        CONCENTRATE: f"concentrate\n{campaign.output.lot_id}",
        f"process/{campaign.process_id}": f"campaign\n{campaign.process_id}",
        "loss/tailings": "tailings",
        ROAD: "on the road",
        STOCK + ROAD: "not arrived",
        STOCK + CONCENTRATE: f"at {SMELTER}",
    }
    return {name: known.get(name, name.replace(STOCK, "left at\n")) for name in names}
