"""Water and barren material look alike to shots at wet ore: an alert then says both."""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from custody.events import LotAssayed, LotFact, ReferenceSet
from custody.records import Alert
from tests.support.instruments import reference
from tests.support.measured_lots import (
    ANALYTES,
    MEAN,
    haul,
    lot,
    origin,
    suspicions,
)
from tests.support.recomputed import line_of
from tests.support.world import World
from tests.unit.custody.test_recomputed import agrees

Facts = list[LotFact | ReferenceSet]
PutIn = Callable[[int, float], Facts]


def alert_of(facts: Facts) -> Alert:
    world = World()
    world.tell(*facts)
    [alert] = suspicions(world)
    agrees(line_of(alert))
    return alert


GUN = {"class": "xrf", "bias_rel": 0.02, "matrix_rel": 0.02, "heterogeneity_rel": 0.05}
GUNS = tuple(reference("device", f"XRF-{site}", GUN) for site in ("MINE", "PORT"))
"""Guns that are known well: of others less than half of a load does not show by shots alone."""


def rock(seed: int, share: float) -> Facts:
    ore = lot(Random(seed))
    there = {a: (1.0 - share) * c for a, c in ore.items()}
    return haul(seed, at_origin=ore, at_port=there, known=GUNS)


def wet(seed: int, share: float) -> Facts:
    """The truck weighs the same, and the oven has dried what was watered."""
    ore, dry = lot(Random(seed)), 0.92 * (1.0 - share)
    moistures = 0.08, 1.0 - dry
    return haul(seed, at_origin=ore, at_port=ore, water=share, moistures=moistures, known=GUNS)


def at_port(facts: Facts, *, oven: bool, grades: bool) -> Facts:
    """Return facts with what of its certificate the port's laboratory says."""
    found: Facts = []
    for one in facts:
        if not isinstance(one, LotAssayed) or one.site_id != "PORT":
            found.append(one)
        elif oven or grades:
            said = one if grades else replace(one, results=())
            found.append(said if oven else replace(said, moisture_fraction=None))
    return found


def shares(alert: Alert) -> tuple[float, float]:
    said = {one.family: one.probability for one in alert.posterior}
    return said.get("water", 0.0) + said.get("water_falsified", 0.0), said["waste"]


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("put_in", [rock, wet])
def test_what_shots_alone_show_is_water_or_barren_material(put_in: PutIn, share: float) -> None:
    for seed in range(2):
        alert = alert_of(at_port(put_in(seed, share), oven=False, grades=False))
        assert alert.family == "water_or_waste"
        water, waste = shares(alert)
        assert min(water, waste) >= 0.05 * (water + waste)
        assert f"water or barren material (probability {water:.2f} and {waste:.2f})" in alert.reason
        assert "a moisture or grades of a dried sample at PORT would" in alert.reason
        assert alert.size == pytest.approx(share, abs=3 * alert.size_u)
        assert alert.stake_share == pytest.approx(alert.size * (water + waste))


@pytest.mark.parametrize(("put_in", "family"), [(rock, "waste"), (wet, "water")])
def test_a_whole_certificate_tells(put_in: PutIn, family: str) -> None:
    for seed in range(2):
        assert alert_of(at_port(put_in(seed, 0.3), oven=True, grades=True)).family == family


@pytest.mark.parametrize(
    ("put_in", "families"), [(rock, {"waste"}), (wet, {"water", "water_falsified"})]
)
def test_grades_of_a_dried_sample_tell_without_its_moisture(
    put_in: PutIn, families: set[str]
) -> None:
    for seed in range(2):
        facts = at_port(put_in(seed, 0.3), oven=False, grades=True)
        assert alert_of(facts).family in families


def test_a_moisture_tells_water_and_leaves_rock_beside_an_oven_that_lies() -> None:
    for seed in range(2):
        assert alert_of(at_port(wet(seed, 0.3), oven=True, grades=False)).family == "water"
        alert = alert_of(at_port(rock(seed, 0.3), oven=True, grades=False))
        assert alert.family == "water_or_waste"
        assert "an umpire's moisture or grades of a dried sample at PORT would" in alert.reason
        assert {one.family: one.probability for one in alert.posterior}["water"] < 1e-3


ROCK = {a: MEAN[a] + (0.4 if a in {"Fe", "Mn"} else -4.0) for a in ANALYTES}
"""Barren rock that holds half as much iron again as the ore."""


def test_the_iron_of_rock_that_is_known_tells_it_from_water_by_shots_alone() -> None:
    ore = lot(Random(1))
    dump = reference("fingerprint", "DUMP", origin("DUMP", ROCK))
    mixed = {a: 0.7 * c + 0.3 * math.exp(ROCK[a]) for a, c in ore.items()}
    facts = haul(1, at_origin=ore, at_port=mixed, known=[*GUNS, dump])
    alert = alert_of(at_port(facts, oven=False, grades=False))
    assert alert.family == "foreign_material"
    assert "DUMP" in alert.reason
    watered = [*wet(1, 0.3)[:2], dump, *wet(1, 0.3)[2:]]
    assert alert_of(at_port(watered, oven=False, grades=False)).family == "water_or_waste"
