"""Reconciliation at its edges: exact figures, parts, loops, shared scales, bad input."""

import math

import numpy as np
import pytest

from custody.detect.flowsheet import FLOWS_MAX, BadFlowsheet, Flow, Flowsheet, layout
from custody.detect.reconciliation import FaultTest, Status, reconcile
from custody.estimate import OTHER, Estimate


def mass(value: float, u: float = 1.0, **parts: float) -> Estimate:
    return Estimate(value, u * u, parts)


def grade(value: float, u: float = 0.01) -> Estimate:
    return Estimate(value, u * u, {})


def node(*flows: Flow) -> Flowsheet:
    """One node, N."""
    return Flowsheet(("N",), flows)


def through(into: Estimate | None, out_of: Estimate | None) -> Flowsheet:
    return node(Flow("in", None, "N", into), Flow("out", "N", None, out_of))


def named(test: FaultTest) -> set[tuple[str, str]]:
    return {(fault.kind, fault.at) for fault in test.faults}


def test_a_mill_by_hand() -> None:
    """100 in, 99 out, u 0.3, 0.2 and 0.2: one ton is shared as 9 : 4 : 4."""
    found = reconcile(
        node(
            Flow("ore", None, "N", mass(100.0, 0.3)),
            Flow("concentrate", "N", None, mass(21.0, 0.2)),
            Flow("tailings", "N", None, mass(78.0, 0.2)),
        )
    )
    s = 0.09 + 0.04 + 0.04
    values = [one.reconciled for one in found.quantities]
    assert values == [
        pytest.approx((100.0 - 0.09 / s, math.sqrt(0.09 - 0.09**2 / s))),
        pytest.approx((21.0 + 0.04 / s, math.sqrt(0.04 - 0.04**2 / s))),
        pytest.approx((78.0 + 0.04 / s, math.sqrt(0.04 - 0.04**2 / s))),
    ]
    assert found.statistic == pytest.approx(1.0 / s)
    assert [one.z for one in found.quantities] == pytest.approx([1.0 / math.sqrt(s)] * 3)
    [balance] = found.node_tests
    assert (balance.into, balance.out_of, balance.u) == pytest.approx((100.0, 99.0, math.sqrt(s)))
    # A ton too much in, a ton too little out or a ton lost: one node cannot tell.
    [test] = found.fault_tests
    assert named(test) == {
        ("bias", "ore"), ("bias", "concentrate"), ("bias", "tailings"), ("leak", "N")
    }  # fmt: skip
    assert [fault.size for fault in test.faults] == pytest.approx([1.0, -1.0, -1.0, 1.0])
    assert test.p_left is None


def test_nothing_measured_is_no_failure() -> None:
    found = reconcile(through(None, None))
    assert [one.status for one in found.quantities] == [Status.UNOBSERVABLE] * 2
    assert (found.statistic, found.degrees, found.p) == (0.0, 0, 1.0)
    assert (found.node_tests, found.fault_tests) == ((), ())
    assert [fault.kind for fault in found.unseen] == ["leak"]


def test_one_measured_mass_gives_the_other_and_tests_nothing() -> None:
    found = reconcile(through(mass(10.0), None))
    assert [one.status for one in found.quantities] == [Status.NONREDUNDANT, Status.OBSERVABLE]
    assert [one.reconciled for one in found.quantities] == [pytest.approx((10.0, 1.0))] * 2
    assert found.degrees == 0


def test_an_exact_mass_pulls_the_other_to_itself_and_is_not_doubted() -> None:
    found = reconcile(through(mass(10.0, 0.0), mass(9.0)))
    assert [one.reconciled for one in found.quantities] == [pytest.approx((10.0, 0.0))] * 2
    assert [one.z for one in found.quantities] == [None, pytest.approx(1.0)]
    assert named(found.fault_tests[0]) == {("bias", "out"), ("leak", "N")}


def test_exact_masses_that_do_not_balance_are_refused_with_their_node() -> None:
    with pytest.raises(BadFlowsheet, match=r"node N \(mass\): figures with u 0 .* by 1\n"):
        reconcile(through(mass(10.0, 0.0), mass(9.0, 0.0)))


