"""Who is made of whom: proportional mixing over the edges between lots and processes.

A process mixes what it is given: whatever it puts out holds of each input the input's share of all
inputs. A lot mixes what processes put into it with what came from outside the books. So the share
of an ancestor is the sum over all paths of the product of the shares along the path, reckoned once
per edge in topological order, however many paths there are.

Shares are asked of one *quantity*: dry mass, or one contained metal. A process that *separates*
mixes its dry mass by its key analyte, be it physical, as a concentrator that divides ore into
concentrate and tailings, or chemical, as a smelter that makes something else of it
(``custody.kinds``): a tonne of flux gives nothing to the cathode, though it weighs as much as a
tonne of matte.

A ring (slag that goes back into its furnace) is named, and reckoned to its end: what goes round is
sent round again until next to nothing is left, which is exact because mixing is linear. Only a ring
that nothing ever entered has no answer; it keeps what it has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

DRY = "dry"
"""The quantity dry mass; every other one is an analyte."""

LOT, PROCESS = "lot/", "process/"

Neighbours = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Edge:
    """What one owner has given to another, compensations taken off.

    Attributes:
        parent: Owner that gave, as a path.
        child: Owner that received.
        wet_g: Wet mass, grams.
        dry_g: Dry mass, grams.
        metals_mg: Contained metal by analyte, milligrams.
    """

    parent: str
    child: str
    wet_g: int
    dry_g: int
    metals_mg: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a lot got from outside the books, as by its first weighing: grams and milligrams."""

    dry_g: int
    metals_mg: Mapping[str, int]


