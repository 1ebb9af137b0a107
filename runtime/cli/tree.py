"""A tree as lines of text: wide branches are folded, what was shown once is not shown again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Children = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a tree is drawn.

    Attributes:
        children: Branches of a node, the most important first.
        label: Text of a node.
        folded: Text for branches that are not shown.
        siblings_max: Branches of one node that are shown.
        lines_max: Lines in all; the last one says that there is more.
    """

    children: Children
    label: Callable[[str], str]
    folded: Callable[[Sequence[str]], str]
    siblings_max: int = 12
    lines_max: int = 400


def lines(root: str, shape: Shape) -> list[str]:
    """Return the lines of a tree.

    A node that several branches lead to is drawn out at the first and named at the others, so a
    ring ends where it began.
    """
    drawn: list[str] = []
    for line in _lines(root, shape):
        if len(drawn) == shape.lines_max:
            drawn.append("... the tree goes on: --table, --json and --csv show all of it")
            break
        drawn.append(line)
    return drawn


def _lines(root: str, shape: Shape) -> Iterator[str]:
    """Yield lines depth first; no recursion, for a chain may be long."""
    seen = {root}
    yield shape.label(root)
    waiting = [_branches(root, "", shape)]
    while waiting:
        branch = next(waiting[-1], None)
        if branch is None:
            waiting.pop()
            continue
        node, text, below = branch
        if node is None:
            yield text
        elif node in seen:
            yield f"{text}  (shown above)" if shape.children(node) else text
        else:
            seen.add(node)
            yield text
            waiting.append(_branches(node, below, shape))


def _branches(node: str, before: str, shape: Shape) -> Iterator[tuple[str | None, str, str]]:
    """Yield (node, its line, what stands before the lines below it) of each branch shown."""
    every = shape.children(node)
    # One more is as short as saying that there is one more.
    whole = len(every) <= shape.siblings_max + 1
    shown = every if whole else every[: shape.siblings_max]
    hidden = every[len(shown) :]
    for no, child in enumerate(shown, start=1):
        last = no == len(shown) and not hidden
        text = f"{before}{'└─ ' if last else '├─ '}{shape.label(child)}"
        yield child, text, before + ("   " if last else "│  ")
    if hidden:
        yield None, f"{before}└─ {shape.folded(hidden)}", ""
