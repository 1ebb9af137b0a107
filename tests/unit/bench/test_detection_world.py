"""The simulated world and its bound by hand, and that lots judged together are judged alike."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr  # type: ignore[import-untyped]  # it ships no types

from bench.detection import bound
from bench.detection.__main__ import WORLDS, main
from bench.detection.history import models
from bench.detection.judged import Judge, _lives, readings
from bench.detection.table import GOALS, found_at
from bench.detection.world import FRAUDS, Fraud, Lots, StationSpec, World, WorldSpec

SMALL = WorldSpec(sites=4, analytes=5, bad_shot=0.05)
SCALES_ALONE = replace(
    SMALL, stations=(StationSpec("mine"), StationSpec("port")), net_u=0.001, loss_sd=0.002
)


@pytest.mark.parametrize("name", ["--lots", "--frauds", "--history", "--seed"])
def test_a_number_of_nothing_is_wrong_use(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.detection", name, "-5"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"argument {name}: at least" in capsys.readouterr().err


def test_a_seed_gives_one_world_and_its_lots() -> None:
    first, again = (World(SMALL, 3).draw(20, (1, 2)) for _ in range(2))
    other = World(SMALL, 4).draw(20, (1, 2))
    assert np.array_equal(first.assay, again.assay, equal_nan=True)
    assert not np.array_equal(first.assay, other.assay, equal_nan=True)


def test_the_bound_of_two_scales_is_that_of_a_z_test() -> None:
    lots = World(SCALES_ALONE, 1).draw(10, (1,), Fraud("theft", 0.01))
    sigma = math.sqrt(2 * 0.001**2 + 0.002**2 + SCALES_ALONE.drying_sd**2)
    delta = -math.log1p(-0.01) / sigma
    world = World(SCALES_ALONE, 1)
    assert np.sqrt(bound.separation(world, lots)) == pytest.approx(delta, rel=1e-4)
    assert bound.power(world, lots, 0.5) == pytest.approx(float(ndtr(delta)), rel=1e-6)


def test_water_of_the_same_weight_hides_from_scales() -> None:
    lots = World(SCALES_ALONE, 1).draw(10, (1,), Fraud("water", 0.1))
    assert bound.separation(World(SCALES_ALONE, 1), lots) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("fraud", [None, *FRAUDS])
def test_a_fraud_leaves_alone_what_it_does_not_touch(fraud: str | None) -> None:
    """The same draw with and without: stations before the onset read the same."""
    world = World(replace(SMALL, bad_shot=0.0), 2)
    honest = world.draw(30, (5,))
    lots = world.draw(30, (5,), None if fraud is None else Fraud(fraud, 0.2))
    for i, onset in enumerate(lots.onset.tolist()):
        assert np.array_equal(honest.net[i, :onset], lots.net[i, :onset])
        assert np.array_equal(honest.assay[i, :onset], lots.assay[i, :onset], equal_nan=True)
    if fraud == "theft":
        lost = lots.net[:, -1] / honest.net[:, -1]
        assert lost == pytest.approx(0.8)
    if fraud in {"water", "water_falsified", "waste", "foreign"}:
        assert lots.net == pytest.approx(honest.net, nan_ok=True)


def _judge(world: World) -> Judge:
    return Judge(world, models(world, world.draw(50 * world.spec.sites, (1, 1))))


def test_lots_judged_together_are_judged_as_live_ones() -> None:
    world = World(SMALL, 1)
    judge, lots = _judge(world), world.draw(25, (1, 3), Fraud("waste", 0.03))
    together = judge.ever(lots, shot_by_shot=True)
    for i in range(25):
        detector = judge.detectors[int(lots.origin[i])]
        live = max(detector.judge(part).ln_e for part in _lives(readings(world, lots, i)))
        assert together[i] == pytest.approx(live, abs=1e-6)


def test_it_is_no_better_than_the_best_possible() -> None:
    """800 lots with a theft that the bound finds in half: 3 points are 1.7 sigma."""
    world = World(SMALL, 1)
    lots: Lots = world.draw(800, (1, 4), Fraud("theft", 0.008))
    found = float((_judge(world).ever(lots, shot_by_shot=False) >= math.log(1000.0)).mean())
    best = bound.power(world, lots)
    assert 0.3 < best < 0.7
    assert found <= best + 0.03


def test_the_size_found_is_between_two_that_were_tried() -> None:
    z = [0.5, 0.8, 0.95]
    assert 0.02 < found_at([0.01, 0.02, 0.03], z) < 0.03
    assert math.isnan(found_at([0.01, 0.02], [0.1, 0.2]))
    assert found_at([0.01, 0.02], [0.95, 0.99]) == 0.01


@pytest.mark.parametrize("path", sorted(WORLDS.glob("*.json")), ids=lambda path: path.stem)
def test_worlds_load_and_say_what_they_are(path: Path) -> None:
    spec = WorldSpec.load(path)
    assert spec.name == path.stem
    assert set(GOALS) == set(FRAUDS)


def test_a_parameter_that_there_is_none_of_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text('{"sitees": 3}', "utf-8")
    with pytest.raises(ValueError, match="sitees"):
        WorldSpec.load(path)
