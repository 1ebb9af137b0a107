"""Coverage: what a process says of its outputs and of its rest holds what is true, as often as due.

A world is a scale, a laboratory, and three lots that become two outputs and a rest; what is true of
them and what the papers say are drawn here, with the u that the papers state. Outputs state a wet
mass. Their moisture is that of the inputs, or (``stated``) measured at the plant.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from custody.batch import Batch
from custody.continuous import Node
from custody.estimate import Estimate, sigma, total
from custody.events import Micros
from custody.held import Carried, Held
from custody.kinds import FIFO, KINDS, PERFECT
from custody.knowledge import Cause
from custody.process import Standing
from custody.process_rows import OutRow, StateRow
from custody.reference import References
from custody.rows import Side

WORLDS = 2_000
LEAST, MOST = 0.93, 0.97
SPAN, WEIGHED, OUT, GRADE = 0.001, 40_000.0, 30_000.0, 0.02
"""u of a scale's span and of a grade, relative; of one mass in and of one out, grams."""
PLANT_MOISTURE = 0.005
"""u of a moisture that a side states, absolute; half of its variance is the site's."""
OWN = 0.005, 0.02
"""u of an output's dry mass and of its copper by its own certificate, relative."""
NOTHING = Carried({}, {}, {}, {})
NAMES = ("dry", "copper", "dry of both", "copper of both", "rest", "copper of the rest")


@dataclass(frozen=True, slots=True)
class Moist:
    """How well moistures of lots are known: random, and what the laboratory has in common."""

    own: float
    common: float


DEFAULT, SAMPLED = Moist(0.03, 0.0), Moist(0.0025, 0.0025)
"""5 ± 3 % that nobody measured, of each lot by itself; and a certificate."""


@dataclass(slots=True)
class World:
    """What one process was told, and what is true: dry grams and milligrams of copper."""

    given: list[Held]
    sides: list[Standing]
    true: list[tuple[float, float]]
    rest: tuple[float, float]


def world(rng: np.random.Generator, moist: Moist, *, stated: bool, layered: bool) -> World:
    span, oven, plant = rng.normal(0.0, (SPAN, moist.common, PLANT_MOISTURE / math.sqrt(2)))
    lots: list[tuple[float, float, float]] = []
    given: list[Held] = []
    for number in range(3):
        mass, grade = rng.uniform(20e6, 40e6), 0.02 * (1.0 + rng.normal(0.0, GRADE))
        said = 0.05 if moist is DEFAULT else rng.uniform(0.04, 0.12)
        moisture = said + rng.normal(0.0, moist.own) + oven
        dry = mass * (1.0 - moisture)
        lots.append((mass, dry, dry * grade * 1000.0))
        given.append(handed(number, mass * (1.0 + span) + rng.normal(0.0, WEIGHED), said, moist))
    sides, parts = [], drawn(lots, (0.5, 0.3, 0.2), layered=layered)
    for number, (wet, dry, _) in enumerate(parts[:2]):
        weighed = round(wet + rng.normal(0.0, OUT))
        error = plant + rng.normal(0.0, PLANT_MOISTURE / math.sqrt(2))
        moisture_said = 1.0 - dry / wet + error if stated else None
        masses = {"wet": weighed, "dry": None, "moisture": moisture_said, "u_mass": round(OUT)}
        sides.append(standing(number, masses))
    return World(given, sides, [(dry, copper) for _, dry, copper in parts[:2]], parts[2][1:])


def drawn(
    lots: list[tuple[float, float, float]], parts: tuple[float, ...], *, layered: bool
) -> list[tuple[float, float, float]]:
    """Wet, dry and copper of parts of all wet mass: of all lots alike, or of the first first."""
    whole = np.array(lots)
    if not layered:
        return [tuple(part * whole.sum(axis=0)) for part in parts]
    ends = np.cumsum(whole, axis=0)
    cuts = np.cumsum(parts) * ends[-1, 0]
    at = [np.interp(cuts, np.append(0.0, ends[:, 0]), np.append(0.0, ends[:, n])) for n in range(3)]
    return [tuple(part) for part in np.diff(np.array(at), prepend=0.0).T]


def handed(number: int, wet: float, moisture: float, moist: Moist) -> Held:
    dry = wet * (1.0 - moisture)
    mass, own = WEIGHED / wet, moist.own / (1.0 - moisture)
    parts = {"WB": SPAN, "LAB/moisture": moist.common / (1.0 - moisture)}
    copper = dry * 20.0
    metal = round(copper), math.hypot(mass, own, GRADE) * copper
    return Held(
        f"in-{number}", f"lot/{number}", "PLANT", 1, Micros(number), round(wet), WEIGHED,
        {"WB": SPAN * wet}, round(dry), math.hypot(mass, own) * dry,
        {source: u * dry for source, u in parts.items()},
        {"Cu": (*metal, {source: u * copper for source, u in parts.items()})}, NOTHING,
    )  # fmt: skip


def standing(number: int, masses: dict[str, Any]) -> Standing:
    side = Side("P", "blend", "output", number, f"X-{number}", None, **masses)
    at = Micros(100 + number)
    return Standing(number, Cause(at, at, f"out-{number}"), "PLANT", side)


@dataclass(slots=True)
class Found:
    """What the core says of the outputs, and of what is left."""

    outputs: list[tuple[Estimate, Estimate]]
    rest: tuple[Estimate, Estimate]


