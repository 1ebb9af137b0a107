"""What one quantity of an instrument, or a way, has been off by, lot after lot.

A chart reads the residuals of lots in the order of time (``cusum``). Where a sum reaches its limit
the shift began after the lot at which that sum was last zero: from there on the *level* is the
mean of the residuals. The chart then goes on around the new level, so a further change, or a
return, is found like the first.

What instruments on a way have in common over many lots does not average out (``Point.shared``), and
what their class permits is no drift: sums move only by what is beyond ``TOLERANCE`` of that u.

Of a way it is the change that matters: scales that stay where they are explain no loss that begins.
What its lots have been off by before a sum began to grow says where within that u they are, so much
is allowed and ``LEARNT`` times what so few lots leave unknown, never more than without them.

Source:
    docs/detection/charts.md
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from custody.detect.cusum import BANK, CLIP, WAY_BANK
from custody.detect.lot_facts import MASS, Bools, Floats
from custody.drifts import Level
from custody.events import Micros

TOLERANCE = 2.0
"""Shared standard uncertainties within which a mean residual is no drift."""

LEARNT = 2.75
"""Standard uncertainties of what lots of a way have been off by within which more is no loss. No
more roads in order are named by this than by ``TOLERANCE`` of what they share."""

LEVEL_LOTS = 64
"""Lots from which a level is estimated, the first ones; more change little."""

STEPS_MAX = 4_096
"""Steps of charts that are kept, some 1.1 kB each: those of sixty quantities that are off."""

LEVELS_MAX = 8
"""Levels of a quantity that are remembered, the last ones."""


class Point(NamedTuple):
    """One lot's residual of one quantity, in logarithms.

    Attributes:
        at: When the lot was measured.
        value: Residual, what is known of the drift of this quantity not taken off.
        u: Its standard uncertainty, what differs from lot to lot.
        shared: The same of what lots have in common.
    """

    at: Micros
    value: float
    u: float
    shared: float


class Sum(NamedTuple):
    """One cumulative sum, and sums over the lots since it was last zero.

    ``weight`` = sum of 1/u^2, ``moment`` = sum of value/u^2, ``shared`` = sum of shared u. Of a way
    ``allowed`` is what was known to be no loss (of the other side: gain) when it was last zero.
    """

    value: float = 0.0
    since: int = 0
    lots: int = 0
    weight: float = 0.0
    moment: float = 0.0
    shared: float = 0.0
    allowed: float = math.inf


_ZERO = Sum()
_SIGNS = np.array([1.0, -1.0] * len(BANK))[:, None, None]
_K, _H = (np.repeat(np.array((BANK, WAY_BANK)), 2, axis=1)[:, :, at] for at in (0, 1))
"""Of instruments and of ways, by sum."""


class Chart(NamedTuple):
    """The state after some lots.

    Attributes:
        sums: Up and down for each k of the bank, as ``begun`` has them.
        levels: Shifts found, in order; the last may still last.
        growing: Sums over the lots of the last level.
        value: Greatest of the sums over its limit, when a level was last found.
        usual: Of a way sums over all lots while it had no level; None of an instrument.
    """

    sums: tuple[Sum, ...] = (_ZERO,) * (2 * len(BANK))
    levels: tuple[Level, ...] = ()
    growing: Sum = _ZERO
    value: float = 0.0
    usual: Sum | None = None

    @property
    def level(self) -> Level | None:
        """The shift that lasts; None where there is none."""
        last = self.levels[-1] if self.levels else None
        return last if last is not None and last.until is None else None


def begun(thing: str, quantity: str, before: Chart | None = None) -> Chart:
    """Return the chart of a quantity with the sums that it has.

    Args:
        thing: Whose, ``instrument/<name>`` or ``way/<from>><to>``.
        quantity: Of what.
        before: As it was kept; by an older release with fewer sums. None before its first lot.
    """
    way = thing.startswith("way/")
    chart = before or Chart()
    if way and chart.usual is None:
        chart = chart._replace(usual=_ZERO)
    sums = 2 * len(WAY_BANK if way else BANK if quantity == MASS else BANK[:-1])
    return chart._replace(sums=(*chart.sums, *[_ZERO] * sums)[:sums])


def read(points: Iterable[Point], start: Chart | None = None, *, kept: bool = True) -> Chart:
    """Return the chart after some more lots.

    Args:
        points: Residuals in the order of time.
        start: The chart before them.
        kept: Steps are kept for whoever reads the same lots again. Lots that go from memory are
            read once, of each quantity, and would only take the room.
    """
    one_more = step if kept else step.__wrapped__
    chart = start or Chart()
    for point in points:
        chart = one_more(chart, point)
    return chart


def quiet(charts: Sequence[Chart], figures: Floats) -> Bools:
    """Tell for which quantities no sum reaches its limit, all of them at once.

    Args:
        charts: Before the lots, one per quantity; those that have a level are not quiet.
        figures: Value, u and shared u by quantity and lot in the order of time, NaN where a lot
            has none, shape (quantities, lots, 3).

    Returns:
        Shape (quantities,).
    """
    value, u, shared = np.moveaxis(figures, 2, 0)
    way = np.array([chart.usual is not None for chart in charts], dtype=np.int64)
    k, h = _K[way].T[:, :, None], _H[way].T
    away = TOLERANCE * shared
    if way.any():
        away = np.minimum(away, _least_allowed(charts, figures))
    z = np.minimum(np.maximum((_SIGNS * value - away) / u, -CLIP), CLIP) - k
    path = np.cumsum(np.where(np.isnan(value), 0.0, z), axis=2)
    sums = [[one.value for one in chart.sums] for chart in charts]
    start = np.array([[*of, *[0.0] * (len(_SIGNS) - len(of))] for of in sums]).T
    has = np.arange(len(_SIGNS))[:, None] < [len(of) for of in sums]
    least = np.minimum(np.minimum.accumulate(path, axis=2), -start[:, :, None])
    below = (((path - least).max(axis=2, initial=0.0) < h) | ~has).all(axis=0)
    return np.asarray(below & np.array([chart.level is None for chart in charts]))


def _least_allowed(charts: Sequence[Chart], figures: Floats) -> Floats:
    """Return the least that any sum of a way may have been allowed so far, (sums, charts, lots).

    What is allowed stays while a sum grows; the least of all lots lets none grow less than it does.
    """
    least = np.full((len(_SIGNS), *figures.shape[:2]), math.inf)
    for at, chart in enumerate(charts):
        if chart.usual is None:
            continue
        usual, begun_with = chart.usual, [one.allowed for one in chart.sums]
        for lot in np.flatnonzero(~np.isnan(figures[at, :, 0])):
            point = Point(Micros(0), *figures[at, lot].tolist())
            least[0::2, at, lot], least[1::2, at, lot] = _allowed(usual, point)
            usual = _with(usual, point)
        least[: len(begun_with), at, :1] = np.minimum(
            least[: len(begun_with), at, :1], np.array(begun_with)[:, None]
        )
    return np.asarray(np.minimum.accumulate(least, axis=2))


def _allowed(usual: Sum, point: Point) -> tuple[float, float]:
    """Return what is no loss and no gain of a way, by the lots before; up first, then down.

    What lots share is N(0, shared^2) before any of them.
    """
    if point.shared <= 0.0:
        return 0.0, 0.0
    precision = point.shared**-2 + usual.weight
    mean, u = usual.moment / precision, 1.0 / math.sqrt(precision)
    return mean + LEARNT * u, -mean + LEARNT * u


def _with(usual: Sum, point: Point) -> Sum:
    """Return sums with one more lot, which counts no more than it may differ by."""
    most = CLIP * math.hypot(point.u, point.shared)
    return _added(usual, point._replace(value=min(max(point.value, -most), most)))


@lru_cache(maxsize=STEPS_MAX)
def step(chart: Chart, point: Point) -> Chart:
    """Return the chart after a lot; kept, because the next word finds the same lots before it."""
    level = chart.level
    chart = chart if level is None else _grown(chart, level, point)
    level = chart.level
    mean, tolerance = (0.0, point.shared) if level is None else (level.mean, _random(chart))
    bank = BANK if chart.usual is None else WAY_BANK
    sums = []
    for number, one in enumerate(_begun_sums(chart, point)):
        sign = 1.0 if number % 2 == 0 else -1.0
        away = min(TOLERANCE * tolerance, one.allowed)
        z = min(max((sign * (point.value - mean) - away) / point.u, -CLIP), CLIP)
        value = one.value + z - bank[number // 2][0]
        sums.append(_ZERO if value <= 0.0 else _added(one._replace(value=value), point))
    if chart.usual is not None and level is None:
        chart = chart._replace(usual=_with(chart.usual, point))
    # Of sums that reach their limits at the same lot the one that is most beyond.
    over = [one.value / bank[number // 2][1] for number, one in enumerate(sums)]
    most = max(range(len(sums)), key=lambda number: over[number])
    if over[most] < 1.0:
        return chart._replace(sums=tuple(sums))
    return _named(chart, sums[most], over[most])


def _begun_sums(chart: Chart, point: Point) -> tuple[Sum, ...]:
    """Return the sums before a lot, with what is allowed those that are zero."""
    if chart.usual is None or chart.level is not None:
        return chart.sums
    allowed = _allowed(chart.usual, point)
    return tuple(
        one if one.lots else one._replace(allowed=allowed[number % 2])
        for number, one in enumerate(chart.sums)
    )


def _added(one: Sum, point: Point) -> Sum:
    weight = 1.0 / (point.u * point.u)
    return Sum(
        one.value,
        one.since if one.lots else point.at,
        one.lots + 1,
        one.weight + weight,
        one.moment + weight * point.value,
        one.shared + point.shared,
        one.allowed,
    )


def _named(chart: Chart, found: Sum, value: float) -> Chart:
    """Return the chart once a sum has reached its limit: a level, or the end of one."""
    since, zero = Micros(found.since), (_ZERO,) * len(chart.sums)
    closed = [one if one.until is not None else one._replace(until=since) for one in chart.levels]
    level = _level(found)
    if closed and abs(level.mean) <= TOLERANCE * level.u:
        return Chart(zero, tuple(closed[-LEVELS_MAX:]), usual=chart.usual)
    levels = (*closed, level)[-LEVELS_MAX:]
    return Chart(zero, levels, found._replace(value=0.0), value, chart.usual)


def _level(found: Sum) -> Level:
    shared = found.shared / found.lots
    u = math.hypot(1.0 / math.sqrt(found.weight), shared)
    return Level(Micros(found.since), None, found.moment / found.weight, u, found.lots)


def _grown(chart: Chart, level: Level, point: Point) -> Chart:
    """Return the chart with one more lot in its level; said anew at each doubling.

    Whoever has used the instrument looks again at each word of it. A lot that is far off the level
    counts as one ``CLIP`` off: what somebody stole from it is not the instrument's.
    """
    growing = chart.growing
    if growing.lots >= LEVEL_LOTS:
        return chart
    off = min(max(point.value - level.mean, -CLIP * point.u), CLIP * point.u)
    growing = _added(growing, point._replace(value=level.mean + off))
    if growing.lots < min(2 * level.lots, LEVEL_LOTS):
        return chart._replace(growing=growing)
    return chart._replace(growing=growing, levels=(*chart.levels[:-1], _level(growing)))


def _random(chart: Chart) -> float:
    """Return how well a level is known beside what all lots share, which cancels."""
    growing = chart.growing
    return 1.0 / math.sqrt(growing.weight) if growing.weight > 0.0 else 0.0


def reaches(share: float, level: Level, points: Iterable[Point]) -> bool:
    """Tell whether lots since a level began still add up to a share of a limit.

    Args:
        share: Of each limit.
        level: A shift that was found.
        points: Residuals of all lots that are known.
    """
    sign = math.copysign(1.0, level.mean)
    beyond = [
        min(max((sign * one.value - TOLERANCE * one.shared) / one.u, -CLIP), CLIP)
        for one in points
        if one.at >= level.since
    ]
    return any(sum(beyond) - k * len(beyond) >= share * h for k, h in BANK)
