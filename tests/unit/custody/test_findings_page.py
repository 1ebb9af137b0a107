"""docs/findings.md has every exact rule that the core emits, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from custody.alerts import CHARTS
from custody.audit import RULES
from tests.support import tree

PAGE = Path("docs/findings.md")
RULE = re.compile(r"[a-z]+(_[a-z]+)*")
SINKS = re.compile(r"_?findings")
"""Lists of names and maps of sentences by rule: whatever stands there is a rule."""


def emitted() -> set[str]:
    """Names of rules in the source of the core, wherever they are found, and of the auditor."""
    names: set[str] = set(RULES)
    for path in sorted((tree.ROOT / "custody").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names |= set(_names(node))
    return {name for name in names if RULE.fullmatch(name)}


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id="Finding"), args=[rule, *_]):
            yield from _texts(rule)
        case ast.Call(func=ast.Attribute(attr="append" | "extend", value=sink), args=[rule]) if (
            _is_sink(sink)
        ):
            # A Finding that is appended names its rule itself, and may have other words.
            yield from () if isinstance(rule, ast.Call) else _texts(rule)
        case ast.Assign(targets=[ast.Subscript(value=sink, slice=rule)]) if _is_sink(sink):
            yield from _texts(rule)
        case _:
            return


def _is_sink(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return SINKS.fullmatch(name) is not None or name == "found"
        case _:
            return False


def _texts(node: ast.expr) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def rows() -> list[list[str]]:
    """Cells of the page's rows that begin with a rule."""
    lines = [line for line in tree.text(PAGE).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_the_page_lists_what_the_core_emits_and_nothing_else() -> None:
    listed = [cells[0].strip("`") for cells in rows()]
    assert len(listed) == len(set(listed))
    assert set(listed) == emitted() | CHARTS


def test_each_row_says_what_it_means_rests_on_counts_and_what_to_do() -> None:
    for cells in rows():
        assert len(cells) == 5, cells
        assert all(cells), cells


def test_rules_are_collected_from_every_way_of_saying_them() -> None:
    """One of each, so that a new spelling of the same thing cannot empty the collection."""
    assert emitted() >= {
        "overdrawn", "umpire_due", "certificates_disagree", "duplicate_event",
        "action_without_alert", "output_exceeds_content", "too_many_sides",
    }  # fmt: skip
