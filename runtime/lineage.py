"""Asks the warehouse for edges: breadth first, several steps per statement.

What a statement costs the engine is its look-ups, one per step, far more than what they find: so a
step is one look-up and no more, and the steps of a statement are nested sets. What transfers and
compensations come to is added up here, so that an edge that was taken back is not walked; the sets
do follow it, which only finds edges nobody asked for. Time grows steeply beyond a few nested sets,
and a recursive query would join the whole table at every step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from custody.genealogy import Edge, Graph, Neighbours, Way, reach

Row = Mapping[str, object]
Ask = Callable[[str, Mapping[str, str]], Sequence[Row]]
"""Runs one statement with parameters and returns its rows, columns by name."""

_IDS_CHARACTERS_MAX = 40_000
"""Of names in one statement; SQL over HTTP takes 100,000 in all."""

_STEPS_MAX = 5
"""Steps of one statement; from eight on the engine's analysis of it grows with each by half."""
_STEPS_PAST_MAX = 2
"""The same for an instant: the sets leave out nothing that came later, which may be a lot."""

NOW = "2299-12-31 23:59:59"
"""Later than anything: as now known."""


class Moment(NamedTuple):
    """An instant of two times, UTC as ``YYYY-MM-DD HH:MM:SS.ffffff``: when it was, who knew it."""

    at: str = NOW
    known: str = NOW

    @property
    def is_now(self) -> bool:
        """Whether nothing has to be left out."""
        return self == (NOW, NOW)


class Direction(NamedTuple):
    """Which end of an edge is where one comes from, and which where one goes."""

    near: str
    far: str


BACK = Direction("child", "parent")
FORWARD = Direction("parent", "child")


def walk(ask: Ask, start: str, direction: Direction, generations: int, moment: Moment) -> Way:
    """Walk from a lot; blocks.

    Args:
        ask: Runs SQL.
        start: Owner path of the lot, such as ``lot/L-24-0117``.
        direction: ``BACK`` or ``FORWARD``.
        generations: Processes that are passed at most.
        moment: When, and as known when.

    Returns:
        The way; which nodes at the greatest depth lead on is not asked here (``cut_short``).

    Raises:
        Unavailable: The warehouse does not answer.
    """
    neighbours: dict[str, list[str]] = {}

    def follow(node: str) -> Sequence[str]:
        return neighbours.get(node, ())

    limit = 2 * generations
    most = _STEPS_MAX if moment.is_now else _STEPS_PAST_MAX
    asked, frontier, steps = set[str](), [start], {start: 0}
    while frontier:
        more = min(most, limit - min(steps[node] for node in frontier))
        for names in chunks(frontier):
            rows = ask(_edges_within(names, more, direction, moment), moment._asdict())
            neighbours |= _neighbours(rows)
            asked |= _read(names, rows, more)
        steps = _steps(start, follow, limit)
        frontier = [node for node, step in steps.items() if step < limit and node not in asked]
    return reach(start, follow, limit)


def cut_short(ask: Ask, way: Way, graph: Graph, direction: Direction, moment: Moment) -> Way:
    """Return a way with the lots at its greatest depth that lead on; blocks.

    Args:
        ask: Runs SQL.
        way: The walk, as deep as it was to go.
        graph: All edges into its nodes: where it goes back these are what leads on.
        direction: Where it goes.
        moment: When, and as known when.
    """
    deepest = max(way.steps.values())
    last = [node for node, step in way.steps.items() if step == deepest]
    beyond: dict[str, list[str]] = {}
    if direction == BACK:
        beyond = {node: graph.parents(node) for node in last}
    else:
        for names in chunks(last):
            rows = ask(_edges_within(names, 1, direction, moment), moment._asdict())
            beyond |= _neighbours(rows)
    cut = (node for node in last if any(o not in way.steps for o in beyond.get(node, ())))
    return replace(way, cut=frozenset(cut))


