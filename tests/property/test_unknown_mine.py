"""Lots of a mine nobody knows, beside mines that are known: what is clean raises no alert.

In the world of the evaluation, a hundred of them for each number of known mines.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from bench.detection.history import laboratory, scale, xrf
from bench.detection.judged import Judge
from bench.detection.world import Floats, Fraud, Lots, World, WorldSpec
from custody.detect.lot_facts import MASS, MOISTURE, Known, Leg, Model, Site, Xrf

WORLDS, LOTS = 100, 5
ANALYTES = 6
SPEC = WorldSpec(sites=21, analytes=ANALYTES, bad_shot=0.0)
NAMES = tuple(f"a{number:02d}" for number in range(ANALYTES))
UNKNOWN = 0
"""The mine whose lots are judged; those after it may be known."""


def thought(world: World, known: int) -> Model:
    """Return what is thought of the unknown mine's lots: all that is true but its composition."""
    spec, stations = world.spec, range(len(world.spec.stations))
    library = [
        Site(
            site_id=f"S{at}",
            analytes=NAMES,
            mean=world.mean[at],
            covariance=world.covariance[at],
            lots=100,
        )
        for at in range(1, known + 1)
    ]
    errors: dict[tuple[str, str], Known] = {}
    for s in stations:
        lab, gun = laboratory(s, UNKNOWN), xrf(s, UNKNOWN)
        errors[scale(s, UNKNOWN), MASS] = Known(0.0, spec.scale_bias_u)
        errors[lab, MOISTURE] = Known(0.0, spec.moisture_bias_u)
        errors |= {(lab, name): Known(0.0, spec.assay_bias_u) for name in NAMES}
        errors |= {(gun, name): Known(0.0, spec.xrf_bias_u) for name in NAMES}
    own = Xrf(
        matrix_rel=spec.xrf_matrix_u,
        heterogeneity_rel=spec.xrf_heterogeneity,
        counting_rel=float(world.counting.mean()),
    )
    leg = Leg(-spec.loss_mean, spec.loss_sd, spec.drying_mean, spec.drying_sd)
    return Model(
        analytes=NAMES,
        stations=tuple(one.name for one in spec.stations),
        legs=(leg,) * (len(stations) - 1),
        origin=None,
        library=tuple(library),
        # The unknown mine's usual moisture differs from that of the others, too.
        dry_share=(math.log1p(-spec.moisture_mean), 0.025),
        xrf={xrf(s, UNKNOWN): own for s in stations},
        errors=errors,
    )


def unknown(seed: int, known: int, fraud: Fraud | None = None) -> Iterator[tuple[Judge, Lots]]:
    """Yield worlds, each with lots of its unknown mine."""
    for number in range(WORLDS):
        world = World(SPEC, seed * WORLDS + number)
        model = thought(world, known)
        drawn = world.draw(LOTS * SPEC.sites * 3, (seed, number), fraud)
        mine = drawn.of(np.flatnonzero(drawn.origin == UNKNOWN)[:LOTS])
        yield Judge(world, [model]), mine


def ever(seed: int, known: int, fraud: Fraud | None = None) -> Floats:
    """Return the greatest ln E of each lot's life."""
    return np.concatenate(
        [judge.ever(lots, shot_by_shot=False) for judge, lots in unknown(seed, known, fraud)]
    )


def holds(ln_e: Floats) -> None:
    """Check that E passes 1 / alpha in hardly more than alpha of the lots."""
    assert len(ln_e) >= 400
    for alpha in (0.1, 0.01, 0.001):
        assert (ln_e >= -math.log(alpha)).mean() <= alpha + 3.0 * math.sqrt(alpha / len(ln_e))


@pytest.mark.parametrize("known", [0, 1, 2, 3, 5, 20])
def test_clean_lots_hold_the_null_beside_any_number_of_known_mines(known: int) -> None:
    holds(ever(1, known))


def test_clean_lots_of_other_ore_than_any_known_hold_it_too() -> None:
    """A factor of seven and more from all known mines, as cobalt is from copper."""
    found = []
    for judge, lots in unknown(2, 20):
        other = np.exp(2.0 * np.where(np.arange(ANALYTES) % 2, 1.0, -1.0))
        unlike = replace(lots, shots=lots.shots * other, assay=lots.assay * other)
        found.append(judge.ever(unlike, shot_by_shot=False))
    holds(np.concatenate(found))


@pytest.mark.parametrize("fraud", [Fraud("waste", 0.1), Fraud("theft", 0.03)], ids=str)
def test_what_is_done_to_them_on_the_way_is_found(fraud: Fraud) -> None:
    assert (ever(3, 5, fraud) >= math.log(1000.0)).mean() > 0.9
