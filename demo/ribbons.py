"""Places for a network of amounts: boxes in layers, joined by ribbons as thick as what flows.

Pure geometry, in a square of one by one with y upwards; whoever draws it stretches it. A ribbon
that passes a layer gets a place there as if it were a box, so that nothing runs over a box.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 24
"""Times the order within the layers is improved; it is at rest long before."""
GAPS_MAX = 0.8
"""Share of the height that the room between boxes may take."""
PASSING_GAP = 0.35
"""Room beside a passing ribbon, as a share of the room beside a box."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An amount above zero from one node to another."""

    source: str
    target: str
    amount: float


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: its layer from 0, and from where to where it reaches, upwards."""

    name: str
    layer: int
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Half-way between its ends."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Ribbon:
    """An edge's way: its lower side at each layer it touches, and how thick it is."""

    edge: Edge
    layers: tuple[int, ...]
    lows: tuple[float, ...]
    thick: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes and ribbons; ``scale`` is height per amount."""

    boxes: Mapping[str, Box]
    ribbons: tuple[Ribbon, ...]
    scale: float

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return 1 + max(box.layer for box in self.boxes.values())


class Ring(ValueError):
    """A node leads back to itself: there are no layers."""


def layout(edges: Sequence[Edge], gap: float) -> Layout:
    """Return where boxes and ribbons go.

    Args:
        edges: Amounts above zero, without a ring.
        gap: Least room between two boxes of a layer, a share of the height; less where a layer
            of many boxes would have no room for the boxes.

    Raises:
        Ring: The edges lead in a circle.
    """
    layer = layers_of(edges)
    ways = {edge: _way(edge, layer) for edge in edges}
    columns = _columns(ways, layer)
    sizes = _sizes(ways)
    _order(columns, ways)
    gap = min(gap, *(GAPS_MAX / max(sum(_gaps(column, 1.0)), 1.0) for column in columns))
    scale = min(_scale(column, sizes, gap) for column in columns)
    boxes = {
        node: Box(node.name, number, low, low + sizes[node] * scale)
        for number, column in enumerate(columns)
        for node, low in _stacked(column, sizes, scale, gap)
    }
    ribbons = _ribbons(ways, boxes, scale)
    return Layout(
        {node.name: box for node, box in boxes.items() if not node.passing}, ribbons, scale
    )


@dataclass(frozen=True, slots=True, order=True)
class _Node:
    """A node in a layer, or an edge that passes it."""

    name: str
    layer: int
    passing: str = ""


_Ways = Mapping[Edge, tuple[_Node, ...]]


def layers_of(edges: Sequence[Edge]) -> dict[str, int]:
    """Return each node's layer: one after the last of its sources, a source before its targets.

    Raises:
        Ring: The edges lead in a circle.
    """
    names = list(dict.fromkeys(name for e in edges for name in (e.source, e.target)))
    layer = dict.fromkeys(names, 0)
    for _ in names:
        late = [e for e in edges if layer[e.target] <= layer[e.source]]
        if not late:
            break
        for e in late:
            layer[e.target] = max(layer[e.target], layer[e.source] + 1)
    else:
        message = f"these nodes lead in a circle: {', '.join(names)}"
        raise Ring(message)
    targets = {e.target for e in edges}
    for name in names:
        if name not in targets:
            layer[name] = min(layer[e.target] for e in edges if e.source == name) - 1
    return layer


def _way(edge: Edge, layer: Mapping[str, int]) -> tuple[_Node, ...]:
    first, last = layer[edge.source], layer[edge.target]
    name = f"{edge.source} > {edge.target}"
    between = (_Node(name, number, passing=name) for number in range(first + 1, last))
    return (_Node(edge.source, first), *between, _Node(edge.target, last))


def _columns(ways: _Ways, layer: Mapping[str, int]) -> list[list[_Node]]:
    columns: list[list[_Node]] = [[] for _ in range(1 + max(layer.values()))]
    for node in dict.fromkeys(node for way in ways.values() for node in way):
        columns[node.layer].append(node)
    return columns


def _sizes(ways: _Ways) -> dict[_Node, float]:
    """Return how much each node takes in or gives out, whichever is more."""
    into: dict[_Node, float] = defaultdict(float)
    out: dict[_Node, float] = defaultdict(float)
    for edge, way in ways.items():
        for before, after in pairwise(way):
            out[before] += edge.amount
            into[after] += edge.amount
    return {node: max(into[node], out[node]) for node in (*into, *out)}


def _order(columns: list[list[_Node]], ways: _Ways) -> None:
    """Sort each layer by where its neighbours stand, forwards and back, so that few cross."""
    before: dict[_Node, list[tuple[_Node, float]]] = defaultdict(list)
    after: dict[_Node, list[tuple[_Node, float]]] = defaultdict(list)
    for edge, way in ways.items():
        for one, other in pairwise(way):
            before[other].append((one, edge.amount))
            after[one].append((other, edge.amount))
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        beside = before if forwards else after
        for column in columns if forwards else reversed(columns):
            place = _places(columns)
            column.sort(key=lambda node: _mean(node, beside, place))


def _places(columns: Sequence[Sequence[_Node]]) -> dict[_Node, float]:
    """Return where each node stands in its layer, from 0 to 1."""
    return {
        node: (number + 0.5) / len(column)
        for column in columns
        for number, node in enumerate(column)
    }


def _mean(
    node: _Node, beside: Mapping[_Node, Sequence[tuple[_Node, float]]], place: Mapping[_Node, float]
) -> float:
    found = beside.get(node)
    if not found:
        return place[node]
    return sum(place[other] * amount for other, amount in found) / sum(a for _, a in found)


def _gaps(column: Sequence[_Node], gap: float) -> list[float]:
    """Return the room above each node of a layer but the last."""
    return [
        gap * (PASSING_GAP if one.passing or other.passing else 1)
        for one, other in pairwise(column)
    ]


def _scale(column: Sequence[_Node], sizes: Mapping[_Node, float], gap: float) -> float:
    return (1.0 - sum(_gaps(column, gap))) / sum(sizes[node] for node in column)


def _stacked(
    column: Sequence[_Node], sizes: Mapping[_Node, float], scale: float, gap: float
) -> Iterator[tuple[_Node, float]]:
    """Yield the lower ends of a layer's nodes; what room is left is shared between them."""
    gaps = _gaps(column, gap)
    spare = 1.0 - sum(gaps) - scale * sum(sizes[node] for node in column)
    share = spare / (len(column) + 1)
    low = share
    for node, room in zip(column, [*gaps, 0.0], strict=True):
        yield node, low
        low += sizes[node] * scale + room + share


def _ribbons(ways: _Ways, boxes: Mapping[_Node, Box], scale: float) -> tuple[Ribbon, ...]:
    """Return the ribbons; those of one box lie in the order of their other ends."""
    starts: dict[Edge, float] = {}
    stops: dict[Edge, float] = {}
    for ends, at, nearest in ((starts, 0, 1), (stops, -1, -2)):
        by_node: dict[_Node, list[Edge]] = defaultdict(list)
        for edge, way in ways.items():
            by_node[way[at]].append(edge)
        for node, touching in by_node.items():
            low = boxes[node].low
            for edge in sorted(touching, key=lambda e: boxes[ways[e][nearest]].middle):
                ends[edge] = low
                low += edge.amount * scale
    return tuple(
        Ribbon(
            edge,
            tuple(node.layer for node in way),
            (starts[edge], *(boxes[node].low for node in way[1:-1]), stops[edge]),
            edge.amount * scale,
        )
        for edge, way in ways.items()
    )
