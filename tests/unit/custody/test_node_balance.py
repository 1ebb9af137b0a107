"""The test of a closed process by hand: what does not fit, what it is, how large."""

import math
from pathlib import Path

import numpy as np
import pytest

from custody.detect import blend as blends
from custody.detect import node_facts
from custody.detect.node_facts import Node, Stream, sources_of, stream
from custody.detect.node_tests import examined
from custody.detect.node_verdict import judge
from custody.estimate import Estimate
from custody.events import Micros
from custody.held import Carried, Held
from custody.verdict import Verdict
from tests.support import tree
from tests.support.nodes import Material, Plant, blend, feed, mixed, part_of, separation

T = 1e6
GRADES = {"Co": 8.0, "Cu": 30.0, "Fe": 45.0}
FEEDS: list[Material] = [(40 * T, GRADES), (60 * T, {"Co": 5.0, "Cu": 22.0, "Fe": 60.0})]
BARREN: Material = (0.0, dict.fromkeys(GRADES, 0.0))
SITES = {
    "MINE-K's": {"Co": 40.0, "Cu": 10.0, "Fe": 20.0},
    "MINE-Z's": {"Co": 1.0, "Cu": 3.0, "Fe": 99.0},
}


def mass(tonnes: float, u: float, **parts: float) -> Estimate:
    return Estimate(tonnes * T, (u * T) ** 2, {s: p * T for s, p in parts.items()})


def bare(name: str, dry: Estimate, **grades: Estimate) -> Stream:
    return Stream(name, name, dry, grades)


def judged(node: Node) -> Verdict | None:
    return judge(node, lambda: SITES)


def named(node: Node) -> str:
    found = judged(node)
    assert found is not None
    return found.family


def test_a_loss_by_hand() -> None:
    """100 t in with u 0.3, 98 t out with u 0.4: two tonnes are four sigma, 3.9 after one test."""
    node = Node(
        (bare("ORE", mass(100.0, 0.3)),), (bare("X", mass(98.0, 0.4)),), (), conserves_mass=True,
        separating=False,
    )  # fmt: skip
    found = examined(node)
    assert found is not None
    [balance] = found.balances
    assert (balance.u, balance.z) == pytest.approx((0.5 * T, -4.0))
    assert found.value == pytest.approx(-math.log10(math.erfc(4.0 / math.sqrt(2.0))), rel=1e-6)
    assert found.tests == 1
    verdict = judged(node)
    assert verdict is not None
    assert verdict.family == "loss"
    assert (verdict.size, verdict.size_u) == pytest.approx((-0.02, 0.005))
    assert dict(verdict.posterior) == pytest.approx({"loss": 0.7, "instrument_bias": 0.3})
    [row, *_] = verdict.evidence
    assert (row.quantity, row.expected, row.observed, row.z) == ("dry_mass", 1e5, 98e3, -4.0)


def test_a_scale_that_weighed_both_sides_cancels() -> None:
    """u 3 t of one bridge, in and out: of 2 t missing only what is not shared is unsure."""

    def node(out: str) -> Node:
        return Node(
            (bare("ORE", mass(100.0, 0.3, A=3.0)),),
            (bare("X", mass(98.0, 0.4, **{out: 3.0})),),
            (),
            conserves_mass=True,
            separating=False,
        )

    same, other = examined(node("A")), examined(node("B"))
    assert same is not None
    assert other is not None
    assert same.balances[0].u == pytest.approx(0.5 * T)
    assert other.balances[0].u == pytest.approx(math.sqrt(0.25 + 18.0) * T)


def test_metals_share_the_error_of_the_mass() -> None:
    """One mass that is wrong puts all metals off alike: that is one finding and not three."""
    exact = Estimate(30.0, 1e-8, {})
    node = Node(
        (bare("ORE", mass(100.0, 0.3), Cu=exact, Co=exact),),
        (bare("X", mass(99.0, 0.4), Cu=exact, Co=exact),),
        (),
        conserves_mass=True,
        separating=False,
    )
    found = examined(node)
    assert found is not None
    assert [one.z for one in found.balances] == pytest.approx([-2.0] * 3, rel=1e-4)
    assert found.statistic == pytest.approx(4.0, rel=0.01)


