"""The test of a closed process takes any figures, and what it says can be stored and read."""

import math
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from custody.alerts import raise_or_keep
from custody.detect.node_facts import Node, Stream, grade_of, stream
from custody.detect.node_verdict import judge
from custody.estimate import Estimate
from custody.events import Micros
from custody.held import Carried, Held
from custody.ledger import Clock
from schemas import codec

ODD_AMOUNTS = (-(10**16), -1, 0, 10**16)
AMOUNTS = (1, 3, 10**6, 2 * 10**6, 10**7, 10**13)
ODD_U_REL = (0.7, 1e6)
U_REL = (0.0, 1e-300, 1e-9, 0.001, 0.01, 0.1, 0.28)
ODD = 0.03
"""Share of figures that are no measurement of anything."""

SITES = {"A": {"Cu": 1e-300, "Co": 1e6}, "B": {"Cu": 1.0, "Co": 1.0}}


def figure(rng: Random) -> tuple[int, float, dict[str, float]]:
    value = rng.choice(ODD_AMOUNTS if rng.random() < ODD else AMOUNTS)
    u_rel = rng.choice(ODD_U_REL if rng.random() < ODD else U_REL)
    parts = {
        s: rng.choice(U_REL) * abs(value) for s in ("WB", "LAB", "other") if rng.random() < 0.5
    }
    return value, u_rel * abs(value), parts


def a_stream(rng: Random, name: str) -> Stream:
    metals = {a: figure(rng) for a in ("Cu", "Co") if rng.random() < 0.9}
    dry, u, parts = figure(rng)
    held = Held(
        name, "lot/" + name, "P", 1, Micros(0), 0, 0.0, {}, dry, u, parts, metals,
        Carried({}, {}, {}, {}),
    )  # fmt: skip
    return stream(name, name, held, sorted(metals))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_no_figures_stop_the_test_of_a_process(seed: int) -> None:
    rng = Random(seed)
    sides = [
        [a_stream(rng, f"{side}{n}") for n in range(rng.randint(0 if side == "l" else 1, 4))]
        for side in "iol"
    ]
    node = Node(
        tuple(sides[0]),
        tuple(sides[1]),
        tuple(sides[2]),
        conserves_mass=rng.random() < 0.5,
        separating=rng.random() < 0.5,
    )
    found = judge(node, lambda: SITES)
    if found is None:
        return
    assert math.isfinite(found.value)
    assert math.isfinite(found.size)
    clock = Clock([(Micros(1), "e")])
    alert = raise_or_keep(None, found, "process/P", Micros(1), clock).alert
    assert alert is not None
    assert codec.decode("alert", codec.encode(alert)) == alert


def test_a_grade_needs_a_mass_and_a_metal() -> None:
    good = Estimate(1e6, 1e8, {})
    assert grade_of(Estimate(0.0, 0.0, {}), good) is None
    assert grade_of(good, Estimate(-1.0, 0.0, {})) is None
    assert grade_of(good, Estimate(1.0, 9.0, {})) is None
    assert grade_of(good, good) is not None
