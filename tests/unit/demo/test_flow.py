"""From net amounts between accounts to a network in which in equals out."""

from collections import defaultdict

from demo import flow
from demo.day import make_day
from demo.flow import Net
from demo.ribbons import Edge

NETS = [
    Net("origin/MINE-DUN", "MINE-DUN", 1_000),
    Net("MINE-DUN", "DEPOT-EMB", 990),
    Net("DEPOT-EMB", "unaccounted", 7),
    Net("unaccounted", "DEPOT-EMB", -3),
    Net("DEPOT-EMB", "blend", 300),
    Net("unaccounted", "blend", 5),
    Net("blend", "CONC-HOY", 305),
    Net("CONC-HOY", "process/P-1-CONC", 200),
    Net("process/P-1-CONC", "loss/tailings", 20),
    Net("process/P-1-CONC", "concentrate", 180),
]


def test_in_equals_out_at_every_node_but_the_ends() -> None:
    held: dict[str, float] = defaultdict(float)
    edges = flow.edges_of(NETS)
    for edge in edges:
        held[edge.source] -= edge.amount
        held[edge.target] += edge.amount
    ends = {e.target for e in edges} - {e.source for e in edges}
    assert {name for name, rest in held.items() if rest > 0} == ends
    assert {name for name, rest in held.items() if rest < 0} == {"MINE-DUN", flow.MORE}
    assert sum(held.values()) == 0


def test_an_origin_gives_what_its_site_gives() -> None:
    given = sum(e.amount for e in flow.edges_of(NETS) if e.source == "MINE-DUN")
    assert given == flow.supplies(NETS)["MINE-DUN"] == 1_000


def test_what_is_left_at_a_node_is_its_stock() -> None:
    edges = flow.edges_of(NETS)
    stocks = {e.source: e.amount for e in edges if e.target.startswith(flow.STOCK)}
    assert stocks == {"MINE-DUN": 10, "DEPOT-EMB": 680, "CONC-HOY": 105, "concentrate": 180}


def test_two_directions_are_drawn_as_their_difference() -> None:
    edges = flow.edges_of(NETS)
    assert Edge("DEPOT-EMB", flow.UNACCOUNTED, 10) in edges
    assert Edge(flow.MORE, "blend", 5) in edges


def test_every_node_has_a_name_a_person_reads() -> None:
    names = {name for e in flow.edges_of(NETS) for name in (e.source, e.target)}
    found = flow.labels(make_day(1), names)
    assert found["blend"] == "blend\nB-1-0001"
    assert found["stock/DEPOT-EMB"] == "left at\nDEPOT-EMB"
    assert found["stock/concentrate"] == "at SMELT-SUP"
    assert found["MINE-DUN"] == "MINE-DUN"
