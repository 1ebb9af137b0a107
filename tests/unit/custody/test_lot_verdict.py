"""What the core says of a lot: one alert, its evidence, and that its sums can be done again."""

import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from random import Random
from types import ModuleType
from typing import Any

import pytest

from custody.detect import lot_verdict
from custody.events import LotFact, ReferenceSet
from custody.records import Alert
from schemas import present
from tests.support import tree
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
) -> list[LotFact]:
    """Three shots as is and a certificate at a site, a few percent off each."""
    facts: list[LotFact] = []
    for no in range(3):
        seen = {a: 0.92 * c * math.exp(rng.gauss(0, 0.04)) for a, c in grades.items()}
        facts.append(maker.shot(site, minute + no, seen))
    said: dict[str, tuple[float, float | None]] = {
        a: (c * math.exp(rng.gauss(0, 0.01)), 0.012 * c) for a, c in grades.items()
    }
    facts.append(maker.assay(site, minute + 10, said, moisture=(moisture, 0.002)))
    return facts


def hauled(
    seed: int,
    *,
    at_origin: dict[str, float],
    at_port: dict[str, float],
    moistures: tuple[float, float] = (0.08, 0.08),
    known: Sequence[ReferenceSet] = (),
    came_kg: int = 45_000,
) -> World:
    """A lot that is measured at its mine and at a port; what lies there may be something else."""
    rng, maker, world = Random(seed), Maker(), World()
    world.tell(
        reference("fingerprint", "MINE", origin("MINE", MEAN)),
        reference("fingerprint", "ELSEWHERE", origin("ELSEWHERE", OTHER)),
        *known,
        maker.lot("MINE", -60, {"Cu": 0.018}),
        *measured(maker, "MINE", 0, at_origin, rng, moisture=moistures[0]),
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.weighing("PORT", 600, "receipt", came_kg, 15_000),
        *measured(maker, "PORT", 660, at_port, rng, moisture=moistures[1]),
    )
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


def test_honest_lots_are_silent() -> None:
    alarms = 0
    for seed in range(40):
        ore = lot(Random(seed))
        alarms += len(suspicions(hauled(seed, at_origin=ore, at_port=ore)))
    assert alarms == 0


@pytest.mark.parametrize(
    "moistures", [(0.08, 0.0), (0.0, 0.08), (0.0, 0.0), (0.08, 0.008)], ids=str
)
def test_a_moisture_of_nothing_or_a_slip_towards_dry_is_no_gain_and_no_water(
    moistures: tuple[float, float],
) -> None:
    """The scales agree and the ore is the same: what is off is a figure on a certificate.

    A road of which it is known that loads dry by 0.1 % took a part of 8 % for drying, and the mass
    that was then too great by that for a gain of 0.8 %, E = 10^5.
    """
    for seed in range(3):
        ore = lot(Random(seed))
        world = hauled(seed, at_origin=ore, at_port=ore, moistures=moistures, known=A_GOOD_ROAD)
        assert not suspicions(world)


def test_a_moisture_above_the_one_before_is_water() -> None:
    """Twice what it was, and the truck weighs the same."""
    ore = lot(Random(1))
    [alert] = suspicions(hauled(1, at_origin=ore, at_port=ore, moistures=(0.08, 0.16)))
    assert alert.family == "water"


def test_ore_of_elsewhere_mixed_in_on_the_way_is_named_sized_and_dated() -> None:
    ore = lot(Random(1))
    [alert] = suspicions(hauled(1, at_origin=ore, at_port=mixed(ore, 0.25)))
    assert (alert.family, alert.movement_id) == ("foreign_material", "M-1")
    assert abs(alert.size - 0.25) < 3 * alert.size_u
    assert "between MINE and PORT" in alert.reason
    assert "ELSEWHERE" in alert.reason
    assert alert.onset_at is not None
    assert {row.analyte for row in alert.evidence} >= set(ANALYTES)
    assert sum(row.ln_ratio for row in alert.evidence) > math.log(alert.threshold)


