"""The detector takes whatever is measured: nothing stops it, and E is always a number."""

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody.detect.lot_facts import Assay, Model, Moisture, Readings, Shot, Weighing
from custody.detect.lot_information import information
from custody.detect.lot_power import smallest_detectable
from custody.detect.lot_suspicion import explain
from custody.detect.mixture import Detector
from tests.support.lot_models import ANALYTES, STATIONS, a_model, an_honest_lot, sites
from tests.support.recomputed import script, wrong

HONEST = an_honest_lot(4)
MODELS: tuple[Model, ...] = (
    a_model(),
    a_model(origin=None),
    a_model(library=()),
    a_model(origin=None, library=()),
    a_model(analytes=("Au", "Cu"), xrf={}, errors={}),
    a_model(stations=STATIONS[:1], legs=()),
    a_model(stations=tuple(reversed(STATIONS))),
    a_model(origin=sites()[0], library=sites()[:2]),
)
DETECTORS = [Detector(model) for model in MODELS]

odd = st.one_of(
    st.sampled_from([0.0, -1.0, 1.0, math.nan, math.inf, -math.inf, 1e-300, 1e300]),
    st.floats(1e-6, 1.0),
)
ids = st.integers(0, 9).map(str)
stations = st.sampled_from((*STATIONS, "elsewhere"))
devices = st.sampled_from(("gun", "lab", "bridge", "nobody knows"))
amounts = st.dictionaries(st.sampled_from((*ANALYTES, "Au")), odd, max_size=5)

readings = st.builds(
    Readings,
    weighings=st.lists(
        st.builds(
            Weighing,
            event_id=ids,
            station=stations,
            part=st.sampled_from(("", "T1", "T2")),
            net=odd,
            u_rel=odd,
            scale=devices,
            scale_u_rel=odd,
        ),
        max_size=6,
    ).map(tuple),
    moistures=st.lists(
        st.builds(
            Moisture,
            event_id=ids,
            station=stations,
            fraction=odd,
            u=odd,
            laboratory=devices,
            laboratory_u=odd,
        ),
        max_size=3,
    ).map(tuple),
    shots=st.lists(
        st.builds(
            Shot,
            event_id=ids,
            station=stations,
            device=devices,
            fractions=amounts,
            counting_rel=amounts,
            dry=st.booleans(),
            below=amounts,
        ),
        max_size=6,
    ).map(tuple),
    assays=st.lists(
        st.builds(
            Assay,
            event_id=ids,
            station=stations,
            laboratory=devices,
            fractions=amounts,
            u_rel=amounts,
            u_rel_default=odd,
            laboratory_u_rel=odd,
            dry=st.booleans(),
            below=amounts,
        ),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(readings, st.sampled_from(DETECTORS))
def test_e_is_a_number_and_its_explanation_too(given_: Readings, detector: Detector) -> None:
    judged = detector.judge(given_)
    assert math.isfinite(judged.ln_e)
    assert detector.judge(_reversed(given_)).ln_e == judged.ln_e
    found = explain(detector, judged)
    if found is None:
        assert judged.ln_e == 0.0
        return
    assert found.ln_e == judged.ln_e
    numbers = [found.size, found.size_u, found.ln_lr, *(p for _, p in found.families)]
    numbers += [x for one in found.contributions for x in one[4:]]
    assert all(math.isfinite(x) for x in numbers)
    sizes = smallest_detectable(detector, judged.layout.pattern, 6.9)
    assert all(0.0 < x <= 1.0 for x in sizes.values())
    parts = {one.part: one.part for one in given_.weighings}
    known = information(detector, found.ground, parts)
    places = [one.probability for one in known.onsets] + [one.probability for one in known.trips]
    assert math.fsum(places) == pytest.approx(1.0)
    numbers = [x for one in known.onsets for x in (*one.score, *one.information)]
    numbers += [x for one in known.other_sites for x in (*one.ln_ratios, *one.spread)]
    numbers += [x for one in known.trips for x in (one.score, one.information)]
    assert all(math.isfinite(x) for x in (*numbers, *known.own_spread))


@settings(max_examples=60, deadline=None)
@given(readings, st.sampled_from(DETECTORS))
def test_e_and_all_probabilities_follow_from_what_is_said_of_them(
    given_: Readings, detector: Detector
) -> None:
    judged = detector.judge(given_)
    found = explain(detector, judged)
    if found is None:
        return
    parts = {one.part: one.part for one in given_.weighings}
    known = information(detector, found.ground, parts)
    line = {
        "value": math.exp(min(judged.ln_e, 690.0)),
        "posterior": {family.value: p for family, p in found.families if p > 0.0},
        **{name: json.loads(msgspec.json.encode(some)) for name, some in known._asdict().items()},
    }
    said, follows = script("recompute_e").sums(line)["ln E"]
    assert follows == pytest.approx(min(judged.ln_e, 300 * math.log(10)), rel=1e-6, abs=1e-6)
    assert said == pytest.approx(min(judged.ln_e, 690.0))
    assert not wrong(script("recompute_posterior").sums(line))


def _reversed(given_: Readings) -> Readings:
    return Readings(
        weighings=given_.weighings[::-1],
        moistures=given_.moistures[::-1],
        shots=given_.shots[::-1],
        assays=given_.assays[::-1],
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_part_of_an_honest_lot_is_judged(data: st.DataObject) -> None:
    """Whatever is missing: E is a number, and one lot of chance does not alarm."""

    def some(items: tuple[object, ...]) -> list[bool]:
        return data.draw(st.lists(st.booleans(), min_size=len(items), max_size=len(items)))

    part = Readings(
        weighings=tuple(
            x for x, y in zip(HONEST.weighings, some(HONEST.weighings), strict=True) if y
        ),
        moistures=tuple(
            x for x, y in zip(HONEST.moistures, some(HONEST.moistures), strict=True) if y
        ),
        shots=tuple(x for x, y in zip(HONEST.shots, some(HONEST.shots), strict=True) if y),
        assays=tuple(x for x, y in zip(HONEST.assays, some(HONEST.assays), strict=True) if y),
    )
    for detector in DETECTORS[:4]:
        assert -3.0 < detector.judge(part).ln_e < 6.9
