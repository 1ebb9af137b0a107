"""Sizes found with probability 0.9, beside the bound of the same world and the classic tests."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]  # it ships no types

from bench.detection import bound, classic
from bench.detection.history import models
from bench.detection.judged import Judge
from bench.detection.world import FRAUDS, Floats, Fraud, Lots, World, WorldSpec

POWER = 0.9
FALSE_ALARMS = 1e-3
PROVED = math.log(1.0 / FALSE_ALARMS)
GOALS = {
    "theft": 1.25,
    "water": 1.25,
    "water_falsified": 1.45,
    "waste": 1.25,
    "foreign": 1.45,
    "blend": 1.65,
}
MULTIPLES = (0.8, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.65, 1.85, 2.2, 2.8)
"""Sizes tried, in sizes of the bound."""
SIZE_MAX = 0.97
BISECTIONS = 12

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Level:
    """How often honest lots alarm, per 1000.

    Attributes:
        threshold: ln E that one lot in a thousand passes, calibrated on lots with bad shots.
        calibrated: At that threshold on fresh lots, without and with bad shots.
        proved: At ln 1000, likewise.
        classic: Of the classic tests with bad shots, one in a thousand without.
        lots: Of each kind.
    """

    threshold: float
    calibrated: tuple[float, float]
    proved: tuple[float, float]
    classic: float
    lots: int


@dataclass(frozen=True, slots=True)
class Found:
    """One family of fraud.

    Attributes:
        fraud: Which.
        bound: Size that the best possible test finds with probability 0.9.
        size: That the detector finds at the calibrated threshold; NaN where none tried is.
        size_proved: At ln 1000.
        size_classic: That the eight classic tests find.
        power: (size, bound, detector, proved, classic) for the curve.
    """

    fraud: str
    bound: float
    size: float
    size_proved: float
    size_classic: float
    power: tuple[tuple[float, float, float, float, float], ...]

    @property
    def ratio(self) -> float:
        """Return the size in sizes of the bound."""
        return self.size / self.bound

    @property
    def excess(self) -> float:
        """Return by how much the detector is better than the best possible, at most."""
        return max(min(p[2], 1.0) - p[1] for p in self.power)


class Evaluation:
    """One world and seed.

    Args:
        spec: The world.
        seed: Of everything.
        history: Honest lots per site that the detectors are calibrated on.
    """

    def __init__(self, spec: WorldSpec, seed: int, history: int) -> None:
        self.world, self.seed = World(spec, seed), seed
        self.models = models(self.world, self.world.draw(history * spec.sites, (seed, 2)))
        self.judge = Judge(self.world, self.models)
        self.good = World(spec.without_bad_shots(), seed)

    def level(self, lots: int, say: Say) -> tuple[Level, float]:
        """Return how often honest lots alarm, and the level of the classic tests."""
        drawn = partial(self.world.draw, lots)
        first = self._ever(drawn((self.seed, 3)), shot_by_shot=True)
        threshold = float(np.quantile(first, 1.0 - FALSE_ALARMS))
        say(f"threshold ln E = {threshold:.2f}")
        fresh = self._ever(drawn((self.seed, 4)), shot_by_shot=True)
        good = self._ever(self.good.draw(lots, (self.seed, 5)), shot_by_shot=True)
        # The classic tests have no gate: one bad shot in a hundred would ruin their level.
        least = self._classic(self.good.draw(lots, (self.seed, 6)))
        limit = float(np.quantile(least, 1.0 - FALSE_ALARMS))
        classic_bad = 1e3 * float((self._classic(drawn((self.seed, 4))) >= limit).mean())

        def per_thousand(at: float) -> tuple[float, float]:
            return 1e3 * float((good >= at).mean()), 1e3 * float((fresh >= at).mean())

        calibrated, proved = per_thousand(threshold), per_thousand(PROVED)
        return Level(threshold, calibrated, proved, classic_bad, lots), limit

    def families(self, lots: int, level: Level, limit: float, say: Say) -> Iterator[Found]:
        """Yield the families of fraud, ``lots`` of each size."""
        for number, fraud in enumerate(FRAUDS):
            seed = (self.seed, 10 + number)
            best = self._bound(fraud, lots, seed)
            rows = []
            for size in [best * m for m in MULTIPLES if best * m < SIZE_MAX]:
                drawn = self.world.draw(lots, seed, Fraud(fraud, size))
                # Between two shots of a series a fraud may be seen too: left out, for time.
                e = self._ever(drawn, shot_by_shot=False)
                rows.append(
                    (
                        size,
                        bound.power(self.world, drawn, FALSE_ALARMS),
                        float((e >= level.threshold).mean()),
                        float((e >= PROVED).mean()),
                        float((self._classic(drawn) >= limit).mean()),
                    )
                )
            tried = [row[0] for row in rows]
            ours, proved, others = (found_at(tried, [r[at] for r in rows]) for at in (2, 3, 4))
            found = Found(fraud, best, ours, proved, others, tuple(rows))
            say(f"{fraud}: {found.size:.2%}, {found.ratio:.3f} of the bound {best:.2%}")
            yield found

    def _ever(self, lots: Lots, *, shot_by_shot: bool) -> Floats:
        return self.judge.ever(lots, shot_by_shot=shot_by_shot)

    def _classic(self, lots: Lots) -> Floats:
        return classic.least_p(self.world, self.models, lots)

    def _bound(self, fraud: str, lots: int, seed: tuple[int, ...]) -> float:
        low, high = 1e-4, SIZE_MAX
        for _ in range(BISECTIONS):
            middle = math.sqrt(low * high)
            drawn = self.world.draw(lots, seed, Fraud(fraud, middle))
            if bound.power(self.world, drawn, FALSE_ALARMS) < POWER:
                low = middle
            else:
                high = middle
        return high


def found_at(sizes: Sequence[float], power: Sequence[float]) -> float:
    """Return the size found with probability ``POWER``, between two that were tried.

    Straight in normal quantiles; NaN where no size tried is found so often.
    """
    z = ndtri(np.clip(power, 1e-3, 1.0 - 1e-3))
    at = int(np.argmax(z >= ndtri(POWER)))
    if z[at] < ndtri(POWER):
        return math.nan
    if at == 0:
        return float(sizes[0])
    share = (ndtri(POWER) - z[at - 1]) / (z[at] - z[at - 1])
    return float(sizes[at - 1] + share * (sizes[at] - sizes[at - 1]))