def test_exact_grades_that_do_not_balance_are_refused_with_their_node() -> None:
    flows = [
        Flow("in", None, "N", mass(10.0, 0.0), {"Cu": grade(2.0, 0.0)}),
        Flow("out", "N", None, mass(10.0, 0.0), {"Cu": grade(2.5, 0.0)}),
    ]
    with pytest.raises(BadFlowsheet, match=r"node N \(Cu\)"):
        reconcile(node(*flows))


def test_exact_masses_that_balance_are_left_alone() -> None:
    found = reconcile(through(mass(10.0, 0.0), mass(10.0, 0.0)))
    assert (found.degrees, found.p) == (0, 1.0)
    assert found.node_tests[0].z is None


def test_a_closed_loop_has_one_equation_too_many_and_no_contradiction() -> None:
    """Nothing enters or leaves: the second node says what the first one says."""
    sheet = Flowsheet(
        ("A", "B"), (Flow("there", "A", "B", mass(10.0)), Flow("back", "B", "A", mass(11.0)))
    )
    found = reconcile(sheet)
    assert found.degrees == 1
    assert [one.reconciled for one in found.quantities] == [
        pytest.approx((10.5, math.sqrt(0.5)))
    ] * 2


def test_parts_without_a_way_between_them_do_not_touch_each_other() -> None:
    first = [Flow("a1", None, "A", mass(10.0)), Flow("a2", "A", None, mass(12.0))]
    second = [Flow("b1", None, "B", mass(5.0)), Flow("b2", "B", None, None)]
    both = reconcile(Flowsheet(("A", "B"), (*first, *second)))
    alone = reconcile(Flowsheet(("A",), tuple(first)))
    for one, other in zip(alone.quantities, both.quantities[:2], strict=True):
        assert other.reconciled == pytest.approx(one.reconciled)
    assert both.statistic == pytest.approx(alone.statistic)
    assert both.quantities[3].reconciled == pytest.approx((5.0, 1.0))


def test_a_scale_that_weighed_both_sides_cancels() -> None:
    """Its 5 t do not excuse a difference of 4 t with u 1 each; two scales' would."""
    one_scale = reconcile(through(mass(100.0, WB=5.0), mass(96.0, WB=5.0)))
    assert one_scale.node_tests[0].u == pytest.approx(math.sqrt(2.0))
    assert one_scale.p < 0.01
    two_scales = reconcile(through(mass(100.0, WB1=5.0), mass(96.0, WB2=5.0)))
    assert two_scales.node_tests[0].u == pytest.approx(math.sqrt(52.0))
    assert two_scales.p > 0.5
    # What nobody can tell any more cancels nothing.
    unknown = reconcile(through(mass(100.0, **{OTHER: 5.0}), mass(96.0, **{OTHER: 5.0})))
    assert unknown.node_tests[0].u == pytest.approx(math.sqrt(52.0))


def test_a_scale_that_is_off_is_named_with_all_it_weighed() -> None:
    """Three trucks out over WB, ore in over a belt: WB reads 2 % high, four of its u."""
    out = [30.0, 40.0, 30.0]
    flows = [Flow("ore", None, "N", mass(100.0, 0.1))]
    flows += [
        Flow(f"truck {n}", "N", None, mass(1.02 * t, 0.05, WB=0.005 * t)) for n, t in enumerate(out)
    ]
    found = reconcile(node(*flows))
    best = found.fault_tests[0]
    assert ("source", "WB") in named(best)
    [of_scale] = [fault for fault in best.faults if fault.kind == "source"]
    assert of_scale.size == pytest.approx(4.0, abs=3.0 * of_scale.u)


def test_nodes_with_an_unmeasured_flow_between_them_are_balanced_together() -> None:
    sheet = Flowsheet(
        ("A", "B", "C"),
        (
            Flow("1", None, "A", mass(10.0)),
            Flow("2", "A", "B"),
            Flow("3", "B", "C", mass(9.0)),
            Flow("4", "C", None, mass(9.5)),
        ),
    )
    found = reconcile(sheet)
    assert [(test.nodes, test.into, test.out_of) for test in found.node_tests] == [
        (("A", "B"), 10.0, 9.0),
        (("C",), 9.0, 9.5),
        (("A", "B", "C"), 10.0, 9.5),
    ]


