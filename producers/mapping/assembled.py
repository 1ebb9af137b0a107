"""From fields with paths to a nested request: ``inputs.0.lot_id`` is in the first of a list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a request.

    Attributes:
        path: Names and numbers with dots between.
        value: Its JSON.
        title: Heading of the column it comes from; empty for constants.
        by_hand: It is a constant.
    """

    path: str
    value: object
    title: str
    by_hand: bool


_Tree = dict[str, "Leaf | _Tree"]


def request(
    leaves: Iterable[Leaf], open_items: frozenset[str]
) -> tuple[dict[str, object], dict[str, str]]:
    """Return a request, and heading by path in it.

    Lists have no gaps: an item of which the row says nothing is left out, even where the mapping
    has constants for it, as the kind of a loss that was none.

    Args:
        leaves: What the row and the mapping say.
        open_items: Paths of objects of which columns could say something.
    """
    tree: _Tree = {}
    for leaf in leaves:
        *above, last = leaf.path.split(".")
        node = tree
        for step in above:
            below = node.setdefault(step, {})
            assert isinstance(below, dict), "no field lies below another"
            node = below
        node[last] = leaf
    columns: dict[str, str] = {}
    made = _settled(tree, ("", ""), open_items, columns)
    assert isinstance(made, dict), "a request is an object"
    return made, columns


def _settled(
    node: "Leaf | _Tree",
    paths: tuple[str, str],
    open_items: frozenset[str],
    columns: dict[str, str],
) -> object:
    """Return the JSON of a node; ``paths`` are those in the mapping and in the request."""
    given, said = paths
    if isinstance(node, Leaf):
        if node.title:
            columns[said] = node.title
        return node.value
    if node and all(step.isdigit() for step in node):
        items = [
            (step, item)
            for step, item in sorted(node.items(), key=lambda pair: int(pair[0]))
            if not _says_nothing(item, f"{given}.{step}", open_items)
        ]
        return [
            _settled(item, (f"{given}.{step}", f"{said}.{no}"), open_items, columns)
            for no, (step, item) in enumerate(items)
        ]
    made = {}
    for step, item in node.items():
        below = (f"{given}.{step}" if given else step, f"{said}.{step}" if said else step)
        value = _settled(item, below, open_items, columns)
        if value != []:
            made[step] = value
    return made


def _says_nothing(node: "Leaf | _Tree", path: str, open_items: frozenset[str]) -> bool:
    return path in open_items and all(leaf.by_hand for leaf in _leaves(node))


def _leaves(node: "Leaf | _Tree") -> Iterable[Leaf]:
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Mapping):
        for item in node.values():
            yield from _leaves(item)
