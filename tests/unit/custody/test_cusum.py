"""Cumulative sums against published run lengths, and levels found in made-up residuals."""

import math
from random import Random

import numpy as np
import pytest

from custody.detect.cusum import BANK, RUN_LENGTH, WAY_BANK, run_length
from custody.detect.drift import LEVEL_LOTS, Chart, Point, begun, quiet, read
from custody.events import Micros

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("h", "shift", "published"),
    [(4.0, 0.0, 336.0), (4.0, 1.0, 8.38), (5.0, 0.0, 930.0), (5.0, 0.5, 38.0), (5.0, 1.0, 10.4)],
)
def test_run_lengths_are_those_of_the_books(h: float, shift: float, published: float) -> None:
    """D. C. Montgomery, Introduction to Statistical Quality Control, 7th ed., table 9.3, k = 1/2.

    The table has the two-sided scheme: 168 and 465 on target, half of a single sum's.
    """
    assert run_length(0.5, h, shift) == pytest.approx(published, rel=0.005)


def test_the_bank_is_wrong_once_in_so_many_lots() -> None:
    rate = sum(2.0 / run_length(k, h) for k, h in BANK)
    assert 0.97 < rate * RUN_LENGTH < 1.0


def test_losses_of_a_road_are_wrongly_said_once_in_so_many_lots() -> None:
    """Gains are never said."""
    rate = sum(1.0 / run_length(k, h) for k, h in WAY_BANK)
    assert 0.97 < rate * RUN_LENGTH < 1.0


def points(values: list[float], u: float = 0.001, shared: float = 0.0) -> list[Point]:
    return [Point(Micros(HOUR * n), value, u, shared) for n, value in enumerate(values)]


def noise(seed: int, lots: int, mean: float = 0.0) -> list[float]:
    rng = Random(seed)
    return [rng.gauss(mean, 0.001) for _ in range(lots)]


def test_a_shift_has_its_size_and_its_beginning() -> None:
    chart = read(points(noise(3, 40) + noise(4, 40, 0.002)))
    level = chart.level
    assert level is not None
    assert level.mean == pytest.approx(0.002, abs=3 * level.u)
    assert abs(level.since / HOUR - 40) <= 5
    assert level.until is None
    assert level.u == pytest.approx(0.001 / math.sqrt(level.lots))


def test_what_returns_is_over_and_what_grows_is_a_new_level() -> None:
    back = read(points(noise(1, 30) + noise(2, 30, 0.003) + noise(3, 30)))
    assert back.level is None
    assert [one.until is not None for one in back.levels] == [True]
    more = read(points(noise(1, 30) + noise(2, 30, 0.003) + noise(3, 30, 0.008)))
    assert [round(one.mean, 3) for one in more.levels] == [0.003, 0.008]
    assert more.levels[0].until == more.levels[1].since


def test_what_instruments_may_be_off_by_is_no_drift() -> None:
    assert read(points(noise(5, 400, 0.0015), shared=0.001)).level is None
    assert read(points(noise(5, 400, 0.0035), shared=0.001)).level is not None


def road(before: float, after: float, lots: int = 40) -> Chart:
    """Return the chart of a road whose scales may be off by three times what one lot tells."""
    told = noise(13, 60, before) + noise(14, lots, after)
    return read(points(told, shared=0.003), begun("way/A>B", "mass"))


def test_a_loss_that_begins_is_told_from_what_a_road_has_always_been_off_by() -> None:
    assert road(-0.002, -0.002, 400).level is None
    found = road(-0.002, -0.004).level
    assert found is not None
    assert abs(found.since / HOUR - 60) <= 5
    # Of an instrument its class permits as much.
    told = points(noise(13, 60, -0.002) + noise(14, 40, -0.004), shared=0.003)
    assert read(told, begun("instrument/WB", "mass")).level is None


def test_nothing_is_learnt_of_a_road_that_would_excuse_more_than_its_scales_may() -> None:
    assert road(-0.0085, -0.0085).level is not None


def test_scales_of_a_road_are_seldom_a_loss_however_little_is_known_of_them() -> None:
    """As before lots were learnt from: of 100 lots each a few in a thousand."""
    rng = Random(15)
    named = 0
    for _ in range(300):
        off = rng.gauss(0.0, 0.0015)
        told = points([rng.gauss(off, 0.001) for _ in range(100)], shared=0.0015)
        level = read(told, begun("way/A>B", "mass")).level
        named += level is not None and level.mean < 0.0
    assert named <= 6