@dataclass(slots=True)
class Graph:
    """Edges by both ends.

    Attributes:
        into: By child.
        out: By parent.
        entries: What lots got from outside the books.
        keys: Key analyte of processes that separate, physical or chemical.
    """

    into: dict[str, list[Edge]] = field(default_factory=dict)
    out: dict[str, list[Edge]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    _pairs: set[tuple[str, str]] = field(default_factory=set)

    def add(self, edges: Iterable[Edge]) -> None:
        """Add edges, each pair of owners once; a pair that is in already is left."""
        for edge in edges:
            pair = (edge.parent, edge.child)
            if pair not in self._pairs:
                self._pairs.add(pair)
                self.into.setdefault(edge.child, []).append(edge)
                self.out.setdefault(edge.parent, []).append(edge)

    def parents(self, node: str) -> list[str]:
        """Return who gave to a node, by name."""
        return sorted(edge.parent for edge in self.into.get(node, ()))

    def children(self, node: str) -> list[str]:
        """Return whom a node gave to, by name."""
        return sorted(edge.child for edge in self.out.get(node, ()))

    def analytes(self) -> list[str]:
        """Return every analyte that an edge or an entry carries, by name."""
        carried = [e.metals_mg for edges in self.into.values() for e in edges]
        carried += [entry.metals_mg for entry in self.entries.values()]
        return sorted({analyte for metals in carried for analyte in metals})


@dataclass(frozen=True, slots=True)
class Way:
    """A walk from one lot.

    Attributes:
        steps: Edges from the lot to each node that was reached, at least.
        order: The nodes, each after all it was reached through.
        closing: Edges (from, to in the direction of the walk) that close a ring.
        rings: Each ring as the nodes along it, the first again at its end.
        cut: Nodes at the greatest depth that lead on.
    """

    steps: Mapping[str, int]
    order: tuple[str, ...]
    closing: frozenset[tuple[str, str]]
    rings: tuple[tuple[str, ...], ...]
    cut: frozenset[str]


def reach(start: str, neighbours: Neighbours, steps_max: int) -> Way:
    """Walk from a node, breadth first for the steps and depth first for the order.

    Args:
        start: Where to begin.
        neighbours: Parents for a walk back, children for one forward.
        steps_max: Edges that are followed at most.
    """
    steps = {start: 0}
    level, cut = [start], set[str]()
    while level:
        following: list[str] = []
        for node in level:
            for other in neighbours(node):
                if other in steps:
                    continue
                if steps[node] == steps_max:
                    cut.add(node)
                    break
                steps[other] = steps[node] + 1
                following.append(other)
        level = following
    order, closing, rings = _ordered(start, lambda n: [o for o in neighbours(n) if o in steps])
    return Way(steps, order, frozenset(closing), tuple(rings), frozenset(cut))


def _ordered(
    start: str, neighbours: Neighbours
) -> tuple[tuple[str, ...], set[tuple[str, str]], list[tuple[str, ...]]]:
    """Return topological order and what closes rings; no recursion, for a chain may be long."""
    done: list[str] = []
    closing: set[tuple[str, str]] = set()
    rings: list[tuple[str, ...]] = []
    path, on_path, seen = [start], {start: 0}, {start}
    waiting = [iter(neighbours(start))]
    while waiting:
        node = path[-1]
        other = next(waiting[-1], None)
        if other is None:
            waiting.pop()
            path.pop()
            del on_path[node]
            done.append(node)
        elif other in on_path:
            closing.add((node, other))
            rings.append((*path[on_path[other] :], other))
        elif other not in seen:
            seen.add(other)
            on_path[other] = len(path)
            path.append(other)
            waiting.append(iter(neighbours(other)))
    return tuple(reversed(done)), closing, rings


def mix(graph: Graph, node: str, quantity: str) -> dict[str, float]:
    """Return the share of each parent in what a node got; with its entry they add up to 1.

    Args:
        graph: The edges.
        node: A lot or a process.
        quantity: ``DRY`` or an analyte.

    Returns:
        Shares by parent, none where nothing of the quantity came in.
    """
    edges = graph.into.get(node, ())
    weighed = graph.keys.get(node, quantity) if quantity == DRY else quantity
    amounts = [_amount(edge, weighed) for edge in edges]
    if weighed != quantity and not sum(amounts):
        weighed, amounts = quantity, [_amount(edge, quantity) for edge in edges]
    entry = graph.entries.get(node)
    whole = sum(amounts) + (0 if entry is None else _amount(entry, weighed))
    if not whole:
        return {}
    return {edge.parent: amount / whole for edge, amount in zip(edges, amounts, strict=True)}


def _amount(held: Edge | Entry, quantity: str) -> int:
    """Return grams or milligrams; less than nothing, as corrections may leave, is nothing."""
    return max(0, held.dry_g if quantity == DRY else held.metals_mg.get(quantity, 0))


ROUNDS_MAX = 200
"""Rounds in a ring; half of a furnace's feed going back leaves 1e-60 after so many."""
NEGLIGIBLE = 1e-12
"""A share that is not worth another round."""


def contributions(graph: Graph, way: Way, quantity: str) -> dict[str, float]:
    """Return what share of a lot stems from, or came through, each node of the walk back from it.

    Args:
        graph: All edges into the nodes of the walk.
        way: The walk back.
        quantity: ``DRY`` or an analyte.

    Returns:
        Fractions by node; the lot's own is 1. The ancestors of one depth need not add up to 1.
    """
    mixes = {node: mix(graph, node, quantity) for node in way.order if node not in way.cut}
    shares = dict.fromkeys(way.order, 0.0)
    arriving = {way.order[0]: 1.0}
    for _ in range(ROUNDS_MAX):
        again: dict[str, float] = {}
        for node in way.order:
            amount = arriving.get(node, 0.0)
            shares[node] += amount
            for parent, part in mixes.get(node, {}).items() if amount else ():
                to = again if (node, parent) in way.closing else arriving
                to[parent] = to.get(parent, 0.0) + amount * part
        arriving = again
        if sum(again.values()) < NEGLIGIBLE:
            break
    # Through a node of a ring material comes more than once.
    return {node: min(1.0, share) for node, share in shares.items()}


def descent(graph: Graph, way: Way, quantity: str) -> dict[str, float]:
    """Return what share of each node's material stems from the lot the walk forward began at.

    Args:
        graph: All edges into the nodes of the walk, also those from elsewhere.
        way: The walk forward.
        quantity: ``DRY`` or an analyte.

    Returns:
        Fractions by node; the lot's own is 1.
    """
    mixes = {node: mix(graph, node, quantity) for node in way.order[1:]}
    stems = dict.fromkeys(way.order, 0.0)
    stems[way.order[0]] = 1.0
    for _ in range(ROUNDS_MAX if way.closing else 1):
        changed = 0.0
        for node, parts in mixes.items():
            stem = sum(stems.get(parent, 0.0) * part for parent, part in parts.items())
            changed += abs(stem - stems[node])
            stems[node] = stem
        if changed < NEGLIGIBLE:
            break
    return stems


def told(graph: Graph, way: Way, quantity: str) -> set[str]:
    """Return the nodes of a walk forward of which it is known what share stems from its lot.

    Of a metal that a lot was not known to hold when it was handed on, nobody can say how much of
    it is in what was made of that: that share is unknown, and not nothing.
    """
    known = {way.order[0]}
    for node in way.order[1:]:
        parts = mix(graph, node, quantity)
        on_way = [one for one in parts if one in way.steps and (one, node) not in way.closing]
        if parts and known.issuperset(on_way):
            known.add(node)
    return known
