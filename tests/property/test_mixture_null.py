"""The null is held: an honest lot's e-value, over its whole life, in the detector's own world."""

import math

import numpy as np
import pytest

from custody.detect.lot_facts import Floats, Readings
from custody.detect.lot_pattern import prepare
from custody.detect.mixture import Detector
from tests.support.lot_models import a_model, an_honest_lot

LOTS = 60_000


@pytest.fixture(scope="module")
def lives() -> Floats:
    """Return ln E of lots after every reading, drawn from the model as the detector has it."""
    detector = Detector(a_model())
    pattern = detector.layout(an_honest_lot(1)).pattern
    prepared = prepare(detector.model, detector.prior, pattern)
    rng = np.random.default_rng(11)
    factor = np.linalg.inv(prepared.inverse)
    values = prepared.mean + rng.normal(size=(LOTS, len(prepared.mean))) @ factor.T
    ends = np.cumsum([len(getattr(rows, "analytes", (0,))) for rows in pattern])
    return np.array(
        [detector.ln_e(pattern[: n + 1], values[:, :end]) for n, end in enumerate(ends)]
    )


@pytest.mark.parametrize("alpha", [0.1, 0.01])
def test_it_ever_passes_one_in_alpha_at_most_so_often(lives: Floats, alpha: float) -> None:
    ever = float((lives.max(axis=0) >= -math.log(alpha)).mean())
    assert ever <= alpha + 3.0 * math.sqrt(alpha / LOTS)


def test_its_expectation_is_one_at_every_moment(lives: Floats) -> None:
    e = np.exp(np.minimum(lives, math.log(100.0)))
    for moment in e:
        assert moment.mean() <= 1.0 + 3.0 * moment.std() / math.sqrt(LOTS)


def test_lots_drawn_otherwise_hold_it_too() -> None:
    """2,000 lots from the support world's own code, at the end of their lives: E[min(E, 100)]."""
    detector = Detector(a_model())
    readings: list[Readings] = [an_honest_lot(seed) for seed in range(2_000)]
    e = np.exp(np.minimum([detector.judge(one).ln_e for one in readings], math.log(100.0)))
    assert e.mean() <= 1.0 + 3.0 * e.std() / math.sqrt(len(e))
    assert (e >= 10.0).mean() <= 0.1
