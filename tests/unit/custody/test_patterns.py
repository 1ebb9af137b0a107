"""What a pattern makes of a model: shared, kept, and the smallest fraud that it shows."""

import math
from dataclasses import replace

import pytest

from custody.detect import lot_power
from custody.detect.kept import Kept
from custody.detect.lot_facts import Readings
from custody.detect.lot_families import Family
from custody.detect.lot_power import smallest_detectable
from custody.detect.mixture import ALPHA, Detector
from custody.detect.pattern_rows import STEP, snapped, snapped_together
from tests.support.lot_models import a_model, an_honest_lot, shifted

LN_THRESHOLD = -math.log(ALPHA)
HONEST = an_honest_lot(3)


def test_smallest_sizes_shrink_with_more_measurements_and_are_missing_where_nothing_shows() -> None:
    detector = Detector(a_model())
    whole = detector.layout(HONEST).pattern
    bare = detector.layout(Readings(weighings=HONEST.weighings)).pattern
    much = smallest_detectable(detector, whole, LN_THRESHOLD)
    little = smallest_detectable(detector, bare, LN_THRESHOLD)
    assert 0.005 < much[Family.LOSS] < little[Family.LOSS] < 0.02
    assert Family.WASTE in much
    assert Family.WASTE not in little


def test_smallest_sizes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lot_power, "_KEPT", Kept(2))
    detector, alone = Detector(a_model()), Detector(a_model(library=()))
    pattern = detector.layout(HONEST).pattern
    first = smallest_detectable(detector, pattern, LN_THRESHOLD)
    assert smallest_detectable(detector, pattern, LN_THRESHOLD) is first
    assert smallest_detectable(detector, pattern, 2.0) != first
    assert smallest_detectable(alone, pattern, LN_THRESHOLD) != first
    # Two more were asked since, and two are kept.
    again = smallest_detectable(detector, pattern, LN_THRESHOLD)
    assert again is not first
    assert again == first


def test_lots_measured_alike_by_other_instruments_share_what_is_kept() -> None:
    model, lot = a_model(), HONEST
    there = {"gun": "gun-2", "hub-gun": "hub-gun-2", "lab": "lab-2", "bridge": "bridge-2"}
    errors = {(there[name], quantity): one for (name, quantity), one in model.errors.items()}
    elsewhere = replace(
        lot,
        weighings=tuple(replace(one, scale=there[one.scale]) for one in lot.weighings),
        moistures=tuple(replace(one, laboratory=there[one.laboratory]) for one in lot.moistures),
        shots=tuple(replace(one, device=there[one.device]) for one in lot.shots),
        assays=tuple(replace(one, laboratory=there[one.laboratory]) for one in lot.assays),
    )
    other = replace(model, xrf={there[name]: one for name, one in model.xrf.items()}, errors=errors)
    worse = replace(other, xrf={**other.xrf, "gun-2": replace(model.xrf["gun"], matrix_rel=0.1)})
    here, alike, unlike = Detector(model, 1_000), Detector(other, 1_000), Detector(worse, 1_000)
    kept = here.weighted(here.layout(lot).pattern)
    pattern = alike.layout(elsewhere).pattern
    assert alike.weighted(pattern) is kept
    assert alike.judge(elsewhere).ln_e == here.judge(lot).ln_e
    assert unlike.weighted(pattern) is not kept
    assert Detector(other).weighted(pattern) is not kept


def test_grades_that_are_about_equally_well_known_are_taken_as_equal() -> None:
    middle = math.exp(-45.49 * STEP)
    about = (middle * 0.98, middle, middle * 1.05, middle * 0.5, math.nan)
    steps = snapped_together(about)
    assert steps[:3] == (snapped(middle),) * 3
    assert steps[3:] == (snapped(middle * 0.5), snapped(math.nan))
    assert snapped(middle * 0.98) != snapped(middle)


@pytest.mark.parametrize("family", [Family.LOSS, Family.WATER, Family.WASTE])
def test_the_smallest_size_is_found_nine_times_in_ten(family: Family) -> None:
    """400 lots each: 0.90 has a deviation of 0.015."""
    detector = Detector(a_model())
    pattern = detector.layout(HONEST).pattern
    size = smallest_detectable(detector, pattern, LN_THRESHOLD)[family]
    worst = 1.0
    for onset in (1, 2):
        lots = [shifted(family, size, onset, seed) for seed in range(400)]
        found = sum(detector.judge(lot).ln_e >= LN_THRESHOLD for lot in lots) / len(lots)
        worst = min(worst, found)
    assert worst == pytest.approx(0.9, abs=0.04)