def batch(one: World) -> Found:
    given = {held.cause: held for held in one.given}
    made = Batch("P", KINDS["blend"], one.sides, (given, {}), References({}))
    made.derive({side.number: OutRow() for side in one.sides})
    outputs = [said(made.outcomes[side.number].handed) for side in one.sides]
    left = made.whole.dry - math.fsum(dry.value for dry, _ in outputs)
    copper = made.whole.metals["Cu"] - math.fsum(copper.value for _, copper in outputs)
    known = made.known.dry, made.known.metals["Cu"]
    return Found(outputs, (known[0]._replace(value=left), known[1]._replace(value=copper)))


def pile(one: World, mixing: str = PERFECT) -> Found:
    kind = KINDS["stockpile"]._replace(mixing=mixing)
    node = Node("P", kind, StateRow(), References({}))
    for held in one.given:
        node.put_in(held)
    outputs = [said(node.apply(side, None, OutRow()).handed) for side in one.sides]
    known = node.known({"Cu": 1})
    return Found(outputs, (known.dry, known.metals["Cu"]))


def layers(one: World) -> Found:
    return pile(one, FIFO)


def said(held: Held | None) -> tuple[Estimate, Estimate]:
    assert held is not None
    value, u, parts = held.metals["Cu"]
    dry = Estimate(float(held.dry), held.dry_u**2, held.dry_parts)
    return dry, Estimate(float(value), u * u, parts)


def is_held(estimate: Estimate, truth: float) -> bool:
    return abs(estimate.value - truth) <= 2.0 * sigma(estimate)


@pytest.mark.slow
@pytest.mark.parametrize("moist", [DEFAULT, SAMPLED], ids=["default", "sampled"])
@pytest.mark.parametrize("process", [batch, pile, layers])
@pytest.mark.parametrize("stated", [False, True], ids=["derived", "stated"])
def test_twice_the_u_of_a_process_holds_the_truth(
    process: Callable[[World], Found], moist: Moist, *, stated: bool
) -> None:
    rng = np.random.default_rng(28)
    held: dict[str, int] = dict.fromkeys(NAMES, 0)
    for _ in range(WORLDS):
        one = world(rng, moist, stated=stated, layered=process is layers)
        found = process(one)
        (dry, copper), truth = found.outputs[0], one.true[0]
        both = total(dry for dry, _ in found.outputs)
        metal = total(copper for _, copper in found.outputs)
        held["dry"] += is_held(dry, truth[0])
        held["copper"] += is_held(copper, truth[1])
        held["dry of both"] += is_held(both, math.fsum(dry for dry, _ in one.true))
        held["copper of both"] += is_held(metal, math.fsum(copper for _, copper in one.true))
        held["rest"] += is_held(found.rest[0], one.rest[0])
        held["copper of the rest"] += is_held(found.rest[1], one.rest[1])
    shares = {name: count / WORLDS for name, count in held.items()}
    assert min(shares.values()) >= LEAST, shares
    assert max(shares.values()) <= MOST, shares


def certificate(rng: np.random.Generator, handed: Held, true: tuple[float, float]) -> Held:
    """What an output was measured to be less than handed over: errors all its own."""
    dry, copper = (round(x * (1.0 + rng.normal(0.0, u))) for x, u in zip(true, OWN, strict=True))
    expected = handed.metals["Cu"][0] if "Cu" in handed.metals else 0
    metals = {"Cu": (expected - copper, OWN[1] * copper, dict[str, float]())}
    back = handed._replace(wet=0, wet_u=0.0, wet_parts={}, dry=handed.dry - dry)
    return back._replace(dry_u=OWN[0] * dry, dry_parts={}, metals=metals, carried=NOTHING)


def in_books(node: Node, rng: np.random.Generator, one: World, *, measured: bool) -> int:
    """Let all outputs leave; return the milligrams of copper that the books then have."""
    went_in = sum(held.metals["Cu"][0] for held in one.given)
    went = 0
    for side, true in zip(one.sides, one.true, strict=True):
        before = Node("P", node._kind, deepcopy(node.state), References({}))
        handed = before.apply(side, None, OutRow()).handed
        assert handed is not None
        back = certificate(rng, handed, true) if measured else None
        node.apply(side, back, OutRow())
        went += handed.metals["Cu"][0] if "Cu" in handed.metals else 0
        went -= 0 if back is None else back.metals["Cu"][0]
    return went_in - went


@pytest.mark.slow
@pytest.mark.parametrize("moist", [DEFAULT, SAMPLED], ids=["default", "sampled"])
@pytest.mark.parametrize("mixing", [PERFECT, FIFO])
@pytest.mark.parametrize(
    ("separating", "measured"), [(False, True), (True, False), (True, True)],
    ids=["measured", "separated", "separated-measured"],
)  # fmt: skip
def test_twice_the_u_of_the_copper_in_the_books_of_a_node_holds_the_truth(
    moist: Moist, mixing: str, *, separating: bool, measured: bool
) -> None:
    """Of outputs whose certificates say what left, and where no copper leaves without one."""
    rng, held = np.random.default_rng(31), 0
    kind = KINDS["stockpile"]._replace(mixing=mixing, separating=separating)
    for _ in range(WORLDS):
        one = world(rng, moist, stated=False, layered=mixing == FIFO)
        node = Node("P", kind, StateRow(), References({}))
        for given in one.given:
            node.put_in(given)
        books = in_books(node, rng, one, measured=measured)
        left = one.rest[1] + (0.0 if measured else math.fsum(copper for _, copper in one.true))
        copper = node.known({"Cu": 1}).metals["Cu"]
        held += is_held(copper._replace(value=float(books)), left)
    assert LEAST <= held / WORLDS <= MOST
