"""Shares along a lot's way back, and the fold of many lots into one node."""

from collections import defaultdict

import pytest

from demo import lineage
from demo.lineage import Handed, folded, shares_of, trace_back

ROOT = "lot/C"
HANDED = [
    Handed("mine/A", "lot/1", 100, 1_000),
    Handed("mine/A", "lot/2", 60, 300),
    Handed("mine/B", "lot/2", 40, 100),
    Handed("mine/B", "lot/3", 200, 600),
    Handed("lot/1", "process/BLEND", 100, 1_000),
    Handed("lot/2", "process/BLEND", 100, 400),
    Handed("process/BLEND", "lot/B", 200, 1_400),
    Handed("lot/B", "process/CONC", 150, 1_050),
    Handed("lot/3", "process/CONC", 150, 450),
    Handed("process/CONC", ROOT, 20, 1_300),
    Handed("lot/3", "process/OTHER", 50, 150),
]


def test_each_process_splits_its_share_by_what_went_in() -> None:
    shares = shares_of(trace_back(HANDED, ROOT), ROOT)
    assert shares["lot/B"] == pytest.approx((0.5, 0.7))
    assert shares["lot/1"] == pytest.approx((0.25, 0.5))
    assert shares["lot/2"] == pytest.approx((0.25, 0.2))
    assert shares["mine/A"] == pytest.approx((0.25 + 0.25 * 0.6, 0.5 + 0.2 * 0.75))
    assert shares["mine/B"] == pytest.approx((0.5 + 0.25 * 0.4, 0.3 + 0.2 * 0.25))


def test_what_the_root_did_not_take_is_no_part_of_its_way() -> None:
    assert "process/OTHER" not in {s.taker for s in trace_back(HANDED, ROOT)}


def test_a_lot_reached_on_two_ways_counts_once_with_the_sum() -> None:
    twice = [*HANDED, Handed("lot/1", "process/CONC", 100, 500)]
    shares = shares_of(trace_back(twice, ROOT), ROOT)
    assert shares["lot/1"] == pytest.approx((150 / 400 / 2 + 100 / 400, 0.525 / 1.4 + 0.25))
    assert sum(shares[mine][0] for mine in ("mine/A", "mine/B")) == pytest.approx(1.0)


def test_a_ring_ends_the_way() -> None:
    ring = [Handed("lot/1", "lot/2", 1, 1), Handed("lot/2", "lot/1", 1, 1)]
    strands = trace_back([*ring, Handed("lot/2", ROOT, 1, 1)], ROOT)
    assert [(s.giver, s.taker) for s in strands] == [("lot/2", ROOT)]


def many(lots: int) -> list[Handed]:
    found = [Handed("process/CONC", ROOT, 9, 9)]
    for n in range(lots):
        found.append(Handed(f"mine/{'AB'[n % 2]}", f"lot/{n:03d}", 10, 10 + n))
        found.append(Handed(f"lot/{n:03d}", "process/CONC", 10, 10 + n))
    return found


def test_the_smallest_lots_of_a_process_are_one_node_and_no_share_is_lost() -> None:
    strands = trace_back(many(45), ROOT)
    shown = folded(strands, shown_max=14)
    shares = shares_of(shown, ROOT)
    assert len(shares) == 2 + 14 + 1 + 1 + 1
    assert "rest/31 more lots/process/CONC" in shares
    assert "lot/044" in shares
    assert "lot/030" not in shares
    whole = shares_of(strands, ROOT)
    for mine in ("mine/A", "mine/B"):
        assert shares[mine] == pytest.approx(whole[mine])
    into: dict[str, float] = defaultdict(float)
    for s in shown:
        into[s.taker] += s.metal
    assert into["process/CONC"] == pytest.approx(1.0)


def test_few_lots_are_all_shown() -> None:
    strands = trace_back(many(lineage.SHOWN_MAX + 1), ROOT)
    assert folded(strands) == strands


def test_a_blend_is_never_folded() -> None:
    shown = {s.giver for s in folded(trace_back(HANDED, ROOT), shown_max=0)}
    assert {"lot/B", "process/BLEND"} <= shown