def test_an_unmeasured_flow_to_the_outside_leaves_its_node_without_a_balance() -> None:
    sheet = Flowsheet(
        ("A", "B"),
        (
            Flow("1", None, "A", mass(10.0)),
            Flow("2", "A", "B", mass(9.0)),
            Flow("3", "B", None),
        ),
    )
    assert [test.nodes for test in reconcile(sheet).node_tests] == [("A",)]


def test_a_metal_balance_of_a_node_can_be_checked_by_hand() -> None:
    """100 t of 2.5 % against 8 t of 28 % and 92 t of 0.2 %: u of first order."""
    flows = (
        Flow("ore", None, "N", mass(100.0, 0.5), {"Cu": grade(2.5, 0.02)}),
        Flow("concentrate", "N", None, mass(8.0, 0.1), {"Cu": grade(28.0, 0.2)}),
        Flow("tailings", "N", None, mass(92.0, 0.5), {"Cu": grade(0.2, 0.01)}),
    )
    by_metal = reconcile(node(*flows)).node_tests[1]
    assert by_metal.analyte == "Cu"
    assert (by_metal.into, by_metal.out_of) == pytest.approx((250.0, 242.4))
    u2 = sum((m * ug) ** 2 + (g * um) ** 2 for m, um, g, ug in (
        (100.0, 0.5, 2.5, 0.02), (8.0, 0.1, 28.0, 0.2), (92.0, 0.5, 0.2, 0.01)
    ))  # fmt: skip
    assert by_metal.u == pytest.approx(math.sqrt(u2))
    assert by_metal.z == pytest.approx(-7.6 / math.sqrt(u2))


def test_a_leak_of_concentrate_is_told_from_one_of_tailings_by_its_metal() -> None:
    """2 t of concentrate are missing: both balances together say of what."""
    flows = (
        Flow("ore", None, "N", mass(1000.0, 0.3), {"Cu": grade(2.424, 0.002)}),
        Flow("concentrate", "N", None, mass(78.0, 0.05), {"Cu": grade(28.0, 0.02)}),
        Flow("tailings", "N", None, mass(920.0, 0.3), {"Cu": grade(0.2, 0.002)}),
    )
    found = reconcile(node(*flows))
    leaks = [fault for test in found.fault_tests for fault in test.faults if fault.kind == "leak"]
    assert leaks[0].like == "concentrate"
    assert leaks[0].size == pytest.approx(2.0, abs=2 * leaks[0].u)
    assert [fault.like for fault in leaks][-1] is None


def test_yields_need_no_mass_where_two_analytes_check_each_other() -> None:
    """Nothing weighed: grades are reconciled, masses stay unknown, nothing has a scale."""
    grades = {"ore": (2.5, 0.30), "concentrate": (28.0, 2.9), "tailings": (0.2, 0.05)}
    ends = {"ore": (None, "N"), "concentrate": ("N", None), "tailings": ("N", None)}
    flows = [
        Flow(name, *ends[name], None, {"Cu": grade(cu, 0.01 * cu), "Co": grade(co, 0.01 * co)})
        for name, (cu, co) in grades.items()
    ]
    found = reconcile(node(*flows))
    assert found.degrees == 1
    statuses = {one.analyte: one.status for one in found.quantities}
    assert statuses == {None: "unobservable", "Cu": "redundant", "Co": "redundant"}
    assert all(one.metal is None for one in found.quantities)
    weighed = [Flow("ore", None, "N", mass(100.0, 0.0), flows[0].grades), *flows[1:]]
    scaled = reconcile(node(*weighed))
    assert scaled.statistic == pytest.approx(found.statistic, rel=1e-6)
    assert [one.reconciled for one in scaled.quantities[3:]] == [
        pytest.approx(one.reconciled, rel=1e-6) for one in found.quantities[3:]
    ]
    assert scaled.quantities[1].status == "observable"


