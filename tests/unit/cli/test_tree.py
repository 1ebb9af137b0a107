"""A tree as text: folding, repetition, rings, length."""

from collections.abc import Mapping, Sequence

from runtime.cli import tree


def drawn(branches: Mapping[str, Sequence[str]], **limits: int) -> list[str]:
    shape = tree.Shape(
        lambda node: branches.get(node, ()), str, lambda hidden: f"and {len(hidden)} more", **limits
    )
    return tree.lines("a", shape)


def test_branches_stand_below_their_node() -> None:
    assert drawn({"a": "bc", "b": "d"}) == ["a", "├─ b", "│  └─ d", "└─ c"]


def test_wide_branches_are_folded_and_counted() -> None:
    wide = [f"n{no:04d}" for no in range(1_000)]
    assert drawn({"a": wide}, siblings_max=2) == ["a", "├─ n0000", "├─ n0001", "└─ and 998 more"]


def test_one_more_is_shown_for_it_is_as_short() -> None:
    assert drawn({"a": "bcd"}, siblings_max=2) == ["a", "├─ b", "├─ c", "└─ d"]


def test_what_was_drawn_out_once_is_only_named_again() -> None:
    assert drawn({"a": "bc", "b": "d", "c": "d", "d": "e"}) == [
        "a", "├─ b", "│  └─ d", "│     └─ e", "└─ c", "   └─ d  (shown above)",
    ]  # fmt: skip


def test_a_ring_ends_where_it_began() -> None:
    assert drawn({"a": "b", "b": "a"}) == ["a", "└─ b", "   └─ a  (shown above)"]


def test_a_long_tree_says_where_the_rest_is() -> None:
    chain = {chr(97 + no): chr(98 + no) for no in range(20)}
    lines = drawn(chain, lines_max=3)
    assert len(lines) == 4
    assert "--json" in lines[-1]