def _edges_within(names: Sequence[str], steps: int, direction: Direction, moment: Moment) -> str:
    """Return the statement for the edges that lead on from nodes within some steps.

    Each set holds the one before it, so that the last has all nodes the edges are of.
    """
    near, far = direction
    # The table is ordered by child. For the other order the engine has a projection, which it does
    # not take where the function arrayJoin stands.
    both = f"[{near}, {far}]"
    column = f"arrayJoin({both})" if direction == BACK else "node"
    source = "edge" if direction == BACK else f"edge ARRAY JOIN {both} AS node"
    nodes = listed(names)
    for _ in range(steps - 1):
        nodes = f"(SELECT {column} FROM {source} PREWHERE {near} IN {nodes})"  # noqa: S608  escaped
    return (
        f"SELECT {near} AS near, {far} AS far, mass_wet_g AS wet, mass_dry_g AS dry"  # noqa: S608
        f" FROM edge PREWHERE {near} IN {nodes} WHERE 1{until(moment)}"
    )


def _read(names: Sequence[str], rows: Sequence[Row], steps: int) -> set[str]:
    """Return the nodes of which an answer has all edges: those less than ``steps`` away."""
    led: dict[str, list[str]] = {}
    for row in rows:
        led.setdefault(str(row["near"]), []).append(str(row["far"]))
    found, level = set(names), list(names)
    for _ in range(steps - 1):
        level = [far for near in level for far in led.get(near, ()) if far not in found]
        found.update(level)
    return found


def _steps(start: str, follow: Neighbours, most: int) -> dict[str, int]:
    """Return the edges to each node within reach, at least."""
    steps, level = {start: 0}, [start]
    for step in range(1, most + 1):
        level = list(dict.fromkeys(o for n in level for o in follow(n) if o not in steps))
        steps |= dict.fromkeys(level, step)
        if not level:
            break
    return steps


def _neighbours(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return who leads to whom: edges whose transfers do not cancel out, by name."""
    net: dict[tuple[str, str], tuple[int, int]] = {}
    for row in rows:
        pair = str(row["near"]), str(row["far"])
        wet, dry = net.get(pair, (0, 0))
        net[pair] = wet + whole(row["wet"]), dry + whole(row["dry"])
    found: dict[str, list[str]] = {}
    for near, far in sorted(pair for pair, masses in net.items() if any(masses)):
        found.setdefault(near, []).append(far)
    return found


def edges_into(ask: Ask, nodes: Iterable[str], moment: Moment) -> Graph:
    """Return all edges into nodes, with what they carried; blocks."""
    graph = Graph()
    for names in chunks(nodes):
        query = (
            "SELECT parent, child, sum(mass_wet_g) AS wet, sum(mass_dry_g) AS dry,"  # noqa: S608
            " sumMap(metals.analyte, metals.value_mg) AS metals FROM edge"
            f" WHERE child IN {listed(names)}{until(moment)}"
            " GROUP BY parent, child HAVING wet != 0 OR dry != 0"
        )
        graph.add(_edges(ask(query, moment._asdict())))
    return graph


def chunks(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield names in groups that fit into one statement."""
    group: list[str] = []
    length = 0
    for name in names:
        if group and length + len(name) > _IDS_CHARACTERS_MAX:
            yield group
            group, length = [], 0
        group.append(name)
        length += len(name) + 4
    if group:
        yield group


def listed(names: Sequence[str]) -> str:
    """Return names as an array of SQL."""
    escaped = (name.replace("\\", "\\\\").replace("'", "\\'") for name in names)
    return "[" + ",".join(f"'{name}'" for name in escaped) + "]"


def until(moment: Moment) -> str:
    """Return the condition that leaves out what came later; nothing where all of it counts."""
    at = "" if moment.at == NOW else " AND effective_at <= {at:DateTime64(6, 'UTC')}"
    return at + known_by(moment)


def known_by(moment: Moment) -> str:
    """Return the condition that leaves out what became known later."""
    return "" if moment.known == NOW else " AND known_at <= {known:DateTime64(6, 'UTC')}"


def _edges(rows: Sequence[Row]) -> Iterator[Edge]:
    for row in rows:
        yield Edge(
            str(row["parent"]),
            str(row["child"]),
            whole(row["wet"]),
            whole(row["dry"]),
            amounts(row["metals"]),
        )


def whole(cell: object) -> int:
    """Return an integer of an answer."""
    return int(str(cell))


def amounts(cell: object) -> dict[str, int]:
    """Return what ``sumMap`` gives, as a mapping without nothing."""
    analytes, values = cast("tuple[list[str], list[int]]", cell)
    return {name: int(value) for name, value in zip(analytes, values, strict=True) if int(value)}