def test_single_lots_far_off_are_no_drift() -> None:
    values = noise(6, 60)
    for at in (10, 11, 30, 31, 50, 51):
        values[at] = -0.3
    assert read(points(values)).level is None


def test_a_chart_goes_on_where_another_stopped() -> None:
    every = points(noise(7, 50) + noise(8, 80, 0.002))
    for cut in (0, 20, 60, 75, 130):
        assert read(every[cut:], read(every[:cut])) == read(every)


def test_three_lots_in_a_row_that_are_far_off_are_a_shift_and_two_are_none() -> None:
    """Each of them may be an alert of a lot: no more than three may pass before it is named."""
    for by in (0.007, -0.007):
        far = noise(11, 40, by)
        assert read(points(noise(3, 40) + far[:2])).level is None
        level = read(points(noise(3, 40) + far[:3])).level
        assert level is not None
        assert level.mean == pytest.approx(by, abs=3 * level.u)


def test_a_chart_that_an_older_release_kept_goes_on_with_the_sums_it_had() -> None:
    every = points(noise(7, 50) + noise(8, 40, 0.007))
    before = read(every[:50])
    older = before._replace(sums=before.sums[:6])
    assert begun("instrument/WB", "mass", older)._replace(sums=before.sums) == before
    assert read(every[50:53], begun("instrument/WB", "mass", older)).level is not None


def test_three_lots_that_are_far_off_in_an_analyte_or_on_a_road_are_no_shift() -> None:
    """They may be another material, or a scale at one end; four were a shift always."""
    far = points([0.0, 0.02, 0.02, 0.02, 0.02])
    figures = np.array([[(p.value, p.u, p.shared) for p in far[:4]]])
    scale, road = "instrument/WB", "way/A>B"
    quick = {(scale, "mass")}
    for of in ((scale, "Co"), (scale, "moisture"), (road, "mass"), (scale, "mass")):
        chart, named = begun(*of), of in quick
        assert bool(quiet([chart], figures)[0]) is not named
        assert (read(far[:4], chart).level is not None) is named
        assert read(far, chart).level is not None


def test_a_level_is_said_anew_when_its_lots_have_doubled() -> None:
    every = points(noise(9, 200, 0.004))
    lots = [chart.level.lots for n in range(200) if (chart := read(every[:n])).level is not None]
    said = sorted(set(lots))
    assert said[-1] == LEVEL_LOTS
    # 3, 6, 12, 24, 48 and 64 at most.
    assert len(said) <= 6


def test_a_road_that_is_quiet_at_once_is_so_one_by_one() -> None:
    """Not the other way round: a road is read lot by lot where all at once does not tell."""
    calm = 0
    for seed in range(120):
        rng = Random(seed)
        off = rng.choice((0.0, 0.0005, -0.0005, -0.001))
        first = points(noise(seed, rng.randint(0, 40), off), shared=0.001)
        start = read(first, begun("way/A>B", "mass"))
        loss = off - rng.choice((0.0, 0.0, 0.001))
        more = points(noise(seed + 1000, rng.randint(1, 60), loss), shared=0.001)
        figures = np.array([[(p.value, p.u, p.shared) for p in more]])
        if quiet([start], figures)[0]:
            calm += 1
            assert read(more, start).levels == ()
    assert calm > 60


def test_all_sums_at_once_say_the_same_as_one_by_one() -> None:
    for seed in range(60):
        rng = Random(seed)
        first = points(noise(seed, rng.randint(0, 40), rng.choice((0.0, 0.0, 0.0005))))
        start = read(first)
        if start.level is not None:
            continue
        more = points(noise(seed + 1000, rng.randint(1, 60), rng.choice((0.0, 0.001, -0.002))))
        figures = np.array([[(p.value, p.u, p.shared) for p in more]])
        [calm] = quiet([start], figures)
        assert calm == (read(more, start).levels == start.levels == ())


def test_a_quantity_that_a_lot_has_no_figure_of_is_passed_over() -> None:
    some = points(noise(10, 30, 0.002))
    figures = np.full((1, 60, 3), np.nan)
    figures[0, ::2] = [(p.value, p.u, p.shared) for p in some]
    assert bool(quiet([Chart()], figures)[0]) is (read(some).levels == ())