def test_a_separation_without_assayed_tailings_says_only_what_is_too_much() -> None:
    plant = Plant(np.random.default_rng(1))
    node = separation(plant, feed(plant.rng, 2), 0.6, assayed=False)
    found = examined(node)
    assert found is not None
    assert [one.whole for one in found.balances] == [True, False, False, False]
    assert all(one.minus_log10_p < 0.1 for one in found.balances[1:])
    rich = node.outputs[0]
    more = {a: Estimate(2.0 * g.value, g.var, g.parts) for a, g in rich.grades.items()}
    assert judged(node) is None
    assert named(node._replace(outputs=(rich._replace(grades=more),))) == "undeclared_feed"


def test_a_product_alone_is_no_loss_of_the_rest() -> None:
    plant = Plant(np.random.default_rng(2))
    node = separation(plant, feed(plant.rng, 2), 0.9, assayed=False)
    assert judged(node._replace(losses=())) is None


def test_what_was_not_weighed_is_not_judged() -> None:
    good = bare("ORE", mass(100.0, 0.3))
    for dry in (Estimate(0.0, 0.0, {}), mass(1.0, 0.7), Estimate(1e14, 1.0, {})):
        node = Node((good, bare("B", dry)), (bare("X", mass(50.0, 0.1)),), (),
                    conserves_mass=True, separating=False)  # fmt: skip
        assert examined(node) is None
        assert judged(node) is None


