"""A lot measured at its mine and then at a port; what lies there may be something else."""

import math
from collections.abc import Sequence
from random import Random
from typing import Any

from custody.events import LotFact, ReferenceSet
from custody.records import Alert
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.world import World

ANALYTES = ("As", "Co", "Cu", "Fe", "Mn", "Ni", "S", "Zn")
MEAN = dict(zip(ANALYTES, (-9.0, -7.0, -4.0, -2.5, -6.0, -6.5, -5.0, -7.5), strict=True))
OTHER = dict(zip(ANALYTES, (-7.0, -8.5, -4.5, -1.5, -5.0, -8.0, -4.0, -6.5), strict=True))


def spread(analytes: tuple[str, ...]) -> list[list[float]]:
    return [[0.02 if a == b else 0.0 for b in analytes] for a in analytes]


def origin(site: str, mean: dict[str, float]) -> dict[str, object]:
    values = [mean[a] for a in ANALYTES]
    return {"analytes": list(ANALYTES), "ln_mean": values, "ln_covariance": spread(ANALYTES),
            "samples": 200, "site": site}  # fmt: skip


def measured(
    maker: Maker,
    site: str,
    minute: float,
    grades: dict[str, float],
    rng: Random,
    *,
    moisture: float = 0.08,
    water: float = 0.0,
) -> list[LotFact]:
    """Three shots as is and a certificate at a site, a few percent off each.

    Of the water that no certificate says, shots show the less of everything.
    """
    facts: list[LotFact] = []
    dry = 0.92 * (1.0 - water)
    for no in range(3):
        seen = {a: dry * c * math.exp(rng.gauss(0, 0.04)) for a, c in grades.items()}
        facts.append(maker.shot(site, minute + no, seen))
    said: dict[str, tuple[float, float | None]] = {
        a: (c * math.exp(rng.gauss(0, 0.01)), 0.012 * c) for a, c in grades.items()
    }
    facts.append(maker.assay(site, minute + 10, said, moisture=(moisture, 0.002)))
    return facts


def haul(
    seed: int,
    *,
    at_origin: dict[str, float],
    at_port: dict[str, float],
    moistures: tuple[float, float] = (0.08, 0.08),
    known: Sequence[ReferenceSet] = (),
    came_kg: int = 45_000,
    water: float = 0.0,
) -> list[LotFact | ReferenceSet]:
    """Return what is known and said of a lot measured at its mine and at a port."""
    rng, maker = Random(seed), Maker()
    return [
        reference("fingerprint", "MINE", origin("MINE", MEAN)),
        reference("fingerprint", "ELSEWHERE", origin("ELSEWHERE", OTHER)),
        *known,
        maker.lot("MINE", -60, {"Cu": 0.018}),
        *measured(maker, "MINE", 0, at_origin, rng, moisture=moistures[0]),
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.weighing("PORT", 600, "receipt", came_kg, 15_000),
        *measured(maker, "PORT", 660, at_port, rng, moisture=moistures[1], water=water),
    ]


def hauled(seed: int, **of_haul: Any) -> World:  # noqa: ANN401  those of haul
    """Return the world of one such lot."""
    world = World()
    world.tell(*haul(seed, **of_haul))
    return world


SCALE = {
    "class": "III", "interval_kg": 10, "repeatability_kg": 5, "u_systematic_rel": 2e-4,
}  # fmt: skip
LEG = {
    "from": "MINE", "to": "PORT", "expected_loss": 0.001, "expected_loss_u": 0.0005,
    "drying": 0.001, "drying_u": 0.001,
}  # fmt: skip
A_GOOD_ROAD = (
    reference("device", "WB-MINE", SCALE),
    reference("device", "WB-PORT", SCALE),
    reference("route", "MINE-PORT", {"legs": [LEG]}),
)
"""Scales and a road of which much is known."""


def lot(rng: Random) -> dict[str, float]:
    return {a: math.exp(MEAN[a] + rng.gauss(0, 0.14)) for a in ANALYTES}


def mixed(ore: dict[str, float], share: float) -> dict[str, float]:
    return {a: (1 - share) * c + share * math.exp(OTHER[a]) for a, c in ore.items()}


def suspicions(world: World) -> list[Alert]:
    return [a for a in world.alerts.values() if a.rule == "lot_eprocess" and a.state == "open"]
