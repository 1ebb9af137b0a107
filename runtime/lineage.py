"""Asks the warehouse for edges: breadth first, one process per question.

A step asks for the edges of the lots at hand and of the processes next to them, as they were at an
instant; what transfers and compensations come to is added up here, so that an edge that was taken
back is not walked. Each step costs the engine about as much as one look-up. A recursive query would
join the whole table at every step; one statement with a level per line takes exponential time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from custody.genealogy import Edge, Graph, Way, reach

Row = Mapping[str, object]
Ask = Callable[[str, Mapping[str, str]], Sequence[Row]]
"""Runs one statement with parameters and returns its rows, columns by name."""

_IDS_CHARACTERS_MAX = 40_000
"""Of names in one statement; SQL over HTTP takes 100,000 in all."""

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
        The way; nodes at the greatest depth are cut where they lead on.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    neighbours: dict[str, list[str]] = {}

    def follow(node: str) -> Sequence[str]:
        return neighbours.get(node, ())

    asked, frontier = {start}, [start]
    for _ in range(generations):
        for names in chunks(frontier):
            found = ask(_step(names, direction, moment), moment._asdict())
            neighbours |= _neighbours(found)
        processes = dict.fromkeys(node for lot in frontier for node in follow(lot))
        lots = dict.fromkeys(lot for process in processes for lot in follow(process))
        frontier = [lot for lot in lots if lot not in asked]
        asked.update(frontier)
        if not frontier:
            break
    for names in chunks(frontier):
        neighbours |= _neighbours(ask(_beyond(names, direction, moment), moment._asdict()))
    return reach(start, follow, 2 * generations)


def _step(names: Sequence[str], direction: Direction, moment: Moment) -> str:
    """Return the statement for the edges from lots to processes and from these to lots."""
    near, far = direction
    return (
        f"WITH {listed(names)} AS ids {_selected(direction)}"  # noqa: S608  names, escaped
        f" WHERE ({near} IN ids OR {near} IN (SELECT {far} FROM edge WHERE {near} IN ids))"
        f"{until(moment)}"
    )


def _beyond(names: Sequence[str], direction: Direction, moment: Moment) -> str:
    """Return the statement for the edges that lots lead on by, where the walk has to end."""
    return f"{_selected(direction)} WHERE {direction.near} IN {listed(names)}{until(moment)}"


def _selected(direction: Direction) -> str:
    near, far = direction
    return f"SELECT {near} AS near, {far} AS far, mass_wet_g AS wet, mass_dry_g AS dry FROM edge"  # noqa: S608


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
    if moment.is_now:
        return ""
    return " AND effective_at <= {at:DateTime64(6, 'UTC')}" + known_by(moment)


def known_by(moment: Moment) -> str:
    """Return the condition that leaves out what became known later."""
    return "" if moment.is_now else " AND known_at <= {known:DateTime64(6, 'UTC')}"


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