def test_ore_of_elsewhere_from_the_first_measurement_on_is_a_mismatch_of_origin() -> None:
    ore = lot(Random(2))
    other = mixed(ore, 0.8)
    [alert] = suspicions(hauled(2, at_origin=other, at_port=other))
    assert alert.family == "origin_mismatch"
    assert alert.movement_id is None
    assert "before MINE measured it" in alert.reason


def test_a_shot_that_its_neighbours_contradict_is_found_and_says_nothing_of_the_lot() -> None:
    ore, maker = lot(Random(3)), Maker("L-1", count=1_000)
    world = hauled(3, at_origin=ore, at_port=ore)
    bad = maker.shot("PORT", 670, {a: 3.0 * c for a, c in ore.items()})
    world.tell(bad)
    [found] = [a for a in world.alerts.values() if a.rule == "shot_gated"]
    assert found.state == "open"
    assert found.reason.endswith("repeat it")
    assert suspicions(world) == []


def test_an_alert_names_shots_not_used_and_what_its_lot_would_show() -> None:
    ore = lot(Random(4))
    world = hauled(4, at_origin=ore, at_port=mixed(ore, 0.3))
    world.tell(Maker("L-1", count=1_000).shot("PORT", 670, {a: 5.0 * c for a, c in ore.items()}))
    [alert] = suspicions(world)
    sizes = {one.family: one.size for one in alert.detectable}
    assert 0.001 < sizes["loss"] < 0.05
    assert {"waste", "foreign_material"} <= sizes.keys()
    assert {one.device_id for one in alert.calibrations} >= {"WB-MINE", "WB-PORT"}
    assert alert.unobserved == ()


def script(name: str) -> ModuleType:
    """Return one of the scripts that the docs give to outsiders."""
    path = tree.ROOT / "docs/detection" / name
    assert len(tree.text(path).splitlines()) <= 42
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agree(sums: Mapping[str, tuple[object, object]]) -> None:
    for name, (said, follows) in sums.items():
        assert said == follows or said == pytest.approx(follows, rel=1e-6, abs=1e-9), name


def written(alert: Alert) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(json.dumps(present.alert_line(alert)))
    return line


def test_the_sums_of_an_alert_can_be_done_again_from_the_alert_alone() -> None:
    """A figure changed by a thousandth is found."""
    ore = lot(Random(5))
    [alert] = suspicions(hauled(5, at_origin=ore, at_port=mixed(ore, 0.12)))
    line, of_e = written(alert), script("recompute.py")
    agree(of_e.sums(line))
    assert set(script("recompute_size.py").sums(line)) == {"severity"}
    line["evidence"][0]["observed"] *= 1.001
    said, follows = of_e.sums(line)["z of row 0"]
    assert said != pytest.approx(follows, rel=1e-6)


@pytest.mark.parametrize("family", ["loss", "gain", "water", "waste"])
def test_a_size_and_its_u_can_be_done_again_from_the_alert_alone(family: str) -> None:
    ore = lot(Random(6))
    less = {a: 0.85 * c for a, c in ore.items()} if family == "waste" else ore
    came = {"loss": 43_800, "gain": 46_200}.get(family, 45_000)
    wet = 0.16 if family == "water" else 0.08
    world = hauled(6, at_origin=ore, at_port=less, moistures=(0.08, wet), came_kg=came)
    [alert] = suspicions(world)
    assert alert.family == family
    line, of_size = written(alert), script("recompute_size.py")
    assert {"size", "u of size", "severity"} == set(of_size.sums(line))
    agree(of_size.sums(line))
    agree(script("recompute.py").sums(line))
    line["size_u"] *= 1.001
    said, follows = of_size.sums(line)["u of size"]
    assert said != pytest.approx(follows, rel=1e-6)


def test_rows_that_have_no_room_are_one_that_says_what_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ore = lot(Random(6))
    less = {a: 0.85 * c for a, c in ore.items()}
    monkeypatch.setattr(lot_verdict, "EVIDENCE_MAX", 6)
    [alert] = suspicions(hauled(6, at_origin=ore, at_port=less))
    assert [one.quantity for one in alert.evidence].count("others") == 1
    assert len(alert.evidence) == 6
    agree(script("recompute.py").sums(written(alert)))
    agree(script("recompute_size.py").sums(written(alert)))
