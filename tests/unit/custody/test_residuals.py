"""Of several that are suspected for the same lots, which one is taken to be off."""

from dataclasses import replace

import pytest

from custody.detect.lot_facts import MASS, MOISTURE, Moisture, Readings
from custody.detect.mixture import Detector
from custody.detect.residuals import INSTRUMENT, Shift, Subject, cleared, residuals
from tests.support.lot_models import a_model, an_honest_lot

OURS, THEIRS = (Subject(INSTRUMENT, lab, MOISTURE) for lab in ("lab-mine", "lab-port"))


def two_ovens() -> Readings:
    """Return a lot that is weighed and dried at both ends of its way, by a laboratory each."""
    lot = an_honest_lot(1)
    moist = [
        Moisture(event_id=lab.name, station=at, fraction=0.08, u=0.002, laboratory=lab.name)
        for lab, at in ((OURS, "mine"), (THEIRS, "port"))
    ]
    return Readings(weighings=lot.weighings, moistures=tuple(moist))


@pytest.mark.parametrize(("ways", "off"), [(4, THEIRS), (1, OURS)])
def test_one_laboratory_on_four_ways_is_taken_before_the_one_of_this_way(
    ways: int, off: Subject
) -> None:
    """Either explains this lot; the port's does three others besides, each of another mine."""
    detector, readings = Detector(a_model()), two_ovens()
    suspected = {OURS: Shift(0.0226, 0.0027), THEIRS: Shift(-0.0225, 0.0030, ways)}
    layout = detector.layout(readings)
    assert [*cleared(detector, layout, suspected)] == [off]
    [other] = {OURS, THEIRS} - {off}
    told = residuals(detector, layout, suspected)[other]
    assert [by for by, _ in told.rivals] == [off]
    assert abs(suspected[other].mean - told.explained) < 2.0 * suspected[other].u


def test_ways_count_among_suspicions_of_one_quantity_only() -> None:
    """A scale that is off by more is taken before a laboratory, on however many ways that shows."""
    detector, readings = Detector(a_model()), two_ovens()
    apart = tuple([replace(one, scale=one.station) for one in readings.weighings])
    readings = replace(readings, weighings=apart)
    scale = Subject(INSTRUMENT, "port", MASS)
    suspected = {scale: Shift(0.02, 0.001), THEIRS: Shift(0.0225, 0.0025, 64)}
    assert next(iter(cleared(detector, detector.layout(readings), suspected))) == scale