@pytest.mark.parametrize("seed", range(5))
def test_what_is_wrong_with_a_blend_is_named_and_sized(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plant, feeds = Plant(rng), FEEDS
    whole = mixed(*feeds)
    kin: Material = (whole[0], SITES["MINE-K's"])
    assert judged(blend(plant, feeds, [whole])) is None
    stolen = judged(blend(plant, feeds, [part_of(whole, 0.95)]))
    fed = judged(blend(plant, feeds, [mixed(whole, part_of(kin, 0.05))]))
    swapped = judged(blend(plant, feeds, [mixed(part_of(whole, 0.8), part_of(kin, 0.2))]))
    stone = mixed(part_of(whole, 0.8), (0.2 * whole[0], BARREN[1]))
    thinned = judged(blend(plant, feeds, [stone]))
    found = (stolen, fed, swapped, thinned)
    families = [one.family for one in found if one is not None]
    assert families == ["loss", "undeclared_feed", "foreign_material", "waste"]
    sizes = [(one.size, one.size_u) for one in found if one is not None]
    for (size, u), true in zip(sizes, (-0.05, 0.05, 0.2, 0.2), strict=True):
        assert abs(size - true) < 4.0 * u
    assert swapped is not None
    assert "MINE-K's" in swapped.reason


def test_a_laboratory_that_reads_one_metal_high_is_an_instrument() -> None:
    plant = Plant(np.random.default_rng(3))
    mass_, grades = mixed(*FEEDS)
    node = blend(plant, FEEDS, [(mass_, {**grades, "Cu": 1.1 * grades["Cu"]})])
    found = judged(node)
    assert found is not None
    assert found.family == "instrument_bias"
    assert "Cu of output out-0 reads" in found.reason


def test_many_streams_are_laid_out_as_few() -> None:
    plant = Plant(np.random.default_rng(4))
    feeds = feed(plant.rng, 40)
    whole = mixed(*feeds)
    outputs = [part_of(whole, 0.9 / 30)] * 30
    found = judged(blend(plant, feeds, outputs))
    assert found is not None
    assert found.family == "loss"
    assert found.size == pytest.approx(-0.1, abs=0.01)
    assert len(found.evidence) <= 4 + 12


def test_a_blend_outside_its_inputs_is_seen_whatever_their_shares() -> None:
    """Cu 20 and 30 in, 33 out: no mixture; 26 out: 40 % of one and 60 % of the other."""

    def grades(cu: float, co: float) -> dict[str, Estimate]:
        return {"Cu": Estimate(cu, 0.01, {}), "Co": Estimate(co, 0.01, {})}

    inputs = [grades(20.0, 4.0), grades(30.0, 6.0)]
    within, beyond = (
        blends.nearest(inputs, grades(cu, co)) for cu, co in ((26.0, 5.2), (33.0, 6.0))
    )
    assert within is not None
    assert beyond is not None
    assert within.shares == pytest.approx((0.4, 0.6), abs=1e-3)
    assert within.statistic == pytest.approx(0.0, abs=1e-4)
    assert beyond.shares == pytest.approx((0.0, 1.0), abs=1e-6)
    # (33 - 30)^2 over the variances of the output and of the one input that is left.
    assert beyond.statistic == pytest.approx(9.0 / 0.02, rel=1e-3)
    assert blends.nearest(inputs, {"Ni": Estimate(1.0, 0.01, {})}) is None


def test_grades_are_taken_out_of_contained_metal() -> None:
    """100 t with u 0.2 %, 3 t of Cu with u 1.02 %, of which 0.2 % are the mass's: 1 % is left."""
    metal = 3e9
    parts = {"WB": 0.001 * metal, "LAB": 0.005 * metal}
    held = Held(
        "e", "lot/L", "P", 1, Micros(0), 0, 0.0, {}, 100_000_000, 0.002 * 1e8, {"WB": 1e5},
        {"Cu": (int(metal), math.hypot(0.01, 0.002) * metal, parts)},
        Carried({}, {}, {}, {}),
    )  # fmt: skip
    found = stream("L", "e", held, ["Cu"])
    grade = found.grades["Cu"]
    assert grade.value == pytest.approx(30.0)
    assert math.sqrt(grade.var) == pytest.approx(0.3, rel=1e-6)
    assert grade.parts == {"LAB": pytest.approx(0.15)}


def blended() -> Node:
    """The example of docs/detection/process-nodes.md: 60 t and 40 t blended, 90 t of it left."""

    def grade(kg_t: float) -> Estimate:
        return Estimate(kg_t, (0.01 * kg_t) ** 2, {})

    return Node(
        (
            bare("L-1", mass(60.0, 0.06), Cu=grade(30.0), Co=grade(8.0)),
            bare("L-2", mass(40.0, 0.04), Cu=grade(20.0), Co=grade(2.0)),
        ),
        (bare("B-1", mass(100.0, 0.1), Cu=grade(22.1), Co=grade(4.76)),),
        (),
        conserves_mass=True,
        separating=False,
    )


def test_the_page_says_what_the_test_says() -> None:
    page = " ".join(tree.text(Path("docs/detection/process-nodes.md")).replace("\n> ", " ").split())
    node = Node((bare("L-1", mass(100.0, 0.3)),), (bare("B-1", mass(98.0, 0.4)),), (),
                conserves_mass=True, separating=False)  # fmt: skip
    for one in (node, blended()):
        found = judge(one, dict)
        assert found is not None
        assert found.reason in page


def test_what_has_no_name_is_a_streams_own_and_a_dry_share_no_instrument() -> None:
    found = node_facts.named(
        Estimate(5.0, 1.0, {"WB": 2.0, "LAB": -3.0, "other": 4.0, "P/dry_share": 1.0})
    )
    assert found == Estimate(5.0, 17.0, {"WB": 2.0, "LAB": -3.0, "P/dry_share": 1.0})
    assert sources_of([bare("X", found)]) == {"WB", "LAB"}


def test_what_left_over_a_scale_and_what_it_weighed_are_wrong_together() -> None:
    """60 t left over WB, 40 t lie there by another scale less that: WB is in neither sum."""
    parts = {"WB": -6e4}
    held = Held(
        "e", "lot/L", "P", 1, Micros(0), 0, 0.0, {}, 40_000_000, 4e4, parts, {},
        Carried({}, {}, {}, {}),
    )  # fmt: skip
    assert stream("L", "e", held, []).dry.parts == parts
