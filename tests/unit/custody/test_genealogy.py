"""Shares along edges: mixing, paths that meet again, rings, depth."""

import pytest

from custody.genealogy import DRY, Edge, Entry, Graph, Way, contributions, descent, reach


def graph(*edges: tuple[str, str, int], cu: dict[tuple[str, str], int] | None = None) -> Graph:
    """A graph of (parent, child, dry grams), names without their kind: lower case is a process."""
    made = Graph()
    made.add(
        Edge(path(p), path(c), dry, dry, {"Cu": (cu or {}).get((p, c), dry * 10)})
        for p, c, dry in edges
    )
    return made


def path(name: str) -> str:
    return f"{'process' if name.islower() else 'lot'}/{name}"


def back(made: Graph, lot: str, steps_max: int = 100_000) -> Way:
    return reach(path(lot), made.parents, steps_max)


def shares(made: Graph, lot: str, quantity: str = DRY) -> dict[str, float]:
    found = contributions(made, back(made, lot), quantity)
    return {node.partition("/")[2]: round(share, 9) for node, share in found.items()}


def test_a_blend_holds_its_inputs_by_their_dry_mass() -> None:
    made = graph(("A", "p", 30), ("B", "p", 10), ("p", "X", 38))
    assert shares(made, "X") == {"X": 1.0, "p": 1.0, "A": 0.75, "B": 0.25}


def test_paths_that_meet_again_add_up() -> None:
    made = graph(
        ("A", "p", 40), ("p", "X", 20), ("p", "Y", 20), ("X", "q", 20), ("Y", "q", 20),
        ("B", "q", 60), ("q", "Z", 100),
    )  # fmt: skip
    assert shares(made, "Z")["A"] == 0.4
    assert shares(made, "Z")["X"] == 0.2


def test_two_hundred_levels_of_two_paths_each_are_reckoned_once_per_edge() -> None:
    edges = []
    for level in range(200):
        for name in (f"l{level}", f"r{level}"):
            edges += [(f"L{level}", name, 5), (name, f"L{level + 1}", 5)]
    assert shares(graph(*edges), "L200")["L0"] == 1.0


def test_a_lot_that_got_some_from_outside_holds_that_much_less_of_the_process() -> None:
    made = graph(("A", "p", 10), ("p", "X", 30))
    made.entries["lot/X"] = Entry(10, {})
    assert shares(made, "X") == {"X": 1.0, "p": 0.75, "A": 0.75}


def test_a_metal_is_shared_by_metal_and_a_chemical_process_by_its_key_analyte() -> None:
    made = graph(
        ("MATTE", "s", 50), ("FLUX", "s", 50), ("s", "X", 30),
        cu={("MATTE", "s"): 999, ("FLUX", "s"): 1},
    )  # fmt: skip
    assert shares(made, "X")["FLUX"] == 0.5
    assert shares(made, "X", "Cu")["FLUX"] == 0.001
    made.keys["process/s"] = "Cu"
    assert shares(made, "X")["FLUX"] == 0.001
    made.keys["process/s"] = "Au"  # of which nobody knows anything
    assert shares(made, "X")["FLUX"] == 0.5


def test_a_quantity_nobody_put_in_is_nobodys_share() -> None:
    made = graph(("A", "p", 10), ("p", "X", 10), cu={("A", "p"): 0})
    assert shares(made, "X", "Cu") == {"X": 1.0, "p": 1.0, "A": 0.0}


def test_an_edge_below_nothing_gives_nothing() -> None:
    made = graph(("A", "p", -5), ("B", "p", 10), ("p", "X", 10))
    assert shares(made, "X") == {"X": 1.0, "p": 1.0, "A": 0.0, "B": 1.0}


def test_what_goes_round_is_reckoned_to_its_end_and_the_ring_is_named() -> None:
    made = graph(("A", "f", 90), ("SLAG", "f", 10), ("f", "SLAG", 10), ("f", "X", 80))
    way = back(made, "X")
    assert way.rings == (("process/f", "lot/SLAG", "process/f"),)
    assert shares(made, "X")["A"] == 1.0
    made.entries["lot/SLAG"] = Entry(10, {})
    assert shares(made, "X")["A"] == round(0.9 / 0.95, 9)
    assert shares(made, "X")["f"] == 1.0


def test_forward_a_ring_is_reckoned_to_its_end() -> None:
    made = graph(("A", "f", 45), ("B", "f", 45), ("S", "f", 10), ("f", "S", 10), ("f", "X", 80))
    way = reach("lot/A", made.children, 100)
    assert descent(made, way, DRY)["lot/X"] == pytest.approx(0.5)


def test_a_ring_of_nothing_else_ends() -> None:
    made = graph(("A", "p", 1), ("p", "B", 1), ("B", "q", 1), ("q", "A", 1))
    assert back(made, "A").rings == (
        ("lot/A", "process/q", "lot/B", "process/p", "lot/A"),
    )  # fmt: skip
    forward = reach("lot/A", made.children, 100)
    assert forward.steps == {"lot/A": 0, "process/p": 1, "lot/B": 2, "process/q": 3}
    assert set(descent(made, forward, DRY).values()) == {1.0}


def test_a_chain_of_ten_thousand_does_not_recurse() -> None:
    edges = []
    for no in range(5_000):
        edges += [(f"L{no}", f"p{no}", 7), (f"p{no}", f"L{no + 1}", 7)]
    assert shares(graph(*edges), "L5000")["L0"] == 1.0


def test_the_greatest_depth_is_told_where_something_lies_beyond() -> None:
    made = graph(("A", "p", 1), ("p", "B", 1), ("B", "q", 1), ("q", "C", 1))
    assert back(made, "C", 2).cut == {"lot/B"}
    assert back(made, "C", 4).cut == frozenset()
    assert set(back(made, "C", 2).order) == {"lot/C", "process/q", "lot/B"}


def test_forward_a_lot_holds_the_share_of_all_that_was_mixed_with_it() -> None:
    made = graph(
        ("A", "p", 10), ("B", "p", 30), ("p", "X", 20), ("p", "Y", 20), ("X", "q", 20),
        ("C", "q", 20), ("q", "Z", 40),
    )  # fmt: skip
    way = reach("lot/A", made.children, 100)
    found = descent(made, way, DRY)
    assert found == pytest.approx(
        {"lot/A": 1.0, "process/p": 0.25, "lot/X": 0.25, "lot/Y": 0.25, "process/q": 0.125,
         "lot/Z": 0.125}
    )  # fmt: skip