def test_a_grade_nobody_measured_follows_from_the_others() -> None:
    flows = (
        Flow("ore", None, "N", mass(100.0), {"Cu": grade(2.5)}),
        Flow("concentrate", "N", None, mass(8.0, 0.1), {"Cu": grade(28.0, 0.1)}),
        Flow("tailings", "N", None, mass(92.0)),
    )
    found = reconcile(node(*flows))
    tailings = found.quantities[5]
    assert tailings.status == "observable"
    assert tailings.reconciled is not None
    assert tailings.metal is not None
    ore, concentrate = found.quantities[3], found.quantities[4]
    assert ore.metal is not None
    assert concentrate.metal is not None
    assert tailings.metal[0] == pytest.approx(ore.metal[0] - concentrate.metal[0])


def test_a_mass_that_only_contradicting_grades_could_tell_is_unknown_and_not_zero() -> None:
    """A washing line that nobody weighs changes its copper by 10 u: zero tonnes would balance.

    The grades still have to agree, and the masses of the line are not known.
    """
    flows = (
        Flow("in", None, "wash", None, {"Cu": grade(2.0, 0.02)}),
        Flow("out", "wash", "mill", None, {"Cu": grade(2.3, 0.02)}),
        Flow("ore", None, "mill", mass(100.0), {"Cu": grade(2.5, 0.02)}),
        Flow("pulp", "mill", None),
    )
    found = reconcile(Flowsheet(("wash", "mill"), flows))
    masses = {one.flow: one.status for one in found.quantities if one.analyte is None}
    assert masses["in"] == masses["out"] == "unobservable"
    copper = {one.flow: one.reconciled for one in found.quantities if one.analyte == "Cu"}
    for name in ("in", "out"):
        assert copper[name] == pytest.approx((2.15, 0.02 / math.sqrt(2.0)))
    assert found.statistic == pytest.approx(0.3**2 / (2 * 0.02**2))


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (Flowsheet((), ()), "0 nodes"),
        (Flowsheet(("N",), ()), "0 streams"),
        (
            node(*[Flow(str(n), None, "N") for n in range(FLOWS_MAX + 1)]),
            f"{FLOWS_MAX + 1} streams",
        ),
        (Flowsheet(("N", "N"), (Flow("a", None, "N"),)), "node N: 2 have this id"),
        (node(Flow("a", None, "N"), Flow("a", "N", None)), "stream a: 2 have this id"),
        (node(Flow("a", None, "M"), Flow("b", "N", None)), "stream a: to M is no node"),
        (node(Flow("a", "M", "N"), Flow("b", "N", None)), "stream a: from M is no node"),
        (node(Flow("a", "N", "N"), Flow("b", "N", None)), "leads from node N to node N"),
        (node(Flow("a", None, None), Flow("b", "N", None)), "from the outside to the outside"),
        (node(Flow("a", None, "N"), Flow("b", None, "N")), r"only streams into it \(a, b\)"),
        (node(Flow("a", "N", None)), r"only streams out of it \(a\)"),
        (Flowsheet(("N", "M"), (Flow("a", None, "N"), Flow("b", "N", None))), "M: no stream"),
        (through(mass(-1.0), None), "stream in: mass or its u is below zero"),
        (through(Estimate(1.0, -1.0, {}), None), "stream in: mass or its u"),
        (through(Estimate(1.0, 1.0, {"WB": -1.0}), None), "stream in: mass or its u"),
        (through(mass(math.nan), None), "or not a number"),
        (
            node(Flow("a", None, "N", None, {"Cu": grade(math.inf)}), Flow("b", "N", None)),
            "stream a: Cu or its u",
        ),
    ],
)
def test_networks_that_do_not_fit_together_are_refused(sheet: Flowsheet, words: str) -> None:
    with pytest.raises(BadFlowsheet, match=words) as refused:
        reconcile(sheet)
    assert refused.value.expected
    assert refused.value.next_step


def test_a_source_of_one_figure_is_no_fault_of_its_own() -> None:
    found = reconcile(through(mass(10.0, WB=1.0), mass(11.0)))
    kinds = {fault.kind for test in found.fault_tests for fault in test.faults}
    assert kinds == {"bias", "leak"}
    assert layout(through(mass(10.0, WB=1.0), mass(11.0))).covariance == pytest.approx(
        np.diag([2.0, 1.0])
    )
