"""Laws of the layout: layers, heights by amount, in = out, and nothing on top of anything."""

from collections import defaultdict
from itertools import combinations, pairwise
from random import Random

import pytest

from demo.ribbons import Box, Edge, Layout, Ring, layers_of, layout

GAP = 0.05
CHAIN = [
    Edge("mine", "depot", 60.0),
    Edge("mine", "plant", 40.0),
    Edge("depot", "plant", 25.0),
    Edge("depot", "stock", 35.0),
    Edge("plant", "metal", 50.0),
    Edge("plant", "tailings", 15.0),
    Edge("late", "metal", 1.0),
]


def some_network(seed: int) -> list[Edge]:
    """A network without rings: every edge leads to a greater number."""
    rng = Random(seed)
    pairs = rng.sample(list(combinations(range(12), 2)), 25)
    return [Edge(f"n{a}", f"n{b}", rng.uniform(0.01, 100.0)) for a, b in pairs]


NETWORKS = [CHAIN, *(some_network(seed) for seed in range(20))]


@pytest.fixture(params=NETWORKS, ids=lambda n: f"{len(n)} edges of {n[0].amount:.3g}")
def edges(request: pytest.FixtureRequest) -> list[Edge]:
    found: list[Edge] = request.param
    return found


def reach(found: Layout) -> dict[int, list[tuple[float, float, str]]]:
    """All that stands at each layer, from low to high: boxes, and ribbons that pass."""
    at: dict[int, list[tuple[float, float, str]]] = defaultdict(list)
    for box in found.boxes.values():
        at[box.layer].append((box.low, box.high, box.name))
    for ribbon in found.ribbons:
        for layer, low in zip(ribbon.layers[1:-1], ribbon.lows[1:-1], strict=True):
            at[layer].append((low, low + ribbon.thick, "passing"))
    return {layer: sorted(things) for layer, things in at.items()}


def test_a_source_stands_before_its_targets_and_beside_the_first_of_them() -> None:
    found = layers_of(CHAIN)
    assert found == {
        "mine": 0, "depot": 1, "plant": 2, "stock": 2, "metal": 3, "tailings": 3, "late": 2,
    }  # fmt: skip


def test_every_edge_leads_to_a_later_layer(edges: list[Edge]) -> None:
    boxes = layout(edges, GAP).boxes
    assert all(boxes[e.source].layer < boxes[e.target].layer for e in edges)


def test_nodes_in_a_circle_have_no_layers() -> None:
    with pytest.raises(Ring, match="a, b"):
        layout([Edge("a", "b", 1.0), Edge("b", "a", 1.0)], GAP)


def test_heights_are_proportional_to_amounts(edges: list[Edge]) -> None:
    found = layout(edges, GAP)
    for name, box in found.boxes.items():
        taken = sum(e.amount for e in edges if e.target == name)
        given = sum(e.amount for e in edges if e.source == name)
        assert box.high - box.low == pytest.approx(max(taken, given) * found.scale)
    assert all(r.thick == pytest.approx(r.edge.amount * found.scale) for r in found.ribbons)


def test_ribbons_fill_their_side_of_a_box_without_overlap(edges: list[Edge]) -> None:
    found = layout(edges, GAP)
    sides: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for ribbon in found.ribbons:
        first, last = ribbon.lows[0], ribbon.lows[-1]
        sides[ribbon.edge.source, "out"].append((first, first + ribbon.thick))
        sides[ribbon.edge.target, "in"].append((last, last + ribbon.thick))
    for (name, _), spans in sides.items():
        box = found.boxes[name]
        assert_stacked(box, sorted(spans))


def assert_stacked(box: Box, spans: list[tuple[float, float]]) -> None:
    """Spans begin at the bottom of the box, follow each other and stay within it."""
    assert spans[0][0] == pytest.approx(box.low)
    assert all(below[1] == pytest.approx(above[0]) for below, above in pairwise(spans))
    assert spans[-1][1] <= box.high + 1e-9


def test_a_node_that_gives_what_it_takes_is_full_on_both_sides() -> None:
    found = layout(CHAIN, GAP)
    for name in ("depot", "plant"):
        box = found.boxes[name]
        for side, way in ((0, "source"), (-1, "target")):
            touching = [r for r in found.ribbons if getattr(r.edge, way) == name]
            assert max(r.lows[side] + r.thick for r in touching) == pytest.approx(box.high)


def test_nothing_at_a_layer_overlaps_and_all_stays_in_the_picture(edges: list[Edge]) -> None:
    for things in reach(layout(edges, GAP)).values():
        assert things[0][0] >= -1e-9
        assert things[-1][1] <= 1.0 + 1e-9
        assert all(below[1] < above[0] for below, above in pairwise(things))


def test_two_boxes_of_a_layer_have_room_for_labels_between_them() -> None:
    for things in reach(layout(CHAIN, GAP)).values():
        beside = [p for p in pairwise(things) if "passing" not in (p[0][2], p[1][2])]
        assert all(above[0] - below[1] >= GAP - 1e-9 for below, above in beside)


def test_a_layer_of_more_boxes_than_gaps_have_room_for_is_still_drawn() -> None:
    many = [Edge(f"lot {n}", "plant", 1.0) for n in range(60)]
    found = layout(many, GAP)
    assert found.scale > 0
    assert all(above[0] > below[1] for below, above in pairwise(reach(found)[0]))


def test_the_same_network_is_drawn_the_same(edges: list[Edge]) -> None:
    assert layout(edges, GAP) == layout(edges, GAP)
